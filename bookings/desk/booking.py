"""One booking, with all that was said, agreed, sent and done."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import lifecycle
from bookings.desk import findings, history
from bookings.desk.acting import booked, head
from bookings.desk.attending import acts_for, is_open
from bookings.desk.doors import rights, sees_bookings
from bookings.desk.findings import Line
from bookings.eligibility import needs_guardian
from bookings.models import Booking, OutgoingEmail, TaskKind


@never_cache
@require_safe
@sees_bookings
def show(request: HttpRequest, reference: str) -> HttpResponse:
    now = timezone.now()
    booking = booked(request, reference)
    may = rights(request)
    context = {
        **head(booking, now),
        "may": may,
        "acts": acts_for(booking, now),
        "lines": _lines(booking, now, sees_answers=may.answers),
        "history": history.of(booking, sees_answers=may.answers),
        **_guardian(booking),
        **_papers(booking),
    }
    return render(request, "desk/booking.html", context)


def _lines(booking: Booking, now: dt.datetime, *, sees_answers: bool) -> list[Line]:
    """What the answers, history and age mean for the visit as it is arranged, while it is not over."""
    if not is_open(booking):
        return []
    found = lifecycle.outlook_for(booking, now).outcome(booking.practitioner.code, booking.local_date).findings
    return findings.lines(found, findings.history_texts(found), sees_answers=sees_answers)


def _guardian(booking: Booking) -> dict[str, Any]:
    """Who answers for a young patient; the page asks for a name where nobody is named."""
    born = booking.patient.date_of_birth if booking.patient else None
    guardian = getattr(booking, "guardian", None)
    return {
        "guardian": guardian,
        "guardian_missing": guardian is None and needs_guardian(born, booking.local_date),
    }


def _papers(booking: Booking) -> dict[str, Any]:
    """What hangs on a booking: messages, consents, the things it claims, open tasks, whether there are answers."""
    open_tasks = list(booking.tasks.open())
    return {
        "emails": OutgoingEmail.objects.filter(booking=booking).defer("text", "html", "calendar"),
        "consents": booking.consents.order_by("id"),
        "claims": booking.claims.select_related("resource").order_by("resource__kind", "id"),
        "open_tasks": open_tasks,
        "is_asked_again": any(task.kind == TaskKind.RECHECK for task in open_tasks),
        "answered": booking.screenings.count(),
    }
