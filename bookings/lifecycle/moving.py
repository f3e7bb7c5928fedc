"""A booked visit moves to another time. The rules are asked again, for the new day and the new person."""

import dataclasses
import datetime as dt

from django.db import transaction

from bookings import claims, emails
from bookings.eligibility import Outlook
from bookings.lifecycle import matching, safety
from bookings.lifecycle.confirming import keep_up
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming, TooLate, refuse_age
from bookings.lifecycle.tasks import close_tasks
from bookings.models import Booking, BookingState, TaskKind
from bookings.models.event import Actor
from clinic.models import Resource


@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """Where to, who asks, and what allows it. ``override`` is the reason for which staff bend a rule."""

    start: dt.datetime
    practitioner: Resource | None
    by: Who
    override: str = ""
    is_known: bool = True

    @property
    def may_bend(self) -> bool:
        return not isinstance(self.by, Actor) and bool(self.override.strip())


def reschedule(
    booking: Booking,
    *,
    practitioner: Resource | None,
    start: dt.datetime,
    by: Who,
    override: str = "",
    is_known: bool = True,
    now: dt.datetime,
) -> Booking:
    """Swap the visit's claims for those of ``start``; length and price stay as agreed.

    Staff may move until the visit starts, a patient until the cut-off; while answers given since it was arranged stand
    in its way until the start too, and free. What a clinician has to see first makes the visit pending again. Without
    ``is_known`` earlier visits do not count, since the answer would tell of them. The same time again changes nothing.
    Raises NotUpcoming, TooLate, NotEligible, NotOffered, SlotTaken, an Unsafe, NotAllowed; then the visit stands as it
    was.
    """
    move = Move(start=start, practitioner=practitioner, by=by, override=override, is_known=is_known)
    with claims.refusing_overlap(), transaction.atomic():
        claims.lock(service=booking.service, location=booking.location, also=booking)
        booking = Booking.objects.locked(booking.pk)
        _refuse_too_late(booking, move, now)
        if _is_where_it_was(booking, practitioner, start):
            return booking
        outlook = safety.outlook_for(booking, now, is_known=is_known)
        _refuse_unsafe(booking, move, outlook)
        choice = claims.pick_instead(
            booking,
            service=booking.agreed_service(),
            practitioner=practitioner,
            start=start,
            now=now,
            is_staff=not isinstance(by, Actor),
            opens_at={} if move.may_bend else outlook.opens_at,
        )
        booking.practitioner = choice.practitioner
        is_bent = safety.override(booking, outlook, start, by=by, reason=override, now=now)
        _move(booking, choice, move, outlook, is_bent=is_bent, now=now)
    return booking


def _refuse_too_late(booking: Booking, move: Move, now: dt.datetime) -> None:
    if not booking.is_upcoming:
        raise NotUpcoming
    if booking.has_started(now):
        raise TooLate
    is_past_cut_off = move.by is Actor.PATIENT and booking.is_late(now)
    if is_past_cut_off and not safety.stands_since_arranged(booking, now, is_known=move.is_known):
        raise TooLate


def _refuse_unsafe(booking: Booking, move: Move, outlook: Outlook) -> None:
    if not move.may_bend:
        grades = [move.practitioner.code] if move.practitioner else booking.service.grades
        safety.refuse_unsafe(outlook, grades, move.start)


def _is_where_it_was(booking: Booking, practitioner: Resource | None, start: dt.datetime) -> bool:
    return booking.starts_at == start and practitioner in (None, booking.practitioner)


def _move(
    booking: Booking,
    choice: claims.Choice,
    move: Move,
    outlook: Outlook,
    *,
    is_bent: bool,
    now: dt.datetime,
) -> None:
    was = booking.starts_at
    place(booking, choice, move.start, now)
    born = booking.patient.date_of_birth if booking.patient else None
    refuse_age(booking, born, by_phone=not isinstance(move.by, Actor))
    is_approved = _review_again(booking, outlook, is_bent=is_bent, now=now)
    booking.save()
    keep_up(booking, outlook)
    claims.replace(booking, choice)
    record(booking, "moved", by=move.by, now=now, was=was.isoformat(), starts_at=move.start.isoformat())
    close_tasks(booking, TaskKind.RECHECK, now=now)
    if not move.is_known:
        matching.look_for_recent_treatment(booking, now)
    if booking.state == BookingState.PENDING:
        emails.pending(booking, now=now)
    elif is_approved:
        close_tasks(booking, TaskKind.REVIEW_LATE, now=now)
        emails.confirmed(booking, now=now)
    else:
        emails.moved(booking, now=now)
    emails.staff_notice(booking, what="moved", now=now)


def _review_again(booking: Booking, outlook: Outlook, *, is_bent: bool, now: dt.datetime) -> bool:
    """Who bends a review for a new time has decided on it; whether that booked the visit."""
    needs_review = outlook.outcome(booking.practitioner.code, booking.local_date).needs_review
    if needs_review and is_bent and booking.state == BookingState.PENDING:
        approved(booking, now)
        return True
    if needs_review and not is_bent and booking.state == BookingState.CONFIRMED:
        booking.state, booking.reply_by = BookingState.PENDING, outlook.reply_by
    elif booking.reply_by is not None and booking.reply_by <= now:
        # Its letter names the deadline: one that has passed would be no promise.
        booking.reply_by = outlook.reply_by
    return False


def approved(booking: Booking, now: dt.datetime) -> None:
    """Set that a clinician has said yes; the caller saves the row."""
    booking.state, booking.reply_by = BookingState.CONFIRMED, None
    booking.approved_at = booking.arranged_at = now
    booking.confirmed_at = booking.confirmed_at or now


def place(booking: Booking, choice: claims.Choice, start: dt.datetime, now: dt.datetime) -> None:
    """Set where and when; the caller saves the row and replaces its claims."""
    booking.practitioner, booking.room = choice.practitioner, choice.room
    booking.starts_at, booking.ends_at = start, start + dt.timedelta(minutes=booking.minutes)
    booking.arranged_at = now
    booking.sequence += 1
