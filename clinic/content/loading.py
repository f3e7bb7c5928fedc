"""The content as shipped: one loader reads the data files, and overwrites only what still stands as it wrote it."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models, transaction

from clinic.content.versions import cite, revision_of
from clinic.models import (
    AuditEvent,
    HistoryRule,
    Item,
    Part,
    Question,
    Reviewed,
    Revision,
    Rule,
    Service,
    Source,
    Topic,
    Wording,
)
from clinic.models.shown import checksum, reviewed_fields

DATA = Path(__file__).parent.parent / "content_data"

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What a load did; ``kept`` counts rows that a clinic has edited and the loader left alone."""

    created: int = 0
    updated: int = 0
    kept: int = 0

    def __add__(self, other: "Report") -> "Report":
        return Report(self.created + other.created, self.updated + other.updated, self.kept + other.kept)


@transaction.atomic
def load(*, now: dt.datetime, data: Path = DATA) -> Report:
    """Guidance and screening from the files in ``data``. Again with the same files it changes nothing.

    A changed file gives untouched rows a new version, unsigned. Sources and topics are added, never overwritten.
    """
    report = _add_missing(Source, _read(data, "sources"), key="code")
    report += _add_missing(Topic, _numbered(_read(data, "topics")), key="code")
    report += _load_items(_read(data, "items"), now=now)
    report += _load_questions(_read(data, "questions"), now=now)
    report += _merge([HistoryRule(**row) for row in _read(data, "history")], now=now)
    return report + _merge([Wording(**row) for row in _read(data, "wordings")], now=now)


@transaction.atomic
def load_services(*, now: dt.datetime) -> Report:
    """The services of the catalogue that are not there yet; prices and times are examples for the clinic to change."""
    rows = _numbered(_read(DATA, "services"))
    known = set(Service.objects.values_list("slug", flat=True))
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now, act="loaded", kind="service", key=row["slug"]) for row in rows if row["slug"] not in known
    )
    return _add_missing(Service, rows, key="slug")


def _read(data: Path, name: str) -> list[Row]:
    rows: list[Row] = json.loads((data / f"{name}.json").read_text(encoding="utf-8"))
    return rows


def _numbered(rows: Sequence[Row]) -> list[Row]:
    return [{**row, "position": position} for position, row in enumerate(rows, 1)]


def _by_code(model: type[models.Model]) -> dict[str, Any]:
    rows: Iterable[Any] = model._default_manager.all()
    return {row.code: row for row in rows}


def _add_missing(model: type[models.Model], rows: Sequence[Row], *, key: str) -> Report:
    known = set(model._default_manager.values_list(key, flat=True))
    missing = [model(**row) for row in rows if row[key] not in known]
    model._default_manager.bulk_create(missing)
    return Report(created=len(missing))


def _load_items(rows: Sequence[Row], *, now: dt.datetime) -> Report:
    topics = _by_code(Topic)
    return _merge([Item(**{**row, "topic": topics[row["topic"]]}) for row in _numbered(rows)], now=now)


def _load_questions(rows: Sequence[Row], *, now: dt.datetime) -> Report:
    """Questions, then their parts, then the parts' rules: each needs the row above it saved."""
    report = _merge([Question(**_without(row, "parts")) for row in _numbered(rows)], now=now)
    questions = _by_code(Question)
    parts = [(questions[row["code"]], part) for row in rows for part in _numbered(row["parts"])]
    report += _merge([Part(question=question, **_without(part, "rules")) for question, part in parts], now=now)
    saved = _by_code(Part)
    rules = [Rule(part=saved[part["code"]], **rule) for _, part in parts for rule in part["rules"]]
    return report + _merge(rules, now=now)


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _merge(wanted: Sequence[Reviewed], *, now: dt.datetime) -> Report:
    """Bring one model's rows to what the files say, but for those that no longer read as last loaded."""
    present = _by_code(type(wanted[0]))
    fresh = [row for row in wanted if row.code not in present]
    edited = {code for code, row in present.items() if checksum(row) != row.loaded_checksum}
    stale = [
        _overwrite(present[row.code], row)
        for row in wanted
        if row.code in present and row.code not in edited and checksum(row) != checksum(present[row.code])
    ]
    _store(fresh, stale, now=now)
    return Report(len(fresh), len(stale), sum(row.code in edited for row in wanted))


def _overwrite(row: Reviewed, wanted: Reviewed) -> Reviewed:
    for name, value in reviewed_fields(wanted).items():
        setattr(row, name, value)
    row.version += 1
    return row


def _store(fresh: Sequence[Reviewed], stale: Sequence[Reviewed], *, now: dt.datetime) -> None:
    touched = [*fresh, *stale]
    if not touched:
        return
    for row in touched:
        row.loaded_checksum = checksum(row)
    manager = type(touched[0])._default_manager
    manager.bulk_create(fresh)
    manager.bulk_update(stale, [*touched[0].REVIEWED_FIELDS, "version", "loaded_checksum"])
    Revision.objects.bulk_create(revision_of(row, now=now) for row in touched)
    cite([row for row in touched if isinstance(row, Item | Question)])
