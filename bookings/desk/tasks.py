"""What a person of the clinic must do, soonest due first: who does it, what they found out, and done."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bookings import lifecycle
from bookings.desk import counted, reading
from bookings.desk.acting import booked, form_page, typed
from bookings.desk.doors import does_tasks, notices, sees_tasks, tasks_for, user_of
from bookings.desk.tasks_forms import AssignForm, NoteForm, RemindForm
from bookings.models import Booking, Task
from bookings.models.task import TaskQuerySet
from clinic.models import Clinic, Location
from clinic.opening import reply_by

MOST_SHOWN = 200
LATELY = dt.timedelta(days=7)
EVERYONES, MINE, DONE = "", "mine", "done"
SHOWN = {EVERYONES: "Everyone’s", MINE: "Mine", DONE: "Done lately"}
EMPTY = {EVERYONES: "Nothing to do.", MINE: "Nothing is assigned to you.", DONE: "Nothing was done this week."}


@never_cache
@require_safe
@sees_tasks
def tasks(request: HttpRequest) -> HttpResponse:
    """``show`` chooses: open tasks, those past their time marked; one's own; or what was done in the last week.

    Who sees their own visits only, sees the tasks about those.
    """
    now = timezone.now()
    show = _shown(request)
    context = {
        **_page(request, now),
        "tasks": _found(request, show, now).with_everything()[:MOST_SHOWN],
        "show": show,
        "to_move": counted.to_move(user_of(request), now=now),
        "choices": [(f"?{urlencode({'show': key})}" if key else "?", key, words) for key, words in SHOWN.items()],
        "kept": f"?{urlencode({'show': show})}" if show else "",
        "empty": EMPTY[show],
    }
    return render(request, "desk/tasks.html", context)


@never_cache
@require_safe
@sees_tasks
def task(request: HttpRequest, pk: int) -> HttpResponse:
    """One task with its notes. One about a visit says who the patient is."""
    found = _task(request, pk)
    if found.booking:
        reading.read(request, found.booking, now=timezone.now())
    return _one(request, found)


@never_cache
@form_page
@does_tasks
def new(request: HttpRequest) -> HttpResponse:
    """Leave a task: for the visit that ``visit`` names, or in general."""
    now = timezone.now()
    booking = booked(request, request.GET["visit"]) if request.GET.get("visit") else None
    form = _remind_form(request, booking, now)
    if not form.is_valid():
        context = {**_page(request, now), "form": form, "booking": booking, "has_errors": form.is_bound}
        return render(request, "desk/task_new.html", context, status=422 if form.is_bound else 200)
    try:
        left = lifecycle.remind(booking=booking, **form.said, by=user_of(request), now=now)
    except lifecycle.Refused as refused:
        form.add_error("assignee", str(refused))
        return render(
            request, "desk/task_new.html", {**_page(request, now), "form": form, "booking": booking}, status=422
        )
    messages.success(request, "The task is left.")
    return redirect("desk:task", left.pk)


@never_cache
@require_POST
@does_tasks
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """To the person that was chosen."""
    found = _task(request, pk)
    form = AssignForm(request.POST, people=lifecycle.assignees(), action=_address("task_assign", found))
    if not form.is_valid():
        return _one(request, found, assign_form=form)

    def verb() -> object:
        return lifecycle.assign_task(found, to=form.chosen, by=user_of(request), now=timezone.now())

    return _done(request, found, verb, "Saved.")


@never_cache
@require_POST
@does_tasks
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """To oneself, in one press."""
    found, user = _task(request, pk), user_of(request)

    def verb() -> object:
        return lifecycle.assign_task(found, to=user, by=user, now=timezone.now())

    return _done(request, found, verb, f"Yours now: {found}.", then=_list(request))


@never_cache
@require_POST
@does_tasks
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """What somebody found out."""
    found = _task(request, pk)
    form = NoteForm(request.POST, action=_address("task_note", found))
    if not form.is_valid():
        return _one(request, found, note_form=form)

    def verb() -> object:
        return lifecycle.add_task_note(
            found, text=form.cleaned_data["text"].strip(), by=user_of(request), now=timezone.now()
        )

    return _done(request, found, verb, "The note is added.")


@never_cache
@require_POST
@does_tasks
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick a task off. A second press changes nothing, and who ticked it first stays."""
    found = _task(request, pk)
    try:
        is_first = lifecycle.finish_task(found, by=user_of(request), now=timezone.now())
    except lifecycle.Refused as refused:
        return _one(request, found, refusal=str(refused))
    if is_first:
        messages.success(request, f"Done: {found}.")
    return redirect(_list(request))


@never_cache
@require_POST
@does_tasks
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """It was ticked off by mistake."""
    found = _task(request, pk)
    if lifecycle.reopen_task(found, by=user_of(request), now=timezone.now()):
        messages.success(request, f"Open again: {found}.")
    return redirect("desk:task", found.pk)


def _done(request: HttpRequest, found: Task, verb: Callable[[], object], said: str, *, then: str = "") -> HttpResponse:
    """Do it and go on; a refusal is said on the page of the task."""
    try:
        verb()
    except lifecycle.Refused as refused:
        return _one(request, found, refusal=str(refused))
    messages.success(request, said)
    return redirect(then or _address("task", found))


def _one(
    request: HttpRequest,
    found: Task,
    *,
    assign_form: AssignForm | None = None,
    note_form: NoteForm | None = None,
    refusal: str = "",
) -> HttpResponse:
    """The page of one task; with a form that has errors, or a refusal, it answers an act that was not done."""
    wrong = assign_form or note_form
    people = {"assignee": str(found.assigned_to_id or "")}
    context = {
        **_page(request, timezone.now()),
        "task": found,
        "form": wrong,
        "assign_form": assign_form
        or AssignForm(people=lifecycle.assignees(), action=_address("task_assign", found), initial=people),
        "note_form": note_form or NoteForm(action=_address("task_note", found)),
        "refusal": refusal,
        "has_errors": wrong is not None,
    }
    status = 409 if refusal else 422 if wrong else 200
    return render(request, "desk/task.html", context, status=status)


def _remind_form(request: HttpRequest, booking: Booking | None, now: dt.datetime) -> RemindForm:
    """Due within the clinic's reply time and one's own, unless somebody says otherwise."""
    clinic = booking.location.clinic if booking else Clinic.objects.first()
    zone = booking.location.zone if booking else timezone.get_current_timezone()
    house = booking.location if booking else Location.objects.first()
    due_at = (reply_by(clinic=clinic, location=house, now=now) if clinic else now).astimezone(zone)
    patient = booking.patient if booking else None
    initial = {
        "name": patient.name if patient else "",
        "phone": patient.phone if patient else "",
        "date": due_at.date(),
        "time": due_at.time(),
        "assignee": str(request.user.pk),
    }
    return RemindForm(
        typed(request),
        initial=initial,
        people=lifecycle.assignees(),
        country=clinic.country if clinic else "US",
        zone=zone,
    )


def _page(request: HttpRequest, now: dt.datetime) -> dict[str, Any]:
    return {
        "now": now,
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(now),
        "is_clinician": lifecycle.is_clinician(user_of(request)),
    }


def _shown(request: HttpRequest) -> str:
    show = request.GET.get("show", EVERYONES)
    return show if show in SHOWN else EVERYONES


def _found(request: HttpRequest, show: str, now: dt.datetime) -> TaskQuerySet:
    user = user_of(request)
    seen = tasks_for(user)
    if show == DONE:
        return seen.done_since(now - LATELY)
    return seen.open().of(user) if show == MINE else seen.open()


def _list(request: HttpRequest) -> str:
    """The list that somebody came from."""
    show = _shown(request)
    return f"{reverse('desk:tasks')}?{urlencode({'show': show})}" if show else reverse("desk:tasks")


def _task(request: HttpRequest, pk: int) -> Task:
    return get_object_or_404(tasks_for(user_of(request)).with_everything(), pk=pk)


def _address(name: str, found: Task) -> str:
    return reverse(f"desk:{name}", args=[found.pk])
