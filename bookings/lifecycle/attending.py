"""The day of the visit: the patient arrives, is treated and leaves, or does not come."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from bookings import emails, outbox
from bookings.lifecycle import matching
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.missing import is_by_phone
from bookings.lifecycle.refusals import ClinicianFirst, NotItsDay, NotReady, NotUpcoming, NotYet
from bookings.lifecycle.tasks import BEFORE_THE_VISIT, close_tasks
from bookings.lifecycle.treating import stops_treatment, wait_for_clinician
from bookings.models import Booking, BookingState, Outcome, OutgoingEmail, TaskKind

# Nobody has to press "arrived" for a visit to be done.
BEFORE_THE_END = frozenset({BookingState.CONFIRMED, BookingState.ARRIVED, BookingState.IN_ROOM})
EXPECTED = frozenset({BookingState.CONFIRMED})
BEFORE_THE_ROOM = frozenset({BookingState.CONFIRMED, BookingState.ARRIVED})
# What a closed visit sends later; whatever nobody got yet is taken back when it is opened again.
AFTERCARE = ("day0", "day3", "day7")
MISSED = "missed"
# Whoever is only late has come by then; two days later an invitation to book again is stale.
MISSED_TOLD_AFTER, MISSED_TOLD_WITHIN = dt.timedelta(minutes=15), dt.timedelta(days=2)


def arrive(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The patient is here. A second call changes nothing. Raises NotItsDay, NotUpcoming."""
    refuse_another_day(booking, now)
    with transaction.atomic():
        found, _ = change(booking, {"state": BookingState.ARRIVED}, "arrived", since=EXPECTED, by=by, now=now)
        close_tasks(found, TaskKind.PHONE_PATIENT, now=now)
    return found


def enter_room(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """Treatment begins. A second call changes nothing.

    Raises NotItsDay, NotUpcoming, and a NotReady: QuestionsFirst, GuidanceFirst until somebody has written down that
    the advice was read, GuardianFirst, or ClinicianFirst, which leaves a task for one.
    """
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        refuse_another_day(found, now)
        stops = _stops(found, now, is_at_the_door=True) if found.state in BEFORE_THE_ROOM else None
        if stops is None:
            found, _ = change(found, {"state": BookingState.IN_ROOM}, "in room", since=BEFORE_THE_ROOM, by=by, now=now)
    if stops:
        raise stops
    return found


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
    Raises NotYet before its start, unless the patient is in the room; NotUpcoming; and what ``enter_room`` raises of
    NotReady, for a treatment alone: without one a visit is closed whatever stands in the way.
    """
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        if found.state in BEFORE_THE_ROOM:
            _refuse_too_early(found, now)
        is_treatment = outcome == Outcome.TREATED and found.state in BEFORE_THE_END
        stops = _stops(found, now) if is_treatment else None
        if stops is None:
            found = _close(found, outcome, areas, by=by, now=now)
    if stops:
        raise stops
    return found


def _close(booking: Booking, outcome: Outcome, areas: Sequence[str], *, by: Who, now: dt.datetime) -> Booking:
    is_treated = outcome == Outcome.TREATED
    closed = {
        "state": BookingState.COMPLETED,
        "outcome": outcome,
        "treated_areas": list(areas or booking.service.body_areas) if is_treated else [],
        "closed_at": now,
    }
    found, is_new = change(booking, closed, "completed", since=BEFORE_THE_END, by=by, now=now, outcome=str(outcome))
    close_tasks(found, TaskKind.UNCLOSED, *BEFORE_THE_VISIT, now=now)
    if is_new:
        # Skipped while the visit stood open again: it is written anew, or no longer fits.
        outbox.take_back(found, *AFTERCARE)
    if is_new and is_treated:
        matching.warn_of_next_visits(found, now)
    return found


def _stops(booking: Booking, now: dt.datetime, *, is_at_the_door: bool = False) -> NotReady | None:
    """What stands in the way of treatment. Its task has to outlast the refusal, so the caller raises it later."""
    stops = stops_treatment(booking, now, is_at_the_door=is_at_the_door)
    if isinstance(stops, ClinicianFirst):
        wait_for_clinician(booking, now)
    return stops


def miss(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """The patient did not come; in a while they are invited to book again, unless they are back by then.

    A second call changes nothing. Raises NotYet before its start, NotUpcoming.
    """
    _refuse_too_early(booking, now)
    letter = _invitation(booking, now)
    with transaction.atomic():
        found, is_new = change(booking, {"state": BookingState.MISSED}, "missed", since=EXPECTED, by=by, now=now)
        close_tasks(found, TaskKind.UNCLOSED, *BEFORE_THE_VISIT, now=now)
        if is_new and letter:
            _invite(found, letter, now)
    return found


def _invitation(booking: Booking, now: dt.datetime) -> emails.Letter | None:
    """None for somebody without an address: there is nobody to write to, and nothing to promise."""
    if booking.patient is None or booking.state not in EXPECTED or not booking.reader[1]:
        return None
    by_phone = is_by_phone(booking.location.clinic, booking.patient, now, one_more=True)
    return emails.missed(booking, is_by_phone=by_phone, now=now)


def _invite(booking: Booking, letter: emails.Letter, now: dt.datetime) -> None:
    """Once for a visit as it is arranged, however often it is marked and taken back."""
    outbox.take_back(booking, MISSED)
    if OutgoingEmail.objects.filter(booking=booking, kind=MISSED, sequence=booking.sequence).exists():
        return
    due_at = now + MISSED_TOLD_AFTER
    emails.post(
        letter,
        booking,
        sequence=booking.sequence,
        due_at=due_at,
        not_after=due_at + MISSED_TOLD_WITHIN,
        now=now,
    )


def _refuse_too_early(booking: Booking, now: dt.datetime) -> None:
    if not booking.has_started(now):
        raise NotYet


def refuse_another_day(booking: Booking, now: dt.datetime) -> None:
    """Raises NotItsDay before the day of the visit, by the clinic's calendar."""
    if now.astimezone(booking.location.zone).date() < booking.local_date:
        raise NotItsDay


def change(
    booking: Booking,
    columns: dict[str, Any],
    verb: str,
    *,
    since: frozenset[BookingState],
    by: Who,
    now: dt.datetime,
    **detail: Any,
) -> tuple[Booking, bool]:
    """The row as it is then, and whether this call changed it. Raises NotUpcoming.

    Claims stay: the room was used, and its clean-up and history count.
    """
    with transaction.atomic():
        changed = Booking.objects.filter(pk=booking.pk, state__in=since).update(**columns)
        if changed:
            record(booking, verb, by=by, now=now, **detail)
    found = Booking.objects.with_everything().get(pk=booking.pk)
    if not changed and found.state != columns["state"]:
        raise NotUpcoming
    return found, bool(changed)
