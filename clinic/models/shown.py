"""What patients see of a reviewed row: its last signed version, or the present one as a draft."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from clinic.models.review import Reviewed, Revision


@dataclass(frozen=True)
class Shown:
    """One version of a row; ``fields`` are those a signature covers."""

    code: str
    version: int
    fields: dict[str, Any]
    is_signed: bool


# How rows become what is shown: ``shown`` for patients, ``as_edited`` for whoever tries a draft out.
Versions = Callable[[Sequence[Reviewed]], list[Shown]]


def kind_of(row: Reviewed) -> str:
    return row._meta.model_name or ""


def reviewed_fields(row: Reviewed) -> dict[str, Any]:
    """What a signature under ``row`` would cover, as it stands in memory."""
    return {name: getattr(row, name) for name in row.REVIEWED_FIELDS}


def checksum(row: Reviewed) -> str:
    """The same for equal reviewed fields, across processes and years."""
    return sha256(json.dumps(reviewed_fields(row), sort_keys=True).encode()).hexdigest()


def shown(rows: Sequence[Reviewed]) -> list[Shown]:
    """One per row of one model, in order. Asks the database once, and only if an edit waits for its signature."""
    signed = _signed_fields([row for row in rows if row.signed_version and not row.is_signed])
    return [_shown(row, signed.get(row.code)) for row in rows]


def as_edited(rows: Sequence[Reviewed]) -> list[Shown]:
    """What patients would see if everything that waits were signed."""
    return [Shown(row.code, row.version, reviewed_fields(row), row.is_signed) for row in rows]


def whole(row: Reviewed, fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` of an older revision, with the usual value of what did not exist when it was written."""
    usual = {
        field.name: field.get_default() for field in row._meta.concrete_fields if field.name in row.REVIEWED_FIELDS
    }
    return usual | {name: value for name, value in fields.items() if name in usual}


def read_back(versions: Iterable[tuple[str, int]], *models: type[Reviewed]) -> dict[tuple[str, int], Revision]:
    """What exactly these versions, as (code, version), said then, with their signature if they have one.

    One query, among ``models``. A version that nobody wrote down is left out.
    """
    wanted = set(versions)
    if not wanted:
        return {}
    found = Revision.objects.filter(
        kind__in=[model._meta.model_name for model in models],
        code__in={code for code, _ in wanted},
        version__in={version for _, version in wanted},
    ).select_related("review")
    return {(each.code, each.version): each for each in found if (each.code, each.version) in wanted}


def _shown(row: Reviewed, signed: dict[str, Any] | None) -> Shown:
    if signed is None or row.signed_version is None:
        return Shown(row.code, row.version, reviewed_fields(row), row.is_signed)
    return Shown(row.code, row.signed_version, whole(row, signed), is_signed=True)


def _signed_fields(rows: Sequence[Reviewed]) -> dict[str, dict[str, Any]]:
    if not rows:
        return {}
    wanted = {row.code: row.signed_version for row in rows}
    revisions = Revision.objects.filter(kind=kind_of(rows[0]), code__in=wanted, version__in=set(wanted.values()))
    return {revision.code: revision.fields for revision in revisions if revision.version == wanted[revision.code]}
