"""A time is held while its form is filled in, kept longer, and given back."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from bookings import claims
from bookings.availability import Asked
from bookings.eligibility import NOTHING_SAID, Said
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.missing import refuse_online
from bookings.lifecycle.refusals import HoldGone, HoldLimit, Paused, TooManyHolds
from bookings.lifecycle.safety import outlook_while_booking, refuse_unsafe
from bookings.models import Booking, BookingState
from bookings.models.booking import new_reference
from bookings.models.event import BENT, Actor
from clinic import readiness
from clinic.models import Clinic, Location, PriceKind, Resource, Service

MOST_HOLDS = 2
# A run-out hold still belongs to its owner while nobody took the time; after this they are not coming back.
SWEPT_AFTER = dt.timedelta(hours=2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slot:
    """What is to be held: which visit, where, when, and with whom. ``practitioner`` None leaves the choice to us."""

    service: Service
    location: Location
    practitioner: Resource | None
    start: dt.datetime


def hold(
    slot: Slot,
    *,
    visitor: str,
    another: bool = False,
    said: Said = NOTHING_SAID,
    by: Who = Actor.PATIENT,
    override: str = "",
    now: dt.datetime,
) -> Booking:
    """Keep ``slot`` for this visitor.

    ``said`` is what they answered so far. ``override`` is the reason for which staff bend notice, horizon, grid or
    opening hours; what was bent stands in the history. Replaces the visitor's holds unless ``another``. Raises Paused,
    PhoneOnly, TooManyHolds, NotOffered, SlotTaken, and an Unsafe; then the visitor's earlier hold stands as it was.
    """
    service, location, clinic = slot.service, slot.location, slot.location.clinic
    _refuse_closed(clinic, said, by, another=another, now=now)
    safe = _opens_at(slot, said, now)
    with claims.refusing_overlap(), transaction.atomic():
        _one_at_a_time(visitor)
        claims.lock(service=service, location=location)
        _make_room_for_one(visitor, another=another, now=now)
        asked: Asked = {
            "service": service,
            "location": location,
            "clinic": clinic,
            "practitioner": slot.practitioner,
            "now": now,
            "opens_at": safe,
        }
        choice, bent = _chosen(slot.start, asked, is_bent=not isinstance(by, Actor) and bool(override.strip()))
        agreed = as_agreed(service, location, clinic) | {"asked_for_any": slot.practitioner is None}
        booking = _kept(
            agreed | _where_and_when(choice, service, slot.start), visitor, until=now + clinic.hold, now=now
        )
        claims.write(booking, choice)
        _record(booking, bent, by=by, reason=override, now=now)
    return booking


def _record(booking: Booking, bent: list[str], *, by: Who, reason: str, now: dt.datetime) -> None:
    record(booking, "held", by=by, now=now, starts_at=booking.starts_at.isoformat())
    if bent:
        record(booking, BENT, by=by, now=now, reason=reason.strip(), rules=bent)


def _refuse_closed(clinic: Clinic, said: Said, by: Who, *, another: bool, now: dt.datetime) -> None:
    """Who books for another person is asked who that is before anything is refused."""
    if by in (Actor.PATIENT, Actor.PROGRAM) and not readiness.is_open_for_booking(clinic):
        raise Paused
    if by is Actor.PATIENT and not another:
        refuse_online(clinic, said.patient, now)


def _chosen(start: dt.datetime, asked: Asked, *, is_bent: bool) -> tuple[claims.Choice, list[str]]:
    """Who and what, and the names of the rules that were bent for it."""
    return claims.pick_bending(start=start, **asked) if is_bent else (claims.pick(start=start, **asked), [])


def _opens_at(slot: Slot, said: Said, now: dt.datetime) -> Mapping[str, dt.datetime]:
    """From when on this person may be seen, by grade. Raises an Unsafe when ``slot`` is safe with nobody."""
    outlook = outlook_while_booking(service=slot.service, location=slot.location, said=said, now=now)
    if outlook is None:
        return {}
    grades = [slot.practitioner.code] if slot.practitioner else slot.service.grades
    refuse_unsafe(outlook, grades, slot.start)
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
