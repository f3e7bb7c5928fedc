"""Some days at one location, read for the desk in a fixed number of queries, as far as one person may see them."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q

from bookings.desk import flags
from bookings.desk.doors import sees_everybody
from bookings.models import Booking, OutgoingEmail, ScreeningRun
from bookings.models.booking import BookingQuerySet
from clinic.intervals import ONE_DAY
from clinic.models import Absence, Location, OpeningHours, Resource, Room

Key = TypeVar("Key")
Row = TypeVar("Row")

# The message whose way the board shows.
CONFIRMATION = "confirmed"


@dataclasses.dataclass(frozen=True)
class Diary:
    """``hours`` and ``absences`` are of everyone and, under None, of the house."""

    location: Location
    now: dt.datetime
    bookings: Sequence[Booking]
    rounds: Mapping[int, list[ScreeningRun]]
    hours: Mapping[int | None, list[OpeningHours]]
    absences: Mapping[int | None, list[Absence]]

    def bookings_on(self, day: dt.date) -> Iterator[Booking]:
        zone = self.location.zone
        return (each for each in self.bookings if each.starts_at.astimezone(zone).date() == day)

    def hours_on(self, day: dt.date, whose: int | None) -> tuple[OpeningHours, ...]:
        return tuple(
            each
            for each in self.hours.get(whose, [])
            if each.weekday == day.weekday() and (each.valid_from or day) <= day <= (each.valid_until or day)
        )

    def absences_on(self, day: dt.date, whose: int | None) -> tuple[Absence, ...]:
        start, end = bounds(self.location, day)
        return tuple(each for each in self.absences.get(whose, []) if each.starts_at < end and each.ends_at > start)


def read(
    *, location: Location, first: dt.date, until: dt.date, user: User, now: dt.datetime, who: Resource | None = None
) -> Diary:
    """The local dates from ``first`` up to ``until``; of ``who`` alone, if somebody is named. Four queries."""
    start, end = bounds(location, first)[0], bounds(location, until - ONE_DAY)[1]
    found = seen_by(user, shown(location, start, end, now))
    bookings = list(_with_what_cards_tell(found.filter(practitioner=who) if who else found))
    return Diary(
        location=location,
        now=now,
        bookings=bookings,
        rounds=flags.rounds_of(bookings),
        hours=_grouped((each.practitioner_id, each) for each in _hours(location)),
        absences=_grouped((each.resource_id, each) for each in absences_between(location, start, end)),
    )


def bounds(location: Location, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The instants between which it is that day at the location."""
    midnight = dt.time(0, tzinfo=location.zone)
    return dt.datetime.combine(day, midnight), dt.datetime.combine(day + ONE_DAY, midnight)


def shown(location: Location, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> BookingQuerySet:
    """What stands on the board: visits, and the holds of people who are booking right now."""
    found = Booking.objects.visits() | Booking.objects.live_holds(now)
    return found.filter(location=location, starts_at__gte=start, starts_at__lt=end)


def seen_by(user: User, bookings: BookingQuerySet) -> BookingQuerySet:
    """Those of ``bookings`` that somebody may see: a practitioner their own alone."""
    return bookings if sees_everybody(user) else bookings.filter(practitioner__user=user)


def absences_between(location: Location, start: dt.datetime, end: dt.datetime) -> Iterable[Absence]:
    """Of all people and rooms, and closures of the house."""
    here = Q(resource__isnull=False) | Q(location=location)
    return Absence.objects.in_force().filter(here, starts_at__lt=end, ends_at__gt=start).order_by("starts_at")


def people(location: Location, day: dt.date, user: User, busy: Iterable[int | None] = ()) -> list[Resource]:
    """Who has opening hours here and is not retired by that day, and whoever is ``busy``; not others, for their own."""
    works_here = Q(pk__in=OpeningHours.objects.filter(location=location).values("practitioner"))
    in_use = Q(pk__in=Resource.objects.in_use(day).values("pk"))
    found = Resource.objects.practitioners().filter((works_here & in_use) | Q(pk__in=set(busy) - {None}))
    return list(found if sees_everybody(user) else found.filter(user=user))


def rooms(location: Location, day: dt.date, user: User, busy: Iterable[int | None]) -> list[Resource]:
    """The rooms of the house; those where they have a visit, for somebody who sees only their own."""
    taken = Q(pk__in=set(busy) - {None})
    in_use = Q(location=location, pk__in=Resource.objects.in_use(day).values("pk"))
    return list(Room.objects.filter(in_use | taken if sees_everybody(user) else taken))


def _with_what_cards_tell(bookings: BookingQuerySet) -> BookingQuerySet:
    mails = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind=CONFIRMATION).order_by("-sequence")
    earlier = Booking.objects.kept().filter(patient=OuterRef("patient"), starts_at__lt=OuterRef("starts_at"))
    return bookings.select_related("patient", "service", "practitioner", "room", "guardian", "location").annotate(
        mail_state=mails.values("state")[:1],
        has_earlier_visit=Exists(earlier),
    )


def _hours(location: Location) -> Iterable[OpeningHours]:
    return OpeningHours.objects.filter(location=location).order_by("opens_at")


def _grouped(rows: Iterable[tuple[Key, Row]]) -> Mapping[Key, list[Row]]:
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for key, row in rows:
        groups[key].append(row)
    return dict(groups)
