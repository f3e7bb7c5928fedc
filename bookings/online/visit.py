"""The manage link: see a visit, cancel it. GET shows, POST acts. Moving it and the questions around it stand beside."""

import datetime as dt
import functools

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings import access, lifecycle, rechecking
from bookings.forms import CancelForm
from bookings.models import Booking, BookingState, TaskKind
from bookings.models.event import Actor
from bookings.online import doors
from bookings.online.again import again_for, since
from bookings.online.done import calendar_file
from bookings.online.skin import help_context
from bookings.online.stages import advice_today, check_in_day
from clinic import guidance, screening
from clinic.models.services import EXTRACT
from clinic.screening import Answer, Answered


def visit_page(view: doors.View) -> doors.View:
    """Hand the session's visit to the view; without one the link no longer works."""

    @doors.patient_page
    @functools.wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        booking = access.visit_of(request)
        return dead_link(request) if booking is None else view(request, booking, timezone.now())

    return wrapped


def upcoming_page(view: doors.View) -> doors.View:
    """The same for a visit that is still to come; any other shows what became of it."""

    @visit_page
    @functools.wraps(view)
    def wrapped(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
        if booking.is_upcoming and not booking.has_started(now):
            return view(request, booking, now)
        return over(request, booking, now)

    return wrapped


def dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "visit/dead_link.html", status=410)


@doors.patient_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Move the token out of the address bar into the session. Nothing about the visit changes."""
    if doors.is_too_often(request, "link", timezone.now()):
        return doors.too_often(request)
    booking = access.visit_by_link(token)
    if booking is None:
        return dead_link(request)
    access.open_visit(request, booking.pk, booking.link_version, by_link=True)
    answer = doors.see_other("visit:show")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@require_safe
@visit_page
def show(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """What stands, what to do today, and what to press. It shows no answer to anybody."""
    day = check_in_day(booking, now)
    advice, today = advice_today(booking, now), now.astimezone(booking.location.zone).date()
    data = context(booking, now) | {
        "sections": guidance.grouped(advice, visit_date=booking.local_date, today=today),
        "is_draft": guidance.is_draft(advice),
        "days_left": (booking.local_date - today).days,
        "is_reply_late": booking.reply_by is not None and booking.reply_by <= now,
        "check_in_day": day,
        "has_checked_in": booking.events.filter(verb__startswith=f"check-in, day {day}:").exists(),
        "call": booking.tasks.filter(kind=TaskKind.CHECK_IN, done_at=None, due_at__gt=now).first(),
    }
    if data["can_change"]:
        data |= _before(booking, now, is_known=access.came_by_link(request))
    return render(request, "visit/show.html", data)


def _before(booking: Booking, now: dt.datetime, *, is_known: bool) -> dict[str, object]:
    """What a visit to come may ask for: something new, a safer time, or word of squeezing."""
    stands = lifecycle.stands_since_arranged(booking, now, is_known=is_known)
    is_time = rechecking.is_asked(booking, now) and not stands
    again = again_for(booking, now) if is_time or (booking.is_screening_outstanding and not stands) else None
    return {
        "lacks_guardian": lifecycle.lacks_guardian(booking),
        # Who may have squeezed what we are to treat.
        "can_squeeze": EXTRACT in booking.service.groups,
        "stands": stands,
        "since": since(booking),
        "has_answered": is_time and rechecking.has_answered(booking),
        "again": again if again and (is_time or again.is_open) else None,
    }


def context(booking: Booking, now: dt.datetime) -> dict[str, object]:
    """What every page about one visit names."""
    return {
        "booking": booking,
        "zone": booking.location.zone,
        "is_late": booking.is_late(now),
        "has_started": booking.has_started(now),
        "can_change": booking.is_upcoming and not booking.has_started(now),
        "is_phone_open": booking.location.clinic.is_phone_open(now.astimezone(booking.location.zone)),
    }


@require_safe
@visit_page
def calendar(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    return calendar_file(booking)


def too_late(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """After the cut-off moving means phoning; cancelling still works here."""
    status = 422 if request.method == "POST" else 200
    return render(request, "visit/late.html", context(booking, now), status=status)


def over(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """The visit was called off, has started or is done. After a warning sign medical help comes first."""
    if booking.state == BookingState.SUSPENDED:
        return doors.see_other("visit:help")
    status = 409 if request.method == "POST" else 200
    return render(request, "visit/over.html", context(booking, now), status=status)


@require_safe
@visit_page
def help_first(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """What to do after a warning sign, full screen: the signed advice, whom to call, what became of the visit."""
    clinic = booking.location.clinic
    book = screening.rulebook(clinic)
    # What was answered is not kept: whoever comes here reads all of it.
    said = {each.code: Answered(Answer.UNSURE) for each in book.questions}
    is_called = booking.tasks.filter(kind=TaskKind.WARNING_SIGN, done_at=None).exists()
    data = context(booking, now) | help_context(clinic, book, said) | {"is_called": is_called}
    return render(request, "visit/help.html", data)


@require_http_methods(["GET", "HEAD", "POST"])
@visit_page
def cancel(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET says what cancelling costs; POST cancels. A second POST changes nothing."""
    if request.method != "POST":
        can_change = booking.is_upcoming and not booking.has_started(now)
        return _cancel_page(request, booking, now, CancelForm()) if can_change else over(request, booking, now)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _cancel_page(request, booking, now, form)
    try:
        lifecycle.cancel(booking, reason=form.cleaned_data["reason"], by=Actor.PATIENT, now=now)
    except (lifecycle.TooLate, lifecycle.NotUpcoming):
        return over(request, booking, now)
    messages.success(request, "Cancelled. We have sent you an email that says so.")
    return doors.see_other("visit:show")


def _cancel_page(request: HttpRequest, booking: Booking, now: dt.datetime, form: CancelForm) -> HttpResponse:
    is_free = lifecycle.stands_since_arranged(booking, now, is_known=access.came_by_link(request))
    data = context(booking, now) | {"form": form, "has_errors": form.is_bound, "is_free": is_free}
    return render(request, "visit/cancel.html", data, status=422 if form.is_bound else 200)


@require_POST
@visit_page
def call_me(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """Ask the clinic to phone about this visit, on the number it has."""
    if doors.is_too_often(request, "call", now):
        return doors.too_often(request)
    patient = booking.patient
    assert patient, "a booked visit has a patient"
    note = "Wants to change this visit"
    if not booking.tasks.filter(note=note, done_at=None).exists():
        clinic = booking.location.clinic
        lifecycle.ask_us_to_call(
            clinic=clinic, name=patient.name, phone=patient.phone, note=note, booking=booking, now=now
        )
    messages.success(request, "We will call you.")
    return doors.see_other("visit:show")
