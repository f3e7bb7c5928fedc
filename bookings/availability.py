"""Read-only search for starts: a practitioner, a room and every needed piece of equipment, all free together.

Everything inside is integer minutes since the epoch; claims come aggregated per resource from one statement, so no
datetime is built per claim. With the clinic, the location and the service in hand a search takes four queries, whatever
the number of practitioners, rooms or days.

What counts as offered: the visit lies inside one stretch of the practitioner's own hours and the house's; the room is
free for the visit and its clean-up, both inside the house's hours; each kind of equipment is free for the visit; the
start lies a multiple of ``Clinic.grid_minutes`` elapsed minutes after the beginning of the practitioner's stretch, not
before the minimum notice is over, and on a local date no later than the horizon. Claims of run-out holds, of the
visitor's own holds and of the booking that is to move do not count. Staff may bend all of this but what is claimed,
absences and retirement: see ``Bend``.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, IntEnum
from heapq import merge
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Any, NamedTuple, TypedDict, Unpack

from django.db import connection
from django.db.models import Q

from bookings.models import Booking, Claim
from bookings.models.event import OPENING_HOURS
from clinic.intervals import (
    ONE_DAY,
    Interval,
    day_start,
    fitting_starts,
    holding,
    instant_of,
    intersect,
    local_date,
    minute_after,
    minute_of,
    on_grid,
    subtract,
    union,
)
from clinic.models import Clinic, Location, Resource, Service
from clinic.models.resources import ResourceKind
from clinic.opening import CLOSED, FOR_EVER, Opening, openings

LONGEST_RANGE = 62
# Claims last at most a day, so a window may bound their starts from below and stay on the index.
LONGEST_CLAIM = dt.timedelta(hours=24)
NEARBY = dt.timedelta(days=21)
STAFF_HORIZON = dt.timedelta(days=730)
# The visit at which a clinician looks first, by its slug.
CONSULT = "consult"
# What staff may bend with a reason, by its name in the history of a visit. None of it tells an answer.
MINIMUM_NOTICE, HORIZON, GRID = "minimum notice", "horizon", "grid"
RULES_OF_TIME = frozenset({MINIMUM_NOTICE, HORIZON, GRID, OPENING_HOURS})
# Bent to this.
EVERY_MINUTE = 1


class NotOffered(Enum):
    """Why a start was never one of ours."""

    PAST = "past"
    TOO_SOON = "too_soon"
    BEYOND_HORIZON = "beyond_horizon"
    CLOSED = "closed"
    OFF_GRID = "off_grid"


class Bend(IntEnum):
    """How far a search looks past the rules of time: a start off the grid, or outside opening hours too."""

    NOTHING = 0
    GRID = 1
    HOURS = 2


class Start(NamedTuple):
    """``at`` is UTC. A search gives one of these for each practitioner who is free then."""

    at: dt.datetime
    practitioner: Resource


class Asked(TypedDict, total=False):
    """What a search is for. ``practitioner`` None means any; ``ignoring`` is a booking that is to move.

    ``room`` is the one to choose where it is free; a search does not look at it. ``is_staff`` looks past notice and
    horizon, ``bend`` further.
    ``opens_at`` says, by the grade of a practitioner, from which instant on a visit is safe for this person.
    """

    service: Service
    location: Location
    clinic: Clinic
    practitioner: Resource | None
    room: Resource | None
    now: dt.datetime
    visitor: str
    ignoring: Booking | None
    is_staff: bool
    bend: Bend
    opens_at: Mapping[str, dt.datetime]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Diary:
    """Who and what is open and free in a window. Loaded once; all questions after that are arithmetic."""

    minutes: int
    clean_up: int
    grid: int
    bounds: Interval
    practitioners: list[Resource]
    rooms: list[Resource] | None
    equipment: list[list[Resource]]
    opening: dict[int, Opening]
    taken: dict[int, list[Interval]]
    opens_at: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def free(self, resource: Resource) -> list[Interval]:
        return subtract(self.opening.get(resource.pk, CLOSED).free, self.taken.get(resource.pk, []))

    def starts_of(self, practitioner: Resource, windows: list[Interval]) -> Iterator[int]:
        """The offered starts of one practitioner, in order, where ``windows`` are those of rooms and equipment."""
        own = intersect(windows, fitting_starts(self.free(practitioner), self.minutes))
        if practitioner.code in self.opens_at:
            own = intersect([(self.opens_at[practitioner.code], FOR_EVER)], own)
        return on_grid(self.opening[practitioner.pk].stretches, own, self.grid)

    def windows(self) -> list[Interval]:
        """Starts at which a room and all equipment are free, and which notice and horizon allow."""
        windows = [self.bounds] if self.bounds[0] < self.bounds[1] else []
        if self.rooms is not None:
            needed = self.minutes + self.clean_up
            windows = intersect(windows, union(*(fitting_starts(self.free(room), needed) for room in self.rooms)))
        for kind in self.equipment:
            windows = intersect(windows, union(*(fitting_starts(self.free(each), self.minutes) for each in kind)))
        return windows

    def offered(self) -> Iterator[tuple[int, int]]:
        """(start, index of the practitioner) in order, found as far as asked for."""
        return merge(*self._by_practitioner())

    def all_offered(self) -> list[tuple[int, int]]:
        """The same, all at once, which is faster for all."""
        return sorted(chain(*self._by_practitioner()))

    def _by_practitioner(self) -> list[Iterator[tuple[int, int]]]:
        windows = self.windows()
        return [zip(self.starts_of(each, windows), repeat(index)) for index, each in enumerate(self.practitioners)]

    def emptied(self) -> "Diary":
        """The same diary as if nothing were booked."""
        return dataclasses.replace(self, taken={})

    def fits(self, start: int) -> bool:
        """Whether someone could begin at ``start``, on the grid or not."""
        windows = self.windows()
        return any(
            holding(intersect(windows, fitting_starts(self.free(each), self.minutes)), start, start + 1)
            for each in self.practitioners
        )

    def tightest(self, candidates: Iterable[Resource], start: int, minutes: int) -> Resource | None:
        """The free one whose day is broken up least: fewest gaps left beside the visit, then the shortest stretch."""
        fitting: list[tuple[tuple[int, int], Resource]] = []
        for candidate in candidates:
            stretch = holding(self.free(candidate), start, start + minutes)
            if stretch:
                gaps = (start > stretch[0]) + (start + minutes < stretch[1])
                fitting.append(((gaps, stretch[1] - stretch[0]), candidate))
        return min(fitting, key=itemgetter(0))[1] if fitting else None


def search(*, first: dt.date, until: dt.date, **asked: Unpack[Asked]) -> list[Start]:
    """All starts on the local dates from ``first`` up to ``until``, sorted; one row per start and practitioner.

    Raises ValueError for more than 62 days.
    """
    diary, found = search_minutes(first=first, until=until, **asked)
    return [Start(instant_of(minute), diary.practitioners[index]) for minute, index in found]


def search_minutes(*, first: dt.date, until: dt.date, **asked: Unpack[Asked]) -> tuple[Diary, list[tuple[int, int]]]:
    """The same search without a datetime per start: (minute since the epoch, index into the diary's practitioners)."""
    if (until - first).days > LONGEST_RANGE:
        raise ValueError(f"at most {LONGEST_RANGE} days")
    diary = load(first=first, until=until, **asked)
    return diary, diary.all_offered()


def soonest(*, count: int = 3, is_after: dt.datetime | None = None, **asked: Unpack[Asked]) -> list[Start]:
    """The next ``count`` instants that are offered, each with the first practitioner who is free then."""
    first, until = _whole_horizon(asked)
    if is_after is not None:
        first = max(first, is_after.astimezone(asked["location"].zone).date())
    starts = _starts(load(first=first, until=until, **asked))
    return list(islice(_one_each(start for start in starts if is_after is None or start.at > is_after), count))


def nearest(*, to: dt.datetime, count: int = 3, **asked: Unpack[Asked]) -> list[Start]:
    """The offered instants closest to ``to``, closest first; the soonest ones when none is within three weeks."""
    around = to.astimezone(asked["location"].zone).date()
    earliest, latest = _whole_horizon(asked)
    first, until = max(earliest, around - NEARBY), min(latest, around + NEARBY)
    if first < until:
        starts = distinct(_starts(load(first=first, until=until, **asked)))
        if starts:
            return sorted(starts, key=lambda start: abs(start.at - to))[:count]
    return soonest(count=count, **asked)


def next_date(*, after: dt.date, **asked: Unpack[Asked]) -> dt.date | None:
    """The first local date after ``after`` with a free start."""
    first, until = _whole_horizon(asked)
    diary = load(first=max(first, after + ONE_DAY), until=until, **asked)
    found = next(diary.offered(), None)
    return local_date(found[0], asked["location"].zone) if found else None


def distinct(starts: Iterable[Start]) -> list[Start]:
    """One row for each instant, with the first practitioner who is free then. ``starts`` are sorted."""
    return list(_one_each(starts))


def practitioners(*, service: Service, location: Location, on: dt.date) -> list[Resource]:
    """Who may do this service here, from that local date on."""
    able = Resource.objects.practitioners().in_use(on).filter(code__in=service.grades)
    return list(able.filter(Q(opening_hours__location=location)).distinct())


def skin_check(*, beside: Service, location: Location, on: dt.date) -> Service | None:
    """The visit at which a clinician looks first; None where that house has none on that date, and beside itself."""
    found = Service.objects.in_use(on).filter(slug=CONSULT).exclude(pk=beside.pk).first()
    return found if found and practitioners(service=found, location=location, on=on) else None


def outside(start: dt.datetime, asked: Asked) -> NotOffered | None:
    """Whether ``start`` is past, too soon or too far ahead; it asks the database nothing."""
    now, clinic, location = asked["now"], asked["clinic"], asked["location"]
    is_staff = asked.get("is_staff", False)
    if start <= now:
        return NotOffered.PAST
    if not is_staff and start < now + clinic.minimum_notice:
        return NotOffered.TOO_SOON
    last = (
        now + STAFF_HORIZON
        if is_staff
        else instant_of(day_start(horizon(clinic=clinic, location=location, now=now), location.zone))
    )
    return NotOffered.BEYOND_HORIZON if start >= last else None


def bent_by_time(start: dt.datetime, asked: Asked) -> list[str]:
    """The names of the rules on how soon and how far ahead that ``start`` does not keep."""
    reason = outside(start, {**asked, "is_staff": False})
    names = {NotOffered.TOO_SOON: MINIMUM_NOTICE, NotOffered.BEYOND_HORIZON: HORIZON}
    return [names[reason]] if reason in names else []


def why_not(diary: Diary, start: dt.datetime) -> NotOffered | None:
    """Why ``start`` was never on offer; None when it would be, were nothing booked. ``diary`` is that day's."""
    minute, empty = minute_of(start), diary.emptied()
    if minute_after(start) == minute and any(minute == offered for offered, _ in empty.offered()):
        return None
    return NotOffered.OFF_GRID if empty.fits(minute) else NotOffered.CLOSED


def horizon(*, clinic: Clinic, location: Location, now: dt.datetime) -> dt.date:
    """The first local date that is too far ahead to book."""
    return now.astimezone(location.zone).date() + dt.timedelta(days=clinic.horizon_days + 1)


def load(*, first: dt.date, until: dt.date, run_out_count: bool = False, **asked: Unpack[Asked]) -> Diary:
    """Read the diary of the local dates from ``first`` up to ``until``. Four queries.

    ``run_out_count`` takes run-out holds for taken: who looks for a time without disturbing them asks so.
    """
    return load_each([asked["service"]], first=first, until=until, run_out_count=run_out_count, **asked)[0]


def load_each(
    services: Sequence[Service], *, first: dt.date, until: dt.date, run_out_count: bool = False, **asked: Unpack[Asked]
) -> list[Diary]:
    """The diary for each of ``services``, in their order, in as many queries as for one."""
    location = asked["location"]
    window = day_start(first, location.zone), day_start(until, location.zone)
    candidates = _resources(services, location, asked.get("practitioner"))
    bend = asked.get("bend", Bend.NOTHING)
    opening = openings(location=location, resources=candidates, first=first, until=until, is_all_day=bend is Bend.HOURS)
    taken = _taken(candidates, window, asked, run_out_count=run_out_count)
    return [_diary(service, candidates, opening, taken, _bounds(service, window, asked), asked) for service in services]


def _diary(
    service: Service,
    candidates: Sequence[Resource],
    opening: dict[int, Opening],
    taken: dict[int, list[Interval]],
    bounds: Interval,
    asked: Asked,
) -> Diary:
    people = [each for each in candidates if each.kind == ResourceKind.PRACTITIONER and each.code in service.grades]
    things = [each for each in candidates if each.kind != ResourceKind.PRACTITIONER]
    return Diary(
        minutes=service.minutes,
        clean_up=service.clean_up_minutes,
        grid=EVERY_MINUTE if asked.get("bend") else asked["clinic"].grid_minutes,
        bounds=bounds,
        practitioners=people,
        rooms=[each for each in things if each.code == service.room_kind] if service.room_kind else None,
        equipment=[[each for each in things if each.code == kind] for kind in service.equipment_kinds],
        opening=opening,
        taken=taken,
        opens_at={grade: minute_after(instant) for grade, instant in asked.get("opens_at", {}).items()},
    )


def _resources(services: Sequence[Service], location: Location, wanted: Resource | None) -> list[Resource]:
    """Everyone, or the one who is ``wanted``, and everything that such visits may use here."""
    able = Q(kind=ResourceKind.PRACTITIONER, code__in={grade for each in services for grade in each.grades})
    here = Q(kind=ResourceKind.ROOM, code__in={each.room_kind for each in services}) | Q(
        kind=ResourceKind.EQUIPMENT, code__in={kind for each in services for kind in each.equipment_kinds}
    )
    able = able & Q(pk=wanted.pk) if wanted is not None else able
    return list(Resource.objects.filter(able | (here & Q(location=location))))


def _bounds(service: Service, window: Interval, asked: Asked) -> Interval:
    """The starts that notice, horizon and retirement allow inside the window."""
    location, clinic, now = asked["location"], asked["clinic"], asked["now"]
    retired = [day_start(date, location.zone) for date in (service.retired_on, location.retired_on) if date]
    if asked.get("is_staff"):
        return max(window[0], minute_of(now) + 1), min(window[1], *retired, window[1])
    last = day_start(horizon(clinic=clinic, location=location, now=now), location.zone)
    return max(window[0], minute_after(now + clinic.minimum_notice)), min(window[1], last, *retired)


# Each claim as one number, so that one statement brings a whole window, a row per resource: with start and end in
# minutes and a length below 2048, start × 2047 + end = start × 2048 + length.
PACKED = {
    "sqlite": "group_concat(CAST(strftime('%%s', c.starts_at) AS INTEGER) / 60 * 2047"
    " + CAST(strftime('%%s', c.ends_at) AS INTEGER) / 60)",
    "postgresql": "array_agg(extract(epoch FROM c.starts_at)::bigint / 60 * 2047"
    " + extract(epoch FROM c.ends_at)::bigint / 60)",
}


def _taken(
    resources: Sequence[Resource], window: Interval, asked: Asked, *, run_out_count: bool
) -> dict[int, list[Interval]]:
    """What is claimed, by resource id, in one statement."""
    if not resources:
        return {}
    moment = connection.ops.adapt_datetimefield_value
    start, end = instant_of(window[0]), instant_of(window[1])
    spared, spared_values = _not_counted(asked, run_out_count=run_out_count)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.resource_id, {PACKED[connection.vendor]} FROM {Claim._meta.db_table} c"
            f" WHERE c.resource_id IN ({', '.join(['%s'] * len(resources))})"
            f" AND c.starts_at > %s AND c.starts_at < %s AND c.ends_at > %s AND {spared} GROUP BY c.resource_id",
            [
                *(each.pk for each in resources),
                moment(start - LONGEST_CLAIM),
                moment(end),
                moment(start),
                *spared_values,
            ],
        )
        return {resource: _unpacked(packed) for resource, packed in cursor.fetchall()}


def _not_counted(asked: Asked, *, run_out_count: bool) -> tuple[str, list[Any]]:
    """SQL that leaves out the claims in nobody's way, and its values. They are few: naming them beats joining all."""
    moment = connection.ops.adapt_datetimefield_value
    holds: list[str] = []
    values: list[Any] = []
    if not run_out_count:
        holds.append("b.expires_at <= %s")
        values.append(moment(asked["now"]))
    if visitor := asked.get("visitor"):
        holds.append("b.visitor = %s")
        values.append(visitor)
    ignoring = asked.get("ignoring")
    values.append(ignoring.pk if ignoring else 0)
    theirs = f"(b.state = 'held' AND ({' OR '.join(holds)})) OR " if holds else ""
    return f"c.booking_id NOT IN (SELECT b.id FROM {Booking._meta.db_table} b WHERE {theirs}b.id = %s)", values


def _unpacked(packed: str | list[int]) -> list[Interval]:
    numbers = map(int, packed.split(",")) if isinstance(packed, str) else packed
    return [(number >> 11, (number >> 11) + (number & 2047)) for number in sorted(numbers)]


def _starts(diary: Diary) -> Iterator[Start]:
    return (Start(instant_of(minute), diary.practitioners[index]) for minute, index in diary.offered())


def _one_each(starts: Iterable[Start]) -> Iterator[Start]:
    last = None
    for start in starts:
        if start.at != last:
            last = start.at
            yield start


def _whole_horizon(asked: Asked) -> tuple[dt.date, dt.date]:
    clinic, location, now = asked["clinic"], asked["location"], asked["now"]
    return now.astimezone(location.zone).date(), horizon(clinic=clinic, location=location, now=now)
