"""A second step of signing in: its code at the door, and each person's own page to turn it on and off."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from bookings import limits
from bookings.desk.acting import form_page, typed
from bookings.desk.doors import user_of
from bookings.desk.second_factor_forms import WRONG_CODE, CodeForm, PasswordForm, SetUpForm, sealed, unsealed
from clinic import audit, second_factor
from clinic.zones import policy_of

PENDING = "signing_in"
PENDING_LIVES = dt.timedelta(minutes=10)
BACKEND = "django.contrib.auth.backends.ModelBackend"
TRIES = 5
WINDOW = dt.timedelta(minutes=5)
QUIET_ZONE = 4


def ask_for_code(request: HttpRequest, user: User, *, onward: str, now: dt.datetime) -> HttpResponse:
    """The password was right. Nobody is signed in yet: the session only remembers who is on the way in."""
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": now.timestamp(),
        "onward": onward,
    }
    return redirect("sign_in_code")


@login_not_required
@never_cache
@form_page
def code(request: HttpRequest) -> HttpResponse:
    """The second step."""
    now = timezone.now()
    user = _on_the_way_in(request, now)
    if user is None:
        return redirect("sign_in")
    form = CodeForm(typed(request))
    if not form.is_valid():
        return _page(request, "desk/sign_in_code.html", form)
    if not may_try(user, now):
        return too_many(request)
    if not second_factor.accepts(user, form.cleaned_data["code"]):
        form.add_error("code", WRONG_CODE)
        return _page(request, "desk/sign_in_code.html", form)
    was_right(user, now)
    onward = request.session.pop(PENDING)["onward"]
    login(request, user, backend=BACKEND)
    second_factor.mark(request, user)
    return redirect(onward)


@never_cache
@form_page
def two_factor(request: HttpRequest) -> HttpResponse:
    """On or off; while it is off, the page is where it is turned on."""
    now, user = timezone.now(), user_of(request)
    if is_demo(request) or second_factor.is_on(user):
        left = second_factor.spare_codes_left(user)
        context = {"is_demo": is_demo(request), "is_on": second_factor.is_on(user), "left": left}
        return render(request, "desk/two_factor.html", context)
    form = SetUpForm(typed(request), initial={"secret": sealed(user)})
    secret = unsealed(user, str(form["secret"].value()))
    if secret is None:
        messages.warning(request, "This page was open for too long. Scan the new picture.")
        return redirect("two_factor")
    if not form.is_valid():
        return _set_up(request, form, secret)
    if not may_try(user, now):
        return too_many(request)
    return _turn_on(request, form, secret, now)


@never_cache
@form_page
def turn_off(request: HttpRequest) -> HttpResponse:
    def act(user: User, now: dt.datetime) -> HttpResponse:
        with transaction.atomic():
            if second_factor.turn_off(user):
                audit.record("second factor off", user, by=user, now=now)
        messages.success(request, "Turned off. From now on your password is enough.")
        return redirect("two_factor")

    return _with_password(request, "desk/two_factor_off.html", "Turn off", act)


@never_cache
@form_page
def new_codes(request: HttpRequest) -> HttpResponse:
    """Ten new spare codes instead of those that are left."""

    def act(user: User, now: dt.datetime) -> HttpResponse:
        with transaction.atomic():
            codes = second_factor.renew_spare_codes(user)
            audit.record("spare codes renewed", user, by=user, now=now)
        return _codes(request, codes, user)

    return _with_password(request, "desk/two_factor_codes.html", "Make new codes", act)


def _with_password(
    request: HttpRequest, template: str, button: str, act: Callable[[User, dt.datetime], HttpResponse]
) -> HttpResponse:
    """Ask for the password, then act. Wrong passwords are counted like wrong codes."""
    now, user = timezone.now(), user_of(request)
    if not second_factor.is_on(user):
        return redirect("two_factor")
    form = PasswordForm(typed(request), button=button, user=user)
    if form.is_bound and not may_try(user, now):
        return too_many(request)
    if not form.is_valid():
        return _page(request, template, form)
    was_right(user, now)
    return act(user, now)


def _turn_on(request: HttpRequest, form: SetUpForm, secret: str, now: dt.datetime) -> HttpResponse:
    user = user_of(request)
    try:
        with transaction.atomic():
            codes = second_factor.turn_on(user, secret=secret, code=form.cleaned_data["code"])
            audit.record("second factor on", user, by=user, now=now)
    except second_factor.WrongCode:
        form.add_error("code", WRONG_CODE)
        return _set_up(request, form, secret)
    except second_factor.IsOn:
        return redirect("two_factor")
    was_right(user, now)
    request.session.cycle_key()
    second_factor.mark(request, user)
    return _codes(request, codes, user)


def _set_up(request: HttpRequest, form: SetUpForm, secret: str) -> HttpResponse:
    policy = policy_of(request)
    more = {
        "secret": second_factor.readable(secret),
        "picture": picture(_address(user_of(request), secret, policy.name if policy else "Clinic")),
        "is_required": bool(policy and policy.requires_second_factor),
        "onward": _onward(request),
    }
    return _page(request, "desk/two_factor_set_up.html", form, **more)


def _codes(request: HttpRequest, codes: list[str], user: User) -> HttpResponse:
    """Shown in the answer itself, and nowhere else again."""
    return render(request, "desk/two_factor_done.html", {"codes": codes, "onward": _onward(request), "owner": user})


def _page(request: HttpRequest, template: str, form: Any, **more: Any) -> HttpResponse:
    context = {"form": form, "has_errors": bool(form.errors), **more}
    return render(request, template, context, status=422 if form.errors else 200)


def picture(text: str) -> dict[str, Any]:
    """A QR code as one path on a square of ``size`` units."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=QUIET_ZONE)]
    dots = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark]
    return {"size": len(rows), "path": "".join(dots)}


def _address(user: User, secret: str, clinic: str) -> str:
    """As authenticator apps read it: who, where, and the secret."""
    key = second_factor.readable(secret).replace(" ", "")
    named = quote(f"{clinic}:{user.get_username()}")
    return f"otpauth://totp/{named}?{urlencode({'secret': key, 'issuer': clinic}, quote_via=quote)}"


def _on_the_way_in(request: HttpRequest, now: dt.datetime) -> User | None:
    """Who typed a right password in this browser within ten minutes, and has not changed it since."""
    pending = request.session.get(PENDING)
    if not pending or now.timestamp() - pending["at"] > PENDING_LIVES.total_seconds():
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), pending["hash"]):
        return None
    return user


def _onward(request: HttpRequest) -> str:
    """Where somebody was going when they were led here."""
    onward = request.GET.get("next", "")
    return onward if url_has_allowed_host_and_scheme(onward, {request.get_host()}) else ""


def is_demo(request: HttpRequest) -> bool:
    policy = policy_of(request)
    return bool(policy and policy.is_demo)


def may_try(user: User, now: dt.datetime) -> bool:
    return limits.allow("second factor", str(user.pk), limit=TRIES, window=WINDOW, now=now)


def was_right(user: User, now: dt.datetime) -> None:
    limits.give_back("second factor", str(user.pk), window=WINDOW, now=now)


def too_many(request: HttpRequest) -> HttpResponse:
    minutes = int(WINDOW.total_seconds()) // 60
    answer = render(request, "desk/too_many_tries.html", {"minutes": minutes, "is_code": True}, status=429)
    answer.headers["Retry-After"] = str(minutes * 60)
    return answer
