"""What every act at the desk shares: find the booking, do it, and say kindly why not."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bookings import access, lifecycle
from bookings.desk.doors import notices, rights, user_of, visits_for
from bookings.desk.reading import read
from bookings.models import Booking, BookingState

form_page = require_http_methods(["GET", "HEAD", "POST"])
# What was asked for can never be; every other refusal means that the booking is no longer as the page showed it.
NEVER_POSSIBLE = (lifecycle.NotOffered, lifecycle.NotEligible, lifecycle.Unsafe, lifecycle.NeedsReason)
NO_RIGHT = (lifecycle.NotAllowed,)
NO_GUARDIAN = (lifecycle.GuardianFirst, lifecycle.GuardianNeeded)
# What is possible later on.
EARLY = (lifecycle.NotReady, lifecycle.NotYet, lifecycle.NotItsDay)


def booked(request: HttpRequest, reference: str) -> Booking:
    """The booking that staff name, among those they may see. References are typed in any case.

    404 for a hold, which has no person yet, and for the visits of others to somebody who sees only their own. Whoever
    is shown one of its pages has read it.
    """
    if not access.is_plain(reference):
        raise Http404("no such reference")
    visits = visits_for(user_of(request)).with_everything()
    booking = get_object_or_404(visits, reference=reference.replace(" ", "").upper())
    read(request, booking, now=timezone.now())
    return booking


def done(
    request: HttpRequest,
    booking: Booking,
    verb: Callable[[], object],
    said: str,
    *,
    then: str = "desk:booking",
    again: Callable[[lifecycle.Refused], HttpResponse] | None = None,
    my_day: str = "",
) -> HttpResponse:
    """Do it and go on to ``then``. A refusal is a page of its own, or what was typed ``again`` with the refusal.

    ``my_day`` is where the page of a refusal leads back to, or "" for the booking.
    """
    try:
        verb()
    except lifecycle.Refused as refused:
        return again(refused) if again else _refused(request, booking, refused, my_day, timezone.now())
    messages.success(request, said)
    return redirect(then, booking.reference) if then == "desk:booking" else redirect(then)


def _refused(
    request: HttpRequest, booking: Booking, refused: lifecycle.Refused, my_day: str, now: dt.datetime
) -> HttpResponse:
    """Why not, with the acts that help."""
    context = {**head(booking, now), **_helping(request, booking, refused, now), "my_day": my_day}
    return render(request, "desk/refused.html", context, status=status_of(refused))


def _helping(request: HttpRequest, booking: Booking, refused: lifecycle.Refused, now: dt.datetime) -> dict[str, Any]:
    """Why not, and which acts help."""
    has_begun = booking.has_started(now) or booking.state == BookingState.IN_ROOM
    return {
        "refusal": refused.for_staff,
        "is_early": isinstance(refused, EARLY),
        "wants_answers": isinstance(refused, lifecycle.QuestionsFirst),
        "wants_guidance": isinstance(refused, lifecycle.GuidanceFirst),
        "wants_guardian": isinstance(refused, NO_GUARDIAN),
        "wants_clinician": isinstance(refused, lifecycle.ClinicianFirst),
        "may_close": isinstance(refused, lifecycle.NotReady) and has_begun,
        "may": rights(request),
    }


def form_shown(
    request: HttpRequest, template: str, booking: Booking, form: Form, now: dt.datetime, **more: Any
) -> HttpResponse:
    """A page with one form about one booking, as it is now."""
    context = {**head(booking, now), "form": form, "has_errors": form.is_bound, **more}
    return render(request, template, context, status=422 if form.is_bound else 200)


def form_again(
    request: HttpRequest,
    template: str,
    booking: Booking,
    form: Form,
    refused: lifecycle.Refused,
    now: dt.datetime,
    **more: Any,
) -> HttpResponse:
    """The same page with all that was typed, and the refusal above it."""
    form.add_error(None, refused.for_staff)
    answer = form_shown(request, template, booking, form, now, **_helping(request, booking, refused, now), **more)
    answer.status_code = status_of(refused)
    return answer


def typed(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: nothing before it was sent."""
    return request.POST if request.method == "POST" else None


def after(request: HttpRequest, booking: Booking) -> str:
    """Where an act leads that helps: back to closing the visit, with what was ticked there, if that asked for it."""
    ticked = QueryDict(request.POST.get("close_with") or request.GET.get("close_with", "")).urlencode()
    return f"{reverse('desk:close', args=[booking.reference])}?{ticked}" if ticked else page_of(booking)


def page_of(booking: Booking) -> str:
    return reverse("desk:booking", args=[booking.reference])


def head(booking: Booking, now: dt.datetime) -> dict[str, Any]:
    return {
        "booking": booking,
        "now": now,
        "zone": booking.location.zone,
        "desk_notices": notices(now),
        "is_late": booking.is_late(now),
    }


def status_of(refused: lifecycle.Refused) -> int:
    if isinstance(refused, NO_RIGHT):
        return 403
    return 422 if isinstance(refused, NEVER_POSSIBLE) else 409


def today(booking: Booking, now: dt.datetime) -> dt.date:
    return now.astimezone(booking.location.zone).date()
