"""Health answers have an end: those that led to no booking go after a day, the others some time after the visit."""

import datetime as dt

from django.db import transaction

from bookings.lifecycle.history import DECIDED, forget
from bookings.models import BookingEvent, ScreeningRun
from clinic.models import Location


def delete_answers(now: dt.datetime) -> int:
    """Delete what has served its purpose; what was asked, and the verdict, stay with the booking. Returns how many.

    What may tell an answer leaves the history too, on the same day.
    """
    left, _ = ScreeningRun.objects.filter(booking=None, expires_at__lte=now).delete()
    return left + sum(_delete_over(location, now) for location in Location.objects.all())


def _delete_over(location: Location, now: dt.datetime) -> int:
    """Their day has begun by the calendar of the place."""
    today = now.astimezone(location.zone).date()
    over = ScreeningRun.objects.filter(delete_on__lte=today, deleted_at=None, booking__location=location)
    with transaction.atomic():
        forget(BookingEvent.objects.filter(verb__in=DECIDED, booking__in=over.values("booking")))
        return over.update(
            answers={},
            findings=[],
            had_extraction="",
            last_extraction_on=None,
            had_consultation=None,
            not_before=None,
            deleted_at=now,
        )
