"""Who did what to the set-up, the content and the patients, and who read whose record."""

from django.conf import settings
from django.db import models


class AuditEvent(models.Model):
    """One act, written in the transaction of the act itself; rows are only ever added."""

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    act = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=60)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["kind", "key", "at"], name="audit_by_object"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.kind} {self.key}"
