"""A booking's history: one row for each change, whoever acted."""

from django.conf import settings
from django.db import models

from bookings.models.booking import Booking

# What gives a visit another time, room or person.
ANOTHER_TIME = ("moved", "service changed")
# Staff booked or moved it against a rule, for a reason; one of the rules.
BENT, OPENING_HOURS = "rule bent", "opening hours"


class Actor(models.TextChoices):
    PATIENT = "patient", "Patient"
    STAFF = "staff", "Staff"
    SYSTEM = "system", "System"
    PROGRAM = "program", "A program"
    GUARDIAN = "guardian", "Parent or guardian"


class BookingEvent(models.Model):
    """Written in the same transaction as the change. ``detail`` holds what changed and never an answer.

    Where a rule was bent it names the rule: that is for those who may see answers.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    verb = models.CharField(max_length=30)
    actor = models.CharField(max_length=8, choices=Actor)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["at"], name="event_by_time")]

    def __str__(self) -> str:
        return f"{self.verb} by {self.get_actor_display()}"
