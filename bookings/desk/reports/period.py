"""The days a report is about, and the days, weeks or months they are cut into."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db import models

from clinic.intervals import ONE_DAY, day_start, instant_of
from clinic.models import Location

# A year and a bit by months or weeks; by days two months are as much as an eye can take in.
LONGEST, LONGEST_BY_DAY = 400, 62
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)


class Step(models.TextChoices):
    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"


@dataclass(frozen=True)
class Bucket:
    """Local dates from ``first`` up to ``until``."""

    first: dt.date
    until: dt.date
    label: str


@dataclass(frozen=True)
class Period:
    """Local dates at ``location`` from ``first`` up to ``until``, cut by ``step``."""

    location: Location
    first: dt.date
    until: dt.date
    step: Step

    @property
    def last(self) -> dt.date:
        return self.until - ONE_DAY

    @property
    def bounds(self) -> tuple[dt.datetime, dt.datetime]:
        """The instants between which it is one of these days."""
        zone = self.location.zone
        return instant_of(day_start(self.first, zone)), instant_of(day_start(self.until, zone))

    @cached_property
    def buckets(self) -> list[Bucket]:
        found = []
        first = self.first
        while first < self.until:
            until = min(_next(first, self.step), self.until)
            found.append(Bucket(first, until, _label(first, self.step)))
            first = until
        return found

    @property
    def labels(self) -> list[str]:
        return [bucket.label for bucket in self.buckets]

    def index(self, date: dt.date) -> int:
        """In which bucket a date of this period lies."""
        return next(number for number, bucket in enumerate(self.buckets) if date < bucket.until)

    @property
    def words(self) -> str:
        """Such as: in November 2026; on Monday 2 November; from 2 to 29 November 2026."""
        first, last = self.first, self.last
        if first == last:
            return f"on {first:%A} {first.day} {first:%B %Y}"
        if first.day == 1 and self.until == _next(first, Step.MONTH):
            return f"in {first:%B %Y}"
        start = f"{first.day}" if (first.year, first.month) == (last.year, last.month) else f"{first.day} {first:%B}"
        start += f" {first.year}" if first.year != last.year else ""
        return f"from {start} to {last.day} {last:%B %Y}"

    @property
    def query(self) -> str:
        return urlencode(
            {
                "from": self.first.isoformat(),
                "to": self.last.isoformat(),
                "by": self.step.value,
                "location": self.location.slug,
            }
        )


def presets(location: Location, today: dt.date) -> list[tuple[str, Period]]:
    """What people ask for most, with its name."""
    month = today.replace(day=1)
    last_month = (month - ONE_DAY).replace(day=1)
    year = month.replace(year=month.year - 1)
    weeks = 4 * 7 * ONE_DAY
    monday = today - today.weekday() * ONE_DAY
    return [
        ("Last 4 weeks", Period(location, monday - weeks, monday, Step.WEEK)),
        ("This month", Period(location, month, _next(month, Step.MONTH), Step.WEEK)),
        ("Last month", Period(location, last_month, month, Step.WEEK)),
        ("Last 12 months", Period(location, year, month, Step.MONTH)),
        ("Next 4 weeks", Period(location, monday, monday + weeks, Step.WEEK)),
    ]


def asked_for(cleaned: dict[str, Any], location: Location, today: dt.date) -> Period:
    """From what a ``PeriodForm`` holds; what is missing is as in the last four weeks."""
    _, usual = presets(location, today)[0]
    first, last = cleaned.get("from") or usual.first, cleaned.get("to") or usual.last
    return Period(location, first, last + ONE_DAY, Step(cleaned.get("by") or usual.step))


def _next(date: dt.date, step: Step) -> dt.date:
    """The first day of the next day, week or month."""
    if step == Step.DAY:
        return date + ONE_DAY
    if step == Step.WEEK:
        return date + (7 - date.weekday()) * ONE_DAY
    return (date.replace(day=1) + 32 * ONE_DAY).replace(day=1)


def _label(first: dt.date, step: Step) -> str:
    return f"{first:%b %Y}" if step == Step.MONTH else f"{first.day} {first:%b}"
