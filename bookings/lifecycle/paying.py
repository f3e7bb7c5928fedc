"""Paid at the clinic: written down once for each visit, and voided where it was wrong."""

import datetime as dt
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from bookings.lifecycle.history import record
from bookings.lifecycle.refusals import AlreadyPaid, NotPayable
from bookings.lifecycle.safety import refuse_without_reason
from bookings.models import Booking, BookingState, PaidBy, Payment
from bookings.models.states import UNDER_WAY

PAYABLE = frozenset({BookingState.CONFIRMED, BookingState.COMPLETED}) | UNDER_WAY


def take_payment(booking: Booking, *, amount: Decimal, method: PaidBy, by: User, now: dt.datetime) -> Payment:
    """Write down that the visit was paid, in the currency it was booked in.

    Raises AlreadyPaid while a payment stands, and NotPayable for a visit that is off or not booked.
    """
    with transaction.atomic():
        found = Booking.objects.locked(booking.pk)
        if found.payments.filter(voided_at=None).exists():
            raise AlreadyPaid
        if found.state not in PAYABLE:
            raise NotPayable
        payment = Payment.objects.create(
            booking=found, amount=amount, currency=found.currency, method=method, paid_at=now, taken_by=by
        )
        record(found, "paid", by=by, now=now, **_told(payment))
    return payment


def void_payment(payment: Payment, *, reason: str, by: User, now: dt.datetime) -> Payment:
    """A payment that was a mistake stays, struck out, with the reason. A second call changes nothing.

    Raises NeedsReason.
    """
    reason = refuse_without_reason(reason)
    with transaction.atomic():
        standing = Payment.objects.filter(pk=payment.pk, voided_at=None)
        if standing.update(voided_at=now, voided_by=by, void_reason=reason):
            record(payment.booking, "payment voided", by=by, now=now, reason=reason, **_told(payment))
    payment.refresh_from_db()
    return payment


def _told(payment: Payment) -> dict[str, str]:
    return {"amount": str(payment.amount), "currency": payment.currency, "method": str(payment.method)}
