"""A booking: one row for its whole life, from hold to visit, with what was agreed."""

import copy
import datetime as dt
import secrets
import uuid
from typing import Any

from django.db import models
from django.db.models import Count, F, Max, Min, Q

from bookings.models.people import Patient
from bookings.models.states import CALLED_OFF, UNDER_WAY, UPCOMING, VISITS, WAITED_FOR, BookingState, Outcome
from clinic import opening
from clinic.models import Location, PriceKind, Resource, Service

# Speakable over a phone: no 0/O, no 1/I/L.
REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
REFERENCE_LENGTH = 6
LONGEST_VISIT = dt.timedelta(hours=24)


def new_reference() -> str:
    return "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(REFERENCE_LENGTH))


class BookingQuerySet(models.QuerySet["Booking"]):
    def live_holds(self, now: dt.datetime) -> "BookingQuerySet":
        """Holds whose time is kept from others."""
        return self.filter(state=BookingState.HELD, expires_at__gt=now)

    def run_out(self, now: dt.datetime) -> "BookingQuerySet":
        """Holds that anyone may take over; their owner still keeps the time while nobody did."""
        return self.filter(state=BookingState.HELD, expires_at__lte=now)

    def with_everything(self) -> "BookingQuerySet":
        """With all that a page or an e-mail about one booking names."""
        return self.select_related("service", "location__clinic", "practitioner", "room", "patient", "guardian")

    def locked(self, pk: int) -> "Booking":
        """The row as it stands once its lock is ours, with everything; inside a transaction.

        Two statements: after a wait PostgreSQL reads the locked row anew, but not what a join brought along.
        """
        self.select_for_update(no_key=True).get(pk=pk)
        return self.with_everything().get(pk=pk)

    def of_visitor(self, visitor: str) -> "BookingQuerySet":
        return self.filter(visitor=visitor) if visitor else self.none()

    def booked(self) -> "BookingQuerySet":
        """A person stands behind it: not a hold."""
        return self.filter(patient__isnull=False)

    def in_review(self) -> "BookingQuerySet":
        """What waits for a clinician, the next clock first."""
        return self.filter(state=BookingState.PENDING).order_by("reply_by", "id")

    def upcoming(self) -> "BookingQuerySet":
        return self.filter(state__in=UPCOMING)

    def waited_for(self, now: dt.datetime) -> "BookingQuerySet":
        """Still to come, or late in beginning: its time is not over."""
        # The first bound is for the index: no visit lasts a day.
        return self.filter(state__in=WAITED_FOR, starts_at__gt=now - LONGEST_VISIT, ends_at__gt=now)

    def open(self) -> "BookingQuerySet":
        """Still to come, or under way."""
        return self.filter(state__in=UPCOMING | UNDER_WAY)

    def kept(self) -> "BookingQuerySet":
        """Visits to which they came, or will: no no-shows."""
        return self.filter(state__in=VISITS - {BookingState.MISSED})

    def visits(self) -> "BookingQuerySet":
        """All that stands on the desk's day: not holds, not cancelled."""
        return self.filter(state__in=VISITS)

    def summed_up(self, now: dt.datetime) -> "models.QuerySet[Any, Any]":
        """By ``patient``: when they came ``last``, when they come ``next``, how often they ``missed`` a visit."""
        return (
            self.order_by()
            .values("patient")
            .annotate(
                last=Max("starts_at", filter=Q(state__in=VISITS - {BookingState.MISSED}, starts_at__lte=now)),
                next=Min("starts_at", filter=Q(state__in=UPCOMING, starts_at__gt=now)),
                missed=Count("pk", filter=Q(state=BookingState.MISSED)),
            )
        )


class Booking(models.Model):
    """Who comes when, to whom, for what, on which terms. Only ``bookings.lifecycle`` writes it."""

    reference = models.CharField(max_length=8, unique=True, default=new_reference, editable=False)
    state = models.CharField(max_length=10, choices=BookingState, default=BookingState.HELD)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="bookings")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="bookings")
    practitioner = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="visits")
    room = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="visits_in", null=True, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    asked_for_any = models.BooleanField(default=False, help_text="The patient left the choice of practitioner to us.")

    service_name = models.CharField(max_length=120)
    minutes = models.PositiveSmallIntegerField()
    clean_up_minutes = models.PositiveSmallIntegerField()
    price_kind = models.CharField(max_length=5, choices=PriceKind)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    currency = models.CharField(max_length=3)
    cut_off_minutes = models.PositiveIntegerField(help_text="As shown when booking.")
    late_fee = models.DecimalField(max_digits=8, decimal_places=2, help_text="As shown when booking.")

    visitor = models.CharField(
        max_length=40, blank=True, editable=False, help_text="The browser session that holds it."
    )
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="bookings")
    is_for_someone_else = models.BooleanField(default=False)
    wishes = models.TextField(blank=True, help_text="What would make the visit easier.")
    is_screening_outstanding = models.BooleanField("screening outstanding", default=True)
    event_on = models.DateField(null=True, blank=True, help_text="A day on which the patient wants calm skin.")
    booked_at = models.DateTimeField(null=True, blank=True, help_text="When the patient had done their part.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    arranged_at = models.DateTimeField(
        null=True, blank=True, help_text="When its present time was booked, approved or moved to."
    )
    reply_by = models.DateTimeField(null=True, blank=True, help_text="While in review: until then a clinician answers.")
    approved_at = models.DateTimeField(null=True, blank=True)
    late_minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="By how much the patient said they will be late."
    )
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    treated_areas = models.JSONField(default=list, blank=True, help_text="Body areas, as services name them.")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When the visit was closed with its outcome.")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    is_late_cancellation = models.BooleanField(default=False)

    calendar_uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.PositiveIntegerField(
        default=0, help_text="The calendar file's SEQUENCE: raised by each move and by cancelling."
    )
    link_version = models.PositiveIntegerField(default=1, help_text="Raised to revoke the links that were mailed.")

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        permissions = [
            ("decide_reviews", "Can decide on reviews and bend waiting times, as a clinician"),
            ("view_answers", "Can see health answers"),
            ("view_every_visit", "Can see everybody’s visits, not only their own"),
            ("view_reports", "Can see reports"),
            ("view_log", "Can see who did what and who read whose record"),
        ]
        indexes = [
            models.Index(fields=["location", "starts_at"], name="booking_by_day"),
            models.Index(fields=["starts_at"], name="booking_by_start"),
            models.Index(fields=["expires_at"], name="hold_by_expiry", condition=Q(state="held")),
            models.Index(fields=["visitor"], name="hold_by_visitor", condition=Q(state="held")),
            models.Index(fields=["state", "starts_at"], name="booking_by_state"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="booking_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(state__in=BookingState.values), name="booking_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="pending", reply_by__isnull=False) | (~Q(state="pending") & Q(reply_by=None)),
                name="only_reviews_have_a_clock",
            ),
            models.CheckConstraint(
                condition=(Q(state="completed") & ~Q(outcome="")) | (~Q(state="completed") & Q(outcome="")),
                name="only_closed_visits_have_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state="held", expires_at__isnull=False) | (~Q(state="held") & Q(expires_at=None)),
                name="only_holds_expire",
            ),
            models.CheckConstraint(
                condition=Q(state="held") | Q(patient__isnull=False), name="only_holds_have_no_patient"
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled", cancelled_at__isnull=False)
                | (~Q(state="cancelled") & Q(cancelled_at=None)),
                name="cancelled_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_upcoming(self) -> bool:
        return self.state in UPCOMING

    @property
    def is_called_off(self) -> bool:
        return self.state in CALLED_OFF

    def has_started(self, now: dt.datetime) -> bool:
        return self.starts_at <= now

    def is_waited_for(self, now: dt.datetime) -> bool:
        """Whether nobody has begun with it and its day is not over: until then staff may move it, or call it off."""
        return self.state in WAITED_FOR and self.local_date >= now.astimezone(self.location.zone).date()

    @property
    def cut_off_at(self) -> dt.datetime:
        """Until then moving and cancelling are free, as shown when booking."""
        return self.starts_at - dt.timedelta(minutes=self.cut_off_minutes)

    def is_late(self, now: dt.datetime) -> bool:
        return now > self.cut_off_at

    def seen_to_by(
        self, now: dt.datetime, *, minutes: int | None = None, before: dt.timedelta = dt.timedelta(0)
    ) -> dt.datetime:
        """When a person must have seen to it: in the reply time, or ``minutes`` of it, and ``before`` it starts."""
        location = self.location
        due_at = opening.reply_by(clinic=location.clinic, location=location, minutes=minutes, now=now)
        return due_at if self.has_started(now) else max(now, min(due_at, self.starts_at - before))

    def agreed_service(self) -> Service:
        """The service with the length that was agreed, even if it is retired by now: for a move, not to be saved."""
        service = copy.copy(self.service)
        service.minutes, service.clean_up_minutes = self.minutes, self.clean_up_minutes
        service.retired_on = None
        return service

    def is_red_on(self, day: dt.date | None, *, after: dt.date) -> bool:
        """Whether skin could still look red on ``day`` when the visit was on the day ``after``."""
        is_close = day is not None and after <= day <= after + self.location.clinic.event_gap
        return is_close and self.service.leaves_redness

    @property
    def spoils_event(self) -> bool:
        """Whether the skin could still look red on the day on which the patient wants it calm."""
        return self.is_red_on(self.event_on, after=self.local_date)

    @property
    def too_close_from(self) -> dt.date | None:
        """The first day on which a visit is too close to the day on which the patient wants calm skin."""
        return self.event_on - self.location.clinic.event_gap if self.event_on else None

    @property
    def reader(self) -> tuple[str, str]:
        """Name and e-mail address of who gets this visit's mail: the patient, or the guardian where they chose so."""
        assert self.patient, "only a booked visit has somebody to write to"
        if self.is_read_by_guardian:
            return self.guardian.name, self.guardian.email
        return self.patient.name, self.patient.email

    @property
    def is_read_by_guardian(self) -> bool:
        """Whether this visit's mail goes to the guardian."""
        guardian = getattr(self, "guardian", None)
        return guardian is not None and bool(guardian.gets_mail)

    @property
    def local_date(self) -> dt.date:
        """The day of the visit on the location's own calendar."""
        return self.starts_at.astimezone(self.location.zone).date()
