"""When a patient is asked once more: the day before the visit, if the answers are older than that."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, OutgoingEmail
from clinic.screening import Answer, Answered
from tests.course import HOUR, clinician
from tests.factories import World
from tests.online import TEN, make_world, text_of
from tests.visits import DAY, DAY_BEFORE, book_asked, follow_link

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAY_BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def booking(world: World) -> Booking:
    return book_asked(world)


def test_the_visit_asks_from_a_day_before(client: Client, booking: Booking, clock) -> None:
    question, is_asked = "Anything new with your skin since Monday 23 November?", []
    for hours_before in (25, 24, 1):
        clock.move_to(TEN - dt.timedelta(hours=hours_before))
        follow_link(client, booking)
        is_asked.append(question in text_of(client.get("/visit/")))

    assert is_asked == [False, True, True]


def test_what_was_booked_inside_that_day_is_not_asked_again(client: Client, world: World) -> None:
    follow_link(client, book_asked(world, now=DAY_BEFORE))

    assert "Anything new" not in text_of(client.get("/visit/"))


def moved_near(booking: Booking, to: dt.datetime = TEN, now: dt.datetime = DAY_BEFORE) -> Booking:
    """Moved inside the last day before it."""
    return lifecycle.reschedule(booking, practitioner=None, start=to, by=clinician(), override="As agreed.", now=now)


def approved_near(world: World) -> Booking:
    booking = book_asked(world, Q12=Answered(Answer.YES, frozenset({"q12-diabetes"})))
    return lifecycle.approve(booking, by=clinician(), reason="Fine.", now=DAY_BEFORE)


@pytest.mark.parametrize(
    ("arrange", "kind"),
    [(lambda world: moved_near(book_asked(world, TEN + 6 * DAY)), "moved"), (approved_near, "confirmed")],
)
def test_answers_that_are_old_are_asked_again_however_late_the_visit_was_arranged(
    client: Client, world: World, arrange: Callable[[World], Booking], kind: str
) -> None:
    booking = arrange(world)
    letter = OutgoingEmail.objects.filter(booking=booking, kind=kind).latest("pk")
    follow_link(client, booking)

    assert booking.state == BookingState.CONFIRMED
    assert "Anything new with your skin since Monday 23 November?" in text_of(client.get("/visit/"))
    assert "Is anything new with your skin since Monday 23 November?" in letter.text
    assert "Answer now:\nhttp" in letter.text
    assert ">Answer now</a>" in letter.html


def test_who_has_answered_in_the_last_day_is_not_asked_again_for_a_time_near_it(
    client: Client, booking: Booking
) -> None:
    follow_link(client, booking)
    client.post("/visit/recheck/", {"anything_new": "no"})

    moved = moved_near(booking, TEN + HOUR)

    assert "Thank you, you have answered" in text_of(client.get("/visit/"))
    assert "anything new" not in OutgoingEmail.objects.get(booking=moved, kind="moved").text


def test_who_booked_inside_the_last_day_is_not_asked_however_the_visit_moves_in_it(
    client: Client, world: World
) -> None:
    booking = moved_near(book_asked(world, TEN + DAY, now=TEN + 4 * HOUR), TEN + 27 * HOUR, TEN + 8 * HOUR)
    follow_link(client, booking)

    assert "Anything new" not in text_of(client.get("/visit/"))
    assert "anything new" not in OutgoingEmail.objects.get(booking=booking, kind="moved").text
