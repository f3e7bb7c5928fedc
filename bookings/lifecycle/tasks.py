"""What a person of the clinic is asked to do, by a patient or by a rule."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from bookings.lifecycle.refusals import CannotDoTasks, ClinicianFinishes, TaskIsDone
from bookings.lifecycle.safety import is_clinician
from bookings.models import Booking, Task, TaskKind, TaskNote
from clinic import audit
from clinic.models import Clinic
from clinic.opening import reply_by

# What is asked about a visit to come; it goes when the visit is over or called off.
BEFORE_THE_VISIT = (
    TaskKind.PHONE_PATIENT,
    TaskKind.RECHECK,
    TaskKind.SQUEEZED,
    TaskKind.REVIEW_LATE,
    TaskKind.GUARDIAN,
    TaskKind.HISTORY,
    TaskKind.MISSED_OFTEN,
)


def ask_us_to_call(
    *, clinic: Clinic, name: str, phone: str, note: str, booking: Booking | None = None, now: dt.datetime
) -> Task:
    """Leave a call-back on the desk, due within the clinic's reply time. ``phone`` is E.164.

    Who asks twice is called once.
    """
    asked = {"kind": TaskKind.CALL_BACK, "booking": booking, "name": name, "phone": phone, "note": note}
    location = booking.location if booking else clinic.locations.first()
    due_at = reply_by(clinic=clinic, location=location, now=now)
    return Task.objects.open().filter(**asked).first() or Task.objects.create(**asked, created_at=now, due_at=due_at)


def leave_task(booking: Booking, kind: TaskKind, *, now: dt.datetime, **fields: Any) -> Task:
    """One open task of a kind for each visit. Due within the reply time, unless ``fields`` say otherwise.

    A second one adds nothing but its note, and its urgency with the clock and whom to call.
    """
    location = booking.location
    found = Task.objects.open().filter(kind=kind, booking=booking).first()
    if found is None:
        due_at = fields.pop("due_at", None) or reply_by(clinic=location.clinic, location=location, now=now)
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


def assignees() -> QuerySet[User]:
    """Whom a task may be given to: active people who may do tasks."""
    return User.objects.with_perm("bookings.change_task").order_by("first_name", "last_name", "username")


def remind(
    *,
    note: str,
    due_at: dt.datetime,
    booking: Booking | None = None,
    name: str = "",
    phone: str = "",
    assigned_to: User | None = None,
    by: User,
    now: dt.datetime,
) -> Task:
    """Leave a task that a person thought of. The same one once more is the one that is there.

    Raises CannotDoTasks.
    """
    said = {"kind": TaskKind.CALL_BACK, "booking": booking, "name": name, "phone": phone, "note": note}
    with transaction.atomic():
        found = Task.objects.open().filter(**said, due_at=due_at).first()
        if found is not None:
            return found
        _refuse_assignee(assigned_to)
        task = Task.objects.create(**said, due_at=due_at, assigned_to=assigned_to, created_at=now)
        audit.record("left", task, by=by, now=now, assigned_to=_name(assigned_to))
    return task


def assign_task(task: Task, *, to: User | None, by: User, now: dt.datetime) -> Task:
    """Give an open task to somebody, or to nobody. To the same person again changes nothing.

    Raises CannotDoTasks, and TaskIsDone.
    """
    with transaction.atomic():
        task = _locked(task)
        if task.done_at is not None:
            raise TaskIsDone
        _refuse_assignee(to)
        if task.assigned_to != to:
            audit.record("assigned", task, by=by, now=now, before=_name(task.assigned_to), after=_name(to))
            task.assigned_to = to
            task.save(update_fields=["assigned_to"])
    return task


def add_task_note(task: Task, *, text: str, by: User, now: dt.datetime) -> TaskNote:
    """Add what somebody found out, also to a task that is done. The same words twice in a row count once."""
    with transaction.atomic():
        task = _locked(task)
        last = task.notes.last()
        if last is not None and (last.by, last.text) == (by, text):
            return last
        audit.record("noted", task, by=by, now=now)
        return TaskNote.objects.create(task=task, text=text, by=by, at=now)


def finish_task(task: Task, *, by: User, now: dt.datetime) -> bool:
    """Tick a task off; whether it was open until now. Who ticked it first stays. Raises ClinicianFinishes."""
    if task.needs_clinician and not is_clinician(by):
        raise ClinicianFinishes
    with transaction.atomic():
        is_first = bool(Task.objects.open().filter(pk=task.pk).update(done_at=now, done_by=by))
        if is_first:
            audit.record("done", task, by=by, now=now)
    return is_first


def reopen_task(task: Task, *, by: User, now: dt.datetime) -> bool:
    """Take back that a person ticked it off; whether anything changed. What closed by itself stays closed."""
    with transaction.atomic():
        ticked_off = Task.objects.filter(pk=task.pk, done_by__isnull=False)
        is_open_again = bool(ticked_off.update(done_at=None, done_by=None))
        if is_open_again:
            audit.record("reopened", task, by=by, now=now)
    return is_open_again


def _locked(task: Task) -> Task:
    return Task.objects.select_for_update(of=("self",), no_key=True).select_related("assigned_to").get(pk=task.pk)


def _refuse_assignee(to: User | None) -> None:
    if to is not None and not (to.is_active and to.has_perm("bookings.change_task")):
        raise CannotDoTasks


def _name(user: User | None) -> str:
    return user.get_username() if user else ""


def close_tasks(booking: Booking, *kinds: TaskKind, now: dt.datetime) -> int:
    """What happened since makes these needless; returns how many."""
    return Task.objects.open().filter(booking=booking, kind__in=kinds).update(done_at=now)


def reopen_tasks(booking: Booking, *, closed_at: dt.datetime) -> int:
    """What an act made needless is needed again once it is taken back; what a person did stays done."""
    return Task.objects.filter(booking=booking, done_at=closed_at, done_by=None).update(done_at=None)
