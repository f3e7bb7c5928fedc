"""Is anything new? From when on a visit's patient is asked once more, and whether they have answered."""

import datetime as dt
from collections.abc import Iterable

from bookings.models import Booking, BookingState, RunKind, ScreeningRun

# Who books later than this before the visit has answered recently enough.
ASKED_BEFORE = dt.timedelta(hours=24)
# A whole round has it; what is asked of a minor alone is none.
ASKED_OF_ALL = "Q1"


def is_due(booking: Booking, now: dt.datetime) -> bool:
    """Whether answers from before the visit's last day are too old by now, whenever it was moved or approved."""
    opens_at = booking.starts_at - ASKED_BEFORE
    return booking.state == BookingState.CONFIRMED and (booking.booked_at or booking.held_at) <= opens_at <= now


def is_asked(booking: Booking, now: dt.datetime) -> bool:
    """Whether it is time for "anything new?": until the visit starts."""
    return is_due(booking, now) and not booking.has_started(now)


def has_answered(booking: Booking, rounds: Iterable[ScreeningRun] | None = None) -> bool:
    """Whether the patient has said, in the day before the visit, if anything is new; ``rounds`` spare a query."""
    opens_at = booking.starts_at - ASKED_BEFORE
    found = booking.screenings.all() if rounds is None else rounds
    return any(
        run.kind == RunKind.RECHECK or (run.kind == RunKind.DESK and ASKED_OF_ALL in run.answers)
        for run in found
        if run.made_at >= opens_at
    )
