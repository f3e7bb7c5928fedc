"""Free time between visits, as links: to book it, or to move a visit there."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urlencode

from bookings.models import Booking
from clinic.intervals import (
    Interval,
    fitting_starts,
    instant_of,
    intersect,
    minute_after,
    minute_of,
    on_grid,
    stretch,
    subtract,
    union,
)
from clinic.models import Location, OpeningHours, Resource

SHORTEST = 15


class Timed(Protocol):
    """Anything with a beginning and an end."""

    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Gap:
    """Time of one practitioner that nobody has taken; ``rows`` are those of the grid."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    practitioner: Resource
    location: Location
    rows: str = ""
    is_gap: bool = True

    @property
    def key(self) -> str:
        """Its name in the page, the same from one refresh to the next."""
        return f"{self.practitioner.slug}-{minute_of(self.starts_at)}"

    @property
    def booking_query(self) -> str:
        return urlencode({**self._where, "location": self.location.slug})

    @property
    def placing_query(self) -> str:
        return urlencode(self._where)

    @property
    def _where(self) -> dict[str, str]:
        start = self.starts_at.astimezone(self.location.zone).isoformat()
        return {"start": start, "practitioner": self.practitioner.slug}


@dataclasses.dataclass(frozen=True)
class Planned:
    """One day of one practitioner: ``stretches`` as planned, ``free`` of absences and visits."""

    stretches: list[Interval]
    free: list[Interval]


def planned(
    *,
    location: Location,
    day: dt.date,
    house: Iterable[OpeningHours],
    own: Iterable[OpeningHours],
    away: Iterable[Timed],
    taken: Iterable[Timed],
) -> Planned:
    """A room's clean-up does not count: the next visit may begin in another room."""
    stretches = intersect(_hours(house, day, location), _hours(own, day, location))
    return Planned(stretches, subtract(stretches, union(_intervals(away), _intervals(taken))))


def to_book(plan: Planned, *, step: int, now: dt.datetime) -> list[Interval]:
    """Each free stretch once, from its first start on the grid that is still to come."""
    found = []
    for free in plan.free:
        start = next((each for each in on_grid(plan.stretches, [free], step) if each > minute_of(now)), None)
        if start is not None and free[1] - start >= SHORTEST:
            found.append((start, free[1]))
    return found


def to_place(plan: Planned, booking: Booking, *, step: int, now: dt.datetime) -> list[Interval]:
    """Every start on the grid at which the whole visit fits."""
    minutes = minute_of(booking.ends_at) - minute_of(booking.starts_at)
    starts = on_grid(plan.stretches, fitting_starts(plan.free, minutes), step)
    return [(each, each + step) for each in starts if each > minute_of(now)]


def gap(interval: Interval, who: Resource, location: Location) -> Gap:
    return Gap(instant_of(interval[0]), instant_of(interval[1]), who, location)


def _hours(rows: Iterable[OpeningHours], day: dt.date, location: Location) -> list[Interval]:
    return union(*([stretch(day, each.opens_at, each.closes_at, location.zone)] for each in rows))


def _intervals(rows: Iterable[Timed]) -> Sequence[Interval]:
    return union(*([(minute_of(each.starts_at), minute_after(each.ends_at))] for each in rows))
