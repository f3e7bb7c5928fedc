"""Who answers for a young patient: named, or heard, at the desk."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_page, form_shown, typed
from bookings.desk.doors import changes_bookings, user_of
from bookings.desk.forms import GuardianForm


@never_cache
@require_POST
@changes_bookings
def agreed(request: HttpRequest, reference: str) -> HttpResponse:
    """They stand here and agree."""
    booking = booked(request, reference)
    guardian = getattr(booking, "guardian", None)
    if guardian is None:
        raise Http404("nobody is named")

    def verb() -> object:
        return lifecycle.agree(guardian, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, f"{guardian.name} has agreed.")


@never_cache
@form_page
@changes_bookings
def name(request: HttpRequest, reference: str) -> HttpResponse:
    """For a visit that was booked without one, such as by phone."""
    now = timezone.now()
    booking = booked(request, reference)
    form = GuardianForm(typed(request), country=booking.location.clinic.country)
    if not form.is_valid():
        return form_shown(request, "desk/guardian.html", booking, form, now)

    def verb() -> object:
        return lifecycle.name_guardian(booking, details=form.details, by=user_of(request), now=now)

    return done(request, booking, verb, f"{form.details.name} is named. Ask whether they agree.")
