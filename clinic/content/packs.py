"""The whole content as one file: topics, sources, texts, questions and rules, with every version and signature.

What is written in the file is the clinician's name and registration number. The account that a signature was given with
belongs to a clinic and stays there: whoever brings a file in answers for the signatures in it.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime

from clinic.models import (
    HistoryRule,
    Item,
    Part,
    Question,
    Review,
    Reviewed,
    Revision,
    Rule,
    Source,
    Topic,
    Verdict,
    Wording,
)
from clinic.models.shown import kind_of, reviewed_fields, whole

FORMAT, FORMAT_VERSION = "skin-extraction-clinic content", 1
IS_WEB_ADDRESS = URLValidator(schemes=["http", "https"])
Row = dict[str, Any]


class Section(NamedTuple):
    """One list of the file. ``places`` are columns that no signature covers; ``parent`` is a column and its section."""

    model: type[models.Model]
    places: tuple[str, ...]
    parent: tuple[str, str] | None = None
    has_sources: bool = False


# In the order in which rows need each other.
SECTIONS: dict[str, Section] = {
    "sources": Section(Source, ("title", "addresses", "tag", "last_checked_on")),
    "topics": Section(Topic, ("title", "summary", "position", "days_before")),
    "items": Section(Item, ("position",), ("topic", "topics"), has_sources=True),
    "questions": Section(Question, ("stage", "position", "evidence_kind"), has_sources=True),
    "parts": Section(Part, ("position",), ("question", "questions")),
    "rules": Section(Rule, (), ("part", "parts")),
    "history_rules": Section(HistoryRule, ()),
    "wordings": Section(Wording, ("title",)),
}
STANDING = ("version", "signed_version", "loaded_checksum")
SIGNATURE = ("reviewer", "registration", "signed_at", "next_review_on")
REVISION = ("kind", "code", "version", "fields", "written_at", "review")
KINDS = {
    section.model._meta.model_name: section for section in SECTIONS.values() if issubclass(section.model, Reviewed)
}


class BadPack(Exception):
    """The file cannot be brought in; the sentence says why."""


@dataclass(frozen=True)
class Signature:
    reviewer: str
    registration: str
    signed_at: dt.datetime
    next_review_on: dt.date


@dataclass(frozen=True)
class PackedRevision:
    kind: str
    code: str
    version: int
    fields: Row
    written_at: dt.datetime
    review: Signature | None


@dataclass(frozen=True)
class PackedRow:
    """One row as the file has it: not saved, and without its parent and sources, which are codes."""

    section: str
    row: Any
    parent: str
    sources: tuple[str, ...]

    @property
    def code(self) -> str:
        return str(self.row.code)


@dataclass(frozen=True)
class Pack:
    rows: dict[str, list[PackedRow]]
    revisions: list[PackedRevision]

    @property
    def is_signed(self) -> bool:
        """Whether it carries any signature."""
        return any(revision.review for revision in self.revisions)

    def written(self) -> dict[tuple[str, str], dict[int, PackedRevision]]:
        """By kind and code, then by version."""
        found: dict[tuple[str, str], dict[int, PackedRevision]] = defaultdict(dict)
        for revision in self.revisions:
            found[revision.kind, revision.code][revision.version] = revision
        return found


def export() -> str:
    """All of it as text; the same rows give the same text, on any database."""
    packed: Row = {"format": FORMAT, "format_version": FORMAT_VERSION}
    for name, section in SECTIONS.items():
        packed[name] = [_packed(section, row) for row in _rows(section)]
    packed["revisions"] = _packed_revisions()
    return json.dumps(packed, indent=1, ensure_ascii=False) + "\n"


def read(text: str) -> Pack:
    """Raises BadPack for anything that ``export`` would not write."""
    packed = _object_in(text)
    rows = {name: [_unpacked(name, row) for row in _list(packed, name)] for name in SECTIONS}
    pack = Pack(rows, [_unpacked_revision(row) for row in _list(packed, "revisions")])
    _refuse_twice(pack)
    _refuse_loose_ends(pack)
    _refuse_wrong_versions(pack)
    return pack


def columns(section: Section) -> tuple[str, ...]:
    """What a row of the file says, apart from its parent and sources."""
    if not issubclass(section.model, Reviewed):
        return ("code", *section.places)
    return ("code", *section.places, *section.model.REVIEWED_FIELDS, *STANDING)


def _keys(section: Section) -> list[str]:
    apart = [section.parent[0]] if section.parent else []
    if section.has_sources:
        apart.append("sources")
    return [*columns(section), *apart]


def plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value


def _rows(section: Section) -> Iterable[Any]:
    """In the model's own order, and then as they came: so that they come in the same order elsewhere."""
    order = [str(name) for name in section.model._meta.ordering or ()]
    rows = section.model._default_manager.order_by(*order, "pk")
    rows = rows.select_related(section.parent[0]) if section.parent else rows
    found: Iterable[Any] = rows.prefetch_related("sources") if section.has_sources else rows
    # Databases differ in how they sort texts.
    return sorted(found, key=lambda row: str(row.code)) if order == ["code"] else found


def _packed(section: Section, row: Any) -> Row:
    found = {name: plain(getattr(row, name)) for name in columns(section)}
    if section.parent:
        found[section.parent[0]] = getattr(row, section.parent[0]).code
    if section.has_sources:
        found["sources"] = [source.code for source in row.sources.all()]
    return found


def _packed_revisions() -> list[Row]:
    reviews = {review.revision_id: review for review in Review.objects.all()}
    return [
        {
            **{name: plain(getattr(revision, name)) for name in REVISION[:-1]},
            "review": _packed_review(reviews.get(revision.pk)),
        }
        for revision in sorted(Revision.objects.all(), key=lambda each: (each.kind, each.code, each.version))
    ]


def _packed_review(review: Review | None) -> Row | None:
    return {name: plain(getattr(review, name)) for name in SIGNATURE} if review else None


def _object_in(text: str) -> Row:
    try:
        packed = json.loads(text, parse_constant=_refuse_constant)
        # A text that cannot be written down again cannot be stored either.
        json.dumps(packed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadPack("This is not a content file: it cannot be read as JSON.") from error
    if "\0" in text or "\\u0000" in text:
        raise BadPack("The file holds characters that no text of ours has.")
    if not isinstance(packed, dict) or packed.get("format") != FORMAT:
        raise BadPack("This is not a content file of this program.")
    if packed.get("format_version") != FORMAT_VERSION:
        raise BadPack(f"The file has another format version than {FORMAT_VERSION}, which is what this program reads.")
    _refuse_other_keys("the file", packed, ["format", "format_version", *SECTIONS, "revisions"])
    return packed


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _list(packed: Row, name: str) -> list[Row]:
    rows = packed[name]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadPack(f"“{name}” is not a list of rows.")
    return rows


def _unpacked(name: str, row: Row) -> PackedRow:
    section = SECTIONS[name]
    where = f"{name}, {row.get('code')}"
    _refuse_other_keys(where, row, _keys(section))
    made = section.model(**{column: _value(where, section.model, column, row[column]) for column in columns(section)})
    _refuse_wrong_fields(where, made)
    parent = _text(where, row[section.parent[0]]) if section.parent else ""
    sources = tuple(_texts(where, row["sources"])) if section.has_sources else ()
    return PackedRow(name, made, parent, sources)


def _unpacked_revision(row: Row) -> PackedRevision:
    where = f"revisions, {row.get('code')}, version {row.get('version')}"
    _refuse_other_keys(where, row, REVISION)
    values = {name: _value(where, Revision, name, row[name]) for name in REVISION[:-1]}
    _refuse_wrong_fields(where, Revision(**values))
    if values["kind"] not in KINDS or not isinstance(values["fields"], dict):
        raise BadPack(f"{where}: no text or rule has such a version.")
    return PackedRevision(**values, review=_unpacked_review(where, row["review"]))


def _unpacked_review(where: str, row: Any) -> Signature | None:
    if row is None:
        return None
    if not isinstance(row, dict):
        raise BadPack(f"{where}: its signature cannot be read.")
    _refuse_other_keys(where, row, SIGNATURE)
    values = {name: _value(where, Review, name, row[name]) for name in SIGNATURE}
    _refuse_wrong_fields(where, Review(**values))
    return Signature(**values)


def _value(where: str, model: type[models.Model], column: str, value: Any) -> Any:
    """What JSON holds, as the column holds it; the column's own rules are asked later."""
    field = model._meta.get_field(column)
    match field:
        case models.DateTimeField():
            return _moment(where, value)
        case models.DateField():
            return _day(where, value) if value is not None else None
        case models.JSONField():
            return value if column == "fields" else _texts(where, value)
        case models.BooleanField():
            fits = isinstance(value, bool)
        case models.IntegerField():
            fits = (isinstance(value, int) and not isinstance(value, bool)) or value is None
        case _:
            fits = isinstance(value, str)
    if not fits:
        raise BadPack(f"{where}: “{column}” has a value of the wrong kind.")
    return value


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadPack(f"{where}: a text is missing.")
    return value


def _texts(where: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise BadPack(f"{where}: a list of texts is missing.")
    return [_text(where, each) for each in value]


def _moment(where: str, value: Any) -> dt.datetime:
    try:
        found = parse_datetime(_text(where, value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadPack(f"{where}: “{value}” is no date with a time and an offset.")
    return found.astimezone(dt.UTC)


def _day(where: str, value: Any) -> dt.date:
    try:
        found = parse_date(_text(where, value))
    except ValueError:
        found = None
    if found is None:
        raise BadPack(f"{where}: “{value}” is no date.")
    return found


def _refuse_other_keys(where: str, row: Mapping[str, Any], expected: Iterable[str]) -> None:
    if missing := sorted(set(expected) - set(row)):
        raise BadPack(f"{where}: {', '.join(missing)} is missing.")
    if unknown := sorted(set(row) - set(expected)):
        raise BadPack(f"{where}: {', '.join(unknown)} is not known here.")


def _refuse_wrong_fields(where: str, row: models.Model, only: Iterable[str] = ()) -> None:
    """By the rules of its columns: lengths, choices, ranges. ``only`` some of them, or all but those that link."""
    apart = {field.name for field in row._meta.fields if field.is_relation or getattr(row, field.attname) == []}
    others = {field.name for field in row._meta.fields} - set(only) if only else set()
    try:
        row.clean_fields(exclude=apart | others)
    except ValidationError as error:
        told = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
        raise BadPack(f"{where}: {told}") from error
    if isinstance(row, Rule) and row.verdict == Verdict.WAIT and row.days is None:
        raise BadPack(f"{where}: a wait says how many days.")
    if isinstance(row, Source):
        _refuse_other_links(where, row.addresses)


def _refuse_other_links(where: str, addresses: list[str]) -> None:
    """They stand as links on pages for patients."""
    for address in addresses:
        try:
            IS_WEB_ADDRESS(address)
        except ValidationError as error:
            raise BadPack(f"{where}: “{address}” is no web address.") from error


def _refuse_twice(pack: Pack) -> None:
    for name, rows in pack.rows.items():
        _refuse_repeated(name, [row.code for row in rows])
    _refuse_repeated("revisions", [f"{each.kind} {each.code}, version {each.version}" for each in pack.revisions])


def _refuse_repeated(where: str, names: list[str]) -> None:
    if len(names) != len(set(names)):
        repeated = next(name for name in names if names.count(name) > 1)
        raise BadPack(f"{where}: {repeated} is there twice.")


def _refuse_loose_ends(pack: Pack) -> None:
    codes = {name: {row.code for row in rows} for name, rows in pack.rows.items()}
    for name, rows in pack.rows.items():
        parent = SECTIONS[name].parent
        for row in rows:
            if parent and row.parent not in codes[parent[1]]:
                raise BadPack(f"{name}, {row.code}: its {parent[0]} “{row.parent}” is not in the file.")
            if unknown := sorted(set(row.sources) - codes["sources"]):
                raise BadPack(f"{name}, {row.code}: the source {', '.join(unknown)} is not in the file.")


def _refuse_wrong_versions(pack: Pack) -> None:
    """A signature stands under words: the words of each row are those of its version, and what is signed is written."""
    written = pack.written()
    for name, rows in pack.rows.items():
        for packed in rows:
            if isinstance(packed.row, Reviewed):
                _refuse_wrong_version(f"{name}, {packed.code}", packed.row, written[kind_of(packed.row), packed.code])


def _refuse_wrong_version(where: str, row: Reviewed, versions: Mapping[int, PackedRevision]) -> None:
    present, signed = versions.get(row.version), versions.get(row.signed_version or 0)
    if present is None or whole(row, present.fields) != reviewed_fields(row):
        raise BadPack(f"{where}: its words are not those of its version {row.version}.")
    if row.signed_version is None:
        return
    if signed is None or signed.review is None or row.signed_version > row.version:
        raise BadPack(f"{where}: the signature under version {row.signed_version} is not in the file.")
    model = type(row)
    words = {name: _value(where, model, name, value) for name, value in whole(row, signed.fields).items()}
    _refuse_wrong_fields(where, model(**words), only=words)
