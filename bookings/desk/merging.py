"""Two records of one person become one, and two again if that was a mistake."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import form_page, typed
from bookings.desk.doors import changes_patients, user_of, visits_for
from bookings.desk.patient import country, head, known, refusal
from bookings.desk.patient_forms import LABELS, MergeForm, text_of
from bookings.desk.reading import read
from bookings.models import Patient, PatientMerge


@never_cache
@form_page
@changes_patients
def merge(request: HttpRequest, pk: int, other_pk: int) -> HttpResponse:
    """``pk`` stays, ``other_pk`` goes into it. Two that are one already lead to that one."""
    now, user = timezone.now(), user_of(request)
    kept, other = known(request, pk), known(request, other_pk)
    if kept.pk == other.pk:
        if pk == other_pk:
            raise Http404("nobody is merged with themselves")
        return redirect("desk:patient", kept.pk)
    read(request, kept, other, now=now)
    local = country()
    form = MergeForm(typed(request), kept=kept, other=other, country=local)
    if not form.is_valid():
        return _compared(request, kept, other, form, local)
    try:
        done = lifecycle.merge_patients(
            kept, other, values=form.values, is_same_person=form.is_same_person, by=user, now=now
        )
    except lifecycle.Refused as refused:
        return refusal(request, kept, refused, now)
    count = len(done.moved)
    messages.success(request, f"Merged. {count} visit{'' if count == 1 else 's'} came along.")
    return redirect("desk:patient", kept.pk)


@never_cache
@require_POST
@changes_patients
def unmerge(request: HttpRequest, pk: int, merge_pk: int) -> HttpResponse:
    """They are two people after all."""
    now = timezone.now()
    kept = known(request, pk)
    merge = get_object_or_404(PatientMerge.objects.select_related("kept", "merged"), pk=merge_pk, kept=pk)
    try:
        undone = lifecycle.unmerge_patients(merge, by=user_of(request), now=now)
    except lifecycle.Refused as refused:
        return refusal(request, kept, refused, now)
    messages.success(request, f"Two records again: {undone.kept} and {undone.merged}.")
    return redirect("desk:patient", pk)


def _compared(request: HttpRequest, kept: Patient, other: Patient, form: MergeForm, local: str) -> HttpResponse:
    """Side by side, with what would move."""
    visits = visits_for(user_of(request))
    context = {
        **head(kept, timezone.now()),
        "other": other,
        "rows": [(label, text_of(name, kept, local), text_of(name, other, local)) for name, label in LABELS.items()],
        "kept_visits": visits.filter(patient=kept).count(),
        "moving": visits.filter(patient=other).count(),
        "looks_like_two": "is_same_person" in form.fields,
        "form": form,
        "has_errors": form.is_bound,
    }
    return render(request, "desk/merge.html", context, status=422 if form.is_bound else 200)
