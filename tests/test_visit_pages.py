"""The manage link: see a visit, move it, cancel it; a GET never acts."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle, links
from bookings.models import Booking, BookingEvent, BookingState, Task
from tests.factories import NOW, PATIENT, World, local
from tests.online import TEN, THURSDAY, make_world, parsed, starts_on, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def booking(world: World) -> Booking:
    return world.book(TEN)


def follow_link(client: Client, booking: Booking) -> None:
    client.get(f"/visit/{links.make(booking.pk, booking.link_version)}/")


def test_the_token_leaves_the_address_bar(client: Client, booking: Booking) -> None:
    moved = client.get(f"/visit/{links.make(booking.pk, booking.link_version)}/")
    page = client.get("/visit/")

    assert (moved.status_code, moved.headers["Location"]) == (303, "/visit/")
    assert moved.headers["Referrer-Policy"] == "no-referrer"
    # Under no-referrer a browser would post with "Origin: null", and moving and cancelling would be refused.
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in page.headers["Cache-Control"]
    assert "Thursday 10 December, 10am" in text_of(page)
    assert "Move or cancel free until Wednesday 9 December, 10am." in text_of(page)


@pytest.mark.parametrize("token", ["x", "1.1.forged", "%00", "1.1", "é", "1" * 300])
def test_a_tampered_link_opens_nothing(client: Client, booking: Booking, token: str) -> None:
    page = client.get(f"/visit/{token}/")

    assert page.status_code == 410
    assert "This link no longer works" in text_of(page)
    assert client.get("/visit/").status_code == 410


def test_a_revoked_link_opens_nothing(client: Client, booking: Booking) -> None:
    follow_link(client, booking)
    lifecycle.correct_email(booking, email="new@example.org", by=PATIENT, now=NOW)

    assert client.get("/visit/").status_code == 410
    assert client.get(f"/visit/{links.make(booking.pk, 1)}/").status_code == 410
    assert client.get(f"/visit/{links.make(booking.pk, 2)}/").status_code == 303


def test_who_came_by_a_link_is_known_and_not_asked_for_earlier_visits(client: Client, booking: Booking) -> None:
    asks = "Have you had an extraction on this area"
    unknown = text_of(client.get("/book/nose/check/"))
    follow_link(client, booking)

    known = text_of(client.get("/book/nose/check/"))

    assert (asks in unknown, asks in known) == (True, False)


def test_a_link_of_one_visit_opens_no_other(client: Client, world: World, booking: Booking) -> None:
    other = world.book(local(THURSDAY, 14), name="Kim Other")
    follow_link(client, booking)

    client.post("/visit/cancel/", {"reason": ""})

    assert "Kim Other" not in text_of(client.get("/visit/"))
    other.refresh_from_db()
    assert other.state == BookingState.CONFIRMED


def test_gets_change_nothing(client: Client, booking: Booking) -> None:
    follow_link(client, booking)
    before = Booking.objects.values().get()

    pages = [client.get(path) for path in ("/visit/", "/visit/move/", "/visit/cancel/", "/visit/calendar.ics")]

    assert [page.status_code for page in pages] == [200] * 4
    assert [parsed(page).headings for page in pages[:3]] == [1] * 3
    assert Booking.objects.values().get() == before
    assert BookingEvent.objects.filter(verb__in=["moved", "cancelled"]).count() == 0


def test_moving_offers_the_nearest_first(client: Client, booking: Booking) -> None:
    follow_link(client, booking)

    page = client.get("/visit/move/")

    assert starts_on(page)[:3] == [
        "2026-12-10T09:45:00-05:00",
        "2026-12-10T10:15:00-05:00",
        "2026-12-10T09:30:00-05:00",
    ]
    assert "December 2026" in text_of(page)
    assert '<h2 id="day-title" tabindex="-1">Thursday 10 December</h2>' in text_of(page)


def test_a_visit_moves(client: Client, booking: Booking) -> None:
    follow_link(client, booking)

    moved = client.post("/visit/move/", {"start": "2026-12-10T10:15:00-05:00", "practitioner": "any"}, follow=True)

    booking.refresh_from_db()
    assert booking.starts_at == TEN + dt.timedelta(minutes=15)
    assert booking.sequence == 1
    assert "Your visit has moved." in text_of(moved)


def test_a_move_to_a_taken_time_leaves_the_visit(client: Client, world: World, booking: Booking) -> None:
    world.book(local(THURSDAY, 14))
    follow_link(client, booking)

    taken = client.post("/visit/move/", {"start": local(THURSDAY, 14).isoformat(), "practitioner": "maya"})
    absurd = client.post("/visit/move/", {"start": "soon", "practitioner": "any"})
    night = client.post("/visit/move/", {"start": local(THURSDAY, 3).isoformat(), "practitioner": "any"})

    booking.refresh_from_db()
    assert booking.starts_at == TEN
    assert [page.status_code for page in (taken, absurd, night)] == [409, 422, 422]
    assert "Your visit stays on Thursday 10 December, 10am." in text_of(taken)
    assert starts_on(taken) != []


def test_a_late_move_means_phoning(client: Client, booking: Booking, clock) -> None:
    clock.move_to(TEN - dt.timedelta(hours=20))
    follow_link(client, booking)

    page = client.get("/visit/move/")
    refused = client.post("/visit/move/", {"start": local(THURSDAY, 14).isoformat(), "practitioner": "any"})
    client.post("/visit/call/")
    client.post("/visit/call/")

    words = text_of(page)
    assert refused.status_code == 422
    assert "Call us to change this visit" in words
    assert "It starts in less than 24 hours, so we cannot move it online." in words
    assert "Monday to Friday, 9am to 6pm (open now)" in words
    assert "Tell us first" in words
    assert [task.phone for task in Task.objects.all()] == ["+12125550123"]


def test_cancelling_works_until_the_start_and_is_marked_late(client: Client, booking: Booking, clock) -> None:
    clock.move_to(TEN - dt.timedelta(minutes=1))
    follow_link(client, booking)

    cancelled = client.post("/visit/cancel/", {"reason": "I have a cold"}, follow=True)

    booking.refresh_from_db()
    assert (booking.state, booking.is_late_cancellation) == (BookingState.CANCELLED, True)
    assert booking.cancel_reason == "I have a cold"
    assert "This visit is cancelled." in text_of(cancelled)


def test_cancelling_in_time_is_free(client: Client, booking: Booking) -> None:
    follow_link(client, booking)

    page = client.get("/visit/cancel/")
    client.post("/visit/cancel/", {"reason": ""})
    client.post("/visit/cancel/", {"reason": ""})

    booking.refresh_from_db()
    assert "It is free to cancel until Wednesday 9 December, 10am." in text_of(page)
    assert (booking.is_late_cancellation, booking.sequence) == (False, 1)
    assert BookingEvent.objects.filter(verb="cancelled").count() == 1


def test_a_visit_that_started_can_no_longer_be_changed(client: Client, booking: Booking, clock) -> None:
    clock.move_to(TEN)
    follow_link(client, booking)

    pages = [client.get("/visit/move/"), client.get("/visit/cancel/")]
    posts = [
        client.post("/visit/cancel/", {"reason": ""}),
        client.post("/visit/move/", {"start": local(THURSDAY, 14).isoformat()}),
    ]

    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED
    assert [page.status_code for page in pages + posts] == [200, 200, 409, 409]


def test_the_list_follows_the_days(client: Client, booking: Booking, clock) -> None:
    shown = []
    for hours_left in (200, 70, 20, -20):
        clock.move_to(TEN - dt.timedelta(hours=hours_left))
        follow_link(client, booking)
        shown.append(text_of(client.get("/visit/")))

    assert 'data-item="WHY-1"' in shown[0]
    assert len(set(shown)) == 4
    assert "Before your visit" in shown[2]
    assert "After your visit" in shown[3]


def test_the_calendar_file_counts_changes(client: Client, booking: Booking) -> None:
    follow_link(client, booking)

    first = client.get("/visit/calendar.ics").content.decode()
    client.post("/visit/move/", {"start": "2026-12-10T10:15:00-05:00", "practitioner": "any"})
    second = client.get("/visit/calendar.ics").content.decode()

    assert "SEQUENCE:0" in first
    assert "SEQUENCE:1" in second
    assert str(booking.calendar_uid) in first
    assert str(booking.calendar_uid) in second
