"""The day of the visit: arrive, complete, miss."""

import datetime as dt

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
