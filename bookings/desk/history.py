"""A booking's history as staff read it: newest first, a sentence each."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from bookings.availability import RULES_OF_TIME
from bookings.lifecycle.history import may_tell
from bookings.models import Booking, BookingEvent, BookingState, Outcome, PaidBy
from bookings.models.event import BENT
from bookings.models.mail import KINDS
from clinic import words
from clinic.models import Resource, Rule

DECLINED = "declined"
MOVED_TO = ("practitioner", "room")
# What is said of a move that was taken back, and of what is bent again by it, for the reason it was bent for.
TAKEN_BACK = {"undone": "moved back", "kept": "rule stays bent"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """``more`` says what exactly changed, ``reason`` is what somebody typed."""

    what: str
    who: str
    at: dt.datetime
    more: str
    reason: str


def of(booking: Booking, *, sees_answers: bool) -> list[Entry]:
    """Two queries, and one more each where a rule was bent and where a visit moved to other people or rooms."""
    events = list(BookingEvent.objects.filter(booking=booking).select_related("by").order_by("-at", "-id"))
    for event in events:
        event.booking = booking
    return entries(events, sees_answers=sees_answers)


def entries(events: Sequence[BookingEvent], *, sees_answers: bool) -> list[Entry]:
    """What each of these says, in their order. They bring their ``by``, and their booking with its location."""
    bent = {code for event in events for code in event.detail.get("rules", [])} if sees_answers else set()
    names = {rule: rule for rule in RULES_OF_TIME} | _names(bent - RULES_OF_TIME) | _places(events)
    return [_entry(event, names, sees_answers=sees_answers) for event in events]


def why_declined(booking: Booking) -> str | None:
    """What a clinician wrote to the patient, which may tell an answer; "" once it is forgotten, None if nobody did."""
    event = BookingEvent.objects.filter(booking=booking, verb=DECLINED, by__isnull=False).last()
    return str(event.detail.get("reason", "")) if event else None


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _entry(event: BookingEvent, names: dict[str, str], *, sees_answers: bool) -> Entry:
    what = next((said for mark, said in TAKEN_BACK.items() if event.detail.get(mark)), event.verb)
    return Entry(
        what=what[:1].upper() + what[1:],
        who=name_of(event.by) if event.by else event.get_actor_display().lower(),
        at=event.at,
        more=_more(event, names),
        reason=str(event.detail.get("reason", "")) if sees_answers or not may_tell(event) else "",
    )


def _more(event: BookingEvent, names: dict[str, str]) -> str:
    detail, zone = event.detail, event.booking.location.zone
    if event.verb == "moved" and "was" in detail and "starts_at" in detail:
        return _moved(detail, zone, names)
    if event.verb == "service changed":
        return f"From {detail['was']} to {detail['service']}"
    if event.verb in OF_THE_DAY:
        return OF_THE_DAY[event.verb](detail)
    if event.verb == "cancelled" and detail.get("late"):
        return "After the free time to cancel"
    if event.verb == BENT:
        return _listed(names[code] for code in detail.get("rules", []) if code in names)
    return f"Through {detail['program']}" if detail.get("program") else ""


def _moved(detail: dict[str, Any], zone: dt.tzinfo, names: dict[str, str]) -> str:
    """From when and where to when and where, and whether the patient was not told."""
    told = [f"From {_when(detail['was'], zone)} to {_when(detail['starts_at'], zone)}"]
    changes = [(detail.get(f"was_{key}"), detail.get(key)) for key in MOVED_TO]
    told += [f"from {names[str(was)]} to {names[str(to)]}" for was, to in changes if was and to and was != to]
    return ", ".join(told) + (". No email was sent" if detail.get("mailed") is False else "")


def _places(events: Iterable[BookingEvent]) -> dict[str, str]:
    """The names of the people and rooms that visits moved between, by id; no query where nobody changed."""
    details = [event.detail for event in events if event.verb == "moved"]
    pairs = [(detail.get(f"was_{key}"), detail.get(key)) for detail in details for key in MOVED_TO]
    ids = {each for was, to in pairs if was != to for each in (was, to) if each}
    return {str(pk): each.name for pk, each in Resource.objects.in_bulk(ids).items()} if ids else {}


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


def _paid(detail: dict[str, Any]) -> str:
    method = PaidBy(detail["method"]).label.lower()
    return f"{words.money(Decimal(detail['amount']), detail['currency'])}, {method}"


# What exactly changed on the day of a visit, by the verb.
OF_THE_DAY: dict[str, Callable[[dict[str, Any]], str]] = {
    "completed": lambda detail: Outcome(detail["outcome"]).label if detail.get("outcome") else "",
    "running late": lambda detail: f"By {words.duration(detail['minutes'])}",
    "set back": lambda detail: f"To {BookingState(detail['to']).label.lower()}",
    "opened again": lambda detail: f"It was closed as {Outcome(detail['outcome']).label.lower()}",
    "sent again": lambda detail: KINDS.get(detail["message"], detail["message"]),
    "paid": _paid,
    "payment voided": _paid,
}
