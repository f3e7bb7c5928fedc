"""Which advice to show: at which moment, for which service, in which words.

A version that a clinician signed wins over a later edit that waits. A text nobody ever signed is a draft: the demo
shows it, a real clinic only where it must always be shown, and then booking is not open yet (``clinic.readiness``).
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from clinic import words
from clinic.models import Clinic, Item, Review, Service, Source, Topic, Wording
from clinic.models.placeholders import fill
from clinic.models.shown import Shown, kind_of, shown

BOLD = re.compile(r"\*\*(.+?)\*\*")
RED_FLAGS = ("FLAG-1", "FLAG-2", "FLAG-3")
# How long skin may look red after a visit.
REDNESS = "DAY-5"
# The priority of what is always shown.
ESSENTIAL = 1


@dataclass(frozen=True)
class Advice:
    """One text as a patient reads it: placeholders filled, ``**bold**`` marks kept. ``version`` is the one shown."""

    code: str
    version: int
    topic: str
    text: str
    priority: int
    is_signed: bool

    @property
    def plain(self) -> str:
        """For e-mails in text."""
        return BOLD.sub(r"\1", self.text)

    @property
    def html(self) -> SafeString:
        """For pages: escaped, bold as <strong>."""
        return mark_safe(BOLD.sub(r"<strong>\1</strong>", escape(self.text)))


@dataclass(frozen=True)
class Section:
    """Advice under one heading, dated when it starts on a day."""

    topic: str
    title: str
    items: tuple[Advice, ...]
    is_dated: bool = False


def items_for(service: Service | None, moment: str, clinic: Clinic) -> list[Advice]:
    """All items of ``moment`` for ``service`` (None: for any service), in the order of the guidance; 1 or 2 queries."""
    return by_moment(service, [moment], clinic)[moment]


def by_moment(service: Service | None, moments: Sequence[str], clinic: Clinic) -> dict[str, list[Advice]]:
    """The same for several moments, in as many queries as for one."""
    rows = list(Item.objects.select_related("topic"))
    meant = [(row, version) for row, version in _fit_to_show(rows, clinic) if _is_meant(service, version)]
    return {
        moment: [_item_advice(row, version, clinic) for row, version in meant if moment in version.fields["moments"]]
        for moment in moments
    }


def page(topic: Topic, clinic: Clinic) -> list[Advice]:
    """Every item of one topic: the whole guidance page."""
    return _of_items(topic.items.select_related("topic"), clinic)


def red_flags(clinic: Clinic) -> list[Advice]:
    """The three that stand in every footer."""
    return _of_items(Item.objects.filter(code__in=RED_FLAGS).select_related("topic"), clinic)


def advice(code: str, clinic: Clinic) -> Advice:
    """One item by its code; Item.DoesNotExist if the content was never loaded, or while it is not fit to show."""
    found = _of_items(Item.objects.filter(code=code).select_related("topic"), clinic)
    if not found:
        raise Item.DoesNotExist(code)
    return found[0]


def by_code(codes: Sequence[str], clinic: Clinic) -> list[Advice]:
    """Those of ``codes`` that there are and that may be shown, in that order: 1 or 2 queries."""
    found = _of_items(Item.objects.filter(code__in=codes).select_related("topic"), clinic)
    return sorted(found, key=lambda item: codes.index(item.code))


def redness(clinic: Clinic) -> Advice | None:
    """For whoever wants calm skin on a day; None while it is not fit to show."""
    return next(iter(by_code([REDNESS], clinic)), None)


def wording(code: str, clinic: Clinic, **known: str) -> Advice:
    """One fixed text, such as "disclaimer-short". ``known`` fills what only the caller knows, such as reply_by."""
    version = shown([Wording.objects.get(code=code)])[0]
    text = version.fields["text"]
    if "{{review_date}}" in text:
        known = {**_review_facts(), **known}
    return Advice(code, version.version, "", fill(text, clinic, **known), 1, version.is_signed)


def wordings(codes: Sequence[str], clinic: Clinic) -> dict[str, Advice]:
    """Several fixed texts by their codes, in 1 or 2 queries; Wording.DoesNotExist when one of them is missing."""
    versions = shown(list(Wording.objects.filter(code__in=codes)))
    if missing := set(codes) - {version.code for version in versions}:
        raise Wording.DoesNotExist(", ".join(sorted(missing)))
    return {
        version.code: Advice(
            version.code, version.version, "", fill(version.fields["text"], clinic), 1, version.is_signed
        )
        for version in versions
    }


def grouped(
    advice: Iterable[Advice], *, visit_date: dt.date | None = None, today: dt.date | None = None
) -> list[Section]:
    """``advice`` under its topics' titles, topics in order of first appearance; one query.

    With ``visit_date`` a topic that starts some days before it names its day; a day before ``today`` reads "today".
    """
    by_topic: dict[str, list[Advice]] = {}
    for item in advice:
        by_topic.setdefault(item.topic, []).append(item)
    found = {topic.code: topic for topic in Topic.objects.filter(code__in=by_topic)}
    return [
        Section(
            code,
            _title(found[code], visit_date, today),
            tuple(items),
            is_dated=found[code].days_before is not None,
        )
        for code, items in by_topic.items()
    ]


def topics() -> QuerySet[Topic]:
    return Topic.objects.all()


def sources_of(topic: Topic) -> list[Source]:
    """What the items of a topic rest on, in the order of the source list."""
    return list(Source.objects.filter(items__topic=topic).distinct())


def reviews_of(topic: Topic) -> list[Review]:
    """The signatures under a topic's items, newest first."""
    codes = topic.items.values("code")
    kind = kind_of(Item())
    return list(Review.objects.filter(revision__kind=kind, revision__code__in=codes).select_related("revision"))


def last_review() -> Review | None:
    """The newest signature under anything, None while nothing is signed."""
    return Review.objects.order_by("-signed_at", "-id").first()


def is_draft(advice: Iterable[Advice]) -> bool:
    """Whether any of it was never signed, so that the page or message needs its one draft banner."""
    return any(not item.is_signed for item in advice)


def _of_items(rows: Iterable[Item], clinic: Clinic) -> list[Advice]:
    return [_item_advice(row, version, clinic) for row, version in _fit_to_show(list(rows), clinic)]


def _fit_to_show(rows: Sequence[Item], clinic: Clinic) -> list[tuple[Item, Shown]]:
    """Each with the version patients see; a real clinic hides advice that nobody signed and that is not essential."""
    return [
        (row, version)
        for row, version in zip(rows, shown(rows), strict=True)
        if version.is_signed or version.fields["priority"] == ESSENTIAL or clinic.is_demo
    ]


def _item_advice(row: Item, version: Shown, clinic: Clinic) -> Advice:
    fields = version.fields
    text = fill(fields["text"], clinic)
    return Advice(row.code, version.version, row.topic.code, text, fields["priority"], version.is_signed)


def _is_meant(service: Service | None, version: Shown) -> bool:
    return service is None or not service.codes.isdisjoint(version.fields["services"])


def _title(topic: Topic, visit_date: dt.date | None, today: dt.date | None) -> str:
    if visit_date is None or topic.days_before is None:
        return topic.title
    start = visit_date - dt.timedelta(days=topic.days_before)
    if topic.days_before == 0:
        return f"On the day, {words.day(start)}"
    return "From today" if today and start <= today else f"From {words.day(start)}"


def _review_facts() -> dict[str, str]:
    review = last_review()
    return {"reviewing_clinician": review.reviewer, "review_date": words.day(review.signed_at)} if review else {}
