"""An address that is put right after the visit: old links stop working, and what still waits is written anew."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from bookings import access, emails, followup, lifecycle, outbox
from bookings.models import Booking, Heartbeat, MailState, Outcome, OutgoingEmail
from tests.factories import NOW, PATIENT, World, local, make_staff

pytestmark = pytest.mark.django_db
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
TUESDAY = dt.date(2026, 11, 24)
START, NEXT_WEEK = local(TUESDAY, 10), local(TUESDAY + dt.timedelta(days=7), 10)
LATE = START + 20 * MINUTE
NEW = "Robin Example <right@example.org>"


@pytest.fixture(autouse=True)
def _mail_is_sent(settings: Any) -> None:
    settings.MAIL_IS_SENT = True
    settings.SITE_URL = "https://clinic.example.org"


@pytest.fixture
def world() -> World:
    return World()


def correct_visit(booking: Booking, now: dt.datetime) -> None:
    lifecycle.correct_email(booking, email="right@example.org", by=make_staff(), now=now)


def correct_patient(booking: Booking, now: dt.datetime) -> None:
    patient = booking.patient
    assert patient is not None
    born = patient.date_of_birth
    name, phone, right = patient.name, patient.phone, "right@example.org"
    lifecycle.correct_patient(
        patient, name=name, email=right, phone=phone, date_of_birth=born, by=make_staff(), now=now
    )


EITHER = pytest.mark.parametrize("correct", [correct_visit, correct_patient])
Correct = Callable[[Booking, dt.datetime], None]


def token_of(link: str) -> str:
    return link.removeprefix("https://clinic.example.org")


@EITHER
def test_a_stranger_who_has_the_link_of_a_past_visit_is_known_no_more(world: World, correct: Correct) -> None:
    past, coming = world.book(START), world.book(NEXT_WEEK)
    Booking.objects.filter(pk__in=[past.pk, coming.pk]).update(patient=coming.patient)
    past = lifecycle.complete(past, outcome=Outcome.NOT_TREATED, by=make_staff("closer"), now=LATE)
    link = token_of(emails.visit_link(past))
    assert access.visit_by_link(link.split("/")[2]) == past
    mailed = OutgoingEmail.objects.filter(booking=past).count()

    correct(past, LATE)

    for visit in (past, coming):
        visit.refresh_from_db()
    assert (past.link_version, coming.link_version) == (2, 2)
    assert access.visit_by_link(link.split("/")[2]) is None
    assert OutgoingEmail.objects.filter(booking=coming, kind="confirmed").latest("pk").recipient == NEW
    assert OutgoingEmail.objects.filter(booking=past).count() == mailed
    assert past.events.filter(verb="address corrected").count() == 1


def test_online_nothing_is_put_right_after_the_visit(world: World) -> None:
    past = world.book(START)
    lifecycle.complete(past, outcome=Outcome.NOT_TREATED, by=make_staff(), now=LATE)

    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.correct_email(past, email="right@example.org", by=PATIENT, now=LATE)


@EITHER
def test_an_invitation_after_a_no_show_goes_to_the_new_address(world: World, correct: Correct) -> None:
    booking = world.book(START)
    outbox.send_due(NOW)
    mail.outbox.clear()
    lifecycle.miss(booking, by=make_staff("misser"), now=LATE)

    correct(booking, LATE + 5 * MINUTE)
    outbox.send_due(LATE + 14 * MINUTE)
    assert mail.outbox == []
    outbox.send_due(LATE + 16 * MINUTE)

    assert [(letter.subject, letter.to) for letter in mail.outbox] == [("We missed you on Tuesday 24 November", [NEW])]
    sent = OutgoingEmail.objects.get(booking=booking, kind="missed")
    assert (sent.state, sent.sequence, sent.due_at) == (MailState.SENT, 0, LATE + 15 * MINUTE)
    assert sent.not_after == LATE + 15 * MINUTE + 2 * DAY


@EITHER
def test_aftercare_that_waits_is_written_anew_with_a_link_that_works(world: World, correct: Correct) -> None:
    Heartbeat.objects.create(name=followup.BEGAN, at=NOW)
    booking = world.book(START)
    lifecycle.complete(booking, outcome=Outcome.NOT_TREATED, by=make_staff("closer"), now=LATE)
    Booking.objects.update(outcome=Outcome.TREATED)
    followup.run(LATE + MINUTE)
    [waiting] = OutgoingEmail.objects.filter(booking=booking, kind="day0")

    correct(booking, LATE + 2 * MINUTE)
    followup.run(LATE + 3 * MINUTE)

    [written] = OutgoingEmail.objects.filter(booking=booking, kind="day0")
    booking = Booking.objects.with_everything().get(pk=booking.pk)
    assert written.pk != waiting.pk
    assert (written.recipient, written.state) == (NEW, MailState.QUEUED)
    assert token_of(emails.visit_link(booking)) in written.text
    outbox.send_due(LATE + 4 * MINUTE)
    written.refresh_from_db()
    assert written.state == MailState.SENT
