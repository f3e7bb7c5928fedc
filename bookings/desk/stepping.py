"""A step of the day is taken back, a patient says that they are late, and notes are written down."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_page, form_shown, typed
from bookings.desk.doors import changes_bookings, user_of
from bookings.desk.visit_forms import NOT_LATE, LateForm, NoteForm, StepBackForm
from bookings.models import Booking, BookingState


@never_cache
@require_POST
@changes_bookings
def unmiss(request: HttpRequest, reference: str) -> HttpResponse:
    """They came after all."""
    return _taken_back(request, reference, lifecycle.unmiss, "Booked again, as before.")


@never_cache
@require_POST
@changes_bookings
def reopen(request: HttpRequest, reference: str) -> HttpResponse:
    """The visit was closed too soon, or wrongly."""
    return _taken_back(request, reference, lifecycle.reopen, "Open again, in the room.")


def _taken_back(request: HttpRequest, reference: str, verb: Callable[..., Booking], said: str) -> HttpResponse:
    booking = booked(request, reference)

    def act() -> Booking:
        return verb(booking, by=user_of(request), now=timezone.now())

    return done(request, booking, act, said)


@never_cache
@require_POST
@changes_bookings
def step_back(request: HttpRequest, reference: str) -> HttpResponse:
    """After a wrong tap. ``seen`` is the state that the button stood beside, so that a second press does no more."""
    booking = booked(request, reference)
    form = StepBackForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else BookingState(booking.state)

    def verb() -> Booking:
        return lifecycle.step_back(booking, seen=seen, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "Taken back.")


@never_cache
@form_page
@changes_bookings
def late(request: HttpRequest, reference: str) -> HttpResponse:
    """The patient phoned: they will be late, or not late any more."""
    now = timezone.now()
    booking = booked(request, reference)
    form = LateForm(typed(request), initial={"late": booking.late_minutes or NOT_LATE})
    if not form.is_valid():
        return form_shown(request, "desk/late.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.running_late(booking, minutes=form.minutes, by=user_of(request), now=now)

    said = f"Running late: {form.minutes} min." if form.minutes else "Not late any more."
    return done(request, booking, verb, said)


@never_cache
@form_page
@changes_bookings
def note(request: HttpRequest, reference: str) -> HttpResponse:
    """Write something down about the visit, for staff."""
    now = timezone.now()
    booking = booked(request, reference)
    form = NoteForm(typed(request))
    if not form.is_valid():
        return form_shown(request, "desk/note.html", booking, form, now)

    def verb() -> object:
        return lifecycle.add_visit_note(booking, text=form.cleaned_data["text"], by=user_of(request), now=now)

    return done(request, booking, verb, "Written down.")
