"""What a person of the clinic is asked to do, by a patient or by a rule."""

import datetime as dt
from typing import Any

from bookings.models import Booking, Task, TaskKind
from clinic.models import Clinic
from clinic.opening import reply_by

# What is asked about a visit to come; it goes when the visit is over or called off.
BEFORE_THE_VISIT = (
    TaskKind.RECHECK,
    TaskKind.SQUEEZED,
    TaskKind.REVIEW_LATE,
    TaskKind.GUARDIAN,
    TaskKind.HISTORY,
)


def ask_us_to_call(
    *, clinic: Clinic, name: str, phone: str, note: str, booking: Booking | None = None, now: dt.datetime
) -> Task:
    """Leave a call-back on the desk, due within the clinic's reply time. ``phone`` is E.164.

    Who asks twice is called once.
    """
    asked = {"kind": TaskKind.CALL_BACK, "booking": booking, "name": name, "phone": phone, "note": note}
    location = booking.location if booking else clinic.locations.first()
    due_at = reply_by(clinic=clinic, zone=location.zone if location else dt.UTC, now=now)
    return Task.objects.open().filter(**asked).first() or Task.objects.create(**asked, created_at=now, due_at=due_at)


def leave_task(booking: Booking, kind: TaskKind, *, now: dt.datetime, **fields: Any) -> Task:
    """One open task of a kind for each visit. Due within the reply time, unless ``fields`` say otherwise.

    A second one adds nothing but its note, and its urgency with the clock and whom to call.
    """
    clinic, zone = booking.location.clinic, booking.location.zone
    found = Task.objects.open().filter(kind=kind, booking=booking).first()
    if found is None:
        due_at = fields.pop("due_at", None) or reply_by(clinic=clinic, zone=zone, now=now)
        return Task.objects.create(kind=kind, booking=booking, created_at=now, due_at=due_at, **fields)
    note = fields.get("note", "")
    if note and note not in found.note:
        found.note = f"{found.note}\n{note}".strip()
        found.save(update_fields=["note"])
    if fields.get("is_urgent") and not found.is_urgent:
        _make_urgent(found, fields)
    return found


def _make_urgent(task: Task, fields: dict[str, Any]) -> None:
    task.is_urgent = True
    task.due_at = min(task.due_at, fields.get("due_at") or task.due_at)
    task.name, task.phone = fields.get("name", task.name), fields.get("phone", task.phone)
    task.save(update_fields=["is_urgent", "due_at", "name", "phone"])


def close_tasks(booking: Booking, *kinds: TaskKind, now: dt.datetime) -> int:
    """What happened since makes these needless; returns how many."""
    return Task.objects.open().filter(booking=booking, kind__in=kinds).update(done_at=now)
