"""A patient, as they named themselves when booking."""

from django.db import models
from django.db.models import Q


class Patient(models.Model):
    """Never identified by e-mail address alone: two people may share an address and a phone."""

    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="E.164, such as +12125550100.")
    date_of_birth = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

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
