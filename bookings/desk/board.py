"""One day at one location, read for the desk in a fixed number of queries."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet

from bookings.models import Booking, BookingState, MailState, OutgoingEmail
from clinic.models import Absence, Grade, Location, OpeningHours, Resource

# Nothing is left to ask once the visit is over.
OVER = {BookingState.COMPLETED, BookingState.MISSED}

Key = TypeVar("Key")
Row = TypeVar("Row")

# No clinic has days outside these; the last day of the calendar has no tomorrow.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
# The message whose way the board shows.
CONFIRMATION = "confirmed"


@dataclasses.dataclass(frozen=True)
class Visit:
    """One card: a booking, what staff should know before it, and the state of its confirmation ("" for none)."""

    booking: Booking
    flags: tuple[str, ...]
    mail: str

    @property
    def mail_words(self) -> str:
        return MailState(self.mail).label if self.mail else "No confirmation"

    @property
    def is_held(self) -> bool:
        return self.booking.state == BookingState.HELD


@dataclasses.dataclass(frozen=True)
class Column:
    """One practitioner's day."""

    practitioner: Resource
    hours: tuple[OpeningHours, ...]
    visits: tuple[Visit, ...]
    absences: tuple[Absence, ...]

    @property
    def grade(self) -> str:
        return Grade(self.practitioner.code).label


@dataclasses.dataclass(frozen=True)
class Board:
    columns: tuple[Column, ...]
    visits: tuple[Visit, ...]
    closures: tuple[Absence, ...]


def board(*, location: Location, day: dt.date, now: dt.datetime) -> Board:
    """Everyone who works here that day, with their visits, and whoever has a visit although they do not work."""
    start, end = bounds(location, day)
    visits = [_visit(booking) for booking in _bookings(location, start, end, now)]
    hours = _grouped((each.practitioner_id, each) for each in _hours(location, day))
    absences = _grouped((each.resource_id, each) for each in _absences(location, start, end))
    theirs = _grouped((visit.booking.practitioner_id, visit) for visit in visits)
    columns = tuple(
        Column(who, tuple(hours[who.pk]), tuple(theirs[who.pk]), tuple(absences[who.pk]))
        for who in _people(location, day, set(theirs))
    )
    return Board(columns, tuple(visits), tuple(absences[None]))


def bounds(location: Location, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The instants between which it is that day at the location."""
    midnight = dt.time(0, tzinfo=location.zone)
    return dt.datetime.combine(day, midnight), dt.datetime.combine(day + dt.timedelta(days=1), midnight)


def _bookings(location: Location, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> QuerySet[Booking]:
    mails = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind=CONFIRMATION).order_by("-sequence")
    earlier = Booking.objects.visits().filter(patient=OuterRef("patient"), starts_at__lt=OuterRef("starts_at"))
    shown = Booking.objects.visits() | Booking.objects.live_holds(now)
    return (
        shown.filter(location=location, starts_at__gte=start, starts_at__lt=end)
        .select_related("patient", "service", "practitioner", "room")
        .annotate(mail_state=mails.values("state")[:1], has_earlier_visit=Exists(earlier))
    )


def _visit(booking: Booking) -> Visit:
    mail = getattr(booking, "mail_state", None) or ""
    if booking.state == BookingState.HELD:
        return Visit(booking, (), mail)
    flags = {
        "Mail failed": mail in {MailState.FAILED, MailState.NO_ADDRESS},
        "Screening outstanding": booking.is_screening_outstanding and booking.state not in OVER,
        "First visit": not getattr(booking, "has_earlier_visit", False),
        "For someone else": booking.is_for_someone_else,
        "Wishes": bool(booking.wishes),
    }
    return Visit(booking, tuple(flag for flag, is_set in flags.items() if is_set), mail)


def _hours(location: Location, day: dt.date) -> QuerySet[OpeningHours]:
    in_force = (Q(valid_from=None) | Q(valid_from__lte=day)) & (Q(valid_until=None) | Q(valid_until__gte=day))
    return OpeningHours.objects.filter(in_force, location=location, weekday=day.weekday()).order_by("opens_at")


def _absences(location: Location, start: dt.datetime, end: dt.datetime) -> QuerySet[Absence]:
    here = Q(resource__isnull=False) | Q(location=location)
    return Absence.objects.filter(here, starts_at__lt=end, ends_at__gt=start).order_by("starts_at")


def _people(location: Location, day: dt.date, busy: set[int | None]) -> QuerySet[Resource]:
    works_here = Q(pk__in=OpeningHours.objects.filter(location=location).values("practitioner"))
    in_use = Q(pk__in=Resource.objects.in_use(day).values("pk"))
    return Resource.objects.practitioners().filter((works_here & in_use) | Q(pk__in=busy - {None}))


def _grouped(rows: Iterable[tuple[Key, Row]]) -> defaultdict[Key, list[Row]]:
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return groups
