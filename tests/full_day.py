"""A busy clinic for tests, as rows: what is looked at is a full diary, not how each visit came into it."""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bookings.models import Booking, BookingState, Claim, Patient
from clinic.models import Resource
from tests.desk import MONDAY
from tests.factories import NOW, World, local, make_practitioner, make_room, open_weekdays

HALF_AN_HOUR = dt.timedelta(minutes=30)
# From 9 to 17.
SLOTS = 16


@dataclass(frozen=True)
class Place:
    """Half an hour of somebody's day."""

    start: dt.datetime
    practitioner: Resource
    room: Resource


def fill(world: World, places: Sequence[Place], *, now: dt.datetime = NOW, **fields: Any) -> list[Booking]:
    """A confirmed visit with its claims in each of ``places``, each of a patient who has an e-mail address."""
    first = Patient.objects.count() + 1
    patients = Patient.objects.bulk_create(
        Patient(name=f"Person {n}", email=f"person{n}@example.org", phone=f"+1212555{n:04}", created_at=now)
        for n in range(first, first + len(places))
    )
    return fill_for(world, zip(places, patients, strict=True), now=now, **fields)


def fill_for(
    world: World, taken: Iterable[tuple[Place, Patient]], *, now: dt.datetime = NOW, **fields: Any
) -> list[Booking]:
    """A visit with its claims for each pair of a place and a patient; confirmed, unless ``fields`` say otherwise."""
    made = Booking.objects.bulk_create(_visit(world, place, patient, now, fields) for place, patient in taken)
    Claim.objects.bulk_create(
        Claim(booking=each, resource=resource, starts_at=each.starts_at, ends_at=each.ends_at)
        for each in made
        for resource in (each.practitioner, each.room)
    )
    return made


def _visit(world: World, place: Place, patient: Patient, now: dt.datetime, fields: dict[str, Any]) -> Booking:
    usual = {
        "state": BookingState.CONFIRMED,
        "service_name": world.service.name,
        "minutes": 30,
        "clean_up_minutes": 0,
        "price_kind": world.service.price_kind,
        "price": world.service.price,
        "currency": "USD",
        "cut_off_minutes": 0,
        "late_fee": 0,
        "held_at": now,
        "booked_at": now,
        "confirmed_at": now,
    }
    return Booking(
        service=world.service,
        location=world.location,
        practitioner=place.practitioner,
        room=place.room,
        patient=patient,
        starts_at=place.start,
        ends_at=place.start + HALF_AN_HOUR,
        **{**usual, **fields},
    )


def hire(world: World, practitioners: int, *, rooms: int = 0) -> None:
    """So many people in all, and as many rooms, or more, open on weekdays."""
    for _ in range(practitioners - len(world.practitioners)):
        who = make_practitioner()
        open_weekdays(world.location, who)
        world.practitioners.append(who)
    for _ in range(max(practitioners, rooms) - len(world.rooms)):
        world.rooms.append(make_room(world.location))


def crowd(world: World, practitioners: int, visits: int, *, day: dt.date = MONDAY) -> list[Booking]:
    """So many people, and so many visits more on ``day``; the free hour of each is at another time of it."""
    hire(world, practitioners)
    places = _places(world, practitioners, local(day, 9))
    begun = Booking.objects.count()
    return fill(world, list(itertools.islice(places, begun, begun + visits)))


def _places(world: World, practitioners: int, opens: dt.datetime) -> Iterable[Place]:
    """One for each person in turn; everybody begins at another slot, and goes round."""
    for turn in range(SLOTS):
        for n in range(practitioners):
            start = opens + HALF_AN_HOUR * ((turn + n) % SLOTS)
            yield Place(start, world.practitioners[n], world.rooms[n])
