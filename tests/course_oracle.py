"""Which messages a visit should have had, from what happened to it alone; nothing here asks the code under test.

The course: a reminder three days before with the plan for those days, one a day before with the re-check, advice on the
day for who was treated, a plain one by evening where nobody closed the visit, check-ins on days 3 and 7. What is booked
or moved later than a reminder's moment has it inside its confirmation, the re-check too unless it was booked so late.
None goes between nine at night and eight in the morning, none once it is stale, none after the visit has changed.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tests.two_weeks import Visit

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NIGHT_FROM, NIGHT_UNTIL = dt.time(21), dt.time(8)
# Two quiet rounds this far apart are enough for any message, whatever died before them.
FAR_ENOUGH = dt.timedelta(minutes=65)


@dataclass(frozen=True)
class Expected:
    """One message: due at ``opens``, stale at ``closes``; wrong from ``gone`` on, because the visit changed then."""

    kind: str
    number: int
    opens: dt.datetime
    closes: dt.datetime
    gone: dt.datetime | None = None

    @property
    def last(self) -> dt.datetime:
        return min(self.closes, self.gone or self.closes)


@dataclass(frozen=True)
class Found:
    """What the outbox says of one message, and when the mail server got it."""

    state: str
    reason: str
    deliveries: Sequence[dt.datetime]


def is_night(now: dt.datetime, zone: ZoneInfo) -> bool:
    time = now.astimezone(zone).time()
    return time >= NIGHT_FROM or time < NIGHT_UNTIL


def expected(visit: Visit) -> dict[tuple[str, int], Expected]:
    found = [*_reminders(visit), *_plain(visit), *_aftercare(visit)]
    return {(each.kind, each.number): each for each in found if each.gone is None or each.gone > each.opens}


def _reminders(visit: Visit) -> Iterator[Expected]:
    for number, arranged in enumerate(visit.arrangements):
        for kind, earliest, latest in (("r72h", 72 * HOUR, 36 * HOUR), ("r24h", 24 * HOUR, 3 * HOUR)):
            if arranged.since <= arranged.start - earliest:
                opens, closes = arranged.start - earliest, arranged.start - latest
                yield Expected(kind, number, opens, closes, arranged.until)


def _plain(visit: Visit) -> Iterator[Expected]:
    evening = max(at_hour(visit, 0, 19), visit.end + 2 * HOUR)
    if visit.arrived_at:
        yield Expected("day0_plain", len(visit.arrangements) - 1, evening, visit.end + DAY, visit.closed_at)


def _aftercare(visit: Visit) -> Iterator[Expected]:
    if not visit.is_treated or visit.closed_at is None:
        return
    number = len(visit.arrangements) - 1
    yield Expected("day0", number, visit.closed_at, visit.end + DAY)
    for kind, days in (("day3", 3), ("day7", 7)):
        yield Expected(kind, number, max(at_hour(visit, days, 10), visit.closed_at), at_hour(visit, days + 1, 19))


def asks_anew(visit: Visit) -> list[bool]:
    """For each arrangement whether the letter about it asks what is new: too late for a reminder, booked before it."""
    return [visit.booked_at <= each.start - DAY < each.since for each in visit.arrangements]


def at_hour(visit: Visit, days: int, hour: int) -> dt.datetime:
    """``days`` after the visit, by the clock of its house."""
    date = visit.start.astimezone(visit.zone).date() + days * DAY
    return dt.datetime.combine(date, dt.time(hour), visit.zone).astimezone(dt.UTC)


def faults(visit: Visit, rows: dict[tuple[str, int], Found], rounds: Sequence[dt.datetime]) -> Iterator[str]:
    """What is wrong, a line each. ``rounds`` are those that ran to their end, with a mail server to talk to."""
    wanted = expected(visit)
    for key in rows.keys() - wanted.keys():
        yield f"{visit.plan} {visit.pk}: {key} should not exist"
    for key, message in wanted.items():
        chances = [now for now in rounds if message.opens <= now < message.last and not is_night(now, visit.zone)]
        had_its_chance = bool(chances) and chances[-1] - chances[0] >= FAR_ENOUGH
        found = rows.get(key)
        fault = _fault_of_state(message, found, had_its_chance=had_its_chance)
        for each in [*fault, *_faults_of_time(message, found, visit.zone)]:
            yield f"{visit.plan} {visit.pk}: {key} {each}; due {message.opens}, until {message.last}"


def _fault_of_state(message: Expected, found: Found | None, *, had_its_chance: bool) -> list[str]:
    """Sent where there was a chance. Else listed, unless the visit changed before anybody could see it due."""
    if found is None:
        return ["is neither sent nor listed"] if had_its_chance or message.gone is None else []
    if found.state == "sent":
        return [] if found.deliveries else ["counts as sent, and nobody got it"]
    if found.state != "skipped":
        return [f"is still {found.state}"]
    if had_its_chance:
        return [f"was skipped though it had its chance: {found.reason}"]
    return [] if found.reason else ["was skipped without a reason"]


def _faults_of_time(message: Expected, found: Found | None, zone: ZoneInfo) -> Iterator[str]:
    for now in found.deliveries if found else ():
        if not message.opens <= now < message.last:
            yield f"went at the wrong time: {now}"
        if is_night(now, zone):
            yield f"went at night: {now}"
