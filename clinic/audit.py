"""Writing audit rows."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from clinic.models import AuditEvent


def record(act: str, subject: Model, *, by: User | None, now: dt.datetime, **detail: Any) -> AuditEvent:
    """Add one row about ``subject``. ``by`` None means the system. Call it inside the act's own transaction."""
    kind = subject._meta.model_name or ""
    return AuditEvent.objects.create(at=now, by=by, act=act, kind=kind, key=str(subject.pk), detail=detail)
