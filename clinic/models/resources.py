"""Who and what a visit needs: practitioners, rooms, and the equipment that moves between rooms."""

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from clinic.models.places import Location


class Grade(models.TextChoices):
    """What a practitioner is trained as."""

    AESTHETICIAN = "A", "Aesthetician"
    NURSE = "N", "Nurse"
    DOCTOR = "D", "Dermatologist or doctor"


class RoomKind(models.TextChoices):
    CONSULTING = "CONS", "Consulting room"
    TREATMENT = "TREAT", "Treatment room"
    PROCEDURE = "PROC", "Procedure room"


class EquipmentKind(models.TextChoices):
    """Only what is scarce and moves; fixed outfit belongs to the room's kind."""

    STEAMER = "STEAMER", "Steamer"
    DERMATOSCOPE = "DERMATOSCOPE", "Dermatoscope"
    CAMERA = "CAMERA", "Camera"


def is_free_slug(slug: str) -> None:
    """Refuse the word that stands for anyone in addresses."""
    if slug == "any":
        raise ValidationError("“any” means anyone in the booking pages. Choose another.")


class ResourceKind(models.TextChoices):
    PRACTITIONER = "practitioner", "Practitioner"
    ROOM = "room", "Room"
    EQUIPMENT = "equipment", "Equipment"


class ResourceQuerySet(models.QuerySet["Resource"]):
    def in_use(self, on: dt.date) -> "ResourceQuerySet":
        """Not retired by that local date."""
        return self.filter(Q(retired_on=None) | Q(retired_on__gt=on))

    def practitioners(self) -> "ResourceQuerySet":
        return self.filter(kind=ResourceKind.PRACTITIONER)


ResourceManager = models.Manager.from_queryset(ResourceQuerySet)


class Resource(models.Model):
    """Anything that can be in only one place at a time. ``code`` is a Grade, RoomKind or EquipmentKind.

    One table, so that a search reads all of them, and a verb locks all of them, in one statement. A proxy names its
    ``KIND``, which its rows get when they are saved.
    """

    KIND: ClassVar[str] = ""

    kind = models.CharField(max_length=12, choices=ResourceKind, editable=False)
    code = models.CharField(max_length=12)
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True, validators=[is_free_slug])
    location = models.ForeignKey(
        Location,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="resources",
        help_text="Where it stands. A practitioner's opening hours say where they work.",
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="practitioner"
    )
    about = models.TextField(blank=True, help_text="Shown to patients: training, languages, what they like to treat.")
    position = models.PositiveSmallIntegerField(default=0)
    retired_on = models.DateField(null=True, blank=True, help_text="From this day on nothing new is booked.")

    objects = ResourceManager()

    class Meta:
        ordering = ["position", "name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=ResourceKind.PRACTITIONER, code__in=Grade.values)
                | Q(kind=ResourceKind.ROOM, code__in=RoomKind.values, location__isnull=False)
                | Q(kind=ResourceKind.EQUIPMENT, code__in=EquipmentKind.values, location__isnull=False),
                name="resource_code_fits_its_kind",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.kind = self.KIND or self.kind
        super().save(*args, **kwargs)

    @property
    def first_name(self) -> str:
        """How a patient would say it: "Maya", and "Dr Okafor" for a name that starts with a title."""
        first, _, rest = self.name.partition(" ")
        return f"{first} {rest.split(' ')[-1]}" if first in {"Dr", "Dr."} and rest else first


class OneKindManager(ResourceManager["Resource"]):
    """Only the rows of a proxy's own kind."""

    def get_queryset(self) -> models.QuerySet[Resource]:
        return super().get_queryset().filter(kind=self.model.KIND)


class Practitioner(Resource):
    KIND = ResourceKind.PRACTITIONER
    objects: ClassVar[OneKindManager] = OneKindManager()

    class Meta:
        proxy = True


class Room(Resource):
    KIND = ResourceKind.ROOM
    objects: ClassVar[OneKindManager] = OneKindManager()

    class Meta:
        proxy = True


class Equipment(Resource):
    KIND = ResourceKind.EQUIPMENT
    objects: ClassVar[OneKindManager] = OneKindManager()

    class Meta:
        proxy = True
        verbose_name_plural = "equipment"
