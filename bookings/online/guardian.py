"""A parent's or guardian's own link: what the visit is, and whether they agree. It shows no answer of the patient."""

import datetime as dt
import functools

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bookings import access, lifecycle
from bookings.models import Guardian
from bookings.models.event import Actor
from bookings.models.states import UNDER_WAY, UPCOMING
from bookings.online import doors
from clinic import guidance
from clinic.models import Grade, Moment

RISKS = "what-can-go-wrong"
HAPPENS = ("what-happens", RISKS)
READ = (Moment.BROWSE, Moment.CONFIRM)


def guardian_page(view: doors.View) -> doors.View:
    """Hand the session's guardian to the view; without one the link no longer works."""

    @doors.patient_page
    @functools.wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        guardian = access.guardian_of(request)
        return dead_link(request) if guardian is None else view(request, guardian, timezone.now())

    return wrapped


def dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "guardian/dead_link.html", status=410)


@doors.patient_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Move the token out of the address bar into the session. Nothing else changes."""
    if doors.is_too_often(request, "link", timezone.now()):
        return doors.too_often(request)
    guardian = access.guardian_by_link(token)
    if guardian is None:
        return dead_link(request)
    access.open_guardian(request, guardian)
    answer = doors.see_other("guardian:show")
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@require_safe
@guardian_page
def show(request: HttpRequest, guardian: Guardian, now: dt.datetime) -> HttpResponse:
    """The visit, what happens, what can go wrong, and how to prepare."""
    booking = guardian.booking
    items = _advice(guardian)
    today = now.astimezone(booking.location.zone).date()
    data = {
        "guardian": guardian,
        "booking": booking,
        "zone": booking.location.zone,
        "grade": Grade(booking.practitioner.code).label,
        "is_open": booking.state in UPCOMING | UNDER_WAY,
        "has_refused": lifecycle.has_refused(guardian),
        "sections": guidance.grouped(items, visit_date=booking.local_date, today=today),
        "is_draft": guidance.is_draft(items),
    }
    return render(request, "guardian/show.html", data)


@require_POST
@guardian_page
def agree(request: HttpRequest, guardian: Guardian, now: dt.datetime) -> HttpResponse:
    """A second POST changes nothing."""
    try:
        lifecycle.agree(guardian, by=Actor.GUARDIAN, shown=_shown(guardian), now=now)
    except (lifecycle.NotUpcoming, lifecycle.ChangedSince):
        return doors.see_other("guardian:show")
    messages.success(request, "Thank you. You agreed to this visit.")
    return doors.see_other("guardian:show")


@require_POST
@guardian_page
def refuse(request: HttpRequest, guardian: Guardian, now: dt.datetime) -> HttpResponse:
    """Nobody treats the patient; a person phones. A second POST changes nothing."""
    try:
        lifecycle.refuse(guardian, by=Actor.GUARDIAN, now=now)
    except (lifecycle.NotUpcoming, lifecycle.ChangedSince):
        return doors.see_other("guardian:show")
    messages.success(request, "Thank you for telling us. We will call you.")
    return doors.see_other("guardian:show")


def _advice(guardian: Guardian) -> list[guidance.Advice]:
    """Of the public pages what happens and what can go wrong; then what the patient was sent to prepare."""
    booking = guardian.booking
    found = guidance.by_moment(booking.service, READ, booking.location.clinic)
    about = [each for each in found[Moment.BROWSE] if each.topic in HAPPENS]
    return list({each.code: each for each in [*about, *found[Moment.CONFIRM]]}.values())


def _shown(guardian: Guardian) -> tuple[tuple[str, str, int], ...]:
    return tuple(("guardian", each.code, each.version) for each in _advice(guardian))
