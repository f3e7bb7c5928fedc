"""The month and the day that a patient chooses from, as plain data for the pages."""

import calendar
import dataclasses
import datetime as dt
from collections import defaultdict

from bookings import availability
from clinic import words
from clinic.models.places import WEEKDAYS

DAY = dt.timedelta(days=1)
# From so many free times on a day has some, and many.
SOME, MANY = 4, 10
SOONEST = 3
NOON, EVENING = 12, 17


@dataclasses.dataclass(frozen=True)
class Day:
    """One cell. ``kind`` is free, none, soon (before the minimum notice) or out (past, or beyond the horizon)."""

    date: dt.date
    kind: str
    count: int
    is_chosen: bool

    @property
    def dots(self) -> str:
        return "•" * (1 + (self.count >= SOME) + (self.count >= MANY))

    @property
    def label(self) -> str:
        times = {"none": "no free times", "soon": "too soon to book online", "out": "not open for booking"}
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
        return not any(day and day.count for week in self.weeks for day in week)

    @property
    def free_days(self) -> list[Day]:
        return [day for week in self.weeks for day in week if day and day.count]

    @property
    def count(self) -> int:
        return sum(len(times) for _, times in self.parts)


def choices(search: availability.Asked, *, month: dt.date | None, date: dt.date | None) -> Choices:
    """What is free in the wanted month, or in the first one that has anything; ``date`` is the chosen day."""
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
        weeks=_weeks(shown, by_day, chosen, _limits(search, today, until)),
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


def _limits(search: availability.Asked, today: dt.date, until: dt.date) -> tuple[dt.date, dt.date, dt.date]:
    noticed = (search["now"] + search["clinic"].minimum_notice).astimezone(search["location"].zone).date()
    return today, noticed, until


def _weeks(
    month: dt.date,
    by_day: dict[dt.date, list[dt.datetime]],
    chosen: dt.date | None,
    limits: tuple[dt.date, dt.date, dt.date],
) -> list[list[Day | None]]:
    """The month's weeks, without those that are over."""
    today = limits[0]
    weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
    weeks = [week for week in weeks if week[-1] >= today]
    return [
        [_day(date, len(by_day.get(date, [])), chosen, limits) if date.month == month.month else None for date in week]
        for week in weeks
    ]


def _day(date: dt.date, count: int, chosen: dt.date | None, limits: tuple[dt.date, dt.date, dt.date]) -> Day:
    today, noticed, until = limits
    kind = "free" if count else "none"
    if date < today or date >= until:
        kind = "out"
    elif date < noticed:
        kind = "soon"
    return Day(date, kind, count, date == chosen)


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
