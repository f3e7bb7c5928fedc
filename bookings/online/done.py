"""Thank you: what was booked, what happens next, and a wrong address put right."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings import access, emails, lifecycle, rechecking
from bookings.forms import AddressForm
from bookings.models import Booking
from bookings.models.event import Actor
from bookings.online import doors, refusals, skin
from clinic import guidance, words
from clinic.models import Moment

NOT_SQUEEZING = "why-not-squeeze"
# An offer to everybody who books, and what is read by who takes it up: nothing of that is sent or kept.
STOP_PICKING, SUPPORT = "stop-picking", "WHY-7"


@doors.patient_page
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """The visit this browser booked last."""
    booking = access.last_done(request)
    if booking is None:
        return refusals.nothing_held(request, status=200)
    return _page(request, booking)


def _page(request: HttpRequest, booking: Booking) -> HttpResponse:
    now = timezone.now()
    today = now.astimezone(booking.location.zone).date()
    advice = _next_steps(booking)
    support = _support(booking)
    context = {
        "booking": booking,
        "sections": guidance.grouped(advice, visit_date=booking.local_date, today=today),
        "support": support,
        "is_draft": guidance.is_draft([*advice, *support]),
        "may_correct": access.may_correct_address(booking, now) and booking.reader == own_mail(booking),
        "after_review": _after_review(booking),
        "asks_again": booking.starts_at - now > rechecking.ASKED_BEFORE,
    }
    return render(request, "booking/done.html", context)


def own_mail(booking: Booking) -> tuple[str, str]:
    """The patient's own name and address; a guardian's is put right by phone."""
    assert booking.patient, "a booked visit has a patient"
    return booking.patient.name, booking.patient.email


def _after_review(booking: Booking) -> guidance.Advice | None:
    """What somebody reads whose answers wait for a clinician."""
    if booking.reply_by is None:
        return None
    reply_by = words.when(booking.reply_by, booking.location.zone)
    return guidance.wording("after-review", booking.location.clinic, reply_by=reply_by)


def _next_steps(booking: Booking) -> list[guidance.Advice]:
    """Hands off from now on, then what has a day of its own; the e-mail and the visit page have the rest."""
    dated = guidance.topics().filter(days_before__isnull=False).values_list("code", flat=True)
    shown = {NOT_SQUEEZING, *dated}
    items = guidance.items_for(booking.service, Moment.CONFIRM, booking.location.clinic)
    return [each for each in items if each.priority == 1 and each.topic in shown]


def _support(booking: Booking) -> list[guidance.Advice]:
    """The question whether somebody wants help to stop picking, and what a yes reads. Neither without the other."""
    clinic = booking.location.clinic
    found = [skin.wording(STOP_PICKING, clinic), *guidance.by_code([SUPPORT], clinic)]
    offered = [each for each in found if each is not None]
    return offered if len(offered) > 1 else []


@doors.patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def correct_email(request: HttpRequest) -> HttpResponse:
    """Wrong address? Soon after booking this browser may put it right; old links stop working."""
    now = timezone.now()
    booking = access.last_done(request)
    if booking is None:
        return refusals.nothing_held(request, status=200 if request.method != "POST" else 410)
    if not (booking.is_upcoming and access.may_correct_address(booking, now)):
        status = 410 if request.method == "POST" else 200
        return render(request, "booking/address_late.html", {"booking": booking}, status=status)
    if request.method != "POST":
        return _address(request, booking, AddressForm(initial={"email": booking.patient and booking.patient.email}))
    return _corrected(request, booking, now)


def _corrected(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    if doors.is_too_often(request, "address", now):
        return doors.too_often(request)
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _address(request, booking, form, status=422)
    try:
        corrected = lifecycle.correct_email(booking, email=form.cleaned_data["email"], by=Actor.PATIENT, now=now)
    except lifecycle.NotUpcoming:
        return render(request, "booking/address_late.html", {"booking": booking}, status=410)
    access.remember_done(request, corrected)
    messages.success(request, f"We have sent it again, to {form.cleaned_data['email']}.")
    return doors.see_other("booking:done")


def _address(request: HttpRequest, booking: Booking, form: AddressForm, **answer: Any) -> HttpResponse:
    context = {"booking": booking, "form": form, "has_errors": bool(form.errors)}
    return render(request, "booking/address.html", context, **answer)


@doors.patient_page
@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    """Clear this device: nothing of the visit stays in this browser's session."""
    request.session.flush()
    messages.success(request, "This device no longer shows your visit. Your booking stands.")
    return doors.see_other("home")


@doors.patient_page
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    booking = access.last_done(request)
    if booking is None:
        raise Http404("Nothing was booked in this browser")
    return calendar_file(booking)


def calendar_file(booking: Booking) -> HttpResponse:
    """The visit for a calendar program. The file's name says nothing of the treatment."""
    content = emails.calendar_file(booking, now=timezone.now())
    headers = {"Content-Disposition": 'attachment; filename="visit.ics"'}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


@doors.patient_page
@require_safe
def written(request: HttpRequest) -> HttpResponse:
    """Only in a demo, where no mail is sent: the e-mail that was just written."""
    booking = access.last_done(request)
    if booking is None or not booking.location.clinic.is_demo:
        raise Http404("Only in a demo")
    email = booking.emails.exclude(kind__startswith="staff").first()
    if email is None:
        raise Http404("No e-mail was written")
    return render(request, "booking/written.html", {"email": email})
