"""Guidance for patients: topics, their items, and the sources behind each."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from clinic.models.review import Reviewed


class Moment(models.TextChoices):
    """When an item is shown."""

    BROWSE = "browse", "Public pages"
    BOOKING = "booking", "While booking"
    CONFIRM = "confirm", "Confirmation"
    R72H = "r72h", "72 hours before"
    R24H = "r24h", "24 hours before"
    DAY0 = "day0", "After the visit"
    DAY0_PLAIN = "day0_plain", "After a visit that nobody closed: safe for everybody"
    DAY3 = "day3", "3 days after"
    DAY7 = "day7", "7 days after"


def are_moments(codes: object) -> None:
    if not isinstance(codes, list) or not set(codes) <= set(Moment.values):
        raise ValidationError("Choose moments from the list.")


class Source(models.Model):
    """Something we read, and how far it may be trusted."""

    code = models.CharField(max_length=10, unique=True)
    title = models.TextField()
    addresses = models.JSONField(default=list)
    tag = models.CharField(max_length=2)
    last_checked_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class Topic(models.Model):
    """A page of guidance. With ``days_before`` its items start that many days before the visit."""

    code = models.SlugField(unique=True)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    days_before = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.title


class Item(Reviewed):
    """One piece of advice. ``services`` are slugs or groups (ALL, EXTRACT, FACEAREA)."""

    REVIEWED_FIELDS = ("text", "priority", "moments", "services", "evidence")

    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField(default=0)
    text = models.TextField(help_text="**Bold** and {{placeholders}} are understood.")
    priority = models.PositiveSmallIntegerField(
        choices=[(1, "Always"), (2, "If there is room"), (3, "Full guidance page only")]
    )
    moments = models.JSONField(default=list, validators=[are_moments])
    services = models.JSONField(default=list)
    evidence = models.JSONField(default=list, help_text="Source codes with tags, or GK for general knowledge.")
    sources = models.ManyToManyField(Source, blank=True, related_name="items")

    class Meta:
        ordering = ["topic__position", "position"]
        constraints = [models.CheckConstraint(condition=Q(priority__in=[1, 2, 3]), name="priority_is_1_2_or_3")]


class Wording(Reviewed):
    """A fixed text of the product that a clinician signs too: disclaimers, the lines above a questionnaire."""

    title = models.CharField(max_length=120)
    text = models.TextField()

    class Meta:
        ordering = ["code"]
