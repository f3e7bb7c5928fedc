"""The day of the visit at the desk: arrived, in the room, closed with its outcome, or not come."""

import dataclasses
import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_again, form_page, form_shown, today, typed
from bookings.desk.doors import changes_bookings, user_of
from bookings.desk.forms import CloseForm, MissForm
from bookings.models import Booking, BookingState
from bookings.models.states import UNDER_WAY, UPCOMING

MY_DAY = "my_day"
# In the order of the day: what happens next, by the state a visit is in.
NEXT = {
    BookingState.CONFIRMED: "arrive",
    BookingState.ARRIVED: "enter_room",
    BookingState.IN_ROOM: "close",
}


@dataclasses.dataclass(frozen=True)
class Acts:
    """What may be done to a visit now; ``next`` is the one act that the day waits for, or "".

    ``again`` is to book the same anew for somebody whose visit did not take place.
    """

    next: str
    change: bool
    move: bool
    ask: bool
    close: bool
    miss: bool
    cancel: bool
    late: bool
    pay: bool
    unmiss: bool
    reopen: bool
    again: bool
    # The state that a wrong tap goes back to, in words, or "".
    back: str


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
        move=booking.is_waited_for(now),
        ask=is_open(booking),
        close=has_started and next_act in {"arrive", "enter_room"},
        miss=has_started and is_confirmed,
        cancel=booking.is_waited_for(now),
        late=is_confirmed and booking.local_date == today(booking, now),
        pay=booking.state in lifecycle.PAYABLE and is_its_day,
        unmiss=booking.state == BookingState.MISSED and lifecycle.is_missed_today(booking, now),
        reopen=booking.state == BookingState.COMPLETED and lifecycle.is_closed_today(booking, now),
        again=booking.state in {BookingState.MISSED, BookingState.CANCELLED},
        back=_before(booking),
    )


def _before(booking: Booking) -> str:
    back = lifecycle.STEPS_BACK.get(BookingState(booking.state))
    return back.label.lower() if back else ""


def _where(request: HttpRequest, booking: Booking) -> str:
    """Whoever came from "my day" goes on there."""
    if not _is_from_my_day(request):
        return "desk:booking"
    return f"{reverse('desk:my_day')}?{urlencode({'with': booking.practitioner.slug})}"


def _is_from_my_day(request: HttpRequest) -> bool:
    """A button says so in what it sends, the page of a form in its address."""
    return MY_DAY in {request.POST.get("then"), request.GET.get("then")}


def _crumb(request: HttpRequest, booking: Booking) -> dict[str, str]:
    return {"my_day": _my_day(request, booking)}


def _my_day(request: HttpRequest, booking: Booking) -> str:
    return _where(request, booking) if _is_from_my_day(request) else ""


@never_cache
@require_POST
@changes_bookings
def arrive(request: HttpRequest, reference: str) -> HttpResponse:
    """The patient is here."""
    booking = booked(request, reference)

    def verb() -> Booking:
        return lifecycle.arrive(booking, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "Arrived.", then=_where(request, booking), my_day=_my_day(request, booking))


@never_cache
@require_POST
@changes_bookings
def enter_room(request: HttpRequest, reference: str) -> HttpResponse:
    """Treatment begins, unless something has to come first: then the page that says so helps with it."""
    booking = booked(request, reference)

    def verb() -> Booking:
        return lifecycle.enter_room(booking, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, "In the room.", then=_where(request, booking), my_day=_my_day(request, booking))


@never_cache
@form_page
@changes_bookings
def miss(request: HttpRequest, reference: str) -> HttpResponse:
    """The patient did not come."""
    now = timezone.now()
    booking = booked(request, reference)
    if request.method != "POST":
        return form_shown(request, "desk/miss.html", booking, MissForm(), now, **_crumb(request, booking))

    def verb() -> Booking:
        return lifecycle.miss(booking, by=user_of(request), now=now)

    return done(
        request, booking, verb, "Marked as a no-show.", then=_where(request, booking), my_day=_my_day(request, booking)
    )


@never_cache
@form_page
@changes_bookings
def close(request: HttpRequest, reference: str) -> HttpResponse:
    """How the visit ended, and which areas were treated: aftercare starts from that."""
    now = timezone.now()
    booking = booked(request, reference)
    form = CloseForm(typed(request), booking=booking, initial=_ticked(request.GET))
    if not form.is_valid():
        return form_shown(request, "desk/close.html", booking, form, now, **_crumb(request, booking))

    def verb() -> Booking:
        return lifecycle.complete(booking, **form.closed, by=user_of(request), now=now)

    def again(refused: lifecycle.Refused) -> HttpResponse:
        more = {"close_with": _closing(request), **_crumb(request, booking)}
        return form_again(request, "desk/close.html", booking, form, refused, now, **more)

    return done(request, booking, verb, "Closed.", then=_where(request, booking), again=again)


def _closing(request: HttpRequest) -> str:
    """The query that brings this form back as it was ticked, once what has to come first is done."""
    query = QueryDict(mutable=True)
    for name in ("outcome", "areas"):
        query.setlist(name, request.POST.getlist(name))
    if _is_from_my_day(request):
        query["then"] = MY_DAY
    return query.urlencode()


def _ticked(query: QueryDict) -> dict[str, Any]:
    """What was ticked before; without it the form is as it always begins."""
    return {"outcome": query["outcome"], "areas": query.getlist("areas")} if "outcome" in query else {}
