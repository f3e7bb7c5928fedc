"""Every kind of message as it would read: about a made-up visit to this clinic. Nothing is written down.

A new kind is added to ``DRAFTS``: a function that takes a booking and the clock and returns the letter's draft.
"""

import datetime as dt
import functools
from collections.abc import Callable

from django.conf import settings

from bookings import outbox
from bookings.emails import course, no_show, questions, reviews, visits, wordings
from bookings.emails.letters import Draft, Letter, write
from bookings.emails.wordings import Text
from bookings.models import Booking, BookingState, Guardian, Patient
from bookings.models.mail import COURSE
from clinic.intervals import instant_of, wall_minute
from clinic.models import Clinic, Grade, Location, Practitioner, Resource, Service

PATIENT = ("Robin Example", "robin@example.org")
REFERENCE = "K7M2QD"
TIME = dt.time(10, 15)
# How many days from today the visit is; for kinds that are not named it lies ahead.
AHEAD = 10
DAYS = {"r72h": 3, "r24h": 1, "day0": 0, "day0_plain": 0, "day3": -3, "day7": -7, "missed": 0}
# No row ever has this key: what is asked about the sample finds nothing, and its links open nothing.
NOBODY = 0


def _moved(booking: Booking, *, now: dt.datetime) -> Draft:
    return visits.move_draft(booking, was=booking.starts_at - dt.timedelta(days=2), now=now)


def _declined(booking: Booking, *, now: dt.datetime) -> Draft:
    return reviews.decline_draft(booking, reason="Here stands what the clinician wrote.", now=now)


DRAFTS: dict[str, Callable[..., Draft]] = {
    "confirmed": functools.partial(visits.invitation, "confirmed"),
    "moved": _moved,
    "changed": functools.partial(visits.invitation, "changed"),
    "cancelled": visits.cancel_draft,
    "pending": reviews.review_draft,
    "review_late": reviews.late_draft,
    "declined": _declined,
    "suspended": reviews.help_draft,
    "guardian": reviews.guardian_draft,
    "answer": questions.open_questions_draft,
    "missed": no_show.missed_draft,
    **{kind: functools.partial(course.draft_of, kind) for kind in COURSE},
}


def preview(kind: str, text: Text | None = None, *, now: dt.datetime) -> Letter:
    """The message ``kind``, with ``text`` or as the clinic has worded it."""
    booking = visit(kind, now=now)
    if kind == outbox.STAFF_NOTICE:
        return visits.notice(booking, what="booked")
    return write(DRAFTS[kind](booking, now=now), text)


def values(kind: str, *, now: dt.datetime) -> dict[str, str]:
    """What each placeholder of ``kind`` stands for in the sample."""
    booking = visit(kind, now=now)
    draft = DRAFTS[kind](booking, now=now)
    name, _ = draft.to or booking.reader
    known = {**wordings.values(booking, name), **draft.known}
    return {each: known[each] for each in wordings.WORDINGS[kind].placeholders}


def visit(kind: str, *, now: dt.datetime) -> Booking:
    """A visit as it stands when ``kind`` is sent: the clinic's first service, person and house, and nobody real."""
    location, service, practitioner = _place(now), _service(now), _practitioner()
    today = now.astimezone(location.zone).date()
    day = today + dt.timedelta(days=DAYS.get(kind, AHEAD))
    starts_at = instant_of(wall_minute(day, TIME, location.zone))
    name, email = PATIENT
    booking = Booking(
        pk=NOBODY,
        reference=REFERENCE,
        state=BookingState.PENDING if kind in ("pending", "review_late") else BookingState.CONFIRMED,
        service=service,
        location=location,
        practitioner=practitioner,
        patient=Patient(pk=NOBODY, name=name, email=email),
        starts_at=starts_at,
        ends_at=starts_at + dt.timedelta(minutes=service.minutes),
        service_name=service.name,
        minutes=service.minutes,
        price_kind=service.price_kind,
        price=service.price,
        currency=location.clinic.currency,
        cut_off_minutes=location.clinic.cut_off_minutes,
        late_fee=location.clinic.late_fee,
        held_at=now,
        booked_at=now,
        reply_by=now + dt.timedelta(days=1),
    )
    if kind == outbox.GUARDIAN:
        Guardian(pk=NOBODY, booking=booking, name="Sam Example", relation="mother", email="sam@example.org")
    return booking


def _place(now: dt.datetime) -> Location:
    """Before there is a house, one that stands for it."""
    found = Location.objects.in_use(now.date()).select_related("clinic").first()
    clinic = found.clinic if found else Clinic.objects.first()
    return found or Location(
        clinic=clinic or Clinic(name="The clinic"),
        name="The clinic",
        address="12 Example Street",
        time_zone=settings.TIME_ZONE,
    )


def _service(now: dt.datetime) -> Service:
    found = Service.objects.in_use(now.date()).first()
    return found or Service(pk=NOBODY, slug="sample", name="Skin check", minutes=30)


def _practitioner() -> Resource:
    found = Resource.objects.practitioners().first()
    return found or Practitioner(pk=NOBODY, name="Maya Example", slug="maya", code=Grade.NURSE)
