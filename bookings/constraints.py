"""``NoOverlap``: no two rows of one resource overlap in time, kept by the database itself.

PostgreSQL gets an exclusion constraint over two range types, so it needs no extension and no superuser. SQLite gets two
triggers. Both get the length rule in plain SQL, so that the bare ``sqlite3`` program can insert, dump and restore.
"""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import BaseConstraint, Model

# The words by which an IntegrityError is known as ours; the constraint's name is in the message on both databases.
OVERLAP_NAMES: set[str] = set()


def is_overlap(error: IntegrityError) -> bool:
    """Whether the database refused because two rows of one resource would overlap."""
    return any(name in str(error) for name in OVERLAP_NAMES)


class NoOverlap(BaseConstraint):
    """Rows with the same ``resource`` never overlap in [``start``, ``end``), and last at most ``longest``.

    ``longest`` lets a read of a window bound ``start`` from below and so stay on the (resource, start) index.
    """

    default_violation_error_message = "This time is already taken."

    def __init__(self, *, resource: str, start: str, end: str, longest: dt.timedelta, name: str) -> None:
        super().__init__(name=name)
        self.resource, self.start, self.end, self.longest = resource, start, end, longest
        OVERLAP_NAMES.add(name)

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        path, _, _ = super().deconstruct()
        return path, (), self._arguments()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoOverlap) and self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash(tuple(self._arguments().values()))

    def _arguments(self) -> dict[str, Any]:
        return {
            "resource": self.resource,
            "start": self.start,
            "end": self.end,
            "longest": self.longest,
            "name": self.name,
        }

    def validate(self, model: type[Model], instance: Model, exclude: Any = None, using: str = DEFAULT_DB_ALIAS) -> None:
        """Raise ValidationError when a stored row is in the way; forms ask this before the database has to."""
        if exclude and {self.resource, self.start, self.end} & set(exclude):
            return
        start, end = getattr(instance, self.start), getattr(instance, self.end)
        if start is None or end is None:
            return
        if not dt.timedelta() < end - start <= self.longest:
            raise ValidationError(f"It must end after it starts, and last at most {self.longest}.", code="length")
        others = model._default_manager.using(using).filter(
            **{self.resource: getattr(instance, self.resource), f"{self.start}__lt": end, f"{self.end}__gt": start}
        )
        if others.exclude(pk=instance.pk).exists():
            raise ValidationError(str(self.violation_error_message), code="overlap")

    def constraint_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        """The part of CREATE TABLE. SQLite's triggers follow as deferred statements, after every table rebuild too."""
        assert model
        assert schema_editor
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.deferred_sql.extend(self._triggers(model, schema_editor))
            return self._length_check(model, schema_editor)
        return f"{self._exclusion(model, schema_editor)}, {self._length_check(model, schema_editor)}"

    def create_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        """For a table that is there already; SQLite's editor rebuilds the table instead of asking."""
        assert model
        assert schema_editor
        table = schema_editor.quote_name(model._meta.db_table)
        exclusion, length = self._exclusion(model, schema_editor), self._length_check(model, schema_editor)
        return f"ALTER TABLE {table} ADD {exclusion}, ADD {length}"

    def remove_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        assert model
        assert schema_editor
        quote = schema_editor.quote_name
        table, name, length = quote(model._meta.db_table), quote(self.name), quote(self._length_name)
        return f"ALTER TABLE {table} DROP CONSTRAINT {name}, DROP CONSTRAINT {length}"

    @property
    def _length_name(self) -> str:
        return f"{self.name}_length"

    def _columns(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> tuple[str, str, str]:
        names = (self.resource, self.start, self.end)
        columns = [str(getattr(model._meta.get_field(name), "column", "")) for name in names]
        resource, start, end = map(schema_editor.quote_name, columns)
        return resource, start, end

    def _exclusion(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        resource, start, end = self._columns(model, schema_editor)
        return (
            f"CONSTRAINT {schema_editor.quote_name(self.name)} EXCLUDE USING gist "
            f"(int8range({resource}, {resource}, '[]') WITH &&, tstzrange({start}, {end}) WITH &&)"
        )

    def _length_check(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:
        """Written in plain SQL: a CHECK made of Django expressions calls functions that bare ``sqlite3`` lacks."""
        _, start, end = self._columns(model, schema_editor)
        minutes = int(self.longest / dt.timedelta(minutes=1))
        if schema_editor.connection.vendor == "sqlite":
            fits = f"round((julianday({end}) - julianday({start})) * 1440) BETWEEN 1 AND {minutes}"
        else:
            fits = f"{end} > {start} AND {end} - {start} <= interval '{minutes} minutes'"
        return f"CONSTRAINT {schema_editor.quote_name(self._length_name)} CHECK ({fits})"

    def _triggers(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        """One for INSERT, which must not read NEW.id (undefined there), and one for UPDATE, which leaves OLD.id out."""
        columns = self._columns(model, schema_editor)
        table = Table(model._meta.db_table, schema_editor.quote_name)
        return [
            _trigger(table, f"{self.name}_on_insert", "INSERT", columns, self.name, others=""),
            _trigger(table, f"{self.name}_on_update", "UPDATE", columns, self.name, others="AND o.id <> OLD.id "),
        ]


def _trigger(
    table: Table, name: str, event: str, columns: tuple[str, str, str], constraint: str, *, others: str
) -> Statement:
    """Stored rows never overlap, so only the latest one that starts before the new end can be in the way."""
    resource, start, end = columns
    return Statement(
        f'CREATE TRIGGER "{name}" BEFORE {event} ON %(table)s '
        f"WHEN NEW.{start} < (SELECT o.{end} FROM %(table)s o "
        f"WHERE o.{resource} = NEW.{resource} AND o.{start} < NEW.{end} {others}"
        f"ORDER BY o.{start} DESC LIMIT 1) "
        f"BEGIN SELECT RAISE(ABORT, '{constraint}'); END",
        table=table,
    )
