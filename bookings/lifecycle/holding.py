"""A time is held while its form is filled in, kept longer, and given back."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from bookings import claims
from bookings.eligibility import NOTHING_SAID, Said
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import HoldGone, HoldLimit, Paused, TooManyHolds
from bookings.lifecycle.safety import outlook_while_booking, refuse_unsafe
from bookings.models import Booking, BookingState
from bookings.models.booking import new_reference
from bookings.models.event import Actor
from clinic import readiness
from clinic.models import Clinic, Location, PriceKind, Resource, Service

MOST_HOLDS = 2
# A run-out hold still belongs to its owner while nobody took the time; after this they are not coming back.
SWEPT_AFTER = dt.timedelta(hours=2)


def hold(
    *,
    service: Service,
    location: Location,
    practitioner: Resource | None,
    start: dt.datetime,
    visitor: str,
    another: bool = False,
    said: Said = NOTHING_SAID,
    by: Who = Actor.PATIENT,
    now: dt.datetime,
) -> Booking:
    """Keep ``start`` for this visitor; ``practitioner`` None leaves the choice to us.

    ``said`` is what they answered so far. Replaces the visitor's holds unless ``another``. Raises Paused, TooManyHolds,
    NotOffered, SlotTaken, and an Unsafe; then the visitor's earlier hold stands as it was.
    """
    clinic = location.clinic
    if by in (Actor.PATIENT, Actor.PROGRAM) and not readiness.is_open_for_booking(clinic):
        raise Paused
    safe = _opens_at(service, location, practitioner, start, said, now)
    with claims.refusing_overlap(), transaction.atomic():
        _one_at_a_time(visitor)
        claims.lock(service=service, location=location)
        _make_room_for_one(visitor, another=another, now=now)
        choice = claims.pick(
            service=service,
            location=location,
            clinic=clinic,
            practitioner=practitioner,
            start=start,
            now=now,
            opens_at=safe,
        )
        agreed = as_agreed(service, location, clinic) | {"asked_for_any": practitioner is None}
        booking = _kept(agreed | _where_and_when(choice, service, start), visitor, until=now + clinic.hold, now=now)
        claims.write(booking, choice)
        record(booking, "held", by=by, now=now, starts_at=start.isoformat())
    return booking


def _opens_at(
    service: Service,
    location: Location,
    practitioner: Resource | None,
    start: dt.datetime,
    said: Said,
    now: dt.datetime,
) -> Mapping[str, dt.datetime]:
    """From when on this person may be seen, by grade. Raises an Unsafe when ``start`` is safe with nobody."""
    outlook = outlook_while_booking(service=service, location=location, said=said, now=now)
    if outlook is None:
        return {}
    refuse_unsafe(outlook, [practitioner.code] if practitioner else service.grades, start)
    return outlook.opens_at


def _kept(columns: dict[str, Any], visitor: str, *, until: dt.datetime, now: dt.datetime) -> Booking:
    return Booking.objects.create(
        **columns, reference=_unused_reference(), visitor=visitor, held_at=now, expires_at=until
    )


def extend(booking: Booking, *, now: dt.datetime) -> Booking:
    """Renew the hold from ``now``; never past the policy's limit counted from when it was first held.

    Raises HoldGone when it is no longer a hold, HoldLimit when nothing can be added.
    """
    clinic = booking.location.clinic
    limit = booking.held_at + clinic.hold_limit
    until = min(now + clinic.hold, limit)
    held = Booking.objects.filter(pk=booking.pk, state=BookingState.HELD)
    if limit <= now or not held.filter(expires_at__lt=limit).update(expires_at=until):
        raise HoldLimit if held.exists() else HoldGone
    booking.expires_at = until
    return booking


def release(booking: Booking, *, now: dt.datetime) -> None:
    """Give the time back. Harmless when it is already gone or no longer a hold."""
    with transaction.atomic():
        claims.delete_holds(Booking.objects.filter(pk=booking.pk))


def sweep(now: dt.datetime) -> int:
    """Delete the holds nobody will come back to, one transaction each; returns how many."""
    stale = Booking.objects.run_out(now - SWEPT_AFTER)
    swept = 0
    for pk in list(stale.values_list("pk", flat=True)):
        with transaction.atomic():
            swept += claims.delete_holds(stale.filter(pk=pk))
    return swept


def _one_at_a_time(visitor: str) -> None:
    """Two tabs of one visitor queue here, so that both count the other's hold. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [visitor])


def _make_room_for_one(visitor: str, *, another: bool, now: dt.datetime) -> None:
    mine = Booking.objects.of_visitor(visitor)
    if not another:
        claims.delete_holds(mine)
    elif mine.live_holds(now).count() >= MOST_HOLDS:
        raise TooManyHolds


def _unused_reference() -> str:
    while True:
        reference = new_reference()
        if not Booking.objects.filter(reference=reference).exists():
            return reference


def as_agreed(service: Service, location: Location, clinic: Clinic) -> dict[str, Any]:
    """The snapshot: later edits of the catalogue or the policy alter no booking."""
    return {
        "service": service,
        "location": location,
        "service_name": service.name,
        "minutes": service.minutes,
        "clean_up_minutes": service.clean_up_minutes,
        "price_kind": service.price_kind,
        "price": service.price,
        "currency": clinic.currency,
        "cut_off_minutes": clinic.cut_off_minutes,
        "late_fee": 0 if service.price_kind == PriceKind.FREE else clinic.late_fee,
    }


def _where_and_when(choice: claims.Choice, service: Service, start: dt.datetime) -> dict[str, Any]:
    return {
        "practitioner": choice.practitioner,
        "room": choice.room,
        "starts_at": start,
        "ends_at": start + dt.timedelta(minutes=service.minutes),
    }
