"""What every public page stands on: the clinic or "we are setting up", what is a draft, and where a look is booked."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import guidance
from clinic.guidance import Advice
from clinic.models import Clinic, Location, Service, Source

RED_FLAGS = "red-flags"

View = Callable[..., HttpResponse]


class Signable(Protocol):
    """A text, question or rule as shown."""

    @property
    def is_signed(self) -> bool: ...


@dataclass(frozen=True)
class Cards:
    """The warning signs by how fast to act."""

    emergency: list[Advice]
    today: list[Advice]
    others: list[Advice]


def public(view: View) -> View:
    """A page anyone may read once the clinic has its row and its content; until then it says we are setting up."""

    def shown(request: HttpRequest, **named: str) -> HttpResponse:
        clinic = Clinic.objects.first()
        try:
            return view(request, clinic, **named) if clinic else not_set_up(request)
        except ObjectDoesNotExist:
            # The fixed texts are asked for by code: one that is missing means that no content was loaded yet.
            return not_set_up(request)

    return login_not_required(require_safe(shown))


def not_set_up(request: HttpRequest) -> HttpResponse:
    return render(request, "clinic/not_set_up.html")


def page(
    request: HttpRequest, template: str, clinic: Clinic, *, shown: Iterable[Signable] = (), **context: Any
) -> HttpResponse:
    """Render ``template``; ``shown`` is all advice on it, which decides whether it is marked as a draft."""
    red_flags = guidance.red_flags(clinic)
    return render(
        request,
        template,
        {
            "clinic": clinic,
            "red_flags": red_flags,
            "is_draft": any(not text.is_signed for text in [*shown, *red_flags]),
            "canonical": settings.SITE_URL + request.path,
            **context,
        },
    )


def locations(now: dt.datetime) -> list[Location]:
    """The houses in use today, each by its own calendar."""
    return [
        place
        for place in Location.objects.all()
        if place.retired_on is None or place.retired_on > now.astimezone(place.zone).date()
    ]


def local_date(places: list[Location], now: dt.datetime) -> dt.date:
    """Today where the clinic is."""
    return now.astimezone(places[0].zone if places else dt.UTC).date()


def skin_check(now: dt.datetime) -> Service | None:
    """The visit at which a clinician looks first; None where the clinic does not offer it."""
    return Service.objects.in_use(local_date(locations(now), now)).filter(slug="consult").first()


def cards(items: Iterable[Advice]) -> Cards:
    """A warning sign opens in bold with what to do: call the emergency number, or get help today."""
    signs = list(items)
    emergency = [item for item in signs if item.text.startswith("**Call")]
    today = [item for item in signs if item.text.startswith("**") and item not in emergency]
    return Cards(emergency, today, [item for item in signs if not item.text.startswith("**")])


def sources_behind(items: Iterable[Advice]) -> list[Source]:
    return list(Source.objects.filter(items__code__in=[item.code for item in items]).distinct())
