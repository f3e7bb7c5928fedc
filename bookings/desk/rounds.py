"""Rounds of answers read back: each question in the words of the version that was asked."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from bookings import eligibility
from bookings.desk import findings
from bookings.desk.findings import Line
from bookings.models import ScreeningRun
from clinic.models import Clinic, HistoryRule, Part, Question, Revision
from clinic.models.placeholders import fill
from clinic.models.shown import read_back
from clinic.screening import Answer, Answered

ANSWERS = {Answer.YES: "Yes", Answer.NO: "No", Answer.UNSURE: "Not sure"}


@dataclasses.dataclass(frozen=True)
class Bullet:
    text: str
    is_ticked: bool


@dataclasses.dataclass(frozen=True)
class Said:
    """One question and its answer. ``bullets`` are empty where the question is one sentence."""

    code: str
    version: int | None
    lead: str
    bullets: tuple[Bullet, ...]
    answer: str
    date: dt.date | None

    @property
    def is_no(self) -> bool:
        return self.answer == ANSWERS[Answer.NO]

    @property
    def ticked(self) -> list[str]:
        return [each.text for each in self.bullets if each.is_ticked]


@dataclasses.dataclass(frozen=True)
class Round:
    """``said`` is empty once the answers were deleted."""

    run: ScreeningRun
    said: tuple[Said, ...]
    lines: tuple[Line, ...]

    @property
    def noes(self) -> list[str]:
        """The codes of the questions that were answered with no."""
        return [each.code for each in self.said if each.is_no]


def read(runs: Sequence[ScreeningRun], clinic: Clinic) -> list[Round]:
    """In the order of ``runs``, for somebody who may see answers. Two queries."""
    words = _Words(runs, clinic)
    return [Round(run, tuple(words.said(run)), tuple(words.lines(run))) for run in runs]


class _Words:
    """Every version that any of some rounds was asked in."""

    def __init__(self, runs: Iterable[ScreeningRun], clinic: Clinic) -> None:
        self.clinic = clinic
        asked = {version for run in runs for version in run.versions.items()}
        applied = {(found.rule, found.version) for run in runs for found in findings.of_run(run)}
        self.rows = read_back(asked | applied, Question, Part, HistoryRule)
        self.parts: dict[str, list[str]] = {}
        for code, question in Part.objects.values_list("code", "question__code"):
            self.parts.setdefault(question, []).append(code)

    def said(self, run: ScreeningRun) -> Iterable[Said]:
        for code, answered in eligibility.answers_of(run).items():
            row = self._row(run, code)
            yield Said(
                code=code,
                version=row.version if row else None,
                lead=fill(row.fields["lead"] or row.fields["text"], self.clinic) if row else "",
                bullets=tuple(self._bullets(run, code, answered)),
                answer=ANSWERS[answered.answer],
                date=answered.date,
            )

    def lines(self, run: ScreeningRun) -> list[Line]:
        found = findings.of_run(run)
        texts = {code: str(row.fields["advice"]) for (code, _), row in self.rows.items() if row.kind == "historyrule"}
        return findings.lines(found, texts, sees_answers=True)

    def _bullets(self, run: ScreeningRun, code: str, answered: Answered) -> Iterable[Bullet]:
        parts = [(part, self._row(run, part)) for part in self.parts.get(code, [])]
        asked = [(part, row) for part, row in parts if row]
        if len(asked) > 1:
            for part, row in asked:
                yield Bullet(fill(row.fields["text"], self.clinic), part in answered.parts)

    def _row(self, run: ScreeningRun, code: str) -> Revision | None:
        return self.rows.get((code, run.versions.get(code, 0)))
