"""Health answers have an end: those that led to no booking go after a day, the others some time after the visit."""

import datetime as dt

from bookings.models import ScreeningRun
from clinic.models import Location


def delete_answers(now: dt.datetime) -> int:
    """Delete what has served its purpose; what was asked, and the verdict, stay with the booking. Returns how many."""
    left, _ = ScreeningRun.objects.filter(booking=None, expires_at__lte=now).delete()
    return left + sum(_delete_over(location, now) for location in Location.objects.all())


def _delete_over(location: Location, now: dt.datetime) -> int:
    """Their day has begun by the calendar of the place."""
    today = now.astimezone(location.zone).date()
    over = ScreeningRun.objects.filter(delete_on__lte=today, deleted_at=None, booking__location=location)
    return over.update(
        answers={}, findings=[], last_extraction_on=None, had_consultation=None, not_before=None, deleted_at=now
    )
