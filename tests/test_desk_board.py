"""The board of the day: by person and by room, free gaps, moving, the week, my day, the sheet, and keeping fresh."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings import lifecycle
from bookings.models import Booking, BookingState
from clinic import audit
from clinic.models import Absence, OpeningHours, Resource
from tests.desk import MONDAY, TUESDAY, signed_in, someone, words_of
from tests.factories import NOW, PATIENT, World, local, make_staff
from tests.full_day import crowd

pytestmark = pytest.mark.django_db

DAY = "/desk/?date=2026-11-30"
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


@pytest.fixture
def desk(world: World) -> Client:
    return signed_in("reception")


def columns(html: str) -> dict[str, str]:
    """The text of each column by its heading."""
    found = re.findall(r'<section class="board-column[^"]*".*?<h2[^>]*>(.*?)</h2>(.*?)</section>', html, re.DOTALL)
    return {plain(name): plain(text) for name, text in found}


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def links(html: str, part: str) -> list[str]:
    """The words of every link whose address begins with ``part``, in order, on the board alone."""
    board = html.partition('class="by-time"')[0]
    return [
        plain(text) for text in re.findall(rf'<a[^>]*href="{re.escape(part)}[^"]*"[^>]*>(.*?)</a>', board, re.DOTALL)
    ]


def text_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# By room


def test_by_room_each_visit_stands_in_its_room(desk: Client, world: World) -> None:
    first, second = world.rooms
    sam = world.book(local(MONDAY, 10), name="Sam Kay")
    world.book(local(MONDAY, 10), name="Alex Poe")
    kim = world.book(local(MONDAY, 12), name="Kim Tea")
    Booking.objects.filter(pk=kim.pk).update(room=None)
    where = {first.pk: first.name, second.pk: second.name}

    shown = columns(text_of(desk, f"{DAY}&by=room"))

    assert list(shown) == [first.name, second.name, "No room"]
    assert "Sam K." in shown[where[sam.room_id or 0]]
    assert "Alex P." in shown[({*where.values()} - {where[sam.room_id or 0]}).pop()]
    assert "Kim T." in shown["No room"]
    assert "Maya Ruiz" in shown[first.name] + shown[second.name]


def test_a_room_is_cleaned_for_the_whole_time_unless_the_next_visit_begins(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 9), practitioner=world.practitioner)
    Booking.objects.filter(pk=booking.pk).update(room=world.rooms[0], clean_up_minutes=45)

    board = desk.get(f"{DAY}&by=room").context["board"]

    assert [column.clean_ups for column in board.columns] == [("r6 n9",), ()]


def test_a_room_that_is_closed_says_so_and_its_visits_are_to_move(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    assert booking.room
    Absence.objects.create(
        resource=booking.room, starts_at=local(MONDAY, 9), ends_at=local(MONDAY, 12), reason="New floor"
    )

    response = desk.get(f"{DAY}&by=room")

    assert "Closed from 9am to midday: New floor" in columns(response.content.decode())[booking.room.name]
    assert "To move: away" in response.context["board"].visits[0].flags


def test_one_room_may_be_shown_and_the_way_back_to_people_is_a_link(desk: Client, world: World) -> None:
    html = text_of(desk, f"{DAY}&by=room&with={world.rooms[1].slug}")

    assert list(columns(html)) == [world.rooms[1].name]
    assert f"?date=2026-12-01&amp;by=room&amp;with={world.rooms[1].slug}" in html
    assert '<a href="?date=2026-11-30">By practitioner</a>' in html


# Who sees whom


@pytest.mark.parametrize(
    "path",
    [
        DAY,
        f"{DAY}&with=maya1",
        f"{DAY}&by=room",
        f"{DAY}&by=room&with=maya1",
        "/desk/week/?date=2026-11-30",
        "/desk/week/?date=2026-11-30&with=maya1",
        "/desk/print/?date=2026-11-30",
        "/desk/print/?date=2026-11-30&with=maya1",
        "/desk/my-day/",
        "/desk/my-day/?with=maya1",
    ],
)
def test_who_sees_only_their_own_visits_sees_nobody_elses_whatever_the_address_says(
    world: World, path: str, clock: Any
) -> None:
    maya, other = world.practitioners
    world.book(local(MONDAY, 10), practitioner=other, name="Alex Poe")
    Absence.objects.create(resource=other, starts_at=local(MONDAY, 15), ends_at=local(MONDAY, 16), reason="Dentist")
    world.book(local(MONDAY, 10), practitioner=maya, name="Sam Kay")
    clock.move_to(local(MONDAY, 9), tick=False)
    practitioner, everyone = signed_in("practitioner"), signed_in("reception")

    own, all_of_it = text_of(practitioner, path), text_of(everyone, path)

    assert "Sam" in own
    for secret in ("Alex", "Maya1", "Dentist", Booking.objects.get(practitioner=other).reference):
        assert secret not in own
    assert "Alex" in all_of_it or "with=maya1" not in path


def test_somebody_who_is_no_practitioner_and_may_not_see_everybody_sees_no_visit(world: World) -> None:
    world.book(local(MONDAY, 10), name="Sam Kay")
    someone("practitioner")
    Resource.objects.update(user=None)
    client = signed_in("practitioner")

    for path in (DAY, f"{DAY}&by=room", "/desk/week/?date=2026-11-30", "/desk/print/?date=2026-11-30", "/desk/my-day/"):
        response = client.get(path)
        assert response.status_code == 200
        assert "Sam K" not in response.content.decode()


def test_the_line_of_what_waits_counts_own_reviews_only(world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioners[0])
    Booking.objects.filter(pk=booking.pk).update(state=BookingState.PENDING, reply_by=NOW)
    owner = someone("practitioner")
    Resource.objects.update(user=None)
    Resource.objects.filter(pk=world.practitioners[1].pk).update(user=owner)

    assert "1 to review" not in words_of(signed_in("practitioner").get(DAY))
    assert "1 to review, 1 late" in words_of(signed_in("reception").get(DAY))


def test_by_room_they_see_the_rooms_of_their_own_visits_alone(world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner)
    assert booking.room

    assert list(columns(text_of(signed_in("practitioner"), f"{DAY}&by=room"))) == [booking.room.name]


# Free gaps


def test_free_time_inside_the_hours_is_a_link_to_book_it(desk: Client, world: World) -> None:
    maya, other = world.practitioners
    OpeningHours.objects.filter(practitioner=other).delete()
    world.book(local(MONDAY, 9), practitioner=maya)
    world.book(local(MONDAY, 11), practitioner=maya)
    Absence.objects.create(resource=maya, starts_at=local(MONDAY, 12), ends_at=local(MONDAY, 16, 50))

    html = text_of(desk, DAY)

    # The ten minutes from 4:50pm to 5pm are too short.
    assert links(html, "/desk/book/?") == [
        "Book 9:30am to 11am with Maya",
        "Book 11:30am to midday with Maya",
    ]
    assert "/desk/book/?start=2026-11-30T09%3A30%3A00-05%3A00&amp;practitioner=maya&amp;location=main" in html


def test_gaps_stand_between_the_visits_in_order_of_time(desk: Client, world: World) -> None:
    world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")

    column = columns(text_of(desk, DAY))["Maya Ruiz"]

    assert re.findall(r"Book \w+ to \w+|Sam K\.", column)[:3] == ["Book 9am to 10am", "Sam K.", "Sam K."]
    assert column.index("Sam K.") < column.index("Book 10:30am to 5pm")


def test_nothing_in_the_past_is_offered_and_today_begins_at_the_next_start(world: World, clock: Any) -> None:
    clock.move_to(local(TODAY, 10, 50), tick=False)
    desk = signed_in("reception")

    assert links(text_of(desk, "/desk/"), "/desk/book/?")[0] == "Book 11am to 5pm with Maya"
    assert links(text_of(desk, "/desk/?date=2026-11-20"), "/desk/book/?") == []


def test_a_closed_house_an_unplanned_house_and_somebody_who_left_offer_nothing(desk: Client, world: World) -> None:
    other = world.practitioners[1]
    world.book(local(MONDAY, 10), practitioner=other)
    Resource.objects.filter(pk=other.pk).update(retired_on=MONDAY)
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 0), ends_at=local(MONDAY, 16))

    assert links(text_of(desk, DAY), "/desk/book/?") == ["Book 4pm to 5pm with Maya"]

    OpeningHours.objects.filter(practitioner=None).delete()
    assert links(text_of(desk, DAY), "/desk/book/?") == []


def test_who_may_not_book_is_offered_no_gap(world: World) -> None:
    world.book(local(MONDAY, 10))

    html = text_of(signed_in("practitioner"), DAY)

    assert "/desk/book/" not in html


# Moving


def test_a_card_that_can_move_carries_what_moving_needs(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")
    gone = world.book(local(MONDAY, 12), practitioner=world.practitioner)
    Booking.objects.filter(pk=gone.pk).update(state=BookingState.IN_ROOM)

    html = text_of(desk, DAY)

    assert f'data-reference="{booking.reference}" data-minutes="30" data-who="maya"' in html
    assert f'href="/desk/?date=2026-11-30&amp;moving={booking.reference}"' in html
    assert f'data-reference="{gone.reference}"' not in html
    assert f"moving={gone.reference}" not in html
    assert 'data-kind="practitioner" data-column="maya" data-step="15" data-stretches="0-480"' in html
    assert 'data-first="2026-11-30T09:00:00-05:00" data-row-minutes="5"' in html
    assert f'data-kind="room" data-column="{world.rooms[0].slug}"' in text_of(desk, f"{DAY}&by=room")


@pytest.mark.parametrize("state", [BookingState.CONFIRMED, BookingState.ARRIVED])
def test_who_is_late_or_waits_can_still_move(desk: Client, world: World, clock: Any, state: BookingState) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")
    Booking.objects.filter(pk=booking.pk).update(state=state)
    clock.move_to(local(MONDAY, 10, 20), tick=False)
    desk = signed_in("reception")

    html, moving = text_of(desk, DAY), text_of(desk, f"{DAY}&moving={booking.reference}")

    assert f'data-reference="{booking.reference}"' in html
    assert f'href="/desk/?date=2026-11-30&amp;moving={booking.reference}"' in html
    assert links(moving, f"/desk/bookings/{booking.reference}/place/?")[0] == "10:30am with Maya"


def test_while_a_visit_moves_every_start_that_is_long_enough_is_a_link(desk: Client, world: World) -> None:
    maya, other = world.practitioners
    booking = world.book(local(MONDAY, 10), practitioner=maya, name="Sam Kay")
    for who in (maya, other):
        Absence.objects.create(resource=who, starts_at=local(MONDAY, 11), ends_at=local(MONDAY, 16, 40))

    html = text_of(desk, f"{DAY}&moving={booking.reference}")

    starts = ["9am", "9:15am", "9:30am", "9:45am", "10am", "10:15am", "10:30am"]
    # Its own time counts as free, and where it stands already is no move.
    expected = [f"{start} with Maya" for start in starts if start != "10am"] + [
        f"{start} with Maya1" for start in starts
    ]
    assert links(html, f"/desk/bookings/{booking.reference}/place/?") == expected
    assert "/place/?start=2026-11-30T09%3A15%3A00-05%3A00&amp;practitioner=maya1" in html
    assert "Moving Sam K., 30 min. Choose a free gap, or cancel the move ." in plain(html)
    assert "/desk/book/?" not in html


def test_moving_goes_along_to_other_days_and_ends_with_cancel(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner)

    html = text_of(desk, f"{DAY}&moving={booking.reference.lower()}&by=room")

    assert f"?date=2026-12-01&amp;moving={booking.reference}" in html
    assert '<a href="/desk/?date=2026-11-30">cancel' in html
    # A visit moves to a person: the address's rooms do not count.
    assert "Maya Ruiz" in columns(html)


def test_only_a_visit_that_they_may_move_and_that_still_can_seeks_a_place(world: World) -> None:
    foreign = world.book(local(MONDAY, 10), practitioner=world.practitioners[1], name="Alex Poe")
    over = world.book(local(TUESDAY, 10), practitioner=world.practitioners[0])
    lifecycle.cancel(over, reason="", by=PATIENT, now=NOW)
    own = signed_in("practitioner")

    for reference in (foreign.reference, over.reference, "NOSUCH", "\x00", ""):
        response = own.get("/desk/", {"date": "2026-12-01", "moving": reference})
        assert "Choose a free gap" not in response.content.decode()
        assert "Alex" not in response.content.decode()


# The week


def test_the_week_shows_seven_days_of_one_person_on_one_grid(desk: Client, world: World) -> None:
    maya, other = world.practitioners
    world.book(local(MONDAY, 10), practitioner=maya, name="Sam Kay")
    world.book(local(TUESDAY, 11), practitioner=maya, name="Kim Tea")
    world.book(local(TUESDAY, 11), practitioner=other, name="Alex Poe")
    Absence.objects.create(resource=maya, starts_at=local(TUESDAY, 14), ends_at=local(TUESDAY, 15), reason="Dentist")
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 16), ends_at=local(MONDAY, 17))

    response = desk.get("/desk/week/?date=2026-12-02&with=maya")
    shown = columns(response.content.decode())

    assert list(shown) == [
        "Monday 30 November",
        "Tuesday 1 December",
        "Wednesday 2 December",
        "Thursday 3 December",
        "Friday 4 December",
        "Saturday 5 December",
        "Sunday 6 December",
    ]
    assert "Sam K." in shown["Monday 30 November"]
    assert "Closed from 4pm to 5pm" in shown["Monday 30 November"]
    assert "Kim T." in shown["Tuesday 1 December"]
    assert "Away from 2pm to 3pm: Dentist" in shown["Tuesday 1 December"]
    assert "no hours on this day" in shown["Sunday 6 December"]
    assert "Alex" not in response.content.decode()
    assert [column.clean_ups for column in response.context["board"].columns][:2] == [("r18 n3",), ("r30 n3",)]


def test_the_week_goes_on_by_weeks_and_back_to_the_day(desk: Client, world: World) -> None:
    html = text_of(desk, "/desk/week/?date=2026-12-02&with=maya1")

    assert "?date=2026-11-23&amp;with=maya1" in html
    assert "?date=2026-12-07&amp;with=maya1" in html
    assert '<a href="/desk/?date=2026-12-02">Day</a>' in html
    assert '<option value="maya1" selected>' in html
    assert "/desk/week/?date=2026-11-30&amp;with=maya1" in text_of(desk, f"{DAY}&with=maya1")


def test_the_week_without_a_name_is_ones_own_else_the_first(world: World) -> None:
    reception = signed_in("reception")
    assert reception.get("/desk/week/").context["who"].slug == "maya"

    Resource.objects.filter(slug="maya1").update(user=reception.get("/desk/").wsgi_request.user)
    assert reception.get("/desk/week/").context["who"].slug == "maya1"
    assert reception.get("/desk/week/?with=nobody").context["who"].slug == "maya1"


@pytest.mark.parametrize("date", ["2000-01-01", "2199-12-31", "soon", "9999-12-31"])
def test_the_first_and_the_last_week_can_be_shown(desk: Client, world: World, date: str) -> None:
    assert desk.get(f"/desk/week/?date={date}").status_code == 200


def test_now_is_marked_in_this_week_alone(desk: Client, world: World) -> None:
    assert "board-now" in text_of(desk, "/desk/week/")
    assert "board-now" not in text_of(desk, "/desk/week/?date=2026-11-30")


# Keeping fresh


def refreshed(client: Client, path: str, seen: str) -> Any:
    """What a board gets that asks by itself."""
    return client.get(f"{path}&live={seen}" if "?" in path else f"{path}?live={seen}", headers={"HX-Request": "true"})


def change_state(world: World, booking: Booking) -> None:
    lifecycle.arrive(booking, by=make_staff(), now=NOW)


def move_within_the_day(world: World, booking: Booking) -> None:
    lifecycle.reschedule(booking, practitioner=None, start=local(TODAY, 16), by=make_staff(), now=NOW)


def move_away(world: World, booking: Booking) -> None:
    lifecycle.reschedule(booking, practitioner=None, start=local(MONDAY, 10), by=make_staff(), now=NOW)


def begin_to_book(world: World, booking: Booking) -> None:
    world.hold(local(TODAY, 13))


def stop_booking(world: World, booking: Booking) -> None:
    lifecycle.release(Booking.objects.get(state=BookingState.HELD), now=NOW)


def fall_ill(world: World, booking: Booking) -> None:
    Absence.objects.create(resource=world.practitioner, starts_at=local(TODAY, 9), ends_at=local(TODAY, 17))


def come_back_to_work(world: World, booking: Booking) -> None:
    Absence.objects.update(is_lifted=True)


def lose_a_mail(world: World, booking: Booking) -> None:
    booking.emails.update(state="failed")


def correct_a_name(world: World, booking: Booking) -> None:
    assert booking.patient
    who = booking.patient
    lifecycle.correct_patient(
        who,
        name="Sam Kaye",
        email=who.email,
        phone=who.phone,
        date_of_birth=who.date_of_birth,
        by=make_staff(),
        now=NOW,
    )


def shorten_the_hours(world: World, booking: Booking) -> None:
    """As the admin does it: with its line in the log."""
    OpeningHours.objects.update(closes_at=dt.time(16))
    audit.record("changed", world.practitioner, by=make_staff(), now=NOW)


CHANGES = [
    correct_a_name,
    shorten_the_hours,
    change_state,
    move_within_the_day,
    move_away,
    begin_to_book,
    stop_booking,
    fall_ill,
    come_back_to_work,
    lose_a_mail,
]
PAGES = ["/desk/", "/desk/?by=room", "/desk/week/?with=maya", "/desk/my-day/?with=maya"]


@pytest.fixture
def busy(world: World) -> Booking:
    Absence.objects.create(resource=world.practitioner, starts_at=local(TODAY, 15), ends_at=local(TODAY, 15, 30))
    world.hold(local(TODAY, 14), visitor="w")
    return world.book(local(TODAY, 12), practitioner=world.practitioner, name="Sam Kay")


@pytest.mark.parametrize("change", CHANGES)
def test_a_board_that_asks_again_hears_of_a_change_and_else_nothing(
    desk: Client, world: World, busy: Booking, change: Callable[[World, Booking], None]
) -> None:
    seen = {path: desk.get(path).context["version"] for path in PAGES}
    assert {path: refreshed(desk, path, version).status_code for path, version in seen.items()} == dict.fromkeys(
        PAGES, 204
    )

    change(world, busy)

    for path, version in seen.items():
        answer = refreshed(desk, path, version)
        assert answer.status_code == 200, path
        assert answer.content.decode().lstrip().startswith('<div id="live"'), path
        assert "<html" not in answer.content.decode()


def test_what_is_shown_after_a_change_is_asked_for_once(desk: Client, world: World, busy: Booking) -> None:
    before = desk.get("/desk/").context["version"]
    change_state(world, busy)

    answer = refreshed(desk, "/desk/", before)

    assert "◐ Arrived" in plain(answer.content.decode())
    [seen] = re.findall(r"""hx-vals='{"live": "(\w+)"}'""", answer.content.decode())
    assert seen != before
    assert refreshed(desk, "/desk/", seen).status_code == 204
    # The way to ask again does not grow.
    assert 'hx-get="/desk/"' in answer.content.decode()


def test_the_clock_moves_on_each_minute(desk: Client, world: World, clock: Any) -> None:
    seen = desk.get("/desk/").context["version"]
    clock.move_to(NOW + dt.timedelta(seconds=59), tick=False)
    assert refreshed(desk, "/desk/", seen).status_code == 204

    clock.move_to(NOW + dt.timedelta(seconds=60), tick=False)
    answer = refreshed(desk, "/desk/", seen)

    assert (answer.status_code, "Updated 9:01am" in answer.content.decode()) == (200, True)


def test_another_day_does_not_disturb(desk: Client, world: World, busy: Booking) -> None:
    seen = desk.get(DAY).context["version"]

    change_state(world, busy)

    assert refreshed(desk, DAY, seen).status_code == 204


def test_an_address_that_only_looks_like_a_refresh_is_a_whole_page(desk: Client, world: World) -> None:
    html = text_of(desk, "/desk/?live=abc")

    assert "<html" in html
    assert '<a id="refresh" href="/desk/">Refresh</a>' in html


@pytest.mark.parametrize("path", PAGES)
def test_asking_again_takes_few_queries(
    desk: Client, world: World, path: str, django_assert_max_num_queries: Any
) -> None:
    seen = desk.get(path).context["version"]

    with django_assert_max_num_queries(16):
        assert refreshed(desk, path, seen).status_code == 204


# On paper


def test_the_sheet_has_a_page_for_each_person_and_no_way_to_press(desk: Client, world: World) -> None:
    maya, other = world.practitioners
    sam = world.book(local(MONDAY, 10), practitioner=maya, name="Sam Kay", wishes="Ground floor")
    world.book(local(MONDAY, 11), practitioner=other, name="Alex Poe")
    world.hold(local(MONDAY, 15))
    assert sam.room

    html = text_of(desk, "/desk/print/?date=2026-11-30")
    pages = [plain(page) for page in re.findall(r'<section class="sheet".*?</section>', html, re.DOTALL)]

    assert len(pages) == 2
    assert "Maya Ruiz , Monday 30 November 2026, Main house Printed 9am" in pages[0]
    assert "Time Name Service Room State Flags Notes" in pages[0]
    for said in ("10am", "Sam Kay", "212 555 0123", "Nose extraction", sam.room.name, "Confirmed", "Access need"):
        assert said in pages[0]
    assert "Alex Poe" in pages[1]
    assert "being booked" not in html
    for control in ("<nav", "<button", "<form", "<script"):
        assert control not in html
    assert 'href="/desk/?date=2026-11-30"' in html


def test_a_sheet_of_a_day_without_anybody_says_so(desk: Client, world: World) -> None:
    assert "Nobody works on this day" in text_of(desk, "/desk/print/?date=2026-11-29")


# My day


def test_my_day_begins_with_the_next_patient_and_one_tap(world: World, clock: Any) -> None:
    first = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay", wishes="Ground floor")
    world.book(local(MONDAY, 11), practitioner=world.practitioner, name="Kim Tea")
    clock.move_to(local(MONDAY, 9, 45), tick=False)
    client = signed_in("practitioner")

    html = text_of(client, "/desk/my-day/")
    said = plain(html)

    assert "Next ○ Confirmed 10am Sam Kay Nose extraction, 30 min" in said
    assert "⚑ Access need Ground floor Mark arrived" in said
    assert said.index("The rest of the day") < said.index("11am Kim T.")
    assert f'action="/desk/bookings/{first.reference}/arrive/"' in html
    assert "The rest of the day 10am" not in said


def test_a_tap_on_my_day_leads_back_to_it_with_the_next_step(world: World, clock: Any) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")
    clock.move_to(local(MONDAY, 9, 55), tick=False)
    client = signed_in("reception")

    response = client.post(f"/desk/bookings/{booking.reference}/arrive/", {"then": "my_day"}, follow=True)

    assert response.redirect_chain == [("/desk/my-day/?with=maya", 302)]
    assert "Here, waiting ◐ Arrived" in words_of(response)
    assert f"/desk/bookings/{booking.reference}/room/" in response.content.decode()


@pytest.mark.parametrize(("act", "typed"), [("close", {"outcome": "not_treated"}), ("miss", {})])
def test_ending_a_visit_from_my_day_leads_back_to_it(world: World, clock: Any, act: str, typed: dict[str, str]) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")
    clock.move_to(local(MONDAY, 10, 20), tick=False)
    client = signed_in("practitioner")
    address = f"/desk/bookings/{booking.reference}/{act}/?then=my_day"
    assert f'href="{address}"' in text_of(client, "/desk/my-day/")

    form = text_of(client, address)
    response = client.post(address, typed)

    assert '<a href="/desk/my-day/?with=maya">Back to my day</a>' in form
    assert (response.status_code, response["Location"]) == (302, "/desk/my-day/?with=maya")
    assert "Back to Sam K." in text_of(client, f"/desk/bookings/{booking.reference}/{act}/")


def test_whoever_is_in_the_room_comes_before_whoever_waits(world: World, clock: Any) -> None:
    late = world.book(local(MONDAY, 9), practitioner=world.practitioner, name="Lee Lat")
    here = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")
    inside = world.book(local(MONDAY, 11), practitioner=world.practitioner, name="Kim Tea")
    Booking.objects.filter(pk=here.pk).update(state=BookingState.ARRIVED)
    clock.move_to(local(MONDAY, 10, 15), tick=False)
    client = signed_in("reception")

    def first() -> Booking:
        found: Booking = client.get("/desk/my-day/").context["next"].booking
        return found

    assert first() == here
    Booking.objects.filter(pk=inside.pk).update(state=BookingState.IN_ROOM)
    assert first() == inside
    Booking.objects.exclude(pk=late.pk).update(state=BookingState.MISSED)
    assert first() == late
    Booking.objects.update(state=BookingState.MISSED)
    assert "No more visits today." in words_of(client.get("/desk/my-day/"))


def test_my_day_without_visits_says_so_and_others_may_be_picked(desk: Client, world: World) -> None:
    said = desk.get("/desk/my-day/?with=maya1")

    assert "No visits today." in words_of(said)
    assert '<option value="maya1" selected>' in said.content.decode()


# However many


def asked_by(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_twelve_people_and_150_visits_ask_as_many_queries_as_one_of_each(clock: Any) -> None:
    clock.move_to(local(MONDAY, 8), tick=False)
    world, client = World(practitioners=1, rooms=1), signed_in("reception")
    paths = [
        DAY,
        f"{DAY}&by=room",
        "/desk/week/?date=2026-11-30",
        "/desk/print/?date=2026-11-30",
        "/desk/my-day/",
    ]
    crowd(world, 1, 1)
    for path in paths:
        client.get(path)
    few = {path: asked_by(client, path) for path in paths}

    crowd(world, 12, 150)

    assert {path: asked_by(client, path) for path in paths} == few
    board = client.get(DAY).context["board"]
    assert (len(board.columns), len(board.visits)) == (12, 151)
