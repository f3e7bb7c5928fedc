"""One patient: who they are, their visits, what was written to them, and records that may be theirs too."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import lifecycle
from bookings.ages import age_on
from bookings.desk.acting import form_page, typed
from bookings.desk.doors import changes_patients, notices, patients_for, sees_patients, user_of, visits_for
from bookings.desk.patient_forms import PatientForm
from bookings.desk.reading import read
from bookings.models import Booking, BookingState, OutgoingEmail, Patient, Task
from bookings.models.states import UNDER_WAY, UPCOMING
from clinic.models import Clinic

MOST_MESSAGES = 50
TO_COME = UPCOMING | UNDER_WAY
MAILED_AGAIN = "Saved. The confirmations are on their way to the new address."


def known(request: HttpRequest, pk: int) -> Patient:
    """The patient that staff name, among those they may see; for a merged record, the one it was merged into."""
    row = get_object_or_404(Patient, pk=pk)
    return get_object_or_404(patients_for(user_of(request)), pk=row.merged_into_id or row.pk)


@never_cache
@require_safe
@sees_patients
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """A merged record leads to the one that was kept."""
    now, user = timezone.now(), user_of(request)
    patient = known(request, pk)
    if patient.pk != pk:
        return redirect("desk:patient", patient.pk)
    read(request, patient, now=now)
    visits = list(visits_for(user).filter(patient=patient).select_related("service", "practitioner", "location"))
    context = {
        **head(patient, now),
        **_visits(visits),
        **_papers(visits),
        "others": patients_for(user).like(patient),
        "merges": patient.merges.filter(undone_at=None).select_related("merged", "merged_by"),
    }
    return render(request, "desk/patient.html", context)


@never_cache
@form_page
@changes_patients
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Put right who they are and how they are reached."""
    now = timezone.now()
    patient = known(request, pk)
    read(request, patient, now=now)
    today = timezone.localtime(now).date()
    form = PatientForm(typed(request), initial=PatientForm.said_by(patient), country=country(), today=today)
    if not form.is_valid():
        context = {**head(patient, now), "form": form, "has_errors": form.is_bound}
        return render(request, "desk/patient_edit.html", context, status=422 if form.is_bound else 200)
    try:
        found = lifecycle.correct_patient(patient, **form.said, by=user_of(request), now=now)
    except lifecycle.Refused as refused:
        return refusal(request, patient, refused, now)
    is_mailed_again = found.email != patient.email and Booking.objects.upcoming().filter(patient=patient).exists()
    messages.success(request, MAILED_AGAIN if is_mailed_again else "Saved.")
    return redirect("desk:patient", patient.pk)


def head(patient: Patient, now: dt.datetime) -> dict[str, Any]:
    """What every page about one patient shows."""
    zone = timezone.get_current_timezone()
    born = patient.date_of_birth
    age = age_on(born, now.astimezone(zone).date()) if born else None
    return {"patient": patient, "age": age, "now": now, "zone": zone, "desk_notices": notices(now)}


def refusal(request: HttpRequest, patient: Patient, refused: lifecycle.Refused, now: dt.datetime) -> HttpResponse:
    """Why it cannot be done any more; nothing was changed."""
    context = {**head(patient, now), "refusal": str(refused)}
    return render(request, "desk/patient_refused.html", context, status=409)


def country() -> str:
    """Whose way of writing phone numbers counts as local."""
    return Clinic.objects.values_list("country", flat=True).first() or ""


def _visits(visits: list[Booking]) -> dict[str, Any]:
    """Those to come by time; the others with the newest first."""
    return {
        "to_come": [each for each in visits if each.state in TO_COME],
        "earlier": [each for each in reversed(visits) if each.state not in TO_COME],
        "missed": sum(each.state == BookingState.MISSED for each in visits),
    }


def _papers(visits: list[Booking]) -> dict[str, Any]:
    """What was written about these visits, and what is still to do for them."""
    by_pk = {each.pk: each for each in visits}
    emails = OutgoingEmail.objects.filter(booking__in=visits).defer("text", "html", "calendar")[:MOST_MESSAGES]
    tasks = Task.objects.open().filter(booking__in=visits).select_related("booking__location", "assigned_to")
    return {
        "emails": [(email, by_pk[email.booking_id or 0]) for email in emails],
        "most_messages": MOST_MESSAGES,
        "open_tasks": tasks,
    }
