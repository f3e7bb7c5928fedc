"""One visit put right at the desk: its address, its confirmation again, and calling it off."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bookings import lifecycle, outbox
from bookings.models import Booking, BookingEvent, BookingState, MailState, OutgoingEmail, Patient
from clinic.models import Clinic
from tests.desk import MONDAY, TUESDAY, page_of, signed_in, words_of
from tests.factories import NOW, World, local, make_staff

pytestmark = pytest.mark.django_db
SOON = dt.date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _at_now(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world(settings: Any) -> World:
    settings.MAIL_IS_SENT = True
    return World(rooms=2, practitioners=2)


@pytest.fixture
def reception() -> Client:
    return signed_in("reception")


def mails(booking: Booking, kind: str = "confirmed") -> list[OutgoingEmail]:
    return list(OutgoingEmail.objects.filter(booking=booking, kind=kind).order_by("pk"))


def failed(booking: Booking, kind: str = "confirmed") -> OutgoingEmail:
    OutgoingEmail.objects.filter(booking=booking, kind=kind).update(
        state=MailState.FAILED, last_error="550", attempts=3
    )
    return mails(booking, kind)[0]


# A message that did not arrive


def test_what_does_not_stand_any_more_is_not_tried_again(world: World, reception: Client, time_machine: Any) -> None:
    off, moved, stands = (world.book(local(MONDAY, hour)) for hour in (10, 11, 12))
    letters = [failed(each) for each in (off, moved, stands)]
    staff = make_staff()
    time_machine.move_to(NOW + dt.timedelta(minutes=1), tick=False)
    now = NOW + dt.timedelta(minutes=1)
    lifecycle.cancel(off, reason="x", by=staff, notify=False, now=now)
    lifecycle.reschedule(moved, practitioner=None, start=local(TUESDAY, 10), by=staff, notify=False, now=now)

    pages = [reverse("desk:message", args=[each.pk]) for each in letters]
    shown = ["Try to send it again" in words_of(reception.get(page)) for page in pages]
    for page in pages:
        reception.post(page)

    assert shown == [False, False, True]
    assert "Send it again, as it stands now" in words_of(reception.get(pages[1]))
    for each in letters:
        each.refresh_from_db()
    assert [each.state for each in letters] == [MailState.FAILED, MailState.FAILED, MailState.QUEUED]


# The address


def test_an_address_is_put_right_by_those_who_may_change_patients(world: World) -> None:
    booking = world.book(local(MONDAY, 10), email="old@example.org")
    practitioner = signed_in("practitioner")

    answers = [
        practitioner.get(page_of(booking, "correct_email")).status_code,
        practitioner.post(page_of(booking, "correct_email"), {"email": "new@example.org"}).status_code,
    ]

    assert answers == [403, 403]
    assert Patient.objects.get().email == "old@example.org"
    assert "Correct the email address" not in words_of(practitioner.get(page_of(booking)))
    assert "Correct the email address" in words_of(signed_in("reception").get(page_of(booking)))


# The confirmation again


def test_a_second_press_writes_no_second_confirmation(world: World, reception: Client) -> None:
    booking = world.book(local(MONDAY, 10))
    page = reception.get(page_of(booking)).content.decode()
    seen = re.findall(r'name="seen" value="(\d+)"', page)
    assert seen == [str(mails(booking)[0].pk)]

    answers = [reception.post(page_of(booking, "resend"), {"seen": seen[0]}).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert len(mails(booking)) == 2
    again = re.findall(r'name="seen" value="(\d+)"', reception.get(page_of(booking)).content.decode())
    assert again == [str(mails(booking)[1].pk)]
    reception.post(page_of(booking, "resend"), {"seen": again[0]})
    assert len(mails(booking)) == 3


# Calling it off


def test_the_clinic_calls_off_one_visit_as_its_own_doing(world: World, reception: Client) -> None:
    Clinic.objects.update(late_fee=20)
    world.location.refresh_from_db()
    booking = world.book(local(SOON, 12), now=NOW)

    sent = {"who": "clinic", "reason": "The steamer broke", "notify": "on"}
    done = reception.post(page_of(booking, "cancel"), sent, follow=True)

    booking.refresh_from_db()
    assert (booking.state, booking.is_late_cancellation) == (BookingState.CANCELLED, False)
    assert "Cancelled. The patient gets an email." in done.content.decode()
    text = re.sub(r"\s+", " ", mails(booking, "cancelled")[0].text)
    assert "This is our doing, not yours." in text
    assert "There is nothing to pay." in text


def test_nobody_is_told_where_that_is_not_wished(world: World, reception: Client) -> None:
    booking = world.book(local(SOON, 12), now=NOW)
    page = words_of(reception.get(page_of(booking, "cancel")))
    assert "Who cancels?" in page
    assert "Email Robin" in page
    assert "If the patient cancels, it is marked as late." in page

    missing = reception.post(page_of(booking, "cancel"), {"reason": "Ill"})
    done = reception.post(page_of(booking, "cancel"), {"who": "patient", "reason": "Ill"}, follow=True)

    booking.refresh_from_db()
    assert (missing.status_code, "Select who cancels" in words_of(missing)) == (422, True)
    assert "Cancelled. No email was sent." in done.content.decode()
    assert (booking.is_late_cancellation, mails(booking, "cancelled")) == (True, [])
    assert BookingEvent.objects.get(booking=booking, verb="cancelled").detail["mailed"] is False


def test_a_refused_cancelling_keeps_its_reason(world: World, reception: Client) -> None:
    booking = world.book(local(SOON, 12), now=NOW)
    Booking.objects.filter(pk=booking.pk).update(state=BookingState.IN_ROOM)

    refused = reception.post(page_of(booking, "cancel"), {"who": "clinic", "reason": "Maya went home ill"})

    assert refused.status_code == 409
    assert "There is a problem This visit can no longer be changed." in words_of(refused)
    assert "Nothing was changed." in words_of(refused)
    assert "Maya went home ill" in words_of(refused)


@pytest.mark.parametrize("has_arrived", [True, False])
def test_after_the_start_only_the_clinic_calls_off_and_only_while_nobody_began(
    world: World, reception: Client, time_machine: Any, has_arrived: bool
) -> None:
    booking, begun = world.book(local(TUESDAY, 9)), world.book(local(TUESDAY, 9))
    time_machine.move_to(local(TUESDAY, 9, 50), tick=False)
    reception = signed_in("reception")
    if has_arrived:
        reception.post(page_of(booking, "arrive"))
    Booking.objects.filter(pk=begun.pk).update(state=BookingState.IN_ROOM)

    page = words_of(reception.get(page_of(booking)))
    form = words_of(reception.get(page_of(booking, "cancel")))
    theirs = reception.post(page_of(booking, "cancel"), {"who": "patient", "reason": "Ill"})
    late = reception.post(page_of(begun, "cancel"), {"who": "clinic", "reason": "Ill"})
    ours = reception.post(page_of(booking, "cancel"), {"who": "clinic", "reason": "Maya is ill", "notify": "on"})

    assert "Cancel this visit" in page
    assert "Move this visit" in page
    assert "The clinic: we cannot keep this time" in form
    assert "The patient The clinic" not in form
    assert (theirs.status_code, late.status_code, ours.status_code) == (422, 409, 302)
    booking.refresh_from_db()
    assert (booking.state, booking.claims.count()) == (BookingState.CANCELLED, 0)
    assert len(mails(booking, "cancelled")) == 1


def test_the_next_day_what_nobody_closed_is_not_called_off_any_more(world: World) -> None:
    booking, staff = world.book(local(MONDAY, 9)), make_staff()

    with pytest.raises(lifecycle.TooLate):
        lifecycle.cancel(booking, reason="x", by=staff, is_ours=True, now=local(TUESDAY, 0))
    with pytest.raises(lifecycle.TooLate):
        lifecycle.reschedule(booking, practitioner=None, start=local(TUESDAY, 10), by=staff, now=local(TUESDAY, 0))
    assert lifecycle.cancel(booking, reason="x", by=staff, is_ours=True, now=local(MONDAY, 23)).cancelled_at


def test_mail_that_waits_is_not_sent_once_the_visit_is_off(world: World) -> None:
    booking = world.book(local(MONDAY, 10))
    lifecycle.cancel(booking, reason="x", by=make_staff(), notify=False, now=NOW)

    outbox.send_due(NOW)

    assert [(each.state, each.last_error) for each in mails(booking)] == [(MailState.SKIPPED, outbox.CHANGED)]
