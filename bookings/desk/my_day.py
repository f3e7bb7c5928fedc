"""My day, for a phone in a pocket: who is next, what to know about them, one tap for each step."""

import datetime as dt
from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk import chosen, counted, diary, live
from bookings.desk.attending import acts_for, is_open
from bookings.desk.board import Asked, Visit, board
from bookings.desk.day import pick
from bookings.desk.doors import notices, sees_bookings, user_of
from bookings.models import BookingState
from clinic.models import Location, Resource

# Whoever is in the room comes before whoever waits, and they before whoever is still to come.
FIRST = (BookingState.IN_ROOM, BookingState.ARRIVED)


@never_cache
@require_safe
@sees_bookings
def my_day(request: HttpRequest) -> HttpResponse:
    """Today of the practitioner who is signed in; of anybody, for those who see everybody."""
    now = timezone.now()
    locations = chosen.locations()
    location = chosen.location(request, locations)
    if location is None:
        return render(request, "desk/my_day.html", {"now": now, "desk_notices": notices(now)})
    today = now.astimezone(location.zone).date()
    version = live.version(location, today, today, now)
    if live.is_unchanged(request, version):
        return live.nothing_new()
    people = diary.people(location, today, user_of(request))
    who = pick(request, people)
    visits = _visits(request, location, today, who, now)
    context = {
        "now": now,
        "date": today,
        "locations": locations,
        "location": location,
        "people": people,
        "who": who,
        "to_move": counted.to_move(user_of(request), now=now),
        "desk_notices": notices(now),
        **live.context(request, version),
        **_shown(visits, now),
    }
    return render(request, "desk/my_day_live.html" if live.is_refresh(request) else "desk/my_day.html", context)


def _visits(
    request: HttpRequest, location: Location, today: dt.date, who: Resource | None, now: dt.datetime
) -> Sequence[Visit]:
    """Theirs, without the holds, which have nobody to call in yet."""
    if who is None:
        return []
    asked = Asked(location=location, day=today, user=user_of(request), now=now, only=who.slug)
    found = board(asked)
    return [visit for visit in found.visits if found.only == who.slug and not visit.is_held]


def _shown(visits: Sequence[Visit], now: dt.datetime) -> dict[str, object]:
    """The one visit to attend to, what may be done with it, those that follow, and those that are over."""
    still_open = [visit for visit in visits if is_open(visit.booking)]
    over = [visit for visit in visits if not is_open(visit.booking)]
    if not still_open:
        return {"next": None, "rest": [], "over": over}
    first = min(still_open, key=lambda visit: _rank(visit.booking.state))
    rest = [visit for visit in still_open if visit is not first]
    return {"next": first, "acts": acts_for(first.booking, now), "rest": rest, "over": over}


def _rank(state: str) -> int:
    return FIRST.index(BookingState(state)) if state in FIRST else len(FIRST)
