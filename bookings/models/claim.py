"""Claims: the stretches of time a booking owns, one for each resource it needs."""

import datetime as dt

from django.db import models

from bookings.constraints import NoOverlap
from bookings.models.booking import Booking
from clinic.models import Resource


class Claim(models.Model):
    """``resource`` is taken from ``starts_at`` up to ``ends_at``. The database refuses two that overlap.

    Moving a booking deletes its claims and inserts new ones; a claim is never updated.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="claims")
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="claims")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["resource", "starts_at"], name="claim_by_resource_and_start")]
        constraints = [
            NoOverlap(
                resource="resource",
                start="starts_at",
                end="ends_at",
                longest=dt.timedelta(hours=24),
                name="claims_never_overlap",
            ),
            models.UniqueConstraint(fields=["booking", "resource"], name="one_claim_per_booking_and_resource"),
        ]

    def __str__(self) -> str:
        return f"{self.resource_id} for {self.booking_id}"
