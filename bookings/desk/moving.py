"""To another time, and to another service: through the same rules as for a patient, bent only with a reason."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import lifecycle
from bookings.desk import times
from bookings.desk.acting import booked, form_page, today
from bookings.desk.doors import changes_bookings, decides, user_of
from bookings.models import BookingState
from clinic import words
from clinic.models import Service


@never_cache
@form_page
@changes_bookings
def move(request: HttpRequest, reference: str) -> HttpResponse:
    """GET: times near the present one, and those of a chosen day. POST: move to the time that was pressed."""
    now = timezone.now()
    booking = booked(request, reference)
    asking = times.asking_for(request, booking, now)
    if request.method != "POST":
        return times.page(asking)
    form = times.pressed(request)
    if not form.is_valid():
        return times.page(asking, form=form)
    pressed = {name: form.cleaned_data[name] for name in ("start", "practitioner")}
    try:
        moved = lifecycle.reschedule(
            booking, **pressed, override=form.cleaned_data["reason"], by=user_of(request), now=now
        )
    except lifecycle.Refused as refused:
        return times.page(asking, refused=refused, form=form)
    when = words.when(moved.starts_at, moved.location.zone)
    is_decided = booking.state == BookingState.PENDING and moved.state == BookingState.CONFIRMED
    messages.success(request, f"Moved to {when}, and approved." if is_decided else f"Moved to {when}.")
    return redirect("desk:booking", booking.reference)


@never_cache
@form_page
@decides
def change_service(request: HttpRequest, reference: str) -> HttpResponse:
    """GET: choose a service, then one of its times. POST: that service at that time, which is an approval too."""
    now = timezone.now()
    booking = booked(request, reference)
    services = list(Service.objects.in_use(today(booking, now)).exclude(pk=booking.service_id))
    if not services:
        raise Http404("no other service")
    asking = times.asking_for_change(request, booking, services, now)
    if request.method != "POST":
        return times.page(asking)
    form = times.pressed(request)
    if not form.is_valid():
        return times.page(asking, form=form)
    try:
        changed = lifecycle.change_service(
            booking, service=asking.service, **form.cleaned_data, by=user_of(request), now=now
        )
    except lifecycle.Refused as refused:
        return times.page(asking, refused=refused, form=form)
    when = words.when(changed.starts_at, changed.location.zone)
    messages.success(request, f"Changed to {changed.service.title}, {when}. The patient gets an email.")
    return redirect("desk:booking", booking.reference)
