"""Small clinics for tests: plain functions, everything optional, real rows."""

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import F

from bookings import lifecycle
from bookings.models import Booking, ConsentKind
from bookings.models.event import Actor
from clinic.models import (
    Clinic,
    Equipment,
    EquipmentKind,
    Grade,
    Location,
    OpeningHours,
    Practitioner,
    PriceKind,
    Resource,
    Reviewed,
    Room,
    RoomKind,
    Service,
    Wording,
)
from tests import signed_content

# As ticked online.
BOTH_CONSENTS = (
    (ConsentKind.GUIDANCE_READ, "WHY-1 v1", "I have read the advice on not squeezing"),
    (ConsentKind.PRIVACY, "1", "You may keep these details to look after my visit"),
)
NEW_YORK = ZoneInfo("America/New_York")
# A Monday; the tests' clock stands here unless a test moves it.
NOW = dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC)
# All of one length: rows are put in order by name, and "Room 10" stands before "Room 9".
_numbers = itertools.count(100_001)


def local(day: dt.date, hour: int, minute: int = 0, zone: ZoneInfo = NEW_YORK) -> dt.datetime:
    """An instant by the wall clock of the location."""
    return dt.datetime.combine(day, dt.time(hour, minute), zone).astimezone(dt.UTC)


def load_signed_content(now: dt.datetime = NOW) -> None:
    """The real content, as if a clinician had signed all of it."""
    signed_content.load(now)


def sign(row: Reviewed) -> None:
    """As if a clinician had signed what ``row`` says now."""
    type(row)._default_manager.filter(pk=row.pk).update(signed_version=F("version"))


def make_policy(**policy: Any) -> Clinic:
    """The clinic's one row, with everything set that online booking needs."""
    defaults = {
        "name": "Example Skin Clinic",
        "email": "desk@example.org",
        "phone": "+12125550100",
        "emergency_number": "911",
        "urgent_line": "212 555 0111",
    }
    Wording.objects.get_or_create(
        code="disclaimer-short",
        defaults={"title": "Disclaimer", "text": "General advice, not a diagnosis.", "signed_version": 1},
    )
    return Clinic.objects.update_or_create(pk=1, defaults={**defaults, **policy})[0]


def make_location(**fields: Any) -> Location:
    number = next(_numbers)
    defaults = {
        "clinic_id": 1,
        "name": f"House {number}",
        "slug": f"house-{number}",
        "time_zone": "America/New_York",
        "address": "12 Example Street\nNew York, NY 10001",
    }
    return Location.objects.create(**{**defaults, **fields})


def make_service(**fields: Any) -> Service:
    """By default ``nose``: 30 minutes, 15 of clean-up, a treatment room, any grade."""
    defaults = {
        "slug": "nose",
        "name": "Nose and T-zone blackhead extraction",
        "short_name": "Nose extraction",
        "summary": "Hand extraction of open blackheads on nose, chin and forehead.",
        "minutes": 30,
        "clean_up_minutes": 15,
        "price_kind": PriceKind.FROM,
        "price": Decimal(45),
        "grades": Grade.values,
        "room_kind": RoomKind.TREATMENT,
        "equipment_kinds": [],
        "groups": ["EXTRACT", "FACEAREA"],
    }
    return Service.objects.create(**{**defaults, **fields})


def make_practitioner(name: str = "", *, grade: str = Grade.NURSE, **fields: Any) -> Resource:
    number = next(_numbers)
    name = name or f"Person {number}"
    slug = fields.pop("slug", f"{name.split()[0].lower()}-{number}")
    return Practitioner.objects.create(name=name, slug=slug, code=grade, **fields)


def make_room(location: Location, *, kind: str = RoomKind.TREATMENT, **fields: Any) -> Resource:
    number = next(_numbers)
    return Room.objects.create(
        **{"name": f"Room {number}", "slug": f"room-{number}", **fields}, location=location, code=kind
    )


def make_equipment(location: Location, *, kind: str = EquipmentKind.STEAMER, **fields: Any) -> Resource:
    number = next(_numbers)
    fields = {"name": f"Steamer {number}", "slug": f"steamer-{number}", **fields}
    return Equipment.objects.create(**fields, location=location, code=kind)


def open_weekdays(
    location: Location, practitioner: Resource | None = None, *, opens: int = 9, closes: int = 17, days: int = 5
) -> None:
    """Opening hours on the first ``days`` days of the week, of the house or of one practitioner in it."""
    OpeningHours.objects.bulk_create(
        OpeningHours(
            location=location,
            practitioner=practitioner,
            weekday=weekday,
            opens_at=dt.time(opens),
            closes_at=dt.time(closes % 24),
        )
        for weekday in range(days)
    )


class World:
    """One house, open Monday to Friday, 9 to 17; ``nose``; as many people and rooms as asked for."""

    def __init__(self, *, practitioners: int = 1, rooms: int = 1, **policy: Any) -> None:
        self.clinic = make_policy(**policy)
        self.location = make_location(slug="main", name="Main house", clinic=self.clinic)
        self.service = make_service()
        self.rooms = [make_room(self.location) for _ in range(rooms)]
        self.practitioners = [
            make_practitioner(f"Maya{n or ''} Ruiz", slug=f"maya{n or ''}") for n in range(practitioners)
        ]
        open_weekdays(self.location)
        for practitioner in self.practitioners:
            open_weekdays(self.location, practitioner)

    @property
    def practitioner(self) -> Resource:
        return self.practitioners[0]

    def hold(self, start: dt.datetime, **asked: Any) -> Booking:
        """Hold ``start`` for visitor "v", with anyone, unless asked otherwise."""
        slot = lifecycle.Slot(
            service=asked.pop("service", self.service),
            location=self.location,
            practitioner=asked.pop("practitioner", None),
            start=start,
        )
        return lifecycle.hold(slot, **{"visitor": "v", "now": NOW, **asked})

    def book(self, start: dt.datetime, *, now: dt.datetime = NOW, **details: Any) -> Booking:
        """A confirmed booking, made by the verbs as a patient would."""
        visitor = f"visitor-{next(_numbers)}"
        held = self.hold(start, visitor=visitor, now=now, practitioner=details.pop("practitioner", None))
        return lifecycle.confirm(held, details=make_details(**details), visitor=visitor, now=now)


def make_details(**said: Any) -> lifecycle.Details:
    defaults = {
        "name": "Robin Example",
        "email": "robin@example.org",
        "phone": "+12125550123",
        "date_of_birth": dt.date(1990, 3, 17),
        "consents": BOTH_CONSENTS,
    }
    return lifecycle.Details(**{**defaults, **said})


def make_staff(username: str = "reception", **fields: Any) -> User:
    """Someone who may do everything, unless told otherwise."""
    return User.objects.create_user(
        username, password="correct horse", **{"is_staff": True, "is_superuser": True, **fields}
    )


PATIENT = Actor.PATIENT
