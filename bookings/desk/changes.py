"""What staff may do to a booking, through the same verbs as a patient. Moving stands in ``moving``."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_page, form_shown, typed
from bookings.desk.doors import changes_bookings, user_of
from bookings.desk.forms import CancelForm, EmailForm
from bookings.models import Booking


@never_cache
@form_page
@changes_bookings
def correct_email(request: HttpRequest, reference: str) -> HttpResponse:
    """Put the address right; the confirmation goes out again and earlier links stop working."""
    now = timezone.now()
    booking = booked(request, reference)
    form = EmailForm(typed(request), initial={"email": booking.patient and booking.patient.email})
    if not form.is_valid():
        return form_shown(request, "desk/correct_email.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.correct_email(booking, email=form.cleaned_data["email"], by=user_of(request), now=now)

    return done(request, booking, verb, "The address is right now. The confirmation is on its way again.")


@never_cache
@require_POST
@changes_bookings
def resend(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the confirmation once more, to the same address."""
    booking = booked(request, reference)

    def verb() -> object:
        return lifecycle.resend(booking, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "The confirmation is on its way again.")


@never_cache
@form_page
@changes_bookings
def cancel(request: HttpRequest, reference: str) -> HttpResponse:
    """Cancel with a reason. Cancelling twice changes nothing."""
    now = timezone.now()
    booking = booked(request, reference)
    form = CancelForm(typed(request))
    if not form.is_valid():
        return form_shown(request, "desk/cancel.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.cancel(booking, reason=form.cleaned_data["reason"], by=user_of(request), now=now)

    return done(request, booking, verb, "Cancelled. The patient gets an email.")
