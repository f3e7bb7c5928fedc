"""What letters say by default, what a manager may make of it, and which wordings are refused."""

import datetime as dt
import re
from pathlib import Path

import icalendar
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings import emails, lifecycle
from bookings.emails import samples, wordings
from bookings.emails.wordings import WORDINGS, Text
from bookings.models import Booking, BookingEvent, Guardian, MailWording, OutgoingEmail
from bookings.models.event import Actor
from bookings.models.mail import COURSE, KINDS
from clinic.models import AuditEvent, Location, Question, Service
from tests.factories import NOW, World, load_signed_content, local, make_staff

pytestmark = pytest.mark.django_db

GOLDEN = Path(__file__).parent / "data" / "letters.txt"
DAY = dt.timedelta(days=1)
START = local(dt.date(2026, 12, 10), 10, 15)


@pytest.fixture
def world(settings):
    settings.SITE_URL = "https://clinic.example.org"
    return World(late_fee=20)


def a_visit(world, **fields):
    booking = world.book(START)
    Booking.objects.filter(pk=booking.pk).update(**{"reference": "K7M2QD", **fields})
    return again(booking)


def again(booking):
    return Booking.objects.with_everything().get(pk=booking.pk)


def write_all(booking):
    """Every letter about one visit, by kind."""
    BookingEvent.objects.create(
        booking=booking, at=NOW, verb="moved", actor=Actor.PATIENT, detail={"was": (START - DAY).isoformat()}
    )
    guardian = Guardian.objects.create(
        booking=booking, name="Sam Example", relation="mother", phone="+12125550124", email="sam@example.org"
    )
    booking = again(booking)
    emails.confirmed(booking, now=NOW)
    emails.moved(booking, now=NOW)
    emails.changed(booking, now=NOW)
    emails.cancelled(booking, now=NOW)
    booking.reply_by = NOW + DAY
    emails.pending(booking, now=NOW)
    emails.review_late(booking, now=NOW)
    emails.declined(booking, reason="Your skin needs a rest first.", now=NOW)
    emails.suspended(booking, now=NOW)
    emails.guardian_request(booking, now=NOW)
    guardian.delete()
    for kind in COURSE:
        emails.post(emails.letter_of(kind, again(booking), now=NOW), booking, now=NOW)


def in_one_text(booking):
    """Subject, text, and the words of the HTML of each letter, without the signed part of links."""
    letters = []
    for kind in sorted(set(booking.emails.values_list("kind", flat=True)) - {"staff_notice"}):
        email = OutgoingEmail.objects.filter(booking=booking, kind=kind).latest("sequence")
        body = re.sub(r"<style>.*?</style>", "", email.html, flags=re.DOTALL)
        shown = "\n".join(" ".join(line.split()) for line in re.sub(r"<[^>]+>", "", body).splitlines() if line.strip())
        said = f"=== {kind}\n{email.subject}\n---\n{email.text}---\n{shown}\n"
        letters.append(re.sub(r"/(visit|guardian)/[\w.:-]+/", r"/\1/…/", said))
    return "\n".join(letters)


def test_without_a_managers_words_every_letter_reads_as_it_always_did(world):
    booking = a_visit(world)
    write_all(booking)

    assert in_one_text(booking) == GOLDEN.read_text()


def test_every_kind_that_goes_to_a_patient_has_default_words_that_could_be_saved(world):
    assert {*WORDINGS, "staff_notice"} == set(KINDS)
    assert {*samples.DRAFTS, "staff_notice"} == set(KINDS)

    assert [kind for kind, default in WORDINGS.items() if wordings.problems(kind, default.text)] == []


def own_words(kind):
    """A wording with each placeholder of its kind in the opening, and those that may be there in the subject."""
    names = WORDINGS[kind].placeholders
    private = wordings.NEVER_IN_SUBJECT
    return Text(
        "Ours: " + " ".join(f"{{{name}}}" for name in names if name not in private and name != "name"),
        "Our own opening.\n\n" + "\n".join(f"{name} is {{{name}}}." for name in names),
    )


def reword_all(manager):
    for kind in WORDINGS:
        assert lifecycle.reword(kind, text=own_words(kind), by=manager, now=NOW)


def test_every_letter_says_what_the_manager_worded(world):
    booking = a_visit(world)
    reword_all(make_staff())
    write_all(booking)

    for kind in set(WORDINGS) - {"missed", "answer"}:
        email = OutgoingEmail.objects.filter(booking=booking, kind=kind).latest("sequence")
        said, shown = " ".join(email.text.split()), " ".join(email.html.split())
        assert email.subject.startswith("Ours: Thursday 10 December, 10:15am Thursday 10 December 10:15am Maya Ruiz")
        assert "Our own opening. name is " in said, kind
        assert "phone is 212 555 0100." in said, kind
        assert "Our own opening.</p>" in shown, kind
        assert "phone is 212 555 0100." in shown, kind
        assert re.search(r"[{}]", email.subject + email.text) is None, kind


def test_the_acts_of_a_visit_mail_the_managers_words(world):
    manager = make_staff()
    for kind in ("confirmed", "moved", "cancelled"):
        lifecycle.reword(kind, text=Text(f"{kind}: {{date}}", "Hello {name}, see you at {place}."), by=manager, now=NOW)

    booking = world.book(START)
    booking = lifecycle.reschedule(booking, practitioner=None, start=START + DAY, by=Actor.PATIENT, now=NOW)
    lifecycle.cancel(booking, reason="", by=Actor.PATIENT, now=NOW)

    mails = OutgoingEmail.objects.filter(booking=booking).exclude(kind="staff_notice").order_by("pk")
    assert [email.subject for email in mails] == [
        "confirmed: Thursday 10 December",
        "moved: Friday 11 December",
        "cancelled: Friday 11 December",
    ]
    assert all("Hello Robin Example, see you at Main house." in email.text for email in mails)


@pytest.mark.parametrize("kind", WORDINGS)
def test_an_opening_stands_before_the_signed_words_and_leaves_them_whole(world, kind):
    load_signed_content()
    with_own, without = (
        " ".join(samples.preview(kind, Text("Ours", opening), now=NOW).message.text.split())
        for opening in ("Our own opening.", "")
    )

    before, after = with_own.split("Our own opening. ")

    assert before + after == without
    if kind == "suspended":
        assert " ".join(Question.objects.get(code="Q1").advice.split())[:40] in after
    elif kind not in ("cancelled", "guardian", "answer", "missed"):
        assert "General advice, not a diagnosis." in after


def test_words_are_text_in_html_and_wrapped_in_text(world):
    booking = a_visit(world)
    long = " ".join(["word"] * 60)
    lifecycle.reword("confirmed", text=Text("A & B", f"1 < 2 & 3\n\n{long}\nnext"), by=make_staff(), now=NOW)

    message = emails.confirmation(booking, now=NOW).message

    assert message.subject == "A & B"
    assert "1 &lt; 2 &amp; 3</p>" in message.html
    assert "word<br>next</p>" in message.html
    assert "\n1 < 2 & 3\n\nword word" in message.text
    assert max(len(line) for line in message.text.splitlines() if "https://" not in line) <= 78


def test_a_name_made_of_placeholders_or_line_ends_stays_a_name(world):
    booking = a_visit(world)
    booking.patient.name = "{phone} <b>Robin</b>\r\nBcc: x@example.org " + "y" * 300
    lifecycle.reword("confirmed", text=Text("For {name}", "Dear {name}"), by=make_staff(), now=NOW)

    message = emails.confirmation(booking, now=NOW).message

    assert message.subject.startswith("For {phone} <b>Robin</b> Bcc: x@example.org yyy")
    assert len(message.subject) == 200
    assert "Dear {phone} &lt;b&gt;Robin" in message.html
    assert "<b>" not in message.html


def test_the_calendar_file_and_the_preheader_do_not_follow_the_wording(world):
    booking = a_visit(world)
    before = emails.confirmation(booking, now=NOW).message
    lifecycle.reword("confirmed", text=Text("Ours", "You booked {service}."), by=make_staff(), now=NOW)

    after = emails.confirmation(booking, now=NOW).message

    [event] = icalendar.Calendar.from_ical(after.calendar).walk("VEVENT")
    assert str(event["SUMMARY"]) == "Visit at Example Skin Clinic"
    assert after.calendar == before.calendar
    assert after.html.partition("<h1")[0] == before.html.partition("<h1")[0]
    assert "You booked Nose and T-zone blackhead extraction." in " ".join(after.text.split())


def test_a_letter_asks_for_its_words_once(world):
    booking = a_visit(world)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        emails.confirmation(booking, now=NOW)

    assert sum("bookings_mailwording" in query["sql"] for query in asked.captured_queries) == 1


def test_a_message_that_was_skipped_is_listed_under_the_managers_subject(world):
    booking = a_visit(world)
    lifecycle.reword("r24h", text=Text("Tomorrow, {name}", "{question}"), by=make_staff(), now=NOW)

    assert emails.skip("r24h", booking, now=NOW).subject == "Tomorrow, Robin Example"


SUBJECTS = {
    "": "Enter a subject",
    "Two\nlines": "Write the subject in one line, without hidden characters",
    "Two\r\nBcc: x@example.org": "Write the subject in one line, without hidden characters",
    "Bell \x07": "Write the subject in one line, without hidden characters",
    "x" * 151: "Shorten the subject to 150 characters. It has 151",
    "Your {service}": "Leave {service} out of the subject. Others may read it on a screen",
    "Your nose EXTRACTION": "Leave “Nose extraction” out of the subject. Others may read it on a screen",
    "Nose and T zone  blackhead-extraction!": (
        "Leave “Nose and T-zone blackhead extraction” out of the subject. Others may read it on a screen"
    ),
    "Dear {nmae}": "There is no placeholder {nmae}. Use one of those in the list",
    "Dear { name }": "There is no placeholder { name }. Use one of those in the list",
    "Dear {name.__class__}": "There is no placeholder {name.__class__}. Use one of those in the list",
    "Dear {}": "There is no placeholder {}. Use one of those in the list",
    "By {reply_by}": "This message does not know {reply_by}. Use one of the placeholders in the list",
    "Dear {name": "A brace stands alone. Write a placeholder like {when}, with both braces",
    "Dear name}": "A brace stands alone. Write a placeholder like {when}, with both braces",
    "<b>Now</b>": "Write plain words. <b> would be sent as it stands",
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_that_cannot_be_sent_is_refused_with_a_sentence(world, subject):
    with pytest.raises(lifecycle.NotWorded) as refused:
        lifecycle.reword("confirmed", text=Text(subject, "Hello"), by=make_staff(), now=NOW)

    assert refused.value.problems == {"subject": SUBJECTS[subject]}
    assert not MailWording.objects.exists()
    assert not AuditEvent.objects.exists()


OPENINGS = {
    ("confirmed", "Hello {nmae}"): "There is no placeholder {nmae}. Use one of those in the list",
    ("confirmed", "Hello {name"): "A brace stands alone. Write a placeholder like {when}, with both braces",
    ("confirmed", "{{name}}"): "A brace stands alone. Write a placeholder like {when}, with both braces",
    ("confirmed", "Hello <script>alert(1)"): "Write plain words. <script> would be sent as it stands",
    ("confirmed", 'See <a href="x">this'): 'Write plain words. <a href="x"> would be sent as it stands',
    ("confirmed", "Hello \x1b[31m"): "Remove the hidden characters from the opening",
    ("confirmed", "x" * 2001): "Shorten the opening to 2000 characters. It has 2001",
    ("cancelled", "Your {service}"): "This message does not know {service}. Use one of the placeholders in the list",
    ("day3", "Your {service}"): "This message does not know {service}. Use one of the placeholders in the list",
    ("pending", "Wait, please."): "Keep {reply_by} in the opening. It is what this message is for",
    ("r24h", "See you soon."): "Keep {question} in the opening. It is what this message is for",
    ("guardian", "Do you agree?"): "Keep {patient} in the opening. It is what this message is for",
}


@pytest.mark.parametrize(("kind", "opening"), OPENINGS)
def test_an_opening_that_cannot_be_sent_is_refused_with_a_sentence(world, kind, opening):
    with pytest.raises(lifecycle.NotWorded) as refused:
        lifecycle.reword(kind, text=Text("Fine", opening), by=make_staff(), now=NOW)

    assert refused.value.problems == {"opening": OPENINGS[kind, opening]}
    assert not MailWording.objects.exists()


@pytest.mark.parametrize("subject", ["Your visit, 3 < 4", "Nosegay on {date}", "An extraction", "x" * 150])
def test_other_subjects_are_fine(world, subject):
    assert lifecycle.reword("confirmed", text=Text(subject), by=make_staff(), now=NOW)

    assert MailWording.objects.get().subject == subject


def test_the_placeholder_of_a_treatment_stands_only_where_the_letter_names_it_anyway(world):
    manager = make_staff()
    names = {kind for kind, default in WORDINGS.items() if "service" in default.placeholders}

    shows = {kind for kind in WORDINGS if world.service.name in samples.preview(kind, now=NOW).message.text}

    assert names == shows
    assert {kind for kind in names if lifecycle.reword(kind, text=own_words(kind), by=manager, now=NOW)} == names


def test_a_wording_is_written_down_with_who_when_before_and_after(world):
    manager = make_staff("manager-1")

    assert lifecycle.reword("moved", text=Text("New time: {when}", "Hello."), by=manager, now=NOW)
    assert lifecycle.reword("moved", text=Text("Newer: {when}", "Hello."), by=manager, now=NOW + DAY)
    assert lifecycle.reset_wording("moved", by=manager, now=NOW + 2 * DAY)

    default = {"subject": "Your visit has moved to {when}", "opening": ""}
    first = {"subject": "New time: {when}", "opening": "Hello."}
    second = {"subject": "Newer: {when}", "opening": "Hello."}
    rows = AuditEvent.objects.filter(kind="mailwording").order_by("at")
    assert [(row.act, row.by, row.at, row.detail) for row in rows] == [
        ("reworded", manager, NOW, {"message": "moved", "before": default, "after": first}),
        ("reworded", manager, NOW + DAY, {"message": "moved", "before": first, "after": second}),
        ("wording set back", manager, NOW + 2 * DAY, {"message": "moved", "before": second, "after": default}),
    ]
    assert not MailWording.objects.exists()


def test_a_second_press_writes_nothing(world):
    manager, text = make_staff(), Text("New time: {when}", "Hello.")

    assert lifecycle.reword("moved", text=text, by=manager, now=NOW)
    assert not lifecycle.reword("moved", text=text, by=manager, now=NOW + DAY)
    assert AuditEvent.objects.count() == 1
    assert MailWording.objects.get().changed_at == NOW
    assert lifecycle.reset_wording("moved", by=manager, now=NOW)
    assert not lifecycle.reset_wording("moved", by=manager, now=NOW)
    assert AuditEvent.objects.count() == 2


def test_typing_the_default_is_no_wording_of_ones_own(world):
    manager = make_staff()

    assert not lifecycle.reword("changed", text=WORDINGS["changed"].text, by=manager, now=NOW)
    assert not MailWording.objects.exists()
    lifecycle.reword("changed", text=Text("Ours", ""), by=manager, now=NOW)
    assert lifecycle.reword("changed", text=WORDINGS["changed"].text, by=manager, now=NOW)
    assert not MailWording.objects.exists()


def test_what_was_typed_is_tidied_and_nothing_else(world):
    typed = wordings.tidy("  Hello {name} ", "\r\n One \r\ntwo\r\n \r\n\r\n\r\nthree  \r\n")

    assert typed == Text("Hello {name}", "One\ntwo\n\nthree")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_sample_that_writes_nothing(world, kind):
    with CaptureQueriesContext(connection) as asked:
        message = samples.preview(kind, now=NOW).message

    assert [query["sql"] for query in asked.captured_queries if not query["sql"].startswith("SELECT")] == []
    reader = "Sam Example" if kind == "guardian" else "Robin E"
    assert reader in message.text
    assert reader in message.html
    assert not re.search(r"nose|t-zone|extraction|blackhead", message.subject, re.IGNORECASE)


@pytest.mark.parametrize("kind", WORDINGS)
def test_there_are_samples_before_the_clinic_is_set_up(world, kind):
    for model in (Service, Location):
        model.objects.update(retired_on=NOW.date())

    assert "Dear " in samples.preview(kind, now=NOW).message.text
