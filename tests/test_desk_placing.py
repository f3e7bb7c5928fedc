"""A place on the board for a visit: said before it is pressed, moved with its history, and taken back once."""

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from bookings import displaced, lifecycle
from bookings.models import Booking, BookingEvent, BookingState, OutgoingEmail, RunKind, Task, TaskKind
from bookings.models.event import BENT, Actor
from clinic.models import Absence, Grade, Location, OpeningHours, Practitioner, Resource, Room
from tests.desk import DIABETES, MONDAY, TUESDAY, book_with, cold_sore, page_of, see, signed_in, someone, words_of
from tests.factories import NOW, World, local, make_practitioner, make_room, make_staff, open_weekdays
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN, ELEVEN = local(MONDAY, 10), local(MONDAY, 11)
WEDNESDAY, THURSDAY = local(dt.date(2026, 12, 2), 10), local(dt.date(2026, 12, 3), 10)


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2)
    Resource.objects.filter(pk=found.practitioners[1].pk).update(name="Tomas Berg", slug="tomas")
    for number, room in enumerate(found.rooms, start=1):
        Resource.objects.filter(pk=room.pk).update(name=f"Room {number}", slug=f"room-{number}-here", position=number)
    return found


@pytest.fixture
def booking(world: World) -> Booking:
    """Sam K. with Maya, Monday at 10, in some room."""
    return book_with(world, TEN, name="Sam Kay", practitioner=world.practitioner)


@pytest.fixture
def tomas(world: World) -> Resource:
    return Resource.objects.get(slug="tomas")


@pytest.fixture
def reception(world: World) -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


def place_of(booking: Booking, start: dt.datetime, **named: str) -> str:
    return f"{page_of(booking, 'place')}?{urlencode({'start': start.isoformat(), **named})}"


def move(client: Client, booking: Booking, start: dt.datetime = ELEVEN, **typed: Any) -> Any:
    """The review is read and pressed, as a browser would; ``practitioner`` is Tomas unless named."""
    address = place_of(booking, start, practitioner=typed.pop("practitioner", "tomas"))
    seen = client.get(address).context["form"]["seen"].value()
    return client.post(address, {"seen": seen, "notify": "on", **typed})


def undo(client: Client, booking: Booking) -> Any:
    return client.post(page_of(booking, "undo_move"))


def mails(booking: Booking) -> list[str]:
    return list(OutgoingEmail.objects.filter(booking=booking, kind="moved").values_list("kind", flat=True))


def where(booking: Booking) -> tuple[dt.datetime, str]:
    booking = Booking.objects.select_related("practitioner").get(pk=booking.pk)
    return booking.starts_at, booking.practitioner.slug


def moved_events(booking: Booking) -> list[BookingEvent]:
    return list(BookingEvent.objects.filter(booking=booking, verb="moved").order_by("id"))


# The review


def test_the_review_says_what_changes_and_changes_nothing(reception: Client, booking: Booking) -> None:
    response = reception.get(place_of(booking, ELEVEN, practitioner="tomas"))

    said = words_of(response)
    assert "Move Sam K. to Tomas, 11am Monday 30 November?" in said
    assert "When from Monday 30 November, 10am to Monday 30 November, 11am" in said
    assert "With from Maya Ruiz to Tomas Berg" in said
    assert "Email Sam" in said
    assert response.context["form"]["notify"].value() is True
    assert "reason" not in response.context["form"].fields
    assert response.context["back"] == f"/desk/?date=2026-11-30&location={booking.location.slug}"
    assert where(booking) == (TEN, "maya")
    assert not moved_events(booking)


@pytest.mark.parametrize("query", ["", "start=now", "start=2026-11-30T11:00", "start=2026-11-30T16:00Z&practitioner=x"])
def test_an_address_that_names_no_place_leads_to_the_form(reception: Client, booking: Booking, query: str) -> None:
    response = reception.get(f"{page_of(booking, 'place')}?{query}")

    assert (response.status_code, response["Location"]) == (302, page_of(booking, "move"))


def away(who: Resource | None, start: dt.datetime, end: dt.datetime) -> None:
    place = {"resource": who} if who else {"location": Location.objects.get()}
    Absence.objects.create(**place, starts_at=start, ends_at=end)


def taken_by_pat(world: World, tomas: Resource) -> None:
    book_with(world, ELEVEN, name="Pat Kim", practitioner=tomas)


def taken_online(world: World, tomas: Resource) -> None:
    world.hold(ELEVEN, practitioner=tomas)


def away_until_one(world: World, tomas: Resource) -> None:
    away(tomas, TEN, local(MONDAY, 13))


def away_all_week(world: World, tomas: Resource) -> None:
    away(tomas, TEN, local(dt.date(2026, 12, 4), 12))


def closed_house(world: World, tomas: Resource) -> None:
    away(None, TEN, local(MONDAY, 12))


def works_in_the_afternoon(world: World, tomas: Resource) -> None:
    OpeningHours.objects.filter(practitioner=tomas).update(opens_at=dt.time(13))


def works_not_at_all(world: World, tomas: Resource) -> None:
    OpeningHours.objects.filter(practitioner=tomas).delete()


def has_left(world: World, tomas: Resource) -> None:
    Resource.objects.filter(pk=tomas.pk).update(retired_on=MONDAY)


def rooms_are_full(world: World, tomas: Resource) -> None:
    for _ in world.rooms:
        who = make_practitioner()
        open_weekdays(world.location, who)
        book_with(world, local(MONDAY, 11, 15), name="Pat Kim", practitioner=who)


def rooms_are_shut(world: World, tomas: Resource) -> None:
    for room in world.rooms:
        away(room, TEN, local(MONDAY, 12))


def another_trade(world: World, tomas: Resource) -> None:
    world.service.grades = [Grade.NURSE]
    world.service.save()
    Resource.objects.filter(pk=tomas.pk).update(code=Grade.AESTHETICIAN)


NOT_FREE = [
    (taken_by_pat, "Tomas is with Pat K. until 11:30am."),
    (taken_online, "Tomas is being booked online by somebody, until 11:30am."),
    (away_until_one, "Tomas is away until 1pm."),
    (away_all_week, "Tomas is away until Friday 4 December, midday."),
    (closed_house, "Main house is closed until midday."),
    (has_left, "Tomas does not work here any more by then."),
    (rooms_are_full, "Tomas is free, but every room that suits is taken then."),
    (rooms_are_shut, "No room is open long enough then: it is cleaned after the visit."),
    (another_trade, "Tomas does not do Nose and T-zone blackhead extraction."),
]


@pytest.mark.parametrize(("happened", "sentence"), NOT_FREE)
def test_what_is_not_possible_is_said_before_pressing(
    reception: Client, booking: Booking, world: World, tomas: Resource, happened: Any, sentence: str
) -> None:
    happened(world, tomas)
    address = place_of(booking, ELEVEN, practitioner="tomas")

    said = words_of(reception.get(address))
    pressed = reception.post(address, {"notify": "on"})

    assert "Sam K. cannot move to Tomas, 11am Monday 30 November" in said
    assert f"{sentence} The visit stands as it was: Monday 30 November, 10am, with Maya Ruiz." in said
    assert 'type="submit" name="act"' not in reception.get(address).content.decode()
    assert (pressed.status_code, where(booking)) == (409, (TEN, "maya"))
    assert sentence in words_of(pressed)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (local(dt.date(2026, 11, 20), 11), "Friday 20 November, 11am is past."),
        (local(dt.date(2029, 11, 20), 11), "Tuesday 20 November, 11am is too far ahead to book."),
    ],
)
def test_some_times_are_never_possible(reception: Client, booking: Booking, start: dt.datetime, sentence: str) -> None:
    assert sentence in words_of(reception.get(place_of(booking, start, practitioner="tomas")))


OUT_OF_HOURS = [
    (local(MONDAY, 11, 5), "Visits with Tomas do not start at 11:05am.", "grid"),
    (local(dt.date(2026, 12, 5), 11), "Tomas does not work on Saturday 5 December.", "opening hours"),
    (local(MONDAY, 19), "Tomas works 9am to 5pm on Monday 30 November.", "opening hours"),
    (local(MONDAY, 16, 30), "No room is open long enough then: it is cleaned after the visit.", "opening hours"),
]


@pytest.mark.parametrize(("start", "sentence", "rule"), OUT_OF_HOURS)
def test_hours_and_grid_bend_with_a_reason(
    reception: Client, booking: Booking, start: dt.datetime, sentence: str, rule: str
) -> None:
    address = place_of(booking, start, practitioner="tomas")

    page = reception.get(address)
    without = reception.post(address, {"seen": "0", "notify": "on"})

    assert f"{sentence} With a reason it can still move there." in words_of(page)
    assert "Why then?" in words_of(page)
    assert (without.status_code, where(booking)) == (422, (TEN, "maya"))
    reception.post(address, {"seen": "0", "notify": "on", "usual": "The practitioner agreed"})
    assert where(booking) == (start, "tomas")
    assert bent(booking) == [("The practitioner agreed", [rule])]
    assert "Reason: The practitioner agreed" in words_of(reception.get(page_of(booking)))


def test_who_is_busy_out_of_hours_is_busy(reception: Client, booking: Booking, world: World, tomas: Resource) -> None:
    lifecycle.reschedule(
        book_with(world, ELEVEN, name="Pat Kim", practitioner=tomas),
        start=local(MONDAY, 19),
        practitioner=tomas,
        override="Late shift",
        by=make_staff(),
        now=NOW,
    )
    address = place_of(booking, local(MONDAY, 19, 15), practitioner="tomas")

    assert "Tomas is with Pat K. until 7:30pm." in words_of(reception.get(address))
    assert reception.post(address, {"seen": "0", "usual": "The practitioner agreed"}).status_code == 409


def bent(booking: Booking) -> list[tuple[str, list[str]]]:
    events = BookingEvent.objects.filter(booking=booking, verb=BENT).order_by("id")
    return [(event.detail["reason"], event.detail["rules"]) for event in events]


TODAY_AT_TEN, FAR = local(NOW.date(), 10), local(dt.date(2027, 3, 1), 10)


@pytest.mark.parametrize(
    ("start", "sentence", "question", "rule"),
    [
        (TODAY_AT_TEN, "That is sooner than patients may book themselves.", "Why so soon?", "minimum notice"),
        (FAR, "That is further ahead than patients may book themselves.", "Why so far ahead?", "horizon"),
    ],
)
def test_so_soon_or_so_far_ahead_takes_a_reason(
    reception: Client, booking: Booking, start: dt.datetime, sentence: str, question: str, rule: str
) -> None:
    address = place_of(booking, start, practitioner="tomas")

    page = reception.get(address)
    without = reception.post(address, {"seen": "0", "notify": "on", "why": " "})

    for shown in (page, without):
        assert f"{sentence} With a reason it can still move there." in words_of(shown)
        assert question in words_of(shown)
    assert list(page.context["usual_why"]) == ["Asked for it on the phone", "The practitioner agreed"]
    assert (without.status_code, where(booking)) == (422, (TEN, "maya"))
    reception.post(address, {"seen": "0", "notify": "on", "why": "  Came early "})
    assert where(booking) == (start, "tomas")
    assert bent(booking) == [("Came early", [rule])]


def test_a_clinician_says_both_why_so_soon_and_why_it_is_safe(world: World) -> None:
    """Each stands in the history for itself: reception may read the first, and the second tells an answer."""
    booking = book_with(world, local(dt.date(2026, 12, 7), 10), cold_sore(dt.date(2026, 11, 20)), name="Sam Kay")

    lifecycle.reschedule(
        booking,
        start=TODAY_AT_TEN,
        practitioner=None,
        override=lifecycle.Reasons(findings="The scab is off", time="In pain"),
        by=someone("clinician"),
        now=NOW,
    )

    assert bent(booking) == [("In pain", ["minimum notice"]), ("The scab is off", ["q3-yes-1"])]
    said = words_of(signed_in("reception").get(page_of(booking)))
    assert "In pain" in said
    assert "The scab is off" not in said


def test_only_another_room_within_notice_takes_no_reason(booking: Booking, world: World, time_machine: Any) -> None:
    time_machine.move_to(TEN - dt.timedelta(hours=1), tick=False)
    other = Room.objects.exclude(visits_in=booking).get()

    signed_in("reception").post(place_of(booking, TEN, room=other.slug), {"seen": "0"})

    booking.refresh_from_db()
    assert (booking.room_id, bent(booking)) == (other.pk, [])


def test_the_nearest_times_lead_to_their_own_reviews(
    reception: Client, booking: Booking, world: World, tomas: Resource
) -> None:
    taken_by_pat(world, tomas)

    page = reception.get(place_of(booking, ELEVEN, practitioner="tomas"))

    assert [link.said for link in page.context["theirs"]] == ["10:15am", "10:30am", "11:30am"]
    assert [link.said for link in page.context["others"]] == ["10:45am, Maya", "11am, Maya", "11:15am, Maya"]
    last = parse_qs(urlsplit(page.context["theirs"][-1].address).query)
    assert last == {"start": [local(MONDAY, 11, 30).isoformat()], "practitioner": ["tomas"]}
    for link in [*page.context["theirs"], *page.context["others"]]:
        assert "?" in words_of(reception.get(link.address)).split("Length")[0]


def test_a_day_without_any_time_offers_the_next_ones(reception: Client, booking: Booking, tomas: Resource) -> None:
    away(None, local(TUESDAY, 0), local(dt.date(2026, 12, 2), 0))

    page = reception.get(place_of(booking, local(TUESDAY, 11), practitioner="tomas"))

    assert [link.said for link in page.context["theirs"]][-1] == "Monday 30 November, 4:15pm"
    assert page.context["others"]


def test_a_visit_that_is_over_or_already_there_has_nowhere_to_go(reception: Client, booking: Booking) -> None:
    there = words_of(reception.get(place_of(booking, TEN)))
    lifecycle.cancel(booking, reason="", by=Actor.STAFF, now=NOW)
    over = words_of(reception.get(place_of(booking, ELEVEN)))

    assert "The visit is already there: Monday 30 November, 10am, with Maya Ruiz." in there
    assert "This visit can no longer be moved. It is under way, over or cancelled." in over
    assert "Nearest free times" not in there + over


def test_who_waits_at_the_desk_moves_to_somebody_who_is_free(
    reception: Client, booking: Booking, time_machine: Any
) -> None:
    time_machine.move_to(TEN + dt.timedelta(minutes=20), tick=False)
    lifecycle.arrive(booking, by=Actor.STAFF, now=TEN + dt.timedelta(minutes=20))
    soon = TEN + dt.timedelta(minutes=30)
    reception = signed_in("reception")

    assert "Move Sam K. to Tomas, 10:30am Monday 30 November?" in words_of(
        reception.get(place_of(booking, soon, practitioner="tomas"))
    )
    assert move(reception, booking, soon, usual="Asked for it on the phone").status_code == 302

    assert where(booking) == (soon, "tomas")


def test_who_sees_only_their_own_visits_is_not_told_whose_another_is(
    booking: Booking, world: World, tomas: Resource
) -> None:
    practitioner = someone("practitioner")
    see(practitioner)
    client = Client()
    client.force_login(practitioner)
    taken_by_pat(world, tomas)

    page = client.get(place_of(booking, ELEVEN, practitioner="tomas"))

    assert "Tomas is with somebody else until 11:30am." in words_of(page)
    assert "Pat K" not in page.content.decode()
    assert client.get(place_of(Booking.objects.latest("pk"), TEN)).status_code == 404


# Moving


def test_a_move_goes_to_the_board_with_one_step_back_in_sight(reception: Client, booking: Booking) -> None:
    response = move(reception, booking)

    assert response["Location"] == f"/desk/?date=2026-11-30&location={booking.location.slug}"
    assert where(booking) == (ELEVEN, "tomas")
    assert mails(booking) == ["moved"]
    page = reception.get(page_of(booking)).content.decode()
    assert "Moved. Sam K. now has Monday 30 November, 11am, with Tomas Berg in Room" in page
    assert page_of(booking, "undo_move") in page
    said = words_of(reception.get(page_of(booking)))
    assert "Moved by Rae Desk" in said
    assert "From Monday 30 November, 10am to Monday 30 November, 11am, from Maya Ruiz to Tomas Berg" in said
    assert "No email was sent" not in said


def test_without_the_tick_nobody_is_mailed_and_the_history_says_so(reception: Client, booking: Booking) -> None:
    move(reception, booking, notify="")

    assert where(booking) == (ELEVEN, "tomas")
    assert mails(booking) == []
    assert OutgoingEmail.objects.filter(booking=booking, sequence=1).exclude(kind="staff_notice").count() == 0
    assert "No email was sent" in words_of(reception.get(page_of(booking)))

    undo(reception, booking)

    assert (where(booking), mails(booking)) == ((TEN, "maya"), [])


def test_the_same_press_again_is_harmless_and_keeps_the_step_back(reception: Client, booking: Booking) -> None:
    first = move(reception, booking)
    again = reception.post(place_of(booking, ELEVEN, practitioner="tomas"), {"seen": "0", "notify": "on"})

    assert again["Location"] == first["Location"]
    assert (len(moved_events(booking)), mails(booking)) == (1, ["moved"])
    assert page_of(booking, "undo_move") in reception.get(page_of(booking)).content.decode()


def test_a_visit_that_was_moved_meanwhile_is_shown_again(reception: Client, booking: Booking, tomas: Resource) -> None:
    address = place_of(booking, ELEVEN, practitioner="tomas")
    lifecycle.reschedule(booking, start=local(MONDAY, 14), practitioner=tomas, by=Actor.STAFF, now=NOW)

    response = reception.post(address, {"seen": "0", "notify": "on"})

    assert response.status_code == 409
    assert "This visit was changed meanwhile" in words_of(response)
    assert where(booking) == (local(MONDAY, 14), "tomas")


def test_a_rule_asks_for_a_reason_of_who_may_bend_it(world: World) -> None:
    """Two weeks after a cold sore: safe from 4 December."""
    booking = book_with(world, local(dt.date(2026, 12, 7), 10), cold_sore(dt.date(2026, 11, 20)), name="Sam Kay")
    address = place_of(booking, local(TUESDAY, 10), practitioner="tomas")
    reception, clinician = signed_in("reception"), signed_in("clinician")

    closed, open_to = reception.get(address), clinician.get(address)
    empty = clinician.post(address, {"seen": "0", "reason": " ", "notify": "on"})

    assert "The health answers ask for a wait. Choose a time from Friday 4 December." in words_of(closed)
    assert "cold sore" not in closed.content.decode()
    assert "reason" not in closed.context["form"].fields
    assert min(link.address for link in closed.context["theirs"]).count("2026-12-04")
    assert "A rule stands in the way. We wait 14 days after a cold sore." in words_of(open_to)
    assert (empty.status_code, where(booking)[0]) == (422, local(dt.date(2026, 12, 7), 10))
    assert "Say why the rule may be bent" in words_of(empty)

    clinician.post(address, {"seen": "0", "reason": "Seen on video", "notify": "on"})

    assert where(booking) == (local(TUESDAY, 10), "tomas")
    assert BookingEvent.objects.get(booking=booking, verb="rule bent").detail["reason"] == "Seen on video"


def test_the_other_time_page_offers_the_same_step_back(reception: Client, booking: Booking) -> None:
    reception.post(page_of(booking, "move") + "?who=tomas", {"start": ELEVEN.isoformat()})

    assert "Moved. Sam K. now has" in reception.get(page_of(booking)).content.decode()
    undo(reception, booking)
    assert where(booking) == (TEN, "maya")


def test_the_other_time_page_mails_nobody_without_the_tick(reception: Client, booking: Booking) -> None:
    address = page_of(booking, "move") + "?who=tomas"
    page = reception.get(address).content.decode()
    assert '<input class="form-check-input" type="checkbox" id="id_notify" name="notify" checked>' in page
    assert "Email Sam" in page

    reception.post(address, {"start": ELEVEN.isoformat(), "seen": "0"})
    assert mails(booking) == []
    assert "No email was sent." in reception.get(page_of(booking)).content.decode()

    reception.post(address, {"start": THURSDAY.isoformat(), "seen": "1", "notify": "on"})
    assert mails(booking) == ["moved"]


def test_the_tick_stays_as_it_was_when_the_other_time_page_asks_why(reception: Client, booking: Booking) -> None:
    address = f"{page_of(booking, 'move')}?who=tomas&date=2026-11-23&practitioner=any"
    pressed = {"start": TODAY_AT_TEN.isoformat(), "seen": "0"}

    without, ticked = reception.post(address, pressed), reception.post(address, {**pressed, "notify": "on"})

    hidden = '<input type="hidden" name="notify" value="on">'
    assert hidden not in without.content.decode()
    assert 'name="notify" checked' not in without.content.decode()
    assert hidden in ticked.content.decode()


def test_the_other_time_page_asks_why_so_soon_with_the_usual_reasons(reception: Client, booking: Booking) -> None:
    address = f"{page_of(booking, 'move')}?who=tomas&date=2026-11-23&practitioner=any"
    pressed = {"start": TODAY_AT_TEN.isoformat(), "seen": "0"}

    shown, refused = reception.get(address), reception.post(address, pressed)

    assert "10am, Monday 23 November, with Tomas Berg, needs a reason" in shown.content.decode()
    assert "needs a reason" not in reception.get(f"{page_of(booking, 'move')}?date=2026-12-02").content.decode()
    assert (refused.status_code, where(booking)) == (422, (TEN, "maya"))
    said = words_of(refused)
    assert "That is sooner than patients may book themselves." in said
    assert "Why so soon?" in said
    assert 'name="usual" value="Asked for it on the phone"' in refused.content.decode()
    reception.post(address, {**pressed, "usual": "Asked for it on the phone"})
    assert where(booking) == (TODAY_AT_TEN, "tomas")
    assert bent(booking) == [("Asked for it on the phone", ["minimum notice"])]


def test_where_no_reason_helps_the_page_of_times_says_so(reception: Client, booking: Booking, tomas: Resource) -> None:
    away(tomas, local(NOW.date(), 0), local(TUESDAY, 0))

    response = reception.post(
        f"{page_of(booking, 'move')}?who=tomas", {"start": ELEVEN.isoformat(), "why": "They said they would come"}
    )

    assert response.status_code == 422
    assert "Nobody can do it then: they are away, retired, or the house is closed." in words_of(response)


def test_an_older_page_moves_nothing_that_was_moved_meanwhile(reception: Client, booking: Booking) -> None:
    address = page_of(booking, "move") + "?who=maya"
    page = reception.get(address).content.decode()
    assert '<input type="hidden" name="seen" value="0">' in page
    lifecycle.reschedule(booking, start=local(MONDAY, 14), practitioner=None, by=Actor.STAFF, now=NOW)

    response = reception.post(address, {"start": ELEVEN.isoformat(), "seen": "0"})
    again = reception.post(address, {"start": local(MONDAY, 14).isoformat(), "seen": "0"})

    assert (response.status_code, where(booking)[0]) == (409, local(MONDAY, 14))
    assert "This visit was changed meanwhile" in words_of(response)
    assert '<input type="hidden" name="seen" value="1">' in response.content.decode()
    assert (again.status_code, len(moved_events(booking))) == (302, 1)


def test_what_was_seen_counts_under_the_lock(booking: Booking, tomas: Resource) -> None:
    lifecycle.reschedule(booking, start=local(MONDAY, 14), practitioner=tomas, by=Actor.STAFF, now=NOW)

    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.reschedule(booking, start=ELEVEN, practitioner=tomas, seen=0, by=Actor.STAFF, now=NOW)


# Rooms


def test_a_room_is_a_wish(reception: Client, booking: Booking, world: World, tomas: Resource) -> None:
    other = Room.objects.exclude(visits_in=booking).get()
    address = place_of(booking, TEN, room=other.slug)

    page = reception.get(address)
    assert f"Move Sam K. to {other.name}?" in words_of(page)
    assert f"Where from {booking.room.name} to {other.name}" in words_of(page)
    assert page.context["form"]["notify"].value() is False
    reception.post(address, {"seen": "0"})

    booking.refresh_from_db()
    assert (booking.room_id, booking.starts_at, mails(booking)) == (other.pk, TEN, [])
    assert f"from {moved_from(booking)} to {other.name}" in words_of(reception.get(page_of(booking)))

    undo(reception, booking)
    booking.refresh_from_db()
    assert booking.room_id != other.pk


def moved_from(booking: Booking) -> str:
    room: int = moved_events(booking)[0].detail["was_room"]
    return Room.objects.get(pk=room).name


def test_a_room_that_is_taken_is_said_and_another_found(
    reception: Client, booking: Booking, world: World, tomas: Resource
) -> None:
    other = book_with(world, TEN, name="Pat Kim", practitioner=tomas)
    assert other.room_id != booking.room_id
    make_room(world.location, kind="CONS", slug="talk", name="Talking room")
    later = book_with(world, ELEVEN, name="Lee May", practitioner=tomas)

    same_time = words_of(reception.get(place_of(booking, TEN, room=other.room.slug)))
    later_time = words_of(reception.get(place_of(booking, ELEVEN, room=later.room.slug)))
    wrong = words_of(reception.get(place_of(booking, ELEVEN, room="talk")))

    assert f"{other.room.name} is taken until 10:45am." in same_time
    assert f"{later.room.name} is not free then. It takes" in later_time
    assert "Talking room is not one of the rooms for Nose" in wrong
    with pytest.raises(lifecycle.SlotTaken):
        lifecycle.reschedule(
            booking, start=TEN, practitioner=booking.practitioner, room=other.room, by=Actor.STAFF, now=NOW
        )


# Back again


def test_undo_brings_it_back_and_tells_who_was_told(reception: Client, booking: Booking) -> None:
    room = booking.room_id
    move(reception, booking)

    response = undo(reception, booking)

    booking.refresh_from_db()
    assert (where(booking), booking.room_id) == ((TEN, "maya"), room)
    assert response["Location"] == f"/desk/?date=2026-11-30&location={booking.location.slug}"
    assert mails(booking) == ["moved", "moved"]
    page = reception.get(page_of(booking)).content.decode()
    assert "Moved back. Sam K. now has Monday 30 November, 10am, with Maya Ruiz in Room" in page
    assert page_of(booking, "undo_move") not in page
    assert "Moved back by Rae Desk" in words_of(reception.get(page_of(booking)))

    undo(reception, booking)

    assert (where(booking), len(moved_events(booking))) == ((TEN, "maya"), 2)


def state_of(booking: Booking) -> tuple[str, Any, Any]:
    booking.refresh_from_db()
    return booking.state, booking.reply_by, booking.approved_at


def test_undo_brings_back_what_was_booked_without_any_review(world: World, reception: Client) -> None:
    booking = of_age_on_wednesday(world)
    was = state_of(booking)
    assert was[0] == BookingState.CONFIRMED

    move(reception, booking, local(TUESDAY, 14))
    assert state_of(booking)[0] == BookingState.PENDING
    undo(reception, booking)

    assert (state_of(booking), where(booking)[0]) == (was, WEDNESDAY)
    assert newest_mail(booking) == "confirmed"


def test_a_move_to_where_nothing_has_to_be_looked_at_books_the_visit(world: World, reception: Client) -> None:
    booking = of_age_on_wednesday(world)
    move(reception, booking, local(TUESDAY, 14))

    move(reception, booking, THURSDAY)

    assert state_of(booking)[:2] == (BookingState.CONFIRMED, None)
    assert newest_mail(booking) == "confirmed"
    move(reception, booking, local(TUESDAY, 14))
    reception.post(page_of(booking, "move") + "?who=tomas", {"start": THURSDAY.isoformat()})
    assert "Moved and booked. Sam K. now has" in reception.get(page_of(booking)).content.decode()


def test_a_patient_who_moves_is_not_booked_by_it(world: World, reception: Client) -> None:
    booking = of_age_on_wednesday(world)
    move(reception, booking, local(TUESDAY, 14))

    lifecycle.reschedule(booking, start=THURSDAY, practitioner=None, by=Actor.PATIENT, now=NOW)

    assert state_of(booking)[0] == BookingState.PENDING


def test_undo_of_a_move_that_approved_has_it_looked_at_again(world: World) -> None:
    booking = book_with(world, local(dt.date(2026, 12, 7), 10), DIABETES, name="Sam Kay")
    was = state_of(booking)
    assert was[0] == BookingState.PENDING
    clinician = signed_in("clinician")

    move(clinician, booking, local(dt.date(2026, 12, 8), 10), reason="I know their skin")
    assert state_of(booking)[0] == BookingState.CONFIRMED
    undo(clinician, booking)

    assert (state_of(booking), newest_mail(booking)) == (was, "pending")


def test_what_was_approved_since_is_not_undone_with_the_move(world: World) -> None:
    booking = book_with(world, local(dt.date(2026, 12, 7), 10), DIABETES, name="Sam Kay")
    reception = signed_in("reception")
    move(reception, booking, local(dt.date(2026, 12, 8), 10))
    lifecycle.approve(booking, by=someone("clinician"), reason="Fine", now=NOW)

    undo(reception, booking)

    assert (where(booking)[0], state_of(booking)[0]) == (local(dt.date(2026, 12, 7), 10), BookingState.CONFIRMED)
    assert booking.approved_at == NOW


def test_undo_shortly_before_a_review_has_to_be_done_still_works(world: World, time_machine: Any) -> None:
    """By now nobody new could have this time, which their answers are looked at for already."""
    booking = book_with(world, local(TUESDAY, 10), DIABETES, name="Sam Kay")
    reply_by = booking.reply_by
    time_machine.move_to(local(MONDAY, 12), tick=False)
    reception = signed_in("reception")
    move(reception, booking, local(dt.date(2026, 12, 8), 10))

    response = undo(reception, booking)

    assert (response.status_code, where(booking)[0]) == (302, local(TUESDAY, 10))
    state, until, _ = state_of(booking)
    assert state == BookingState.PENDING
    assert reply_by is not None
    assert until >= reply_by


def test_undo_opens_the_task_that_the_move_closed(world: World, booking: Booking, reception: Client) -> None:
    lifecycle.answer_again(booking, answers=DIABETES, kind=RunKind.RECHECK, by=Actor.PATIENT, now=NOW)
    tasks = Task.objects.open().filter(booking=booking, kind=TaskKind.RECHECK)
    assert tasks.exists()
    move(reception, booking, local(dt.date(2026, 12, 8), 10))
    assert (state_of(booking)[0], tasks.exists()) == (BookingState.PENDING, False)

    undo(reception, booking)

    assert (state_of(booking)[0], where(booking), tasks.count()) == (BookingState.CONFIRMED, (TEN, "maya"), 1)


def test_answers_that_came_since_count_when_it_moves_back(
    world: World, booking: Booking, reception: Client, time_machine: Any
) -> None:
    move(reception, booking, local(dt.date(2026, 12, 8), 10))
    time_machine.shift(60)
    later = NOW + dt.timedelta(minutes=1)
    lifecycle.answer_again(booking, answers=DIABETES, kind=RunKind.RECHECK, by=Actor.PATIENT, now=later)

    undo(reception, booking)

    assert (state_of(booking)[0], where(booking)) == (BookingState.PENDING, (TEN, "maya"))


def test_undo_bends_again_what_was_bent_for_that_place(world: World, reception: Client, time_machine: Any) -> None:
    """A wait that a clinician bent, at seven in the evening: reception moves it by mistake."""
    booking = book_with(world, local(dt.date(2026, 12, 7), 10), cold_sore(dt.date(2026, 11, 20)), name="Sam Kay")
    reasons = lifecycle.Reasons(findings="Seen on video", time="After work")
    evening = local(TUESDAY, 19)
    lifecycle.reschedule(booking, start=evening, practitioner=None, override=reasons, by=someone("clinician"), now=NOW)
    who = where(booking)[1]
    time_machine.shift(60)
    move(reception, booking, local(dt.date(2026, 12, 8), 10))
    time_machine.shift(60)

    response = undo(reception, booking)

    assert (response.status_code, where(booking)) == (302, (evening, who))
    assert bent(booking) == [("After work", ["opening hours"]), ("Seen on video", ["q3-yes-1"])] * 2
    booking = Booking.objects.with_everything().get(pk=booking.pk)
    now = NOW + dt.timedelta(minutes=2)
    assert lifecycle.standing(booking, lifecycle.outlook_for(booking, now)) == []
    assert not displaced.reasons(now)
    assert "Rule stays bent by Rae Desk" in words_of(reception.get(page_of(booking)))


def test_undo_bends_nothing_that_was_answered_with_yes_again(
    world: World, reception: Client, time_machine: Any
) -> None:
    sore = cold_sore(dt.date(2026, 11, 20))
    booking = book_with(world, local(dt.date(2026, 12, 7), 10), sore, name="Sam Kay")
    lifecycle.reschedule(
        booking, start=local(TUESDAY, 10), practitioner=None, override="Seen", by=someone("clinician"), now=NOW
    )
    time_machine.shift(60)
    later = NOW + dt.timedelta(minutes=1)
    move(reception, booking, local(dt.date(2026, 12, 15), 10))
    lifecycle.answer_again(booking, answers=sore, kind=RunKind.RECHECK, by=Actor.PATIENT, now=later)

    response = undo(reception, booking)

    assert (response.status_code, where(booking)[0]) == (422, local(dt.date(2026, 12, 15), 10))


def test_undo_of_what_would_be_out_of_hours_by_now_is_refused(
    world: World, reception: Client, booking: Booking
) -> None:
    move(reception, booking)
    OpeningHours.objects.filter(practitioner=world.practitioner).update(opens_at=dt.time(13))

    assert undo(reception, booking).status_code == 422
    assert where(booking) == (ELEVEN, "tomas")


def newest_mail(booking: Booking) -> str:
    return OutgoingEmail.objects.filter(booking=booking).exclude(kind="staff_notice").latest("pk").kind


def of_age_on_wednesday(world: World) -> Booking:
    """Booked for the day of their 18th birthday: on any day before it a clinician has to look first."""
    return book_with(
        world, WEDNESDAY, name="Sam Kay", practitioner=world.practitioner, date_of_birth=dt.date(2008, 12, 2)
    )


def test_undo_is_offered_until_the_next_act(reception: Client, booking: Booking, world: World) -> None:
    move(reception, booking)
    reception.get(page_of(booking, "move"))
    assert reception.session["undo_move"]["reference"] == booking.reference

    reception.post(page_of(booking, "resend"))

    assert "undo_move" not in reception.session
    undo(reception, booking)
    assert where(booking) == (ELEVEN, "tomas")


def test_what_changed_again_meanwhile_is_not_undone(reception: Client, booking: Booking) -> None:
    move(reception, booking)
    lifecycle.reschedule(booking, start=local(MONDAY, 14), practitioner=None, by=Actor.PATIENT, now=NOW)

    response = undo(reception, booking)

    assert response.status_code == 409
    assert "This visit was changed meanwhile, so it stays as it is now." in words_of(response)
    assert where(booking)[0] == local(MONDAY, 14)
    assert "undo_move" not in reception.session


def test_undo_when_the_old_time_is_taken_says_by_whom_and_what_is_free(
    reception: Client, booking: Booking, world: World
) -> None:
    move(reception, booking)
    book_with(world, TEN, name="Pat Kim", practitioner=world.practitioner)

    response = undo(reception, booking)

    assert response.status_code == 409
    assert "Maya is with Pat K. until 10:30am." in words_of(response)
    assert response.context["theirs"]
    assert where(booking) == (ELEVEN, "tomas")


def test_undo_of_a_visit_that_has_arrived_is_refused(reception: Client, booking: Booking) -> None:
    move(reception, booking)
    Booking.objects.filter(pk=booking.pk).update(state=BookingState.ARRIVED)

    assert undo(reception, booking).status_code == 409
    assert where(booking) == (ELEVEN, "tomas")


def test_nobody_undoes_the_move_of_another(reception: Client, booking: Booking) -> None:
    move(reception, booking)

    response = undo(signed_in("manager"), booking)

    assert (response.status_code, where(booking)) == (302, (ELEVEN, "tomas"))


def test_who_gives_a_visit_away_may_take_it_back(booking: Booking, world: World) -> None:
    user = someone("practitioner")
    Practitioner.objects.update(user=None)
    Practitioner.objects.filter(pk=booking.practitioner_id).update(user=user)
    client = Client()
    client.force_login(user)
    move(client, booking)
    assert client.get(page_of(booking)).status_code == 404

    undo(client, booking)

    assert where(booking) == (TEN, "maya")
    assert client.get(page_of(booking)).status_code == 200


def test_moving_takes_the_right_to_change_visits(booking: Booking) -> None:
    user = someone("reception")
    user.groups.get().permissions.remove(*user.groups.get().permissions.filter(codename="change_booking"))
    client = Client()
    client.force_login(user)

    assert client.get(place_of(booking, ELEVEN)).status_code == 403
    assert client.post(place_of(booking, ELEVEN)).status_code == 403
    assert client.post(reverse("desk:undo_move", args=[booking.reference])).status_code == 403
