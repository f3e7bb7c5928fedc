"""The day on paper: one page for each practitioner, useful when the network is down."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk import chosen, reading
from bookings.desk.board import Asked, board
from bookings.desk.doors import sees_bookings, user_of


@never_cache
@require_safe
@sees_bookings
def day_sheet(request: HttpRequest) -> HttpResponse:
    """``date``, ``location`` and ``with`` choose, as on the board. Holds have no name yet, and are left out.

    It leaves the house with names and phones on it, so that the log says who took it.
    """
    now = timezone.now()
    locations = chosen.locations()
    location = chosen.location(request, locations)
    if location is None:
        return render(request, "desk/sheet.html", {"now": now})
    day = chosen.date(request, now.astimezone(location.zone).date())
    asked = Asked(location=location, day=day, user=user_of(request), now=now, only=request.GET.get("with", ""))
    reading.read(request, location, now=now)
    context = {"now": now, "location": location, "date": day, "board": board(asked), "locations": locations}
    return render(request, "desk/sheet.html", context)
