"""The desk's tasks: whose they are, what was found out, done and open again, and a reminder of one's own."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from bookings import lifecycle
from bookings.models import Task, TaskKind
from clinic.models import AuditEvent
from tests.desk import MONDAY, page_of, signed_in, someone, words_of
from tests.factories import NOW, World, local, make_practitioner, open_weekdays

pytestmark = pytest.mark.django_db

LIST = "/desk/tasks/"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def reception(world: World) -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


@pytest.fixture
def rae(reception: Client) -> User:
    return User.objects.get(username="reception-1")


def make_task(minutes: int = 30, **fields: Any) -> Task:
    said = {"kind": TaskKind.CALL_BACK, "name": "Cal Ler", "phone": "+12125550199", "created_at": NOW, **fields}
    return Task.objects.create(due_at=NOW + dt.timedelta(minutes=minutes), **said)


def at(name: str, task: Task) -> str:
    return reverse(f"desk:{name}", args=[task.pk])


def test_the_list_is_everyones_mine_or_done_lately(reception: Client, rae: User) -> None:
    nobodys, mine = make_task(60), make_task(90, assigned_to=rae, is_urgent=True)
    finished = make_task(10, done_at=NOW - dt.timedelta(days=1), done_by=rae)
    make_task(10, done_at=NOW - dt.timedelta(days=8), done_by=rae)

    lists = {show: reception.get(LIST, {"show": show}) for show in ("", "mine", "done", "nonsense")}

    found = {show: list(page.context["tasks"]) for show, page in lists.items()}
    assert found == {"": [mine, nobodys], "mine": [mine], "done": [finished], "nonsense": [mine, nobodys]}
    assert "By 10:30am, 1 hour left · Yours" in words_of(lists["mine"])
    assert "By 10am, 1 hour left · Nobody yet" in words_of(lists[""])
    assert "Done Sunday 22 November, 9am by Rae Desk" in words_of(lists["done"])
    assert "Nothing is assigned to you." in words_of(signed_in("manager").get(LIST, {"show": "mine"}))


def test_one_press_makes_it_mine_and_returns_to_the_same_list(reception: Client, rae: User) -> None:
    task = make_task()

    for _ in range(2):
        response = reception.post(at("task_take", task) + "?show=mine")

    task.refresh_from_db()
    assert (task.assigned_to, response["Location"]) == (rae, f"{LIST}?show=mine")
    assert AuditEvent.objects.filter(kind="task", act="assigned").count() == 1


def test_a_task_has_whom_to_call_the_visit_and_the_notes(reception: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay")
    task = make_task(name="", phone="", booking=booking, note="About Monday")

    reception.post(at("task_note", task), {"text": "No answer at nine"})

    page = reception.get(at("task", task))
    said = words_of(page)
    assert "Call back: Sam Kay" in said
    assert "About Monday" in said
    assert "No answer at nine Rae Desk, Monday 23 November, 9am" in said
    assert 'href="tel:+12125550123"' in page.content.decode()
    assert page_of(booking) in page.content.decode()
    assert "No answer at nine" in words_of(reception.get(LIST))


def test_an_empty_note_is_asked_for_again(reception: Client) -> None:
    task = make_task()

    response = reception.post(at("task_note", task), {"text": " "})

    assert (response.status_code, task.notes.count()) == (422, 0)
    assert "There is a problem Write the note" in words_of(response)


def test_it_goes_to_anybody_who_may_do_tasks(reception: Client) -> None:
    manager, practitioner = someone("manager", first_name="Mo", last_name="Boss"), someone("practitioner")
    task = make_task()

    choices = dict(reception.get(at("task", task)).context["assign_form"].fields["assignee"].choices)
    reception.post(at("task_assign", task), {"assignee": manager.pk})
    refused = reception.post(at("task_assign", task), {"assignee": practitioner.pk})

    task.refresh_from_db()
    assert set(choices.values()) == {"Nobody yet", "Rae Desk", "Mo Boss"}
    assert (task.assigned_to, refused.status_code) == (manager, 422)
    assert "· Mo Boss" in words_of(reception.get(LIST))
    reception.post(at("task_assign", task), {"assignee": ""})
    assert "· Nobody yet" in words_of(reception.get(LIST))


def test_done_by_mistake_is_opened_again(reception: Client, rae: User) -> None:
    task = make_task()
    assert reception.post(at("task_done", task) + "?show=mine")["Location"] == f"{LIST}?show=mine"
    late = reception.post(at("task_assign", task), {"assignee": rae.pk})

    assert late.status_code == 409
    assert "This task is done. Open it again first. Nothing was changed." in words_of(late)
    assert "Open again" in words_of(reception.get(LIST, {"show": "done"}))
    reception.post(at("task_reopen", task))

    assert list(Task.objects.open()) == [task]
    assert "Open again: Call back." in reception.get(LIST).content.decode()


def test_reception_notes_what_was_said_and_a_clinician_finishes(reception: Client, world: World) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay")
    task = make_task(kind=TaskKind.CHECK_IN, booking=booking)
    clinician = signed_in("clinician")

    for path in (LIST, at("task", task)):
        assert at("task_done", task) not in reception.get(path).content.decode()
        assert "A clinician finishes this" in words_of(reception.get(path))
        assert at("task_done", task) in clinician.get(path).content.decode()
    refused = reception.post(at("task_done", task))
    noted = reception.post(at("task_note", task), {"text": "Red, but no fever"})
    given = reception.post(at("task_assign", task), {"assignee": User.objects.get(username="clinician-1").pk})

    assert refused.status_code == 409
    assert "A clinician finishes this. Note what was said, and give it to one." in words_of(refused)
    assert (noted.status_code, given.status_code, Task.objects.open().count()) == (302, 302, 1)
    assert clinician.post(at("task_done", task)).status_code == 302
    assert not Task.objects.open().exists()


def test_a_practitioner_sees_the_tasks_of_their_own_patients(world: World) -> None:
    other = make_practitioner("Tomas", slug="tomas")
    open_weekdays(world.location, other)
    theirs = make_task(booking=world.book(local(MONDAY, 12), practitioner=other))
    general = make_task()
    booking = world.book(local(MONDAY, 10), practitioner=world.practitioner, name="Sam Kay")
    own = make_task(name="", booking=booking)
    client = signed_in("practitioner")

    page = client.get(LIST)

    assert list(page.context["tasks"]) == [own]
    assert "Sam Kay" in words_of(client.get(at("task", own)))
    assert {client.get(at("task", each)).status_code for each in (theirs, general)} == {404}
    assert f'<a href="{LIST}">1 task</a>' in client.get("/desk/").content.decode()
    assert [client.post(at(name, own)).status_code for name in ACTS] == [403] * len(ACTS)


def test_who_does_tasks_and_sees_own_visits_does_no_others(world: World) -> None:
    own = make_task(booking=world.book(local(MONDAY, 10)))
    client = signed_in("practitioner")
    mine = make_task(60, assigned_to=User.objects.get(username="practitioner-1"))
    others = make_task()
    Group.objects.get(name="practitioner").permissions.add(Permission.objects.get(codename="change_task"))

    assert list(client.get(LIST).context["tasks"]) == [own, mine]
    assert {client.post(at(name, others)).status_code for name in ACTS} == {404}
    assert client.post(at("task_done", mine)).status_code == 302


def test_what_closed_by_itself_has_no_button_to_open_it(reception: Client) -> None:
    make_task(done_at=NOW)

    page = reception.get(LIST, {"show": "done"})

    assert "Done Monday 23 November, 9am, by itself" in words_of(page)
    assert "Open again" not in words_of(page)


def test_a_reminder_for_a_visit(reception: Client, world: World, rae: User) -> None:
    booking = world.book(local(MONDAY, 10), name="Sam Kay")
    address = f"{reverse('desk:task_new')}?visit={booking.reference}"
    form = reception.get(address).context["form"]
    assert (form["name"].value(), form["assignee"].value()) == ("Sam Kay", str(rae.pk))
    said = {"note": "Ask for the letter", "name": "Sam Kay", "phone": "212 555 0123", "assignee": rae.pk}

    for _ in range(2):
        reception.post(address, {**said, "date": "2026-11-25", "time": "14:30"})

    task = Task.objects.get()
    assert (task.booking, task.note, task.phone) == (booking, "Ask for the letter", "+12125550123")
    assert (task.due_at, task.assigned_to) == (local(dt.date(2026, 11, 25), 14, 30), rae)
    assert "Ask for the letter" in words_of(reception.get(page_of(booking)))


def test_a_reminder_in_general_keeps_what_was_typed(reception: Client) -> None:
    address = reverse("desk:task_new")
    said = {"note": "Order gloves", "date": "2026-11-24", "time": "9 o'clock"}

    refused = reception.post(address, said)

    assert refused.status_code == 422
    assert "Choose a time, like 14:30" in words_of(refused)
    assert "Order gloves" in refused.content.decode()
    assert reception.post(address, {**said, "time": "09:00"}).status_code == 302
    task = Task.objects.get()
    assert (task.kind, task.booking, task.name, task.assigned_to) == (TaskKind.CALL_BACK, None, "", None)


ACTS = ("task_done", "task_take", "task_assign", "task_note", "task_reopen")


def test_reading_tasks_and_doing_them_are_two_rights(world: World) -> None:
    task = make_task()
    reader = someone("reception")
    group = reader.groups.get()
    group.permissions.remove(*group.permissions.filter(codename="change_task"))
    client, practitioner = Client(), signed_in("practitioner")
    client.force_login(reader)

    assert [client.get(path).status_code for path in (LIST, at("task", task))] == [200, 200]
    assert "<form" not in client.get(at("task", task)).content.decode().split("<main", 1)[1].split("</main>")[0]
    assert {client.post(at(name, task)).status_code for name in ACTS} == {403}
    assert client.get(reverse("desk:task_new")).status_code == 403
    assert [practitioner.get(path).status_code for path in (LIST, reverse("desk:task_new"))] == [200, 403]
    assert {practitioner.post(at(name, task)).status_code for name in ACTS} == {403}
    assert Task.objects.open().count() == 1


def test_the_list_asks_as_much_for_one_task_as_for_three(
    reception: Client, world: World, rae: User, django_assert_max_num_queries: Any
) -> None:
    asked = []
    for count in (1, 2):
        for number in range(count):
            booking = world.book(local(MONDAY, 9 + 2 * count + number), name="Sam Kay")
            task = make_task(number, booking=booking, assigned_to=rae)
            lifecycle.add_task_note(task, text="No answer", by=rae, now=NOW)
        reception.get(LIST)
        with django_assert_max_num_queries(20) as queries:
            assert len(reception.get(LIST).context["tasks"]) == (1 if count == 1 else 3)
        asked.append(len(queries))

    assert asked[0] == asked[1]
