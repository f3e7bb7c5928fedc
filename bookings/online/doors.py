"""What the patient's pages share: open to all, never cached, never more often than a person would."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache

from bookings import access, limits
from clinic import readiness
from clinic.models import Clinic, Location, Question

View = Callable[..., HttpResponse]

WINDOW = dt.timedelta(minutes=10)
# Many patients may share one address (a phone network, a waiting room), so an address may do far more than a browser.
PER_ADDRESS = 600
PER_VISITOR = 60
# What the page says: two minutes.
WAIT_SECONDS = "120"
# Of times that were really kept: nobody empties a diary from one address.
HOLDS_PER_ADDRESS = 60


class SeeOther(HttpResponseRedirect):
    """The answer to a POST that worked: look there."""

    status_code = 303


def see_other(to: str, *args: Any) -> HttpResponse:
    return SeeOther(resolve_url(to, *args))


def patient_page(view: View) -> View:
    """Open to everyone and kept by no cache. Its addresses hold no secret, and only this site learns them.

    The policy that keeps them is the site's own, same-origin: under no-referrer a browser posts with ``Origin: null``,
    and every form of the page would be refused.
    """
    return login_not_required(never_cache(view))


def booking_open(view: View) -> View:
    """Hand the clinic to the view; one that is paused, not set up or not signed off shows how to phone instead."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        clinic = Clinic.objects.first()
        if clinic is None or not readiness.is_open_for_booking(clinic) or not is_set_up():
            return closed(request)
        return view(request, clinic, *args, **kwargs)

    return wrapped


def is_set_up() -> bool:
    """There is a place to go to, and the question that must come first."""
    return Location.objects.exists() and Question.objects.filter(code="Q1").exists()


def closed(request: HttpRequest) -> HttpResponse:
    """Online booking is paused, or there is no clinic yet."""
    return render(request, "booking/closed.html", status=503 if request.method == "POST" else 200)


def is_too_often(request: HttpRequest, action: str, now: dt.datetime) -> bool:
    """Count this attempt for the address and, when there is one, for the browser."""
    window: dict[str, Any] = {"window": WINDOW, "now": now}
    visitor = access.known_visitor(request)
    if visitor and not limits.allow(f"{action} visitor", visitor, limit=PER_VISITOR, **window):
        return True
    address = access.client_address(request)
    if access.is_own_machine(address):
        return False
    return not limits.allow(f"{action} address", address, limit=PER_ADDRESS, **window)


def holds_too_much(request: HttpRequest, now: dt.datetime) -> bool:
    """Whether this address kept as many times as one may. Refusals do not count: losing a race is no offence."""
    address = access.client_address(request)
    if access.is_own_machine(address):
        return False
    return limits.is_spent("kept times", address, limit=HOLDS_PER_ADDRESS, window=WINDOW, now=now)


def count_hold(request: HttpRequest, now: dt.datetime) -> None:
    limits.allow("kept times", access.client_address(request), limit=HOLDS_PER_ADDRESS, window=WINDOW, now=now)


def too_often(request: HttpRequest) -> HttpResponse:
    answer = render(request, "429.html", status=429)
    answer.headers["Retry-After"] = WAIT_SECONDS
    return answer
