"""People, what they agreed to, and what they were shown."""

from django.conf import settings
from django.db import models

from bookings.models.booking import Booking
from bookings.models.people import Patient

__all__ = ["Consent", "ConsentKind", "ConsentWay", "Patient", "ShownItem"]


class ConsentKind(models.TextChoices):
    GUIDANCE_READ = "guidance_read", "Has read the advice on not squeezing"
    PRIVACY = "privacy", "Agrees that we keep these details for the visit"


class ConsentWay(models.TextChoices):
    """How somebody agreed. All but the first are recorded by staff."""

    ONLINE = "online", "Online"
    SPOKEN = "spoken", "Said here"
    PHONE = "phone", "Said on the phone"
    PAPER = "paper", "Read on paper"


class Consent(models.Model):
    """One tick, with the version of what was ticked and the exact words beside the box."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=20, choices=ConsentKind)
    version = models.TextField(help_text="Of everything that was read: item codes with their versions.")
    words = models.TextField()
    given_at = models.DateTimeField()
    way = models.CharField(max_length=10, choices=ConsentWay, default=ConsentWay.ONLINE)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["booking", "kind"], name="one_consent_of_a_kind")]

    def __str__(self) -> str:
        return self.get_kind_display()


class ShownItem(models.Model):
    """A version of an item that this patient was shown, and where; with ``Revision`` its words can be read back."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="shown_items")
    moment = models.CharField(max_length=12)
    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    shown_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["booking", "moment", "code", "version"], name="shown_once_per_moment")
        ]

    def __str__(self) -> str:
        return f"{self.code}, version {self.version}"
