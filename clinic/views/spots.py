"""Which spot is it? Five pictures, and for each an answer: leave it alone, a visit, a clinician first, or a doctor.

``spots.json`` says what belongs to a spot; every word of it, and the answer itself, is a text that a clinician signs.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from clinic import guidance, screening
from clinic.guidance import Advice
from clinic.models import Clinic, Service
from clinic.views.pages import RED_FLAGS, cards, local_date, locations, page, public, skin_check, sources_behind

DATA = Path(__file__).parent.parent / "content_data" / "spots.json"


class Answer(StrEnum):
    """The four things that can be said of a spot, word for word as they are signed."""

    LEAVE = "You can leave these alone"
    HELP = "We can help with this"
    LOOK = "Let a clinician look first"
    DOCTOR = "See a doctor about this"

    @classmethod
    def read(cls, text: str) -> "Answer":
        """What a signed heading says. For a clinic's own words nothing but a look is offered."""
        return next((each for each in cls if each == text.strip().rstrip(".")), cls.LOOK)


@dataclass(frozen=True)
class Spot:
    """What belongs to one kind of spot: codes of items, of the question whose advice fits, and slugs of services."""

    code: str
    items: tuple[str, ...]
    question: str
    services: tuple[str, ...]

    @property
    def wordings(self) -> list[str]:
        return [f"spot-{self.code}-{name}" for name in ("name", "feel", "answer")]


@dataclass(frozen=True)
class Described:
    """A spot in the words that patients read."""

    code: str
    name: Advice
    feel: Advice
    heading: Advice

    @property
    def answer(self) -> Answer:
        return Answer.read(self.heading.text)

    @property
    def texts(self) -> list[Advice]:
        return [self.name, self.feel, self.heading]


@cache
def spots() -> tuple[Spot, ...]:
    rows = json.loads(DATA.read_text(encoding="utf-8"))
    return tuple(Spot(row["code"], tuple(row["items"]), row["question"], tuple(row["services"])) for row in rows)


@public
def choose(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    described = describe(spots(), clinic)
    return page(
        request,
        "clinic/spots.html",
        clinic,
        shown=[text for each in described for text in each.texts],
        spots=described,
        skin_check=skin_check(timezone.now()),
    )


@public
def answer(request: HttpRequest, clinic: Clinic, code: str) -> HttpResponse:
    spot = next((each for each in spots() if each.code == code), None)
    if spot is None:
        raise Http404
    now = timezone.now()
    described = describe([spot], clinic)[0]
    note = guidance.wording(f"spot-{described.answer.name.lower()}", clinic)
    items = guidance.by_code(spot.items, clinic)
    asked = screening.question(spot.question, clinic) if spot.question else None
    return page(
        request,
        "clinic/spot.html",
        clinic,
        shown=[*described.texts, note, *items, *([asked] if asked else [])],
        spot=described,
        note=note,
        advice=[item for item in items if item.topic != RED_FLAGS],
        cards=cards(item for item in items if item.topic == RED_FLAGS),
        asked=asked,
        services=offered(spot, local_date(locations(now), now)),
        skin_check=skin_check(now),
        sources=sources_behind(items),
    )


def describe(chosen: Sequence[Spot], clinic: Clinic) -> list[Described]:
    texts = guidance.wordings([code for spot in chosen for code in spot.wordings], clinic)
    return [Described(spot.code, *(texts[code] for code in spot.wordings)) for spot in chosen]


def offered(spot: Spot, today: dt.date) -> list[Service]:
    """The visits that suit this spot, in the order of the data."""
    found = Service.objects.in_use(today).filter(slug__in=spot.services)
    return sorted(found, key=lambda service: spot.services.index(service.slug))
