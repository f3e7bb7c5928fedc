"""A verb's no as JSON: a stable word, the kind sentence, and what a program needs to go on."""

import datetime as dt
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from bookings import availability, lifecycle
from bookings.api.asked import Wanted, today_at
from bookings.api.door import Passing, Problem
from bookings.claims import NotOffered, Refused
from clinic import guidance, screening
from clinic.models import Clinic, Wording
from clinic.screening import Answer, Answers, Asked

UNSURE = "not-sure-q1"
GONE = "Your hold ran out, or it is no hold of this key. Nothing is booked."
USED = "This hold was used already, to book for somebody else. Hold another time."


class Unsafe(Problem):
    """Answers stand in the way, and what is said of them speaks of health."""

    tells_of_health = True

    def __init__(self, sentence: str, code: str, more: dict[str, Any]) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, sentence, code, more)


def of(refused: Refused, wanted: Wanted) -> Problem:
    """What to answer a program that asked for ``wanted``."""
    if isinstance(refused, lifecycle.Unsafe):
        return _unsafe(refused, wanted)
    if isinstance(refused, lifecycle.Paused):
        sentence = wanted.location.clinic.pause_message or str(refused)
        return Passing(HTTPStatus.SERVICE_UNAVAILABLE, sentence, "paused")
    if isinstance(refused, lifecycle.SlotTaken):
        return Problem(HTTPStatus.CONFLICT, str(refused), "slot_taken", _times(wanted))
    if isinstance(refused, NotOffered):
        more = {"reason": refused.reason.value, **_times(wanted)}
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused), "not_offered", more)
    if isinstance(refused, lifecycle.NotEligible):
        more = {"reason": refused.problem.value, "phone": wanted.location.clinic.phone}
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(refused), "not_eligible", more)
    assert isinstance(refused, lifecycle.HoldGone), f"no request of a program meets {refused!r}"
    return Problem(HTTPStatus.GONE, str(refused), "hold_gone", _times(wanted))


def no_hold() -> Problem:
    """What was sent names no time of ours."""
    return Problem(HTTPStatus.GONE, GONE, "hold_gone", {"times": []})


def hold_used() -> Problem:
    return Problem(HTTPStatus.CONFLICT, USED, "hold_used")


def help_first(signs: Sequence[Asked], said: Answers, clinic: Clinic) -> Problem:
    """Medical help first: whom to call, and no time is offered."""
    unsure = any(said[sign.code].answer is Answer.UNSURE for sign in signs)
    advice = [sign.advice for sign in signs] + (_if_unsure(clinic) if unsure else [])
    more = {
        "advice": " ".join(advice),
        "emergency_number": clinic.emergency_number,
        "urgent_line": clinic.urgent_line,
    }
    return Unsafe(str(lifecycle.NeedsHelp()), "help", more)


def times_as_json(starts: Sequence[availability.Start], zone: dt.tzinfo) -> list[dict[str, str]]:
    return [{"start": each.at.astimezone(zone).isoformat(), "practitioner": each.practitioner.slug} for each in starts]


def _unsafe(refused: lifecycle.Unsafe, wanted: Wanted) -> Problem:
    if isinstance(refused, lifecycle.NotSafeYet):
        first = refused.first.isoformat() if refused.first else None
        more: dict[str, Any] = {"earliest_date": first, "reasons": refused.reasons}
        return Unsafe(str(refused), "wait", more)
    if isinstance(refused, lifecycle.ReviewFirst):
        return Unsafe(str(refused), "review_first", {"reply_by": refused.reply_by.astimezone(refused.zone).isoformat()})
    if isinstance(refused, lifecycle.NeedsHelp):
        said = wanted.said.answers
        return help_first(screening.warning_signs(wanted.book, said), said, wanted.location.clinic)
    return Unsafe(str(refused), "consult_only", {"service": _consult(wanted)})


def _consult(wanted: Wanted) -> str | None:
    """The visit at which a clinician looks first, while that house offers it."""
    today = today_at(wanted.location, wanted.now)
    found = availability.skin_check(beside=wanted.service, location=wanted.location, on=today)
    return found.slug if found else None


def _times(wanted: Wanted) -> dict[str, Any]:
    return {"times": times_as_json(wanted.nearest(), wanted.location.zone)}


def _if_unsure(clinic: Clinic) -> list[str]:
    try:
        return [guidance.wording(UNSURE, clinic).plain]
    except Wording.DoesNotExist:
        return []
