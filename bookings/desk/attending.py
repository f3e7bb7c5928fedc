"""The day of the visit at the desk: arrived, in the room, closed with its outcome, or not come."""

import dataclasses
import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_page, form_shown, today, typed
from bookings.desk.doors import changes_bookings, user_of
from bookings.desk.forms import CloseForm, MissForm
from bookings.models import Booking, BookingState
from bookings.models.states import UNDER_WAY, UPCOMING

# In the order of the day: what happens next, by the state a visit is in.
NEXT = {
    BookingState.CONFIRMED: "arrive",
    BookingState.ARRIVED: "enter_room",
    BookingState.IN_ROOM: "close",
}


@dataclasses.dataclass(frozen=True)
class Acts:
    """What may be done to a visit now; ``next`` is the one act that the day waits for, or ""."""

    next: str
    change: bool
    ask: bool
    close: bool
    miss: bool
    cancel: bool


def is_open(booking: Booking) -> bool:
    """Still to come, or under way."""
    return booking.state in UPCOMING | UNDER_WAY


def acts_for(booking: Booking, now: dt.datetime) -> Acts:
    has_started = booking.has_started(now)
    is_confirmed = booking.state == BookingState.CONFIRMED
    is_its_day = booking.local_date <= today(booking, now)
    next_act = NEXT.get(BookingState(booking.state), "")
    return Acts(
        next="" if is_confirmed and not is_its_day else next_act,
        change=booking.is_upcoming and not has_started,
        ask=is_open(booking),
        close=has_started and next_act in {"arrive", "enter_room"},
        miss=has_started and is_confirmed,
        cancel=booking.is_upcoming and not has_started,
    )


@never_cache
@require_POST
@changes_bookings
def arrive(request: HttpRequest, reference: str) -> HttpResponse:
    """The patient is here."""
    booking = booked(request, reference)

    def verb() -> Booking:
        return lifecycle.arrive(booking, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "Arrived.")


@never_cache
@require_POST
@changes_bookings
def enter_room(request: HttpRequest, reference: str) -> HttpResponse:
    """Treatment begins: not before the questions are answered and a guardian has agreed."""
    booking = booked(request, reference)

    def verb() -> Booking:
        return lifecycle.enter_room(booking, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "In the room.")


@never_cache
@form_page
@changes_bookings
def miss(request: HttpRequest, reference: str) -> HttpResponse:
    """The patient did not come."""
    now = timezone.now()
    booking = booked(request, reference)
    if request.method != "POST":
        return form_shown(request, "desk/miss.html", booking, MissForm(), now)

    def verb() -> Booking:
        return lifecycle.miss(booking, by=user_of(request), now=now)

    return done(request, booking, verb, "Marked as a no-show.")


@never_cache
@form_page
@changes_bookings
def close(request: HttpRequest, reference: str) -> HttpResponse:
    """How the visit ended, and which areas were treated: aftercare starts from that."""
    now = timezone.now()
    booking = booked(request, reference)
    form = CloseForm(typed(request), booking=booking)
    if not form.is_valid():
        return form_shown(request, "desk/close.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.complete(booking, **form.closed, by=user_of(request), now=now)

    return done(request, booking, verb, "Closed.")
