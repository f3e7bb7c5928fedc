"""Other times for visits that have to move: near the old one, with the same person where that is possible.

Visits are planned one after the other, and what is planned for one is taken for the next. One search is loaded for all
visits of a house; the rest is arithmetic.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from bookings import availability
from bookings.availability import NEARBY, STAFF_HORIZON, Diary
from bookings.models import Booking
from clinic.intervals import MINUTE, ONE_DAY, Interval, instant_of, local_date, minute_after, minute_of, union
from clinic.models import Resource, Service
from clinic.opening import Opening

# Nobody is asked to come sooner than they planned on so short a notice.
NO_SOONER_WITHIN = dt.timedelta(days=1)
# Most visits find their times within this; what is further away is only looked at when they do not.
CLOSE_BY = dt.timedelta(days=3)
# For so long the person counts for more than the day.
SAME_PERSON = dt.timedelta(days=7)
TIMES = 3
# Of them with the same person; the rest is as near as can be, with anybody.
WITH_SAME_PERSON = 2


@dataclass(frozen=True)
class Fit:
    """One time at which the visit fits, with whom and in which room."""

    at: dt.datetime
    practitioner: Resource
    room: Resource | None

    def is_same_time(self, booking: Booking) -> bool:
        """Only the room or a piece of equipment is another: the patient need not know."""
        return self.at == booking.starts_at and self.practitioner == booking.practitioner


class Plan:
    """The diaries of all houses and services of ``visits``, and what was planned so far.

    ``visits`` come with everything, and their claims prefetched.
    """

    def __init__(self, visits: Iterable[Booking], *, now: dt.datetime) -> None:
        self.now = now
        self.planned: dict[int, list[Interval]] = defaultdict(list)
        self.diaries: dict[int, Diary] = {}
        by_location: dict[int, list[Booking]] = defaultdict(list)
        for booking in visits:
            by_location[booking.location_id].append(booking)
        for there in by_location.values():
            self._load(there)

    def times(
        self,
        booking: Booking,
        opens_at: Mapping[str, dt.datetime],
        *,
        count: int = TIMES,
        without: Collection[tuple[dt.datetime, int]] = (),
    ) -> list[Fit]:
        """First the nearest with the same person, where there are any, then the nearest with anybody.

        ``opens_at`` is from when on a visit is safe for this patient, by grade; ``without`` are starts that were tried
        in vain, with the practitioner's id.
        """
        found: list[Fit] = []
        own = _Search(self, booking, opens_at, [booking.practitioner_id]), min(count, WITH_SAME_PERSON)
        anybody = _Search(self, booking, opens_at, []), count
        for search, enough in [anybody] if booking.asked_for_any else [own, anybody]:
            fresh = (fit for fit in search.fits() if (fit.at, fit.practitioner.pk) not in without and fit not in found)
            found += islice(fresh, enough - len(found))
        return found

    def keep(self, booking: Booking, fit: Fit) -> None:
        """What ``fit`` uses is taken for whoever is planned next."""
        start = minute_of(fit.at)
        end = start + booking.minutes
        self.planned[fit.practitioner.pk].append((start, end))
        if fit.room is not None:
            self.planned[fit.room.pk].append((start, end + booking.clean_up_minutes))
        for kind in self.diaries[booking.pk].equipment:
            thing = self.free_at(booking, kind, start, booking.minutes)
            if thing is not None:
                self.planned[thing.pk].append((start, end))

    def free_at(self, booking: Booking, candidates: Iterable[Resource], start: int, minutes: int) -> Resource | None:
        """The free one whose day is broken up least."""
        return self.around(booking, (start, start + minutes)).tightest(candidates, start, minutes)

    def around(self, booking: Booking, window: Interval) -> Diary:
        """The diary near ``window``, with what was planned, and without the booking's own claims."""
        diary = self.diaries[booking.pk]
        own = {(claim.resource_id, minute_of(claim.starts_at)) for claim in booking.claims.all()}
        things = [*(diary.rooms or []), *(each for kind in diary.equipment for each in kind)]
        opening, taken = {}, {}
        for each in [*diary.practitioners, *things]:
            pk, found = each.pk, diary.opening[each.pk]
            opening[pk] = Opening(_near(found.stretches, window), _near(found.free, window))
            claimed = [part for part in _near(diary.taken.get(pk, []), window) if (pk, part[0]) not in own]
            taken[pk] = union(claimed, *([part] for part in self.planned[pk]))
        bounds = max(diary.bounds[0], window[0], self._earliest(booking)), min(diary.bounds[1], window[1])
        return replace(diary, opening=opening, taken=taken, bounds=bounds)

    def _earliest(self, booking: Booking) -> int:
        return minute_after(min(booking.starts_at, self.now + NO_SOONER_WITHIN))

    def _load(self, visits: Sequence[Booking]) -> None:
        location = visits[0].location
        first = self.now.astimezone(location.zone).date()
        services = [_service_of(booking) for booking in visits]
        different = {_wants(service): service for service in services}
        diaries = availability.load_each(
            list(different.values()),
            location=location,
            clinic=location.clinic,
            first=first,
            until=self._until(visits),
            now=self.now,
            is_staff=True,
        )
        by_wants = dict(zip(different, diaries, strict=True))
        self.diaries |= {
            booking.pk: by_wants[_wants(service)] for booking, service in zip(visits, services, strict=True)
        }

    def _until(self, visits: Sequence[Booking]) -> dt.date:
        """As far as anybody books, and three weeks past the last of them."""
        location = visits[0].location
        usual = availability.horizon(clinic=location.clinic, location=location, now=self.now)
        last = max(booking.local_date for booking in visits) + NEARBY + ONE_DAY
        latest = local_date(minute_of(self.now + STAFF_HORIZON), location.zone)
        return min(max(usual, last), latest)


@dataclass(frozen=True)
class _Search:
    """Times for one visit, with ``people`` by id, or with anybody who is able."""

    plan: Plan
    booking: Booking
    opens_at: Mapping[str, dt.datetime]
    people: Sequence[int]

    def fits(self) -> Iterator[Fit]:
        """The nearest first, one for each instant."""
        known: set[int] = set()
        for window in self._windows():
            diary = self._diary(window)
            for start, index in self._nearest(diary):
                fit = None if start in known else self._fit(diary, start, diary.practitioners[index])
                if fit is not None:
                    known.add(start)
                    yield fit

    def _windows(self) -> Iterator[Interval]:
        """Ever further away from the present time."""
        start = minute_of(self.booking.starts_at)
        for reach in (CLOSE_BY, SAME_PERSON) if self.people else (CLOSE_BY, NEARBY):
            far = reach // MINUTE
            yield start - far, start + far
        if not self.people:
            yield self.plan.diaries[self.booking.pk].bounds

    def _diary(self, window: Interval) -> Diary:
        diary = self.plan.around(self.booking, window)
        able = [each for each in diary.practitioners if not self.people or each.pk in self.people]
        opens_at = {grade: minute_after(instant) for grade, instant in self.opens_at.items()}
        return replace(diary, practitioners=able, opens_at=opens_at)

    def _nearest(self, diary: Diary) -> list[tuple[int, int]]:
        was = minute_of(self.booking.starts_at)
        return sorted(diary.all_offered(), key=lambda found: (abs(found[0] - was), found))

    def _fit(self, diary: Diary, start: int, practitioner: Resource) -> Fit | None:
        """None where nothing but the present time in the present room is left."""
        booking = self.booking
        rooms = diary.rooms or []
        is_same = start == minute_of(booking.starts_at) and practitioner.pk == booking.practitioner_id
        if is_same:
            rooms = [room for room in rooms if room.pk != booking.room_id]
        room = diary.tightest(rooms, start, diary.minutes + diary.clean_up)
        if room is None and (is_same or diary.rooms is not None):
            return None
        return Fit(instant_of(start), practitioner, room)


def _service_of(booking: Booking) -> Service:
    """At the agreed length; what is offered no longer is not moved past its last day."""
    service = booking.agreed_service()
    service.retired_on = booking.service.retired_on
    return service


def _wants(service: Service) -> tuple[int | None, int, int]:
    return service.pk, service.minutes, service.clean_up_minutes


def _near(intervals: list[Interval], window: Interval) -> list[Interval]:
    """Those that may touch the window; a day more on either side, so that each stretch of a day is whole."""
    day = 24 * 60
    low = bisect_left(intervals, (window[0] - 2 * day, 0))
    high = bisect_right(intervals, (window[1] + 2 * day, 0))
    return intervals[low:high]
