"""One history per booking, whoever acted."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User

from bookings.models import Booking, BookingEvent
from bookings.models.event import Actor

# A signed-in person, or the patient, or the system itself.
Who = User | Actor


def record(booking: Booking, verb: str, *, by: Who, now: dt.datetime, **detail: Any) -> BookingEvent:
    """Add one line to the history, inside the change's own transaction."""
    user, actor = (None, by) if isinstance(by, Actor) else (by, Actor.STAFF)
    return BookingEvent.objects.create(booking=booking, at=now, verb=verb, actor=actor, by=user, detail=detail)
