"""What answers, history and age set off, in words for staff: "Q12: diabetes. A clinician decides."

Who may not see answers learns that something stands in the way, never what.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from bookings import lifecycle
from bookings.ages import needs_guardian
from bookings.eligibility import FROM_AGE, FROM_HISTORY, Outlook
from bookings.models import Booking, ScreeningRun
from clinic import words
from clinic.models import HistoryRule, Verdict
from clinic.models.shown import read_back
from clinic.screening import MILDEST_FIRST, Finding

NOT_AN_ANSWER = {FROM_AGE, FROM_HISTORY}
HIDDEN = "Health answers"
UNDER_AGE = Finding(FROM_AGE, "", FROM_AGE, 1, Verdict.REVIEW)


@dataclasses.dataclass(frozen=True)
class Line:
    """One reason in one line; ``rules`` are the codes and versions of what was set off."""

    about: str
    verdict: Verdict
    decision: str
    rules: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.about.rstrip('.')}. {self.decision}."

    @property
    def stands(self) -> bool:
        """Whether it stands in the visit's way, rather than being of use in the room."""
        return self.verdict not in {Verdict.OK, Verdict.NOTE}


def standing_of(booking: Booking) -> list[Finding]:
    """What the newest round of answers that is still kept set off, and what age asks for beside it."""
    runs = sorted(booking.screenings.all(), key=lambda run: (run.made_at, run.pk))
    found = next((of_run(run) for run in reversed(runs) if run.deleted_at is None), [])
    born = booking.patient.date_of_birth if booking.patient else None
    is_known = any(each.question == FROM_AGE for each in found)
    return found if is_known or not needs_guardian(born, booking.local_date) else [*found, UNDER_AGE]


def as_it_stands(booking: Booking, now: dt.datetime, *, sees_answers: bool) -> list[Line]:
    """What all answers, history and age mean for the visit as it is arranged."""
    found = lifecycle.outlook_for(booking, now).outcome(booking.practitioner.code, booking.local_date).findings
    return lines(found, history_texts(found), sees_answers=sees_answers)


def of_run(run: ScreeningRun) -> list[Finding]:
    return [Finding.from_json(row) for row in run.findings]


def history_texts(findings: Iterable[Finding]) -> dict[str, str]:
    """Why earlier visits count, by the code of the rule, in the words of the version that was applied. One query."""
    versions = [(each.rule, each.version) for each in findings if each.question == FROM_HISTORY]
    return {code: str(row.fields["advice"]) for (code, _), row in read_back(versions, HistoryRule).items()}


def lines(findings: Sequence[Finding], texts: dict[str, str], *, sees_answers: bool) -> list[Line]:
    """Strictest first; what one question sets off in the same way stands in one line."""
    groups: dict[tuple[str, Verdict, str], list[Finding]] = {}
    for found in findings:
        is_shown = sees_answers or found.question in NOT_AN_ANSWER
        about = found.question if is_shown else HIDDEN
        groups.setdefault((about, found.verdict, _decision(found)), []).append(found)
    told = [
        Line(_about(about, of_group, texts), verdict, decision, tuple((each.rule, each.version) for each in of_group))
        for (about, verdict, decision), of_group in groups.items()
    ]
    return sorted(told, key=lambda line: -MILDEST_FIRST.index(line.verdict))


def sentence(refused: lifecycle.Refused, outlook: Outlook, *, sees_answers: bool) -> str:
    """Why a time is refused. Reasons that tell an answer are for those who may see answers."""
    if sees_answers or not isinstance(refused, lifecycle.NotSafeYet):
        return refused.for_staff
    of_history = [reason for reason in refused.reasons if reason in outlook.texts.values()]
    hidden = [] if len(of_history) == len(refused.reasons) else ["The health answers ask for a wait."]
    return str(lifecycle.NotSafeYet(refused.first, [*of_history, *hidden]))


def _about(about: str, of_group: Sequence[Finding], texts: dict[str, str]) -> str:
    if about == FROM_AGE:
        return "Under 18"
    if about == FROM_HISTORY:
        return " ".join(dict.fromkeys(texts.get(each.rule, "Earlier visits") for each in of_group))
    if about == HIDDEN:
        return HIDDEN
    parts = dict.fromkeys(each.short for each in of_group if each.short)
    return f"{about}: {'; '.join(parts)}" if parts else about


def _decision(found: Finding) -> str:
    if found.verdict is Verdict.WAIT and found.until:
        return f"Wait until {words.day(found.until)}"
    return found.verdict.label
