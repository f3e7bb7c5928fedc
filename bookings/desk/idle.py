"""Somebody who walked away is signed out: a board that keeps itself fresh is no use of it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from bookings.desk.last_use import LAST_USE, start
from clinic.zones import policy_of

# What a page sends along when it asks by itself and nobody pressed anything.
BY_ITSELF = "live"


class IdleSignOut(MiddlewareMixin):
    """Middleware: the clock of last use stands in the session and is written once a minute at most."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not is_closed(view) or not request.user.is_authenticated:
            return None
        policy = policy_of(request)
        minutes = policy.idle_minutes if policy else 30
        now, last = timezone.now().timestamp(), request.session.get(LAST_USE)
        if last is None:
            start(request)
            return None
        if now - last >= minutes * 60:
            return _signed_out(request, minutes)
        # A thirtieth of the time: a minute of half an hour.
        if BY_ITSELF not in request.GET and now - last >= minutes * 2:
            start(request)
        return None


def is_closed(view: Callable[..., HttpResponse]) -> bool:
    """Whether a view asks who you are. Django's middleware reads the same mark."""
    return bool(getattr(view, "login_required", True))


def sign_out_to_sign_in(request: HttpRequest, said: str) -> HttpResponse:
    """To the sign-in page with a sentence, and from there back to where somebody was."""
    where = _where(request)
    logout(request)
    messages.info(request, said)
    to = f"{reverse('sign_in')}?{urlencode({'next': where}, safe='/')}"
    return HttpResponseClientRedirect(to) if _is_part_of_page(request) else HttpResponseRedirect(to)


def _signed_out(request: HttpRequest, minutes: int) -> HttpResponse:
    length = "1 minute" if minutes == 1 else f"{minutes} minutes"
    return sign_out_to_sign_in(request, f"You were signed out after {length} without use.")


def _is_part_of_page(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _where(request: HttpRequest) -> str:
    """The page somebody looks at: an act is not repeated, and a part of a page is not a page."""
    if request.method in {"GET", "HEAD"} and not _is_part_of_page(request):
        return request.get_full_path()
    came_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}):
        return reverse("desk:day")
    parts = urlsplit(came_from)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
