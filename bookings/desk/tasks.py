"""What a person of the clinic must do, soonest due first."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bookings.desk.doors import does_tasks, notices, sees_tasks
from bookings.models import Task

MOST_SHOWN = 200


@never_cache
@require_safe
@sees_tasks
def tasks(request: HttpRequest) -> HttpResponse:
    """Open tasks; those past their time are marked."""
    now = timezone.now()
    found = Task.objects.open().select_related("booking__patient", "booking__location")[:MOST_SHOWN]
    context = {"tasks": found, "now": now, "zone": timezone.get_current_timezone(), "desk_notices": notices(now)}
    return render(request, "desk/tasks.html", context)


@never_cache
@require_POST
@does_tasks
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick a task off. A second press changes nothing, and who ticked it first stays."""
    task = get_object_or_404(Task, pk=pk)
    if Task.objects.open().filter(pk=task.pk).update(done_at=timezone.now(), done_by=request.user):
        messages.success(request, f"Done: {task}.")
    return redirect("desk:tasks")
