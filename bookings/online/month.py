"""The month and the day that a patient chooses from, as plain data for the pages."""

import calendar
import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Set as AbstractSet

from bookings import availability
from bookings.eligibility import Outlook
from clinic import words
from clinic.models.places import WEEKDAYS

DAY = dt.timedelta(days=1)
# From so many free times on a day has some, and many.
SOME, MANY = 4, 10
SOONEST = 3
NOON, EVENING = 12, 17


@dataclasses.dataclass(frozen=True)
class Day:
    """One cell. ``kind`` is free, none, wait (``reason`` says why it is not safe yet), soon (before the minimum notice)
    or out (past, or beyond the horizon).
    """

    date: dt.date
    kind: str
    count: int
    is_chosen: bool
    reason: str = ""

    @property
    def dots(self) -> str:
        return "•" * (1 + (self.count >= SOME) + (self.count >= MANY))

    @property
    def label(self) -> str:
        times = {
            "none": "no free times",
            "wait": f"closed. {self.reason}",
            "soon": "too soon to book online",
            "out": "not open for booking",
        }
        free = "1 free time" if self.count == 1 else f"{self.count} free times"
        return f"{words.day(self.date)}, {times.get(self.kind, free)}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choices:
    """All that the page of times shows."""

    month: dt.date
    weeks: list[list[Day | None]]
    previous: dt.date | None
    following: dt.date | None
    chosen: dt.date | None
    parts: list[tuple[str, list[dt.datetime]]]
    soonest: list[dt.datetime]
    next_free: dt.date | None
    city: str

    @property
    def weekdays(self) -> list[tuple[str, str]]:
        return [(name[:3], name) for name in WEEKDAYS]

    @property
    def is_empty(self) -> bool:
        return not any(day.count for day in self.days)

    @property
    def listed_days(self) -> list[Day]:
        """For the list: the free days, and before them those that are closed for a reason."""
        return [day for day in self.days if day.count or day.reason]

    @property
    def days(self) -> list[Day]:
        return [day for week in self.weeks for day in week if day]

    @property
    def has_waits(self) -> bool:
        return any(day.reason for day in self.days)

    @property
    def reason(self) -> str:
        """Why the chosen day is closed; "" when it is not."""
        return next((day.reason for day in self.days if day.is_chosen), "")

    @property
    def count(self) -> int:
        return sum(len(times) for _, times in self.parts)


@dataclasses.dataclass(frozen=True)
class _Limits:
    """What decides, besides free times, how a day looks."""

    today: dt.date
    noticed: dt.date
    until: dt.date
    outlook: Outlook | None
    # Days with times of those alone who may not see this person yet.
    kept_back: AbstractSet[dt.date]

    def reason_for(self, date: dt.date) -> str:
        if self.outlook is None or not self.today <= date < self.until:
            return ""
        return self.outlook.reason_for(date, is_kept_back=date in self.kept_back)


def choices(
    search: availability.Asked, *, month: dt.date | None, date: dt.date | None, outlook: Outlook | None = None
) -> Choices:
    """What is free in the wanted month, or in the first one that has anything; ``date`` is the chosen day.

    ``outlook`` tells why days are closed to this person; ``search`` itself keeps to what it allows.
    """
    zone = search["location"].zone
    today = search["now"].astimezone(zone).date()
    until = availability.horizon(clinic=search["clinic"], location=search["location"], now=search["now"])
    wanted = _inside(date, today, until) or _inside(month, today.replace(day=1), until)
    shown = (wanted or today).replace(day=1)
    by_day = _by_day(search, shown, today, until)
    soonest = _soonest(search, by_day if shown <= today else {})
    if not wanted and not by_day and soonest:
        shown = soonest[0].astimezone(zone).date().replace(day=1)
        by_day = _by_day(search, shown, today, until)
    chosen = _inside(date, today, until) or min(by_day, default=None)
    return Choices(
        month=shown,
        weeks=_weeks(shown, by_day, chosen, _limits(search, outlook, today, until, shown)),
        previous=_month_before(shown) if shown > today else None,
        following=_month_after(shown) if _month_after(shown) < until else None,
        chosen=chosen,
        parts=_parts(by_day.get(chosen, []) if chosen else [], zone),
        soonest=soonest,
        next_free=None if by_day else availability.next_date(after=_month_after(shown) - DAY, **search),
        city=search["location"].time_zone.rpartition("/")[2].replace("_", " "),
    )


def _inside(date: dt.date | None, first: dt.date, until: dt.date) -> dt.date | None:
    return date if date and first <= date < until else None


def _by_day(
    search: availability.Asked, month: dt.date, today: dt.date, until: dt.date
) -> dict[dt.date, list[dt.datetime]]:
    first, end = max(month, today), min(_month_after(month), until)
    if first >= end:
        return {}
    days: dict[dt.date, list[dt.datetime]] = defaultdict(list)
    for start in availability.distinct(availability.search(first=first, until=end, **search)):
        days[start.at.astimezone(search["location"].zone).date()].append(start.at)
    return dict(days)


def _soonest(search: availability.Asked, by_day: dict[dt.date, list[dt.datetime]]) -> list[dt.datetime]:
    """The first three; asked for only when the shown month cannot answer."""
    known = [start for date in sorted(by_day) for start in by_day[date]][:SOONEST]
    return known if len(known) == SOONEST else [start.at for start in availability.soonest(count=SOONEST, **search)]


def _limits(
    search: availability.Asked, outlook: Outlook | None, today: dt.date, until: dt.date, month: dt.date
) -> _Limits:
    noticed = (search["now"] + search["clinic"].minimum_notice).astimezone(search["location"].zone).date()
    opens_at = outlook.for_the_waiting if outlook else None
    kept_back = _by_day(search | {"opens_at": opens_at}, month, today, until) if opens_at is not None else {}
    return _Limits(today, noticed, until, outlook, kept_back.keys())


def _weeks(
    month: dt.date,
    by_day: dict[dt.date, list[dt.datetime]],
    chosen: dt.date | None,
    limits: _Limits,
) -> list[list[Day | None]]:
    """The month's weeks, without those that are over."""
    weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
    weeks = [week for week in weeks if week[-1] >= limits.today]
    return [
        [_day(date, len(by_day.get(date, [])), chosen, limits) if date.month == month.month else None for date in week]
        for week in weeks
    ]


def _day(date: dt.date, count: int, chosen: dt.date | None, limits: _Limits) -> Day:
    reason = "" if count else limits.reason_for(date)
    kind = "free" if count else "wait" if reason else "none"
    if date < limits.today or date >= limits.until:
        kind = "out"
    elif date < limits.noticed and not reason:
        kind = "soon"
    return Day(date, kind, count, date == chosen, reason)


def _parts(starts: list[dt.datetime], zone: dt.tzinfo) -> list[tuple[str, list[dt.datetime]]]:
    parts: dict[str, list[dt.datetime]] = {"Morning": [], "Afternoon": [], "Evening": []}
    for start in starts:
        hour = start.astimezone(zone).hour
        parts["Morning" if hour < NOON else "Afternoon" if hour < EVENING else "Evening"].append(start)
    return list(parts.items())


def _month_after(month: dt.date) -> dt.date:
    return (month.replace(day=28) + 4 * DAY).replace(day=1)


def _month_before(month: dt.date) -> dt.date:
    return (month.replace(day=1) - DAY).replace(day=1)
