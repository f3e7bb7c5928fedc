"""The questions before a visit, and what an answer means. Answers themselves are never stored here."""

from dataclasses import dataclass
from enum import StrEnum

from clinic.models import Clinic, Part, Question, Rule, Verdict
from clinic.models.placeholders import fill
from clinic.models.shown import shown

MILDEST_FIRST = list(Verdict)


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Asked:
    """A question as a patient reads it; ``parts`` are pairs of code and bullet, ``advice`` follows a yes."""

    code: str
    version: int
    lead: str
    parts: tuple[tuple[str, str], ...]
    advice: str
    is_signed: bool


def question(code: str, clinic: Clinic) -> Asked:
    """The last signed words of question ``code``, such as "Q1"; drafts where nothing was signed yet."""
    asked = shown([Question.objects.get(code=code)])[0]
    parts = shown(list(Part.objects.filter(question__code=code)))
    return Asked(
        code=code,
        version=asked.version,
        lead=fill(asked.fields["lead"], clinic),
        parts=tuple((part.code, fill(part.fields["text"], clinic)) for part in parts),
        advice=fill(asked.fields["advice"], clinic),
        is_signed=asked.is_signed and all(part.is_signed for part in parts),
    )


def verdict_of(code: str, answer: str) -> Verdict:
    """What a bare answer to the whole question means: "unsure" counts as yes, yes as its strictest part.

    ValueError for anything but an ``Answer``, and for a question that has no rules.
    """
    if Answer(answer) is Answer.NO:
        return Verdict.OK
    rules = shown(list(Rule.objects.filter(part__question__code=code)))
    verdicts = [Verdict(rule.fields["verdict"]) for rule in rules]
    return max(verdicts, key=MILDEST_FIRST.index)
