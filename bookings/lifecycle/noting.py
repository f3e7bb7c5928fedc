"""What staff write down about a visit."""

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction

from bookings.lifecycle.history import record
from bookings.models import Booking, VisitNote


def add_visit_note(booking: Booking, *, text: str, by: User, now: dt.datetime) -> VisitNote:
    """Add a note for staff. The same words of the same person once more, with nothing in between, add nothing."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        last = VisitNote.objects.filter(booking=booking).last()
        if last is not None and (last.by_id, last.text) == (by.pk, text):
            return last
        record(booking, "noted", by=by, now=now)
        return VisitNote.objects.create(booking=booking, at=now, by=by, text=text)
