"""When resources may be used at one location: opening hours, less absences, closures and retirement.

A practitioner works where their own hours and the house's overlap; rooms and equipment follow the house. Every stretch
belongs to one local date: two that meet at midnight stay two.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Q

from clinic.intervals import (
    ONE_DAY,
    Interval,
    day_start,
    instant_of,
    intersect,
    minute_after,
    minute_of,
    stretch,
    subtract,
    union,
    wall_minute,
)
from clinic.models import Absence, Clinic, Location, OpeningHours, Resource
from clinic.models.resources import ResourceKind

# A clinic that answers on no day at all is asked by the clock alone.
LONGEST_SEARCH = 60
# After any date that a diary can reach.
FOR_EVER = 1 << 40


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """``stretches`` are the hours as planned, from which the grid counts; ``free`` is what absences leave of them."""

    stretches: list[Interval]
    free: list[Interval]


CLOSED = Opening([], [])


class Planned(NamedTuple):
    """One row of opening hours, without the cost of a model."""

    opens_at: dt.time
    closes_at: dt.time
    valid_from: dt.date | None
    valid_until: dt.date | None


PLANNED = Planned._fields


def openings(
    *, location: Location, resources: Sequence[Resource], first: dt.date, until: dt.date, is_all_day: bool = False
) -> dict[int, Opening]:
    """The opening of each resource, by its id, on the local dates from ``first`` up to ``until``. Two queries.

    ``is_all_day`` looks past the hours, never past absences, closures and retirement.
    """
    start, end = day_start(first, location.zone), day_start(until, location.zone)
    away = _away(location, resources, start, end)
    if is_all_day:
        return {
            resource.pk: _opening(resource, [(start, end)], [(start, end)], away, location.zone)
            for resource in resources
        }
    hours = _hours(location, first, until)
    house = hours.get(None, [])
    return {
        resource.pk: _opening(resource, house, hours.get(resource.pk, []), away, location.zone)
        for resource in resources
    }


def planned(*, location: Location, people: Iterable[int], first: dt.date, until: dt.date) -> dict[int, list[Interval]]:
    """When these practitioners, by their id, work here as planned, whatever keeps them away. One query."""
    hours = _hours(location, first, until)
    house = hours.get(None, [])
    return {pk: intersect(hours.get(pk, []), house) for pk in people}


def reply_by(
    *,
    clinic: Clinic,
    location: Location | None,
    minutes: int | None = None,
    closed: Sequence[Interval] | None = None,
    now: dt.datetime,
) -> dt.datetime:
    """When the clinic has had its ``reply_minutes``, or ``minutes``: while its phone is answered and the house open.

    One query, which ``closed``, the ``closures`` of that house, spares. Before there is a house UTC counts.
    """
    zone = location.zone if location else dt.UTC
    if closed is None:
        closed = closures([location], now)[location.pk] if location else []
    given = left = clinic.reply_minutes if minutes is None else minutes
    over = union([(0, minute_after(now))], closed)
    today = now.astimezone(zone).date()
    for date in (today + ONE_DAY * n for n in range(LONGEST_SEARCH)):
        answered = [stretch(date, clinic.phone_opens_at, clinic.phone_closes_at, zone)]
        for opens, closes in subtract(answered, over) if date.weekday() in clinic.phone_days else []:
            if closes - opens >= left:
                return instant_of(opens + left)
            left -= closes - opens
    return now + dt.timedelta(minutes=given)


def closures(locations: Iterable[Location], now: dt.datetime) -> dict[int | None, list[Interval]]:
    """When each house, by its id, is closed from ``now`` on, beyond its hours: holidays too. One query for all."""
    shut: dict[int | None, list[Interval]] = {location.pk: [] for location in locations}
    found = Absence.objects.in_force().filter(location__in=list(shut), ends_at__gt=now).order_by("starts_at")
    for house, starts_at, ends_at in found.values_list("location_id", "starts_at", "ends_at"):
        shut[house].append((minute_of(starts_at), minute_after(ends_at)))
    return shut


def quiet_until(*, clinic: Clinic, zone: dt.tzinfo, now: dt.datetime) -> dt.datetime | None:
    """When the night that ``now`` lies in is over, by the clocks of ``zone``; None by day.

    A night that ends as it begins is none at all.
    """
    if clinic.quiet_from == clinic.quiet_until:
        return None
    today = now.astimezone(zone).date()
    starts_on = (today - ONE_DAY, today) if clinic.quiet_until < clinic.quiet_from else (today,)
    for date in starts_on:
        ends_on = date if clinic.quiet_from < clinic.quiet_until else date + ONE_DAY
        start, end = wall_minute(date, clinic.quiet_from, zone), wall_minute(ends_on, clinic.quiet_until, zone)
        if instant_of(start) <= now < instant_of(end):
            return instant_of(end)
    return None


def _opening(
    resource: Resource,
    house: list[Interval],
    own: list[Interval],
    away: Mapping[int | None, list[Interval]],
    zone: dt.tzinfo,
) -> Opening:
    stretches = intersect(own, house) if resource.kind == ResourceKind.PRACTITIONER else house
    gone = union(away.get(None, []), away.get(resource.pk, []), _retired(resource, zone))
    return Opening(stretches, subtract(stretches, gone))


def _retired(resource: Resource, zone: dt.tzinfo) -> list[Interval]:
    return [(day_start(resource.retired_on, zone), FOR_EVER)] if resource.retired_on else []


def _hours(location: Location, first: dt.date, until: dt.date) -> dict[int | None, list[Interval]]:
    """Planned stretches by practitioner's id, the house under None."""
    found = OpeningHours.objects.filter(location=location).order_by()
    by_weekday: dict[tuple[int | None, int], list[Planned]] = defaultdict(list)
    for whose, weekday, *planned in found.values_list("practitioner_id", "weekday", *PLANNED):
        by_weekday[whose, weekday].append(Planned(*planned))
    dates = [first + ONE_DAY * n for n in range((until - first).days)]
    return {
        whose: [
            joined for date in dates for joined in _on(date, by_weekday.get((whose, date.weekday()), []), location.zone)
        ]
        for whose in {whose for whose, _ in by_weekday}
    }


def _on(date: dt.date, rows: Iterable[Planned], zone: dt.tzinfo) -> list[Interval]:
    """The stretches of one date, those that overlap or touch joined."""
    valid = [
        stretch(date, row.opens_at, row.closes_at, zone)
        for row in rows
        if (row.valid_from or date) <= date <= (row.valid_until or date)
    ]
    return union(*([each] for each in valid)) if len(valid) > 1 else [each for each in valid if each[0] < each[1]]


def _away(location: Location, resources: Iterable[Resource], start: int, end: int) -> dict[int | None, list[Interval]]:
    """Absences by resource id, closures of the house under None, rounded outwards to whole minutes."""
    ids = [resource.pk for resource in resources]
    found = (
        Absence.objects.in_force()
        .filter(
            Q(resource__in=ids) | Q(location=location), starts_at__lt=instant_of(end), ends_at__gt=instant_of(start)
        )
        .order_by()
    )
    away: dict[int | None, list[Interval]] = defaultdict(list)
    for whose, starts_at, ends_at in found.values_list("resource_id", "starts_at", "ends_at"):
        away[whose].append((minute_of(starts_at), minute_after(ends_at)))
    return {whose: union(*([each] for each in intervals)) for whose, intervals in away.items()}
