"""Looking for what is due: tasks with a clock, any number of workers, and a search that stays cheap."""

import datetime as dt
import functools
import re
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bookings import followup, lifecycle, outbox
from bookings.management.commands.work import FOLLOWS_UP, is_time_to_follow_up, work
from bookings.models import Booking, Guardian, Heartbeat, MailState, OutgoingEmail, Patient, Task, TaskKind
from clinic import content
from clinic.models import Item, Wording
from tests.course import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    TEN,
    arrive,
    begin,
    book_pending,
    email_of,
    kinds,
    run,
    run_and_send,
    treat,
    written,
)
from tests.factories import NOW, PATIENT, World, make_staff
from tests.online import make_world, text_of
from tests.racing import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    begin()
    return World()


def tasks(kind):
    return list(Task.objects.filter(kind=kind).order_by("pk"))


def test_a_visit_nobody_closed_within_two_hours_is_a_task_once(world):
    booking = arrive(world.book(TEN))
    over = booking.ends_at + 2 * HOUR

    run(over - SECOND)
    before = tasks(TaskKind.UNCLOSED)
    run(over, over + HOUR)

    [task] = tasks(TaskKind.UNCLOSED)
    assert (before, task.booking, task.due_at) == ([], booking, over)


def test_a_visit_that_nobody_touched_is_a_task_until_somebody_says_how_it_ended(world):
    booking = world.book(TEN)
    over = booking.ends_at + 2 * HOUR

    run(over - SECOND)
    before = tasks(TaskKind.UNCLOSED)
    run(over)
    [task] = tasks(TaskKind.UNCLOSED)
    lifecycle.miss(booking, by=make_staff(), now=over + HOUR)

    assert (before, task.booking) == ([], booking)
    assert tasks(TaskKind.UNCLOSED)[0].done_at == over + HOUR
    assert "day0_plain" not in kinds(booking)


def test_closing_the_visit_closes_its_task(world):
    booking = arrive(world.book(TEN))
    run(booking.ends_at + 2 * HOUR)

    treat(booking, at=booking.ends_at + 3 * HOUR)
    run(booking.ends_at + 3 * HOUR)

    [task] = tasks(TaskKind.UNCLOSED)
    assert task.done_at == booking.ends_at + 3 * HOUR


def test_a_task_that_was_done_does_not_come_back(world):
    arrive(world.book(TEN))
    run(TEN + 3 * HOUR)

    lifecycle.finish_task(Task.objects.get(), by=make_staff(), now=TEN + 3 * HOUR)
    run(TEN + 4 * HOUR)

    assert len(tasks(TaskKind.UNCLOSED)) == 1


def test_a_visit_closed_in_time_is_no_task(world):
    treat(arrive(world.book(TEN)))

    run(TEN + 3 * HOUR)

    assert tasks(TaskKind.UNCLOSED) == []


def with_guardian(booking):
    return Guardian.objects.create(
        booking=booking, name="Sam Parent", relation="mother", phone="+12125550124", email="sam@example.org"
    )


def test_a_guardian_who_is_silent_two_days_before_is_phoned_in_time(world):
    booking = world.book(TEN)
    with_guardian(booking)

    run(TEN - 48 * HOUR - SECOND)
    before = tasks(TaskKind.GUARDIAN)
    run(TEN - 48 * HOUR, TEN - 47 * HOUR)

    [task] = tasks(TaskKind.GUARDIAN)
    assert before == []
    # Nine working hours after ten on Tuesday: ten on Wednesday.
    assert (task.booking, task.due_at) == (booking, TEN - DAY)


def test_a_guardian_is_phoned_before_the_visit_however_near_it_is(world):
    booking = world.book(TEN, now=TEN - 4 * HOUR)
    with_guardian(booking)

    run(TEN - 4 * HOUR)

    assert [task.due_at for task in tasks(TaskKind.GUARDIAN)] == [TEN - 2 * HOUR]


def test_a_guardian_who_agreed_is_left_alone(world):
    guardian = with_guardian(world.book(TEN))
    lifecycle.agree(guardian, by=PATIENT, now=NOW)

    run(TEN - 47 * HOUR)

    assert tasks(TaskKind.GUARDIAN) == []


def test_nobody_is_phoned_about_a_visit_that_is_over_or_off(world):
    over, off = world.book(TEN), world.book(TEN + HOUR)
    with_guardian(over)
    with_guardian(off)
    lifecycle.cancel(off, reason="", by=PATIENT, now=NOW)

    run(TEN + MINUTE)

    assert tasks(TaskKind.GUARDIAN) == []


def test_an_overdue_review_of_the_content_is_one_task_until_it_is_signed_again():
    begin()
    make_world()
    item, due = Item.objects.get(code="WHY-1"), NOW + 30 * DAY
    signature: dict[str, Any] = {"reviewer": "Dr Example", "registration": "D 123", "by": make_staff()}
    content.sign_off(item, **signature, now=NOW, next_review_on=due.date())

    run(due - DAY)
    before = tasks(TaskKind.CONTENT)
    run(due, due + HOUR)
    while_overdue = len(tasks(TaskKind.CONTENT))
    Task.objects.update(done_at=due + HOUR)
    content.sign_off(item, **signature, now=due + HOUR, next_review_on=(due + 365 * DAY).date())
    run(due + 2 * HOUR)

    assert (before, while_overdue, len(tasks(TaskKind.CONTENT))) == ([], 1, 1)


def test_a_visit_whose_letter_cannot_be_written_stops_no_other(caplog):
    begin()
    world = World()
    broken, whole = world.book(TEN), world.book(TEN + HOUR)
    # No letter can name the grade of a room.
    Booking.objects.filter(pk=broken.pk).update(practitioner=world.rooms[0].pk)

    run(TEN - 3 * DAY + HOUR)

    assert (kinds(broken), kinds(whole)) == ([], ["r72h"])
    assert f"booking {broken.pk} waits for the next round" in caplog.text


@contextmanager
def in_between(table, act):
    """Somebody does ``act`` just before the worker asks for ``table``."""
    is_done = False

    def wrapper(execute, sql, params, many, context):
        nonlocal is_done
        if not is_done and f'"{table}"' in sql:
            is_done = True
            act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield
    assert is_done


# First when the visit was found and nothing of it was read; then while its letter is being written.
@pytest.mark.parametrize("table", ["bookings_patient", "clinic_item"])
def test_a_visit_that_moves_under_the_workers_hands_gets_no_wrong_letter(world, table):
    booking = world.book(TEN)

    def move():
        lifecycle.reschedule(booking, practitioner=None, start=TEN + 7 * DAY, by=PATIENT, now=TEN - 3 * DAY)

    with in_between(table, move):
        run(TEN - 3 * DAY)

    assert kinds(booking) == []


def test_a_visit_that_is_closed_under_the_workers_hands_is_no_task(world):
    booking = arrive(world.book(TEN, now=TEN - HOUR * 20))

    with in_between("bookings_patient", lambda: treat(booking, outcome="not_treated", at=TEN + 3 * HOUR)):
        run(TEN + 3 * HOUR)

    assert tasks(TaskKind.UNCLOSED) == []


def full_diary(world):
    """Visits before and after the Sunday four days before ten on Thursday, and all that was due by then."""
    sunday = TEN - 4 * DAY
    book_pending(world, TEN - DAY)
    for hour in range(6):
        world.book(TEN + hour * HOUR)
        treat(world.book(TEN - 6 * DAY + hour * HOUR))
        treat(world.book(TEN - 7 * DAY + hour * HOUR), outcome="not_treated")
    run(sunday)
    return sunday + HOUR


def test_looking_costs_as_many_queries_for_a_full_diary_as_for_an_empty_one():
    begin()
    world = make_world()

    def asked(now):
        with CaptureQueriesContext(connection) as queries:
            assert followup.run(now) == {}
        return len(queries)

    empty = asked(NOW + HOUR)

    assert asked(full_diary(world)) == empty <= 16


def test_a_round_costs_as_many_queries_for_one_minor_without_a_guardian_as_for_three():
    begin()
    world = World()
    made = [world.book(TEN + hour * HOUR, name=f"Kim {hour}", email=f"{hour}@example.org") for hour in range(3)]

    def asked(minors):
        Patient.objects.filter(bookings__in=minors).update(date_of_birth=NOW.date() - 15 * 365 * DAY)
        with CaptureQueriesContext(connection) as leaving:
            assert followup.run(TEN - 40 * HOUR) == {"tasks left": len(minors)}
        with CaptureQueriesContext(connection) as looking:
            assert followup.run(TEN - 40 * HOUR) == {}
        return len(leaving), len(looking)

    followup.run(TEN - 40 * HOUR)
    one_left, one = asked(made[:1])
    two_left, three = asked(made[1:])

    assert three == one
    assert two_left - three == 2 * (one_left - one)


@pytest.mark.one_database
@pytest.mark.skipif(connection.vendor != "sqlite", reason="a small table is always read whole by PostgreSQL")
def test_looking_reads_no_table_of_visits_or_letters_from_end_to_end():
    begin()
    now = full_diary(make_world())
    with CaptureQueriesContext(connection) as queries:
        followup.run(now)
        list(OutgoingEmail.objects.due(now))

    with connection.cursor() as cursor:
        plans = [
            step
            for query in queries
            for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall()
            if query["sql"].startswith("SELECT")
        ]

    assert [step for step in plans if step.startswith("SEARCH bookings_booking USING INDEX booking_by")]
    assert [step for step in plans if re.match(r"SCAN (bookings_(booking|outgoingemail)|U0)", step)] == []


def sign_for_a_day(row):
    content.record_revision(row, by=None, now=NOW)
    signature: dict[str, Any] = {"reviewer": "Dr Example", "registration": "D 123", "by": make_staff()}
    content.sign_off(row, **signature, now=NOW, next_review_on=(NOW + DAY).date())


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_moment_write_each_message_and_task_once(settings):
    settings.MAIL_IS_SENT = True
    begin()
    world = World()
    sign_for_a_day(Wording.objects.get())
    coming = [world.book(TEN + hour * HOUR) for hour in range(4)]
    here = [arrive(world.book(TEN - DAY + hour * HOUR)) for hour in range(3)]
    # It is evening on Wednesday: reminders, plain advice and tasks are all due.
    evening = TEN - DAY + 9 * HOUR

    race(*[lambda: followup.run(evening)] * 4)

    assert [kinds(booking) for booking in coming] == [["r72h", "r24h"]] * 4
    assert {kind for booking in here for kind, _, _ in written(booking)} == {"r72h", "r24h", "day0_plain"}
    assert [len(kinds(booking)) for booking in here] == [3] * 3
    assert (len(tasks(TaskKind.UNCLOSED)), len(tasks(TaskKind.CONTENT))) == (3, 1)


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_moment_send_each_message_once(settings):
    settings.MAIL_IS_SENT = True
    begin()
    world = World()
    for hour in range(6):
        world.book(TEN + hour * HOUR)
    run_and_send(NOW)
    mail.outbox.clear()

    # Half a minute lies between their clocks, so that each of them looks anew; no lease runs out meanwhile.
    race(*[functools.partial(work, TEN - 18 * HOUR + n * 31 * SECOND) for n in range(4)])

    sent = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert len(sent) == len(set(sent)) == OutgoingEmail.objects.filter(kind="r24h").count() == 6
    assert set(OutgoingEmail.objects.filter(kind="r24h").values_list("state", flat=True)) == {MailState.SENT}


def test_one_worker_in_half_a_minute_looks_for_what_is_due():
    first, soon, later = (is_time_to_follow_up(NOW + dt.timedelta(seconds=n)) for n in (0, 29, 31))

    assert (first, soon, later) == (True, False, True)


def test_a_clock_that_was_put_back_stops_nobody_from_looking():
    is_time_to_follow_up(NOW + HOUR)

    assert is_time_to_follow_up(NOW) is True


def test_the_worker_says_what_it_did(world, settings, capsys):
    settings.MAIL_IS_SENT = True
    booking = world.book(TEN)
    run_and_send(NOW)

    with time_machine.travel(TEN - DAY, tick=False):
        call_command("work", "--once")
        call_command("work", "--once")

    assert capsys.readouterr().out == "messages skipped: 1, messages written: 1, sent: 1\nNothing was due.\n"
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {followup.BEGAN, FOLLOWS_UP, outbox.WORKER}
    assert kinds(booking) == ["r72h", "r24h"]


def test_the_desk_sees_what_was_skipped_and_why(world, client):
    booking = world.book(TEN)
    run(TEN - DAY)
    skipped = email_of(booking, "r72h")
    client.force_login(make_staff())

    listed = text_of(client.get(reverse("desk:mail"), {"state": MailState.SKIPPED}))
    alone = text_of(client.get(reverse("desk:message", args=[skipped.pk])))

    for page in (listed, alone):
        assert "Get ready: your visit on Thursday 10 December, 10am" in page
        assert "Its moment passed before it could be written." in page
    assert "The mail server said" not in alone
