"""Answers stand in the way of a visit: several safe times, a skin check, or a person of the clinic. One press each."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from bookings import access, availability, lifecycle
from bookings.eligibility import FROM_HISTORY, Outlook
from bookings.models import Booking, Task, TaskKind
from bookings.models.event import Actor
from bookings.online import answers, doors, visit
from bookings.online.asked import LOOKED_AT, Asked, asked_for, start_of
from clinic import screening, words
from clinic.models import Service, Verdict
from clinic.screening import Finding, Rulebook

OFFERED = 3
TELLS_US = (TaskKind.RECHECK, TaskKind.SQUEEZED)
TITLES = {
    "wait": "Your skin needs a little longer",
    "consult": "A clinician needs to see your skin first",
    "review": "A clinician looks at this first",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ways:
    """What stands in the way, in words, and every way out. ``task`` is what happens when nothing is chosen."""

    kind: str
    reasons: list[str]
    texts: list[str]
    is_draft: bool
    asked: Asked
    times: list[dt.datetime]
    consult: Service | None
    consult_times: list[dt.datetime]
    task: Task | None

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def first_safe_date(self) -> dt.date | None:
        return self.asked.outlook.first_safe_date if self.asked.outlook else None


@require_safe
@visit.upcoming_page
def longer(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """The choice after an answer that stands in the way; a visit that nothing stands in the way of has none."""
    ways = ways_for(request, booking, now)
    return page(request, booking, ways, now) if ways else doors.see_other("visit:show")


@require_POST
@visit.upcoming_page
def ask(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """A person of the clinic decides: they call, and until then the visit stands."""
    if doors.is_too_often(request, "call", now):
        return doors.too_often(request)
    task = lifecycle.ask_clinic(booking, now=now)
    messages.success(request, f"{_calls_by(task, booking)} Until then your visit stands.")
    return doors.see_other("visit:show")


@require_POST
@visit.upcoming_page
def consult(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """A skin check in this visit's place."""
    start = start_of(request.POST, now)
    if start is None:
        return _not_that(request, booking, now, "That time is not on offer", status=422)
    try:
        is_known = access.came_by_link(request)
        changed = lifecycle.consult_instead(booking, start=start, by=Actor.PATIENT, is_known=is_known, now=now)
    except lifecycle.TooLate:
        return visit.too_late(request, booking, now)
    except lifecycle.NotUpcoming:
        return visit.over(request, booking, now)
    except lifecycle.SlotTaken:
        return _not_that(request, booking, now, "That time has just been taken", status=409)
    except lifecycle.Refused as refused:
        return _not_that(request, booking, now, str(refused), status=422)
    messages.success(request, f"Your visit is a {changed.service.title.lower()} now. We have emailed you.")
    return doors.see_other("visit:show")


def page(
    request: HttpRequest, booking: Booking, ways: Ways, now: dt.datetime, *, problem: str = "", status: int = 200
) -> HttpResponse:
    data = visit.context(booking, now) | {"ways": ways, "problem": problem, "is_draft": ways.is_draft}
    return render(request, "visit/longer.html", data, status=status)


def _not_that(request: HttpRequest, booking: Booking, now: dt.datetime, problem: str, *, status: int) -> HttpResponse:
    """The visit stands as it was; here are the other ways."""
    ways = ways_for(request, booking, now)
    if ways is not None:
        return page(request, booking, ways, now, problem=problem, status=status)
    return render(request, "visit/refusal.html", visit.context(booking, now) | {"title": problem}, status=status)


def _calls_by(task: Task, booking: Booking) -> str:
    """No promise to call before anybody answers the phone."""
    if task.due_at >= booking.starts_at:
        return "We will try to call you before your visit."
    return f"We will call you by {words.when(task.due_at, booking.location.zone)}."


def ways_for(request: HttpRequest, booking: Booking, now: dt.datetime) -> Ways | None:
    """None when nothing stands in the way of the visit."""
    book = screening.rulebook(booking.location.clinic)
    outlook = lifecycle.outlook_for(booking, now, book=book, is_known=access.came_by_link(request))
    outlook = lifecycle.told(booking, outlook)
    found = lifecycle.standing(booking, outlook)
    return _ways(booking, outlook, found, book, now) if found else None


def ways_without(booking: Booking, outlook: Outlook, now: dt.datetime) -> Ways:
    """For a time that was refused while nothing stands in the way of the visit itself."""
    all_found = (each for grade in outlook.by_grade for each in outlook.outcome(grade).findings)
    findings = list(dict.fromkeys(each for each in all_found if each.verdict is Verdict.CONSULT))
    return _ways(booking, outlook, findings, screening.rulebook(booking.location.clinic), now)


def _ways(booking: Booking, outlook: Outlook, found: Sequence[Finding], book: Rulebook, now: dt.datetime) -> Ways:
    asked, times = _safe_times(booking, outlook, now)
    advice = list(_advice(booking, asked, found, book))
    check = answers.skin_check(asked)
    return Ways(
        kind=_kind(found),
        reasons=list(dict.fromkeys(outlook.why(each) for each in found if each.verdict is Verdict.WAIT)),
        texts=list(dict.fromkeys(text for text, _ in advice)),
        is_draft=not all(is_signed for _, is_signed in advice),
        asked=asked,
        times=times,
        consult=check.service if check else None,
        consult_times=_soonest(check, booking) if check else [],
        task=booking.tasks.filter(kind__in=TELLS_US, done_at=None).first(),
    )


def _kind(found: Sequence[Finding]) -> str:
    verdicts = {each.verdict for each in found}
    return "consult" if Verdict.CONSULT in verdicts else "wait" if Verdict.WAIT in verdicts else "review"


def _safe_times(booking: Booking, outlook: Outlook, now: dt.datetime) -> tuple[Asked, list[dt.datetime]]:
    """The nearest, with the practitioner whom the patient chose; with anybody where that leaves nothing."""
    clinic, service = booking.location.clinic, booking.agreed_service()
    anyone = asked_for(clinic, service, booking.location, {}, now, outlook=outlook)
    if not booking.asked_for_any and booking.practitioner in anyone.people:
        theirs = dataclasses.replace(
            anyone, practitioner=booking.practitioner, outlook=outlook.with_grade(booking.practitioner.code)
        )
        times = nearest(theirs, booking)
        if times:
            return theirs, times
    return anyone, nearest(anyone, booking)


def nearest(asked: Asked, booking: Booking) -> list[dt.datetime]:
    """The times that are closest to the present one, closest first, without it.

    Those too close to an event only where there are no others.
    """
    count, zone = LOOKED_AT if booking.event_on else OFFERED + 1, booking.location.zone
    found = availability.nearest(to=booking.starts_at, count=count, **asked.search(ignoring=booking))
    near = [each.at for each in found if each.at != booking.starts_at]
    calm = [at for at in near if not booking.is_red_on(booking.event_on, after=at.astimezone(zone).date())]
    return (calm or near)[:OFFERED]


def _soonest(check: Asked, booking: Booking) -> list[dt.datetime]:
    return [each.at for each in availability.soonest(count=OFFERED, **check.search(ignoring=booking))]


def _advice(booking: Booking, asked: Asked, found: Sequence[Finding], book: Rulebook) -> Iterator[tuple[str, bool]]:
    """The words that follow each answer in the way, and whether they are signed."""
    clinic = booking.location.clinic
    known = {each.code: each for each in book.questions}
    assert asked.outlook, "a booked visit has one"
    for each in found:
        if each.question in known:
            question = known[each.question]
            yield answers.advice(question, clinic, asked.outlook.first_safe_date), question.is_signed
        elif each.question == FROM_HISTORY and each.verdict is not Verdict.WAIT:
            yield asked.outlook.texts[each.rule], True
