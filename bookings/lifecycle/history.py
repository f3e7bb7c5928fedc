"""One history per booking, whoever acted."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User

from bookings.availability import RULES_OF_TIME
from bookings.models import Booking, BookingEvent
from bookings.models.event import BENT, Actor

# What tells an answer: the codes of rules say what was answered, and why a clinician decided so may name it.
DECIDED = frozenset({BENT, "declined", "approved", "service changed"})
# A signed-in person, or the patient, or the system itself.
Who = User | Actor


def record(booking: Booking, verb: str, *, by: Who, now: dt.datetime, **detail: Any) -> BookingEvent:
    """Add one line to the history, inside the change's own transaction."""
    user, actor = (None, by) if isinstance(by, Actor) else (by, Actor.STAFF)
    return BookingEvent.objects.create(booking=booking, at=now, verb=verb, actor=actor, by=user, detail=detail)


def may_tell(event: BookingEvent) -> bool:
    """Whether its reason may tell an answer; a rule of time never does, nor what nobody typed."""
    rules = event.detail.get("rules", [])
    is_of_time = bool(rules) and RULES_OF_TIME.issuperset(rules)
    return event.verb in DECIDED and event.by_id is not None and not is_of_time


def forget(events: Iterable[BookingEvent]) -> None:
    """What may tell an answer leaves them: who did what, and when, stays."""
    for event in events:
        kept = {key: value for key, value in event.detail.items() if key != "reason" or not may_tell(event)}
        if "rules" in kept:
            kept["rules"] = [rule for rule in kept["rules"] if rule in RULES_OF_TIME]
        if kept != event.detail:
            event.detail = kept
            event.save(update_fields=["detail"])
