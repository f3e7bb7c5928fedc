"""A booking's history as staff read it: newest first, a sentence each."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User

from bookings.models import Booking, BookingEvent, Outcome
from clinic import words
from clinic.models import Rule

# What the history may be asked for that tells an answer: the codes of rules say what was answered.
RULE_BENT = "rule bent"
# Why a clinician decided so may tell an answer too.
DECIDED = {RULE_BENT, "approved", "service changed"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """``more`` says what exactly changed, ``reason`` is what somebody typed."""

    what: str
    who: str
    at: dt.datetime
    more: str
    reason: str


def of(booking: Booking, *, sees_answers: bool) -> list[Entry]:
    """Two queries, and one more where a rule was bent."""
    events = list(BookingEvent.objects.filter(booking=booking).select_related("by").order_by("-at", "-id"))
    bent = {code for event in events for code in event.detail.get("rules", [])} if sees_answers else set()
    names = _names(bent)
    return [_entry(event, booking, names, sees_answers=sees_answers) for event in events]


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _entry(event: BookingEvent, booking: Booking, names: dict[str, str], *, sees_answers: bool) -> Entry:
    return Entry(
        what=event.verb[:1].upper() + event.verb[1:],
        who=name_of(event.by) if event.by else event.get_actor_display().lower(),
        at=event.at,
        more=_more(event, booking, names),
        reason=str(event.detail.get("reason", "")) if sees_answers or event.verb not in DECIDED else "",
    )


def _more(event: BookingEvent, booking: Booking, names: dict[str, str]) -> str:
    detail, zone = event.detail, booking.location.zone
    if event.verb == "moved" and "was" in detail and "starts_at" in detail:
        return f"From {_when(detail['was'], zone)} to {_when(detail['starts_at'], zone)}"
    if event.verb == "service changed":
        return f"From {detail['was']} to {detail['service']}"
    if event.verb == "completed":
        return Outcome(detail["outcome"]).label if detail.get("outcome") else ""
    if event.verb == "cancelled" and detail.get("late"):
        return "After the free time to cancel"
    if event.verb == RULE_BENT:
        return _listed(names[code] for code in detail.get("rules", []) if code in names)
    return f"Through {detail['program']}" if detail.get("program") else ""


def _listed(found: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(found))


def _when(text: str, zone: dt.tzinfo) -> str:
    return words.when(dt.datetime.fromisoformat(text), zone)


def _names(rules: set[str]) -> dict[str, str]:
    """What each rule is about, by its code; a rule of age or of earlier visits reads as it is written."""
    if not rules:
        return {}
    known = {
        rule.code: f"{rule.part.question.code}: {rule.part.short}"
        for rule in Rule.objects.filter(code__in=rules).select_related("part__question")
    }
    return {code: code.replace("-", " ") for code in rules} | known
