"""Who and what is away, and when the house is closed: entered, changed and taken back, each with its line in the log.

An absence may be entered over visits that are booked already; they stay, and show as visits to move.
"""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from clinic import audit
from clinic.models import Absence, Location, Resource

# Of an absence: what may change, and what the log keeps.
TOLD = ("starts_at", "ends_at", "reason", "is_lifted")


def enter(
    who: Resource | Location,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str = "",
    by: User,
    now: dt.datetime,
) -> Absence:
    """Somebody or something is away, or a house is closed. The very same entry again changes nothing."""
    fields = {**_whose(who), "starts_at": starts_at, "ends_at": ends_at, "reason": reason}
    with transaction.atomic():
        _lock(who)
        there = Absence.objects.in_force().filter(**fields).first()
        if there is not None:
            return there
        absence = Absence.objects.create(**fields)
        audit.record("added", absence, by=by, now=now, who=str(who), **_told(absence))
    return absence


def change(
    absence: Absence, *, starts_at: dt.datetime, ends_at: dt.datetime, reason: str, by: User, now: dt.datetime
) -> Absence:
    """Other times, or another reason. What is as it was leaves no line in the log."""
    with transaction.atomic():
        found = Absence.objects.select_for_update().get(pk=absence.pk)
        before = _told(found)
        found.starts_at, found.ends_at, found.reason = starts_at, ends_at, reason
        if _told(found) != before:
            found.save()
            audit.record("changed", found, by=by, now=now, **_differences(before, _told(found)))
    return found


def lift(absence: Absence, *, by: User, now: dt.datetime) -> bool:
    """Take it back: what has begun ends now, the rest goes. False when somebody did so before.

    A public holiday keeps its row, so that nothing enters it again.
    """
    with transaction.atomic():
        found = Absence.objects.in_force().select_for_update().filter(pk=absence.pk, ends_at__gt=now).first()
        if found is None:
            return False
        before = _told(found)
        if found.holiday_on is not None:
            found.is_lifted = True
            found.save(update_fields=["is_lifted"])
            audit.record("opened", found, by=by, now=now, **_differences(before, _told(found)))
        elif found.starts_at < now:
            found.ends_at = now
            found.save(update_fields=["ends_at"])
            audit.record("ended", found, by=by, now=now, **_differences(before, _told(found)))
        else:
            audit.record("deleted", found, by=by, now=now, was=str(found), **before)
            found.delete()
    return True


def leave(practitioner: Resource, *, on: dt.date | None, by: User, now: dt.datetime) -> bool:
    """From that day on nothing is booked with them; None: they stay. False when that was known."""
    with transaction.atomic():
        found = Resource.objects.practitioners().select_for_update().get(pk=practitioner.pk)
        if found.retired_on == on:
            return False
        before, found.retired_on = found.retired_on, on
        found.save(update_fields=["retired_on"])
        audit.record("changed", found, by=by, now=now, retired_on=[_plain(before), _plain(on)])
    return True


def _whose(who: Resource | Location) -> dict[str, Any]:
    return {"resource": who, "location": None} if isinstance(who, Resource) else {"resource": None, "location": who}


def _lock(who: Resource | Location) -> None:
    """Two presses of one button come one after the other."""
    rows = Resource.objects if isinstance(who, Resource) else Location.objects
    list(rows.select_for_update(no_key=True).filter(pk=who.pk).values_list("pk"))


def _told(absence: Absence) -> dict[str, Any]:
    return {name: _plain(getattr(absence, name)) for name in TOLD}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: [was, after[name]] for name, was in before.items() if was != after[name]}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
