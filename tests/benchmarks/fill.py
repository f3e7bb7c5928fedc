"""A clinic with ten practitioners and as many stored bookings as asked for.

Half of the next 30 days is booked, every other half hour; all further bookings lie in the past.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.utils import timezone

from bookings.models import Booking, BookingState, Claim, Patient
from clinic.models import Clinic
from tests.factories import World, load_signed_content, local

SLOT = dt.timedelta(minutes=30)
SLOTS_A_DAY = 16
DAYS_AHEAD = 30
BATCH = 5_000
SAID_EVERY = 100_000


def fill(count: int) -> None:
    """Make the clinic and store ``count`` bookings with their claims. Prints how far it is."""
    now = timezone.now()
    load_signed_content(now)
    world = World(practitioners=10, rooms=10, grid_minutes=30, minimum_notice_minutes=0)
    world.service.clean_up_minutes = 0
    world.service.save()
    patient = Patient.objects.create(name="Robin Example", email="robin@example.org", created_at=now)
    starts = islice(_starts(world, now.astimezone(world.location.zone).date()), count)
    stored = 0
    while batch := list(islice(starts, BATCH)):
        _store(world, patient, batch, now, stored)
        stored += len(batch)
        if stored % SAID_EVERY == 0:
            print(f"  {stored:,} of {count:,} bookings stored", flush=True)


def _starts(world: World, today: dt.date) -> Iterator[tuple[int, dt.datetime]]:
    """(index of the practitioner, start): first every other slot ahead, then all slots back in time."""
    for days in range(1, DAYS_AHEAD + 1):
        yield from _day(world, today + dt.timedelta(days=days), step=2)
    days = 1
    while True:
        yield from _day(world, today - dt.timedelta(days=days), step=1)
        days += 1


def _day(world: World, date: dt.date, *, step: int) -> Iterator[tuple[int, dt.datetime]]:
    if date.weekday() < 5:
        opens = local(date, 9)
        for index in range(len(world.practitioners)):
            yield from ((index, opens + SLOT * slot) for slot in range(0, SLOTS_A_DAY, step))


def _store(world: World, patient: Patient, batch: list[tuple[int, dt.datetime]], now: dt.datetime, stored: int) -> None:
    common = _agreed(world, world.clinic, patient, now)
    bookings = Booking.objects.bulk_create(
        Booking(
            **common,
            reference=f"{number:08}",
            practitioner=world.practitioners[index],
            room=world.rooms[index],
            starts_at=start,
            ends_at=start + SLOT,
        )
        for number, (index, start) in enumerate(batch, start=stored)
    )
    Claim.objects.bulk_create(
        Claim(booking=booking, resource=resource, starts_at=booking.starts_at, ends_at=booking.ends_at)
        for booking in bookings
        for resource in (booking.practitioner, booking.room)
    )


def _agreed(world: World, clinic: Clinic, patient: Patient, now: dt.datetime) -> dict[str, Any]:
    return {
        "service": world.service,
        "location": world.location,
        "service_name": world.service.name,
        "minutes": 30,
        "clean_up_minutes": 0,
        "price_kind": world.service.price_kind,
        "price": world.service.price,
        "currency": clinic.currency,
        "cut_off_minutes": clinic.cut_off_minutes,
        "late_fee": clinic.late_fee,
        "held_at": now,
        "state": BookingState.CONFIRMED,
        "patient": patient,
        "confirmed_at": now,
    }
