"""To another time, and to another service: through the same rules as for a patient, bent only with a reason."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import lifecycle
from bookings.desk import times, undo
from bookings.desk.acting import booked, form_page, today
from bookings.desk.doors import changes_bookings, decides, user_of
from bookings.models import Booking, BookingState
from clinic import words
from clinic.models import Service


@never_cache
@form_page
@changes_bookings
def move(request: HttpRequest, reference: str) -> HttpResponse:
    """GET: times near the present one, and those of a chosen day. POST: move to the time that was pressed.

    Another day is looked at by POST too: then what was typed stays, and out of the address.
    """
    now = timezone.now()
    booking = booked(request, reference)
    asking = times.asking_for(request, booking, now)
    if request.method != "POST" or times.LOOK in request.POST:
        return times.page(asking)
    form = times.pressed_to_move(request)
    if not form.is_valid():
        return times.page(asking, form=form)
    pressed = {name: form.cleaned_data[name] for name in ("start", "practitioner", "seen", "notify")}
    reasons = lifecycle.Reasons(findings=form.cleaned_data["reason"], time=form.why_then)
    try:
        moved = lifecycle.reschedule(booking, **pressed, override=reasons, by=user_of(request), now=now)
    except lifecycle.Refused as refused:
        return times.page(asking, refused=refused, form=form)
    if moved.sequence != booking.sequence:
        told = "" if form.cleaned_data["notify"] else " No email was sent."
        undo.offer(request, moved, f"{_done(booking, moved)}. {undo.standing(moved)}{told}")
    return redirect("desk:booking", booking.reference)


def _done(booking: Booking, moved: Booking) -> str:
    """A reason may have approved it; where nobody has to look at the new time, it is simply booked."""
    if booking.state != BookingState.PENDING or moved.state != BookingState.CONFIRMED:
        return "Moved"
    return "Moved and approved" if moved.approved_at != booking.approved_at else "Moved and booked"


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
