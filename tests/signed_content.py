"""The real content, signed: read from its files by the loader once in a process, then written again row for row."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection, models
from django.db.models import F

from clinic import content
from clinic.models import Item, Question, Revision, Source, Topic

# Those that others point at come first.
LINKS: list[type[models.Model]] = [Item.sources.through, Question.sources.through]
MODELS: list[type[models.Model]] = [Source, Topic, *content.SIGNED_MODELS, Revision, *LINKS]
_kept: dict[dt.datetime, list[tuple[str, Sequence[Any]]]] = {}


def load(now: dt.datetime) -> None:
    """As if a clinician had signed all of it at once. Whatever stands there already, the loader itself looks after."""
    is_empty = not any(model._default_manager.exists() for model in MODELS)
    if is_empty and now in _kept:
        _write(_kept[now])
        return
    content.load(now=now)
    for model in content.SIGNED_MODELS:
        model._default_manager.update(signed_version=F("version"))
    if is_empty:
        _kept[now] = [_rows_of(model) for model in MODELS]


def _rows_of(model: type[models.Model]) -> tuple[str, Sequence[Any]]:
    """The statement that writes a table's rows again, with their numbers, and the rows."""
    columns = [connection.ops.quote_name(str(field.column)) for field in model._meta.concrete_fields]
    names = ", ".join(columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {table} ORDER BY 1")
        rows = cursor.fetchall()
    marks = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", rows


def _write(kept: Sequence[tuple[str, Sequence[Any]]]) -> None:
    with connection.cursor() as cursor:
        for statement, rows in kept:
            cursor.executemany(statement, rows)
