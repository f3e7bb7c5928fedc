"""Visits to move: booked for a time at which somebody is away, the house is closed, or something is there no more.

Always asked, never stored: what is entered, changed or taken back counts at once. The number of queries is the same
however many visits there are.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import F, Func, IntegerField, Q

from bookings.models import Booking, BookingEvent, Claim
from bookings.models.booking import LONGEST_VISIT, BookingQuerySet
from bookings.models.event import ANOTHER_TIME, BENT, OPENING_HOURS
from bookings.models.states import WAITED_FOR
from clinic.intervals import ONE_DAY, Interval, local_date
from clinic.models import Absence, Location, Resource, Service
from clinic.models.resources import ResourceKind
from clinic.opening import planned

# Claims last at most a day; a start from before that has no claim that is still to come.
LONGEST_CLAIM = LONGEST_VISIT
OUTSIDE = "Outside opening hours"

Reasons = dict[int, list[str]]


@dataclass(frozen=True)
class Displaced:
    """A visit to move, and why, in words."""

    booking: Booking
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        return "; ".join(self.reasons)


class Arranged(NamedTuple):
    """When one visit is, in minutes since the epoch, without the cost of a model."""

    pk: int
    location: int
    practitioner: int
    start: int
    end: int


class Minute(Func):
    """An instant as whole minutes since the epoch: thousands of them are read where two datetimes each would cost."""

    output_field = IntegerField()

    template = "(extract(epoch FROM %(expressions)s)::bigint / 60)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / 60"
        return self.as_sql(compiler, connection, template=template)


def everybody() -> BookingQuerySet:
    """All booked visits, for who may see them all."""
    return Booking.objects.booked()


def find(visits: BookingQuerySet, *, now: dt.datetime) -> list[Displaced]:
    """Those of ``visits`` that have to move, with all that a page names, the next first."""
    found = reasons(now)
    rows = visits.filter(pk__in=list(found)).with_everything().order_by("starts_at", "pk") if found else []
    return [Displaced(each, tuple(dict.fromkeys(found[each.pk]))) for each in rows]


def count(visits: BookingQuerySet, *, now: dt.datetime) -> int:
    """How many of ``visits`` have to move."""
    found = reasons(now)
    return visits.filter(pk__in=list(found)).count() if found else 0


def during(
    who: Resource | Location, *, starts_at: dt.datetime, ends_at: dt.datetime, now: dt.datetime
) -> BookingQuerySet:
    """The visits to come, or waited for now, that an absence of ``who`` at that time would displace."""
    coming = Booking.objects.waited_for(now)
    if isinstance(who, Location):
        return coming.filter(location=who, starts_at__lt=ends_at, ends_at__gt=starts_at)
    claims = Claim.objects.filter(resource=who, starts_at__gt=starts_at - LONGEST_CLAIM)
    return coming.filter(pk__in=claims.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).values("booking"))


def of_absence(absence: Absence, *, now: dt.datetime) -> BookingQuerySet:
    """The visits to come that one absence displaces; none while it is lifted."""
    who = absence.resource or absence.location
    if absence.is_lifted or who is None:
        return Booking.objects.none()
    return during(who, starts_at=absence.starts_at, ends_at=absence.ends_at, now=now)


def reasons(now: dt.datetime) -> Reasons:
    """Why visits to come have to move, by the id of the booking."""
    found: Reasons = defaultdict(list)
    for pk, why in [*_away(now), *_closed(now), *_retired_things(now), *_retired_offers(now), *_outside(now)]:
        found[pk].append(why)
    return dict(found)


def _waited_for(booking: str, now: dt.datetime) -> dict[str, Any]:
    """``Booking.objects.waited_for``, of the bookings at the end of a path."""
    return {
        f"{booking}state__in": WAITED_FOR,
        f"{booking}starts_at__gt": now - LONGEST_VISIT,
        f"{booking}ends_at__gt": now,
    }


def _away(now: dt.datetime) -> Iterator[tuple[int, str]]:
    """Somebody or something that the visit needs is away during its own stretch of it."""
    claimed = "resource__claims__"
    hits = (
        Absence.objects.in_force()
        .filter(
            Q(**_waited_for(f"{claimed}booking__", now), **{f"{claimed}starts_at__gt": now - LONGEST_CLAIM})
            & Q(**{f"{claimed}starts_at__lt": F("ends_at"), f"{claimed}ends_at__gt": F("starts_at")}),
            ends_at__gt=now,
        )
        .order_by("resource__kind", "resource")
    )
    for pk, kind, name in hits.values_list(f"{claimed}booking", "resource__kind", "resource__name"):
        who = Resource(kind=kind, name=name)
        yield pk, f"{who.first_name} is away" if kind == ResourceKind.PRACTITIONER else f"{name} is not in use then"


def _closed(now: dt.datetime) -> Iterator[tuple[int, str]]:
    booked = "location__bookings__"
    hits = Absence.objects.in_force().filter(
        Q(**_waited_for(booked, now))
        & Q(**{f"{booked}starts_at__lt": F("ends_at"), f"{booked}ends_at__gt": F("starts_at")}),
        ends_at__gt=now,
    )
    for pk, reason in hits.values_list(f"{booked}pk", "reason"):
        yield pk, f"The house is closed: {reason}" if reason else "The house is closed"


def _retired_things(now: dt.datetime) -> Iterator[tuple[int, str]]:
    """A practitioner, a room or a piece of equipment that is there no more on the day of the visit."""
    hits = Claim.objects.filter(resource__retired_on__isnull=False, **_waited_for("booking__", now)).select_related(
        "resource", "booking__location"
    )
    for claim in hits.order_by("resource__kind", "resource"):
        zone, gone_on = claim.booking.location.zone, claim.resource.retired_on
        if gone_on and claim.starts_at.astimezone(zone).date() >= gone_on:
            yield claim.booking_id, _gone(claim.resource, gone_on, now.astimezone(zone).date())


def _gone(resource: Resource, on: dt.date, today: dt.date) -> str:
    day = f"{on.day} {on:%B}"
    if resource.kind == ResourceKind.PRACTITIONER:
        return f"{resource.first_name} {'left' if on <= today else 'leaves'} on {day}"
    return f"{resource.name} is retired" if on <= today else f"{resource.name} is retired on {day}"


def _retired_offers(now: dt.datetime) -> Iterator[tuple[int, str]]:
    """A service or a house that is no more on the day of the visit."""
    services = dict(Service.objects.exclude(retired_on=None).values_list("pk", "retired_on"))
    houses = dict(Location.objects.exclude(retired_on=None).values_list("pk", "retired_on"))
    hits = (
        Booking.objects.waited_for(now)
        .filter(Q(service__in=list(services)) | Q(location__in=list(houses)))
        .select_related("location", "service")
    )
    for booking in hits:
        if _is_over(services.get(booking.service_id), booking):
            yield booking.pk, f"{booking.service.title} is no longer offered"
        if _is_over(houses.get(booking.location_id), booking):
            yield booking.pk, f"{booking.location.name} is given up"


def _is_over(retired_on: dt.date | None, booking: Booking) -> bool:
    return retired_on is not None and booking.local_date >= retired_on


def _outside(now: dt.datetime) -> list[tuple[int, str]]:
    """Visits that do not lie inside one stretch of opening hours, less those for which staff bent that."""
    by_location: dict[int, list[Arranged]] = defaultdict(list)
    for visit in _arranged(now):
        by_location[visit.location].append(visit)
    outside = [
        visit.pk
        for location in Location.objects.all()
        for visit in _out_of_hours(location, by_location.get(location.pk, []))
    ]
    bent = _bent(outside)
    return [(pk, OUTSIDE) for pk in outside if pk not in bent]


def _arranged(now: dt.datetime) -> Iterator[Arranged]:
    coming = Booking.objects.waited_for(now).order_by("starts_at")
    rows = coming.values_list("pk", "location", "practitioner", Minute("starts_at"), Minute("ends_at"))
    return (Arranged(*row) for row in rows)


def _out_of_hours(location: Location, visits: list[Arranged]) -> Iterator[Arranged]:
    """``visits`` are in order."""
    if not visits:
        return
    first, last = (local_date(visit.start, location.zone) for visit in (visits[0], visits[-1]))
    by_person: dict[int, list[Arranged]] = defaultdict(list)
    for visit in visits:
        by_person[visit.practitioner].append(visit)
    hours = planned(location=location, people=by_person, first=first, until=last + ONE_DAY)
    for person, theirs in by_person.items():
        yield from _not_inside(theirs, hours[person])


def _not_inside(visits: Iterable[Arranged], stretches: list[Interval]) -> Iterator[Arranged]:
    """Both in order: one walk along them."""
    at = 0
    for visit in visits:
        while at < len(stretches) and stretches[at][1] < visit.end:
            at += 1
        if at == len(stretches) or visit.start < stretches[at][0]:
            yield visit


def _bent(bookings: list[int]) -> set[int]:
    """Those whose present time staff took on purpose, outside the hours: it was bent, and not moved since.

    Where a move bends the rule, both are written at one moment.
    """
    events = BookingEvent.objects.filter(booking__in=bookings, verb__in=[BENT, *ANOTHER_TIME]).order_by("at", "id")
    bent_at: dict[int, dt.datetime] = {}
    for event in events:
        if event.verb == BENT and OPENING_HOURS in event.detail.get("rules", []):
            bent_at[event.booking_id] = event.at
        elif event.verb in ANOTHER_TIME and event.at > bent_at.get(event.booking_id, event.at):
            del bent_at[event.booking_id]
    return set(bent_at)
