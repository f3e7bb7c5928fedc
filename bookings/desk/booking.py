"""One booking, with all that was said, agreed, sent and done."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import lifecycle
from bookings.ages import needs_guardian
from bookings.desk import findings, history, next_visit
from bookings.desk.acting import booked, head
from bookings.desk.attending import Acts, acts_for, is_open
from bookings.desk.doors import Rights, rights, sees_bookings, user_of
from bookings.desk.findings import Line
from bookings.desk.visit_forms import NOT_LATE, LateForm, NoteForm, quiet_form
from bookings.models import Booking, ConsentKind, OutgoingEmail, TaskKind


@never_cache
@require_safe
@sees_bookings
def show(request: HttpRequest, reference: str) -> HttpResponse:
    now = timezone.now()
    booking = booked(request, reference)
    may = rights(request)
    acts = acts_for(booking, now)
    context = {
        **head(booking, now),
        "may": may,
        "acts": acts,
        "lines": _lines(booking, now, sees_answers=may.answers),
        "history": history.of(booking, sees_answers=may.answers),
        "next_visit": next_visit.after(booking, user_of(request), now),
        "book_again": next_visit.book_again(booking) if acts.again else "",
        "last_told": lifecycle.last_told(booking) if may.change and acts.change else 0,
        **_guardian(booking),
        **_papers(booking),
        **_money(booking),
        **_forms(booking, may, acts),
    }
    return render(request, "desk/booking.html", context)


def _money(booking: Booking) -> dict[str, Any]:
    payments = list(booking.payments.select_related("taken_by", "voided_by"))
    return {"payments": payments, "is_paid": any(payment.voided_at is None for payment in payments)}


def _forms(booking: Booking, may: Rights, acts: Acts) -> dict[str, Any]:
    """What is typed on this page itself; each posts to an address of its own."""
    note, late = NoteForm(), LateForm(initial={"late": booking.late_minutes or NOT_LATE})
    note.helper = quiet_form("Add the note", "text", to=reverse("desk:note", args=[booking.reference]))
    late.helper = quiet_form("Save", "late", to=reverse("desk:late", args=[booking.reference]))
    return {"note_form": note if may.change else None, "late_form": late if may.change and acts.late else None}


def _lines(booking: Booking, now: dt.datetime, *, sees_answers: bool) -> list[Line]:
    """While it is not over."""
    return findings.as_it_stands(booking, now, sees_answers=sees_answers) if is_open(booking) else []


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
    consents = list(booking.consents.select_related("recorded_by").order_by("id"))
    return {
        "emails": OutgoingEmail.objects.filter(booking=booking).defer("text", "html", "calendar"),
        "consents": consents,
        "is_guidance_recorded": any(each.kind == ConsentKind.GUIDANCE_READ for each in consents),
        "notes": booking.notes.select_related("by"),
        "claims": booking.claims.select_related("resource").order_by("resource__kind", "id"),
        "open_tasks": open_tasks,
        "is_asked_again": any(task.kind == TaskKind.RECHECK for task in open_tasks),
        "answered": booking.screenings.count(),
    }
