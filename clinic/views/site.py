"""What stands beside the content: privacy, light or dark, the pulse of the process, and refusals in our own words."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_POST, require_safe

from clinic.models import Clinic
from clinic.views.pages import page, public

THEMES = ("light", "dark")
ONE_YEAR = dt.timedelta(days=365)


@public
def privacy(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    return page(request, "clinic/privacy.html", clinic)


@login_not_required
@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep light or dark in a cookie, or forget it for "as on my device"; then back to where the reader was."""
    answer = redirect(way_back(request))
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        answer.delete_cookie("theme", samesite="Lax")
        return answer
    answer.set_cookie(
        "theme", theme, max_age=ONE_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return answer


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; whether the database does too is for ``readyz``."""
    return HttpResponse("ok", content_type="text/plain")


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token, most often a page left open too long: kind words, and nothing was sent."""
    return render(request, "403_csrf.html", status=403)


@never_cache
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What cannot be read, and what is too large to be."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return defaults.bad_request(request, exception)


# A refusal may show who is signed in: no cache keeps it.
forbidden = never_cache(defaults.permission_denied)
not_found = never_cache(defaults.page_not_found)


def way_back(request: HttpRequest) -> str:
    """The page of ours that ``next`` names, else the front page."""
    asked = request.POST.get("next", "")
    is_ours = asked.startswith("/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_ours else reverse("home")
