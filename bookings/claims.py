"""Claims: lock, release run-out holds, pick resources, write. The one way to the scarce things of a clinic.

Lock order, everywhere: resources by id, then bookings by id, then claims. Nothing inserts a claim without the lock:
bare inserts racing into an exclusion constraint deadlock. The constraint itself is the last word all the same.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Unpack

from django.db import IntegrityError
from django.db.models import Q, QuerySet

from bookings import availability
from bookings.availability import GRID, Asked, Bend, Diary
from bookings.availability import NotOffered as Reason
from bookings.constraints import is_overlap
from bookings.models import Booking, BookingState, Claim
from bookings.models.event import OPENING_HOURS
from clinic.intervals import ONE_DAY, local_date, minute_of
from clinic.models import Location, Resource, Service

# In the order in which they are tried.
BENDS: dict[Bend, list[str]] = {Bend.NOTHING: [], Bend.GRID: [GRID], Bend.HOURS: [OPENING_HOURS]}
BENDABLE = (Reason.OFF_GRID, Reason.CLOSED)


class Refused(Exception):
    """A verb says no; ``str()`` is a sentence a patient can act on. Nothing was written.

    ``for_staff`` is what staff read: ``to_staff`` where the sentence would send them to themselves.
    """

    sentence = "That did not work. Call us."
    to_staff = ""

    def __str__(self) -> str:
        return self.sentence

    @property
    def for_staff(self) -> str:
        return self.to_staff or str(self)


class SlotTaken(Refused):
    """Somebody else has the time."""

    sentence = "That time has just been taken. Choose another time."


class NotOffered(Refused):
    """The start was never one of ours: past, too soon, too far, off the grid, or outside opening hours."""

    sentence = "That time is not on offer. Choose another time."

    def __init__(self, reason: Reason) -> None:
        super().__init__()
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Choice:
    """The resources one visit will use."""

    practitioner: Resource
    room: Resource | None
    equipment: tuple[Resource, ...]


@contextmanager
def refusing_overlap() -> Iterator[None]:
    """Turn the database's refusal into SlotTaken. Stands outside ``atomic``: by then the transaction is over."""
    try:
        yield
    except IntegrityError as error:
        if is_overlap(error):
            raise SlotTaken from error
        raise


def lock(*, service: Service, location: Location, also: Booking | None = None) -> None:
    """Lock every candidate of this service and location, and what ``also`` holds now, in one statement, in id order."""
    candidates = Q(code__in=service.grades) | Q(
        location=location, code__in=[service.room_kind, *service.equipment_kinds]
    )
    if also is not None:
        candidates |= Q(claims__booking=also)
    ids = Resource.objects.filter(candidates).values("pk")
    list(Resource.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def pick(*, start: dt.datetime, **asked: Unpack[Asked]) -> Choice:
    """Choose who and what a visit at ``start`` uses; the caller holds the lock. Raises NotOffered and SlotTaken.

    Run-out holds are left alone while the visit fits beside them; those that stand in its way are deleted.
    "Any" is the practitioner whose day is broken up least.
    """
    outside = availability.outside(start, asked)
    if outside is not None:
        raise NotOffered(outside)
    choice = _choice(_diary(start, asked, run_out_count=True), start, asked)
    if choice is not None:
        return choice
    diary = _diary(start, asked)
    choice = _choice(diary, start, asked)
    if choice is None:
        raise _refusal(diary, start)
    _take_over(choice, diary, start, asked["now"])
    return choice


def pick_bending(*, start: dt.datetime, **asked: Unpack[Asked]) -> tuple[Choice, list[str]]:
    """The same for staff with a reason: bends no more than it takes, and names what was bent.

    What is claimed, absent, closed or retired stays so. Raises NotOffered and SlotTaken.
    """
    by_time = availability.bent_by_time(start, asked)
    for bend, names in BENDS.items():
        try:
            choice = pick(start=start, **(asked | {"is_staff": True, "bend": bend}))
        except NotOffered as refused:
            if refused.reason not in BENDABLE or bend is Bend.HOURS:
                raise
        else:
            return choice, [*by_time, *names]
    raise AssertionError("the last of them returns or raises")


def pick_instead(booking: Booking, *, start: dt.datetime, **asked: Unpack[Asked]) -> Choice:
    """The same for a booked visit that changes: at its own location, where its own claims are in nobody's way."""
    location = booking.location
    asked |= {"location": location, "clinic": location.clinic, "ignoring": booking}
    return pick(start=start, **asked)


def write(booking: Booking, choice: Choice) -> None:
    """Claim each resource for its own stretch; the room also for clean-up."""
    room_until = booking.ends_at + dt.timedelta(minutes=booking.clean_up_minutes)
    claimed = [(each, booking.ends_at) for each in (choice.practitioner, *choice.equipment)]
    if choice.room is not None:
        claimed.append((choice.room, room_until))
    Claim.objects.bulk_create(
        Claim(booking=booking, resource=resource, starts_at=booking.starts_at, ends_at=until)
        for resource, until in claimed
    )


def replace(booking: Booking, choice: Choice) -> None:
    """Move a booking: its claims are deleted, then inserted anew, never updated."""
    give_back(booking)
    write(booking, choice)


def give_back(booking: Booking) -> None:
    booking.claims.all().delete()


def delete_holds(holds: QuerySet[Booking]) -> int:
    """Delete those of ``holds`` that are still holds, with their claims; returns how many.

    The rows are locked first: a hold that its owner confirms at this moment is waited for, looked at again, and kept.
    """
    still_held = holds.filter(state=BookingState.HELD).order_by("pk").select_for_update(of=("self",))
    ids = list(still_held.values_list("pk", flat=True))
    if ids:
        Booking.objects.filter(pk__in=ids).delete()
    return len(ids)


def _diary(start: dt.datetime, asked: Asked, *, run_out_count: bool = False) -> Diary:
    """The diary of the one local date on which ``start`` lies."""
    day = local_date(minute_of(start), asked["location"].zone)
    return availability.load(first=day, until=day + ONE_DAY, run_out_count=run_out_count, **asked)


def _choice(diary: Diary, start: dt.datetime, asked: Asked) -> Choice | None:
    """Everything a visit at ``start`` needs, or None when something is missing."""
    minute = minute_of(start)
    if start.second or start.microsecond:
        return None
    free = [diary.practitioners[index] for at, index in diary.offered() if at == minute]
    practitioner = diary.tightest(free, minute, diary.minutes)
    if practitioner is None:
        return None
    rooms, length = diary.rooms or [], diary.minutes + diary.clean_up
    wished = [each for each in rooms if each == asked.get("room")]
    room = diary.tightest(wished, minute, length) or diary.tightest(rooms, minute, length)
    equipment = (diary.tightest(kind, minute, diary.minutes) for kind in diary.equipment)
    return Choice(practitioner, room, tuple(each for each in equipment if each is not None))


def _refusal(diary: Diary, start: dt.datetime) -> Refused:
    reason = availability.why_not(diary, start)
    return SlotTaken() if reason is None else NotOffered(reason)


def _take_over(choice: Choice, diary: Diary, start: dt.datetime, now: dt.datetime) -> None:
    """Delete the run-out holds that stand in the way of this choice."""
    end = start + dt.timedelta(minutes=diary.minutes)
    room_end = end + dt.timedelta(minutes=diary.clean_up)
    people = [each.pk for each in (choice.practitioner, *choice.equipment)]
    in_the_way = Q(claims__resource__in=people, claims__starts_at__lt=end, claims__ends_at__gt=start)
    if choice.room is not None:
        in_the_way |= Q(claims__resource=choice.room, claims__starts_at__lt=room_end, claims__ends_at__gt=start)
    ids = Booking.objects.filter(in_the_way).values("pk")
    # Run out is asked of the row that gets locked: a hold that its owner renews at this moment is seen as renewed.
    delete_holds(Booking.objects.run_out(now).filter(pk__in=ids))
