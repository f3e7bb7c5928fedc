"""The questions before a visit, and what answers mean. Answers themselves are never stored here.

``assess`` is a pure function: answers, rules, service, grade and dates in, findings out. The rules are data that a
clinician edits and signs; each names its sources and how far they may be trusted.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from clinic.models import Clinic, Part, Question, Rule, Undated, Verdict
from clinic.models.placeholders import fill
from clinic.models.shown import Shown, Versions, shown

MILDEST_FIRST = list(Verdict)
# It has bullets, but any one of them means the same: it is answered as a whole.
ANSWERED_WHOLE = "Q1"


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Answered:
    """One answer: ``parts`` are the codes of the ticked bullets, ``date`` is the latest day it was true of."""

    answer: Answer
    parts: frozenset[str] = frozenset()
    date: dt.date | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "answer": self.answer.value,
            "parts": sorted(self.parts),
            "date": self.date.isoformat() if self.date else None,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Answered":
        date = row.get("date")
        return cls(
            Answer(row["answer"]), frozenset(row.get("parts", ())), dt.date.fromisoformat(date) if date else None
        )


# By question code, such as "Q5".
Answers = Mapping[str, Answered]


class AskedPart(NamedTuple):
    """One bullet; ``short`` fits into a sentence."""

    code: str
    text: str
    short: str
    asks_date: bool
    version: int


@dataclass(frozen=True)
class Asked:
    """A question as a patient reads it; ``advice`` follows a yes."""

    code: str
    version: int
    stage: str
    lead: str
    parts: tuple[AskedPart, ...]
    advice: str
    applies_to: frozenset[str]
    date_label: str
    may_be_ahead: bool
    is_asked_again: bool
    is_private: bool
    is_signed: bool

    @property
    def asks_date(self) -> bool:
        return any(part.asks_date for part in self.parts)

    @property
    def is_tick_list(self) -> bool:
        """Its bullets are answered one by one."""
        return len(self.parts) > 1 and self.code != ANSWERED_WHOLE

    def is_for(self, codes: AbstractSet[str]) -> bool:
        """Whether a service with these codes asks it."""
        return not self.applies_to.isdisjoint(codes)


@dataclass(frozen=True)
class RuleShown:
    """What a ticked part means, as last signed. Empty ``applies_to`` and ``grades`` mean everywhere and everybody."""

    code: str
    version: int
    question: str
    part: str
    short: str
    verdict: Verdict
    days: int | None
    undated: Undated
    must_be_healed: bool
    applies_to: frozenset[str]
    grades: frozenset[str]
    is_signed: bool

    def is_for(self, codes: AbstractSet[str], grade: str) -> bool:
        is_here = not self.applies_to or not self.applies_to.isdisjoint(codes)
        return is_here and (not self.grades or grade in self.grades)


@dataclass(frozen=True)
class Finding:
    """One rule that an answer set off. ``until`` is the first local date that a wait allows."""

    question: str
    part: str
    rule: str
    version: int
    verdict: Verdict
    until: dt.date | None = None
    days: int | None = None
    short: str = ""
    must_be_healed: bool = False

    def on(self, visit_date: dt.date) -> "Finding":
        is_over = self.verdict is Verdict.WAIT and self.until is not None and visit_date >= self.until
        return replace(self, verdict=Verdict.NOTE) if is_over else self

    def approved(self) -> "Finding":
        return replace(self, verdict=Verdict.NOTE) if self.verdict is Verdict.REVIEW else self

    def as_json(self) -> dict[str, Any]:
        row = vars(self) | {"verdict": self.verdict.value}
        return row | {"until": self.until.isoformat() if self.until else None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Finding":
        until = row.get("until")
        date = dt.date.fromisoformat(until) if until else None
        return cls(**{**row, "verdict": Verdict(row["verdict"]), "until": date})


@dataclass(frozen=True)
class Outcome:
    """What all answers together mean for one service, grade and date."""

    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The strictest of all findings; a wait and a review both apply, and the review is the stricter word."""
        return max((each.verdict for each in self.findings), key=MILDEST_FIRST.index, default=Verdict.OK)

    @property
    def not_before(self) -> dt.date | None:
        """The first local date on which no wait stands in the way, whichever date was asked about; None for no wait."""
        return max((each.until for each in self.findings if each.until), default=None)

    @property
    def needs_review(self) -> bool:
        return self.has(Verdict.REVIEW)

    def has(self, verdict: Verdict) -> bool:
        return any(each.verdict == verdict for each in self.findings)

    def questions(self, *verdicts: Verdict) -> list[str]:
        """The codes of the questions behind the findings, or behind those with one of ``verdicts``; each once."""
        found = (each.question for each in self.findings if not verdicts or each.verdict in verdicts)
        return list(dict.fromkeys(found))

    def on(self, visit_date: dt.date) -> "Outcome":
        """The same for a visit on that local date: a wait that is over by then becomes a note."""
        return Outcome(tuple(each.on(visit_date) for each in self.findings))

    def without_review(self, approved: AbstractSet[str]) -> "Outcome":
        """The same once a clinician has said yes to what these rules set off: they are notes from then on."""
        return Outcome(tuple(each.approved() if each.rule in approved else each for each in self.findings))

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.findings + other.findings)


@dataclass(frozen=True)
class Rulebook:
    """All questions and rules as last signed; drafts where nothing was signed yet."""

    questions: tuple[Asked, ...]
    rules: tuple[RuleShown, ...]
    _by_code: Mapping[str, Asked] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_code", {asked.code: asked for asked in self.questions})

    def question(self, code: str) -> Asked:
        """KeyError for a code nobody knows."""
        return self._by_code[code]

    def asked(self, codes: AbstractSet[str], stage: str | None = None) -> list[Asked]:
        """The questions for a service with these codes, in order; ``stage`` None means all of them."""
        return [each for each in self.questions if each.is_for(codes) and stage in (None, each.stage)]

    def asked_again(self, codes: AbstractSet[str]) -> list[Asked]:
        """Those that are asked once more a day before the visit."""
        return [each for each in self.asked(codes) if each.is_asked_again]

    def words_of(self, asked: Sequence[Asked]) -> dict[str, int]:
        """The version of each of these questions and of their parts: the words that somebody had before them."""
        return {each.code: each.version for each in asked} | {
            part.code: part.version for each in asked for part in each.parts
        }

    def versions(self, codes: AbstractSet[str]) -> dict[str, int]:
        """The version of everything that is asked of, and may apply to, a service with these codes."""
        asked = self.asked(codes)
        known = {each.code for each in asked}
        return self.words_of(asked) | {rule.code: rule.version for rule in self.rules if rule.question in known}


def rulebook(clinic: Clinic, versions: Versions = shown) -> Rulebook:
    """Read all of it: three queries, and one more for each kind in which an edit waits for its signature.

    ``versions`` may be ``as_edited`` to try out what waits.
    """
    parts: dict[int, list[AskedPart]] = {}
    signed: dict[int, bool] = {}
    names: dict[int, tuple[str, str, str]] = {}
    rows = list(Question.objects.all())
    codes = {row.pk: row.code for row in rows}
    part_rows = list(Part.objects.all())
    for row, version in zip(part_rows, versions(part_rows), strict=True):
        part = _part(version, clinic)
        parts.setdefault(row.question_id, []).append(part)
        signed[row.question_id] = signed.get(row.question_id, True) and version.is_signed
        names[row.pk] = codes[row.question_id], part.code, part.short
    questions = tuple(
        _asked(row, version, tuple(parts.get(row.pk, [])), clinic, are_signed=signed.get(row.pk, True))
        for row, version in zip(rows, versions(rows), strict=True)
    )
    rule_rows = list(Rule.objects.all())
    rules = (_rule(version, *names[row.part_id]) for row, version in zip(rule_rows, versions(rule_rows), strict=True))
    return Rulebook(questions, tuple(rules))


def question(code: str, clinic: Clinic) -> Asked:
    """The last signed words of question ``code``, such as "Q1". Two queries. Question.DoesNotExist."""
    row = Question.objects.get(code=code)
    versions = shown(list(Part.objects.filter(question=row)))
    parts = tuple(_part(version, clinic) for version in versions)
    return _asked(row, shown([row])[0], parts, clinic, are_signed=all(version.is_signed for version in versions))


def assess(
    book: Rulebook, answers: Answers, *, codes: AbstractSet[str], grade: str, visit_date: dt.date | None, today: dt.date
) -> Outcome:
    """What ``answers`` mean for a service with ``codes``, done by a practitioner of ``grade``.

    ``visit_date`` and ``today`` are local to the visit. With a ``visit_date``, a wait that is over by then becomes a
    note; without one every wait stands. Answers to questions that the service does not ask mean nothing.
    """
    asked = {each.code for each in book.asked(codes)}
    findings = (
        _finding(rule, answers[rule.question], today)
        for rule in book.rules
        if rule.question in asked and rule.is_for(codes, grade) and is_set_off(rule, answers.get(rule.question))
    )
    outcome = Outcome(tuple(findings))
    return outcome.on(visit_date) if visit_date else outcome


def warning_signs(book: Rulebook, answers: Answers) -> list[Asked]:
    """The questions whose answers mean medical help first: whatever the visit, and whoever would do it."""
    found = {
        rule.question
        for rule in book.rules
        if rule.verdict is Verdict.HELP and is_set_off(rule, answers.get(rule.question))
    }
    return [asked for asked in book.questions if asked.code in found]


def is_set_off(rule: RuleShown, answered: Answered | None) -> bool:
    """ "Not sure" counts as yes, and a yes that names no part as every part: that includes the strictest."""
    if answered is None or answered.answer is Answer.NO:
        return False
    is_whole = answered.answer is Answer.UNSURE or not answered.parts
    return is_whole or rule.part in answered.parts


def unanswered(book: Rulebook, answers: Answers, codes: AbstractSet[str], stage: str | None = None) -> list[Asked]:
    """The questions that a service with these codes asks and nobody answered yet, in order."""
    return [asked for asked in book.asked(codes, stage) if asked.code not in answers]


def merged(rounds: Iterable[Answers]) -> dict[str, Answered]:
    """Several rounds of answers as one: the newest says what is true now, and forgets no date that was said before."""
    known: dict[str, Answered] = {}
    for answers in rounds:
        for code, answered in answers.items():
            known[code] = _newer(known.get(code), answered)
    return known


def _newer(before: Answered | None, now: Answered) -> Answered:
    """ "Nothing new" since the last time does not undo a yes; a new yes adds to it."""
    if before is None or before.answer is Answer.NO:
        return now
    if now.answer is Answer.NO:
        return before
    whole = not before.parts or not now.parts
    dates = [each.date for each in (before, now) if each.date]
    return replace(now, parts=frozenset() if whole else before.parts | now.parts, date=max(dates, default=None))


def _finding(rule: RuleShown, answered: Answered, today: dt.date) -> Finding:
    found = Finding(
        question=rule.question,
        part=rule.part,
        rule=rule.code,
        version=rule.version,
        verdict=rule.verdict,
        days=rule.days,
        short=rule.short,
        must_be_healed=rule.must_be_healed,
    )
    if rule.verdict is not Verdict.WAIT:
        return found
    date = answered.date or (today if rule.undated is Undated.TODAY else None)
    if date is None:
        return replace(found, verdict=Verdict.REVIEW)
    return replace(found, until=date + dt.timedelta(days=rule.days or 0))


def _part(version: Shown, clinic: Clinic) -> AskedPart:
    fields = version.fields
    return AskedPart(version.code, fill(fields["text"], clinic), fields["short"], fields["asks_date"], version.version)


def _asked(row: Question, version: Shown, parts: tuple[AskedPart, ...], clinic: Clinic, *, are_signed: bool) -> Asked:
    fields = version.fields
    return Asked(
        code=row.code,
        version=version.version,
        stage=row.stage,
        lead=fill(fields["lead"], clinic),
        parts=parts,
        # The first safe date is known only with the answers; who shows the advice fills it in.
        advice=fill(fields["advice"], clinic, earliest_date="{{earliest_date}}"),
        applies_to=frozenset(fields["applies_to"]),
        date_label=fields["date_label"],
        may_be_ahead=fields["may_be_ahead"],
        is_asked_again=fields["is_asked_again"],
        is_private=fields["is_private"],
        is_signed=version.is_signed and are_signed,
    )


def _rule(version: Shown, question: str, part: str, short: str) -> RuleShown:
    fields = version.fields
    return RuleShown(
        code=version.code,
        version=version.version,
        question=question,
        part=part,
        short=short,
        verdict=Verdict(fields["verdict"]),
        days=fields["days"],
        undated=Undated(fields["undated"]),
        must_be_healed=fields["must_be_healed"],
        applies_to=frozenset(fields["applies_to"]),
        grades=frozenset(fields["grades"]),
        is_signed=version.is_signed,
    )
