"""Health answers have an end: those that led to no booking go after a day, the others some time after the visit."""

import datetime as dt

from bookings.models import ScreeningRun


def delete_answers(now: dt.datetime) -> int:
    """Delete what has served its purpose; what was asked, and the verdict, stay with the booking. Returns how many."""
    left, _ = ScreeningRun.objects.filter(booking=None, expires_at__lte=now).delete()
    over = ScreeningRun.objects.filter(delete_on__lte=now.date(), deleted_at=None, booking__isnull=False)
    return left + over.update(
        answers={}, findings=[], last_extraction_on=None, had_consultation=None, not_before=None, deleted_at=now
    )
