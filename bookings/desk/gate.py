"""Where the clinic asks for a second step, nothing of the desk opens without it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from bookings.desk.doors import user_of
from bookings.desk.idle import is_closed, sign_out_to_sign_in
from clinic import second_factor
from clinic.zones import policy_of

# What somebody needs to set the second step up.
OPEN_BEFORE = {"two_factor", "two_factor_codes", "two_factor_off"}
AGAIN = "Sign in again: the clinic now asks for a code from your phone."


class SecondFactorGate(MiddlewareMixin):
    """Middleware: who has no second step yet is led to setting it up; whose session skipped it signs in again."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not is_closed(view) or (match and match.view_name in OPEN_BEFORE):
            return None
        policy = policy_of(request) if request.user.is_authenticated else None
        if policy is None or policy.is_demo or not policy.requires_second_factor:
            return None
        user = user_of(request)
        if second_factor.has_passed(request, user):
            return None
        if second_factor.is_on(user):
            return sign_out_to_sign_in(request, AGAIN)
        return HttpResponseRedirect(f"{reverse('two_factor')}?{urlencode({'next': request.path}, safe='/')}")
