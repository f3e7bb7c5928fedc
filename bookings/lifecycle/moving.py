"""A booked visit moves to another time. The rules are asked again, for the new day and the new person."""

import dataclasses
import datetime as dt
from typing import Any, NotRequired, TypedDict, Unpack

from django.db import transaction

from bookings import availability, claims, emails
from bookings.availability import GRID, HORIZON, MINIMUM_NOTICE, Asked
from bookings.eligibility import Outlook
from bookings.lifecycle import guardians, matching, safety, taking_back
from bookings.lifecycle.confirming import keep_up
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import ChangedSince, NotOffered, NotUpcoming, TooLate, refuse_age
from bookings.lifecycle.taking_back import Before
from bookings.lifecycle.tasks import close_tasks, reopen_tasks
from bookings.models import Booking, BookingState, TaskKind
from bookings.models.event import BENT, OPENING_HOURS, Actor
from clinic.models import Resource

# How soon and how far ahead: said of a time that is new to the visit.
OF_NOTICE = frozenset({MINIMUM_NOTICE, HORIZON})
REFUSED = {GRID: availability.NotOffered.OFF_GRID, OPENING_HOURS: availability.NotOffered.CLOSED}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reasons:
    """Why staff bend what stands in the way, where one reason does not do for all of it.

    ``findings`` is for what answers and earlier visits say, ``time`` for notice and horizon and, with ``bends_hours``,
    grid and opening hours.
    """

    findings: str = ""
    time: str = ""
    bends_hours: bool = True


class Wanted(TypedDict):
    """What a move is asked for. ``override`` is why staff bend rules; ``seen`` the visit's sequence as they saw it."""

    start: dt.datetime
    practitioner: Resource | None
    by: Who
    room: NotRequired[Resource | None]
    override: NotRequired[str | Reasons]
    is_known: NotRequired[bool]
    notify: NotRequired[bool]
    seen: NotRequired[int | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Move:
    """The same with what is usual, and ``back``: what it takes back, if that is what it does."""

    start: dt.datetime
    practitioner: Resource | None
    by: Who
    room: Resource | None = None
    override: str | Reasons = ""
    is_known: bool = True
    notify: bool = True
    seen: int | None = None
    back: Before | None = None

    @property
    def is_by_staff(self) -> bool:
        return not isinstance(self.by, Actor)

    @property
    def reasons(self) -> Reasons:
        """Nobody but staff has any."""
        if not self.is_by_staff:
            return Reasons()
        said = self.override
        return said if isinstance(said, Reasons) else Reasons(findings=said, time=said)

    @property
    def of_findings(self) -> str:
        return self.reasons.findings.strip()

    @property
    def of_time(self) -> str:
        return self.reasons.time.strip()


@dataclasses.dataclass(frozen=True)
class Found:
    """Who and what the visit gets, and what was bent for it: rules of time, and of answers and earlier visits."""

    choice: claims.Choice
    times: list[str]
    rules: list[str]


def reschedule(booking: Booking, *, now: dt.datetime, **wanted: Unpack[Wanted]) -> Booking:
    """Swap the visit's claims for those of ``start``; length and price stay as agreed.

    ``room`` is a wish: where it is not free, another one is taken. Without ``notify`` the patient gets no mail, and the
    history says so.

    Staff may move until somebody begins with the visit or its day is over, a patient until the cut-off; while answers
    given since it was arranged stand in its way until the start too, and free. Staff bend rules by ``override``, the
    reason. What a clinician has to see first makes the visit pending again; where staff move it to a time at which
    nothing has to be seen, it is booked. Without ``is_known`` earlier visits do not count, since the answer would tell
    of them. The same time again changes nothing. Raises NotUpcoming, TooLate, ChangedSince, NotEligible, NotOffered,
    SlotTaken, an Unsafe, NotAllowed; then the visit stands as it was.
    """
    return _reschedule(booking, Move(**wanted), now)


def move_back(booking: Booking, *, sequence: int, by: Who, now: dt.datetime) -> Booking:
    """Take back the move that made the visit's ``sequence``: to the time, person and, if free, room it had before.

    In review or not, it stands as it stood, unless somebody has answered or decided since; what was bent for that
    place is bent again, for the same reason. Who was told of the move is told of this too. Raises ChangedSince when the
    visit has another sequence by now or they came since, and whatever ``reschedule`` raises; then the visit stands as
    it was.
    """
    before = taking_back.before_latest_move(booking)
    if before is None:
        raise ChangedSince
    move = Move(
        start=before.start,
        practitioner=before.practitioner,
        room=before.room,
        by=by,
        notify=before.made.detail["mailed"],
        seen=sequence,
        back=before,
    )
    return _reschedule(booking, move, now)


def place_before(booking: Booking) -> tuple[dt.datetime, Resource, Resource | None] | None:
    """When, with whom and in which room the visit was before its latest move; None where it never moved."""
    before = taking_back.before_latest_move(booking)
    return (before.start, before.practitioner, before.room) if before else None


def _reschedule(booking: Booking, move: Move, now: dt.datetime) -> Booking:
    with claims.refusing_overlap(), transaction.atomic():
        claims.lock(service=booking.service, location=booking.location, also=booking)
        booking = Booking.objects.locked(booking.pk)
        is_as_seen = move.seen in (None, booking.sequence)
        if move.back and (not is_as_seen or move.back.is_overtaken(booking)):
            raise ChangedSince
        _refuse_too_late(booking, move, now)
        if _is_where_it_was(booking, move):
            return booking
        if not is_as_seen:
            raise ChangedSince
        outlook = safety.outlook_for(booking, now, is_known=move.is_known)
        is_settled = bool(move.back and move.back.is_settled(booking))
        stands = move.back.forgiving(booking, outlook, is_settled=is_settled) if move.back else outlook
        told = safety.told(booking, stands, on=move.start.astimezone(booking.location.zone).date())
        stands = stands if move.is_by_staff else told
        _refuse_unsafe(booking, move, stands)
        found = _found(booking, move, stands, now)
        was = taking_back.noted(booking)
        place(booking, found.choice, move.start, now)
        if move.back and is_settled:
            move.back.give_back(booking)
        _review_again(booking, move, told, is_bent=bool(found.rules), now=now)
        _write(booking, move, found, outlook, was, now)
        _tidy_up(booking, move, was, outlook, is_settled=is_settled, now=now)
        _tell(booking, move, was, now)
    return booking


def _found(booking: Booking, move: Move, outlook: Outlook, now: dt.datetime) -> Found:
    """Raises SlotTaken too where nothing but the room was to change, and the wish for it cannot be met."""
    location = booking.location
    asked: Asked = {
        "service": booking.agreed_service(),
        "location": location,
        "clinic": location.clinic,
        "ignoring": booking,
        "practitioner": move.practitioner,
        "room": move.room,
        "now": now,
        "opens_at": {} if move.of_findings else outlook.opens_at,
    }
    choice, times = _chosen(booking, move, asked)
    stays = (booking.starts_at, booking.practitioner) == (move.start, choice.practitioner)
    if stays and move.room is not None and choice.room != move.room:
        raise claims.SlotTaken
    grade = choice.practitioner.code
    return Found(choice, times, safety.bendable(outlook, grade, move.start, by=move.by, reason=move.of_findings))


def _chosen(booking: Booking, move: Move, asked: Asked) -> tuple[claims.Choice, list[str]]:
    """With the rules of time that are bent for it. Without a reason they hold for staff as for everybody."""
    is_its_own = move.start == booking.starts_at or move.back is not None
    if move.back or (move.of_time and move.reasons.bends_hours):
        choice, bent = claims.pick_bending(start=move.start, **asked)
    elif move.is_by_staff and (move.of_time or is_its_own):
        choice = claims.pick(start=move.start, **(asked | {"is_staff": True}))
        bent = availability.bent_by_time(move.start, asked)
    else:
        return claims.pick(start=move.start, **asked), []
    bent = [rule for rule in bent if not (is_its_own and rule in OF_NOTICE)]
    missing = [rule for rule in bent if move.back and rule not in move.back.bent]
    if missing:
        raise NotOffered(REFUSED[missing[-1]])
    return choice, bent


def _refuse_too_late(booking: Booking, move: Move, now: dt.datetime) -> None:
    if move.is_by_staff and booking.is_waited_for(now):
        return
    if not booking.is_upcoming:
        raise NotUpcoming
    if booking.has_started(now):
        raise TooLate
    is_past_cut_off = move.by is Actor.PATIENT and booking.is_late(now)
    if is_past_cut_off and not safety.stands_since_arranged(booking, now, is_known=move.is_known):
        raise TooLate


def _refuse_unsafe(booking: Booking, move: Move, outlook: Outlook) -> None:
    if move.practitioner and move.practitioner.code not in outlook.by_grade:
        raise NotOffered(availability.NotOffered.CLOSED)
    if not move.of_findings:
        grades = [move.practitioner.code] if move.practitioner else booking.service.grades
        safety.refuse_unsafe(outlook, grades, move.start)


def _is_where_it_was(booking: Booking, move: Move) -> bool:
    stays = move.practitioner in (None, booking.practitioner) and move.room in (None, booking.room)
    return booking.starts_at == move.start and stays


def _write(booking: Booking, move: Move, found: Found, outlook: Outlook, was: dict[str, Any], now: dt.datetime) -> None:
    """The row, its claims, and its history: first the move, then what was bent for it."""
    born = booking.patient.date_of_birth if booking.patient else None
    refuse_age(booking, born, by_phone=move.is_by_staff)
    booking.save()
    keep_up(booking, outlook)
    claims.replace(booking, found.choice)
    record(booking, "moved", by=move.by, now=now, **_told(booking, move, was))
    if move.back:
        for reason, rules in move.back.bent_again(booking, outlook, found.times):
            record(booking, BENT, by=move.by, now=now, reason=reason, rules=rules, kept=True)
        return
    for reason, rules in _bent(move, found):
        record(booking, BENT, by=move.by, now=now, reason=reason, rules=rules)


def _bent(move: Move, found: Found) -> list[tuple[str, list[str]]]:
    """One reason for all of it stands once: of what answers say, not everybody may read why it was bent."""
    both = [(move.of_time, found.times), (move.of_findings, found.rules)]
    if found.rules and move.of_time == move.of_findings:
        both = [(move.of_time, [*found.times, *found.rules])]
    return [(reason, rules) for reason, rules in both if rules]


def _tidy_up(
    booking: Booking, move: Move, was: dict[str, Any], outlook: Outlook, *, is_settled: bool, now: dt.datetime
) -> None:
    """The tasks that the new time makes needless, or, taken back, needed again."""
    guardians.keep_guarded(booking, now=now)
    if not is_settled and not safety.stands_untold(booking, outlook):
        close_tasks(booking, TaskKind.RECHECK, now=now)
    if not move.is_known:
        matching.look_for_recent_treatment(booking, now)
    if was["was_state"] == BookingState.PENDING and booking.state == BookingState.CONFIRMED:
        close_tasks(booking, TaskKind.REVIEW_LATE, now=now)
    if move.back and is_settled:
        reopen_tasks(booking, closed_at=move.back.made.at)


def _told(booking: Booking, move: Move, was: dict[str, Any]) -> dict[str, Any]:
    """What the history keeps of a move: enough to read it, and to undo it."""
    now_at = {
        "starts_at": move.start.isoformat(),
        "practitioner": booking.practitioner_id,
        "room": booking.room_id,
        "mailed": move.notify,
    }
    return {**was, **now_at, **({"undone": True} if move.back else {})}


def _tell(booking: Booking, move: Move, was: dict[str, Any], now: dt.datetime) -> None:
    if not move.notify:
        pass
    elif booking.state == BookingState.PENDING:
        emails.pending(booking, now=now)
    elif was["was_state"] == BookingState.PENDING:
        emails.confirmed(booking, now=now)
    else:
        emails.moved(booking, now=now)
    emails.staff_notice(booking, what="moved", now=now)


def _review_again(booking: Booking, move: Move, outlook: Outlook, *, is_bent: bool, now: dt.datetime) -> None:
    """Who bends a review for a new time has decided on it; where there is none, none is waited for.

    Not of a minor for whom nobody answers: that waits for a guardian, and then for an approval.
    """
    needs_review = outlook.outcome(booking.practitioner.code, booking.local_date).needs_review
    is_pending = booking.state == BookingState.PENDING
    if needs_review and is_bent and is_pending and not guardians.lacks_guardian(booking):
        approved(booking, now)
    elif needs_review and not is_bent and booking.state == BookingState.CONFIRMED:
        booking.state, booking.reply_by = BookingState.PENDING, outlook.reply_by
    elif is_pending and not needs_review and move.is_by_staff and move.back is None:
        _book(booking, now)
    elif booking.reply_by is not None and booking.reply_by <= now:
        # Its letter names the deadline: one that has passed would be no promise.
        booking.reply_by = outlook.reply_by


def _book(booking: Booking, now: dt.datetime) -> None:
    booking.state, booking.reply_by = BookingState.CONFIRMED, None
    booking.confirmed_at = booking.confirmed_at or now


def approved(booking: Booking, now: dt.datetime) -> None:
    """Set that a clinician has said yes; the caller saves the row."""
    _book(booking, now)
    booking.approved_at = booking.arranged_at = now


def place(booking: Booking, choice: claims.Choice, start: dt.datetime, now: dt.datetime) -> None:
    """Set where and when; the caller saves the row and replaces its claims."""
    if booking.state == BookingState.ARRIVED and booking.starts_at != start:
        # They are here for the time it had before.
        booking.state = BookingState.CONFIRMED
    booking.practitioner, booking.room = choice.practitioner, choice.room
    booking.starts_at, booking.ends_at = start, start + dt.timedelta(minutes=booking.minutes)
    booking.arranged_at = now
    # Said of the time it had before.
    booking.late_minutes = None
    booking.sequence += 1
