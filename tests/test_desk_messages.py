"""The outbox and the wording of messages, as pages: states, searches, what did not arrive, and words of one's own."""

import datetime as dt
import html
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bookings import lifecycle
from bookings.models import Booking, BookingState, MailState, MailWording, OutgoingEmail
from bookings.models.event import Actor
from bookings.models.mail import KINDS
from clinic.models import AuditEvent
from tests.desk import MONDAY, TUESDAY, signed_in, words_of
from tests.factories import NOW, World, local

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
OWN = {"subject": "See you on {date}", "opening": "Hello {name}.\r\n\r\nRing {phone} if you are lost."}


@pytest.fixture(autouse=True)
def _at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(settings):
    settings.MAIL_IS_SENT = True
    return World(rooms=2, practitioners=2)


@pytest.fixture
def manager():
    return signed_in("manager", first_name="Max", last_name="Example")


@pytest.fixture
def reception():
    return signed_in("reception")


def mail_of(booking, kind="confirmed", **fields):
    email = OutgoingEmail.objects.filter(booking=booking, kind=kind)
    email.update(**fields)
    return email.get()


def failed(booking, kind="confirmed", **fields):
    return mail_of(booking, kind, state=MailState.FAILED, last_error="550 no such user", attempts=3, **fields)


def tabs(response):
    return {tab.label: tab.count for tab in response.context["tabs"]}


# The outbox


def test_each_state_stands_with_its_number_and_leads_to_its_messages(world, reception):
    one, two = world.book(local(MONDAY, 10)), world.book(local(MONDAY, 11))
    bad = failed(one)
    mail_of(two, state=MailState.SENT, sent_at=NOW)

    everything = reception.get("/desk/mail/")
    chosen = reception.get("/desk/mail/?state=failed")

    expected = {"All": 4, "Waiting to be sent": 2, "Sent": 1, "Not delivered": 1}
    assert (tabs(everything), tabs(chosen)) == (expected, expected)
    assert list(chosen.context["page"]) == [bad]
    assert 'href="?state=failed" aria-current="page"' in chosen.content.decode()


def test_messages_are_found_by_reference_name_and_kind(world, reception):
    robin = world.book(local(MONDAY, 10))
    sam = world.book(local(MONDAY, 11), name="Sam Kay", email="sam@example.org")

    def found(query):
        return {(email.booking, email.kind) for email in reception.get(f"/desk/mail/?{query}").context["page"]}

    both = {"confirmed", "staff_notice"}
    spoken = f"{sam.reference[:3]} {sam.reference[3:]}".lower()
    assert found(f"q={sam.reference}") == {(sam, kind) for kind in both}
    assert found(f"q={spoken}") == {(sam, kind) for kind in both}
    assert found("q=robin") == {(robin, kind) for kind in both}
    assert found("q=sam kay&kind=confirmed") == {(sam, "confirmed")}
    assert found("kind=confirmed") == {(robin, "confirmed"), (sam, "confirmed")}
    assert found("q=nobody") == set()
    assert len(found("q=a%00b&kind=nonsense")) == 4


def test_the_numbers_follow_the_search_and_the_links_keep_it(world, reception):
    world.book(local(MONDAY, 10))
    failed(world.book(local(MONDAY, 11), name="Sam Kay"))

    page = reception.get("/desk/mail/?q=sam+kay&kind=confirmed")

    assert tabs(page) == {"All": 1, "Not delivered": 1}
    assert 'href="?kind=confirmed&amp;q=sam+kay&amp;state=failed"' in page.content.decode()
    assert 'name="q" type="search" value="sam kay"' in page.content.decode()


def test_a_row_says_why_a_message_did_not_arrive_when_it_is_due_or_why_it_was_skipped(world, reception):
    bad = world.book(local(MONDAY, 10))
    failed(bad)
    mail_of(world.book(local(MONDAY, 11)), due_at=NOW + DAY, attempts=1, last_error="421 too busy")
    mail_of(world.book(local(MONDAY, 12)), state=MailState.SKIPPED, last_error="Its moment has passed.")

    text = words_of(reception.get("/desk/mail/?kind=confirmed"))

    assert "Not delivered 3 attempts The mail server said: 550 no such user" in text
    assert "Due Tuesday 24 November, 9am, 1 attempt The mail server said: 421 too busy" in text
    assert "Skipped Its moment has passed." in text
    assert text.count("Correct the address") == 1
    assert reverse("desk:correct_email", args=[bad.reference]) in reception.get("/desk/mail/").content.decode()


@pytest.mark.parametrize(
    ("kind", "state", "when"),
    [("staff_notice", BookingState.CONFIRMED, NOW + DAY), ("confirmed", BookingState.COMPLETED, NOW - DAY)],
)
def test_no_address_is_corrected_where_that_changes_nothing(world, reception, kind, state, when):
    booking = world.book(local(MONDAY, 10))
    failed(booking, kind)
    outcome = "treated" if state == BookingState.COMPLETED else ""
    Booking.objects.update(state=state, outcome=outcome)

    page = reception.get(reverse("desk:message", args=[mail_of(booking, kind).pk]))

    assert "550 no such user" in words_of(page)
    assert "Correct the address" not in words_of(page)


def test_all_that_failed_and_is_still_of_use_is_tried_again_in_one_press(world, reception):
    ahead, other, past = (world.book(local(MONDAY, hour)) for hour in (10, 11, 12))
    for booking in (ahead, other, past):
        failed(booking)
    failed(past, "staff_notice")
    OutgoingEmail.objects.filter(booking=other).update(recipient="")
    Booking.objects.filter(pk=past.pk).update(starts_at=NOW - DAY, ends_at=NOW - DAY + dt.timedelta(minutes=30))
    check_in = failed(past)
    after = OutgoingEmail.objects.create(
        booking=past,
        kind="day3",
        recipient="robin@example.org",
        subject="After",
        text="",
        message_id="<1@example.org>",
        state=MailState.FAILED,
        created_at=NOW - DAY,
        due_at=NOW,
    )

    page = reception.get("/desk/mail/")
    answer = reception.post("/desk/mail/retry/", follow=True)
    again = reception.post("/desk/mail/retry/", follow=True)

    assert "2 messages did not arrive and are still of use." in words_of(page)
    assert "2 messages wait to be sent again." in html.unescape(answer.content.decode())
    assert "There was nothing left to send again." in html.unescape(again.content.decode())
    for email in (mail_of(ahead), after):
        email.refresh_from_db()
        assert (email.state, email.due_at, email.attempts) == (MailState.QUEUED, NOW, 0)
    check_in.refresh_from_db()
    assert (check_in.state, mail_of(other).state) == (MailState.FAILED, MailState.FAILED)
    row = AuditEvent.objects.get(act="failed messages tried again")
    assert (row.by.username, row.detail) == ("reception-1", {"count": 2})
    assert "did not arrive and" not in words_of(reception.get("/desk/mail/"))


def test_what_was_overtaken_or_has_become_pointless_is_not_tried_again(world, reception):
    moved, off, waiting = (world.book(local(MONDAY, hour)) for hour in (10, 11, 12))
    lifecycle.reschedule(moved, practitioner=None, start=local(TUESDAY, 10), by=Actor.PATIENT, now=NOW)
    lifecycle.cancel(off, reason="", by=Actor.PATIENT, now=NOW)
    old = failed(moved)
    mail_of(moved, "moved", state=MailState.SENT, sent_at=NOW)
    question = failed(off)
    OutgoingEmail.objects.filter(pk=question.pk).update(kind="answer")
    still = [failed(waiting), failed(off, "cancelled")]

    reception.post("/desk/mail/retry/")

    old.refresh_from_db()
    question.refresh_from_db()
    assert (old.state, question.state) == (MailState.FAILED, MailState.FAILED)
    assert [mail_of(email.booking, email.kind).state for email in still] == [MailState.QUEUED] * 2


def test_who_tried_a_message_again_is_written_down_once(world, reception):
    email = failed(world.book(local(MONDAY, 10)))

    for _ in range(2):
        reception.post(reverse("desk:message", args=[email.pk]))

    row = AuditEvent.objects.get(act="tried again")
    assert (row.by.username, row.key, row.detail) == ("reception-1", str(email.pk), {"message": "confirmed"})


def test_a_confirmation_can_be_sent_again_from_its_page_as_it_stands_now(world, reception):
    booking = world.book(local(MONDAY, 10))
    email = mail_of(booking, state=MailState.SENT, sent_at=NOW)
    notice = mail_of(booking, "staff_notice", state=MailState.SENT, sent_at=NOW)

    page = reception.get(reverse("desk:message", args=[email.pk])).content.decode()

    again = reverse("desk:resend", args=[booking.reference])
    assert f'action="{again}"' in page
    assert again not in reception.get(reverse("desk:message", args=[notice.pk])).content.decode()
    reception.post(again)
    assert OutgoingEmail.objects.filter(booking=booking, kind="confirmed").count() == 2


def test_long_lists_are_cut_into_pages_that_keep_the_state(world, reception):
    booking = world.book(local(MONDAY, 10))
    OutgoingEmail.objects.bulk_create(
        OutgoingEmail(
            booking=booking,
            kind="confirmed",
            sequence=number,
            recipient="robin@example.org",
            subject=f"Number {number}",
            text="",
            message_id=f"<{number}@example.org>",
            state=MailState.SKIPPED,
            created_at=NOW,
            due_at=NOW,
        )
        for number in range(1, 121)
    )

    page = reception.get("/desk/mail/?state=skipped&q=robin&page=2")

    assert (page.context["page"].number, page.context["page"].paginator.num_pages) == (2, 3)
    assert len(page.context["page"]) == 50
    assert 'rel="next" href="?page=3&amp;q=robin&amp;state=skipped"' in page.content.decode()
    assert reception.get("/desk/mail/?state=skipped&page=999").context["page"].number == 3


@pytest.mark.parametrize("rows", [1, 3])
def test_a_searched_list_asks_the_same_number_of_queries_for_any_number_of_rows(
    world, manager, rows, django_assert_num_queries
):
    for hour in range(rows):
        failed(world.book(local(MONDAY, 9 + hour)))

    # The time zone, session, user, their rights twice, counts, rows, what may be tried again, worker, the clinic.
    with django_assert_num_queries(10):
        manager.get("/desk/mail/?q=robin&state=failed")


# Wording


def typed(kind, name="desk:wording"):
    return reverse(name, args=[kind])


def test_the_list_names_every_message_and_whose_words_it_has(world, manager):
    manager.post(typed("moved"), OWN)

    text = words_of(manager.get("/desk/messages/"))

    assert [title for title in KINDS.values() if title not in text] == []
    assert text.count("Your words") == 1
    assert "Visit moved When a visit gets another time. Your words Max Example, Monday 23 November, 9am Preview" in text
    assert "Always the same" in text


@pytest.mark.parametrize("kinds", [["moved"], ["moved", "changed", "day3"]])
def test_the_list_asks_the_same_number_of_queries_for_any_number_of_own_wordings(
    world, manager, kinds, django_assert_num_queries
):
    for kind in kinds:
        manager.post(typed(kind), OWN)
    manager.get("/desk/messages/")

    # The time zone, session, user, their rights twice, wordings, worker, the clinic.
    with django_assert_num_queries(8):
        manager.get("/desk/messages/")


def test_a_manager_words_a_message_sees_it_and_it_goes_out_so(world, manager):
    page = manager.get(typed("confirmed"))
    assert 'value="Your visit on {when}"' in html.unescape(page.content.decode())
    assert "{practitioner} Who does the visit Maya" in words_of(page)

    answer = manager.post(typed("confirmed"), {**OWN, "act": "Save"}, follow=True)
    booking = world.book(local(MONDAY, 10))

    assert "Saved. “Confirmation” says this from now on." in html.unescape(answer.content.decode())
    email = mail_of(booking)
    assert email.subject == "See you on Monday 30 November"
    assert "Hello Robin Example.\n\nRing 212 555 0100 if you are lost." in email.text
    assert "Your words since Monday 23 November, 9am, by Max Example." in words_of(answer)


def test_a_wording_that_cannot_be_sent_comes_back_as_it_was_typed(world, manager):
    wrong = {"subject": "Your nose extraction, {nmae}", "opening": "Hello {nmae}\r\n\r\n<b>bold</b>"}

    for page in ("desk:wording", "desk:wording_preview", "desk:wording_html"):
        answer = manager.post(typed("confirmed", page), wrong)

        said = html.unescape(answer.content.decode())
        assert answer.status_code == 422
        assert "Leave “Nose extraction” out of the subject." in said
        assert "Write plain words. <b> would be sent as it stands" in said
        assert 'value="Your nose extraction, {nmae}"' in said
        assert "Hello {nmae}\r\n\r\n<b>bold</b></textarea>" in said
        assert said.count("#id_subject") == 1
        assert "style-src 'self'" in answer["Content-Security-Policy"]
    assert not MailWording.objects.exists()


def test_an_empty_subject_and_marks_that_turn_text_around_are_refused(world, manager):
    empty = manager.post(typed("day3"), {"subject": " ", "opening": "Kept as typed"})
    turned = manager.post(typed("day3"), {"subject": "How are you \u202e?", "opening": "Kept as typed"})

    assert (empty.status_code, turned.status_code) == (422, 422)
    assert "Enter a subject" in empty.content.decode()
    assert "Remove the hidden characters and type this again" in turned.content.decode()
    assert "Kept as typed" in empty.content.decode()


def test_a_preview_of_what_is_typed_saves_nothing_and_leads_on(world, manager):
    shown = manager.post(typed("confirmed", "desk:wording_preview"), OWN)
    in_html = manager.post(typed("confirmed", "desk:wording_html"), OWN)
    back = manager.post(typed("confirmed"), {**OWN, "edit": "1"})

    text = words_of(shown)
    assert "Nothing is saved yet." in text
    assert "Subject See you on Thursday 3 December" in text
    assert "Hello Robin Example. Ring 212 555 0100 if you are lost." in text
    assert "Hello Robin Example.</p>" in in_html.content.decode()
    assert back.status_code == 200
    assert 'value="See you on {date}"' in html.unescape(back.content.decode())
    assert "There is a problem" not in back.content.decode()
    assert not MailWording.objects.exists()
    hidden = dict(re.findall(r'type="hidden" name="(subject|opening)" value="([^"]*)"', shown.content.decode()))
    manager.post(typed("confirmed"), {**{name: html.unescape(value) for name, value in hidden.items()}, "act": "Save"})
    row = MailWording.objects.get()
    assert (row.subject, row.opening) == ("See you on {date}", "Hello {name}.\n\nRing {phone} if you are lost.")


def test_back_to_the_default_is_one_press_and_a_second_changes_nothing(world, manager):
    manager.post(typed("confirmed"), OWN)
    assert "Back to the default" in manager.get(typed("confirmed")).content.decode()

    for _ in range(2):
        assert manager.post(typed("confirmed", "desk:wording_default")).status_code == 302

    assert "Back to the default" not in manager.get(typed("confirmed")).content.decode()
    assert mail_of(world.book(local(TUESDAY, 10))).subject == "Your visit on Tuesday 1 December, 10am"
    assert list(AuditEvent.objects.order_by("pk").values_list("act", flat=True)) == ["reworded", "wording set back"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_has_its_preview_in_text_and_html(world, manager, kind):
    text = manager.get(typed(kind, "desk:wording_preview"))
    page = manager.get(typed(kind, "desk:wording_html"))

    reader = "Sam Example" if kind == "guardian" else "Robin E"
    assert (text.status_code, page.status_code) == (200, 200)
    assert reader in words_of(text)
    assert reader in page.content.decode()
    assert page["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert "unsafe-inline" not in text["Content-Security-Policy"]
    subject = text.context["letter"].message.subject.lower()
    assert [word for word in ("nose", "extraction", "blackhead", "t-zone") if word in subject] == []
    assert not Booking.objects.exists()
    assert not OutgoingEmail.objects.exists()


def test_the_notice_for_staff_is_shown_and_not_worded_and_unknown_kinds_are_nowhere(world, manager):
    pages = ("desk:wording", "desk:wording_preview", "desk:wording_html", "desk:wording_default")
    answers = {
        (kind, page, method): getattr(manager, method)(typed(kind, page), OWN).status_code
        for kind in ("staff_notice", "nonsense")
        for page in pages
        for method in ("get", "post")
    }

    fine = {("staff_notice", "desk:wording_preview", "get"): 200, ("staff_notice", "desk:wording_html", "get"): 200}
    back = {(kind, "desk:wording_default", "get"): 405 for kind in ("staff_notice", "nonsense")}
    assert answers == dict.fromkeys(answers, 404) | fine | back
    assert not MailWording.objects.exists()


@pytest.mark.parametrize("role", ["reception", "practitioner", "clinician"])
def test_only_a_manager_words_messages(world, role):
    client = signed_in(role)

    answers = {
        page: (client.get(typed("moved", page)).status_code, client.post(typed("moved", page), OWN).status_code)
        for page in ("desk:wording", "desk:wording_preview", "desk:wording_html")
    }

    assert set(answers.values()) == {(403, 403)}
    assert client.get("/desk/messages/").status_code == 403
    assert client.post(typed("moved", "desk:wording_default")).status_code == 403
    assert not MailWording.objects.exists()


def test_the_way_to_the_wording_is_shown_to_those_who_may_go_there(world, manager, reception):
    link = f'href="{reverse("desk:wordings")}"'

    assert link in manager.get("/desk/mail/").content.decode()
    assert link not in reception.get("/desk/mail/").content.decode()


def test_a_practitioner_tries_no_mail_again(world):
    booking = world.book(local(MONDAY, 10))
    email = failed(booking)
    practitioner: Client = signed_in("practitioner")

    assert practitioner.get("/desk/mail/").status_code == 403
    assert practitioner.post("/desk/mail/retry/").status_code == 403
    email.refresh_from_db()
    assert email.state == MailState.FAILED
