"""What can be booked."""

import datetime as dt
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.models.resources import EquipmentKind, Grade, RoomKind

# These stand where a service's slug would stand in an address.
RESERVED_SLUGS = {"details", "done"}
# The set of services after which skin may look red for a few days.
EXTRACT = "EXTRACT"


def is_free_slug(slug: str) -> None:
    """Refuse a slug that an address of ours already uses."""
    if slug in RESERVED_SLUGS:
        raise ValidationError(f"“{slug}” is an address of the booking pages. Choose another.")


def are_grades(codes: object) -> None:
    if not isinstance(codes, list) or not codes or not set(codes) <= set(Grade.values):
        raise ValidationError("Choose at least one grade of practitioner.")


def are_equipment_kinds(codes: object) -> None:
    if not isinstance(codes, list) or not set(codes) <= set(EquipmentKind.values):
        raise ValidationError("Choose kinds of equipment from the list.")


class PriceKind(models.TextChoices):
    FIXED = "fixed", "Fixed"
    FROM = "from", "From"
    FREE = "free", "Free"


class ServiceQuerySet(models.QuerySet["Service"]):
    def in_use(self, on: dt.date) -> "ServiceQuerySet":
        """Not retired by that local date."""
        return self.filter(Q(retired_on=None) | Q(retired_on__gt=on))


class Service(models.Model):
    """A kind of visit: how long, what it needs, what it costs. Bookings snapshot it; editing it alters none."""

    slug = models.SlugField(unique=True, validators=[is_free_slug])
    name = models.CharField(max_length=120)
    short_name = models.CharField(max_length=60, blank=True, help_text="For lists and the desk.")
    section = models.CharField(max_length=40, blank=True, help_text="The heading it stands under on the services page.")
    summary = models.CharField(max_length=300, help_text="One line: what happens.")
    good_for = models.JSONField(default=list, blank=True, help_text="“Yes if” lines.")
    not_for = models.JSONField(default=list, blank=True, help_text="“Not if” lines.")
    booking_notes = models.TextField(blank=True, help_text="For staff.")
    minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(5)])
    clean_up_minutes = models.PositiveSmallIntegerField(default=0, help_text="Added to the room only.")
    price_kind = models.CharField(max_length=5, choices=PriceKind, default=PriceKind.FIXED)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal(0))
    grades = models.JSONField(default=list, validators=[are_grades], help_text="Who may do it.")
    room_kind = models.CharField(
        max_length=12, choices=RoomKind, blank=True, help_text="Empty: no room, such as by video."
    )
    equipment_kinds = models.JSONField(default=list, blank=True, validators=[are_equipment_kinds])
    body_areas = models.JSONField(default=list, blank=True)
    groups = models.JSONField(default=list, blank=True, help_text="Sets that guidance and rules name, such as EXTRACT.")
    minimum_age = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="In years, on the day of the visit."
    )
    maximum_age = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="In years, on the day of the visit."
    )
    position = models.PositiveSmallIntegerField(default=0)
    retired_on = models.DateField(null=True, blank=True, help_text="From this day on it is not offered.")

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gt=0), name="service_takes_time"),
            models.CheckConstraint(condition=Q(price__gte=0), name="price_is_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def codes(self) -> set[str]:
        """Every name by which guidance and rules may mean this service."""
        return {"ALL", self.slug, *self.groups}

    @property
    def leaves_redness(self) -> bool:
        return EXTRACT in self.codes

    @property
    def title(self) -> str:
        return self.short_name or self.name
