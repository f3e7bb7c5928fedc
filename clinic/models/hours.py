"""When the clinic and its people are there, and when they are not."""

import datetime as dt

from django.db import models
from django.db.models import F, Q

from clinic.models.places import WEEKDAYS, Location
from clinic.models.resources import Resource


class OpeningHoursQuerySet(models.QuerySet["OpeningHours"]):
    def on(self, date: dt.date) -> "OpeningHoursQuerySet":
        """Those that hold on that day."""
        has_begun = Q(valid_from=None) | Q(valid_from__lte=date)
        is_not_over = Q(valid_until=None) | Q(valid_until__gte=date)
        return self.filter(has_begun, is_not_over, weekday=date.weekday())


class OpeningHours(models.Model):
    """One stretch of wall-clock time on one weekday at one location.

    Without a practitioner it says when the house is open, with one when they work there: a visit needs both.
    ``closes_at`` 00:00 is midnight at the end of the day; a stretch never crosses it.
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="opening_hours")
    practitioner = models.ForeignKey(
        Resource,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="opening_hours",
        limit_choices_to={"kind": "practitioner"},
        help_text="Empty: the house itself.",
    )
    weekday = models.PositiveSmallIntegerField(choices=list(enumerate(WEEKDAYS)))
    opens_at = models.TimeField()
    closes_at = models.TimeField()
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True, help_text="The last day, included.")

    objects = OpeningHoursQuerySet.as_manager()

    class Meta:
        ordering = ["location", "practitioner", "weekday", "opens_at"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")) | Q(closes_at=dt.time(0)), name="hours_close_after_they_open"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="hours_end_after_they_begin",
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekday_is_one_of_seven"),
        ]

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.opens_at:%H:%M} to {self.closes_at:%H:%M}"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def in_force(self) -> "AbsenceQuerySet":
        """Those that close something: not the holidays on which the house is open after all."""
        return self.filter(is_lifted=False)


class Absence(models.Model):
    """Time off for one resource, or, with a location only, a closure of the house.

    It is not a claim: it may be entered over existing visits, which then show as visits to move.
    """

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, null=True, blank=True, related_name="absences")
    location = models.ForeignKey(
        Location,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="closures",
        help_text="Fill this, and no person or room, to close the house.",
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=120, blank=True, help_text="For staff only.")
    holiday_on = models.DateField(null=True, blank=True, editable=False, help_text="The public holiday it is for.")
    is_lifted = models.BooleanField(default=False, help_text="Open after all: it keeps its row and closes nothing.")

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["ends_at", "starts_at"], name="absence_by_end")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(resource=None, location__isnull=False) | Q(resource__isnull=False, location=None),
                name="absence_is_of_a_resource_or_a_house",
            ),
            models.UniqueConstraint(fields=["location", "holiday_on"], name="each_holiday_once"),
        ]

    def __str__(self) -> str:
        return f"{self.resource or self.location}, away"
