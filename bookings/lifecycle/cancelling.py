"""A booked visit is cancelled, and its time is free again."""

import datetime as dt

from django.db import transaction

from bookings import claims, emails
from bookings.lifecycle import safety
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming, TooLate
from bookings.lifecycle.tasks import BEFORE_THE_VISIT, close_tasks
from bookings.models import Booking, BookingState


def cancel(booking: Booking, *, reason: str, by: Who, now: dt.datetime) -> Booking:
    """Cancel until the visit starts; after the cut-off it is marked late, unless new answers stand in its way.

    A second call changes nothing. Raises TooLate once it has started, NotUpcoming for a visit that is over.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.state == BookingState.CANCELLED:
            return booking
        if not booking.is_upcoming:
            raise NotUpcoming
        if booking.has_started(now):
            raise TooLate
        _cancel(booking, reason, now)
        record(booking, "cancelled", by=by, now=now, reason=booking.cancel_reason, late=booking.is_late_cancellation)
        emails.cancelled(booking, now=now)
        emails.staff_notice(booking, what="cancelled", now=now)
    return booking


def _cancel(booking: Booking, reason: str, now: dt.datetime) -> None:
    booking.is_late_cancellation = _is_late(booking, now)
    booking.state, booking.reply_by = BookingState.CANCELLED, None
    booking.cancelled_at = now
    booking.cancel_reason = reason[:300]
    booking.sequence += 1
    booking.save()
    claims.give_back(booking)
    close_tasks(booking, *BEFORE_THE_VISIT, now=now)


def _is_late(booking: Booking, now: dt.datetime) -> bool:
    """Nothing was promised while a clinician still looked, and an honest answer costs nothing."""
    is_late = booking.confirmed_at is not None and booking.is_late(now)
    return is_late and not safety.stands_since_arranged(booking, now)
