"""The clinic's one row of policy, and the places where it works."""

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_time_zone(name: str) -> None:
    """Refuse a name the time zone database does not know."""
    if name not in available_timezones():
        raise ValidationError("Use a name like America/New_York or Europe/London.")


def are_weekdays(days: object) -> None:
    """Refuse anything but a list of weekdays, Monday as 0."""
    if not isinstance(days, list) or not all(isinstance(day, int) and 0 <= day <= 6 for day in days):
        raise ValidationError("Use weekday numbers from 0 (Monday) to 6 (Sunday).")


def monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


class Clinic(models.Model):
    """The one row of policy. Every number a rule needs lives here, so that a clinic can change it."""

    name = models.CharField(max_length=120)
    email = models.EmailField(help_text="Answers from patients and notices for staff go here.")
    phone = models.CharField(max_length=40, blank=True)
    phone_days = models.JSONField(default=monday_to_friday, validators=[are_weekdays], blank=True)
    phone_opens_at = models.TimeField(default=dt.time(9))
    phone_closes_at = models.TimeField(default=dt.time(18))
    country = models.CharField(
        max_length=2, default="US", help_text="Two letters; phone numbers are read as local here."
    )
    currency = models.CharField(max_length=3, default="USD")
    emergency_number = models.CharField(max_length=20, blank=True, help_text="Such as 911, 999 or 112.")
    urgent_line = models.CharField(max_length=60, blank=True, help_text="The urgent line or doctor's number.")

    minimum_notice_minutes = models.PositiveIntegerField(
        default=120, help_text="Online visits start at least this far ahead."
    )
    horizon_days = models.PositiveSmallIntegerField(
        default=90, validators=[MinValueValidator(1), MaxValueValidator(400)]
    )
    grid_minutes = models.PositiveSmallIntegerField(
        default=15, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    hold_minutes = models.PositiveSmallIntegerField(default=20, validators=[MinValueValidator(1)])
    hold_limit_minutes = models.PositiveSmallIntegerField(default=60, help_text="A hold is never renewed past this.")
    cut_off_minutes = models.PositiveIntegerField(
        default=24 * 60, help_text="Moving online closes this long before the start."
    )
    late_fee = models.DecimalField(
        max_digits=8, decimal_places=2, default=0, help_text="Asked for a late cancellation; 0 for none."
    )
    reply_minutes = models.PositiveIntegerField(
        default=9 * 60,
        help_text="A clinician answers a review, and we call back, within this much of the hours when the phone is on.",
    )
    quiet_from = models.TimeField(default=dt.time(21), help_text="No reminder is sent from then on …")
    quiet_until = models.TimeField(default=dt.time(8), help_text="… until then, by the clock of the visit.")
    event_gap_days = models.PositiveSmallIntegerField(
        default=3, help_text="Redness may still show this many days after an extraction."
    )
    answers_kept_days = models.PositiveSmallIntegerField(
        default=365, help_text="Health answers are deleted this many days after the visit."
    )
    desk_only_after_missed = models.PositiveSmallIntegerField(
        "by phone only after", default=0, help_text="Missed visits after which a patient books by phone; 0 for never."
    )
    online_from_age = models.PositiveSmallIntegerField(default=18, help_text="Younger people book by phone.")

    requires_second_factor = models.BooleanField(
        default=False, help_text="Staff sign in with a password and a code from their phone."
    )
    idle_minutes = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="Who does nothing for so long is signed out."
    )

    is_online_paused = models.BooleanField("pause online booking", default=False)
    pause_message = models.CharField(max_length=300, blank=True)
    is_demo = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name_plural = "clinic"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_clinic_per_database"),
            models.CheckConstraint(condition=Q(grid_minutes__gt=0), name="grid_is_positive"),
            models.CheckConstraint(
                condition=Q(hold_limit_minutes__gte=models.F("hold_minutes")), name="hold_limit_holds_one"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hold(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.hold_minutes)

    @property
    def hold_limit(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.hold_limit_minutes)

    @property
    def minimum_notice(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.minimum_notice_minutes)

    @property
    def event_gap(self) -> dt.timedelta:
        return dt.timedelta(days=self.event_gap_days)

    def is_phone_open(self, local_now: dt.datetime) -> bool:
        """Whether someone answers now; ``local_now`` is wall time at the clinic."""
        return local_now.weekday() in self.phone_days and self.phone_opens_at <= local_now.time() < self.phone_closes_at


class LocationQuerySet(models.QuerySet["Location"]):
    def in_use(self, on: dt.date) -> "LocationQuerySet":
        """Not retired by that local date."""
        return self.filter(Q(retired_on=None) | Q(retired_on__gt=on))


class Location(models.Model):
    """One address. Its time zone is the wall clock of every visit there."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="locations", default=1)
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    time_zone = models.CharField(max_length=60, validators=[is_time_zone], help_text="Such as America/New_York.")
    address = models.TextField(help_text="One line each, as on an envelope.")
    directions = models.TextField(blank=True)
    parking = models.TextField(blank=True)
    step_free_access = models.TextField(blank=True)
    map_url = models.URLField("map link", blank=True)
    country = models.CharField(
        max_length=2, blank=True, help_text="Two letters, for its public holidays. Empty: the clinic’s country."
    )
    is_closed_on_holidays = models.BooleanField(
        "closed on public holidays", default=False, help_text="Single days can be opened again on the desk."
    )
    position = models.PositiveSmallIntegerField(default=0)
    retired_on = models.DateField(null=True, blank=True, help_text="From this day on nothing is booked here.")

    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def street(self) -> str:
        """The first line of the address, for short summaries."""
        return self.address.partition("\n")[0].strip()
