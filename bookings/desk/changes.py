"""What staff may do to a booking, through the same verbs as a patient. Moving stands in ``moving``."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_again, form_page, form_shown, typed
from bookings.desk.doors import changes_bookings, changes_patients, key_of, user_of
from bookings.desk.forms import CancelForm, EmailForm
from bookings.models import Booking


@never_cache
@form_page
@changes_bookings
@changes_patients
def correct_email(request: HttpRequest, reference: str) -> HttpResponse:
    """Put the address right; what is still to come is confirmed again, and earlier links stop working."""
    now = timezone.now()
    booking = booked(request, reference)
    form = EmailForm(typed(request), initial={"email": booking.reader[1]})
    if not form.is_valid():
        return form_shown(request, "desk/correct_email.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.correct_email(booking, email=form.cleaned_data["email"], by=user_of(request), now=now)

    again = " The confirmation is on its way again." if booking.is_upcoming else ""
    return done(request, booking, verb, f"The address is right now.{again}")


@never_cache
@require_POST
@changes_bookings
def resend(request: HttpRequest, reference: str) -> HttpResponse:
    """Send the confirmation once more, to the same address. ``seen`` is the newest one that the page knew of."""
    booking = booked(request, reference)
    seen = request.POST.get("seen", "")

    def verb() -> object:
        return lifecycle.resend(booking, seen=key_of(seen), by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "The confirmation is on its way again.")


@never_cache
@form_page
@changes_bookings
def cancel(request: HttpRequest, reference: str) -> HttpResponse:
    """Cancel with a reason, for the patient or as the clinic's own doing. Cancelling twice changes nothing."""
    now = timezone.now()
    booking = booked(request, reference)
    form = CancelForm(typed(request), booking=booking, now=now)
    if not form.is_valid():
        return form_shown(request, "desk/cancel.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.cancel(booking, **form.said, by=user_of(request), now=now)

    def again(refused: lifecycle.Refused) -> HttpResponse:
        return form_again(request, "desk/cancel.html", booking, form, refused, now)

    told = "The patient gets an email." if form.said["notify"] else "No email was sent."
    return done(request, booking, verb, f"Cancelled. {told}", again=again)
