"""What a clinician has before them: the words of a text or rule, what is new in them, and what they rest on."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Field, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from clinic import content
from clinic.models import (
    Grade,
    History,
    HistoryRule,
    Item,
    Moment,
    Part,
    Question,
    Review,
    Reviewed,
    Rule,
    Source,
    Undated,
    Verdict,
    Wording,
)
from clinic.models.shown import kind_of, reviewed_fields, whole

TAGS = {
    "A": "an official body, health service or major medical publisher",
    "B": "a copy or a smaller site",
    "C": "what other clinics tell people, which is not proof",
    "D": "a study or guideline",
}
# What stands in lists of codes, by field, as people name it.
LABELS: dict[str, dict[Any, Any]] = {
    "moments": dict(Moment.choices),
    "grades": dict(Grade.choices),
    "verdict": dict(Verdict.choices),
    "undated": dict(Undated.choices),
    "kind": dict(History.choices),
    "priority": dict(Item._meta.get_field("priority").flatchoices),
}
# With all that the words below need, so that a page of any length costs the same.
WITH_SOURCES: dict[type[Reviewed], tuple[str, str]] = {
    Item: ("topic", "sources"),
    Question: ("", "sources"),
    Part: ("question", "question__sources"),
    Rule: ("part__question", "part__question__sources"),
    HistoryRule: ("", ""),
    Wording: ("", ""),
}


@dataclass(frozen=True)
class Line:
    """One field: what it says, and what the last signed version said where that differs."""

    label: str
    words: str
    was: str | None = None


@dataclass(frozen=True)
class Reading:
    """One text or rule as it is read before it is signed. ``review`` is the signature under what patients see now.

    ``evidence`` is what the words themselves do not say of it.
    """

    row: Reviewed
    about: str
    lines: list[Line]
    unset: str
    evidence: str
    sources: list[Source]
    review: Review | None

    @property
    def mark(self) -> str:
        """Names the row and the version that stood on the page."""
        return f"{kind_of(self.row)}:{self.row.pk}:{self.row.version}"

    @property
    def kind(self) -> str:
        return str(capfirst(self.row._meta.verbose_name))

    @property
    def address(self) -> str:
        return reverse(f"admin:clinic_{kind_of(self.row)}_change", args=[self.row.pk])

    @property
    def changed(self) -> list[Line]:
        return [line for line in self.lines if line.was is not None]


def rows_of(model: type[Reviewed]) -> QuerySet[Reviewed]:
    """All rows of one kind, with what their evidence needs."""
    joined, listed = WITH_SOURCES[model]
    rows: QuerySet[Reviewed] = model._default_manager.all()
    rows = rows.select_related(joined) if joined else rows
    return rows.prefetch_related(listed) if listed else rows


def readings(rows: Sequence[Reviewed]) -> list[Reading]:
    """In order; ``rows`` come from ``rows_of``. Two queries more, however many they are."""
    signed = _signatures(rows)
    sources = {source.code: source for source in Source.objects.all()}
    return [_reading(row, signed.get((kind_of(row), row.code, row.signed_version)), sources) for row in rows]


def source_list(row: Reviewed) -> SafeString:
    """Each source of one row with its addresses, its tag, and when it was last checked."""
    known = {source.code: source for source in Source.objects.filter(code__in=content.codes_in(_evidence(row)))}
    found = sources_behind(row, known)
    lines = format_html_join("", "<li>{}</li>", ((source_words(source),) for source in found))
    return format_html('<ul class="sources">{}</ul>', lines) if found else format_html("{}", "None named.")


def source_words(source: Source) -> SafeString:
    links = format_html_join(
        "", '<br><a href="{0}" target="_blank" rel="noopener nofollow">{0}</a>', ((each,) for each in source.addresses)
    )
    change = reverse("admin:clinic_source_change", args=[source.pk])
    named = (change, source.code, source.title, source.tag, checked(source), links)
    return format_html('<a href="{}">{}</a> {} [{}], {}.{}', *named)


def checked(source: Source) -> str:
    on = source.last_checked_on
    return f"last checked on {date(on)}" if on else "not checked by this clinic yet"


def date(day: dt.date) -> str:
    """Such as: 23 November 2026."""
    return f"{day.day} {day:%B} {day.year}"


def evidence_words(row: Reviewed) -> str:
    """What kind of evidence there is, and which."""
    match row:
        case Item() | HistoryRule():
            return ", ".join(row.evidence)
        case Question():
            return f"{capfirst(row.evidence_kind)}. {row.evidence}"
        case Part():
            return evidence_words(row.question)
        case Rule():
            return evidence_words(row.part.question)
    return ""


def sources_behind(row: Reviewed, known: dict[str, Source]) -> list[Source]:
    """Those that are linked, or that the evidence of a rule about earlier visits names."""
    match row:
        case Item() | Question():
            return list(row.sources.all())
        case Part():
            return list(row.question.sources.all())
        case Rule():
            return list(row.part.question.sources.all())
    return [known[code] for code in content.codes_in(_evidence(row)) if code in known]


def said(row: Reviewed, name: str, value: Any) -> str:
    """A field's value as the form shows it; "" when nothing is set."""
    if isinstance(value, bool):
        return "Yes" if value else ""
    labels = LABELS.get(name, {})
    if isinstance(value, list):
        return ", ".join(str(labels.get(each, each)) for each in value)
    return "" if value is None else str(labels.get(value, value))


def label(row: Reviewed, name: str) -> str:
    field = row._meta.get_field(name)
    assert isinstance(field, Field), "a signature covers a row's own columns"
    return str(capfirst(field.verbose_name))


def _signatures(rows: Iterable[Reviewed]) -> dict[tuple[str, str, int | None], Review]:
    reviews = Review.objects.filter(revision__code__in={row.code for row in rows if row.signed_version})
    return {
        (review.revision.kind, review.revision.code, review.revision.version): review
        for review in reviews.select_related("revision")
    }


def _reading(row: Reviewed, review: Review | None, sources: dict[str, Source]) -> Reading:
    before = whole(row, review.revision.fields) if review else {}
    lines = [_line(row, name, value, before) for name, value in reviewed_fields(row).items()]
    return Reading(
        row=row,
        about=_about(row),
        lines=[line for line in lines if line.words or line.was is not None],
        unset=", ".join(line.label.lower() for line in lines if not line.words and line.was is None),
        evidence=row.evidence_kind if isinstance(row, Question) else evidence_words(row) if _borrows(row) else "",
        sources=sources_behind(row, sources),
        review=review,
    )


def _line(row: Reviewed, name: str, value: Any, before: dict[str, Any]) -> Line:
    was = said(row, name, before[name]) if before and before[name] != value else None
    return Line(label(row, name), said(row, name, value), was)


def _about(row: Reviewed) -> str:
    """What it belongs to, where its own words do not say so."""
    match row:
        case Part():
            return row.question.lead or row.question.text
        case Rule():
            return row.part.text
        case Wording():
            return row.title
    return ""


def _borrows(row: Reviewed) -> bool:
    """Its evidence is that of its question."""
    return isinstance(row, Part | Rule)


def _evidence(row: Reviewed) -> object:
    return getattr(row, "evidence", "")
