"""The outbox: every e-mail goes, once, whatever workers and mail servers do."""

import datetime as dt
import os
import signal
import smtplib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection, transaction

from bookings import outbox
from bookings.mime import Message
from bookings.models import Booking, Heartbeat, MailState, OutgoingEmail, RateWindow, Task, TaskKind
from tests.factories import NOW, World, local

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
LETTER = Message(subject="Your visit", text="Come in.\n", html="<p>Come in.</p>")


@pytest.fixture
def mail_is_sent(settings):
    settings.MAIL_IS_SENT = True


def make_held():
    return World().hold(local(dt.date(2026, 11, 24), 10))


def enqueue(booking, *, kind="confirmed", name="Robin Example", address="robin@example.org", now=NOW):
    return outbox.enqueue(LETTER, booking=booking, kind=kind, name=name, address=address, now=now)


def leased(pk, now):
    email = outbox.lease(pk, now)
    assert email is not None
    return email


def states():
    return list(OutgoingEmail.objects.order_by("pk").values_list("state", flat=True))


def test_an_email_waits_in_the_outbox_with_all_it_says(settings):
    settings.SITE_URL = "https://clinic.example.org:8443"

    email = enqueue(make_held())

    email.refresh_from_db()
    assert (email.subject, email.text, email.html) == ("Your visit", "Come in.\n", "<p>Come in.</p>")
    assert (email.recipient, email.state) == ("Robin Example <robin@example.org>", MailState.QUEUED)
    assert (email.created_at, email.due_at, email.attempts) == (NOW, NOW, 0)
    assert email.message_id.startswith("<")
    assert email.message_id.endswith("@clinic.example.org>")


def test_the_sequence_counts_the_emails_of_one_kind_about_one_booking():
    booking = make_held()

    emails = [enqueue(booking), enqueue(booking), enqueue(booking, kind="moved")]

    assert [email.sequence for email in emails] == [0, 1, 0]
    assert len({email.message_id for email in emails}) == 3


def test_an_email_is_undone_with_the_act_it_tells_of():
    booking = make_held()

    with transaction.atomic():
        enqueue(booking)
        transaction.set_rollback(True)

    assert states() == []


def test_without_an_address_somebody_phones():
    booking = make_held()

    email = enqueue(booking, address="")

    task = Task.objects.get()
    assert (email.state, email.recipient) == (MailState.NO_ADDRESS, "")
    assert (task.kind, task.booking, task.created_at) == (TaskKind.PHONE_PATIENT, booking, NOW)
    assert task.note == "Your visit\nThere is no e-mail address."


def test_a_notice_to_the_clinic_itself_is_no_reason_to_phone_a_patient():
    enqueue(make_held(), kind=outbox.STAFF_NOTICE, address="")

    assert Task.objects.count() == 0


def test_a_name_too_long_for_its_column_is_left_out():
    address = f"{'r' * 60}@{'e' * 60}.example.org"

    email = enqueue(make_held(), name='"' * 120, address=address)

    assert email.recipient == address


def test_mail_that_waits_for_another_address_is_taken_back():
    booking = make_held()
    wrong = enqueue(booking, address="robbin@example.org")
    notice = enqueue(booking, kind=outbox.STAFF_NOTICE, address="desk@example.org")
    right = enqueue(booking)

    taken_back = outbox.skip_others(right)

    wrong.refresh_from_db()
    assert (taken_back, wrong.last_error) == (1, "The address was corrected in the meantime.")
    assert dict(OutgoingEmail.objects.values_list("pk", "state")) == {
        wrong.pk: MailState.SKIPPED,
        notice.pk: MailState.QUEUED,
        right.pk: MailState.QUEUED,
    }


def test_due_mail_goes_and_is_written_down(mail_is_sent):
    email = enqueue(make_held())

    done = outbox.send_due(NOW + MINUTE)

    email.refresh_from_db()
    [sent] = mail.outbox
    assert done == outbox.Sent(sent=1)
    assert (email.state, email.sent_at, email.attempts, email.last_error) == (MailState.SENT, NOW + MINUTE, 1, "")
    assert sent.extra_headers["Message-ID"] == email.message_id


def test_mail_that_is_not_due_yet_waits(mail_is_sent):
    enqueue(make_held(), now=NOW + HOUR)

    outbox.send_due(NOW)

    assert (states(), mail.outbox) == ([MailState.QUEUED], [])


def test_while_mail_is_not_set_up_it_waits_untouched(settings):
    settings.MAIL_IS_SENT = False
    enqueue(make_held())

    done = outbox.send_due(NOW + 100 * HOUR)

    assert done == outbox.Sent()
    assert list(OutgoingEmail.objects.values_list("state", "attempts")) == [(MailState.QUEUED, 0)]


def test_a_second_round_sends_nothing_twice(mail_is_sent):
    enqueue(make_held())

    rounds = [outbox.send_due(NOW), outbox.send_due(NOW)]

    assert rounds == [outbox.Sent(sent=1), outbox.Sent()]
    assert len(mail.outbox) == 1


def test_new_mail_goes_before_mail_that_keeps_failing(mail_is_sent):
    booking = make_held()
    struggling = enqueue(booking, address="struggling@example.org")
    OutgoingEmail.objects.filter(pk=struggling.pk).update(attempts=5)
    enqueue(booking, address="fresh@example.org", now=NOW + MINUTE)

    outbox.send_due(NOW + HOUR)

    assert [message.to for message in mail.outbox] == [
        ["Robin Example <fresh@example.org>"],
        ["Robin Example <struggling@example.org>"],
    ]


def test_a_leased_email_belongs_to_one_worker():
    email = enqueue(make_held())

    leases = [outbox.lease(email.pk, NOW), outbox.lease(email.pk, NOW)]

    assert [lease and lease.pk for lease in leases] == [email.pk, None]


def test_the_email_of_a_worker_that_died_is_sent_by_another_with_the_same_message_id(mail_is_sent):
    email = enqueue(make_held())
    leased(email.pk, NOW)

    too_early = outbox.send_due(NOW + MINUTE)
    in_time = outbox.send_due(NOW + 2 * MINUTE)

    assert (too_early, in_time) == (outbox.Sent(), outbox.Sent(sent=1))
    assert mail.outbox[0].extra_headers["Message-ID"] == email.message_id


@pytest.mark.parametrize("result", ["sent", "temporary", "permanent"])
def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(result):
    email = enqueue(make_held())
    late = leased(email.pk, NOW)
    other = leased(email.pk, NOW + 3 * MINUTE)

    if result == "sent":
        outbox.record_sent(late, NOW + 4 * MINUTE)
    else:
        code = 451 if result == "temporary" else 550
        outbox.record_problem(late, smtplib.SMTPDataError(code, b"No"), NOW + 4 * MINUTE)

    email.refresh_from_db()
    assert (email.state, email.lease, email.last_error) == (MailState.SENDING, other.lease, "")
    assert Task.objects.count() == 0


def test_waiting_doubles_up_to_an_hour():
    waits = [outbox.wait_after(attempts) // MINUTE for attempts in range(1, 10)]

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert outbox.wait_after(30_000) == HOUR


def test_after_two_days_of_trying_somebody_phones():
    booking = World().hold(local(dt.date(2026, 12, 10), 10))
    email = enqueue(booking)
    problem = smtplib.SMTPDataError(451, b"Try again later")

    before = outbox.record_problem(leased(email.pk, NOW + 47 * HOUR), problem, NOW + 47 * HOUR)
    after = outbox.record_problem(leased(email.pk, NOW + 48 * HOUR), problem, NOW + 48 * HOUR)

    email.refresh_from_db()
    assert (before, after) == (True, False)
    assert (email.state, email.last_error) == (MailState.FAILED, "451 Try again later")
    assert Task.objects.get().note == "Your visit\nAn e-mail did not arrive. 451 Try again later"


def test_an_email_that_fails_twice_leaves_one_task():
    email = enqueue(make_held())
    problem = smtplib.SMTPDataError(550, b"No such user")

    for hours in (0, 1):
        outbox.record_problem(leased(email.pk, NOW + hours * HOUR), problem, NOW + hours * HOUR)
        outbox.retry(email, now=NOW + hours * HOUR)

    assert Task.objects.count() == 1


def test_a_failed_email_is_tried_again_at_once_when_asked(mail_is_sent):
    email = enqueue(make_held())
    outbox.record_problem(leased(email.pk, NOW), smtplib.SMTPDataError(550, b"No such user"), NOW)

    is_tried = outbox.retry(email, now=NOW + HOUR)

    assert is_tried
    assert outbox.send_due(NOW + HOUR) == outbox.Sent(sent=1)


def test_a_sent_email_is_never_tried_again(mail_is_sent):
    email = enqueue(make_held())
    outbox.send_due(NOW)

    assert outbox.retry(email, now=NOW) is False
    assert states() == [MailState.SENT]


def test_an_email_whose_recipient_was_erased_is_never_tried_again():
    email = enqueue(make_held())
    OutgoingEmail.objects.update(recipient="", state=MailState.FAILED)

    assert outbox.retry(email, now=NOW) is False


@pytest.mark.parametrize(("minutes", "is_late"), [(0, False), (4, False), (5, True), (60, True)])
def test_a_worker_is_late_after_five_minutes_of_silence(minutes, is_late):
    outbox.beat(NOW - HOUR)
    outbox.beat(NOW)

    assert outbox.is_worker_late(NOW + minutes * MINUTE) is is_late
    assert Heartbeat.objects.count() == 1


def test_a_worker_that_never_ran_is_late():
    assert outbox.is_worker_late(NOW)


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_send_each_email_once(mail_is_sent):
    booking = make_held()
    for number in range(30):
        enqueue(booking, address=f"robin{number}@example.org")
    gate = threading.Barrier(4)

    def work(_):
        try:
            gate.wait(timeout=30)
            return outbox.send_due(NOW).sent
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        sent = list(workers.map(work, range(4)))

    assert sum(sent) == 30
    assert len({message.to[0] for message in mail.outbox}) == len(mail.outbox) == 30
    assert set(states()) == {MailState.SENT}


@pytest.mark.django_db(transaction=True)
def test_sending_holds_no_transaction_open(mail_is_sent, settings):
    settings.EMAIL_BACKEND = "tests.mail_backends.Watching"
    enqueue(make_held())

    done = outbox.send_due(NOW)

    assert done == outbox.Sent(sent=1)


def test_one_round_of_the_worker_sends_gives_back_and_tidies(mail_is_sent, capsys):
    booking = make_held()
    enqueue(booking)
    RateWindow.objects.create(key="hold", starts_at=NOW - 3 * 24 * HOUR, count=1)
    RateWindow.objects.create(key="hold", starts_at=dt.datetime(2100, 1, 1, tzinfo=dt.UTC), count=1)
    OutgoingEmail.objects.update(booking=None)
    Booking.objects.update(expires_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    OutgoingEmail.objects.update(due_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))

    call_command("work", "--once")

    assert capsys.readouterr().out == "sent: 1, holds given back: 1\n"
    assert Booking.objects.count() == 0
    assert RateWindow.objects.count() == 1
    assert Heartbeat.objects.filter(name=outbox.WORKER).count() == 1


def stop_once_it_listens(before: object) -> None:
    """Before that the signal would end the tests themselves."""
    while signal.getsignal(signal.SIGTERM) is before:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.django_db(transaction=True)
def test_the_worker_stops_cleanly_when_asked(capsys, settings):
    settings.MAIL_IS_SENT = False
    World()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    asking = threading.Thread(target=stop_once_it_listens, args=[before[signal.SIGTERM]], daemon=True)

    asking.start()
    try:
        call_command("work")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "The worker has stopped."
    assert "EMAIL_URL is not set: e-mail stays in the outbox." in lines
    assert Heartbeat.objects.exists()


def test_somebody_phones_while_there_is_time_before_a_near_visit():
    email = enqueue(make_held())
    problem = smtplib.SMTPDataError(451, b"Try again later")
    two_hours_before = local(dt.date(2026, 11, 24), 8)

    before = outbox.record_problem(leased(email.pk, two_hours_before - MINUTE), problem, two_hours_before - MINUTE)
    after = outbox.record_problem(leased(email.pk, two_hours_before), problem, two_hours_before)

    assert (before, after) == (True, False)


def test_a_later_message_never_overtakes_an_earlier_one_about_the_same_visit():
    booking = make_held()
    first, second = enqueue(booking), enqueue(booking, kind="cancelled")
    OutgoingEmail.objects.filter(pk=first.pk).update(due_at=NOW + HOUR, attempts=5)

    assert list(OutgoingEmail.objects.due(NOW)) == []
    assert list(OutgoingEmail.objects.due(NOW + HOUR)) == [first]
    OutgoingEmail.objects.filter(pk=first.pk).update(state=MailState.FAILED)
    assert list(OutgoingEmail.objects.due(NOW)) == [second]
