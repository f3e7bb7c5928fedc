"""Paid at the clinic: the amount, the receipt to print, and a payment that was a mistake."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import lifecycle
from bookings.desk.acting import booked, done, form_page, form_shown, head, typed
from bookings.desk.doors import sees_bookings, takes_payments, user_of, voids_payments
from bookings.desk.visit_forms import PayForm, VoidForm
from bookings.models import Booking, PaidBy, Payment
from clinic import words


@never_cache
@form_page
@takes_payments
def pay(request: HttpRequest, reference: str) -> HttpResponse:
    """Mark the visit as paid."""
    now = timezone.now()
    booking = booked(request, reference)
    form = PayForm(typed(request), booking=booking)
    if not form.is_valid():
        return form_shown(request, "desk/pay.html", booking, form, now, paid=_standing(booking))
    amount, method = form.cleaned_data["amount"], PaidBy(form.cleaned_data["method"])

    def verb() -> Payment:
        return lifecycle.take_payment(booking, amount=amount, method=method, by=user_of(request), now=now)

    return done(request, booking, verb, f"Paid: {words.money(amount, booking.currency)}, {method.label.lower()}.")


@never_cache
@form_page
@voids_payments
def void(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Strike a payment out, with a reason."""
    now = timezone.now()
    booking = booked(request, reference)
    payment = get_object_or_404(booking.payments, pk=pk)
    form = VoidForm(typed(request))
    if not form.is_valid():
        return form_shown(request, "desk/void.html", booking, form, now, payment=payment)

    def verb() -> Payment:
        return lifecycle.void_payment(payment, reason=form.cleaned_data["reason"], by=user_of(request), now=now)

    return done(request, booking, verb, "The payment is void.")


@never_cache
@require_safe
@sees_bookings
def receipt(request: HttpRequest, reference: str) -> HttpResponse:
    """To print: the payment that stands, or the one whose ``number`` the address names; a void one says so."""
    booking = booked(request, reference)
    payment = _named(booking, request.GET["number"]) if "number" in request.GET else _latest(booking)
    if payment is None:
        raise Http404("nothing was paid")
    context = {**head(booking, timezone.now()), "payment": payment, "clinic": booking.location.clinic}
    return render(request, "desk/receipt.html", context)


def _named(booking: Booking, number: str) -> Payment | None:
    return next((each for each in _payments(booking) if str(each.pk) == number), None)


def _latest(booking: Booking) -> Payment | None:
    """The one that stands, which was taken after any that is void."""
    return _payments(booking).last()


def _payments(booking: Booking) -> QuerySet[Payment]:
    return booking.payments.select_related("taken_by", "voided_by")


def _standing(booking: Booking) -> Payment | None:
    latest = _latest(booking)
    return latest if latest and latest.voided_at is None else None
