"""Why a visit cannot be at a place of the board, in one kind sentence: "Tomas is with Pat K. until 11:30am."

It reads and promises nothing: the verb looks again under its lock.
"""

import dataclasses
import datetime as dt

from django.db.models import Q

from bookings import availability, lifecycle
from bookings.availability import Bend, Diary, NotOffered
from bookings.desk import times
from bookings.desk.booking_in.book import BENT_BY
from bookings.desk.doors import sees_everybody, user_of
from bookings.desk.times import Asking
from bookings.models import BookingState, Claim
from clinic import words
from clinic.intervals import ONE_DAY, Interval, holding, instant_of, local_date, minute_after, minute_of
from clinic.models import Absence, Resource
from clinic.opening import CLOSED

# What a reason bends, and how far one has to look past the rules for it.
PAST = {NotOffered.OFF_GRID: Bend.GRID, NotOffered.CLOSED: Bend.HOURS}


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a visit is wanted. ``room`` is a wish: without it any room that suits is taken."""

    start: dt.datetime
    practitioner: Resource
    room: Resource | None

    def zoned(self, asking: Asking) -> dt.datetime:
        return self.start.astimezone(asking.booking.location.zone)


@dataclasses.dataclass(frozen=True)
class Found:
    """``obstacle`` is why it cannot be, or ""; ``rule`` is what stands in the way and may be bent with a reason.

    ``bends`` says which rules of time it would bend, ``question`` asks why: so soon, so far ahead, or then. ``room``
    is where it would be, as far as anybody can say before pressing. ``is_only_room``: nothing else changes.
    """

    obstacle: str = ""
    rule: str = ""
    bends: str = ""
    question: str = ""
    room: Resource | None = None
    is_only_room: bool = False


def look(asking: Asking, place: Place) -> Found:
    """Everything that may stand in the way, what cannot be helped first."""
    obstacle = _of_the_visit(asking, place) or _of_the_time(asking, place)
    if obstacle:
        return Found(obstacle)
    stands = lifecycle.problem(asking.outlook, place.practitioner.code, place.start)
    if stands and not bends(asking, place):
        return Found(asking.told(stands))
    diary = _diary(asking, place)
    obstacle, past = _of_the_person(asking, place, diary) or _of_the_room(asking, place, diary), ""
    if obstacle and (wider := _wider(asking, place, diary)):
        # What a reason bends is no obstacle; what is left of one then, is.
        past, diary = obstacle, wider
        obstacle = _of_the_person(asking, place, diary) or _of_the_room(asking, place, diary)
    notice = _of_notice(asking, place)
    return Found(
        obstacle,
        rule=asking.told(stands) if stands else "",
        bends=" ".join(each for each in (BENT_BY[notice] if notice else "", past) if each),
        question=times.QUESTIONS[notice] if notice else times.WHY_THEN if past else "",
        room=None if obstacle else _room(place, diary),
        is_only_room=_stays(asking, place),
    )


def bends(asking: Asking, place: Place) -> bool:
    """Whether a reason of who looks could bend what stands in the way there."""
    grade = place.practitioner.code
    return grade in asking.outlook.by_grade and lifecycle.may_bend(
        asking.outlook, grade, place.start, decides=asking.may.decide
    )


def is_there(asking: Asking, place: Place) -> bool:
    """Whether the visit is at that place already."""
    return _stays(asking, place) and place.room in (None, asking.booking.room)


def is_movable(asking: Asking) -> bool:
    return asking.booking.is_waited_for(asking.now)


def _stays(asking: Asking, place: Place) -> bool:
    """Whether nothing but the room may change."""
    booking = asking.booking
    return (booking.starts_at, booking.practitioner_id) == (place.start, place.practitioner.pk)


def _of_the_visit(asking: Asking, place: Place) -> str:
    booking = asking.booking
    if not is_movable(asking):
        return "This visit can no longer be moved. It is under way, over or cancelled."
    if is_there(asking, place):
        return f"The visit is already there: {_when(asking, booking.starts_at)}, with {booking.practitioner.name}."
    return ""


def _of_the_time(asking: Asking, place: Place) -> str:
    if place.practitioner.code not in asking.service.grades:
        return f"{place.practitioner.first_name} does not do {asking.booking.service_name}."
    outside = availability.outside(place.start, wanted(asking))
    if outside is availability.NotOffered.PAST:
        return f"{_when(asking, place.start)} is past."
    if outside is not None:
        return f"{_when(asking, place.start)} is too far ahead to book."
    return ""


def _of_the_person(asking: Asking, place: Place, diary: Diary) -> str:
    """Not working, away, or with somebody else."""
    who, span = place.practitioner, _span(place, diary.minutes)
    opening = diary.opening.get(who.pk, CLOSED)
    if not holding(opening.stretches, *span):
        return _hours(asking, place, opening.stretches)
    if not holding(opening.free, *span):
        return _away(asking, place, span)
    if not holding(diary.free(who), *span):
        return _busy(asking, place, who, span)
    return ""


def _of_the_room(asking: Asking, place: Place, diary: Diary) -> str:
    """No room or thing that suits, or a start that is never offered."""
    minute = minute_of(place.start)
    span = _span(place, diary.minutes + diary.clean_up)
    rooms = diary.rooms
    if rooms is not None and not any(holding(diary.opening.get(each.pk, CLOSED).free, *span) for each in rooms):
        return "No room is open long enough then: it is cleaned after the visit."
    if rooms is not None and not any(holding(diary.free(each), *span) for each in rooms):
        return f"{place.practitioner.first_name} is free, but every room that suits is taken then."
    for kind in diary.equipment:
        if not any(holding(diary.free(each), *_span(place, diary.minutes)) for each in kind):
            return f"{place.practitioner.first_name} is free, but {_thing(kind)} is not."
    if all(minute != offered for offered, _ in diary.offered()) or minute_after(place.start) != minute:
        return f"Visits with {place.practitioner.first_name} do not start at {words.clock(place.zoned(asking))}."
    return _of_the_wish(asking, place, diary)


def _of_the_wish(asking: Asking, place: Place, diary: Diary) -> str:
    """A wish for a room stands in the way only where nothing else would change."""
    room, booking = place.room, asking.booking
    if room is None or _room(place, diary) == room:
        return ""
    if room not in (diary.rooms or []):
        return f"{room.name} is not one of the rooms for {booking.service_name}."
    span = _span(place, diary.minutes + diary.clean_up)
    return _busy(asking, place, room, span) if _stays(asking, place) else ""


def _room(place: Place, diary: Diary) -> Resource | None:
    """The room that would be chosen: the one that is wished for, if it is free."""
    minute, length = minute_of(place.start), diary.minutes + diary.clean_up
    wished = [each for each in diary.rooms or [] if each == place.room]
    return diary.tightest(wished, minute, length) or diary.tightest(diary.rooms or [], minute, length)


def _wider(asking: Asking, place: Place, diary: Diary) -> Diary | None:
    """The same day past the grid, or past opening hours too, where that is what stands in the way."""
    reason = availability.why_not(diary, place.start)
    return _diary(asking, place, PAST[reason]) if reason in PAST else None


def _of_notice(asking: Asking, place: Place) -> NotOffered | None:
    """Whether it is so soon, or so far ahead, that it takes a reason: never for the time that the visit has."""
    is_new = place.start != asking.booking.starts_at
    return times.of_notice(place.start, wanted(asking)) if is_new else None


def _diary(asking: Asking, place: Place, bend: Bend = Bend.NOTHING) -> Diary:
    """The day of the place: that person, and every room and thing that suits."""
    day = local_date(minute_of(place.start), asking.booking.location.zone)
    asked: availability.Asked = {**wanted(asking), "practitioner": place.practitioner, "bend": bend}
    return availability.load(first=day, until=day + ONE_DAY, **asked)


def wanted(asking: Asking) -> availability.Asked:
    """What a search for another place of this visit asks for, whoever does it."""
    location = asking.booking.location
    return {
        "service": asking.service,
        "location": location,
        "clinic": location.clinic,
        "now": asking.now,
        "ignoring": asking.booking,
        "is_staff": True,
    }


def _span(place: Place, minutes: int) -> Interval:
    minute = minute_of(place.start)
    return minute, minute + minutes


def _hours(asking: Asking, place: Place, stretches: list[Interval]) -> str:
    """When they do work that day."""
    name, day = place.practitioner.first_name, words.day(place.zoned(asking))
    if not stretches:
        return f"{name} does not work on {day}."
    hours = [f"{_clock(asking, start)} to {_clock(asking, end)}" for start, end in stretches]
    return f"{name} works {' and '.join(hours)} on {day}."


def _away(asking: Asking, place: Place, span: Interval) -> str:
    who, location = place.practitioner, asking.booking.location
    during = {"starts_at__lt": instant_of(span[1]), "ends_at__gt": instant_of(span[0])}
    absences = Absence.objects.in_force().filter(Q(resource=who) | Q(location=location), **during)
    found = absences.order_by("-ends_at").first()
    if found is None:
        return f"{who.first_name} does not work here any more by then."
    name = f"{who.first_name} is away" if found.resource_id else f"{location.name} is closed"
    return f"{name} until {_until(asking, place, found.ends_at)}."


def _busy(asking: Asking, place: Place, what: Resource, span: Interval) -> str:
    """Whose visit it is stays with those who may see everybody's."""
    claims = (
        Claim.objects.filter(resource=what, starts_at__lt=instant_of(span[1]), ends_at__gt=instant_of(span[0]))
        .exclude(booking=asking.booking)
        .select_related("booking__patient")
        .order_by("starts_at")
    )
    is_room = what == place.room
    name = what.name if is_room else what.first_name
    found = next((each for each in claims if each.booking.state != BookingState.HELD or _is_live(each, asking)), None)
    if found is None:
        return f"{name} is taken then." if is_room else f"{name} is not free then."
    until = _until(asking, place, found.ends_at)
    patient = found.booking.patient
    if is_room:
        return f"{name} is taken until {until}."
    if patient is None:
        return f"{name} is being booked online by somebody, until {until}."
    whom = f"with {patient.short_name}" if sees_everybody(user_of(asking.request)) else "with somebody else"
    return f"{name} is {whom} until {until}."


def _is_live(claim: Claim, asking: Asking) -> bool:
    expires_at = claim.booking.expires_at
    return expires_at is not None and expires_at > asking.now


def _thing(kind: list[Resource]) -> str:
    return f"the {kind[0].name}" if len(kind) == 1 else "a machine that it needs"


def _until(asking: Asking, place: Place, instant: dt.datetime) -> str:
    """Its time, and its day where that is another one."""
    there = instant.astimezone(asking.booking.location.zone)
    is_same_day = there.date() == place.zoned(asking).date()
    return words.clock(there) if is_same_day else words.when(instant, asking.booking.location.zone)


def _when(asking: Asking, instant: dt.datetime) -> str:
    return words.when(instant, asking.booking.location.zone)


def _clock(asking: Asking, minute: int) -> str:
    return words.clock(instant_of(minute).astimezone(asking.booking.location.zone))
