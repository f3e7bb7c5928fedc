"""The advice on not squeezing was read here, on the phone or on paper: one press."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import after, booked, done
from bookings.desk.doors import changes_bookings, user_of
from bookings.models import Booking, ConsentWay

WAYS = frozenset({ConsentWay.SPOKEN, ConsentWay.PHONE, ConsentWay.PAPER})


@never_cache
@require_POST
@changes_bookings
def guidance_read(request: HttpRequest, reference: str) -> HttpResponse:
    """Who presses has read it with the patient."""
    booking = booked(request, reference)
    way = request.POST.get("way", "")
    if way not in WAYS:
        return HttpResponseBadRequest()

    def verb() -> Booking:
        return lifecycle.record_guidance(booking, way=ConsentWay(way), by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "Written down: the advice was read.", then=after(request, booking))
