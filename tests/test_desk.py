"""The desk: the day, one booking and what staff do to it, mail, tasks."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from bookings.management.roles import ROLES
from bookings.models import (
    Booking,
    BookingEvent,
    BookingState,
    Heartbeat,
    MailState,
    OutgoingEmail,
    Patient,
    Task,
    TaskKind,
)
from clinic.models import Absence, OpeningHours, Practitioner
from tests.factories import NOW, World, local, make_location, make_staff

pytestmark = pytest.mark.django_db

MONDAY = dt.date(2026, 11, 30)
TUESDAY = dt.date(2026, 12, 1)


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture(autouse=True)
def _mail_is_sent(settings: Any) -> None:
    settings.MAIL_IS_SENT = True


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


@pytest.fixture
def staff() -> User:
    return make_staff("reception", first_name="Rae", last_name="Desk")


@pytest.fixture
def desk(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def signed_in(*permissions: str) -> Client:
    """Someone without any other right."""
    user = make_staff(f"someone-{len(permissions)}", is_staff=False, is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page_of(booking: Booking, name: str = "booking") -> str:
    return reverse(f"desk:{name}", args=[booking.reference])


def words_of(html: str) -> str:
    """The text of a page, one space between words."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# The day


def test_the_day_shows_each_visit_in_its_practitioners_column(desk: Client, world: World) -> None:
    maya, other = world.practitioners
    world.book(local(MONDAY, 10), practitioner=maya, name="Sam Kay")
    world.book(local(MONDAY, 11), practitioner=other, name="Alex Poe")

    html = desk.get("/desk/?date=2026-11-30").content.decode()

    columns = {
        name.strip(): words_of(text)
        for name, text in re.findall(r"<h2 id=\"column-\d+\">(.*?)</h2>(.*?)</section>", html, re.DOTALL)
    }
    assert set(columns) == {"Maya Ruiz", "Maya1 Ruiz"}
    assert "10am Sam K." in columns["Maya Ruiz"]
    assert "Alex" not in columns["Maya Ruiz"]
    assert "11am Alex P." in columns["Maya1 Ruiz"]
    assert "Nurse · 9am to 5pm" in columns["Maya Ruiz"]


def test_a_card_says_what_where_state_flags_and_mail(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay", wishes="Please dim the lights", is_for_someone_else=True)
    assert booking.room

    text = words_of(desk.get("/desk/?date=2026-11-30").content.decode())

    assert f"Nose extraction · 30 min · {booking.room.name}" in text
    assert "○ Confirmed" in text
    for flag in ("Screening outstanding", "First visit", "For someone else", "Access need"):
        assert f"⚑ {flag}" in text
    assert "Waiting to be sent (confirmation)" in text


def test_a_second_visit_is_no_first_visit(desk: Client, world: World) -> None:
    world.book(local(MONDAY, 10))
    world.book(local(TUESDAY, 10))

    assert "First visit" in desk.get("/desk/?date=2026-11-30").content.decode()
    assert "First visit" not in desk.get("/desk/?date=2026-12-01").content.decode()


def test_a_failed_confirmation_stands_on_the_card_and_above_the_board(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    OutgoingEmail.objects.filter(booking=booking, kind="confirmed").update(state=MailState.FAILED)

    text = words_of(desk.get("/desk/?date=2026-11-30").content.decode())

    assert "⚑ Mail failed" in text
    assert "Not delivered (confirmation)" in text
    assert "1 message failed" in text


def test_cancelled_visits_leave_the_board_and_live_holds_show_without_a_person(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay")
    desk.post(page_of(booking, "cancel"), {"who": "patient", "reason": "Ill"})
    held = world.hold(local(MONDAY, 11))

    html = desk.get("/desk/?date=2026-11-30").content.decode()

    assert "Sam K." not in html
    assert "Online, being booked" in html
    assert held.reference not in html


def test_the_day_without_a_date_is_today_where_the_house_stands(
    client: Client, staff: User, world: World, time_machine: Any
) -> None:
    time_machine.move_to(dt.datetime(2026, 12, 1, 3, 30, tzinfo=dt.UTC), tick=False)
    client.force_login(staff)

    response = client.get("/desk/")

    assert response.context["date"] == MONDAY
    assert "No visits today." in response.content.decode()


@pytest.mark.parametrize("date", ["", "soon", "2026-02-30", "0001-01-01", "9999-12-31", "2026-11-30\x00"])
def test_a_date_that_cannot_be_shown_means_today(desk: Client, world: World, date: str) -> None:
    assert desk.get("/desk/", {"date": date}).context["date"] == dt.date(2026, 11, 23)


def test_the_location_is_chosen_when_there_are_several(desk: Client, world: World) -> None:
    make_location(slug="west", name="West house", position=5)
    world.book(local(MONDAY, 10), name="Sam Kay")

    assert "Sam K." in desk.get("/desk/?date=2026-11-30").content.decode()
    html = desk.get("/desk/?date=2026-11-30&location=west").content.decode()

    assert "Sam K." not in html
    assert '<option value="west" selected>' in html


def test_absences_and_closures_are_named(desk: Client, world: World) -> None:
    Absence.objects.create(
        resource=world.practitioner, starts_at=local(MONDAY, 13), ends_at=local(MONDAY, 15), reason="Dentist"
    )
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 16), ends_at=local(TUESDAY, 9))

    text = words_of(desk.get("/desk/?date=2026-11-30").content.decode())

    assert "Away from 1pm to 3pm: Dentist" in text
    assert "Closed from 4pm to Tuesday 1 December, 9am" in text


def test_a_visit_in_an_absence_or_a_closure_is_one_to_move(desk: Client, world: World) -> None:
    for hour in (10, 11, 13):
        world.book(local(MONDAY, hour), practitioner=world.practitioner)
    Absence.objects.create(resource=world.practitioner, starts_at=local(MONDAY, 9), ends_at=local(MONDAY, 11))
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 13, 15), ends_at=local(MONDAY, 18))

    visits = desk.get("/desk/?date=2026-11-30").context["board"].visits

    assert ["To move: away" in visit.flags for visit in visits] == [True, False, True]


def stands(html: str, name: str) -> str:
    """The rows of the grid on which the visit of that person stands."""
    [found] = re.findall(rf'<li class="(r\d+ n\d+)">(?:(?!</li>).)*?{name}', html, re.DOTALL)
    return str(found)


def test_a_visit_stands_at_its_time_and_is_as_tall_as_it_is_long(desk: Client, world: World) -> None:
    world.book(local(MONDAY, 9), name="Sam Kay", practitioner=world.practitioners[0])
    world.book(local(MONDAY, 10, 15), name="Alex Poe", practitioner=world.practitioners[1])

    html = desk.get("/desk/?date=2026-11-30").content.decode()

    # The grid begins at 9am, when the house opens; a row is five minutes.
    assert stands(html, "Sam K") == "r0 n6"
    assert stands(html, "Alex P") == "r15 n6"
    assert 'class="board hours-8"' in html


def test_the_day_may_show_one_practitioner(desk: Client, world: World) -> None:
    world.book(local(MONDAY, 10), practitioner=world.practitioners[0], name="Sam Kay")
    world.book(local(MONDAY, 11), practitioner=world.practitioners[1], name="Alex Poe")

    html = desk.get("/desk/?date=2026-11-30&with=maya1").content.decode()

    assert "Alex P." in html
    assert "Sam K." not in html
    assert "?date=2026-12-01&amp;with=maya1" in html
    assert "Sam K." in desk.get("/desk/?date=2026-11-30&with=nobody").content.decode()


def test_who_does_not_work_that_day_has_no_column_but_is_named(desk: Client, world: World) -> None:
    OpeningHours.objects.filter(practitioner=world.practitioners[1], weekday=0).delete()

    html = desk.get("/desk/?date=2026-11-30").content.decode()

    assert "Not working on this day: Maya1 Ruiz." in words_of(html)
    assert html.count('class="board-column"') == 1


def test_now_is_marked_today_and_on_no_other_day(desk: Client, world: World) -> None:
    assert 'class="board-now r0 n1"' in desk.get("/desk/").content.decode()
    assert "board-now" not in desk.get("/desk/?date=2026-11-30").content.decode()


def test_clean_up_shows_until_the_next_visit(desk: Client, world: World) -> None:
    world.book(local(MONDAY, 9), practitioner=world.practitioner)
    world.book(local(MONDAY, 9, 30), practitioner=world.practitioner)

    board = desk.get("/desk/?date=2026-11-30").context["board"]

    assert board.columns[0].clean_ups == ("r12 n3",)


def test_a_clinic_without_a_place_is_told_what_to_do(desk: Client) -> None:
    response = desk.get("/desk/")

    assert response.status_code == 200
    assert "Set the clinic up first" in response.content.decode()


def test_the_desk_says_when_mail_is_not_really_sent(desk: Client, world: World, settings: Any) -> None:
    settings.MAIL_IS_SENT = False
    assert "Mail is not really sent" in desk.get("/desk/").content.decode()

    settings.MAIL_IS_SENT = True
    assert "The worker has not run for 5 minutes" in desk.get("/desk/").content.decode()

    Heartbeat.objects.create(name="worker", at=NOW)
    html = desk.get("/desk/").content.decode()
    assert "not really sent" not in html
    assert "has not run" not in html


# Who may


def test_without_the_right_to_see_bookings_the_desk_is_closed(world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay")
    client = signed_in()

    for url in ["/desk/", page_of(booking), "/desk/mail/", "/desk/tasks/"]:
        response = client.get(url)
        assert response.status_code == 403
        assert "Sam K" not in response.content.decode()


def test_who_may_only_look_changes_nothing(world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    client = signed_in("view_booking", "view_every_visit")

    assert client.get(page_of(booking)).status_code == 200
    assert "Cancel this visit" not in client.get(page_of(booking)).content.decode()
    for name in ("correct_email", "resend", "move", "cancel"):
        assert client.post(page_of(booking, name), {"reason": "x", "email": "a@example.org"}).status_code == 403
    booking.refresh_from_db()
    assert (booking.state, booking.link_version) == (BookingState.CONFIRMED, 1)


def test_a_practitioner_sees_the_day_and_neither_mail_nor_tasks_to_do(world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay")
    make_task(-5)
    email = OutgoingEmail.objects.filter(booking=booking)[0]
    client = signed_in(*ROLES["practitioner"])
    Practitioner.objects.filter(pk=booking.practitioner.pk).update(user=User.objects.latest("pk"))

    day = client.get("/desk/?date=2026-11-30").content.decode()
    shown = client.get(page_of(booking)).content.decode()

    assert "Sam K." in day
    assert "Wishes" in shown
    for path in ("/desk/mail/", "/desk/tasks/new/", reverse("desk:message", args=[email.pk])):
        assert client.get(path).status_code == 403
        assert path not in day + shown
    assert client.post(reverse("desk:task_done", args=[Task.objects.get().pk])).status_code == 403


def test_pages_of_the_desk_are_never_kept_by_a_browser(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    for url in ["/desk/", page_of(booking), page_of(booking, "move"), "/desk/mail/", "/desk/tasks/"]:
        assert "no-store" in desk.get(url)["Cache-Control"]


# One booking


def test_a_booking_shows_contact_wishes_messages_and_history(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay", email="sam@example.org", wishes="Please dim the lights")

    html = desk.get(page_of(booking)).content.decode()
    text = words_of(html)

    assert "Sam K. · Nose extraction" in text
    assert "sam@example.org" in text
    assert "tel:+12125550123" in html
    assert "Please dim the lights" in text
    assert "Booked by patient" in text
    for email in OutgoingEmail.objects.filter(booking=booking):
        assert reverse("desk:message", args=[email.pk]) in html


def test_a_reference_may_be_typed_as_it_is_spoken(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    spoken = f"{booking.reference[:3].lower()} {booking.reference[3:].lower()}"

    assert desk.get(reverse("desk:booking", args=[spoken])).status_code == 200


def test_a_hold_and_an_unknown_reference_have_no_page(desk: Client, world: World) -> None:
    held = world.hold(local(MONDAY, 10))

    assert desk.get(page_of(held)).status_code == 404
    assert desk.get("/desk/bookings/NOSUCH/").status_code == 404


def test_what_a_patient_typed_is_text_on_the_page(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam <b>Kay", wishes="<script>alert(1)</script>")

    html = desk.get(page_of(booking)).content.decode()

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_correcting_the_address_revokes_the_link_and_sends_again(desk: Client, world: World, staff: User) -> None:
    booking = world.book(local(MONDAY, 10), email="wrong@example.org")

    response = desk.post(page_of(booking, "correct_email"), {"email": "right@example.org"})

    booking.refresh_from_db()
    assert response.status_code == 302
    assert booking.link_version == 2
    assert Patient.objects.get().email == "right@example.org"
    assert (
        "right@example.org"
        in OutgoingEmail.objects.filter(kind="confirmed").order_by("sequence").reverse()[0].recipient
    )
    assert BookingEvent.objects.filter(booking=booking, verb="address corrected", by=staff).count() == 1


def test_an_address_that_is_none_is_kept_for_putting_right(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), email="wrong@example.org")

    response = desk.post(page_of(booking, "correct_email"), {"email": "no address"})

    assert response.status_code == 422
    assert "no address" in response.content.decode()
    assert Booking.objects.get(pk=booking.pk).link_version == 1


def test_resending_writes_another_confirmation_and_keeps_links_alive(desk: Client, world: World, staff: User) -> None:
    booking = world.book(local(MONDAY, 10))

    desk.post(page_of(booking, "resend"))

    booking.refresh_from_db()
    assert OutgoingEmail.objects.filter(booking=booking, kind="confirmed").count() == 2
    assert booking.link_version == 1
    assert BookingEvent.objects.filter(booking=booking, by=staff).count() == 1


def test_a_get_never_acts(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    before = list(BookingEvent.objects.values_list("pk", flat=True))

    assert desk.get(page_of(booking, "resend")).status_code == 405
    for name in ("correct_email", "move", "cancel"):
        assert desk.get(page_of(booking, name)).status_code == 200

    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED
    assert list(BookingEvent.objects.values_list("pk", flat=True)) == before


# Moving


def test_the_move_page_offers_the_nearest_times_and_a_day(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner)

    response = desk.get(page_of(booking, "move"), {"date": "2026-12-01", "practitioner": "any"})

    assert len(response.context["nearest"]) == 3
    assert booking.starts_at not in {start.at for start in response.context["nearest"]}
    offered = {who.name: [start.at for start in starts] for who, starts in response.context["people"]}
    assert set(offered) == {"Maya Ruiz", "Maya1 Ruiz"}
    assert offered["Maya Ruiz"][0] == local(TUESDAY, 9)


def test_the_time_that_is_left_is_not_offered_again(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner)

    people = desk.get(page_of(booking, "move")).context["people"]

    offered = {who.name: [start.at for start in starts] for who, starts in people}
    assert list(offered) == ["Maya Ruiz"]
    assert local(MONDAY, 10) not in offered["Maya Ruiz"]
    assert local(MONDAY, 10, 15) in offered["Maya Ruiz"]


def test_who_asked_for_anyone_is_offered_everyone(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))

    people = desk.get(page_of(booking, "move")).context["people"]

    assert [who.name for who, _ in people] == ["Maya Ruiz", "Maya1 Ruiz"]


@pytest.mark.parametrize("query", ["date=soon", "date=9999-12-31", "practitioner=nobody", "date=2026-11-30%00"])
def test_a_search_that_makes_no_sense_still_offers_the_nearest_times(desk: Client, world: World, query: str) -> None:
    booking = world.book(local(MONDAY, 10))

    response = desk.get(f"{page_of(booking, 'move')}?{query}")

    assert response.status_code == 200
    assert len(response.context["nearest"]) == 3


def test_staff_move_a_visit_and_the_history_names_them(desk: Client, world: World, staff: User) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner)
    other = world.practitioners[1]

    response = desk.post(
        page_of(booking, "move"), {"start": local(TUESDAY, 11).isoformat(), "practitioner": other.slug}
    )

    booking.refresh_from_db()
    assert response.status_code == 302
    assert (booking.starts_at, booking.practitioner_id, booking.sequence) == (local(TUESDAY, 11), other.pk, 1)
    event = BookingEvent.objects.get(booking=booking, verb="moved")
    assert event.by == staff
    assert "Moved by Rae Desk" in words_of(desk.get(page_of(booking)).content.decode())


def test_staff_may_move_to_a_time_inside_the_minimum_notice_with_a_reason(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    soon = local(dt.date(2026, 11, 23), 9, 30)

    pressed = {"start": soon.isoformat(), "practitioner": world.practitioner.slug}

    assert desk.post(page_of(booking, "move"), pressed).status_code == 422
    desk.post(page_of(booking, "move"), {**pressed, "reason": "Asked for it on the phone"})

    booking.refresh_from_db()
    assert booking.starts_at == soon


def test_moving_to_a_taken_time_is_refused_with_other_times(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner)
    world.book(local(MONDAY, 14), practitioner=world.practitioner)

    response = desk.post(
        page_of(booking, "move"), {"start": local(MONDAY, 14).isoformat(), "practitioner": world.practitioner.slug}
    )

    booking.refresh_from_db()
    assert response.status_code == 409
    assert "just been taken" in response.content.decode()
    assert response.context["nearest"]
    assert booking.starts_at == local(MONDAY, 10)


@pytest.mark.parametrize(
    "start",
    ["", "soon", "2026-12-01T10:00", "2026-12-01T10:07:00-05:00", "2026-12-01T03:00:00-05:00", "9" * 60, "\x00"],
)
def test_a_start_that_was_never_on_offer_is_refused(desk: Client, world: World, start: str) -> None:
    booking = world.book(local(MONDAY, 10))

    response = desk.post(page_of(booking, "move"), {"start": start, "practitioner": world.practitioner.slug})

    assert response.status_code == 422
    assert Booking.objects.get(pk=booking.pk).starts_at == local(MONDAY, 10)


# Cancelling


def test_staff_cancel_with_a_reason_that_the_history_keeps(desk: Client, world: World, staff: User) -> None:
    booking = world.book(local(MONDAY, 10))

    desk.post(page_of(booking, "cancel"), {"who": "patient", "reason": "Practitioner is ill", "notify": "on"})

    booking.refresh_from_db()
    assert (booking.state, booking.cancel_reason) == (BookingState.CANCELLED, "Practitioner is ill")
    event = BookingEvent.objects.get(booking=booking, verb="cancelled")
    assert (event.by, event.detail["reason"]) == (staff, "Practitioner is ill")
    assert OutgoingEmail.objects.filter(booking=booking, kind="cancelled").count() == 1


def test_cancelling_needs_a_reason(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))

    response = desk.post(page_of(booking, "cancel"), {"who": "patient", "reason": " "})

    assert response.status_code == 422
    assert "Say why the visit is cancelled" in response.content.decode()
    assert Booking.objects.get(pk=booking.pk).state == BookingState.CONFIRMED


def test_a_cancelled_visit_is_neither_moved_nor_confirmed_again(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    desk.post(page_of(booking, "cancel"), {"who": "patient", "reason": "Ill"})

    start = {"start": local(TUESDAY, 11).isoformat(), "practitioner": ""}
    answers = [
        desk.post(page_of(booking, "move"), start).status_code,
        desk.post(page_of(booking, "resend")).status_code,
    ]

    assert answers == [409, 409]
    assert OutgoingEmail.objects.filter(booking=booking, kind="confirmed").count() == 1


# Mail and tasks


def test_mail_lists_by_state(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    failed = OutgoingEmail.objects.get(booking=booking, kind="confirmed")
    OutgoingEmail.objects.filter(pk=failed.pk).update(state=MailState.FAILED)

    assert list(desk.get("/desk/mail/?state=failed").context["page"]) == [failed]
    assert len(desk.get("/desk/mail/?state=nonsense&page=999").context["page"]) == OutgoingEmail.objects.count()


@pytest.mark.parametrize("rows", [1, 3])
def test_mail_asks_the_same_number_of_queries_for_any_number_of_rows(
    desk: Client, world: World, rows: int, django_assert_num_queries: Any
) -> None:
    for hour in range(rows):
        world.book(local(MONDAY, 9 + hour))

    # The time zone, session, user, counts, what may be tried again, worker, the clinic, messages.
    with django_assert_num_queries(8):
        desk.get("/desk/mail/")


def test_a_message_is_shown_exactly_as_written(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    email = OutgoingEmail.objects.get(booking=booking, kind="confirmed")
    OutgoingEmail.objects.filter(pk=email.pk).update(
        text="Dear Robin,\n\n  <b>exactly</b> so.", state=MailState.FAILED, last_error="550 no such user"
    )

    html = desk.get(reverse("desk:message", args=[email.pk])).content.decode()

    assert "Dear Robin,\n\n  &lt;b&gt;exactly&lt;/b&gt; so." in html
    assert "550 no such user" in html


def test_a_failed_message_may_be_tried_again(desk: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    email = OutgoingEmail.objects.get(booking=booking, kind="confirmed")
    OutgoingEmail.objects.filter(pk=email.pk).update(state=MailState.FAILED)

    desk.post(reverse("desk:message", args=[email.pk]))

    email.refresh_from_db()
    assert email.state == MailState.QUEUED


def make_task(minutes: int, **fields: Any) -> Task:
    due_at = NOW + dt.timedelta(minutes=minutes)
    return Task.objects.create(
        kind=TaskKind.CALL_BACK, name=f"Caller {minutes}", phone="+12125550199", created_at=NOW, due_at=due_at, **fields
    )


def test_open_tasks_stand_by_due_time_and_late_ones_are_marked(desk: Client, world: World) -> None:
    later, late = make_task(60), make_task(-5)
    make_task(10, done_at=NOW)

    response = desk.get("/desk/tasks/")

    assert list(response.context["tasks"]) == [late, later]
    assert words_of(response.content.decode()).count("⚑ Late") == 1
    assert "2 tasks, 1 late" in words_of(desk.get("/desk/").content.decode())


def test_a_task_is_done_once_and_keeps_who_did_it(desk: Client, world: World, staff: User) -> None:
    task = make_task(5)
    desk.post(reverse("desk:task_done", args=[task.pk]))
    desk.force_login(make_staff("second"))

    desk.post(reverse("desk:task_done", args=[task.pk]))

    task.refresh_from_db()
    assert (task.done_by, task.done_at) == (staff, NOW)


@pytest.mark.parametrize("rows", [1, 3])
def test_tasks_ask_the_same_number_of_queries_for_any_number_of_rows(
    desk: Client, world: World, rows: int, django_assert_num_queries: Any
) -> None:
    booking = world.book(local(MONDAY, 10))
    for minutes in range(rows):
        make_task(minutes, booking=booking)

    # The time zone, session, user, worker, whether a clinician looks, the clinic, tasks, their notes.
    with django_assert_num_queries(8):
        desk.get("/desk/tasks/")


@pytest.mark.parametrize("path", ["/desk/bookings/%00/", "/desk/bookings/A%00/move/", "/desk/bookings/NOBODY/"])
def test_a_reference_that_is_none_is_not_found(desk: Client, world: World, path: str) -> None:
    assert desk.get(path).status_code == 404
