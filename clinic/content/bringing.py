"""Bringing a content file in: what is missing is added as it stands, what differs becomes a next version.

Nothing that stands here is lost, and signed words change only by a signature:

- A text or rule that is not here is added with its versions and signatures.
- Where the words differ, those of the file become our next version. Signed in the file, they count as signed here too,
  under the name in the file; unsigned, they are a draft, and patients keep what was signed here last.
- Words that we had before, and have moved on from, stay in the past: ours are newer.
- The same words, signed there and not here, take the signature over.
- What no signature covers (order, titles, sources and when they were checked) follows the file; of two days on which a
  source was checked, the later stays. What is here and not in the file stays.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from clinic.content.packs import SECTIONS, BadPack, Pack, PackedRevision, PackedRow, Section, Signature, plain
from clinic.content.versions import record_revision
from clinic.models import AuditEvent, Clinic, Review, Reviewed, Revision, Source
from clinic.models.shown import kind_of, reviewed_fields, whole


class Act(StrEnum):
    ADD = "Added"
    CHANGE = "New version"
    SIGN = "Signed"
    PLACE = "Changed around it"
    KEEP = "Ours is newer and stays"


@dataclass(frozen=True)
class Step:
    """New words for a row that is here, or (``fields`` None) a signature under the words it has."""

    fields: dict[str, Any] | None
    signature: Signature | None


@dataclass(frozen=True)
class Change:
    """What one row of the file does here. ``lines`` are the columns that change: name, what it says now, what then."""

    act: Act
    packed: PackedRow
    steps: tuple[Step, ...] = ()
    lines: tuple[tuple[str, Any, Any], ...] = ()

    @property
    def code(self) -> str:
        return self.packed.code

    @property
    def kind(self) -> str:
        return str(SECTIONS[self.packed.section].model._meta.verbose_name)

    @property
    def is_draft(self) -> bool:
        """It brings words that wait for a signature here."""
        if self.act is Act.ADD:
            return isinstance(self.packed.row, Reviewed) and not self.packed.row.is_signed
        return bool(self.steps) and self.steps[-1].signature is None


@dataclass(frozen=True)
class Plan:
    changes: tuple[Change, ...]
    same: int

    @property
    def digest(self) -> str:
        """Equal for two plans that do the same."""
        told = [(each.act, each.packed.section, each.code, each.steps, each.lines) for each in self.changes]
        return sha256(repr(told).encode()).hexdigest()

    @property
    def does_nothing(self) -> bool:
        return all(change.act is Act.KEEP for change in self.changes)


def plan(pack: Pack) -> Plan:
    """What bringing ``pack`` in would do; it only reads. Raises BadPack when it cannot stand beside what is here."""
    history = _history()
    written = pack.written()
    changes = []
    for name, rows in pack.rows.items():
        present = _present(SECTIONS[name])
        for packed in rows:
            ours = present.get(packed.code)
            changes.append(_change(packed, ours, written, history) if ours else Change(Act.ADD, packed))
    found = tuple(change for change in changes if change is not None)
    return Plan(found, same=len(changes) - len(found))


@transaction.atomic
def bring_in(pack: Pack, *, by: User | None, now: dt.datetime) -> Plan:
    """Do it, and say what was done. ``by`` answers for the signatures in the file: BadPack where nobody does."""
    if pack.is_signed and by is None:
        raise BadPack("The file carries signatures. Somebody who is known here has to answer for them.")
    # One at a time: two that add the same would collide.
    list(Clinic.objects.select_for_update())
    decided = plan(pack)
    by_section: dict[str, list[Change]] = defaultdict(list)
    for change in decided.changes:
        by_section[change.packed.section].append(change)
    for name, changes in by_section.items():
        _add(SECTIONS[name], [change.packed for change in changes if change.act is Act.ADD])
        for change in changes:
            if change.act in (Act.CHANGE, Act.SIGN, Act.PLACE):
                _alter(change, by=by, now=now)
    _add_revisions(pack, decided, by=by)
    _audit(decided, by=by, now=now)
    return decided


def _present(section: Section) -> dict[str, Any]:
    rows = section.model._default_manager.all()
    rows = rows.select_related(section.parent[0]) if section.parent else rows
    rows = rows.prefetch_related("sources") if section.has_sources else rows
    found: Iterable[Any] = rows
    return {row.code: row for row in found}


def _history() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """All that was ever said here, from old to new, by kind and code."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for revision in Revision.objects.order_by("version"):
        found[revision.kind, revision.code].append(revision.fields)
    return found


def _change(packed: PackedRow, ours: Any, written: Any, history: Any) -> Change | None:
    """None when everything is the same already."""
    _refuse_other_parent(packed, ours)
    lines = tuple(_place_lines(packed, ours))
    if not isinstance(ours, Reviewed):
        return Change(Act.PLACE, packed, lines=lines) if lines else None
    name = kind_of(ours), ours.code
    steps, is_older = _steps(packed.row, ours, written[name], [whole(ours, fields) for fields in history[name]])
    if is_older:
        return Change(Act.KEEP, packed)
    if not steps:
        return Change(Act.PLACE, packed, lines=lines) if lines else None
    is_new = any(step.fields is not None for step in steps)
    return Change(Act.CHANGE if is_new else Act.SIGN, packed, tuple(steps), (*_word_lines(packed.row, ours), *lines))


def _steps(
    theirs: Reviewed, ours: Reviewed, written: dict[int, PackedRevision], said: list[dict[str, Any]]
) -> tuple[list[Step], bool]:
    """What brings our row to theirs: first what is signed there, then the draft. And whether ours is the newer one."""
    now, is_signed, steps, is_older = reviewed_fields(ours), ours.is_signed, list[Step](), False
    for version in sorted({theirs.signed_version or theirs.version, theirs.version}):
        told = [whole(theirs, written[each].fields) for each in sorted(written) if each <= version]
        signature = written[version].review if theirs.signed_version == version else None
        is_older = told[-1] != now and _is_older(told, now, said)
        if told[-1] == now and signature and not is_signed:
            steps.append(Step(None, signature))
            is_signed = True
        elif told[-1] != now and not is_older:
            steps.append(Step(told[-1], signature))
            now, is_signed = told[-1], signature is not None
    return steps, is_older and not steps


def _is_older(told: list[dict[str, Any]], now: dict[str, Any], said: list[dict[str, Any]]) -> bool:
    """Whether we had what the file says last, and went on from there. ``told`` and ``said`` go from old to new."""
    return said[: len(told)] == told or (told[-1] in said and now not in told)


def _place_lines(packed: PackedRow, ours: Any) -> Iterator[tuple[str, Any, Any]]:
    section = SECTIONS[packed.section]
    for name in section.places:
        old, new = getattr(ours, name), getattr(packed.row, name)
        if name == "last_checked_on" and old and (new is None or new < old):
            continue
        if old != new:
            yield name, plain(old), plain(new)
    if section.parent and getattr(ours, section.parent[0]).code != packed.parent:
        yield section.parent[0], getattr(ours, section.parent[0]).code, packed.parent
    if section.has_sources:
        cited = [source.code for source in ours.sources.all()]
        if set(cited) != set(packed.sources):
            yield "sources", cited, list(packed.sources)


def _word_lines(theirs: Reviewed, ours: Reviewed) -> Iterator[tuple[str, Any, Any]]:
    for name, new in reviewed_fields(theirs).items():
        if getattr(ours, name) != new:
            yield name, getattr(ours, name), new


def _refuse_other_parent(packed: PackedRow, ours: Any) -> None:
    """A part belongs to its question and a rule to its part: moved, the same code would mean something else."""
    parent = SECTIONS[packed.section].parent
    if parent and parent[0] != "topic" and getattr(ours, parent[0]).code != packed.parent:
        here = getattr(ours, parent[0]).code
        raise BadPack(f"{packed.section}, {packed.code}: here it belongs to {here}, in the file to {packed.parent}.")


def _add(section: Section, rows: list[PackedRow]) -> None:
    if not rows:
        return
    if section.parent:
        column, name = section.parent
        parents = dict(SECTIONS[name].model._default_manager.values_list("code", "pk"))
        for packed in rows:
            setattr(packed.row, f"{column}_id", parents[packed.parent])
    section.model._default_manager.bulk_create([packed.row for packed in rows])
    if section.has_sources:
        for packed in rows:
            packed.row.sources.set(_sources(packed))


def _alter(change: Change, *, by: User | None, now: dt.datetime) -> None:
    section = SECTIONS[change.packed.section]
    row: Any = section.model._default_manager.select_for_update().get(code=change.code)
    for name, _, new in change.lines:
        if name in section.places:
            setattr(row, name, getattr(change.packed.row, name))
        elif section.parent and name == section.parent[0]:
            setattr(row, name, SECTIONS[section.parent[1]].model._default_manager.get(code=new))
    row.save()
    if section.has_sources:
        row.sources.set(_sources(change.packed))
    for step in change.steps:
        _take(row, step, by=by, now=now)


def _take(row: Reviewed, step: Step, *, by: User | None, now: dt.datetime) -> None:
    # What was saved without a version of its own gets one first: it must not be taken for the version below it.
    revision = record_revision(row, by=None, now=now)
    if step.fields is not None:
        for name, value in step.fields.items():
            setattr(row, name, value)
        row.save()
        revision = record_revision(row, by=by, now=now)
    if step.signature:
        row.signed_version = row.version
        row.save(update_fields=["signed_version"])
        _review(revision, step.signature, by).save()


def _add_revisions(pack: Pack, decided: Plan, *, by: User | None) -> None:
    """The versions and signatures of what was added, and of what the file alone remembers."""
    known = set(Revision.objects.values_list("kind", "code").distinct())
    wanted = [revision for revision in pack.revisions if (revision.kind, revision.code) not in known]
    made = [
        Revision(kind=each.kind, code=each.code, version=each.version, fields=each.fields, written_at=each.written_at)
        for each in wanted
    ]
    Revision.objects.bulk_create(made)
    Review.objects.bulk_create(
        _review(revision, each.review, by) for revision, each in zip(made, wanted, strict=True) if each.review
    )


def _review(revision: Revision, signature: Signature, by: User | None) -> Review:
    assert by is not None, "a file with signatures is refused when nobody answers for them"
    return Review(
        revision=revision,
        reviewer=signature.reviewer,
        registration=signature.registration,
        signed_at=signature.signed_at,
        signed_by=by,
        next_review_on=signature.next_review_on,
    )


def _sources(packed: PackedRow) -> list[Source]:
    return list(Source.objects.filter(code__in=packed.sources))


def _audit(decided: Plan, *, by: User | None, now: dt.datetime) -> None:
    done = [change for change in decided.changes if change.act is not Act.KEEP]
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=now,
            by=by,
            act="brought in",
            kind=SECTIONS[change.packed.section].model._meta.model_name or "",
            key=change.code,
            detail={"what": change.act.value},
        )
        for change in done
    )
