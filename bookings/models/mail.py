"""The outbox: one row for each e-mail, from the moment it is due to the proof that it went."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q

from bookings.models.booking import Booking
from bookings.models.event import ANOTHER_TIME, BookingEvent
from bookings.models.states import CALLED_OFF, UNDER_WAY, UPCOMING, BookingState


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
# Of use when the visit is over, for some days.
AFTERWARDS = frozenset({"day0", "day0_plain", "day3", "day7", "missed"})
AFTERWARDS_WITHIN = dt.timedelta(days=7)
# What says how a visit is arranged now, or that it is off: the newest is the true one.
# With the states in which it is not true any more.
IS_BOOKED, IS_OFF = frozenset(BookingState) - CALLED_OFF - {BookingState.PENDING}, CALLED_OFF
ARRANGING: dict[str, frozenset[str]] = {
    **dict.fromkeys(["confirmed", "moved", "changed"], IS_OFF | {BookingState.PENDING}),
    **dict.fromkeys(["cancelled", "declined", "suspended"], frozenset(BookingState) - IS_OFF),
    "pending": IS_OFF | IS_BOOKED,
}
# What tells of a visit that stands: sent again, it is a confirmation.
STANDING = frozenset({"confirmed", "pending", "moved", "changed"})
# What asks for something before a visit.
ASKING = frozenset({"guardian", "answer"})
# True of a visit as it is arranged, and for a while only: written once for each arrangement, never sent by night.
PASSING = COURSE | {
    "review_late": frozenset({BookingState.PENDING}),
    "missed": frozenset({BookingState.MISSED}),
}


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

    def worth_trying_again(self, now: dt.datetime) -> "OutgoingEmailQuerySet":
        """Failed, with an address, and still of use: its visit is ahead, or it is about the days after one.

        What a later message has overtaken is not: nobody should read an old time after the new one.
        """
        is_ahead = Q(booking=None) | Q(booking__starts_at__gt=now)
        is_after = Q(kind__in=AFTERWARDS, created_at__gt=now - AFTERWARDS_WITHIN)
        later = OutgoingEmail.objects.filter(
            booking=OuterRef("booking"), kind__in=ARRANGING, state=MailState.SENT, pk__gt=OuterRef("pk")
        )
        is_overtaken = Q(Exists(later), kind__in=ARRANGING)
        is_pointless = Q(kind__in=ASKING) & ~Q(booking__state__in=UPCOMING)
        useful = self.failed().filter(is_ahead | is_after).exclude(recipient="")
        return useful.exclude(is_overtaken).exclude(is_pointless).exclude(pk__in=useful.outdated().values("pk"))

    def outdated(self) -> "OutgoingEmailQuerySet":
        """Those that say how a visit is arranged when it is so no more: it is off, or its time or person is another."""
        is_other_room = Q(detail__was=F("detail__starts_at"), detail__was_practitioner=F("detail__practitioner"))
        since = BookingEvent.objects.filter(
            booking=OuterRef("booking"), verb__in=ANOTHER_TIME, at__gt=OuterRef("created_at")
        )
        is_untrue = Q(Exists(since.exclude(Q(verb="moved") & is_other_room)), kind__in=ARRANGING)
        for kind, states in ARRANGING.items():
            is_untrue |= Q(kind=kind, booking__state__in=states)
        return self.filter(is_untrue)

    def of_kind(self, kind: str) -> "OutgoingEmailQuerySet":
        """Those of one kind; the empty word stands for any."""
        return self.filter(kind=kind) if kind else self.all()

    def about(self, search: str) -> "OutgoingEmailQuerySet":
        """Those about one reference, or about patients whose name holds ``search``; the empty word stands for any.

        What holds an @ is an address that they went to, a guardian's too.
        """
        if not search:
            return self.all()
        if "@" in search:
            return self.filter(recipient__icontains=search)
        reference = "".join(search.split()).upper()
        return self.filter(Q(booking__reference=reference) | Q(booking__patient__name__icontains=search))

    def counted_by_state(self) -> dict[str, int]:
        """How many there are in each state that has any; one query."""
        counts = self.order_by().values_list("state").annotate(count=Count("pk"))
        return dict(counts)

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
            models.Index(fields=["created_at"], name="mail_by_time"),
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
    def needs_address(self) -> bool:
        """Whether it did not reach a patient, or guardian, whose address may still be put right."""
        booking = self.booking
        did_not_arrive = self.state in (MailState.FAILED, MailState.NO_ADDRESS)
        return did_not_arrive and self.kind != "staff_notice" and booking is not None and booking.is_upcoming

    @property
    def says_what_stands(self) -> bool:
        """Whether it told what is arranged, and may be written anew because that is still ahead."""
        booking = self.booking
        return self.kind in STANDING and booking is not None and booking.is_upcoming

    def is_written_anew(self, now: dt.datetime) -> bool:
        """Whether somebody who lost it may have it once more: it went, and is still of use."""
        booking = self.booking
        if booking is None or self.state != MailState.SENT:
            return False
        if self.kind in ASKING:
            is_asked = self.kind != "answer" or booking.is_screening_outstanding
            return is_asked and booking.is_upcoming and not booking.has_started(now)
        is_fresh = self.created_at > now - AFTERWARDS_WITHIN
        return is_fresh and self.kind in AFTERWARDS and booking.state in COURSE.get(self.kind, ())

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
