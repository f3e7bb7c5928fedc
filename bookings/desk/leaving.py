"""A practitioner leaves: from a day on nothing is booked with them, and their visits find new homes."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import displaced
from bookings.desk import counted
from bookings.desk.absence_forms import LeavingForm
from bookings.desk.acting import form_page, typed
from bookings.desk.doors import changes_people, notices, user_of
from bookings.models import Booking
from clinic import absences, words
from clinic.intervals import day_start, instant_of
from clinic.models import Resource

ONE_WEEK = dt.timedelta(days=7)


@never_cache
@form_page
@changes_people
def leaving(request: HttpRequest, slug: str) -> HttpResponse:
    """The day, then what it affects, then saved. POST ``stays`` takes it back."""
    now = timezone.now()
    who = get_object_or_404(Resource.objects.practitioners(), slug=slug)
    if request.method == "POST" and "stays" in request.POST:
        return _saved(request, who, None, now)
    form = LeavingForm(typed(request), initial={"on": who.retired_on})
    context = {"who": who, "form": form, "has_errors": form.is_bound, "now": now, "desk_notices": notices(now)}
    if not form.is_valid():
        return render(request, "desk/leaving.html", context, status=422 if form.is_bound else 200)
    on: dt.date = form.cleaned_data["on"]
    if "save" not in request.POST:
        return render(request, "desk/leaving_check.html", {**context, "on": on, **_affected(who, on, now)})
    return _saved(request, who, on, now)


def _saved(request: HttpRequest, who: Resource, on: dt.date | None, now: dt.datetime) -> HttpResponse:
    if absences.leave(who, on=on, by=user_of(request), now=now):
        said = f"leaves on {words.day(on)} {on.year}" if on else "stays"
        counted.forget()
        messages.success(request, f"{who.first_name} {said}.")
    if on is None or not displaced.count(_visits(who), now=now):
        return redirect("desk:absences")
    return redirect(f"{reverse('desk:to_move')}?practitioner={who.slug}")


def _visits(who: Resource) -> Any:
    return displaced.everybody().filter(practitioner=who)


def _affected(who: Resource, on: dt.date, now: dt.datetime) -> dict[str, Any]:
    """How many visits, over how many weeks, from the first to the last of them."""
    start = max(now, instant_of(day_start(on, timezone.get_current_timezone())))
    visits: QuerySet[Booking] = _visits(who).upcoming().filter(starts_at__gte=start).select_related("location")
    dates = sorted(booking.local_date for booking in visits)
    if not dates:
        return {"count": 0}
    weeks = (dates[-1] - dates[0]) // ONE_WEEK + 1
    return {"count": len(dates), "weeks": weeks, "first": dates[0], "last": dates[-1]}
