"""What staff may do to a booking, through the same verbs as a patient."""

import datetime as dt
from collections.abc import Callable
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from bookings import availability, lifecycle
from bookings.desk.booking import booked
from bookings.desk.doors import changes_bookings, notices
from bookings.desk.forms import ANYONE, CancelForm, EmailForm, MoveForm, MoveSearch
from bookings.models import Booking
from clinic import words
from clinic.models import Resource

form_page = require_http_methods(["GET", "HEAD", "POST"])
# What was asked for can never be; every other refusal means that the booking is no longer as the page showed it.
NEVER_POSSIBLE = (lifecycle.NotOffered, lifecycle.NotEligible)


@never_cache
@form_page
@changes_bookings
def correct_email(request: HttpRequest, reference: str) -> HttpResponse:
    """Put the address right; the confirmation goes out again and earlier links stop working."""
    now = timezone.now()
    booking = booked(reference)
    form = EmailForm(request.POST or None, initial={"email": booking.patient and booking.patient.email})
    if not form.is_valid():
        return _page(request, "desk/correct_email.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.correct_email(booking, email=form.cleaned_data["email"], by=_user(request), now=now)

    return _done(request, booking, verb, "The address is right now. The confirmation is on its way again.")


@never_cache
@require_POST
@changes_bookings
def resend(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the confirmation once more, to the same address."""
    booking = booked(reference)

    def verb() -> object:
        return lifecycle.resend(booking, by=_user(request), now=timezone.now())

    return _done(request, booking, verb, "The confirmation is on its way again.")


@never_cache
@form_page
@changes_bookings
def cancel(request: HttpRequest, reference: str) -> HttpResponse:
    """Cancel with a reason. Cancelling twice changes nothing."""
    now = timezone.now()
    booking = booked(reference)
    form = CancelForm(request.POST or None)
    if not form.is_valid():
        return _page(request, "desk/cancel.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.cancel(booking, reason=form.cleaned_data["reason"], by=_user(request), now=now)

    return _done(request, booking, verb, "Cancelled. The patient gets an email.")


@never_cache
@form_page
@changes_bookings
def move(request: HttpRequest, reference: str) -> HttpResponse:
    """GET: times near the present one, and those of a chosen day. POST: move to the time that was pressed."""
    now = timezone.now()
    booking = booked(reference)
    if request.method != "POST":
        return _times(request, booking, now)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _times(request, booking, now, refusal="Choose a time from the list.", status=422)
    try:
        moved = lifecycle.reschedule(booking, **form.cleaned_data, by=_user(request), now=now)
    except lifecycle.Refused as refused:
        return _times(request, booking, now, refusal=str(refused), status=_status(refused))
    messages.success(request, f"Moved to {words.when(moved.starts_at, moved.location.zone)}.")
    return redirect("desk:booking", booking.reference)


def _times(
    request: HttpRequest, booking: Booking, now: dt.datetime, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    people = availability.practitioners(service=booking.service, location=booking.location, on=_today(booking, now))
    day = max(booking.local_date, _today(booking, now))
    usual = ANYONE if booking.asked_for_any else booking.practitioner.slug
    search = MoveSearch(data={"date": day, "practitioner": usual, **request.GET.dict()}, people=people)
    search.is_valid()
    day = search.cleaned_data.get("date", day)
    who = next((each for each in people if each.slug == search.cleaned_data.get("practitioner")), None)
    context = {
        **_head(booking, now),
        "search": search,
        "form": search,
        "refusal": refusal,
        "shown": day,
        **_found(booking, who, day, now),
    }
    return render(request, "desk/move.html", context, status=status)


def _found(booking: Booking, who: Resource | None, date: dt.date, now: dt.datetime) -> dict[str, Any]:
    """The nearest free times, and all of one day, by practitioner."""
    wanted: availability.Asked = {
        "service": booking.agreed_service(),
        "location": booking.location,
        "clinic": booking.location.clinic,
        "practitioner": who,
        "now": now,
        "ignoring": booking,
        "is_staff": True,
    }
    nearest = availability.nearest(to=booking.starts_at, count=4, **wanted)
    present = (booking.starts_at, booking.practitioner_id)
    found = availability.search(first=date, until=date + dt.timedelta(days=1), **wanted)
    starts = [start for start in found if (start.at, start.practitioner.pk) != present]
    starts.sort(key=lambda start: (start.practitioner.position, start.practitioner.pk))
    return {
        "nearest": [start for start in nearest if start.at != booking.starts_at][:3],
        "people": [(each, list(theirs)) for each, theirs in groupby(starts, key=attrgetter("practitioner"))],
    }


def _done(request: HttpRequest, booking: Booking, verb: Callable[[], object], said: str) -> HttpResponse:
    """Do it and go back to the booking; a refusal is a page of its own."""
    try:
        verb()
    except lifecycle.Refused as refused:
        context = {**_head(booking, timezone.now()), "refusal": str(refused)}
        return render(request, "desk/refused.html", context, status=_status(refused))
    messages.success(request, said)
    return redirect("desk:booking", booking.reference)


def _page(request: HttpRequest, template: str, booking: Booking, form: Form, now: dt.datetime) -> HttpResponse:
    context = {**_head(booking, now), "form": form, "has_errors": form.is_bound}
    return render(request, template, context, status=422 if form.is_bound else 200)


def _head(booking: Booking, now: dt.datetime) -> dict[str, Any]:
    return {"booking": booking, "desk_notices": notices(now), "is_late": booking.is_late(now)}


def _status(refused: lifecycle.Refused) -> int:
    return 422 if isinstance(refused, NEVER_POSSIBLE) else 409


def _today(booking: Booking, now: dt.datetime) -> dt.date:
    return now.astimezone(booking.location.zone).date()


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the middleware lets nobody else in"
    return request.user
