"""What a person must do, with a clock."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q

from bookings.models.booking import Booking


class TaskKind(models.TextChoices):
    PHONE_PATIENT = "phone_patient", "Phone this patient"
    CALL_BACK = "call_back", "Call back"
    WARNING_SIGN = "warning_sign", "Warning sign: phone at once"
    REVIEW_LATE = "review_late", "Answers wait for a clinician"
    RECHECK = "recheck", "Something is new before the visit"
    CHECK_IN = "check_in", "Skin got worse after the visit"
    SQUEEZED = "squeezed", "Has squeezed it"
    UNCLOSED = "unclosed", "Close this visit"
    HISTORY = "history", "Earlier visits do not match"
    GUARDIAN = "guardian", "Guardian has not agreed yet"
    CONTENT = "content", "Review of the content is overdue"
    TO_MOVE = "to_move", "Visits to move"
    MISSED_OFTEN = "missed_often", "Has missed visits before: phone"


# What skin or answers say before and after a visit: ticked off by somebody who may decide on it.
NEEDS_CLINICIAN = frozenset({TaskKind.WARNING_SIGN, TaskKind.CHECK_IN, TaskKind.REVIEW_LATE, TaskKind.RECHECK})


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> "TaskQuerySet":
        return self.filter(done_at=None)

    def done_since(self, instant: dt.datetime) -> "TaskQuerySet":
        """Done by a person or by what happened since then, the latest first."""
        return self.filter(done_at__gte=instant).order_by("-done_at", "-id")

    def of(self, user: AbstractBaseUser) -> "TaskQuerySet":
        """Those that are assigned to somebody."""
        return self.filter(assigned_to=user.pk)

    def with_everything(self) -> "TaskQuerySet":
        """With all that a page names of a task. Two queries."""
        people = self.select_related("booking__patient", "booking__location", "assigned_to", "done_by")
        return people.prefetch_related(models.Prefetch("notes", TaskNote.objects.select_related("by")))


class Task(models.Model):
    """``name`` and ``phone`` are who to call; a task about a booking may leave them to the booking's patient."""

    kind = models.CharField(max_length=20, choices=TaskKind)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks")
    name = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    note = models.TextField(blank=True)
    is_urgent = models.BooleanField(default=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks"
    )
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-is_urgent", "due_at", "id"]
        indexes = [models.Index(fields=["due_at"], name="task_open", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def needs_clinician(self) -> bool:
        return self.kind in NEEDS_CLINICIAN


class TaskNote(models.Model):
    """What somebody found out about a task; rows are only ever added."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return self.text
