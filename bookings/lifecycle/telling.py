"""What is told when somebody else is to read a visit's mail."""

import datetime as dt

from bookings import emails
from bookings.models import Booking, BookingState, OutgoingEmail


def tell_what_stands(booking: Booking, now: dt.datetime) -> OutgoingEmail:
    """That the visit is booked, or that a clinician is looking."""
    if booking.state == BookingState.PENDING:
        return emails.pending(booking, now=now)
    return emails.confirmed(booking, now=now)
