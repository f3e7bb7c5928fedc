"""What every act at the desk shares: find the booking, do it, and say kindly why not."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
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
    request: HttpRequest, booking: Booking, verb: Callable[[], object], said: str, *, then: str = "desk:booking"
) -> HttpResponse:
    """Do it and go on to ``then``; a refusal is a page of its own."""
    try:
        verb()
    except lifecycle.Refused as refused:
        return _refused(request, booking, refused, timezone.now())
    messages.success(request, said)
    return redirect(then, booking.reference) if then == "desk:booking" else redirect(then)


def _refused(request: HttpRequest, booking: Booking, refused: lifecycle.Refused, now: dt.datetime) -> HttpResponse:
    """Why not, with the acts that help."""
    has_begun = booking.has_started(now) or booking.state == BookingState.IN_ROOM
    context = {
        **head(booking, now),
        "refusal": str(refused),
        "is_early": isinstance(refused, EARLY),
        "wants_answers": isinstance(refused, lifecycle.QuestionsFirst),
        "wants_guidance": isinstance(refused, lifecycle.GuidanceFirst),
        "wants_guardian": isinstance(refused, lifecycle.GuardianFirst),
        "wants_clinician": isinstance(refused, lifecycle.ClinicianFirst),
        "may_close": isinstance(refused, lifecycle.NotReady) and has_begun,
        "may": rights(request),
    }
    return render(request, "desk/refused.html", context, status=status_of(refused))


def form_shown(
    request: HttpRequest, template: str, booking: Booking, form: Form, now: dt.datetime, **more: Any
) -> HttpResponse:
    """A page with one form about one booking, as it is now."""
    context = {**head(booking, now), "form": form, "has_errors": form.is_bound, **more}
    return render(request, template, context, status=422 if form.is_bound else 200)


def typed(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: nothing before it was sent."""
    return request.POST if request.method == "POST" else None


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
