"""Tasks: given to somebody, noted, done once and opened again, each with who did it in the log."""

import datetime as dt

import pytest
from django.contrib.auth.models import User

from bookings import lifecycle
from bookings.models import Task, TaskKind
from bookings.models.task import NEEDS_CLINICIAN
from clinic.models import AuditEvent
from tests.desk import someone
from tests.factories import NOW

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def rae() -> User:
    return someone("reception")


@pytest.fixture
def mo() -> User:
    return someone("manager")


@pytest.fixture
def task(rae: User) -> Task:
    return Task.objects.create(kind=TaskKind.CALL_BACK, name="Caller", created_at=NOW, due_at=LATER)


def log(task: Task) -> list[tuple[str, str, dict[str, str]]]:
    events = AuditEvent.objects.filter(kind="task", key=str(task.pk)).order_by("id")
    return [(event.act, event.by.username if event.by else "", event.detail) for event in events]


def test_a_task_goes_to_somebody_and_back_to_nobody(task: Task, rae: User, mo: User) -> None:
    for to in (mo, mo, None):
        lifecycle.assign_task(task, to=to, by=rae, now=NOW)

    task.refresh_from_db()
    assert task.assigned_to is None
    assert log(task) == [
        ("assigned", "reception-1", {"before": "", "after": "manager-1"}),
        ("assigned", "reception-1", {"before": "manager-1", "after": ""}),
    ]


def test_only_who_may_do_tasks_gets_one(task: Task, rae: User, mo: User) -> None:
    practitioner = someone("practitioner")
    User.objects.filter(pk=mo.pk).update(is_active=False)
    gone = User.objects.get(pk=mo.pk)

    for to in (practitioner, gone):
        with pytest.raises(lifecycle.CannotDoTasks):
            lifecycle.assign_task(task, to=to, by=rae, now=NOW)
        with pytest.raises(lifecycle.CannotDoTasks):
            lifecycle.remind(note="Call", due_at=LATER, assigned_to=to, by=rae, now=NOW)

    assert list(lifecycle.assignees()) == [rae]
    assert (Task.objects.count(), log(task)) == (1, [])


def test_a_task_that_is_done_goes_to_nobody_else(task: Task, rae: User, mo: User) -> None:
    lifecycle.finish_task(task, by=rae, now=NOW)

    with pytest.raises(lifecycle.TaskIsDone):
        lifecycle.assign_task(task, to=mo, by=rae, now=NOW)


def test_it_is_done_once_and_opened_again_once(task: Task, rae: User, mo: User) -> None:
    assert lifecycle.finish_task(task, by=rae, now=NOW)
    assert not lifecycle.finish_task(task, by=mo, now=LATER)
    task.refresh_from_db()
    assert (task.done_at, task.done_by) == (NOW, rae)

    assert lifecycle.reopen_task(task, by=mo, now=LATER)
    assert not lifecycle.reopen_task(task, by=mo, now=LATER)
    task.refresh_from_db()
    assert (task.done_at, task.done_by) == (None, None)
    assert log(task) == [("done", "reception-1", {}), ("reopened", "manager-1", {})]


@pytest.mark.parametrize("kind", sorted(NEEDS_CLINICIAN))
def test_what_needs_a_clinician_is_finished_by_one_alone(task: Task, rae: User, mo: User, kind: str) -> None:
    Task.objects.update(kind=kind)
    task.refresh_from_db()
    chief = User.objects.create_user("chief", is_superuser=True)

    for by in (rae, mo, chief):
        with pytest.raises(lifecycle.ClinicianFinishes):
            lifecycle.finish_task(task, by=by, now=NOW)
    assert lifecycle.finish_task(task, by=someone("clinician"), now=NOW)

    assert log(task) == [("done", "clinician-1", {})]


def test_what_closed_by_itself_stays_closed(task: Task, rae: User) -> None:
    Task.objects.update(done_at=NOW)

    assert not lifecycle.reopen_task(task, by=rae, now=LATER)
    assert not Task.objects.open().exists()


def test_a_note_says_who_and_when_and_the_same_twice_is_one(task: Task, rae: User, mo: User) -> None:
    for by, text in ((rae, "No answer"), (rae, "No answer"), (mo, "No answer"), (rae, "Spoke to her")):
        lifecycle.add_task_note(task, text=text, by=by, now=NOW)

    notes = [(note.by.username, note.text, note.at) for note in task.notes.all()]
    assert notes == [
        ("reception-1", "No answer", NOW),
        ("manager-1", "No answer", NOW),
        ("reception-1", "Spoke to her", NOW),
    ]
    assert [act for act, _, _ in log(task)] == ["noted", "noted", "noted"]
    assert "No answer" not in str(log(task))


def test_a_reminder_pressed_twice_is_one_task(rae: User, mo: User) -> None:
    for _ in range(2):
        left = lifecycle.remind(note="Order gloves", due_at=LATER, assigned_to=mo, by=rae, now=NOW)

    assert Task.objects.get() == left
    assert (left.kind, left.due_at, left.assigned_to, left.booking) == (TaskKind.CALL_BACK, LATER, mo, None)
    assert log(left) == [("left", "reception-1", {"assigned_to": "manager-1"})]
