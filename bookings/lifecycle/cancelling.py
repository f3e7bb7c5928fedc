"""A booked visit is cancelled, and its time is free again."""

import datetime as dt

from django.db import transaction

from bookings import claims, emails
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming, TooLate
from bookings.models import Booking, BookingState


def cancel(booking: Booking, *, reason: str, by: Who, now: dt.datetime) -> Booking:
    """Cancel until the visit starts; after the cut-off it is marked late. A second call changes nothing.

    Raises TooLate once it has started, NotUpcoming for a visit that is over.
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
    booking.state = BookingState.CANCELLED
    booking.cancelled_at = now
    booking.cancel_reason = reason[:300]
    booking.is_late_cancellation = booking.is_late(now)
    booking.sequence += 1
    booking.save(update_fields=["state", "cancelled_at", "cancel_reason", "is_late_cancellation", "sequence"])
    claims.give_back(booking)
