"""The day of the visit: arrive, complete, miss."""

import datetime as dt
import functools

import pytest

from bookings import lifecycle
from bookings.models import Booking, BookingState
from bookings.models.event import Actor
from tests.factories import NOW, World, local, make_staff

pytestmark = pytest.mark.django_db
TUESDAY = dt.date(2026, 11, 24)
START = local(TUESDAY, 9)
AFTER = START + dt.timedelta(minutes=30)


def history(booking: Booking) -> list[tuple[str, str]]:
    return list(booking.events.values_list("verb", "actor"))


def test_a_visit_arrives_and_is_completed_with_its_history_and_claims():
    booking, reception = World().book(START), make_staff()

    lifecycle.arrive(booking, by=reception, now=START)
    booking = lifecycle.complete(booking, by=reception, now=AFTER)

    assert booking.state == BookingState.COMPLETED
    assert history(booking)[-2:] == [("arrived", "staff"), ("completed", "staff")]
    assert booking.claims.count() == 2


def test_nobody_has_to_press_arrived_before_done():
    booking = lifecycle.complete(World().book(START), by=Actor.SYSTEM, now=AFTER)

    assert booking.state == BookingState.COMPLETED


def test_a_patient_may_arrive_before_the_start():
    booking = lifecycle.arrive(World().book(START), by=Actor.SYSTEM, now=START - dt.timedelta(minutes=10))

    assert booking.state == BookingState.ARRIVED


def test_before_its_day_nobody_arrives_is_late_or_goes_in():
    booking, eve = World().book(START), local(TUESDAY - dt.timedelta(days=1), 23, 59)
    late = functools.partial(lifecycle.running_late, minutes=10)

    for verb in (lifecycle.arrive, lifecycle.enter_room, late):
        with pytest.raises(lifecycle.NotItsDay):
            verb(booking, by=Actor.SYSTEM, now=eve)
        assert history(booking)[-1][0] == "booked"
        assert Booking.objects.get().late_minutes is None
    for verb in (late, lifecycle.arrive, lifecycle.enter_room):
        verb(booking, by=Actor.SYSTEM, now=local(TUESDAY, 0))

    assert Booking.objects.get().state == BookingState.IN_ROOM


def test_who_was_treated_early_is_closed_early():
    booking, early = World().book(START), START - dt.timedelta(minutes=20)
    lifecycle.arrive(booking, by=Actor.SYSTEM, now=early)
    with pytest.raises(lifecycle.NotYet):
        lifecycle.complete(booking, by=Actor.SYSTEM, now=early)
    lifecycle.enter_room(booking, by=Actor.SYSTEM, now=early)

    for minutes in (15, 16):
        done = lifecycle.complete(booking, by=Actor.SYSTEM, now=early + dt.timedelta(minutes=minutes))

    assert (done.state, done.closed_at) == (BookingState.COMPLETED, early + dt.timedelta(minutes=15))
    assert history(booking)[-1] == ("completed", "system")


@pytest.mark.parametrize("verb", [lifecycle.complete, lifecycle.miss])
def test_what_has_not_started_is_neither_done_nor_missed(verb):
    booking = World().book(START)

    with pytest.raises(lifecycle.NotYet):
        verb(booking, by=Actor.SYSTEM, now=START - dt.timedelta(minutes=1))

    assert Booking.objects.get().state == BookingState.CONFIRMED


@pytest.mark.parametrize("verb", [lifecycle.arrive, lifecycle.complete, lifecycle.miss])
def test_a_second_call_changes_nothing(verb):
    booking = World().book(START)
    verb(booking, by=Actor.SYSTEM, now=AFTER)
    before = history(booking)

    verb(booking, by=Actor.SYSTEM, now=AFTER)

    assert history(booking) == before


@pytest.mark.parametrize("verb", [lifecycle.arrive, lifecycle.complete, lifecycle.miss])
def test_a_cancelled_visit_stays_cancelled(verb):
    booking = World().book(START)
    lifecycle.cancel(booking, reason="", by=Actor.PATIENT, now=NOW)

    with pytest.raises(lifecycle.NotUpcoming):
        verb(booking, by=Actor.SYSTEM, now=AFTER)

    assert history(booking)[-1] == ("cancelled", "patient")


def test_who_arrived_did_not_miss_the_visit():
    booking = lifecycle.arrive(World().book(START), by=Actor.SYSTEM, now=START)

    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.miss(booking, by=Actor.SYSTEM, now=AFTER)


def test_a_hold_is_no_visit_yet():
    held = World().hold(START)

    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.complete(held, by=Actor.SYSTEM, now=AFTER)
