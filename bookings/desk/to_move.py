"""Visits to move: always in sight until there are none."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import displaced
from bookings.desk import counted, fitting
from bookings.desk.acting import form_page
from bookings.desk.doors import changes_bookings, key_of, notices, user_of, visits_for
from bookings.models.booking import BookingQuerySet
from clinic.intervals import ONE_DAY, day_start, instant_of
from clinic.models import Absence, Resource

AT_A_TIME = 60


class Asked:
    """Which of them the address asks for: those of one absence, of one practitioner, up to a day.

    What cannot be read asks for nothing.
    """

    def __init__(self, query: QueryDict) -> None:
        self.absence = _absence(query.get("absence", ""))
        slug = query.get("practitioner", "")[:60]
        self.practitioner = Resource.objects.practitioners().filter(slug=slug).first() if slug else None
        self.until = _date(query.get("until", ""))

    def visits(self, user: User, now: dt.datetime) -> BookingQuerySet:
        found = visits_for(user)
        if self.absence is not None:
            found = found.filter(pk__in=displaced.of_absence(self.absence, now=now).values("pk"))
        if self.practitioner is not None:
            found = found.filter(practitioner=self.practitioner)
        if self.until is not None:
            end = instant_of(day_start(self.until + ONE_DAY, timezone.get_current_timezone()))
            found = found.filter(starts_at__lt=end)
        return found

    @property
    def kept(self) -> str:
        """The same in an address."""
        asked = {
            "absence": self.absence.pk if self.absence else "",
            "practitioner": self.practitioner.slug if self.practitioner else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return urlencode({name: value for name, value in asked.items() if value})


@never_cache
@form_page
@changes_bookings
def to_move(request: HttpRequest) -> HttpResponse:
    """GET: the next of them, each with its nearest times. POST: move and cancel as chosen, all in one go."""
    now = timezone.now()
    asked = Asked(request.GET)
    if request.method == "POST":
        _carry_out(request, now)
        counted.forget()
        return redirect(f"{reverse('desk:to_move')}?{asked.kept}".removesuffix("?"))
    found = displaced.find(asked.visits(user_of(request), now), now=now)
    page = Paginator(found, AT_A_TIME).get_page(request.GET.get("page"))
    rows = fitting.rows_of(list(page.object_list), now=now)
    context: dict[str, Any] = {
        "asked": asked,
        "page": page,
        "rows": rows,
        "movable": sum(bool(row.fits) for row in rows),
        "count": len(found),
        "now": now,
        "desk_notices": notices(now),
    }
    return render(request, "desk/to_move.html", context)


def _carry_out(request: HttpRequest, now: dt.datetime) -> None:
    wishes = fitting.wishes_of(request.POST.dict(), most=AT_A_TIME)
    notify = "email" in request.POST
    outcome = fitting.carry_out(wishes, by=user_of(request), notify=notify, now=now)
    if outcome.said:
        messages.success(request, f"{outcome.said} {'Emails are on their way.' if notify else 'No email was sent.'}")
    for told in outcome.instead:
        messages.info(request, told)
    for told in outcome.failed:
        messages.warning(request, told)


def _absence(text: str) -> Absence | None:
    key = key_of(text)
    return Absence.objects.select_related("resource", "location").filter(pk=key).first() if key else None


def _date(text: str) -> dt.date | None:
    try:
        asked = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return asked if dt.date(2000, 1, 1) <= asked <= dt.date(2199, 12, 31) else None
