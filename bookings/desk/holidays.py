"""Public holidays, house by house: closed by themselves, opened again with a press, a day at a time."""

import dataclasses
import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bookings import displaced
from bookings.desk import counted
from bookings.desk.doors import changes_absences, changes_people, notices, user_of
from clinic import public_holidays, words
from clinic.models import Absence, Location
from clinic.public_holidays import AHEAD, Holiday


@dataclasses.dataclass(frozen=True)
class Day:
    """One public holiday at one house."""

    date: dt.date
    name: str
    is_closed: bool


@dataclasses.dataclass(frozen=True)
class House:
    """The holidays to come at one house; none where the country is not known."""

    location: Location
    country: str
    is_known: bool
    days: tuple[Day, ...]


@never_cache
@require_safe
@changes_absences
def holidays(request: HttpRequest) -> HttpResponse:
    """What is coming at each house, closed or open. One query for each house."""
    now = timezone.now()
    houses = [_house(location, now) for location in Location.objects.select_related("clinic")]
    context = {
        "houses": houses,
        "now": now,
        "desk_notices": notices(now),
        "to_move": displaced.count(displaced.everybody(), now=now),
    }
    return render(request, "desk/holidays.html", context)


@never_cache
@require_POST
@changes_absences
def holiday(request: HttpRequest, slug: str) -> HttpResponse:
    """``open`` or ``close`` names the date. A second press changes nothing."""
    now, user = timezone.now(), user_of(request)
    location = _location(slug)
    is_opened = "open" in request.POST
    found = _named(location, request.POST.get("open") or request.POST.get("close") or "", now)
    if is_opened:
        changed = public_holidays.open_on(location, found[0], by=user, now=now)
    else:
        changed = public_holidays.close_on(location, found, by=user, now=now)
    if changed:
        counted.forget()
        messages.success(request, f"{location.name} is {'open' if is_opened else 'closed'} on {words.day(found[0])}.")
    return redirect(f"{reverse('desk:holidays')}#{slug}-{found[0].isoformat()}")


@never_cache
@require_POST
@changes_people
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """``closed`` is yes or no: whether the house closes on public holidays by itself."""
    now, location = timezone.now(), _location(slug)
    is_closed = request.POST.get("closed") == "yes"
    if public_holidays.switch(location, is_closed=is_closed, by=user_of(request), now=now):
        said = "closes on public holidays" if is_closed else "is open on public holidays now"
        counted.forget()
        messages.success(request, f"{location.name} {said}.")
    return redirect("desk:holidays")


def _house(location: Location, now: dt.datetime) -> House:
    first = public_holidays.today_at(location, now)
    rows = public_holidays.rows(location, first, first + AHEAD)
    coming = public_holidays.coming(location, first, first + AHEAD)
    days = tuple(Day(date, name, _closes(rows.get(date))) for date, name in coming)
    country = public_holidays.country_of(location)
    return House(location, country, public_holidays.is_known(location), days)


def _closes(row: Absence | None) -> bool:
    return row is not None and not row.is_lifted


def _location(slug: str) -> Location:
    return get_object_or_404(Location.objects.select_related("clinic"), slug=slug)


def _named(location: Location, date: str, now: dt.datetime) -> Holiday:
    """The coming holiday on that date."""
    first = public_holidays.today_at(location, now)
    for each in public_holidays.coming(location, first, first + AHEAD):
        if each[0].isoformat() == date:
            return each
    raise Http404("no holiday on that day")
