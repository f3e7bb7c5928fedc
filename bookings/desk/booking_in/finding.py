"""Free times for somebody who waits on the phone, or stands at the desk."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice, takewhile
from operator import itemgetter

from bookings import availability
from bookings.availability import Asked, Bend, Diary, NotOffered
from clinic.intervals import ONE_DAY, day_start, instant_of, minute_of
from clinic.models import Location, Resource, Service

SHOWN, OFFERED = 9, 3
LOOKED_AHEAD = dt.timedelta(days=28)
# A walk-in begins on a round minute.
ROUND_MINUTES = 5


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is looked for; without a ``practitioner`` anybody will do, without a ``date`` the soonest.

    ``is_day``: that day itself is wanted, and not only what comes from then on. ``later_than`` goes on where the times
    that were shown end. ``opens_at`` says from when on it is safe for somebody who is known, by the grade of who does
    it.
    """

    service: Service
    location: Location
    practitioner: Resource | None = None
    date: dt.date | None = None
    after: dt.time | None = None
    before: dt.time | None = None
    is_day: bool = False
    later_than: dt.datetime | None = None
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

    @property
    def has_hours(self) -> bool:
        return self.after is not None or self.before is not None

    def day_of(self, instant: dt.datetime) -> dt.date:
        return instant.astimezone(self.location.zone).date()

    def first_day(self, now: dt.datetime) -> dt.date:
        days = [self.day_of(now), self.date, self.later_than and self.day_of(self.later_than)]
        return max(day for day in days if day)

    def fits(self, instant: dt.datetime) -> bool:
        """By the clock on the wall."""
        if self.later_than and instant <= self.later_than:
            return False
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
class Found:
    """What to offer: the times ``on_day``, where a day was said, and the nearest ``others``.

    ``is_full``: visits are held on that day, and all of them are taken. ``go_on`` is where more times are looked for.
    """

    on_day: Sequence[Free] = ()
    others: Sequence[Free] = ()
    is_full: bool = False
    go_on: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Now:
    """The first start of a service for whoever stands here; ``at`` None when there is none today."""

    service: Service
    at: dt.datetime | None


def nearest(wish: Wish, now: dt.datetime) -> Found:
    """The first times from that day on, each with the person whose day it breaks up least."""
    first, asked = wish.first_day(now), wish.asked(now)
    until = first + LOOKED_AHEAD
    diary, found = availability.search_minutes(first=first, until=until, **asked)
    fit = islice((free for free in _each_once(diary, found) if wish.fits(free.at)), SHOWN)
    shown = [dataclasses.replace(free, needs_reason=bool(availability.bent_by_time(free.at, asked))) for free in fit]
    on_day = [free for free in shown if wish.is_day and wish.day_of(free.at) == wish.date]
    return Found(
        on_day=on_day,
        others=shown[len(on_day) :],
        is_full=wish.is_day and not on_day and _is_held(diary, wish),
        go_on=shown[-1].at if len(shown) == SHOWN else _end_of(until, wish, now),
    )


def _end_of(until: dt.date, wish: Wish, now: dt.datetime) -> dt.datetime | None:
    """Where the window ends; None where nothing is booked any more, however far staff look."""
    is_within = until <= wish.day_of(now) + availability.STAFF_HORIZON
    return instant_of(day_start(until, wish.location.zone)) if is_within else None


def _is_held(diary: Diary, wish: Wish) -> bool:
    """Whether there would be a time on the day that was said, if nothing were booked."""
    starts = (instant_of(minute) for minute, _ in diary.emptied().offered())
    on_day = takewhile(lambda at: wish.day_of(at) == wish.date, starts)
    return any(wish.fits(at) for at in on_day)


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
