"""Whether answers, history and age allow a visit at a time, and who may decide otherwise."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from django.contrib.auth.models import User
from django.db.models import Q

from bookings import availability, eligibility
from bookings.ages import needs_guardian
from bookings.eligibility import FROM_HISTORY, NOTHING_SAID, Known, Outlook, Said
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import (
    ConsultOnly,
    NeedsHelp,
    NeedsReason,
    NotAllowed,
    NotSafeYet,
    ReviewFirst,
    Unsafe,
)
from bookings.models import Booking, BookingState, RunKind
from bookings.models.event import BENT, Actor
from clinic.models import Location, Service, Verdict
from clinic.screening import Finding, Outcome, Rulebook

# Mildest first: where several grades could do a visit, the mildest of their refusals is the one to tell.
UNSAFE = (ReviewFirst, NotSafeYet, ConsultOnly, NeedsHelp)
DECIDES = "decide_reviews"
STANDING = {Verdict.WAIT, Verdict.REVIEW, Verdict.CONSULT}
# Rounds of answers that may change what was arranged.
ASKED_SINCE = (RunKind.RECHECK, RunKind.SQUEEZED, RunKind.DESK)


def is_clinician(user: User) -> bool:
    """Holds the right to decide on reviews and to bend waiting times."""
    return holds(user, DECIDES)


def holds(user: User, codename: str) -> bool:
    """Was given this right by name or by role. A superuser does not have it for being one."""
    return (
        user.is_active
        and User.objects.filter(
            Q(groups__permissions__codename=codename) | Q(user_permissions__codename=codename), pk=user.pk
        ).exists()
    )


def refuse_without_reason(reason: str) -> str:
    """The reason, tidied. Raises NeedsReason."""
    if not reason.strip():
        raise NeedsReason
    return reason.strip()


def refuse_others(by: Who) -> User:
    """The clinician who acts. Raises NotAllowed for everybody else."""
    if isinstance(by, Actor) or not is_clinician(by):
        raise NotAllowed
    return by


def outlook_while_booking(*, service: Service, location: Location, said: Said, now: dt.datetime) -> Outlook | None:
    """None for somebody who has said nothing and is not known: the details step asks, so nothing is read here."""
    if said == NOTHING_SAID:
        return None
    return eligibility.outlook(service=service, location=location, clinic=location.clinic, said=said, now=now)


def outlook_for(
    booking: Booking,
    now: dt.datetime,
    *,
    service: Service | None = None,
    book: Rulebook | None = None,
    known: Known | None = None,
    is_known: bool = True,
) -> Outlook:
    """For a booked visit, or for another ``service`` in its place: all answers and the patient's own history.

    ``known`` spares reading that for each of many visits; their ``screenings`` are prefetched then.
    Without ``is_known`` (a browser that did not come by a signed link) earlier visits stay out of it.
    """
    said = eligibility.said_for(booking)
    return eligibility.outlook(
        service=service or _as_arranged(booking),
        location=booking.location,
        clinic=booking.location.clinic,
        said=said if is_known else replace(said, patient=None),
        ignoring=booking,
        book=book,
        known=known,
        now=now,
    )


def _as_arranged(booking: Booking) -> Service:
    """With the grade of who does it, even where the catalogue has taken the service from them since."""
    service = booking.agreed_service()
    service.grades = list(dict.fromkeys([*service.grades, booking.practitioner.code]))
    return service


def standing(booking: Booking, outlook: Outlook) -> list[Finding]:
    """What stands in the way of the visit as it is arranged, less what staff bent for it.

    While a clinician looks, what they look at does not.
    """
    found = outlook.outcome(booking.practitioner.code, booking.local_date).findings
    counts = STANDING - {Verdict.REVIEW} if booking.state == BookingState.PENDING else STANDING
    stands = [each for each in found if each.verdict in counts]
    bent = _bent(booking) if stands else {}
    return [each for each in stands if each.rule not in bent or _is_anew(booking, each, bent[each.rule])]


def told(booking: Booking, outlook: Outlook, *, on: dt.date | None = None) -> Outlook:
    """As far as the patient's pages and mail may show it: a guardian may read what a minor was asked alone.

    Nothing of that may be the one reason for anything they see. Staff and the door of the room know all of it. ``on``
    is the day of a visit that is about to move.
    """
    if not needs_guardian(outlook.said.born, on or booking.local_date):
        return outlook
    private = {each.code for each in outlook.book.questions if each.is_private}
    by_grade = {
        grade: Outcome(tuple(each for each in outcome.findings if each.question not in private))
        for grade, outcome in outlook.by_grade.items()
    }
    return replace(outlook, by_grade=by_grade)


def stands_untold(booking: Booking, outlook: Outlook) -> bool:
    """Whether all that stands in the way is what their pages do not show."""
    return bool(standing(booking, outlook)) and not standing(booking, told(booking, outlook))


def stands_since_arranged(booking: Booking, now: dt.datetime, *, is_known: bool = True) -> bool:
    """Whether answers that were given since the visit was arranged stand in its way, as far as its pages show them.

    Then it moves, or is cancelled, until its start, and free: nobody pays for an honest answer.
    """
    since = booking.screenings.filter(kind__in=ASKED_SINCE, made_at__gte=booking.arranged_at or booking.held_at)
    return since.exists() and bool(standing(booking, told(booking, outlook_for(booking, now, is_known=is_known))))


def _bent(booking: Booking) -> dict[str, dt.datetime]:
    """The rules that staff bent for the visit as it is arranged now, and when."""
    events = booking.events.filter(verb=BENT, at__gte=booking.arranged_at or booking.held_at)
    return {rule: event.at for event in events for rule in event.detail["rules"]}


def _is_anew(booking: Booking, found: Finding, bent_at: dt.datetime) -> bool:
    """Whether the question was answered with yes again since its rule was bent: nobody has looked at that."""
    return found.question in eligibility.said_yes_to(booking.screenings.filter(made_at__gt=bent_at))


def refuse_unsafe(outlook: Outlook, grades: Iterable[str], start: dt.datetime) -> None:
    """Raise an ``Unsafe`` when no practitioner of any of ``grades`` may see this person at ``start``."""
    found = _mildest(outlook, grades, start)
    if found is not None:
        raise found


def _mildest(outlook: Outlook, grades: Iterable[str], start: dt.datetime) -> Unsafe | None:
    """None when any of ``grades`` may. Of several waits the shortest."""
    problems = [problem(outlook, grade, start) for grade in grades]
    found = [each for each in problems if each is not None]
    return min(found, key=_mildness) if len(found) == len(problems) and found else None


def _mildness(refused: Unsafe) -> tuple[int, dt.date]:
    first = refused.first if isinstance(refused, NotSafeYet) else None
    return UNSAFE.index(type(refused)), first or dt.date.max


def problem_of(held: Booking, outlook: Outlook) -> Unsafe | None:
    """What stands in the way of a held time. Who left it to us with whom hears what all who work there may do."""
    stands = problem(outlook, held.practitioner.code, held.starts_at)
    if stands is None or not held.asked_for_any:
        return stands
    others = availability.practitioners(service=held.service, location=held.location, on=outlook.today)
    of_all = _mildest(outlook, {held.practitioner.code, *(each.code for each in others)}, held.starts_at)
    return of_all or NotSafeYet(None, outlook.with_grade(held.practitioner.code).reasons)


def problem(outlook: Outlook, grade: str, start: dt.datetime) -> Unsafe | None:
    """What stands in the way of a visit at ``start`` with a practitioner of ``grade``."""
    found = outlook.outcome(grade, start.astimezone(outlook.zone).date())
    if found.has(Verdict.HELP):
        return NeedsHelp()
    if found.has(Verdict.CONSULT):
        return ConsultOnly()
    if found.has(Verdict.WAIT) and found.not_before:
        return NotSafeYet(found.not_before, outlook.with_grade(grade).reasons)
    if found.needs_review and start < outlook.review_opens:
        return ReviewFirst(outlook.reply_by, outlook.zone)
    return None


def override(booking: Booking, outlook: Outlook, start: dt.datetime, *, by: Who, reason: str, now: dt.datetime) -> bool:
    """Let staff bend what stands in the way, with a reason in the log; whether anything was bent.

    Nobody bends a warning sign, or a skin check that must come first. What answers say takes a clinician; a gap
    between visits takes a reason. Raises the ``Unsafe`` itself where no reason is given, and NotAllowed.
    """
    rules = bendable(outlook, booking.practitioner.code, start, by=by, reason=reason)
    if rules:
        record(booking, BENT, by=by, now=now, reason=reason.strip(), rules=rules)
    return bool(rules)


def bendable(outlook: Outlook, grade: str, start: dt.datetime, *, by: Who, reason: str) -> list[str]:
    """The codes of the rules that ``override`` bends; raises the same."""
    found = outlook.outcome(grade, start.astimezone(outlook.zone).date())
    bent = [each for each in found.findings if each.verdict in STANDING]
    stands = problem(outlook, grade, start)
    if isinstance(by, Actor) or not reason.strip():
        if stands is not None:
            raise stands
        return []
    if isinstance(stands, NeedsHelp | ConsultOnly):
        raise stands
    if not all(_is_history(each) for each in bent) and not is_clinician(by):
        raise NotAllowed
    return sorted({each.rule for each in bent})


def may_bend(outlook: Outlook, grade: str, start: dt.datetime, *, decides: bool) -> bool:
    """Whether a reason of this person, who ``decides`` as a clinician or not, could bend all that stands in the way."""
    found = outlook.outcome(grade, start.astimezone(outlook.zone).date())
    bent = [each for each in found.findings if each.verdict in STANDING]
    if isinstance(problem(outlook, grade, start), NeedsHelp | ConsultOnly):
        return False
    return bool(bent) and (decides or all(_is_history(each) for each in bent))


def _is_history(found: Finding) -> bool:
    return found.question == FROM_HISTORY and found.verdict is Verdict.WAIT
