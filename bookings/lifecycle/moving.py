"""A booked visit moves to another time."""

import datetime as dt

from django.db import transaction

from bookings import claims, emails
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming, TooLate, refuse_age
from bookings.models import Booking
from bookings.models.event import Actor
from clinic.models import Resource


def reschedule(
    booking: Booking, *, practitioner: Resource | None, start: dt.datetime, by: Who, now: dt.datetime
) -> Booking:
    """Swap the visit's claims for those of ``start``; length and price stay as agreed.

    Staff may move until the visit starts, a patient until the cut-off. The same time again changes nothing.
    Raises NotUpcoming, TooLate, NotEligible, NotOffered, SlotTaken; then the visit stands as it was.
    """
    with claims.refusing_overlap(), transaction.atomic():
        claims.lock(service=booking.service, location=booking.location, also=booking)
        booking = Booking.objects.locked(booking.pk)
        _refuse_too_late(booking, by, now)
        if _is_where_it_was(booking, practitioner, start):
            return booking
        choice = claims.pick(
            service=booking.agreed_service(),
            location=booking.location,
            clinic=booking.location.clinic,
            practitioner=practitioner,
            start=start,
            now=now,
            ignoring=booking,
            is_staff=not isinstance(by, Actor),
        )
        _move(booking, choice, start, by=by, now=now)
    return booking


def _refuse_too_late(booking: Booking, by: Who, now: dt.datetime) -> None:
    if not booking.is_upcoming:
        raise NotUpcoming
    if booking.has_started(now) or (by is Actor.PATIENT and booking.is_late(now)):
        raise TooLate


def _is_where_it_was(booking: Booking, practitioner: Resource | None, start: dt.datetime) -> bool:
    return booking.starts_at == start and practitioner in (None, booking.practitioner)


def _move(booking: Booking, choice: claims.Choice, start: dt.datetime, *, by: Who, now: dt.datetime) -> None:
    was = booking.starts_at
    booking.practitioner, booking.room = choice.practitioner, choice.room
    booking.starts_at, booking.ends_at = start, start + dt.timedelta(minutes=booking.minutes)
    booking.sequence += 1
    born = booking.patient.date_of_birth if booking.patient else None
    refuse_age(booking, born, by_phone=not isinstance(by, Actor))
    booking.save(update_fields=["practitioner", "room", "starts_at", "ends_at", "sequence"])
    claims.replace(booking, choice)
    record(booking, "moved", by=by, now=now, was=was.isoformat(), starts_at=start.isoformat())
    emails.moved(booking, now=now)
    emails.staff_notice(booking, what="moved", now=now)
