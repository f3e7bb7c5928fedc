"""Acts that start at the same moment, each in its own thread with its own connection."""

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from bookings import lifecycle
from bookings.models import Booking, Claim
from bookings.models.states import CALLED_OFF
from tests.factories import NOW, make_details

Act = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Result:
    """What an act gave back, or the refusal it met. Anything else that goes wrong is raised by ``race``."""

    value: Any = None
    refusal: lifecycle.Refused | None = None

    @property
    def won(self) -> bool:
        return self.refusal is None


def race(*acts: Act) -> list[Result]:
    """Run all acts at once; their results in the same order."""
    gate = threading.Barrier(len(acts))

    def run(act: Act) -> Result:
        try:
            gate.wait(timeout=30)
            return Result(value=act())
        except lifecycle.Refused as refusal:
            return Result(refusal=refusal)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def winners(results: list[Result]) -> list[Any]:
    return [result.value for result in results if result.won]


def refusals(results: list[Result]) -> Counter[str]:
    """How often each refusal was met, by its name."""
    return Counter(type(result.refusal).__name__ for result in results if not result.won)


def slot_of(asked: dict[str, Any]) -> lifecycle.Slot:
    return lifecycle.Slot(
        service=asked["service"],
        location=asked["location"],
        practitioner=asked.get("practitioner"),
        start=asked["start"],
    )


def book(*, visitor: str, **asked: Any) -> Act:
    """Hold and confirm, as one visitor would."""

    def act() -> Booking:
        now = asked.get("now", NOW)
        held = lifecycle.hold(slot_of(asked), visitor=visitor, now=now)
        return lifecycle.confirm(held, details=make_details(), visitor=visitor, now=now)

    return act


def overlaps() -> list[tuple[Claim, Claim]]:
    """Pairs of claims on one resource that share a moment; read row by row, apart from the constraint."""
    claims = list(Claim.objects.order_by("resource", "starts_at"))
    return [
        (one, other)
        for n, one in enumerate(claims)
        for other in claims[n + 1 :]
        if one.resource_id == other.resource_id and one.starts_at < other.ends_at and other.starts_at < one.ends_at
    ]


def half_written() -> list[Booking]:
    """Bookings whose claims are not those of their state: none when called off, else practitioner and room."""
    return [booking for booking in Booking.objects.prefetch_related("claims") if not _is_whole(booking)]


def _is_whole(booking: Booking) -> bool:
    claimed = {claim.resource_id: claim for claim in booking.claims.all()}
    if booking.state in CALLED_OFF:
        return not claimed
    needed = {booking.practitioner_id, booking.room_id} - {None}
    return needed <= set(claimed) and claimed[booking.practitioner_id].starts_at == booking.starts_at
