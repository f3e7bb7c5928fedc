"""Versions and signatures of what patients read: an edit is the next version, a signature stands under one version."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction

from clinic.models import HistoryRule, Item, Part, Question, Review, Reviewed, Revision, Rule, Source, Wording
from clinic.models.shown import kind_of, reviewed_fields

SOURCE_CODE = re.compile(r"\bS\d+[a-z]?\b")
# All that a clinician signs, in the order in which it is read.
SIGNED_MODELS: tuple[type[Reviewed], ...] = (Item, Question, Part, Rule, HistoryRule, Wording)
SIGNATURE_FIELDS = ("reviewer", "registration", "signed_at", "signed_by", "next_review_on")


class ChangedMeanwhile(Exception):
    """Someone edited the text while the clinician read it."""

    def __init__(self) -> None:
        super().__init__("This text was changed while you read it. Read it again before you sign.")


@transaction.atomic
def record_revision(row: Reviewed, *, by: AbstractBaseUser | None, now: dt.datetime) -> Revision:
    """Call after saving an edit: what ``row`` says now becomes its next version. Unchanged words keep their version."""
    # Two editors at once: the second waits here and takes the next number.
    type(row)._default_manager.select_for_update().get(pk=row.pk)
    last = Revision.objects.filter(kind=kind_of(row), code=row.code).first()
    if last and last.fields == reviewed_fields(row):
        return last
    row.version = last.version + 1 if last else row.version
    row.save(update_fields=["version"])
    revision = revision_of(row, now=now, by=by)
    revision.save()
    return revision


def sign_off(
    row: Reviewed, *, reviewer: str, registration: str, by: AbstractBaseUser, now: dt.datetime, next_review_on: dt.date
) -> Review:
    """A clinician's signature under the version in ``row``; from now on patients see it. Signing again renews it."""
    return sign_all([row], reviewer=reviewer, registration=registration, by=by, now=now, next_review_on=next_review_on)[
        0
    ]


@transaction.atomic
def sign_all(
    rows: Sequence[Reviewed],
    *,
    reviewer: str,
    registration: str,
    by: AbstractBaseUser,
    now: dt.datetime,
    next_review_on: dt.date,
) -> list[Review]:
    """The same for many rows of any kind, all or none; raises ChangedMeanwhile if one no longer has its version."""
    for same in _alike(rows):
        unchanged = type(same[0])._default_manager.filter(pk__in=[row.pk for row in same], version=same[0].version)
        if unchanged.update(signed_version=same[0].version) != len(same):
            raise ChangedMeanwhile
    revisions = [revision for kind in _by_kind(rows) for revision in _revisions_of(kind)]
    reviews = [
        Review(
            revision=revision,
            reviewer=reviewer,
            registration=registration,
            signed_at=now,
            signed_by_id=by.pk,
            next_review_on=next_review_on,
        )
        for revision in revisions
    ]
    Review.objects.bulk_create(
        reviews, update_conflicts=True, unique_fields=["revision"], update_fields=SIGNATURE_FIELDS
    )
    for row in rows:
        row.signed_version = row.version
    return reviews


def revision_of(row: Reviewed, *, now: dt.datetime, by: AbstractBaseUser | None = None) -> Revision:
    """What ``row`` says now, as the version it carries; not saved yet."""
    return Revision(
        kind=kind_of(row),
        code=row.code,
        version=row.version,
        fields=reviewed_fields(row),
        written_at=now,
        written_by_id=by.pk if by else None,
    )


def cite(rows: Sequence[Item | Question]) -> None:
    """Link the sources that the evidence of each row names."""
    if not rows:
        return
    links: type[models.Model] = type(rows[0]).sources.through
    column = f"{kind_of(rows[0])}_id"
    sources = dict(Source.objects.values_list("code", "pk"))
    links._default_manager.filter(**{f"{column}__in": [row.pk for row in rows]}).delete()
    links._default_manager.bulk_create(
        links(**{column: row.pk, "source_id": sources[code]}) for row in rows for code in codes_in(row.evidence)
    )


def codes_in(evidence: object) -> list[str]:
    """The source codes that the words of an evidence name, each once."""
    return list(dict.fromkeys(SOURCE_CODE.findall(str(evidence))))


def _by_kind(rows: Sequence[Reviewed]) -> list[list[Reviewed]]:
    found: dict[str, list[Reviewed]] = defaultdict(list)
    for row in rows:
        found[kind_of(row)].append(row)
    return list(found.values())


def _alike(rows: Sequence[Reviewed]) -> list[list[Reviewed]]:
    """By model and version, so that one statement can see whether all of them still have it."""
    found: dict[tuple[str, int], list[Reviewed]] = defaultdict(list)
    for row in rows:
        found[kind_of(row), row.version].append(row)
    return list(found.values())


def _revisions_of(rows: Sequence[Reviewed]) -> list[Revision]:
    """The revision of the version that each row of one model carries, in their order."""
    wanted = [(row.code, row.version) for row in rows]
    written = Revision.objects.filter(kind=kind_of(rows[0]), code__in=[code for code, _ in wanted])
    by_version = {(revision.code, revision.version): revision for revision in written}
    return [by_version[each] for each in wanted]
