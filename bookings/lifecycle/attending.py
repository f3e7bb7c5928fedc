"""The day of the visit: the patient arrives, is treated and leaves, or does not come."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from bookings.eligibility import needs_guardian, said_for
from bookings.lifecycle import matching
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import GuardianFirst, NotUpcoming, NotYet, QuestionsFirst
from bookings.lifecycle.tasks import BEFORE_THE_VISIT, close_tasks
from bookings.models import Booking, BookingState, Outcome, TaskKind
from clinic import screening

# Nobody has to press "arrived" for a visit to be done.
BEFORE_THE_END = frozenset({BookingState.CONFIRMED, BookingState.ARRIVED, BookingState.IN_ROOM})
EXPECTED = frozenset({BookingState.CONFIRMED})
BEFORE_THE_ROOM = frozenset({BookingState.CONFIRMED, BookingState.ARRIVED})


def arrive(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The patient is here. A second call changes nothing. Raises NotUpcoming."""
    return _change(booking, {"state": BookingState.ARRIVED}, "arrived", since=EXPECTED, by=by, now=now)


def enter_room(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """Treatment begins. A second call changes nothing. Raises QuestionsFirst, GuardianFirst, NotUpcoming."""
    if booking.is_screening_outstanding and _has_open_questions(booking):
        raise QuestionsFirst
    _refuse_without_guardian(booking)
    return _change(booking, {"state": BookingState.IN_ROOM}, "in room", since=BEFORE_THE_ROOM, by=by, now=now)


def complete(
    booking: Booking,
    *,
    outcome: Outcome = Outcome.TREATED,
    areas: Sequence[str] = (),
    by: Who,
    now: dt.datetime,
) -> Booking:
    """The visit took place. ``areas`` are the body areas that were treated; empty: all the service is for.

    Aftercare and the wait before the next extraction begin here, and only when treated. A second call changes nothing.
    Raises NotYet before its start, GuardianFirst for a treatment nobody agreed to, NotUpcoming.
    """
    _refuse_too_early(booking, now)
    is_treated = outcome == Outcome.TREATED
    if is_treated:
        _refuse_without_guardian(booking)
    closed = {
        "state": BookingState.COMPLETED,
        "outcome": outcome,
        "treated_areas": list(areas or booking.service.body_areas) if is_treated else [],
        "closed_at": now,
    }
    with transaction.atomic():
        found = _change(booking, closed, "completed", since=BEFORE_THE_END, by=by, now=now, outcome=str(outcome))
        close_tasks(found, TaskKind.UNCLOSED, *BEFORE_THE_VISIT, now=now)
        if is_treated and found.closed_at == now:
            matching.warn_of_next_visits(found, now)
    return found


def miss(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The patient did not come. A second call changes nothing. Raises NotYet before its start, NotUpcoming."""
    _refuse_too_early(booking, now)
    return _change(booking, {"state": BookingState.MISSED}, "missed", since=EXPECTED, by=by, now=now)


def _refuse_too_early(booking: Booking, now: dt.datetime) -> None:
    if not booking.has_started(now):
        raise NotYet


def _has_open_questions(booking: Booking) -> bool:
    """Whether anything is still to ask before the room; what is private is asked of a minor inside it."""
    born = booking.patient.date_of_birth if booking.patient else None
    if not needs_guardian(born, booking.local_date):
        return True
    book = screening.rulebook(booking.location.clinic)
    still_open = screening.unanswered(book, said_for(booking).answers, booking.service.codes)
    return not all(asked.is_private for asked in still_open)


def _refuse_without_guardian(booking: Booking) -> None:
    """Nobody treats a minor before somebody who answers for them has agreed."""
    guardian = getattr(booking, "guardian", None)
    born = booking.patient.date_of_birth if booking.patient else None
    is_minor = needs_guardian(born, booking.local_date)
    if (is_minor and guardian is None) or (guardian is not None and guardian.agreed_at is None):
        raise GuardianFirst


def _change(
    booking: Booking,
    columns: dict[str, Any],
    verb: str,
    *,
    since: frozenset[BookingState],
    by: Who,
    now: dt.datetime,
    **detail: Any,
) -> Booking:
    """Claims stay: the room was used, and its clean-up and history count."""
    with transaction.atomic():
        changed = Booking.objects.filter(pk=booking.pk, state__in=since).update(**columns)
        if changed:
            record(booking, verb, by=by, now=now, **detail)
    found = Booking.objects.with_everything().get(pk=booking.pk)
    if not changed and found.state != columns["state"]:
        raise NotUpcoming
    return found
