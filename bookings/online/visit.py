"""The manage link: see a visit, move it, cancel it. GET shows, POST acts."""

import datetime as dt
import functools

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings import access, availability, lifecycle
from bookings.forms import CancelForm
from bookings.models import Booking, BookingState
from bookings.models.event import Actor
from bookings.online import doors, refusals
from bookings.online.asked import Asked, asked_for, date_of, start_of
from bookings.online.done import calendar_file
from bookings.online.month import choices
from clinic import guidance
from clinic.models import Moment

# What to show, by how far away the visit is; the first that fits.
STAGES = (
    (dt.timedelta(hours=72), Moment.CONFIRM),
    (dt.timedelta(hours=24), Moment.R72H),
    (dt.timedelta(0), Moment.R24H),
    (dt.timedelta(days=-3), Moment.DAY0),
    (dt.timedelta(days=-7), Moment.DAY3),
)


def visit_page(view: doors.View) -> doors.View:
    """Hand the session's visit to the view; without one the link no longer works."""

    @doors.patient_page
    @functools.wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        booking = access.visit_of(request)
        return dead_link(request) if booking is None else view(request, booking, timezone.now())

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
    access.open_visit(request, booking.pk, booking.link_version)
    answer = doors.see_other("visit:show")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@require_safe
@visit_page
def show(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    advice, today = _advice(booking, now), now.astimezone(booking.location.zone).date()
    context = _context(booking, now) | {
        "sections": guidance.grouped(advice, visit_date=booking.local_date, today=today),
        "is_draft": guidance.is_draft(advice),
        "days_left": (booking.local_date - today).days,
    }
    return render(request, "visit/show.html", context)


def _advice(booking: Booking, now: dt.datetime) -> list[guidance.Advice]:
    """The list for today's stage; nothing for a visit that will not be."""
    if booking.state in {BookingState.CANCELLED, BookingState.DECLINED}:
        return []
    left = booking.starts_at - now
    moment = next((moment for least, moment in STAGES if left > least), Moment.DAY7)
    return guidance.items_for(booking.service, moment, booking.location.clinic)


def _context(booking: Booking, now: dt.datetime) -> dict[str, object]:
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


@require_http_methods(["GET", "HEAD", "POST"])
@visit_page
def move(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET shows the nearest times and the month; POST moves the visit."""
    if not booking.is_upcoming or booking.has_started(now):
        return over(request, booking, now)
    if booking.is_late(now):
        return too_late(request, booking, now)
    data = request.POST if request.method == "POST" else request.GET
    asked = asked_for(booking.location.clinic, booking.agreed_service(), booking.location, data, now)
    if request.method != "POST":
        return _choose(request, booking, asked)
    start = start_of(request.POST, now)
    if start is None:
        return _refused(request, booking, asked, None, title="That time is not on offer", status=422)
    return _moved(request, booking, asked, start)


def _choose(request: HttpRequest, booking: Booking, asked: Asked) -> HttpResponse:
    search = asked.search(ignoring=booking)
    near = availability.nearest(to=booking.starts_at, count=4, **search)
    date, month = date_of(request.GET.get("date", "")), date_of(f"{request.GET.get('month', '')}-01")
    if not (date or month) and near:
        date = near[0].at.astimezone(booking.location.zone).date()
    context = _context(booking, asked.now) | {
        "asked": asked,
        "choices": choices(search, month=month, date=date),
        "times": [each.at for each in near if each.at != booking.starts_at][:3],
        "query": urlencode({"practitioner": asked.practitioner_slug}),
    }
    return render(request, "visit/move.html", context)


def _moved(request: HttpRequest, booking: Booking, asked: Asked, start: dt.datetime) -> HttpResponse:
    try:
        lifecycle.reschedule(booking, practitioner=asked.practitioner, start=start, by=Actor.PATIENT, now=asked.now)
    except lifecycle.TooLate:
        return too_late(request, booking, asked.now)
    except lifecycle.NotUpcoming:
        return over(request, booking, asked.now)
    except lifecycle.NotEligible as refused:
        return refusals.age(request, booking, refused.problem)
    except lifecycle.SlotTaken:
        return _refused(request, booking, asked, start, title="That time has just been taken", status=409)
    except lifecycle.NotOffered:
        return _refused(request, booking, asked, start, title="That time is not on offer", status=422)
    messages.success(request, "Your visit has moved. We have sent you the new time.")
    return doors.see_other("visit:show")


def _refused(
    request: HttpRequest, booking: Booking, asked: Asked, start: dt.datetime | None, *, title: str, status: int
) -> HttpResponse:
    times = refusals.near(asked.search(ignoring=booking), start or booking.starts_at)
    context = _context(booking, asked.now) | {
        "asked": asked,
        "title": title,
        "times": [each for each in times if each != booking.starts_at],
    }
    return render(request, "visit/refusal.html", context, status=status)


def too_late(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """After the cut-off moving means phoning; cancelling still works here."""
    status = 422 if request.method == "POST" else 200
    return render(request, "visit/late.html", _context(booking, now), status=status)


def over(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """The visit was cancelled, has started or is done."""
    status = 409 if request.method == "POST" else 200
    return render(request, "visit/over.html", _context(booking, now), status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@visit_page
def cancel(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET says what cancelling costs; POST cancels. A second POST changes nothing."""
    if request.method != "POST":
        page = "visit/cancel.html" if booking.is_upcoming and not booking.has_started(now) else "visit/over.html"
        return render(request, page, _context(booking, now) | {"form": CancelForm()})
    form = CancelForm(request.POST)
    if not form.is_valid():
        context = _context(booking, now) | {"form": form, "has_errors": True}
        return render(request, "visit/cancel.html", context, status=422)
    try:
        lifecycle.cancel(booking, reason=form.cleaned_data["reason"], by=Actor.PATIENT, now=now)
    except (lifecycle.TooLate, lifecycle.NotUpcoming):
        return over(request, booking, now)
    messages.success(request, "Cancelled. We have sent you an email that says so.")
    return doors.see_other("visit:show")


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
