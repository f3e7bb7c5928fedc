"""After a treatment: when the skin may be treated again, and the nearest free times from then on."""

import dataclasses
import datetime as dt
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.urls import reverse

from bookings import availability, eligibility
from bookings.desk.acting import today
from bookings.desk.doors import visits_for
from bookings.eligibility import Outlook, Said
from bookings.models import Booking, Outcome
from clinic.models import Resource

NEAREST = 3


@dataclasses.dataclass(frozen=True)
class Offered:
    """One free time, and where it is booked."""

    at: dt.datetime
    practitioner: Resource
    link: str


@dataclasses.dataclass(frozen=True)
class NextVisit:
    """``booked`` is the visit they have already; otherwise ``first`` is the first safe day, and ``why`` it is that.

    ``has_another`` tells of a visit that this reader may not see.
    """

    booked: Booking | None = None
    has_another: bool = False
    first: dt.date | None = None
    why: str = ""
    times: tuple[Offered, ...] = ()


def after(booking: Booking, user: User, now: dt.datetime) -> NextVisit | None:
    """None unless the visit was closed as treated."""
    if booking.outcome != Outcome.TREATED:
        return None
    others = Booking.objects.upcoming().filter(patient=booking.patient_id, starts_at__gt=now)
    if others.exists():
        visible = visits_for(user).upcoming().with_everything().filter(patient=booking.patient_id, starts_at__gt=now)
        return NextVisit(booked=visible.order_by("starts_at", "pk").first(), has_another=True)
    outlook = _outlook(booking, now)
    return NextVisit(
        first=outlook.first_safe_date or today(booking, now),
        why=next(iter(outlook.reasons), ""),
        times=tuple(_offered(booking, start) for start in _nearest(booking, outlook, now)),
    )


def book_again(booking: Booking, **more: str) -> str:
    """Where the desk books this patient, for the same service; ``more`` names a time and a person."""
    query = {"service": booking.service.slug, "patient": booking.patient_id or "", **more}
    return f"{reverse('desk:book')}?{urlencode(query)}"


def _outlook(booking: Booking, now: dt.datetime) -> Outlook:
    """By their history and age; the questions are asked anew for each visit."""
    patient = booking.patient
    return eligibility.outlook(
        service=booking.service,
        location=booking.location,
        clinic=booking.location.clinic,
        said=Said(patient=patient, born=patient.date_of_birth if patient else None),
        now=now,
    )


def _nearest(booking: Booking, outlook: Outlook, now: dt.datetime) -> list[availability.Start]:
    """With whoever did this visit, whom the patient knows; with anybody where they have no time."""
    search: availability.Asked = {
        "service": booking.service,
        "location": booking.location,
        "clinic": booking.location.clinic,
        "now": now,
        "is_staff": True,
        "opens_at": outlook.opens_at,
    }
    known: availability.Asked = {**search, "practitioner": booking.practitioner}
    return availability.soonest(count=NEAREST, **known) or availability.soonest(count=NEAREST, **search)


def _offered(booking: Booking, start: availability.Start) -> Offered:
    at = start.at.astimezone(booking.location.zone).isoformat()
    link = book_again(booking, start=at, practitioner=start.practitioner.slug)
    return Offered(start.at, start.practitioner, link)
