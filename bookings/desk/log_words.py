"""Rows of the audit log in words: what was done to what, and what each field said before and after."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model

from bookings.models import Booking
from clinic import audit, words
from clinic.models import AuditEvent

NOTHING = "nothing"
LONG_TEXT = 120
OURS = ("clinic", "bookings", "auth")
# Pages of the desk by the name of their address, as somebody would call what they looked at.
PAGES = {
    "admin": "the record, in the admin",
    "answers": "the answers",
    "ask": "the questions, to ask them",
    "book_patient": "the details, to book a visit",
    "booking": "the booking",
    "cancel": "the booking, to cancel it",
    "change_service": "the booking, to change it",
    "close": "the booking, to close it",
    "correct_email": "the address, to correct it",
    "guardian": "the guardian",
    "message": "a message",
    "miss": "the booking, for a no-show",
    "move": "the booking, to move it",
    "patient": "the patient’s page",
    "patient_edit": "the details, to correct them",
    "patient_merge": "the details, to compare them",
    "pay": "the booking, to take a payment",
    "place": "the booking, to move it",
    "print": "the day, to print it",
    "receipt": "the receipt",
    "review": "the answers, in the review queue",
    "sheet": "the advice, to print it",
    "task": "a task",
    "shown": "what the patient was shown",
}

# What a value that is the id of another row is called, by its model and id.
Names = dict[tuple[type[Model], str], str]


@dataclasses.dataclass(frozen=True)
class Change:
    """One field, and what it said before and after."""

    name: str
    was: str
    now: str

    @property
    def is_long(self) -> bool:
        return max(len(self.was), len(self.now)) > LONG_TEXT


def act(row: AuditEvent) -> str:
    if row.act == audit.READ:
        page = str(row.detail.get("page", ""))
        return f"Looked at {PAGES.get(page, page.replace('_', ' ') or 'it')}"
    return row.act[:1].upper() + row.act[1:].replace("_", " ")


def about(row: AuditEvent, thing: Model | None) -> str:
    """Such as "service: Nose extraction"; what is gone is called as it was."""
    model = _model(row.kind)
    kind = str(model._meta.verbose_name) if model else row.kind
    name = str(thing) if thing else str(row.detail.get("was") or row.detail.get("name") or _numbered(row.key))
    return f"{kind[:1].upper()}{kind[1:]}: {name}"


def _numbered(key: str) -> str:
    return f"number {key}" if key.isdecimal() else key


def more(row: AuditEvent) -> str:
    """The other record of a merge, and how many visits changed hands."""
    other, visits = row.detail.get("other_name"), row.detail.get("visits")
    told = [f"The other record: {other}, number {row.detail.get('other')}"] if other else []
    told += [f"{visits} visit{'' if visits == 1 else 's'} changed hands"] if visits else []
    return ". ".join(told)


def things(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Model]:
    """What rows of the log are about, where it is still there: one query for each kind."""
    by_kind: defaultdict[str, set[str]] = defaultdict(set)
    for kind, key in keys:
        by_kind[kind].add(key)
    return {(kind, key): thing for kind, wanted in by_kind.items() for key, thing in _rows(_model(kind), wanted)}


def names(rows: Iterable[AuditEvent]) -> Names:
    """What the ids in the details stand for: one query for each kind."""
    wanted: defaultdict[type[Model], set[str]] = defaultdict(set)
    for row in rows:
        for name, pair in _pairs(row.detail):
            if related := _related(_model(row.kind), name):
                wanted[related] |= {str(each) for each in pair if each}
    return {(model, key): str(thing) for model, keys in wanted.items() for key, thing in _rows(model, keys)}


def changes(row: AuditEvent, known: Names) -> tuple[Change, ...]:
    """Field by field, by name; those of rows in a table of the page too."""
    model = _model(row.kind)
    told = [_change(model, name, pair, known) for name, pair in _pairs(row.detail)]
    for label, rows in row.detail.items():
        if isinstance(rows, list) and all(isinstance(each, dict) for each in rows):
            told += [change for each in rows for change in _inline(label, each)]
    return tuple(sorted(told, key=attrgetter("name")))


def _inline(label: str, row: dict[str, Any]) -> Iterator[Change]:
    name = f"{label}, {row.get('row', '')}"
    if row.get("removed"):
        yield Change(name, "there", "removed")
    for field, (was, new) in _pairs(row):
        yield Change(f"{name}: {field.replace('_', ' ')}", _plain(was), _plain(new))


def _pairs(detail: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for name, value in detail.items():
        if isinstance(value, list) and len(value) == 2 and not all(isinstance(each, dict) for each in value):
            yield name, value


def _change(model: type[Model] | None, name: str, pair: list[Any], known: Names) -> Change:
    field = _field(model, name)
    label = str(getattr(field, "verbose_name", "") or name.replace("_", " "))
    was, new = (_value(field, value, known) for value in pair)
    return Change(label, was, new)


def _value(field: Any, value: Any, known: Names) -> str:
    related = getattr(field, "related_model", None)
    if related and value:
        return known.get((related, str(value)), f"number {value}")
    choices = dict(getattr(field, "flatchoices", ()) or ())
    return str(choices[value]) if isinstance(value, str) and value in choices else _plain(value)


def _plain(value: Any) -> str:
    if value in (None, "", []):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(each) for each in value)
    return _date(str(value))


def _date(text: str) -> str:
    """A date as people say it; any other text as it is."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return text
    return f"{words.day(day)} {day.year}" if text == day.isoformat() else text


def _rows(model: type[Model] | None, keys: Iterable[str]) -> Iterator[tuple[str, Model]]:
    if model is None:
        return
    found = model._default_manager.all()
    if model is Booking:
        found = found.select_related("patient")
    try:
        rows = found.in_bulk(list(keys))
    except (ValueError, ValidationError):
        return
    for pk, row in rows.items():
        yield str(pk), row


@cache
def _models() -> dict[str, type[Model]]:
    return {str(each._meta.model_name): each for label in OURS for each in apps.get_app_config(label).get_models()}


def _model(kind: str) -> type[Model] | None:
    return _models().get(kind)


def _field(model: type[Model] | None, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None


def _related(model: type[Model] | None, name: str) -> type[Model] | None:
    related = getattr(_field(model, name), "related_model", None)
    return related if isinstance(related, type) else None
