"""Writing audit rows."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from clinic.models import AuditEvent

READ = "read"
# Within this time the same page of the same record is still the same look at it.
ONE_LOOK = dt.timedelta(minutes=5)


def record(act: str, subject: Model, *, by: User | None, now: dt.datetime, **detail: Any) -> AuditEvent:
    """Add one row about ``subject``. ``by`` None means the system. Call it inside the act's own transaction."""
    kind = subject._meta.model_name or ""
    return AuditEvent.objects.create(at=now, by=by, act=act, kind=kind, key=str(subject.pk), detail=detail)


def read(*subjects: Model, page: str, by: User, now: dt.datetime) -> None:
    """Write down that somebody looked at these records, all of one kind: once for each page and look.

    A page that keeps itself fresh, or is loaded again, adds nothing for a while.
    """
    if not subjects:
        return
    kind, keys = subjects[0]._meta.model_name or "", [str(each.pk) for each in subjects]
    looks = AuditEvent.objects.filter(act=READ, kind=kind, key__in=keys, by=by, at__gt=now - ONE_LOOK)
    seen = set(looks.filter(detail__page=page).values_list("key", flat=True))
    _write(kind, [key for key in keys if key not in seen], page, by, now)


def _write(kind: str, keys: Iterable[str], page: str, by: User, now: dt.datetime) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now, by=by, act=READ, kind=kind, key=key, detail={"page": page}) for key in keys
    )
