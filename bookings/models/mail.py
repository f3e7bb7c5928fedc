"""The outbox: one row for each e-mail, from the moment it is due to the proof that it went."""

import datetime as dt

from django.db import models
from django.db.models import Exists, OuterRef, Q

from bookings.models.booking import Booking


class MailState(models.TextChoices):
    QUEUED = "queued", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not delivered"
    SKIPPED = "skipped", "Skipped"
    NO_ADDRESS = "no_address", "No address"


# What a message is, in words for staff; a kind that is not named here reads as it is written.
KINDS = {
    "confirmed": "Confirmation",
    "moved": "Visit moved",
    "cancelled": "Visit cancelled",
    "staff_notice": "Notice for staff",
}


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self, now: dt.datetime) -> "OutgoingEmailQuerySet":
        """Queued and its time has come, or leased to a worker that died.

        What is written later about a visit never overtakes what was written before.
        """
        unsent = Q(state__in=[MailState.QUEUED, MailState.SENDING])
        earlier = OutgoingEmail.objects.filter(
            unsent, booking=OuterRef("booking"), recipient=OuterRef("recipient"), pk__lt=OuterRef("pk")
        )
        is_due = Q(state=MailState.QUEUED, due_at__lte=now) | Q(state=MailState.SENDING, leased_until__lte=now)
        return self.filter(is_due, ~Exists(earlier))

    def failed(self) -> "OutgoingEmailQuerySet":
        """Given up: a person must do something."""
        return self.in_state(MailState.FAILED)

    def in_state(self, state: str) -> "OutgoingEmailQuerySet":
        """Those in one state; the empty word stands for any."""
        return self.filter(state=state) if state else self.all()


class OutgoingEmail(models.Model):
    """Queued in the transaction of the act it tells of. ``kind`` names the template, ``sequence`` counts repeats.

    Retention blanks ``recipient`` and the bodies; the row stays.
    """

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, blank=True, related_name="emails")
    kind = models.CharField(max_length=30)
    sequence = models.PositiveIntegerField(default=0)
    recipient = models.CharField(max_length=320, blank=True, help_text="With the name, as it stands in the To header.")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True, help_text="The iCalendar file.")
    calendar_method = models.CharField(max_length=10, blank=True)
    message_id = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, help_text="The mail server's own words.")

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["due_at"], name="mail_due", condition=Q(state__in=["queued", "sending"]))]
        constraints = [
            models.UniqueConstraint(fields=["booking", "kind", "sequence"], name="each_message_once"),
            models.CheckConstraint(
                condition=Q(state="sending", lease__isnull=False, leased_until__isnull=False)
                | (~Q(state="sending") & Q(lease=None, leased_until=None)),
                name="only_sending_is_leased",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="sent_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sequence}"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return KINDS.get(self.kind, self.kind.replace("_", " ").capitalize())
