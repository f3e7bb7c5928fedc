"""Versions and clinical sign-off: patients see the last signed version, an edit is a draft until signed."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Reviewed(models.Model):
    """A text or rule a clinician signs off. ``REVIEWED_FIELDS`` are what a signature covers."""

    REVIEWED_FIELDS: tuple[str, ...] = ("text",)

    code = models.CharField(max_length=40, unique=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    signed_version = models.PositiveIntegerField(null=True, blank=True, editable=False)
    loaded_checksum = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="Of what the loader last wrote: another value means a clinic's edit.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.code

    @property
    def is_signed(self) -> bool:
        return self.signed_version == self.version


class Revision(models.Model):
    """What one version said. Rows are only ever added, so what a patient was shown can be read back exactly."""

    kind = models.CharField(max_length=20)
    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    fields = models.JSONField()
    written_at = models.DateTimeField()
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["kind", "code", "-version"]
        constraints = [models.UniqueConstraint(F("kind"), F("code"), F("version"), name="one_row_per_version")]

    def __str__(self) -> str:
        return f"{self.code}, version {self.version}"


class Review(models.Model):
    """A clinician's signature under one version."""

    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="review")
    reviewer = models.CharField(max_length=120)
    registration = models.CharField("registration number", max_length=60)
    signed_at = models.DateTimeField()
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    next_review_on = models.DateField()

    class Meta:
        ordering = ["-signed_at"]
        permissions = [("sign_content", "Can sign off texts and rules, as a clinician")]
        constraints = [models.CheckConstraint(condition=~Q(reviewer=""), name="a_signature_has_a_name")]

    def __str__(self) -> str:
        return f"{self.revision}, signed by {self.reviewer}"
