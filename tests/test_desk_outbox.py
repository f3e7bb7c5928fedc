"""The outbox at the desk: a message is found by its address, and written anew for somebody who lost it."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bookings import emails, lifecycle, outbox
from bookings.models import Booking, MailState, Outcome, OutgoingEmail
from tests.desk import MONDAY, page_of, signed_in, words_of
from tests.factories import NOW, World, local, make_staff

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
DAY = dt.timedelta(days=1)
MOTHER = lifecycle.GuardianDetails(name="Ina Kay", relation="mother", phone="+12125550124", email="ina@example.org")


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world(settings: Any) -> World:
    settings.MAIL_IS_SENT = True
    return World(rooms=2, practitioners=2)


@pytest.fixture
def reception() -> Client:
    return signed_in("reception")


def sent(booking: Booking, kind: str) -> OutgoingEmail:
    found = OutgoingEmail.objects.filter(booking=booking, kind=kind)
    found.update(state=MailState.SENT, sent_at=NOW)
    return found.get()


def address(email: OutgoingEmail) -> str:
    return reverse("desk:message", args=[email.pk])


def press(client: Client, email: OutgoingEmail) -> Any:
    """The button that the page of a message has, with what it says that it knew."""
    page = client.get(address(email))
    assert "Send it again" in words_of(page)
    return client.post(address(email), {"seen": page.context["newest"]}, follow=True)


def test_messages_are_found_by_the_address_they_went_to(world: World, reception: Client) -> None:
    sam = world.book(local(MONDAY, 11), name="Sam Kay", email="sam@example.org")
    world.book(local(MONDAY, 10))
    OutgoingEmail.objects.filter(booking=sam, kind="staff_notice").update(recipient="Ina Kay <ina@example.org>")

    def found(search: str) -> set[tuple[Booking | None, str]]:
        page = reception.get("/desk/mail/", {"q": search})
        return {(email.booking, email.kind) for email in page.context["page"]}

    assert found("Sam@Example.org") == {(sam, "confirmed")}
    assert found("ina@") == {(sam, "staff_notice")}
    # Without the sign it is a name: half of all addresses end alike.
    assert found("example.org") == set()
    assert "Reference, name or address" in words_of(reception.get("/desk/mail/"))


def test_a_guardian_who_lost_the_link_gets_one_that_works(world: World, reception: Client) -> None:
    booking = world.book(TEN)
    guardian = lifecycle.name_guardian(booking, details=MOTHER, by=make_staff(), now=NOW)
    lost = sent(booking, "guardian")
    guardian.link_version += 1
    guardian.save()

    page = press(reception, lost)

    again = OutgoingEmail.objects.filter(booking=booking, kind="guardian").latest("pk")
    assert "It is on its way again." in page.content.decode()
    assert (again.state, again.recipient) == (MailState.QUEUED, lost.recipient)
    booking = Booking.objects.with_everything().get(pk=booking.pk)
    assert again.text == emails.guardian_request(booking, now=NOW).text != lost.text
    event = booking.events.get(verb="sent again")
    assert (event.by.username, event.detail) == ("reception-1", {"message": "guardian"})
    assert "Sent again by" in words_of(reception.get(page_of(booking)))
    assert "Guardian is asked to agree" in words_of(reception.get(page_of(booking)))


def test_a_second_press_writes_no_second_letter(world: World, reception: Client) -> None:
    booking = world.book(TEN)
    lifecycle.name_guardian(booking, details=MOTHER, by=make_staff(), now=NOW)
    lost = sent(booking, "guardian")

    for _ in range(2):
        reception.post(address(lost), {"seen": lost.pk})

    assert OutgoingEmail.objects.filter(booking=booking, kind="guardian").count() == 2


@pytest.mark.parametrize("kind", ["day0", "day3"])
@pytest.mark.parametrize("moves", [0, 1])
def test_advice_that_was_deleted_is_sent_again_for_a_week(
    world: World, time_machine: Any, kind: str, moves: int
) -> None:
    booking = world.book(TEN)
    Booking.objects.filter(pk=booking.pk).update(sequence=moves)
    closed = lifecycle.complete(booking, outcome=Outcome.TREATED, by=make_staff(), now=TEN)
    emails.post(emails.letter_of(kind, closed, now=TEN), closed, sequence=moves, now=TEN)
    lost = sent(closed, kind)
    time_machine.move_to(TEN + DAY, tick=False)

    press(signed_in("reception"), lost)

    again = OutgoingEmail.objects.filter(booking=booking, kind=kind).latest("pk")
    assert (again.state, again.subject, again.pk != lost.pk) == (MailState.QUEUED, lost.subject, True)
    outbox.send_due(TEN + DAY)
    again.refresh_from_db()
    assert (again.state, again.last_error) == (MailState.SENT, "")
    time_machine.move_to(TEN + 9 * DAY, tick=False)
    assert "Send it again" not in words_of(signed_in("reception").get(address(lost)))


def test_questions_are_asked_again_only_while_they_are_open(world: World, reception: Client) -> None:
    booking = world.book(TEN)
    emails.open_questions(booking, now=NOW)
    lost = sent(booking, "answer")
    Booking.objects.filter(pk=booking.pk).update(is_screening_outstanding=True)
    press(reception, lost)
    Booking.objects.filter(pk=booking.pk).update(is_screening_outstanding=False)

    assert "Send it again" not in words_of(reception.get(address(lost)))
    reception.post(address(lost), {"seen": OutgoingEmail.objects.latest("pk").pk})
    assert OutgoingEmail.objects.filter(booking=booking, kind="answer").count() == 2


def test_the_newest_word_on_a_visit_is_sent_as_it_stands_now(world: World, reception: Client) -> None:
    booking = world.book(TEN)
    lifecycle.reschedule(booking, start=local(MONDAY, 12), practitioner=None, by=make_staff(), now=NOW)
    lost = sent(booking, "moved")

    assert f'action="{page_of(booking, "resend")}"' in reception.get(address(lost)).content.decode()


def test_who_only_reads_mail_sends_nothing_again(world: World) -> None:
    booking = world.book(TEN)
    lifecycle.name_guardian(booking, details=MOTHER, by=make_staff(), now=NOW)
    lost = sent(booking, "guardian")
    client = signed_in("manager")
    reader = signed_in("practitioner")

    assert reader.post(address(lost), {"seen": lost.pk}).status_code == 403
    assert client.post(address(lost), {"seen": "nothing"}).status_code == 302
    assert OutgoingEmail.objects.filter(booking=booking, kind="guardian").count() == 1
