"""A place on the board for a booked visit: looked at before anything is moved, and said in words."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import availability, lifecycle
from bookings.availability import Start
from bookings.desk import obstacles, times, undo
from bookings.desk.acting import booked, form_page, head, status_of
from bookings.desk.board import BY_ROOM
from bookings.desk.doors import changes_bookings, user_of
from bookings.desk.obstacles import Found, Place
from bookings.desk.placing_forms import PlaceForm, ReviewForm
from bookings.desk.times import Asking
from bookings.models import Booking, BookingState
from clinic import words
from clinic.models import Resource

# How many free times are offered instead: with that person, and with others.
INSTEAD = 3
ONE_DAY = dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Link:
    """A free time instead, and the review of it."""

    said: str
    address: str


@never_cache
@form_page
@changes_bookings
def place(request: HttpRequest, reference: str) -> HttpResponse:
    """GET: what moving there means, or why it cannot be and what is free instead. POST: move.

    An address that names no place leads to the form that asks for one.
    """
    now = timezone.now()
    booking = booked(request, reference)
    wanted = PlaceForm(request.GET, booking=booking)
    if not wanted.is_valid():
        return redirect("desk:move", booking.reference)
    asking = times.asking_for(request, booking, now)
    return _move(asking, wanted.place) if request.method == "POST" else page(asking, wanted.place)


@never_cache
@require_POST
@changes_bookings
def undo_move(request: HttpRequest, reference: str) -> HttpResponse:
    """Back to where it was, as long as nothing else has changed the visit. What was undone already stays so."""
    now = timezone.now()
    offered = undo.offered(request, reference)
    if offered is None:
        return redirect(day_of(booked(request, reference)))
    booking = offered.booking
    try:
        back = lifecycle.move_back(booking, sequence=offered.sequence, by=user_of(request), now=now)
    except lifecycle.Refused as refused:
        return _not_back(request, booking, refused, now)
    undo.forget(request)
    messages.success(request, f"Moved back. {undo.standing(back)}")
    return redirect(day_of(back))


def page(
    asking: Asking,
    place: Place,
    *,
    found: Found | None = None,
    form: ReviewForm | None = None,
    refused: lifecycle.Refused | None = None,
) -> HttpResponse:
    """The review of one place. With ``form`` or ``refused`` it answers an act that was not done."""
    booking = asking.booking
    found = found or obstacles.look(asking, place)
    obstacle = found.obstacle or (asking.told(refused) if refused else "")
    context = {
        **head(booking, asking.now),
        "place": place,
        "asked": _asked(booking, place),
        "found": found,
        "obstacle": obstacle,
        "changes": [] if obstacle else _changes(booking, place, found),
        "is_reviewed_again": _is_reviewed_again(asking, place),
        "spoils_event": booking.is_red_on(booking.event_on, after=place.zoned(asking).date()),
        "usual_why": times.USUAL_WHY,
        "form": form or _form(asking, place, found),
        "has_errors": form is not None,
        "back": day_of(booking, place),
        **(_instead(asking, place) if obstacle and _may_go_elsewhere(asking, place) else {}),
    }
    return render(asking.request, "desk/place.html", context, status=_status(found, form, refused))


def day_of(booking: Booking, place: Place | None = None) -> str:
    """The board of the visit's day, or of the place it was dropped on: by room, if that was a room."""
    date = place.start.astimezone(booking.location.zone).date() if place else booking.local_date
    query = {"date": date.isoformat(), "location": booking.location.slug}
    query |= {"by": BY_ROOM} if place and place.room else {}
    return f"{reverse('desk:day')}?{urlencode(query)}"


def address(booking: Booking, place: Place) -> str:
    """The review of that place."""
    named = {"start": place.start.isoformat(), "practitioner": place.practitioner.slug}
    query = {**named, "room": place.room.slug} if place.room else named
    return f"{reverse('desk:place', args=[booking.reference])}?{urlencode(query)}"


def _move(asking: Asking, place: Place) -> HttpResponse:
    """The same press again only shows the day."""
    booking = asking.booking
    if obstacles.is_there(asking, place):
        return redirect(day_of(booking, place))
    found = obstacles.look(asking, place)
    form = _form(asking, place, found, asking.request.POST)
    if found.obstacle or not form.is_valid():
        return page(asking, place, found=found, form=form)
    try:
        moved = lifecycle.reschedule(
            booking,
            start=place.start,
            practitioner=place.practitioner,
            room=place.room,
            override=form.reasons,
            seen=form.cleaned_data["seen"],
            notify=form.cleaned_data["notify"],
            by=user_of(asking.request),
            now=asking.now,
        )
    except lifecycle.Refused as refused:
        return page(asking, place, form=form, refused=refused)
    told = "" if form.cleaned_data["notify"] else " No email was sent."
    undo.offer(asking.request, moved, f"Moved. {undo.standing(moved)}{told}")
    return redirect(day_of(moved, place))


def _not_back(request: HttpRequest, booking: Booking, refused: lifecycle.Refused, now: dt.datetime) -> HttpResponse:
    """Why the old place cannot be had again; where that could help, with the free times near it."""
    before = lifecycle.place_before(booking)
    if isinstance(refused, lifecycle.ChangedSince) or before is None:
        undo.forget(request)
        context = {**head(booking, now), "refusal": str(refused)}
        return render(request, "desk/refused.html", context, status=status_of(refused))
    return page(times.asking_for(request, booking, now), Place(*before), refused=refused)


def _form(asking: Asking, place: Place, found: Found, data: Any = None) -> ReviewForm:
    return ReviewForm(
        data,
        booking=asking.booking,
        found=found,
        bends=obstacles.bends(asking, place),
        action=address(asking.booking, place),
    )


def _status(found: Found, form: ReviewForm | None, refused: lifecycle.Refused | None) -> int:
    if refused:
        return status_of(refused)
    if form is None:
        return 200
    return 409 if found.obstacle else 422


def _asked(booking: Booking, place: Place) -> str:
    """What is asked for, in a few words: "Tomas, 11am Thursday 10 December"."""
    is_same = place.start == booking.starts_at and place.practitioner == booking.practitioner
    if place.room and is_same:
        return place.room.name
    local = place.start.astimezone(booking.location.zone)
    at = f"{words.clock(local)} {words.day(local)}"
    return at if place.practitioner == booking.practitioner else f"{place.practitioner.first_name}, {at}"


def _changes(booking: Booking, place: Place, found: Found) -> list[tuple[str, str, str]]:
    """What will be different: about what, before, and after."""
    zone = booking.location.zone
    rows = [
        ("When", words.when(booking.starts_at, zone), words.when(place.start, zone)),
        ("With", booking.practitioner.name, place.practitioner.name),
        ("Where", booking.room.name if booking.room else "", found.room.name if found.room else ""),
    ]
    return [row for row in rows if row[1] != row[2]]


def _is_reviewed_again(asking: Asking, place: Place) -> bool:
    """Whether a booked visit waits for a clinician after this move."""
    grade, date = place.practitioner.code, place.start.astimezone(asking.outlook.zone).date()
    is_booked = asking.booking.state == BookingState.CONFIRMED and grade in asking.outlook.by_grade
    return is_booked and asking.outlook.outcome(grade, date).needs_review


def _may_go_elsewhere(asking: Asking, place: Place) -> bool:
    return obstacles.is_movable(asking) and not obstacles.is_there(asking, place)


def _instead(asking: Asking, place: Place) -> dict[str, list[Link]]:
    """Free and safe times near the one that cannot be: with that person, and with others."""
    theirs, others = _on_the_day(asking, place)
    theirs = theirs or _near(asking, place, place.practitioner)
    others = others or [start for start in _near(asking, place, None) if start.practitioner != place.practitioner]
    return {
        "theirs": [_link(asking, place, start) for start in _closest(theirs, place)],
        "others": [_link(asking, place, start, named=True) for start in _closest(others, place)],
    }


def _on_the_day(asking: Asking, place: Place) -> tuple[list[Start], list[Start]]:
    day = place.start.astimezone(asking.booking.location.zone).date()
    found = _elsewhere(asking, availability.search(first=day, until=day + ONE_DAY, **_safe(asking)))
    return (
        [start for start in found if start.practitioner == place.practitioner],
        [start for start in found if start.practitioner != place.practitioner],
    )


def _near(asking: Asking, place: Place, who: Resource | None) -> list[Start]:
    if who is not None and who.code not in asking.service.grades:
        return []
    asked: availability.Asked = {**_safe(asking), "practitioner": who}
    return _elsewhere(asking, availability.nearest(to=place.start, count=INSTEAD + 1, **asked))


def _elsewhere(asking: Asking, starts: Iterable[Start]) -> list[Start]:
    """Without the place where the visit is now."""
    present = (asking.booking.starts_at, asking.booking.practitioner_id)
    return [start for start in starts if (start.at, start.practitioner.pk) != present]


def _safe(asking: Asking) -> availability.Asked:
    return {**obstacles.wanted(asking), "opens_at": asking.outlook.opens_at}


def _closest(starts: Iterable[Start], place: Place) -> list[Start]:
    nearest = sorted(starts, key=lambda start: abs(start.at - place.start))[:INSTEAD]
    return sorted(nearest, key=lambda start: start.at)


def _link(asking: Asking, place: Place, start: Start, *, named: bool = False) -> Link:
    zone = asking.booking.location.zone
    local = start.at.astimezone(zone)
    is_same_day = local.date() == place.start.astimezone(zone).date()
    said = words.clock(local) if is_same_day else words.when(start.at, zone)
    return Link(
        f"{said}, {start.practitioner.first_name}" if named else said,
        address(asking.booking, Place(start.at, start.practitioner, None)),
    )
