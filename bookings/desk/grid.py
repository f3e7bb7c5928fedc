"""The day as a grid: rows of five minutes from a full hour to a full hour, named as the style sheet names them."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

from clinic.models import Location

ROW_MINUTES = 5
HOUR = 60
DAY_MINUTES = 24 * HOUR
# Shown while nobody works and nothing is booked.
OFFICE_HOURS = (9 * HOUR, 17 * HOUR)


@dataclasses.dataclass(frozen=True)
class Grid:
    """From ``first`` to ``last``, both full hours, in minutes of the day by the wall clock."""

    first: int
    last: int

    @property
    def hours(self) -> int:
        return (self.last - self.first) // HOUR

    def rows(self, start: int, end: int) -> str:
        """The classes of what lasts from ``start`` to ``end``; what stands out of the grid is cut at its edge."""
        start, end = max(start, self.first), min(end, self.last)
        top = min((start - self.first) // ROW_MINUTES, self.hours * HOUR // ROW_MINUTES - 1)
        return f"r{top} n{max(1, -(-(end - self.first) // ROW_MINUTES) - top)}"

    def marks(self) -> list[tuple[dt.time, str]]:
        """Each full hour and its rows."""
        return [(dt.time(minute // HOUR), self.rows(minute, minute + HOUR)) for minute in range(*self._span(), HOUR)]

    def row_at(self, minute: int) -> str:
        """The row of one moment; "" when it is not on the grid."""
        return self.rows(minute, minute + 1) if self.first <= minute < self.last else ""

    def _span(self) -> tuple[int, int]:
        return self.first, self.last


def around(stretches: Iterable[tuple[int, int]]) -> Grid:
    """The smallest grid of full hours that holds all of them."""
    found = list(stretches) or [OFFICE_HOURS]
    first, last = min(start for start, _ in found), max(end for _, end in found)
    first = min(first // HOUR, 23) * HOUR
    return Grid(first, min(max(-(-last // HOUR) * HOUR, first + HOUR), DAY_MINUTES))


def minute_on(day: dt.date, instant: dt.datetime, location: Location) -> int:
    """Minutes since that day's midnight by the location's clock; before it 0, after the day 24 hours."""
    there = instant.astimezone(location.zone)
    if there.date() != day:
        return 0 if there.date() < day else DAY_MINUTES
    return there.hour * HOUR + there.minute


def minute_of(time: dt.time) -> int:
    return time.hour * HOUR + time.minute
