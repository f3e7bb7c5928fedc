"""The day: who comes when, to whom, for what, and what needs a hand."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk.board import EARLIEST, LATEST, Board, board
from bookings.desk.doors import notices, sees_bookings
from bookings.models import Booking, OutgoingEmail, Task
from clinic.models import Location

ONE_DAY = dt.timedelta(days=1)


@never_cache
@require_safe
@sees_bookings
def day(request: HttpRequest) -> HttpResponse:
    """``date``, ``location`` and ``with`` choose; what cannot be read means today, the first location, everyone."""
    now = timezone.now()
    locations = list(Location.objects.all())
    location = _location(request, locations)
    context: dict[str, Any] = {"now": now, "locations": locations, "location": location}
    context["desk_notices"] = notices(now)
    if location is not None:
        today = now.astimezone(location.zone).date()
        shown = _date(request, today)
        found = board(location=location, day=shown, now=now, only=request.GET.get("with", ""))
        context |= _dates(shown, today) | _attention(now)
        context |= {"board": found, "kept": _kept(location, locations, found)}
    return render(request, "desk/day.html", context)


def _location(request: HttpRequest, locations: list[Location]) -> Location | None:
    asked = request.GET.get("location", "")
    return next((each for each in locations if each.slug == asked), locations[0] if locations else None)


def _date(request: HttpRequest, today: dt.date) -> dt.date:
    """The date that was asked for; whatever is no day of a clinic's life means today."""
    try:
        asked = dt.date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        return today
    return asked if EARLIEST <= asked <= LATEST else today


def _dates(shown: dt.date, today: dt.date) -> dict[str, dt.date]:
    return {"date": shown, "today": today, "before": shown - ONE_DAY, "after": shown + ONE_DAY}


def _kept(location: Location, locations: list[Location], found: Board) -> str:
    """What the links to other days carry along: the place, if there are several, and the person who is shown."""
    chosen = {"location": location.slug if len(locations) > 1 else "", "with": found.only}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"&{query}" if query else ""


def _attention(now: dt.datetime) -> dict[str, int]:
    """What waits for someone, whatever the day shown."""
    tasks = Task.objects.open().aggregate(
        open_tasks=Count("pk"),
        urgent_tasks=Count("pk", filter=Q(is_urgent=True)),
        late_tasks=Count("pk", filter=Q(due_at__lte=now)),
    )
    reviews = Booking.objects.in_review().aggregate(
        to_review=Count("pk"), late_reviews=Count("pk", filter=Q(reply_by__lte=now))
    )
    return {**tasks, **reviews, "failed_mails": OutgoingEmail.objects.failed().count()}
