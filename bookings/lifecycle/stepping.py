"""A step of the day is taken back: a wrong tap, somebody who came after all, a visit that was closed too soon."""

import datetime as dt

from django.db import transaction

from bookings import outbox
from bookings.lifecycle import matching
from bookings.lifecycle.attending import AFTERCARE, MISSED, change, refuse_another_day
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import ChangedSince, DayIsOver, MissedBefore
from bookings.lifecycle.tasks import reopen_tasks
from bookings.models import Booking, BookingState

STEPS_BACK = {BookingState.ARRIVED: BookingState.CONFIRMED, BookingState.IN_ROOM: BookingState.ARRIVED}
LEAST_LATE, MOST_LATE = 5, 60


def unmiss(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """They came after all: the visit is booked as before, with the time it never lost. A second call changes nothing.

    Raises ChangedSince for a visit that is no no-show any more, or whose time others have by now, and MissedBefore from
    the day after it was marked.
    """
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        if found.state == BookingState.CONFIRMED:
            return found
        if found.state != BookingState.MISSED or not _has_its_claims(found):
            raise ChangedSince
        missed_at = _missed_at(found)
        if not _is_today(found, missed_at, now):
            raise MissedBefore
        found.state = BookingState.CONFIRMED
        found.save(update_fields=["state"])
        record(found, "back after no-show", by=by, now=now)
        outbox.take_back(found, MISSED)
        reopen_tasks(found, closed_at=missed_at)
    return found


def step_back(booking: Booking, *, seen: BookingState, by: Who, now: dt.datetime) -> Booking:
    """After a wrong tap: from "in room" to "arrived", from "arrived" to "confirmed".

    ``seen`` is the state that somebody looked at, so that a second call changes nothing. Raises ChangedSince.
    """
    if seen not in STEPS_BACK:
        raise ChangedSince
    back = STEPS_BACK[seen]
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        if found.state == back:
            return found
        if found.state != seen:
            raise ChangedSince
        found, _ = change(found, {"state": back}, "set back", since=frozenset({seen}), by=by, now=now, to=str(back))
    return found


def reopen(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """A visit that was closed too soon, or wrongly, stands open again: in room, without an outcome.

    Aftercare that nobody got yet is taken back, and what the treatment meant for later visits too; what was to do
    before it is to do again. A second call changes nothing. Raises ChangedSince, and DayIsOver from the day after it
    was closed.
    """
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        if found.state == BookingState.IN_ROOM:
            return found
        if found.state != BookingState.COMPLETED:
            raise ChangedSince
        if not is_closed_today(found, now):
            raise DayIsOver
        matching.take_back_warnings(found, now)
        outbox.take_back(found, *AFTERCARE)
        if found.closed_at:
            reopen_tasks(found, closed_at=found.closed_at)
        was = found.outcome
        found.state, found.outcome, found.treated_areas, found.closed_at = BookingState.IN_ROOM, "", [], None
        found.save(update_fields=["state", "outcome", "treated_areas", "closed_at"])
        record(found, "opened again", by=by, now=now, outcome=was)
    return found


def running_late(booking: Booking, *, minutes: int | None, by: Who, now: dt.datetime) -> Booking:
    """The patient said by how much they will be late; None takes it back. The same again changes nothing.

    Raises NotItsDay, and ChangedSince unless the visit is still waited for.
    """
    assert minutes is None or LEAST_LATE <= minutes <= MOST_LATE, "the form offers nothing else"
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        if found.state != BookingState.CONFIRMED:
            raise ChangedSince
        refuse_another_day(found, now)
        if found.late_minutes != minutes:
            found.late_minutes = minutes
            found.save(update_fields=["late_minutes"])
            record(found, "running late" if minutes else "not late any more", by=by, now=now, minutes=minutes)
    return found


def is_closed_today(booking: Booking, now: dt.datetime) -> bool:
    """Whether it was closed on the day that the clinic's calendar shows now."""
    return _is_today(booking, booking.closed_at or booking.ends_at, now)


def is_missed_today(booking: Booking, now: dt.datetime) -> bool:
    """Whether it was marked as a no-show on that day."""
    return _is_today(booking, _missed_at(booking), now)


def _missed_at(booking: Booking) -> dt.datetime:
    """When it was marked the last time; for a row without that line in its history, its end."""
    return booking.events.filter(verb="missed").values_list("at", flat=True).last() or booking.ends_at


def _is_today(booking: Booking, moment: dt.datetime, now: dt.datetime) -> bool:
    zone = booking.location.zone
    return moment.astimezone(zone).date() == now.astimezone(zone).date()


def _has_its_claims(booking: Booking) -> bool:
    whole = booking.claims.filter(starts_at__lte=booking.starts_at, ends_at__gte=booking.ends_at)
    claimed = set(whole.values_list("resource_id", flat=True))
    return claimed >= {pk for pk in (booking.practitioner_id, booking.room_id) if pk}
