"""What a program holds: a signed text that only its own key can use, and that still names the time once it is gone."""

import dataclasses
import datetime as dt
import secrets
from typing import Any

from django.core import signing

from bookings.models import ApiKey, Booking
from clinic.models import Location, Resource, Service

SALT = "bookings.api.hold"


@dataclasses.dataclass(frozen=True)
class Held:
    """The time that was held, and the hold itself while there is one: booked by now, perhaps."""

    booking: Booking | None
    visitor: str
    service: Service
    location: Location
    practitioner: Resource
    start: dt.datetime
    is_with_anyone: bool


def new_visitor(caller: ApiKey) -> str:
    """Programs hold times for many people: each hold has a visitor of its own."""
    return f"api-{caller.pk}-{secrets.token_hex(8)}"


def make(booking: Booking, caller: ApiKey) -> str:
    named = {
        "visitor": booking.visitor,
        "service": booking.service_id,
        "location": booking.location_id,
        "practitioner": booking.practitioner_id,
        "start": booking.starts_at.isoformat(),
        "anyone": booking.asked_for_any,
    }
    return signing.dumps(named, salt=_salt(caller))


def read(token: str, caller: ApiKey) -> Held | None:
    """None for a text that we did not give to this program."""
    try:
        named: dict[str, Any] = signing.loads(token, salt=_salt(caller))
    except signing.BadSignature:
        return None
    return Held(
        booking=Booking.objects.with_everything().of_visitor(named["visitor"]).first(),
        visitor=named["visitor"],
        service=Service.objects.get(pk=named["service"]),
        location=Location.objects.select_related("clinic").get(pk=named["location"]),
        practitioner=Resource.objects.get(pk=named["practitioner"]),
        start=dt.datetime.fromisoformat(named["start"]),
        is_with_anyone=named["anyone"],
    )


def _salt(caller: ApiKey) -> str:
    return f"{SALT}.{caller.pk}"
