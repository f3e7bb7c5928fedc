"""The day of the visit: the patient arrives, is treated and leaves, or does not come."""

import datetime as dt

from django.db import transaction

from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming, NotYet
from bookings.models import Booking, BookingState

# Nobody has to press "arrived" for a visit to be done.
BEFORE_THE_END = frozenset({BookingState.CONFIRMED, BookingState.ARRIVED, BookingState.IN_ROOM})


def arrive(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The patient is here. A second call changes nothing. Raises NotUpcoming."""
    return _change(booking, BookingState.ARRIVED, "arrived", since=frozenset({BookingState.CONFIRMED}), by=by, now=now)


def complete(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The visit took place. A second call changes nothing. Raises NotYet before its start, NotUpcoming."""
    _refuse_too_early(booking, now)
    return _change(booking, BookingState.COMPLETED, "completed", since=BEFORE_THE_END, by=by, now=now)


def miss(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The patient did not come. A second call changes nothing. Raises NotYet before its start, NotUpcoming."""
    _refuse_too_early(booking, now)
    return _change(booking, BookingState.MISSED, "missed", since=frozenset({BookingState.CONFIRMED}), by=by, now=now)


def _refuse_too_early(booking: Booking, now: dt.datetime) -> None:
    if not booking.has_started(now):
        raise NotYet


def _change(
    booking: Booking, state: BookingState, verb: str, *, since: frozenset[BookingState], by: Who, now: dt.datetime
) -> Booking:
    """Claims stay: the room was used, and its clean-up and history count."""
    with transaction.atomic():
        changed = Booking.objects.filter(pk=booking.pk, state__in=since).update(state=state)
        if changed:
            record(booking, verb, by=by, now=now)
    found = Booking.objects.with_everything().get(pk=booking.pk)
    if not changed and found.state != state:
        raise NotUpcoming
    return found
