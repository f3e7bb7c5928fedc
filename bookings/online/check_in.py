"""How is your skin? Asked on the day of a treatment, three days after it, and a week after it."""

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from bookings import lifecycle
from bookings.forms import CheckInForm
from bookings.models import Booking, RunKind, TaskKind
from bookings.models.event import Actor
from bookings.online import doors, visit
from bookings.online.recheck import answer, answers_of
from bookings.online.stages import advice_today, check_in_day
from clinic import guidance, screening
from clinic.views.pages import RED_FLAGS, cards

FIRST = "Q1"
THANKS = {
    "calmer": "Thank you, that is good to hear. Here is how to look after your skin now.",
    "same": "Thank you for telling us. Here is how to look after your skin now.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@visit.visit_page
def check_in(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET asks for warning signs, then how it is; POST says what to do. A second POST is harmless."""
    day = check_in_day(booking, now)
    if day is None:
        return visit.over(request, booking, now)
    book = screening.rulebook(booking.location.clinic)
    asked = [each for each in book.asked(booking.service.codes) if each.code == FIRST]
    today = now.astimezone(booking.location.zone).date()
    if request.method != "POST":
        return _page(request, booking, CheckInForm(asked=asked, today=today), now)
    if doors.is_too_often(request, "answers", now):
        return doors.too_often(request)
    form = CheckInForm(request.POST, asked=asked, today=today)
    said = answers_of(form, book)
    if said is None:
        return _page(request, booking, form, now)
    try:
        answer(request, booking, said, RunKind.CHECK_IN, now)
    except lifecycle.NeedsHelp:
        return doors.see_other("visit:help")
    return _said(request, booking, day, form.cleaned_data["how"], now)


def _said(request: HttpRequest, booking: Booking, day: int, how: str, now: dt.datetime) -> HttpResponse:
    if how == "worse":
        lifecycle.worse(booking, day=day, by=Actor.PATIENT, now=now)
        return doors.see_other("visit:worse")
    verb = lifecycle.calmer if how == "calmer" else lifecycle.same
    verb(booking, day=day, by=Actor.PATIENT, now=now)
    messages.success(request, THANKS[how])
    return doors.see_other("visit:show")


@require_safe
@visit.visit_page
def worse(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """The warning signs, and when we call."""
    flags = [each for each in advice_today(booking, now) if each.topic == RED_FLAGS]
    flags = flags or guidance.red_flags(booking.location.clinic)
    task = booking.tasks.filter(kind=TaskKind.CHECK_IN, done_at=None).first()
    data = visit.context(booking, now) | {
        "cards": cards(flags),
        "task": task,
        "is_draft": guidance.is_draft(flags),
        "hide_nav": True,
    }
    return render(request, "visit/worse.html", data)


def _page(request: HttpRequest, booking: Booking, form: CheckInForm, now: dt.datetime) -> HttpResponse:
    data = visit.context(booking, now) | {
        "form": form,
        "has_errors": form.is_bound,
        "is_draft": not all(each.is_signed for each in form.asked),
    }
    return render(request, "visit/check_in.html", data, status=422 if form.is_bound else 200)
