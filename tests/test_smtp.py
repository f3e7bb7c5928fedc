"""Mail over a real SMTP server: up, down, slow, refusing, and gone in the middle of a message."""

import datetime as dt
import time
from email.utils import parsedate_to_datetime

import icalendar
import pytest
import vobject

from bookings import ical, outbox
from bookings.mime import Message
from bookings.models import MailState, OutgoingEmail, Task, TaskKind
from tests.factories import NOW, World, local
from tests.mail_server import MailServer, free_port, running, send_to
from tests.test_ical import EVENT

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def booking():
    return World().hold(local(dt.date(2026, 11, 24), 10))


def enqueue(booking, address="robin@example.org", *, name="Robin Example", subject="Your visit", now=NOW):
    letter = Message(
        subject=subject,
        text="Come in. It is £45.\n",
        html="<p>Come in.</p>",
        calendar=ical.request(EVENT).decode(),
        calendar_method="REQUEST",
    )
    return outbox.enqueue(letter, booking=booking, kind="confirmed", name=name, address=address, now=now)


def body_of(message, kind):
    body = message.get_body([kind])
    assert body is not None
    return body.get_content()


def state_of(email):
    email.refresh_from_db()
    return email.state


def test_a_message_arrives_with_the_headers_a_mail_provider_expects(booking, settings):
    email = enqueue(booking)

    with running(MailServer(), settings) as server:
        outbox.send_due(NOW + MINUTE)

    [received] = server.received
    assert received["From"] == "Example Skin Clinic <desk@example.org>"
    assert received["To"] == "Robin Example <robin@example.org>"
    assert received["Reply-To"] == "Example Skin Clinic <desk@example.org>"
    assert received["Subject"] == "Your visit"
    assert received["Message-ID"] == email.message_id
    assert received["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(received["Date"]) == NOW
    assert received["MIME-Version"] == "1.0"


def test_a_message_carries_text_html_and_a_calendar_file_that_two_parsers_read(booking, settings):
    enqueue(booking)

    with running(MailServer(), settings) as server:
        outbox.send_due(NOW)

    [received] = server.received
    assert body_of(received, "plain") == "Come in. It is £45.\r\n"
    assert body_of(received, "html").strip() == "<p>Come in.</p>"
    [calendar] = received.iter_attachments()
    assert (calendar.get_content_type(), calendar.get_filename()) == ("text/calendar", "visit.ics")
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("REQUEST", "utf-8")
    file = calendar.get_payload(decode=True)
    assert file == ical.request(EVENT)
    assert icalendar.Calendar.from_ical(file).walk("VEVENT")[0]["UID"] == EVENT.uid
    assert vobject.readOne(file.decode()).vevent.uid.value == EVENT.uid


@pytest.mark.parametrize("where", ["name", "subject"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x00\n"])
def test_a_line_end_in_a_name_or_subject_adds_no_header(booking, settings, where, end):
    enqueue(booking, **{where: f"Robin{end}Bcc: mallory@example.org{end}{end}<h1>"})

    with running(MailServer(), settings) as server:
        done = outbox.send_due(NOW)

    [received] = server.received
    assert done == outbox.Sent(sent=1)
    assert received["Bcc"] is None
    assert received["To"].addresses[0].addr_spec == "robin@example.org"
    assert len(received["To"].addresses) == 1


@pytest.mark.parametrize("name", ["Zoë Ångström", 'Robin "R", Example; <x>', "山田 太郎", "مريم", "R" * 120])
def test_any_name_arrives_whole(booking, settings, name):
    enqueue(booking, name=name)

    with running(MailServer(), settings) as server:
        outbox.send_due(NOW)

    [address] = server.received[0]["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "robin@example.org")


def test_many_messages_go_over_one_connection(booking, settings):
    for number in range(25):
        enqueue(booking, f"robin{number}@example.org")

    with running(MailServer(), settings) as server:
        done = outbox.send_due(NOW)

    assert (done.sent, len(server.received), server.connections) == (25, 25, 1)


def test_mail_waits_while_the_server_is_down_and_goes_when_it_is_up(booking, settings):
    emails = [enqueue(booking, f"robin{number}@example.org") for number in range(3)]
    port = free_port()
    send_to(port, settings)
    for minutes in range(60):
        outbox.send_due(NOW + minutes * MINUTE)
    while_down = [(state_of(email), bool(email.last_error)) for email in emails]

    with running(MailServer(port=port), settings) as server:
        done = outbox.send_due(NOW + HOUR + MINUTE)

    assert while_down == [(MailState.QUEUED, True)] * 3
    assert done == outbox.Sent(sent=3)
    assert [message["Message-ID"] for message in server.received] == [email.message_id for email in emails]
    assert Task.objects.count() == 0


def test_a_server_that_stays_down_for_two_days_is_a_reason_to_phone(booking, settings):
    email = enqueue(booking)
    send_to(free_port(), settings)

    outbox.send_due(NOW + 48 * HOUR)

    assert state_of(email) == MailState.FAILED
    assert Task.objects.get().kind == TaskKind.PHONE_PATIENT


def test_a_temporary_refusal_is_tried_again_with_the_same_message_id(booking, settings):
    email = enqueue(booking)
    server = MailServer(at_rcpt={"robin@example.org": "451 Greylisted, try later"})

    with running(server, settings):
        first = outbox.send_due(NOW)
        refused = (state_of(email), email.last_error, email.due_at)
        too_early = outbox.send_due(NOW + MINUTE / 2)
        server.at_rcpt.clear()
        second = outbox.send_due(NOW + MINUTE)

    assert (first, too_early, second) == (outbox.Sent(deferred=1), outbox.Sent(), outbox.Sent(sent=1))
    assert refused == (MailState.QUEUED, "451 Greylisted, try later", NOW + MINUTE)
    assert [message["Message-ID"] for message in server.received] == [email.message_id]
    assert Task.objects.count() == 0


@pytest.mark.parametrize("step", ["at_rcpt", "at_data"])
def test_a_refusal_for_good_is_kept_in_the_servers_words_and_somebody_phones(booking, settings, step):
    email = enqueue(booking)
    server = MailServer()
    getattr(server, step)["robin@example.org"] = "550 No such user"

    with running(server, settings):
        done = outbox.send_due(NOW)
        again = outbox.send_due(NOW + 48 * HOUR)

    task = Task.objects.get()
    assert (done, again) == (outbox.Sent(failed=1), outbox.Sent())
    assert (state_of(email), email.last_error) == (MailState.FAILED, "550 No such user")
    assert (task.kind, task.booking) == (TaskKind.PHONE_PATIENT, booking)
    assert "550 No such user" in task.note


@pytest.mark.parametrize("answer", ["421 Closing", "451 Later", "550 No such user", "554 No"])
def test_a_refused_message_stops_no_other(booking, settings, answer):
    enqueue(booking, "refused@example.org")
    enqueue(booking, "robin@example.org")
    server = MailServer(at_rcpt={"refused@example.org": answer})

    with running(server, settings):
        done = outbox.send_due(NOW)

    assert (done.sent, len(server.to("robin@example.org"))) == (1, 1)


def test_a_server_that_is_slow_for_one_recipient_delays_no_other(booking, settings):
    slow = enqueue(booking, "slow@example.org")
    enqueue(booking, "robin@example.org")

    with running(MailServer(slow={"slow@example.org": 30}), settings, patience=1) as server:
        began = time.monotonic()
        done = outbox.send_due(NOW)
        took = time.monotonic() - began

    assert done == outbox.Sent(sent=1, deferred=1)
    assert len(server.to("robin@example.org")) == 1
    assert state_of(slow) == MailState.QUEUED
    assert took < 20


def test_a_message_whose_moment_passes_while_the_round_waits_for_a_slow_server_is_skipped(booking, settings):
    enqueue(booking, "slow@example.org")
    late = enqueue(booking, "robin@example.org")
    OutgoingEmail.objects.filter(pk=late.pk).update(not_after=NOW + MINUTE / 120)

    with running(MailServer(slow={"slow@example.org": 30}), settings, patience=1) as server:
        outbox.send_due(NOW)

    assert (state_of(late), late.last_error) == (MailState.SKIPPED, "Its moment has passed.")
    assert server.to("robin@example.org") == []


def test_a_server_that_answers_byte_by_byte_is_left_after_a_while(booking, settings, monkeypatch):
    monkeypatch.setattr(outbox, "LONGEST_SEND", dt.timedelta(seconds=1))
    stuck = enqueue(booking, "stuck@example.org")

    with running(MailServer(trickles={"stuck@example.org"}), settings):
        began = time.monotonic()
        done = outbox.send_due(NOW)
        took = time.monotonic() - began

    assert done == outbox.Sent(deferred=1)
    assert state_of(stuck) == MailState.QUEUED
    assert took < 20


def test_a_server_that_goes_after_the_message_gets_it_again_with_the_same_message_id(booking, settings):
    email = enqueue(booking)
    server = MailServer(drops_after_data={"robin@example.org"})

    with running(server, settings):
        first = outbox.send_due(NOW)
        second = outbox.send_due(NOW + MINUTE)

    assert (first, second) == (outbox.Sent(deferred=1), outbox.Sent(sent=1))
    assert [message["Message-ID"] for message in server.received] == [email.message_id] * 2
    assert {message["Date"] for message in server.received} == {server.received[0]["Date"]}


def test_an_address_that_cannot_stand_in_a_header_fails_alone(booking, settings):
    broken = enqueue(booking)
    OutgoingEmail.objects.filter(pk=broken.pk).update(recipient="robin@example.org\nBcc: mallory@example.org")
    enqueue(booking, "other@example.org")

    with running(MailServer(), settings) as server:
        done = outbox.send_due(NOW)

    assert done == outbox.Sent(sent=1, failed=1)
    assert state_of(broken) == MailState.FAILED
    assert len(server.received) == 1
