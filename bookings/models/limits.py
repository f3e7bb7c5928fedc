"""Small counters that every process shares."""

from django.db import models


class RateWindow(models.Model):
    """How often ``key`` was used in the window that began at ``starts_at``."""

    key = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "starts_at"], name="one_count_per_window")]
        indexes = [models.Index(fields=["starts_at"], name="rate_window_by_age")]

    def __str__(self) -> str:
        return self.key


class Heartbeat(models.Model):
    """When a worker last said that it lives."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
