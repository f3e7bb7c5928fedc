"""The outbox: one row for each e-mail, from the moment it is due to the proof that it went."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from bookings.models.booking import Booking
from bookings.models.states import UNDER_WAY, BookingState


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
    "pending": "Time held, answers in review",
    "review_late": "Review takes longer",
    "declined": "Visit declined",
    "changed": "Visit changed",
    "suspended": "Medical help first",
    "guardian": "Guardian is asked to agree",
    "r72h": "Reminder, 3 days before",
    "r24h": "Reminder, the day before",
    "day0": "Aftercare, first 24 hours",
    "day0_plain": "Aftercare, visit not closed",
    "day3": "Check-in, day 3",
    "day7": "Check-in, day 7",
    "missed": "Missed visit, book again",
    "answer": "Questions before the visit",
    "staff_notice": "Notice for staff",
}


# The course: found when due, never scheduled; each may go only while its visit is in one of these states.
COURSE: dict[str, frozenset[str]] = {
    "r72h": frozenset({BookingState.CONFIRMED}),
    "r24h": frozenset({BookingState.CONFIRMED}),
    "day0": frozenset({BookingState.COMPLETED}),
    "day0_plain": UNDER_WAY,
    "day3": frozenset({BookingState.COMPLETED}),
    "day7": frozenset({BookingState.COMPLETED}),
}
# True of a visit as it is arranged, and for a while only: written once for each arrangement, never sent by night.
PASSING = COURSE | {"review_late": frozenset({BookingState.PENDING})}


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def due(self, now: dt.datetime) -> "OutgoingEmailQuerySet":
        """Queued and its time has come, or leased to a worker that died.

        What is written later about a visit never overtakes what was written before; a reminder that waits for the
        morning holds nothing back.
        """
        unsent = Q(state__in=[MailState.QUEUED, MailState.SENDING])
        earlier = OutgoingEmail.objects.filter(
            unsent, booking=OuterRef("booking"), recipient=OuterRef("recipient"), pk__lt=OuterRef("pk")
        ).exclude(kind__in=PASSING)
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
    not_after = models.DateTimeField(
        null=True, blank=True, help_text="Its moment has passed from then on: it is skipped, not sent late."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, help_text="The mail server's own words.")

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # Not a partial one: SQLite leaves those aside for Django's queries, and would read every letter ever sent.
            models.Index(fields=["state", "due_at"], name="mail_by_state"),
        ]
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


class MailWording(models.Model):
    """A manager's own words for one kind of message; without a row it says what the project brings.

    ``subject`` and ``opening`` hold placeholders such as {when}. What a clinician signs is not part of it.
    """

    kind = models.CharField(max_length=30, unique=True)
    subject = models.CharField(max_length=150)
    opening = models.TextField(blank=True, help_text="The paragraphs under the heading.")
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["kind"]

    def __str__(self) -> str:
        return KINDS.get(self.kind, self.kind)
