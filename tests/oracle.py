"""A slow, independent answer to "which starts are on offer?": sets of single minutes, no interval arithmetic.

It shares no code with ``clinic.intervals``, ``clinic.opening`` and ``bookings.availability``; it reads rows and counts.
"""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from bookings.models import Claim
from clinic.models import Absence, Clinic, Location, OpeningHours, Resource, Service

Minutes = frozenset[int]
DAY = dt.timedelta(days=1)


@lru_cache(maxsize=64)
def clock_of(date: dt.date, zone: ZoneInfo) -> tuple[tuple[int, dt.time], ...]:
    """Every minute of a local date with what the wall clock shows then, found by asking for each minute."""
    first = dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC) - DAY
    shown = []
    for number in range(3 * 24 * 60):
        instant = first + dt.timedelta(minutes=number)
        wall = instant.astimezone(zone)
        if wall.date() == date:
            shown.append((int(instant.timestamp()) // 60, wall.time()))
    return tuple(shown)


def open_minutes(rows: list[OpeningHours], date: dt.date, zone: ZoneInfo) -> Minutes:
    """From the first minute at or after opening up to the last one before closing, on that date's own clock."""
    minutes: set[int] = set()
    for row in rows:
        if row.weekday != date.weekday() or (row.valid_from and date < row.valid_from):
            continue
        if row.valid_until and date > row.valid_until:
            continue
        clock = clock_of(date, zone)
        begins = [minute for minute, wall in clock if wall >= row.opens_at]
        ends = [minute for minute, wall in clock if row.closes_at == dt.time(0) or wall < row.closes_at]
        if begins and ends:
            minutes.update(range(begins[0], ends[-1] + 1))
    return frozenset(minutes)


def begins_of_runs(minutes: Minutes) -> dict[int, int]:
    """For each minute the first one of the unbroken run that it stands in."""
    begins: dict[int, int] = {}
    for minute in sorted(minutes):
        begins[minute] = begins.get(minute - 1, minute)
    return begins


def starts(
    *, clinic: Clinic, location: Location, service: Service, now: dt.datetime, visitor: str, first: dt.date, days: int
) -> set[tuple[dt.datetime, int]]:
    """(start, practitioner's id) for every offered start on ``days`` local dates from ``first``."""
    zone = location.zone
    today = now.astimezone(zone).date()
    found: set[tuple[dt.datetime, int]] = set()
    for date in (first + DAY * number for number in range(days)):
        closed = any(each.retired_on and date >= each.retired_on for each in (service, location))
        if not closed and date <= today + DAY * clinic.horizon_days:
            found |= _on(date, clinic=clinic, location=location, service=service, now=now, visitor=visitor)
    return found


def _on(
    date: dt.date, *, clinic: Clinic, location: Location, service: Service, now: dt.datetime, visitor: str
) -> set[tuple[dt.datetime, int]]:
    hours = list(OpeningHours.objects.filter(location=location))
    house = open_minutes([row for row in hours if row.practitioner_id is None], date, location.zone)
    earliest = now + dt.timedelta(minutes=clinic.minimum_notice_minutes)
    rooms, kits = (
        [[_free(each, house, date, location, now, visitor) for each in kind] for kind in kinds]
        for kinds in _things(service, location)
    )
    found = set()
    for person in Resource.objects.filter(kind="practitioner", code__in=service.grades):
        own = open_minutes([row for row in hours if row.practitioner_id == person.pk], date, location.zone)
        free = _free(person, own & house, date, location, now, visitor)
        for minute, begin in begins_of_runs(own & house).items():
            instant = dt.datetime.fromtimestamp(minute * 60, dt.UTC)
            if (
                instant >= earliest
                and (minute - begin) % clinic.grid_minutes == 0
                and _fits([[free], *kits], minute, service.minutes)
                and _fits(rooms, minute, service.minutes + service.clean_up_minutes)
            ):
                found.add((instant, person.pk))
    return found


def _fits(kinds: list[list[set[int]]], minute: int, length: int) -> bool:
    """Whether of each kind one is free for every minute of that length."""
    return all(any(all(m in free for m in range(minute, minute + length)) for free in kind) for kind in kinds)


def _things(service: Service, location: Location) -> tuple[list[list[Resource]], list[list[Resource]]]:
    """The kinds of room needed, one or none, and the kinds of equipment, each with all that the house has of it."""
    here = list(Resource.objects.filter(location=location))
    rooms = [[each for each in here if each.kind == "room" and each.code == service.room_kind]]
    kits = [
        [each for each in here if each.kind == "equipment" and each.code == kind] for kind in service.equipment_kinds
    ]
    return rooms if service.room_kind else [], kits


def _free(
    resource: Resource, planned: Minutes, date: dt.date, location: Location, now: dt.datetime, visitor: str
) -> set[int]:
    if resource.retired_on and date >= resource.retired_on:
        return set()
    free = set(planned)
    for absence in Absence.objects.all():
        if absence.resource_id == resource.pk or absence.location_id == location.pk:
            free -= _touched(absence.starts_at, absence.ends_at)
    for claim in Claim.objects.filter(resource=resource).select_related("booking"):
        hold = claim.booking
        if hold.expires_at is None or (hold.expires_at > now and hold.visitor != visitor):
            free -= _touched(claim.starts_at, claim.ends_at)
    return free


def _touched(start: dt.datetime, end: dt.datetime) -> set[int]:
    """Every minute of which [start, end) has a part."""
    return set(range(int(start.timestamp() // 60), -int(-end.timestamp() // 60)))
