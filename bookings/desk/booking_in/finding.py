"""Free times for somebody who waits on the phone, or stands at the desk."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from bookings import availability
from bookings.availability import Asked, Bend, Diary, NotOffered
from clinic.intervals import ONE_DAY, instant_of, minute_of
from clinic.models import Location, Resource, Service

SHOWN, OFFERED = 9, 3
LOOKED_AHEAD = dt.timedelta(days=28)
# A walk-in begins on a round minute.
ROUND_MINUTES = 5


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is looked for; without a ``practitioner`` anybody will do, without a ``date`` the soonest.

    ``opens_at`` says from when on it is safe for somebody who is known, by the grade of who does it.
    """

    service: Service
    location: Location
    practitioner: Resource | None = None
    date: dt.date | None = None
    after: dt.time | None = None
    before: dt.time | None = None
    opens_at: Mapping[str, dt.datetime] = dataclasses.field(default_factory=dict)

    def asked(self, now: dt.datetime) -> Asked:
        return {
            "service": self.service,
            "location": self.location,
            "clinic": self.location.clinic,
            "practitioner": self.practitioner,
            "now": now,
            "is_staff": True,
            "opens_at": self.opens_at,
        }

    def fits(self, instant: dt.datetime) -> bool:
        """By the clock on the wall."""
        time = instant.astimezone(self.location.zone).time()
        return (self.after is None or time >= self.after) and (self.before is None or time < self.before)


@dataclasses.dataclass(frozen=True)
class Free:
    """A time to offer. ``needs_reason``: too soon, or too far ahead, for patients themselves."""

    at: dt.datetime
    practitioner: Resource
    needs_reason: bool = False
    service: Service | None = None

    @property
    def slot(self) -> str:
        """What its button sends: the time, the person, and the service where that is another one."""
        other = f"|{self.service.slug}" if self.service else ""
        return f"{self.at.isoformat()}|{self.practitioner.slug}{other}"


@dataclasses.dataclass(frozen=True)
class Now:
    """The first start of a service for whoever stands here; ``at`` None when there is none today."""

    service: Service
    at: dt.datetime | None


def nearest(wish: Wish, now: dt.datetime) -> list[Free]:
    """The first times from that day on, each with the person whose day it breaks up least."""
    today = now.astimezone(wish.location.zone).date()
    first = max(wish.date or today, today)
    asked = wish.asked(now)
    diary, found = availability.search_minutes(first=first, until=first + LOOKED_AHEAD, **asked)
    offered = (free for free in _each_once(diary, found) if wish.fits(free.at))
    chosen = [free for free, _ in zip(offered, range(SHOWN), strict=False)]
    return [dataclasses.replace(free, needs_reason=bool(availability.bent_by_time(free.at, asked))) for free in chosen]


def for_walk_ins(
    services: Sequence[Service], location: Location, now: dt.datetime, *, practitioner: Resource | None = None
) -> list[Now]:
    """For each service the first start today with anyone, on the grid or not; as many queries as for one."""
    today = now.astimezone(location.zone).date()
    asked: Asked = {
        "location": location,
        "clinic": location.clinic,
        "practitioner": practitioner,
        "now": now,
        "is_staff": True,
        "bend": Bend.GRID,
    }
    if not services:
        return []
    diaries = availability.load_each(services, first=today, until=today + ONE_DAY, **asked)
    return [Now(service, _first(diary)) for service, diary in zip(services, diaries, strict=True)]


def fitting(
    services: Sequence[Service], location: Location, practitioner: Resource, start: dt.datetime, now: dt.datetime
) -> tuple[list[Service], list[Service]]:
    """Which services that person may do, those first that fit at ``start`` as things stand."""
    able = [each for each in services if practitioner.code in each.grades]
    if not able:
        return [], []
    day = start.astimezone(location.zone).date()
    asked: Asked = {
        "location": location,
        "clinic": location.clinic,
        "practitioner": practitioner,
        "now": now,
        "is_staff": True,
    }
    diaries = availability.load_each(able, first=day, until=day + ONE_DAY, **asked)
    fit = [each for each, diary in zip(able, diaries, strict=True) if diary.fits(minute_of(start))]
    return fit, [each for each in able if each not in fit]


def instead(to: dt.datetime, asked: Asked, *, service: Service | None = None) -> list[Free]:
    """The closest free times; ``asked`` says from when on they are safe. ``service`` is set where it is another one."""
    found = availability.nearest(to=to, count=OFFERED + 1, **asked)
    others = [start for start in found if service or start.at != to][:OFFERED]
    return [
        Free(start.at, start.practitioner, bool(availability.bent_by_time(start.at, asked)), service)
        for start in others
    ]


def can_be_bent(reason: NotOffered) -> bool:
    """Whether a reason helps; the past stays past."""
    return reason is not NotOffered.PAST


def _each_once(diary: Diary, found: Sequence[tuple[int, int]]) -> Iterator[Free]:
    for minute, same in groupby(found, key=itemgetter(0)):
        free = [diary.practitioners[index] for _, index in same]
        yield Free(instant_of(minute), diary.tightest(free, minute, diary.minutes) or free[0])


def _first(diary: Diary) -> dt.datetime | None:
    return next((instant_of(minute) for minute, _ in diary.offered() if minute % ROUND_MINUTES == 0), None)
