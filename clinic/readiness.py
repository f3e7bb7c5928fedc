"""What a clinic still has to do before patients may book, and what is due again."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from clinic.models import Clinic, HistoryRule, Item, Part, Question, Review, Reviewed, Rule, Wording

# What a clinic sets in its policy, and how the checklist names it.
NUMBERS = {
    "phone": "The clinic’s phone number",
    "emergency_number": "The emergency number",
    "urgent_line": "The urgent line or doctor’s number",
}
# In the order in which a clinician reads.
SIGNED_FIRST: dict[str, tuple[type[Reviewed], dict[str, int]]] = {
    "Guidance that is always shown": (Item, {"priority": 1}),
    "Screening questions": (Question, {}),
    "Parts of questions": (Part, {}),
    "Screening rules": (Rule, {}),
    "Rules about earlier visits": (HistoryRule, {}),
    "Fixed texts": (Wording, {}),
}


@dataclass(frozen=True)
class Lack:
    """One line of the checklist: so many rows were never signed, or something of the policy or content is not there."""

    title: str
    unsigned: int = 0
    field: str = ""

    def __str__(self) -> str:
        return f"{self.title}: {self.unsigned} to sign off" if self.unsigned else f"{self.title}: missing"


def lacking(clinic: Clinic) -> list[Lack]:
    """What a real clinic still lacks before online booking may open, in the order of setting up; nothing for a demo."""
    return [] if clinic.is_demo else [*_empty_numbers(clinic), *_unsigned()]


def is_open_for_booking(clinic: Clinic) -> bool:
    """Whether patients may book online. It stands on the hot path: one query, none while paused or for a demo.

    That the content was loaded at all is for the caller to know: what is not there waits for nobody.
    """
    if clinic.is_online_paused:
        return False
    return clinic.is_demo or (not any(_empty_numbers(clinic)) and not _anything_unsigned())


def overdue(today: dt.date) -> list[Review]:
    """The newest signature of each text or rule whose next review has come, the longest overdue first."""
    newest: dict[tuple[str, str], Review] = {}
    for review in Review.objects.select_related("revision").order_by("revision__version"):
        newest[review.revision.kind, review.revision.code] = review
    late = [review for review in newest.values() if review.next_review_on <= today]
    return sorted(late, key=lambda review: review.next_review_on)


def _empty_numbers(clinic: Clinic) -> Iterator[Lack]:
    for field, title in NUMBERS.items():
        if not getattr(clinic, field):
            yield Lack(title, field=field)


def _unsigned() -> Iterator[Lack]:
    if not Question.objects.exists():
        yield Lack("Screening questions")
    for title, rows in _never_signed().items():
        if count := rows.count():
            yield Lack(title, unsigned=count)


def _anything_unsigned() -> bool:
    first, *others = (rows.order_by().values("pk") for rows in _never_signed().values())
    return first.union(*others, all=True).exists()


def _never_signed() -> dict[str, QuerySet[Reviewed]]:
    return {
        title: model._default_manager.filter(signed_version=None, **only)
        for title, (model, only) in SIGNED_FIRST.items()
    }
