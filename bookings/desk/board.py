"""One day at one location, read for the desk in a fixed number of queries."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet

from bookings.desk import flags
from bookings.desk.grid import DAY_MINUTES, Grid, around, minute_of, minute_on
from bookings.models import Booking, BookingState, MailState, OutgoingEmail, ScreeningRun
from clinic.models import Absence, Grade, Location, OpeningHours, Resource

Key = TypeVar("Key")
Row = TypeVar("Row")

# No clinic has days outside these; the last day of the calendar has no tomorrow.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
MOST_ROOMS = 2
# The message whose way the board shows, and the one that asks whether anything is new.
CONFIRMATION, DAY_BEFORE = "confirmed", "r24h"


@dataclasses.dataclass(frozen=True)
class Visit:
    """One card: a booking, what staff should know before it, the state of its confirmation ("" for none), its rows."""

    booking: Booking
    flags: tuple[str, ...]
    mail: str
    rows: str

    @property
    def mail_words(self) -> str:
        return MailState(self.mail).label if self.mail else "none"

    @property
    def is_held(self) -> bool:
        return self.booking.state == BookingState.HELD


@dataclasses.dataclass(frozen=True)
class Column:
    """One practitioner's day. Each block is rows of the grid: when they work, when they are away, when rooms dry."""

    practitioner: Resource
    hours: tuple[OpeningHours, ...]
    visits: tuple[Visit, ...]
    absences: tuple[tuple[Absence, str], ...]
    working: tuple[str, ...]
    clean_ups: tuple[str, ...]

    @property
    def grade(self) -> str:
        return Grade(self.practitioner.code).label

    @property
    def rooms(self) -> str:
        """Where this practitioner works that day; "" when it is more than a head of a column can say."""
        rooms = {visit.booking.room.name: None for visit in self.visits if visit.booking.room}
        return ", ".join(rooms) if len(rooms) <= MOST_ROOMS else ""


@dataclasses.dataclass(frozen=True)
class Board:
    """``visits`` are those of all columns by time.

    ``here`` are the people who work that day or have a visit, ``off`` those who do neither; ``only`` is the slug of the
    one who is shown, or "".
    """

    grid: Grid
    now_row: str
    columns: tuple[Column, ...]
    visits: tuple[Visit, ...]
    closures: tuple[Absence, ...]
    only: str
    here: tuple[Resource, ...]
    off: tuple[Resource, ...]


def board(*, location: Location, day: dt.date, now: dt.datetime, only: str = "") -> Board:
    """Who works here that day, with their visits, and whoever has a visit although they do not work.

    ``only`` is the slug of one practitioner; one who is not here that day leaves everybody on the board.
    """
    start, end = bounds(location, day)
    bookings = list(_bookings(location, start, end, now))
    diary = _Diary(
        location,
        day,
        rounds=flags.rounds_of(bookings),
        hours=_grouped((each.practitioner_id, each) for each in _hours(location, day)),
        visits=_grouped((each.practitioner_id, each) for each in bookings),
        absences=_grouped((each.resource_id, each) for each in _absences(location, start, end)),
    )
    everyone = list(_people(location, day, set(diary.visits)))
    here = [who for who in everyone if who.pk in diary.hours or who.pk in diary.visits]
    chosen = [who for who in here if who.slug == only]
    shown = chosen or here
    grid = diary.grid(shown)
    columns = tuple(diary.column(who, grid) for who in shown)
    return Board(
        grid=grid,
        now_row=_now_row(grid, location, day, now),
        columns=columns,
        visits=tuple(sorted((visit for each in columns for visit in each.visits), key=_by_time)),
        closures=tuple(diary.absences.get(None, [])),
        only=only if chosen else "",
        here=tuple(here),
        off=tuple(who for who in everyone if who not in here),
    )


@dataclasses.dataclass(frozen=True)
class _Diary:
    """All that was read of one day, by practitioner."""

    location: Location
    day: dt.date
    rounds: Mapping[int, list[ScreeningRun]]
    hours: Mapping[int | None, list[OpeningHours]]
    visits: Mapping[int | None, list[Booking]]
    absences: Mapping[int | None, list[Absence]]

    def grid(self, shown: Iterable[Resource]) -> Grid:
        return around(self._stretch(each) for who in shown for each in self._timed(who))

    def column(self, who: Resource, grid: Grid) -> Column:
        bookings = self.visits.get(who.pk, [])
        hours = self.hours.get(who.pk, [])
        return Column(
            practitioner=who,
            hours=tuple(hours),
            visits=tuple(self._visit(booking, grid) for booking in bookings),
            absences=tuple((each, grid.rows(*self._stretch(each))) for each in self.absences.get(who.pk, [])),
            working=tuple(grid.rows(*self._stretch(each)) for each in hours),
            clean_ups=tuple(grid.rows(*each) for each in self._clean_ups(bookings)),
        )

    def _visit(self, booking: Booking, grid: Grid) -> Visit:
        away = [*self.absences.get(booking.practitioner_id, []), *self.absences.get(None, [])]
        is_away = any(each.starts_at < booking.ends_at and each.ends_at > booking.starts_at for each in away)
        return Visit(
            booking=booking,
            flags=flags.of(booking, self.rounds[booking.pk], day=self.day, is_away=is_away),
            mail=flags.mail_of(booking),
            rows=grid.rows(*self._stretch(booking)),
        )

    def _timed(self, who: Resource) -> list[Booking | OpeningHours]:
        return [*self.visits.get(who.pk, []), *self.hours.get(who.pk, [])]

    def _stretch(self, what: Booking | Absence | OpeningHours) -> tuple[int, int]:
        if isinstance(what, OpeningHours):
            return minute_of(what.opens_at), minute_of(what.closes_at) or DAY_MINUTES
        return self._minute(what.starts_at), self._minute(what.ends_at)

    def _clean_ups(self, bookings: list[Booking]) -> Iterator[tuple[int, int]]:
        """After a visit, until the room is ready or the practitioner's next visit begins elsewhere."""
        starts = [self._minute(each.starts_at) for each in bookings[1:]] + [DAY_MINUTES]
        for booking, next_start in zip(bookings, starts, strict=False):
            end = self._minute(booking.ends_at)
            ready = min(end + booking.clean_up_minutes, next_start)
            if booking.room_id is not None and ready > end:
                yield end, ready

    def _minute(self, instant: dt.datetime) -> int:
        return minute_on(self.day, instant, self.location)


def _now_row(grid: Grid, location: Location, day: dt.date, now: dt.datetime) -> str:
    is_today = now.astimezone(location.zone).date() == day
    return grid.row_at(minute_on(day, now, location)) if is_today else ""


def _by_time(visit: Visit) -> tuple[dt.datetime, int]:
    return visit.booking.starts_at, visit.booking.pk


def bounds(location: Location, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The instants between which it is that day at the location."""
    midnight = dt.time(0, tzinfo=location.zone)
    return dt.datetime.combine(day, midnight), dt.datetime.combine(day + dt.timedelta(days=1), midnight)


def _bookings(location: Location, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> QuerySet[Booking]:
    mails = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind=CONFIRMATION).order_by("-sequence")
    reminders = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind=DAY_BEFORE, sequence=OuterRef("sequence"))
    earlier = Booking.objects.visits().filter(patient=OuterRef("patient"), starts_at__lt=OuterRef("starts_at"))
    shown = Booking.objects.visits() | Booking.objects.live_holds(now)
    return (
        shown.filter(location=location, starts_at__gte=start, starts_at__lt=end)
        .select_related("patient", "service", "practitioner", "room", "guardian")
        .annotate(
            mail_state=mails.values("state")[:1],
            reminded_at=reminders.exclude(state=MailState.SKIPPED).values("created_at")[:1],
            has_earlier_visit=Exists(earlier),
        )
    )


def _hours(location: Location, day: dt.date) -> QuerySet[OpeningHours]:
    in_force = (Q(valid_from=None) | Q(valid_from__lte=day)) & (Q(valid_until=None) | Q(valid_until__gte=day))
    return OpeningHours.objects.filter(in_force, location=location, weekday=day.weekday()).order_by("opens_at")


def _absences(location: Location, start: dt.datetime, end: dt.datetime) -> QuerySet[Absence]:
    here = Q(resource__isnull=False) | Q(location=location)
    return Absence.objects.in_force().filter(here, starts_at__lt=end, ends_at__gt=start).order_by("starts_at")


def _people(location: Location, day: dt.date, busy: set[int | None]) -> QuerySet[Resource]:
    works_here = Q(pk__in=OpeningHours.objects.filter(location=location).values("practitioner"))
    in_use = Q(pk__in=Resource.objects.in_use(day).values("pk"))
    return Resource.objects.practitioners().filter((works_here & in_use) | Q(pk__in=busy - {None}))


def _grouped(rows: Iterable[tuple[Key, Row]]) -> defaultdict[Key, list[Row]]:
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return groups
