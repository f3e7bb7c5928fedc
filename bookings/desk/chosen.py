"""What the address of a page of the day chooses: a place, a date, a visit that seeks another time."""

import datetime as dt
from collections.abc import Sequence

from django.http import HttpRequest

from bookings.access import is_plain
from bookings.desk.board import BY_PRACTITIONER, BY_ROOM, EARLIEST, LATEST, Asked
from bookings.desk.doors import user_of, visits_for
from bookings.models import Booking
from clinic.models import Location


def locations() -> list[Location]:
    return list(Location.objects.select_related("clinic"))


def location(request: HttpRequest, among: Sequence[Location]) -> Location | None:
    """The one that is named, else the first."""
    asked = request.GET.get("location", "")
    return next((each for each in among if each.slug == asked), among[0] if among else None)


def date(request: HttpRequest, today: dt.date) -> dt.date:
    """The date that was asked for; whatever is no day of a clinic's life means today."""
    try:
        asked = dt.date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        return today
    return asked if EARLIEST <= asked <= LATEST else today


def asked_for(request: HttpRequest, place: Location, day: dt.date, now: dt.datetime) -> Asked:
    """Whoever moves a visit looks at people, whatever the address says: a visit moves to a person."""
    moving = _moving(request, now)
    by_room = request.GET.get("by") == BY_ROOM and moving is None
    user = user_of(request)
    return Asked(
        location=place,
        day=day,
        user=user,
        now=now,
        by=BY_ROOM if by_room else BY_PRACTITIONER,
        only=request.GET.get("with", ""),
        moving=moving,
        offers=user.has_perm("bookings.add_booking"),
    )


def _moving(request: HttpRequest, now: dt.datetime) -> Booking | None:
    """The visit that is to move, if this person may move it and it still can."""
    reference = request.GET.get("moving", "")
    user = user_of(request)
    if not reference or not is_plain(reference) or not user.has_perm("bookings.change_booking"):
        return None
    found = visits_for(user).with_everything().filter(reference=reference.upper()).first()
    return found if found and found.is_waited_for(now) else None
