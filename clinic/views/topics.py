"""The guidance by topic, with its sources and signatures, and the page for whoever already squeezed."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from clinic import guidance as advice_for
from clinic import screening, words
from clinic.guidance import Advice
from clinic.models import Clinic, Review, Source, Topic
from clinic.models.placeholders import fill
from clinic.screening import Answer, Answered, Rulebook, RuleShown
from clinic.views.pages import RED_FLAGS, cards, local_date, locations, page, public, skin_check

DO_NOT = re.compile(r"^(No |Hands off)|\bdo not\b", re.IGNORECASE)
# Which drawing stands beside an item; the others have none.
PICTURES = {
    "UND-1": "blackhead",
    "KNOW-1": "filament",
    "KNOW-2": "milia",
    "KNOW-3": "sore-lump",
    "KNOW-4": "changing-spot",
}
# After squeezing: what to do at once, what a sore spot means, and when to get help in the days that follow.
FIRST_AID = ("WHY-6", "A24-2", "A24-3", "A24-7", "A24-8")
SORE = ("KNOW-3",)
SIGNS = ("FLAG-1", "FLAG-2", "FLAG-3", "FLAG-5", "FLAG-6")
WARNING, SORE_SPOT, BROKEN_SKIN = "Q1", "Q2", ("Q7", "q7-broken")


@dataclass(frozen=True)
class Lists:
    """A topic's items: what to do and know, and, apart from it, what not to do."""

    do: list[Advice]
    do_not: list[Advice]


@public
def guidance(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    disclaimer = advice_for.wording("disclaimer-long", clinic)
    note = advice_for.wording("source-note", clinic)
    return page(
        request,
        "clinic/guidance.html",
        clinic,
        shown=[disclaimer, note],
        topics=advice_for.topics(),
        disclaimer=disclaimer,
        source_note=note,
        sources=Source.objects.all(),
    )


@public
def topic(request: HttpRequest, clinic: Clinic, code: str) -> HttpResponse:
    now = timezone.now()
    found = get_object_or_404(Topic, code=code)
    items = advice_for.page(found, clinic)
    disclaimer = advice_for.wording("disclaimer-long", clinic)
    return page(
        request,
        "clinic/topic.html",
        clinic,
        shown=[*items, disclaimer],
        topic=found,
        topics=advice_for.topics(),
        lists=lists(items),
        cards=cards(items) if found.code == RED_FLAGS else None,
        is_numbered=found.code == "five-tips",
        pictures=PICTURES,
        disclaimer=disclaimer,
        sources=advice_for.sources_of(found),
        skin_check=skin_check(now) if found.code == "know-your-spot" else None,
        reviews=[] if advice_for.is_draft(items) else reviews(found, items, zone_of_the_clinic(now)),
    )


@public
def squeezed(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    """For the person who already did: warning signs first, then what to do and what to book."""
    now = timezone.now()
    tell_us = advice_for.wording("tell-us", clinic)
    book = screening.rulebook(clinic)
    asked, sore_spot, broken = (book.question(code) for code in (WARNING, SORE_SPOT, BROKEN_SKIN[0]))
    first = first_safe_day(book, local_date(locations(now), now))
    items = advice_for.by_code([*FIRST_AID, *SORE, *SIGNS], clinic)
    return page(
        request,
        "clinic/squeezed.html",
        clinic,
        shown=[asked, sore_spot, broken, *broken_skin_rules(book), *items, tell_us],
        asked=asked,
        first_aid=[item for item in items if item.code in FIRST_AID],
        sore_spot=sore_spot,
        sore=[item for item in items if item.code in SORE],
        broken=broken,
        broken_advice=fill(broken.advice, clinic, earliest_date=words.day(first) if first else ""),
        first_safe_day=first,
        cards=cards(item for item in items if item.code in SIGNS),
        tell_us=tell_us,
        skin_check=skin_check(now),
    )


def broken_skin_rules(book: Rulebook) -> list[RuleShown]:
    return [rule for rule in book.rules if rule.part == BROKEN_SKIN[1]]


def first_safe_day(book: Rulebook, today: dt.date) -> dt.date | None:
    """By the rule for broken skin, if it was broken ``today``; None where no rule names a number of days."""
    code, part = BROKEN_SKIN
    said = {code: Answered(Answer.YES, frozenset({part}), today)}
    return screening.assess(book, said, codes={"EXTRACT"}, grade="", visit_date=None, today=today).not_before


def zone_of_the_clinic(now: dt.datetime) -> dt.tzinfo:
    places = locations(now)
    return places[0].zone if places else dt.UTC


def reviews(found: Topic, items: Iterable[Advice], zone: dt.tzinfo) -> list[tuple[Review, dt.date]]:
    """The signatures under the words as shown, one for each clinician and local day, each with its day."""
    versions = {(item.code, item.version) for item in items}
    told: dict[tuple[str, dt.date, dt.date], tuple[Review, dt.date]] = {}
    for review in advice_for.reviews_of(found):
        signed_on = review.signed_at.astimezone(zone).date()
        if (review.revision.code, review.revision.version) in versions:
            told.setdefault((review.reviewer, signed_on, review.next_review_on), (review, signed_on))
    return list(told.values())


def lists(items: list[Advice]) -> Lists:
    """Split a topic that tells people what not to do; one such line alone stays in its place among the others."""
    do_not = [item for item in items if DO_NOT.search(item.plain.split(". ")[0])]
    if len(do_not) <= 1:
        return Lists(do=items, do_not=[])
    return Lists(do=[item for item in items if item not in do_not], do_not=do_not)
