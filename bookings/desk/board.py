"""Columns of visits on one grid of time: a day by practitioner or by room, or the week of one practitioner."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

from django.contrib.auth.models import User

from bookings.desk import diary, flags, gaps
from bookings.desk.diary import Diary
from bookings.desk.gaps import Gap
from bookings.desk.grid import DAY_MINUTES, Grid, around, minute_of, minute_on
from bookings.models import Booking, BookingState, MailState
from clinic.intervals import ONE_DAY, Interval, intersect, union
from clinic.models import Absence, Grade, Location, OpeningHours, Resource, RoomKind
from clinic.models.resources import ResourceKind

# No clinic has days outside these; the last day of the calendar has no tomorrow.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
MOST_ROOMS = 2
BY_ROOM, BY_PRACTITIONER = "room", "practitioner"
WEEK = 7


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is to be shown, to whom, when. ``only`` is the slug of one column; ``moving`` a visit that seeks a place.

    ``offers`` says whether free time is shown as links for booking.
    """

    location: Location
    day: dt.date
    user: User
    now: dt.datetime
    by: str = BY_PRACTITIONER
    only: str = ""
    moving: Booking | None = None
    offers: bool = False


@dataclasses.dataclass(frozen=True)
class Visit:
    """One card: a booking, what staff should know before it, the state of its confirmation ("" for none), its rows."""

    booking: Booking
    flags: tuple[str, ...]
    mail: str
    rows: str
    day: dt.date
    is_movable: bool
    is_gap: bool = False

    @property
    def starts_at(self) -> dt.datetime:
        return self.booking.starts_at

    @property
    def mail_words(self) -> str:
        return MailState(self.mail).label if self.mail else "none"

    @property
    def is_held(self) -> bool:
        return self.booking.state == BookingState.HELD


@dataclasses.dataclass(frozen=True)
class Lane:
    """One day of one practitioner, of one room, or of the visits that have none: what there is, before any grid."""

    resource: Resource | None
    day: dt.date
    bookings: tuple[Booking, ...]
    hours: tuple[OpeningHours, ...]
    absences: tuple[Absence, ...]
    closures: tuple[Absence, ...]


@dataclasses.dataclass(frozen=True)
class Column:
    """A lane on the grid. Each block is rows: when they work, when they are away, when rooms dry.

    ``first`` is the instant of the grid's first row on that day; ``entries`` are visits and gaps by time. Visits begin
    every ``step`` minutes from where the ``stretches`` begin in which people work, in minutes after ``first``: "5-480".
    """

    lane: Lane
    first: dt.datetime
    visits: tuple[Visit, ...]
    gaps: tuple[Gap, ...]
    absences: tuple[tuple[Absence, str], ...]
    closures: tuple[tuple[Absence, str], ...]
    working: tuple[str, ...]
    clean_ups: tuple[str, ...]
    now_row: str
    step: int
    stretches: str

    @property
    def resource(self) -> Resource | None:
        return self.lane.resource

    @property
    def day(self) -> dt.date:
        return self.lane.day

    @property
    def hours(self) -> tuple[OpeningHours, ...]:
        return self.lane.hours

    @property
    def entries(self) -> Sequence[Visit | Gap]:
        both: list[Visit | Gap] = [*self.visits, *self.gaps]
        return sorted(both, key=lambda each: (each.starts_at, each.is_gap))

    @property
    def kind(self) -> str:
        is_person = self.resource is not None and self.resource.kind == ResourceKind.PRACTITIONER
        return BY_PRACTITIONER if is_person else BY_ROOM

    @property
    def trained_as(self) -> str:
        """A person's grade, or what a room is for."""
        if self.resource is None:
            return ""
        return Grade(self.resource.code).label if self.kind == BY_PRACTITIONER else RoomKind(self.resource.code).label

    @property
    def rooms(self) -> str:
        """Where this practitioner works that day; "" when it is more than a head of a column can say."""
        rooms = {visit.booking.room.name: None for visit in self.visits if visit.booking.room}
        is_short = self.kind == BY_PRACTITIONER and len(rooms) <= MOST_ROOMS
        return ", ".join(rooms) if is_short else ""


@dataclasses.dataclass(frozen=True)
class Board:
    """``visits`` are those of all columns by time, ``entries`` the same with the gaps.

    ``here`` are the people who work that day or have a visit, or the rooms; ``off`` the people who do neither; ``only``
    is the slug of the one that is shown, or "".
    """

    grid: Grid
    now_row: str
    columns: tuple[Column, ...]
    closures: tuple[Absence, ...] = ()
    only: str = ""
    here: tuple[Resource, ...] = ()
    off: tuple[Resource, ...] = ()

    @property
    def visits(self) -> Sequence[Visit]:
        found = (visit for column in self.columns for visit in column.visits)
        return sorted(found, key=lambda each: (each.starts_at, each.booking.pk))

    @property
    def entries(self) -> Sequence[Visit | Gap]:
        found = (entry for column in self.columns for entry in column.entries)
        return sorted(found, key=lambda each: (each.starts_at, each.is_gap))


def board(asked: Asked) -> Board:
    """Who works here that day, with their visits, and whoever has a visit although they do not work; or the rooms."""
    found = _read(asked, asked.day, asked.day + ONE_DAY)
    return _by_room(asked, found) if asked.by == BY_ROOM else _by_practitioner(asked, found)


def week(asked: Asked, who: Resource) -> Board:
    """The seven days from ``asked.day`` of one practitioner."""
    found = _read(asked, asked.day, asked.day + WEEK * ONE_DAY, who)
    lanes = [_lane_of(who, found, asked.day + n * ONE_DAY) for n in range(WEEK)]
    return _drawn(asked, found, lanes)


def _read(asked: Asked, first: dt.date, until: dt.date, who: Resource | None = None) -> Diary:
    return diary.read(location=asked.location, first=first, until=until, user=asked.user, now=asked.now, who=who)


def _by_practitioner(asked: Asked, found: Diary) -> Board:
    busy = {each.practitioner_id for each in found.bookings}
    everyone = diary.people(asked.location, asked.day, asked.user, busy)
    here = [who for who in everyone if who.pk in busy or found.hours_on(asked.day, who.pk)]
    chosen = [who for who in here if who.slug == asked.only]
    drawn = _drawn(asked, found, [_lane_of(who, found, asked.day) for who in chosen or here])
    return dataclasses.replace(
        drawn,
        closures=found.absences_on(asked.day, None),
        only=asked.only if chosen else "",
        here=tuple(here),
        off=tuple(who for who in everyone if who not in here),
    )


def _by_room(asked: Asked, found: Diary) -> Board:
    here = diary.rooms(asked.location, asked.day, asked.user, {each.room_id for each in found.bookings})
    chosen = [room for room in here if room.slug == asked.only]
    lanes = [_lane_of(room, found, asked.day) for room in chosen or here]
    roomless = tuple(each for each in found.bookings if each.room_id is None)
    if roomless and not chosen:
        lanes.append(Lane(None, asked.day, roomless, (), (), found.absences_on(asked.day, None)))
    drawn = _drawn(asked, found, lanes)
    return dataclasses.replace(
        drawn,
        closures=found.absences_on(asked.day, None),
        only=asked.only if chosen else "",
        here=tuple(here),
    )


def _lane_of(resource: Resource, found: Diary, day: dt.date) -> Lane:
    """A practitioner has hours of their own; a room those of the house."""
    is_person = resource.kind == ResourceKind.PRACTITIONER
    bookings = found.bookings_on(day)
    return Lane(
        resource=resource,
        day=day,
        bookings=tuple(
            each for each in bookings if (each.practitioner_id if is_person else each.room_id) == resource.pk
        ),
        hours=found.hours_on(day, resource.pk if is_person else None),
        absences=found.absences_on(day, resource.pk),
        closures=found.absences_on(day, None),
    )


def _drawn(asked: Asked, found: Diary, lanes: Sequence[Lane]) -> Board:
    pen = _Pen(asked, found, around(_stretches(lanes, asked.location)))
    columns = tuple(pen.column(lane) for lane in lanes)
    return Board(grid=pen.grid, now_row=next((each.now_row for each in columns if each.now_row), ""), columns=columns)


def _stretches(lanes: Iterable[Lane], location: Location) -> Iterator[tuple[int, int]]:
    """What the grid has to hold."""
    for lane in lanes:
        held: list[Booking | OpeningHours] = [*lane.bookings, *lane.hours]
        for timed in held:
            yield _stretch(timed, lane.day, location)


def _stretch(what: Booking | Absence | OpeningHours | Gap, day: dt.date, location: Location) -> tuple[int, int]:
    """From which minute of the day to which, by the wall clock."""
    if isinstance(what, OpeningHours):
        return minute_of(what.opens_at), minute_of(what.closes_at) or DAY_MINUTES
    return minute_on(day, what.starts_at, location), minute_on(day, what.ends_at, location)


@dataclasses.dataclass(frozen=True)
class _Pen:
    """Draws lanes on one grid."""

    asked: Asked
    diary: Diary
    grid: Grid

    def column(self, lane: Lane) -> Column:
        location, rows = self.asked.location, self._rows(lane)
        midnight = dt.datetime.combine(lane.day, dt.time(0), location.zone)
        return Column(
            lane=lane,
            first=midnight.replace(hour=self.grid.first // 60),
            visits=tuple(self._visit(booking, lane) for booking in lane.bookings),
            gaps=tuple(dataclasses.replace(each, rows=rows(each)) for each in self._gaps(lane)),
            absences=tuple((each, rows(each)) for each in lane.absences),
            closures=tuple((each, rows(each)) for each in lane.closures),
            working=tuple(rows(each) for each in lane.hours),
            clean_ups=tuple(self.grid.rows(*each) for each in self._clean_ups(lane)),
            now_row=self._now_row(lane.day),
            step=location.clinic.grid_minutes,
            stretches=" ".join(f"{start - self.grid.first}-{end - self.grid.first}" for start, end in self._work(lane)),
        )

    def _work(self, lane: Lane) -> list[Interval]:
        """When that person works while the house is open; in a room, whoever works here."""
        house = self._hours(lane.day, None)
        is_person = lane.resource is not None and lane.resource.kind == ResourceKind.PRACTITIONER
        people = [lane.resource.pk] if lane.resource and is_person else [each for each in self.diary.hours if each]
        found = {part for who in people for part in intersect(house, self._hours(lane.day, who))}
        return sorted(found)

    def _hours(self, day: dt.date, whose: int | None) -> list[Interval]:
        """In minutes of the day, by the wall clock."""
        hours = self.diary.hours_on(day, whose)
        return union(*([_stretch(each, day, self.asked.location)] for each in hours))

    def _rows(self, lane: Lane) -> Callable[[Booking | Absence | OpeningHours | Gap], str]:
        return lambda what: self.grid.rows(*_stretch(what, lane.day, self.asked.location))

    def _visit(self, booking: Booking, lane: Lane) -> Visit:
        whose = self.diary.absences_on(lane.day, booking.practitioner_id)
        away = [*whose, *lane.absences, *lane.closures]
        is_away = any(each.starts_at < booking.ends_at and each.ends_at > booking.starts_at for each in away)
        now = self.asked.now.astimezone(self.asked.location.zone)
        return Visit(
            booking=booking,
            flags=flags.of(booking, self.diary.rounds[booking.pk], day=lane.day, is_away=is_away, now=now),
            mail=flags.mail_of(booking),
            rows=self._rows(lane)(booking),
            day=lane.day,
            is_movable=booking.is_waited_for(now),
        )

    def _gaps(self, lane: Lane) -> list[Gap]:
        """Of practitioners alone: a booking names a person, and gets a room that is free."""
        who, asked = lane.resource, self.asked
        is_person = who is not None and who.kind == ResourceKind.PRACTITIONER
        if who is None or not is_person or (who.retired_on and who.retired_on <= lane.day):
            return []
        if not (asked.moving or asked.offers):
            return []
        plan = gaps.planned(
            location=asked.location,
            day=lane.day,
            house=self.diary.hours_on(lane.day, None),
            own=lane.hours,
            away=[*lane.absences, *lane.closures],
            taken=[each for each in lane.bookings if each != asked.moving],
        )
        step = asked.location.clinic.grid_minutes
        if asked.moving is None:
            found = gaps.to_book(plan, step=step, now=asked.now)
        else:
            found = gaps.to_place(plan, asked.moving, step=step, now=asked.now)
        drawn = (gaps.gap(each, who, asked.location) for each in found)
        return [each for each in drawn if not self._is_where_it_was(each)]

    def _is_where_it_was(self, gap: Gap) -> bool:
        moving = self.asked.moving
        return (
            moving is not None and moving.starts_at == gap.starts_at and moving.practitioner_id == gap.practitioner.pk
        )

    def _clean_ups(self, lane: Lane) -> Iterator[tuple[int, int]]:
        """After a visit, until the room is ready or the lane's next visit begins, for a practitioner elsewhere."""
        ends = [_stretch(each, lane.day, self.asked.location) for each in lane.bookings]
        starts = [start for start, _ in ends[1:]] + [DAY_MINUTES]
        for booking, (_, end), next_start in zip(lane.bookings, ends, starts, strict=False):
            ready = min(end + booking.clean_up_minutes, next_start)
            if booking.room_id is not None and ready > end:
                yield end, ready

    def _now_row(self, day: dt.date) -> str:
        there = self.asked.now.astimezone(self.asked.location.zone)
        return self.grid.row_at(minute_on(day, self.asked.now, self.asked.location)) if there.date() == day else ""
