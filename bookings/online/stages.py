"""Which part of the guidance is for today, and whether it is time to ask how the skin is."""

import datetime as dt

from bookings.models import Booking, BookingState, Outcome
from bookings.models.states import UNDER_WAY
from clinic import guidance
from clinic.models import Moment

# By how far away the visit is; the first that fits.
BEFORE = (
    (dt.timedelta(hours=72), Moment.CONFIRM),
    (dt.timedelta(hours=24), Moment.R72H),
    (dt.timedelta(0), Moment.R24H),
)
# By the local days since.
AFTER = ((7, Moment.DAY7), (3, Moment.DAY3), (0, Moment.DAY0))
# Nobody has said what became of it: the patient may have been here.
UNCLOSED = UNDER_WAY | {BookingState.CONFIRMED}
# Skin that is still sore after that is no question for a check-in.
CHECK_INS_LAST = 14


def stage_of(booking: Booking, now: dt.datetime) -> Moment | None:
    """None for a visit that will not be, or that was no treatment."""
    if booking.is_upcoming and not booking.has_started(now):
        return next(moment for least, moment in BEFORE if booking.starts_at - now > least)
    if _is_treated(booking):
        return next(moment for least, moment in AFTER if _days_since(booking, now) >= least)
    return Moment.DAY0_PLAIN if booking.state in UNCLOSED and booking.ends_at <= now else None


def advice_today(booking: Booking, now: dt.datetime) -> list[guidance.Advice]:
    """What belongs to the day. After a visit that nobody has closed only what is safe for anybody's skin."""
    stage = stage_of(booking, now)
    return guidance.items_for(booking.service, stage, booking.location.clinic) if stage else []


def check_in_day(booking: Booking, now: dt.datetime) -> int | None:
    """Which check-in is due by the local date: 0, 3 or 7; None when there is nothing to ask."""
    days = _days_since(booking, now)
    was_here = _is_treated(booking) or (booking.state in UNDER_WAY and booking.ends_at <= now)
    if not was_here or days > CHECK_INS_LAST:
        return None
    return next(least for least, _ in AFTER if days >= least)


def _is_treated(booking: Booking) -> bool:
    return booking.state == BookingState.COMPLETED and booking.outcome == Outcome.TREATED


def _days_since(booking: Booking, now: dt.datetime) -> int:
    return (now.astimezone(booking.location.zone).date() - booking.local_date).days
