"""What a patient answered, kept only as long as it is needed."""

import datetime as dt
import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.models.booking import Booking
from clinic.models import Verdict


def new_key() -> str:
    return secrets.token_urlsafe(24)


class RunKind(models.TextChoices):
    """At which moment the questions were asked."""

    BOOKING = "booking", "While booking"
    RECHECK = "recheck", "A day before"
    SQUEEZED = "squeezed", "After squeezing"
    CHECK_IN = "check_in", "After the visit"
    DESK = "desk", "At the clinic"


class ScreeningRun(models.Model):
    """One round of answers. Until a booking takes it over it lives a day, under a key only its browser knows.

    ``answers`` maps question codes to ``clinic.screening.Answered.as_json()``, ``findings`` lists
    ``clinic.screening.Finding.as_json()``, ``versions`` maps the codes of all that was asked and applied to versions.
    Deleting the answers empties ``answers`` and ``findings`` and leaves the rest.
    """

    key = models.CharField(max_length=40, unique=True, default=new_key, editable=False)
    booking = models.ForeignKey(
        Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="screenings", editable=False
    )
    kind = models.CharField(max_length=8, choices=RunKind, default=RunKind.BOOKING)
    answers = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    versions = models.JSONField(default=dict)
    verdict = models.CharField(max_length=8, choices=Verdict, default=Verdict.OK)
    not_before = models.DateField(null=True, blank=True)
    had_extraction = models.CharField(
        max_length=6, blank=True, help_text="Yes, no or unsure, as the patient said; empty: not asked."
    )
    last_extraction_on = models.DateField(null=True, blank=True, help_text="As the patient said.")
    had_consultation = models.BooleanField(null=True, blank=True, help_text="As the patient said; empty: not asked.")
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Only while no booking has taken it over.")
    delete_on = models.DateField(null=True, blank=True, help_text="The answers go on this day.")
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["made_at", "id"]
        indexes = [
            models.Index(fields=["expires_at"], name="run_by_expiry", condition=Q(booking=None)),
            models.Index(fields=["delete_on"], name="run_by_deletion", condition=Q(deleted_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(booking=None, expires_at__isnull=False)
                | Q(booking__isnull=False, expires_at=None, delete_on__isnull=False),
                name="answers_have_an_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {dt.datetime.date(self.made_at)}"
