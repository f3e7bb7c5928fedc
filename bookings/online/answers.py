"""What this browser has answered so far, and what it means for the visit it looks at."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol

from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property

from bookings import access, eligibility, forms, lifecycle
from bookings.eligibility import Outlook, Said
from bookings.forms.questions import HAD_CONSULTATION, LAST_EXTRACTION
from bookings.models import ScreeningRun
from bookings.online.asked import Asked
from clinic import screening, words
from clinic.models import Clinic, History, Service, Verdict
from clinic.models.placeholders import fill
from clinic.screening import Answer, Answered, Rulebook

SKIN = "skin"
# Beside the codes of questions: which of earlier visits was asked, whatever was said.
ASKED_HISTORY = "history-"
HISTORY_FIELDS: dict[str, str] = {History.GAP: LAST_EXTRACTION, History.NEEDS: HAD_CONSULTATION}
# Its own visit is never the answer to what stands in the way of a visit.
CONSULT = "consult"


def said_by(request: HttpRequest, now: dt.datetime) -> Said:
    """Nothing for a browser that has answered nothing and came by no signed link."""
    return eligibility.said_of(access.screening_run(request, now), patient=access.known_patient(request))


def with_outlook(asked: Asked, said: Said) -> Asked:
    """The same visit, searched only for times that are safe for this person with the practitioner they chose."""
    outlook = lifecycle.outlook_while_booking(service=asked.service, location=asked.location, said=said, now=asked.now)
    if outlook is not None and asked.practitioner is not None:
        outlook = outlook.with_grade(asked.practitioner.code)
    return dataclasses.replace(asked, outlook=outlook)


class Answering(Protocol):
    """A form that asked questions: ``asked``, and what of ``history`` we do not know."""

    asked: list[screening.Asked]
    history: list[tuple[str, str]]

    @property
    def errors(self) -> Any: ...
    @property
    def answers(self) -> dict[str, Answered]: ...
    @property
    def last_extraction_on(self) -> dt.date | None: ...
    @property
    def had_consultation(self) -> bool | None: ...


def keep(request: HttpRequest, form: Answering, book: Rulebook, now: dt.datetime) -> ScreeningRun | None:
    """Add what was answered to what this browser said before, for a day from now on. None for nothing at all."""
    run = access.screening_run(request, now)
    if run is None and not (form.answers or form.history):
        return None
    run = run or ScreeningRun(made_at=now)
    answered = [each for each in form.asked if each.code in form.answers]
    run.answers = {**run.answers, **{code: each.as_json() for code, each in form.answers.items()}}
    run.versions = {**run.versions, **book.words_of(answered)}
    told = {kind for kind, _ in form.history if HISTORY_FIELDS[kind] not in form.errors}
    run.versions = {**run.versions, **{f"{ASKED_HISTORY}{kind}": 1 for kind in told}}
    if History.GAP in told:
        run.last_extraction_on = form.last_extraction_on
    if History.NEEDS in told:
        run.had_consultation = form.had_consultation
    return access.keep_run(request, run, now)


def open_history(
    request: HttpRequest, service: Service, now: dt.datetime, data: QueryDict | None = None
) -> list[tuple[str, str]]:
    """What of earlier visits nobody told from this browser yet, and what comes along in ``data`` once more."""
    run = access.screening_run(request, now)
    told = run.versions if run else {}
    return [
        (kind, text)
        for kind, text in eligibility.history_asked(service)
        if f"{ASKED_HISTORY}{kind}" not in told or any(name.startswith(HISTORY_FIELDS[kind]) for name in data or ())
    ]


def digest(run: ScreeningRun | None) -> str:
    """Tells whether answers are still those that somebody checked; of two people at one browser each has their own."""
    said = [run.answers, str(run.last_extraction_on), run.had_consultation] if run else []
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
        return any(each.verdict is Verdict.REVIEW and each.days and each.question in asked for each in found)

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
