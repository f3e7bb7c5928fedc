"""What this browser has answered so far, and what it means for the visit it looks at."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

from bookings import access, availability, eligibility, forms, lifecycle
from bookings.eligibility import Outlook, Said
from bookings.forms.fields import FOR_ME, one_line
from bookings.forms.questions import HAD_CONSULTATION, LAST_EXTRACTION
from bookings.models import Patient, ScreeningRun
from bookings.online.asked import Asked, asked_for
from clinic import screening, words
from clinic.models import Clinic, History, Service, Verdict
from clinic.models.placeholders import fill
from clinic.screening import Answer, Answered, Rulebook

SKIN = "skin"
# Beside the codes of questions: which of earlier visits was asked, whatever was said.
ASKED_HISTORY = "history-"
HISTORY_FIELDS: dict[str, str] = {History.GAP: LAST_EXTRACTION, History.NEEDS: HAD_CONSULTATION}
SAID_OF = {History.GAP: ("had_extraction", "last_extraction_on"), History.NEEDS: ("had_consultation",)}


def said_by(request: HttpRequest, now: dt.datetime) -> Said:
    """Nothing for a browser that has answered nothing and came by no signed link of their own."""
    return eligibility.said_of(access.screening_run(request, now), patient=own_patient(request, for_whom(request)))


def for_whom(request: HttpRequest) -> str:
    """Who the visit is for: as this form says, or as was said before."""
    return request.POST.get("for_whom") or for_whom_before(request)


def for_whom_before(request: HttpRequest) -> str:
    return str(access.draft(request).get("for_whom") or FOR_ME)


def own_patient(request: HttpRequest, whom: str) -> Patient | None:
    """Who came by a signed link of their own, and books for themselves: their earlier visits count from the start.

    Of a visit for somebody else the link went to who booked it, and of a minor's maybe to the guardian. A form with
    another name is about somebody else, whatever it says.
    """
    booking = access.visit_of(request) if access.came_by_link(request) else None
    patient = booking.patient if booking else None
    if patient is None or booking is None or whom != FOR_ME or booking.is_for_someone_else:
        return None
    is_named = one_line(request.POST.get("name", "")) in ("", patient.name)
    return patient if is_named and booking.reader == (patient.name, patient.email) else None


def with_outlook(asked: Asked, said: Said) -> Asked:
    """The same visit, searched only for times that are safe for this person with the practitioner they chose."""
    outlook = lifecycle.outlook_while_booking(service=asked.service, location=asked.location, said=said, now=asked.now)
    return asked.with_outlook(outlook)


def skin_check(asked: Asked) -> Asked | None:
    """A skin check in the same house, with anyone, as far as it is open to this person; None where there is none.

    Of a minor a clinician looks at the answers even then.
    """
    found = availability.skin_check(beside=asked.service, location=asked.location, on=asked.today)
    if found is None or asked.outlook is None:
        return None
    outlook = eligibility.outlook(
        service=found,
        location=asked.location,
        clinic=asked.clinic,
        said=asked.outlook.said,
        book=asked.outlook.book,
        now=asked.now,
    )
    return asked_for(asked.clinic, found, asked.location, {}, asked.now, outlook=outlook)


def open_skin_check(asked: Asked) -> Asked | None:
    """Where a clinician has to look at the answers first: the skin check that is open without waiting for that."""
    if asked.outlook is None or not asked.outlook.needs_review:
        return None
    found = skin_check(asked)
    return found if found and found.outlook and not found.outlook.needs_review else None


class Answering(Protocol):
    """A form that asked questions: ``asked``, and what of ``history`` we do not know."""

    asked: list[screening.Asked]
    history: list[tuple[str, str]]

    @property
    def left_for_the_room(self) -> AbstractSet[str]: ...
    @property
    def errors(self) -> Any: ...
    @property
    def answers(self) -> dict[str, Answered]: ...
    @property
    def earlier_visits(self) -> dict[str, Any]: ...


def keep(request: HttpRequest, form: Answering, book: Rulebook, now: dt.datetime) -> ScreeningRun | None:
    """Add what was answered to what this browser said before, for a day from now on. None for nothing at all."""
    run = access.screening_run(request, now)
    unclear, told = _unclear(form), _told(form)
    said = {code: each for code, each in form.answers.items() if code not in unclear}
    before = run.answers if run else {}
    known = {code: row for code, row in before.items() if code not in unclear | form.left_for_the_room}
    if not (said or told) and known == before:
        return run
    run = run or ScreeningRun(made_at=now)
    run.answers = {**known, **{code: each.as_json() for code, each in said.items()}}
    run.versions = {**run.versions, **book.words_of([each for each in form.asked if each.code in said])}
    run.versions = {**run.versions, **{f"{ASKED_HISTORY}{kind}": 1 for kind in told}}
    for name in (name for kind in told for name in SAID_OF[History(kind)]):
        setattr(run, name, form.earlier_visits[name])
    return access.keep_run(request, run, now)


def _unclear(form: Answering) -> set[str]:
    """The questions whose date is wrong: they are asked again, whatever was said of them before."""
    return {each.code for each in form.asked if f"{forms.name_of(each.code)}_date" in form.errors}


def _told(form: Answering) -> set[str]:
    """Which of earlier visits was told; of a form that is complete also what was left empty in it."""
    said = form.earlier_visits
    return {
        kind
        for kind, _ in form.history
        if not any(name.startswith(HISTORY_FIELDS[kind]) for name in form.errors)
        and (not form.errors or any(said[name] not in (None, "") for name in SAID_OF[History(kind)]))
    }


def open_history(run: ScreeningRun | None, service: Service, data: QueryDict | None = None) -> list[tuple[str, str]]:
    """What of earlier visits nobody told from this browser yet, and what comes along in ``data`` once more."""
    told = run.versions if run else {}
    return [
        (kind, text)
        for kind, text in eligibility.history_asked(service)
        if f"{ASKED_HISTORY}{kind}" not in told or any(name.startswith(HISTORY_FIELDS[kind]) for name in data or ())
    ]


def digest(run: ScreeningRun | None) -> str:
    """Tells whether answers are still those that somebody checked; of two people at one browser each has their own."""
    said = [run.answers, run.had_extraction, str(run.last_extraction_on), run.had_consultation] if run else []
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def initial_of(run: ScreeningRun | None, asked: Sequence[screening.Asked]) -> dict[str, Any]:
    """What was answered before, as the fields of a form show it."""
    return forms.initial_of(eligibility.said_of(run), asked) if run else {}


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What the answers mean, in words for a page: ``outlook`` of one visit, and the texts behind it."""

    outlook: Outlook
    service: Service
    clinic: Clinic

    @cached_property
    def first_safe_date(self) -> dt.date | None:
        return self.outlook.first_safe_date

    @property
    def needs_review(self) -> bool:
        return self.outlook.needs_review

    @property
    def is_all_clear(self) -> bool:
        """Everything that is asked before a time is held was answered, and nothing stands in the way."""
        answers = self.outlook.said.answers
        has_all = bool(answers) and not screening.unanswered(self.outlook.book, answers, self.service.codes, SKIN)
        stands = self.outlook.questions(Verdict.WAIT, Verdict.REVIEW, Verdict.CONSULT)
        return has_all and not stands and all(each.answer is Answer.NO for each in answers.values())

    @cached_property
    def must_be_healed(self) -> bool:
        found = (each for grade in self.outlook.by_grade for each in self.outlook.outcome(grade).findings)
        return any(each.must_be_healed and each.until and each.until > self.outlook.today for each in found)

    @cached_property
    def lacks_day(self) -> bool:
        """A wait whose day was not given, so that a clinician looks instead."""
        found = (each for grade in self.outlook.by_grade for each in self.outlook.outcome(grade).findings)
        asked = {each.code for each in self.outlook.book.questions}
        lacks = any(each.verdict is Verdict.REVIEW and each.days and each.question in asked for each in found)
        return lacks or self.outlook.said.is_extraction_unproven

    @cached_property
    def texts(self) -> list[str]:
        """The advice that follows each answer which makes this person wait, or a clinician look; then of history."""
        codes = self.outlook.questions(Verdict.WAIT, Verdict.REVIEW, Verdict.CONSULT)
        asked = [each for each in self.outlook.book.questions if each.code in codes]
        return [advice(each, self.clinic, self.first_safe_date) for each in asked] + self._history()

    def _history(self) -> list[str]:
        found = (each.rule for grade in self.outlook.by_grade for each in self.outlook.outcome(grade).findings)
        rules = dict.fromkeys(rule for rule in found if rule in self.outlook.texts)
        return [self.outlook.texts[rule] for rule in rules]


def advice(asked: screening.Asked, clinic: Clinic, first_safe_date: dt.date | None) -> str:
    """What follows a yes, with its first safe date if there is one."""
    return fill(asked.advice, clinic, earliest_date=words.day(first_safe_date) if first_safe_date else "")


def meaning_of(asked: Asked) -> Meaning | None:
    """For a page about ``asked``; None for somebody who has said nothing."""
    if asked.outlook is None:
        return None
    return Meaning(asked.outlook, asked.service, asked.clinic)
