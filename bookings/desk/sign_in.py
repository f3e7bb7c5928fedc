"""The one door for staff, with a limit on how often it may be tried."""

import datetime as dt
import unicodedata
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from bookings import access, limits
from bookings.desk.second_factor import ask_for_code
from clinic import second_factor

TRIES = 10
WINDOW = dt.timedelta(minutes=10)
FOUND = 302


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "That user name and password do not match. Both are case-sensitive.",
        "inactive": "This account is closed. Ask your manager.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout("username", "password", Submit("sign_in", "Sign in"))


class SignIn(LoginView):
    """Ten wrong tries in ten minutes, from one address or for one account, shut the door until the time is over.

    A try is counted before the password is looked at, so that many at once are counted too. The right password gives
    its own try back: a whole team may start its day behind one address.
    """

    template_name = "desk/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = timezone.now()
        allowed = [limits.allow(*who, limit=TRIES, window=WINDOW, now=now) for who in _counted(request)]
        if not all(allowed):
            return _too_many_tries(request)
        answer = super().post(request, *args, **kwargs)
        if answer.status_code == FOUND:
            for who in _counted(request):
                limits.give_back(*who, window=WINDOW, now=now)
        return answer

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Who has a second step is not in yet."""
        user = form.get_user()
        if isinstance(user, User) and second_factor.is_on(user):
            return ask_for_code(self.request, user, onward=self.get_success_url(), now=timezone.now())
        return super().form_valid(form)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        found = super().get_context_data(**context)
        return {**found, "has_errors": bool(found["form"].errors)}


sign_in = SignIn.as_view()


def _counted(request: HttpRequest) -> list[tuple[str, str]]:
    """What tries are counted by. The form reads a name in its NFKC shape; in any case of letters it is one count."""
    username = unicodedata.normalize("NFKC", request.POST.get("username", "")).strip().casefold()
    address = ("sign-in address", access.client_address(request))
    return [address, ("sign-in account", username)] if username else [address]


def _too_many_tries(request: HttpRequest) -> HttpResponse:
    answer = render(request, "desk/too_many_tries.html", status=429)
    answer.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
    return answer
