"""Claims: lock, release run-out holds, pick resources, write. The one way to the scarce things of a clinic.

Lock order, everywhere: resources by id, then bookings by id, then claims. Nothing inserts a claim without the lock:
bare inserts racing into an exclusion constraint deadlock. The constraint itself is the last word all the same.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from bookings import availability
from bookings.constraints import is_overlap
from bookings.models import Booking, BookingState, Claim
from clinic.models import Clinic, Location, Resource, Service


class Refused(Exception):
    """A verb says no; ``str()`` is a sentence a patient can act on. Nothing was written."""

    sentence = "That did not work. Please call us."

    def __str__(self) -> str:
        return self.sentence


class SlotTaken(Refused):
    """Somebody else has the time."""

    sentence = "That time has just been taken. Choose another time."


@dataclasses.dataclass(frozen=True)
class Choice:
    """The resources one visit will use."""

    practitioner: Resource
    room: Resource | None
    equipment: tuple[Resource, ...]


@contextmanager
def refusing_overlap() -> Iterator[None]:
    """Turn the database's refusal into SlotTaken. Stands outside ``atomic``, so that the transaction is over by then."""
    try:
        yield
    except IntegrityError as error:
        if is_overlap(error):
            raise SlotTaken from error
        raise


def lock(*, service: Service, location: Location, also: Booking | None = None) -> None:
    """Lock every candidate of this service and location, and what ``also`` holds now, in one statement, in id order."""
    candidates = Q(code__in=service.grades) | Q(location=location, code__in=[service.room_kind, *service.equipment_kinds])
    if also is not None:
        candidates |= Q(claims__booking=also)
    ids = Resource.objects.filter(candidates).values("pk")
    list(Resource.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def delete_holds(holds: QuerySet[Booking]) -> int:
    """Delete those of ``holds`` that are still holds, with their claims; returns how many.

    The rows are locked first: a hold that its owner confirms at this moment is waited for, looked at again, and kept.
    """
    still_held = holds.filter(state=BookingState.HELD).order_by("pk").select_for_update(of=("self",))
    ids = list(still_held.values_list("pk", flat=True))
    if ids:
        Booking.objects.filter(pk__in=ids).delete()
    return len(ids)
