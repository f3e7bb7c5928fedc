"""A patient, as they named themselves when booking."""

import re

from django.conf import settings
from django.db import models
from django.db.models import Q

# What may be typed for a phone number; so many digits at its end are enough, as many people say only the last ones.
PHONE_LIKE = re.compile(r"[0-9 ()+./-]+")
FEWEST_DIGITS, FULL_NUMBER = 4, 7


class PatientQuerySet(models.QuerySet["Patient"]):
    def current(self) -> "PatientQuerySet":
        """Those that were not merged into another: each person once."""
        return self.filter(merged_into=None)

    def matching(self, text: str) -> "PatientQuerySet":
        """Whom somebody means by parts of a name, the start of an e-mail address, the end of a phone number of at least
        four digits, or a whole booking reference. Nothing typed finds nobody.
        """
        words = text.replace("\0", "").split()
        if not words:
            return self.none()
        meant = Q()
        for word in words:
            meant &= Q(name__icontains=word)
        if len(words) == 1:
            meant |= Q(email__istartswith=words[0])
        if digits := _digits(text):
            meant |= Q(phone__endswith=digits)
        reference = "".join(words).upper()
        return self.current().filter(meant | Q(pk__in=self.model.objects.filter(bookings__reference=reference)))

    def like(self, patient: "Patient") -> "PatientQuerySet":
        """Others who may be the same person: by e-mail address, by phone, or by name and date of birth."""
        alike = Q(pk__in=[])
        if patient.email:
            alike |= Q(email__iexact=patient.email)
        if patient.phone:
            alike |= Q(phone=patient.phone)
        if patient.date_of_birth:
            alike |= Q(name__iexact=patient.name, date_of_birth=patient.date_of_birth)
        return self.current().filter(alike).exclude(pk=patient.pk).order_by("name", "id")


def _digits(text: str) -> str:
    """The digits of what was typed, if it can be (the end of) a phone number; without the 0 that only locals dial."""
    digits = re.sub(r"[^0-9]", "", text) if PHONE_LIKE.fullmatch(text.strip()) else ""
    if len(digits) < FEWEST_DIGITS:
        return ""
    return digits.lstrip("0") if len(digits) >= FULL_NUMBER else digits


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
