"""Type-ahead over patients: a few rows in one query, for a page or a part of one."""

import dataclasses

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk.doors import patients_for, sees_patients, user_of
from bookings.models import Patient

FEWEST_LETTERS, MOST_ROWS = 2, 8


@dataclasses.dataclass(frozen=True)
class Matches:
    """Whom ``text`` may mean. ``is_short`` asks for more letters, ``has_more`` for a narrower word."""

    text: str
    people: list[Patient]
    is_short: bool
    has_more: bool


def matches(text: str, user: User) -> Matches:
    """Among those whom ``user`` may see."""
    text = " ".join(text.split())[:120]
    if len(text) < FEWEST_LETTERS:
        return Matches(text, [], is_short=True, has_more=False)
    found = list(patients_for(user).matching(text).order_by("name", "id")[: MOST_ROWS + 1])
    return Matches(text, found[:MOST_ROWS], is_short=False, has_more=len(found) > MOST_ROWS)


@never_cache
@require_safe
@sees_patients
def find_patients(request: HttpRequest) -> HttpResponse:
    """A part of a page; without JavaScript the page that asks shows the same."""
    found = matches(request.GET.get("q", ""), user_of(request))
    return render(request, "desk/found_patients.html", {"matches": found})
