"""On hundreds of random small clinics the offered starts are those of a slow oracle; each can be held, no other can."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from bookings import availability, lifecycle
from bookings.models import Booking, BookingState, Claim, Patient
from clinic.models import (
    Absence,
    Clinic,
    EquipmentKind,
    Grade,
    OpeningHours,
    Resource,
    RoomKind,
    Service,
)
from tests import oracle
from tests.factories import make_equipment, make_location, make_policy, make_practitioner, make_room, make_service

pytestmark = pytest.mark.django_db

CLINICS, BLOCKS = 500, 10
VISITOR = "the visitor"
# A plain week, the clock changes of both hemispheres, and one of half an hour.
PLACES = [
    ("America/New_York", dt.date(2026, 11, 24)),
    ("America/New_York", dt.date(2026, 10, 31)),
    ("America/New_York", dt.date(2027, 3, 13)),
    ("Europe/London", dt.date(2027, 3, 27)),
    ("Australia/Lord_Howe", dt.date(2026, 10, 3)),
    ("Australia/Lord_Howe", dt.date(2027, 4, 3)),
    ("Asia/Kathmandu", dt.date(2026, 12, 1)),
]


class RandomClinic:
    """One house with a few people, rooms and steamers, odd hours, absences and a diary, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        zone, self.first = self.dice.choice(PLACES)
        self.zone, self.days = ZoneInfo(zone), 3
        midday = dt.datetime.combine(self.first, dt.time(12), self.zone).astimezone(dt.UTC)
        self.now = midday - dt.timedelta(minutes=self.dice.randrange(0, 1500), seconds=self.dice.randrange(60))
        self.clinic = self._policy()
        self.location = make_location(time_zone=zone, retired_on=self._rarely_soon())
        self.service = self._service()
        self.people = [make_practitioner(grade=self._one(Grade), retired_on=self._rarely_soon()) for _ in self._some(3)]
        self.rooms = [make_room(self.location, kind=self._one(RoomKind)) for _ in self._some(3)]
        self.steamers = [make_equipment(self.location) for _ in self._some(2)]
        self._hours()
        self._absences()
        self._diary()

    def _some(self, most: int) -> range:
        return range(self.dice.randint(1, most))

    def _one(self, choices: type[Grade] | type[RoomKind]) -> str:
        return self.dice.choice(choices.values[-2:])

    def _rarely_soon(self) -> dt.date | None:
        return self.first + dt.timedelta(days=self.dice.randrange(1, 4)) if self.dice.random() < 0.1 else None

    def _policy(self) -> Clinic:
        return make_policy(
            grid_minutes=self.dice.choice([5, 10, 15, 20, 45]),
            minimum_notice_minutes=self.dice.choice([0, 7, 60, 600]),
            horizon_days=self.dice.choice([1, 2, 90]),
        )

    def _service(self) -> Service:
        with_steamer = self.dice.random() < 0.4
        return make_service(
            minutes=self.dice.randrange(5, 75),
            clean_up_minutes=self.dice.choice([0, 5, 15]),
            grades=self.dice.choice([Grade.values[-2:], Grade.values[-1:]]),
            room_kind=self.dice.choice(["", *RoomKind.values[-2:]]),
            equipment_kinds=[EquipmentKind.STEAMER] if with_steamer else [],
            retired_on=self._rarely_soon(),
        )

    def _hours(self) -> None:
        rows = [self._stretch(None) for _ in range(self.dice.randint(4, 9))]
        rows += [self._stretch(person) for person in self.people for _ in range(self.dice.randint(4, 9))]
        OpeningHours.objects.bulk_create(rows)

    def _stretch(self, practitioner: Resource | None) -> OpeningHours:
        """Mostly on the days looked at; some begin or end inside the hour that the clocks skip or repeat."""
        opens = self.dice.choice([0, 60, 90, 120, 130, 150, 9 * 60, 10 * 60 + 10, 12 * 60])
        closes = opens + self.dice.choice([30, 45, 60, 95, 180, 400])
        limits: dict[str, Any] = {}
        if self.dice.random() < 0.2:
            limits[self.dice.choice(["valid_from", "valid_until"])] = self.first + dt.timedelta(days=1)
        return OpeningHours(
            location=self.location,
            practitioner=practitioner,
            weekday=(self.first.weekday() + self.dice.randrange(self.days)) % 7,
            opens_at=dt.time(opens // 60, opens % 60),
            closes_at=dt.time(0) if self.dice.random() < 0.15 else dt.time(closes // 60, closes % 60),
            **limits,
        )

    def _somewhen(self) -> dt.datetime:
        midnight = dt.datetime.combine(self.first, dt.time(), self.zone).astimezone(dt.UTC)
        return midnight + dt.timedelta(minutes=self.dice.randrange(self.days * 24 * 60))

    def _absences(self) -> None:
        for _ in range(self.dice.randrange(4)):
            start = self._somewhen() + dt.timedelta(seconds=self.dice.choice([0, 0, 30]))
            whose = self.dice.choice([*self.people, *self.rooms, *self.steamers, None])
            Absence.objects.create(
                resource=whose,
                location=None if whose else self.location,
                starts_at=start,
                ends_at=start + dt.timedelta(minutes=self.dice.randrange(1, 300)),
            )

    def _diary(self) -> None:
        patient = Patient.objects.create(name="Robin Example", created_at=self.now)
        for _ in range(self.dice.randrange(12)):
            start, length = self._somewhen(), dt.timedelta(minutes=self.dice.randrange(5, 120))
            resource = self.dice.choice([*self.people, *self.rooms, *self.steamers])
            taken = Claim.objects.filter(resource=resource, starts_at__lt=start + length, ends_at__gt=start)
            if not taken.exists():
                booking = self._booking(start, length, patient)
                Claim.objects.create(booking=booking, resource=resource, starts_at=start, ends_at=start + length)

    def _booking(self, start: dt.datetime, length: dt.timedelta, patient: Patient) -> Booking:
        """Booked, or held: by someone else, by the visitor, or by someone who is gone."""
        kind = self.dice.choice(["booked", "booked", "held", "own", "run out"])
        expiry = self.now + dt.timedelta(minutes=-1 if kind == "run out" else 20)
        return Booking.objects.create(
            service=self.service,
            location=self.location,
            practitioner=self.people[0],
            starts_at=start,
            ends_at=start + length,
            service_name=self.service.name,
            minutes=length // dt.timedelta(minutes=1),
            clean_up_minutes=0,
            price_kind="free",
            price=0,
            currency="USD",
            cut_off_minutes=0,
            late_fee=0,
            held_at=self.now,
            state=BookingState.CONFIRMED if kind == "booked" else BookingState.HELD,
            expires_at=None if kind == "booked" else expiry,
            patient=patient if kind == "booked" else None,
            visitor=VISITOR if kind == "own" else "somebody",
        )

    def asked(self) -> dict[str, Any]:
        return {"service": self.service, "location": self.location, "clinic": self.clinic, "now": self.now}

    def search(self, practitioner: Resource | None = None) -> set[tuple[dt.datetime, int]]:
        found = availability.search(
            **self.asked(),
            practitioner=practitioner,
            visitor=VISITOR,
            first=self.first,
            until=self.first + dt.timedelta(days=self.days),
        )
        rows = [(start.at, start.practitioner.pk) for start in found]
        assert [at for at, _ in rows] == sorted(at for at, _ in rows)
        assert len(rows) == len(set(rows))
        return set(rows)

    def expected(self) -> set[tuple[dt.datetime, int]]:
        return oracle.starts(**self.asked(), visitor=VISITOR, first=self.first, days=self.days)

    def is_held(self, start: dt.datetime, practitioner: Resource | None) -> bool:
        """Whether the start can be held; everything is as before afterwards."""
        slot = lifecycle.Slot(service=self.service, location=self.location, practitioner=practitioner, start=start)
        with transaction.atomic():
            try:
                lifecycle.hold(slot, visitor=VISITOR, now=self.now)
            except (lifecycle.SlotTaken, lifecycle.NotOffered):
                return False
            finally:
                transaction.set_rollback(True)
        return True

    def other_starts(self, offered: set[tuple[dt.datetime, int]]) -> Iterator[dt.datetime]:
        """Every five minutes of the days looked at that nobody offers, and every second of none."""
        instants = {at for at, _ in offered}
        midnight = dt.datetime.combine(self.first, dt.time(), self.zone).astimezone(dt.UTC)
        for number in range(0, self.days * 24 * 60, 5):
            start = midnight + dt.timedelta(minutes=number)
            if start not in instants:
                yield start
        yield from (at + dt.timedelta(seconds=1) for at in instants)


def clinics(block: int) -> Iterator[tuple[int, RandomClinic]]:
    """The clinics of one block, one after the other, each gone before the next."""
    each = CLINICS // BLOCKS
    for seed in range(block * each, (block + 1) * each):
        with transaction.atomic():
            yield seed, RandomClinic(seed)
            transaction.set_rollback(True)


def check(clinic: RandomClinic, seed: int, *, tries: int | None) -> int:
    """Compare with the oracle, then try to hold; ``tries`` None means all. Returns how many starts were on offer."""
    offered = clinic.search()
    assert offered == clinic.expected(), f"seed {seed}"
    someone = clinic.dice.choice(clinic.people)
    assert clinic.search(someone) == {row for row in offered if row[1] == someone.pk}, f"seed {seed}"
    people = {person.pk: person for person in clinic.people}
    for at, whose in clinic.dice.sample(sorted(offered), min(tries or len(offered), len(offered))):
        assert clinic.is_held(at, people[whose]), f"seed {seed}: {at} was on offer"
    others = sorted(clinic.other_starts(offered))
    for at in clinic.dice.sample(others, min(tries or len(others), len(others))):
        assert not clinic.is_held(at, None), f"seed {seed}: {at} was not on offer"
    return len(offered)


def one_by_one() -> list[Any]:
    """Half of the blocks beside SQLite and half beside PostgreSQL."""
    marks = [[pytest.mark.one_database], [pytest.mark.one_database, pytest.mark.long_way]]
    return [pytest.param(block, marks=marks[block % 2]) for block in range(BLOCKS)]


@pytest.mark.parametrize("block", one_by_one())
def test_offered_starts_are_those_of_the_oracle(block):
    counts = [check(clinic, seed, tries=1 if seed % 10 else 10) for seed, clinic in clinics(block)]

    # The clinics are worth comparing: many have starts to offer, some have none.
    assert sum(count > 0 for count in counts) >= len(counts) // 3
    assert 0 in counts


@pytest.mark.soak
@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_offered_start_can_be_held_and_no_other(block):
    for seed, clinic in clinics(block):
        check(clinic, seed, tries=None)
