"""Somebody answers for a patient whose visit moved to a day on which they are under 18: the family says who."""

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from bookings import lifecycle
from bookings.forms.guardian import GuardianForm
from bookings.models import Booking
from bookings.models.event import Actor
from bookings.online import doors, visit


@require_http_methods(["GET", "HEAD", "POST"])
@visit.upcoming_page
def name(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """Only where nobody is named: a guardian is put right by phone. A second POST changes nothing."""
    if not lifecycle.lacks_guardian(booking):
        return doors.see_other("visit:show")
    form = GuardianForm(request.POST if request.method == "POST" else None, booking=booking)
    if not form.is_valid():
        data = visit.context(booking, now) | {"form": form, "has_errors": form.is_bound}
        return render(request, "visit/guardian.html", data, status=422 if form.is_bound else 200)
    try:
        lifecycle.name_guardian(booking, details=form.details, by=Actor.PATIENT, now=now)
    except lifecycle.ChangedSince:
        # Somebody was faster: the page of the visit says no more than that nothing is missing.
        return doors.see_other("visit:show")
    except lifecycle.NotUpcoming:
        return visit.over(request, booking, now)
    messages.success(request, f"Thank you. We have sent {form.details.name} a link to agree to the visit.")
    return doors.see_other("visit:show")
