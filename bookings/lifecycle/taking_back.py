"""How a visit stood before it moved: noted with each move, and given back when the move is taken back."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from bookings import eligibility
from bookings.eligibility import Outlook
from bookings.lifecycle.safety import STANDING
from bookings.models import Booking, BookingEvent, BookingState, Task, TaskKind
from bookings.models.event import ANOTHER_TIME, BENT
from bookings.models.states import UPCOMING
from clinic.models import Resource, Verdict
from clinic.screening import Finding, Outcome


@dataclass(frozen=True)
class Before:
    """The place a visit had before it was moved by ``made``, and what was bent for it, by the rule."""

    made: BookingEvent
    start: dt.datetime
    practitioner: Resource
    room: Resource | None
    bent: Mapping[str, BookingEvent]

    def is_overtaken(self, booking: Booking) -> bool:
        """Whether they have come since, for the time that it has now."""
        return booking.state == BookingState.ARRIVED and self.made.detail.get("was_state") != BookingState.ARRIVED

    def is_settled(self, booking: Booking) -> bool:
        """Whether the visit can stand as it stood then: nobody has answered or decided anything since."""
        since = booking.events.filter(pk__gt=self.made.pk)
        return (
            "was_state" in self.made.detail
            and not since.filter(Q(verb__startswith="answered") | Q(verb="approved")).exists()
        )

    def forgiving(self, booking: Booking, outlook: Outlook, *, is_settled: bool) -> Outlook:
        """Without what was bent for that place, and, while it ``is_settled``, what a clinician had before them."""
        found = self._standing(booking, outlook)
        rules = {each.rule for each in found if self._is_bent(each, booking)}
        if is_settled and self._was_looked_at(booking):
            rules |= {each.rule for each in found if each.verdict is Verdict.REVIEW}
        by_grade = {
            grade: Outcome(tuple(each for each in outcome.findings if each.rule not in rules))
            for grade, outcome in outlook.by_grade.items()
        }
        return replace(
            outlook, by_grade=by_grade, said=replace(outlook.said, approved=outlook.said.approved | frozenset(rules))
        )

    def give_back(self, booking: Booking) -> None:
        """Set the state that it had then; the caller saves the row."""
        was = self.made.detail
        if booking.state in UPCOMING and was["was_state"] in UPCOMING | {BookingState.ARRIVED}:
            booking.state = BookingState(was["was_state"])
            booking.reply_by, booking.approved_at = _instant(was["was_reply_by"]), _instant(was["was_approved_at"])

    def bent_again(self, booking: Booking, outlook: Outlook, times: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """Why, and which rules: what was bent then and has to be again, ``times`` among it."""
        found = [each.rule for each in self._standing(booking, outlook) if self._is_bent(each, booking)]
        needed = {*found, *times}
        for event in dict.fromkeys(self.bent.values()):
            rules = sorted(rule for rule in needed if self.bent.get(rule) == event)
            if rules:
                yield event.detail["reason"], rules

    def _standing(self, booking: Booking, outlook: Outlook) -> list[Finding]:
        grade = self.practitioner.code
        if grade not in outlook.by_grade:
            return []
        date = self.start.astimezone(booking.location.zone).date()
        return [each for each in outlook.outcome(grade, date).findings if each.verdict in STANDING]

    def _is_bent(self, found: Finding, booking: Booking) -> bool:
        """Unless its question was answered with yes again since: nobody has looked at that."""
        event = self.bent.get(found.rule)
        if event is None or found.verdict is Verdict.CONSULT:
            return False
        return found.question not in eligibility.said_yes_to(booking.screenings.filter(made_at__gt=event.at))

    def _was_looked_at(self, booking: Booking) -> bool:
        """In review, or approved, or with the task to look at new answers, which the move closed."""
        was = self.made.detail
        closed = Task.objects.filter(booking=booking, kind=TaskKind.RECHECK, done_at=self.made.at, done_by=None)
        return was["was_state"] == BookingState.PENDING or bool(was["was_approved_at"]) or closed.exists()


def noted(booking: Booking) -> dict[str, Any]:
    """What the history keeps of a visit that is about to move."""
    return {
        "was": booking.starts_at.isoformat(),
        "was_practitioner": booking.practitioner_id,
        "was_room": booking.room_id,
        "was_state": booking.state,
        "was_reply_by": _text(booking.reply_by),
        "was_approved_at": _text(booking.approved_at),
    }


def before_latest_move(booking: Booking) -> Before | None:
    """None where it never moved, or did so before people were named: then nothing can be taken back."""
    made = booking.events.filter(verb="moved", detail__has_key="was_practitioner").last()
    if made is None:
        return None
    start, who, room = (made.detail[name] for name in ("was", "was_practitioner", "was_room"))
    found = Resource.objects.in_bulk([each for each in (who, room) if each])
    return Before(made, dt.datetime.fromisoformat(start), found[who], found.get(room), _bent_before(made))


def _bent_before(made: BookingEvent) -> dict[str, BookingEvent]:
    """The rules that were bent for the time the visit had until then. A change writes both at one moment."""
    events = BookingEvent.objects.filter(booking=made.booking_id, verb__in=[BENT, *ANOTHER_TIME], pk__lt=made.pk)
    bent: dict[str, BookingEvent] = {}
    for event in events.order_by("at", "pk"):
        if event.verb == BENT:
            bent |= dict.fromkeys(event.detail["rules"], event)
        else:
            bent = {rule: each for rule, each in bent.items() if each.at == event.at}
    return bent


def _text(instant: dt.datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
