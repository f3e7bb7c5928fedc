"""What staff should know before a visit, a word or two each. A flag never tells what was answered."""

import datetime as dt
from collections.abc import Iterable, Sequence

from bookings import rechecking
from bookings.ages import needs_guardian
from bookings.models import Booking, BookingState, MailState, RunKind, ScreeningRun
from clinic.models import Verdict
from clinic.screening import Answer

# Nothing is left to ask once the visit is over.
OVER = {BookingState.COMPLETED, BookingState.MISSED}
# A few minutes are nobody's fault.
LATE_AFTER = dt.timedelta(minutes=10)


def rounds_of(bookings: Iterable[Booking]) -> dict[int, list[ScreeningRun]]:
    """Every round of answers by booking, in order; one query."""
    found: dict[int, list[ScreeningRun]] = {booking.pk: [] for booking in bookings}
    kept = ScreeningRun.objects.filter(booking__in=list(found)).only(
        "booking_id", "kind", "answers", "verdict", "made_at"
    )
    for run in kept:
        found[run.booking_id or 0].append(run)
    return found


def of(
    booking: Booking, rounds: Sequence[ScreeningRun], *, day: dt.date, is_away: bool, now: dt.datetime
) -> tuple[str, ...]:
    """``booking`` carries what the board annotates; ``now`` is by the wall clock of its house.

    Somebody who is away leaves a visit to be moved.
    """
    if booking.state == BookingState.HELD:
        return ()
    is_over = booking.state in OVER
    is_waiting = booking.state == BookingState.PENDING
    late = _late(booking, day, now)
    has_told = any(run.verdict != Verdict.OK for run in rounds)
    flags = {
        late: bool(late),
        "To move: away": is_away and not is_over,
        "Mail failed": mail_of(booking) == MailState.FAILED,
        "No email": mail_of(booking) == MailState.NO_ADDRESS,
        "Screening outstanding": booking.is_screening_outstanding and not is_over,
        "Guardian": _waits_for_guardian(booking, day) and not is_over,
        "Squeezed": any(run.kind == RunKind.SQUEEZED for run in rounds),
        "Re-check: changed": any(run.kind == RunKind.RECHECK and _says_something_new(run) for run in rounds),
        "Not re-checked": rechecking.is_due(booking, now) and not rechecking.has_answered(booking, rounds),
        "Answers to review": has_told and is_waiting,
        "Answers": has_told and not is_waiting,
        "First visit": not getattr(booking, "has_earlier_visit", False),
        "For someone else": booking.is_for_someone_else,
        "Access need": bool(booking.wishes),
    }
    return tuple(flag for flag, is_set in flags.items() if is_set)


def mail_of(booking: Booking) -> str:
    """The state of its confirmation; "" for none."""
    return getattr(booking, "mail_state", None) or ""


def _late(booking: Booking, day: dt.date, now: dt.datetime) -> str:
    """How late, if the patient said so; else that they should be here by now. "" for whoever is here or not late."""
    if booking.state != BookingState.CONFIRMED:
        return ""
    if booking.late_minutes:
        return f"Late {booking.late_minutes} min"
    return "Late" if now.date() == day and now >= booking.starts_at + LATE_AFTER else ""


def _waits_for_guardian(booking: Booking, day: dt.date) -> bool:
    guardian = getattr(booking, "guardian", None)
    born = booking.patient.date_of_birth if booking.patient else None
    return guardian.agreed_at is None if guardian else needs_guardian(born, day)


def _says_something_new(run: ScreeningRun) -> bool:
    return any(row["answer"] != Answer.NO for row in run.answers.values())
