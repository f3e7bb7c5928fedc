"""Paid at the clinic: once for each visit, and struck out where it was a mistake."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bookings import lifecycle
from bookings.models import Booking, BookingEvent, PaidBy, Payment, VisitNote
from bookings.models.event import Actor
from tests.factories import NOW, World, local, make_staff
from tests.racing import race, refusals, winners

pytestmark = pytest.mark.django_db

START = local(dt.date(2026, 11, 24), 10)
LATER = START + dt.timedelta(minutes=40)


@pytest.fixture
def booking() -> Booking:
    return World(currency="GBP").book(START)


def pay(booking: Booking, **said: Any) -> Payment:
    defaults = {"amount": Decimal(45), "method": PaidBy.CARD, "now": LATER}
    return lifecycle.take_payment(booking, **{**defaults, **said})


def told(booking: Booking) -> list[tuple[str, dict[str, str]]]:
    found = BookingEvent.objects.filter(booking=booking, verb__startswith="pa")
    return list(found.values_list("verb", "detail"))


def test_a_visit_is_paid_in_its_own_currency_and_the_history_says_so(booking: Booking) -> None:
    staff = make_staff()

    payment = pay(booking, amount=Decimal("45.50"), method=PaidBy.CASH, by=staff)

    payment.refresh_from_db()
    assert (payment.amount, payment.currency, payment.method) == (Decimal("45.50"), "GBP", "cash")
    assert (payment.taken_by, payment.paid_at, payment.voided_at) == (staff, LATER, None)
    assert told(booking) == [("paid", {"amount": "45.50", "currency": "GBP", "method": "cash"})]


def test_nothing_is_paid_twice(booking: Booking) -> None:
    staff = make_staff()
    pay(booking, by=staff)

    with pytest.raises(lifecycle.AlreadyPaid):
        pay(booking, by=staff)

    assert (Payment.objects.count(), len(told(booking))) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_desks_at_once_take_one_payment() -> None:
    booking, staff = World().book(START), make_staff()

    def act() -> Callable[[], Payment]:
        return lambda: pay(booking, by=staff)

    results = race(*(act() for _ in range(6)))

    assert len(winners(results)) == 1
    assert dict(refusals(results)) == {"AlreadyPaid": 5}
    assert Payment.objects.count() == 1


def test_the_database_itself_keeps_to_one_payment(booking: Booking) -> None:
    first = pay(booking, by=make_staff())

    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


def test_a_mistake_is_void_with_its_reason_and_the_visit_is_paid_anew(booking: Booking) -> None:
    staff = make_staff()
    wrong = pay(booking, amount=Decimal(54), by=staff)

    for reason in ("  Typed wrongly ", "Again"):
        lifecycle.void_payment(wrong, reason=reason, by=staff, now=LATER)
    right = pay(booking, by=staff)

    wrong.refresh_from_db()
    assert (wrong.voided_by, wrong.voided_at, wrong.void_reason) == (staff, LATER, "Typed wrongly")
    assert [verb for verb, _ in told(booking)] == ["paid", "payment voided", "paid"]
    assert told(booking)[1][1]["reason"] == "Typed wrongly"
    assert booking.payments.get(voided_at=None) == right


def test_a_payment_is_not_void_without_a_reason(booking: Booking) -> None:
    payment, staff = pay(booking, by=make_staff()), make_staff("other")

    with pytest.raises(lifecycle.NeedsReason):
        lifecycle.void_payment(payment, reason=" ", by=staff, now=LATER)

    payment.refresh_from_db()
    assert payment.voided_at is None


def test_for_a_visit_that_is_off_nothing_is_paid(booking: Booking) -> None:
    lifecycle.cancel(booking, reason="", by=Actor.PATIENT, now=NOW)

    with pytest.raises(lifecycle.NotPayable):
        pay(booking, by=make_staff())

    assert not Payment.objects.exists()


# Notes


def test_a_note_is_added_once_and_none_is_ever_changed(booking: Booking) -> None:
    mine, other = make_staff(), make_staff("other")
    for by, text in [(mine, "Likes it warm."), (mine, "Likes it warm."), (other, "Likes it warm."), (mine, "Parks.")]:
        lifecycle.add_visit_note(booking, text=text, by=by, now=LATER)

    said = list(VisitNote.objects.filter(booking=booking).values_list("by", "text", "at"))
    assert said == [(mine.pk, "Likes it warm.", LATER), (other.pk, "Likes it warm.", LATER), (mine.pk, "Parks.", LATER)]
