"""A patient, as they named themselves when booking."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class PatientQuerySet(models.QuerySet["Patient"]):
    def current(self) -> "PatientQuerySet":
        """Those that were not merged into another: each person once."""
        return self.filter(merged_into=None)


class Patient(models.Model):
    """Never identified by e-mail address alone: two people may share an address and a phone."""

    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164, such as +12125550100.")
    date_of_birth = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="duplicates", editable=False
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["email"], name="patient_by_email"),
            models.Index(fields=["phone"], name="patient_by_phone"),
        ]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="a_patient_has_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        """ "Sam K." for lists that others may see over a shoulder."""
        first, _, rest = self.name.partition(" ")
        return f"{first} {rest.split()[-1][0]}." if rest.strip() else first


class PatientMerge(models.Model):
    """Two rows that are one person. It can be undone: ``moved`` are the ids of the bookings that changed hands."""

    kept = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(default=list)
    before = models.JSONField(default=dict, help_text="What ``kept`` said before it took details of the other.")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-merged_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(kept=models.F("merged")), name="nobody_is_merged_with_themselves"),
            models.UniqueConstraint(fields=["merged"], condition=Q(undone_at=None), name="merged_once"),
        ]

    def __str__(self) -> str:
        return f"{self.merged} into {self.kept}"
