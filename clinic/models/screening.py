"""Screening questions as data: a question has parts, a part has a rule."""

from django.db import models
from django.db.models import Q

from clinic.models.guidance import Source
from clinic.models.review import Reviewed


class Verdict(models.TextChoices):
    """What a "yes" does, mildest first."""

    OK = "OK", "Go ahead"
    NOTE = "NOTE", "Tell the practitioner"
    WAIT = "WAIT", "Wait"
    REVIEW = "REVIEW", "A clinician decides"
    CONSULT = "CONSULT", "Consultation only"
    HELP = "HELP", "Medical help first"


class Undated(models.TextChoices):
    """What a rule that waits does when nobody knows the date."""

    REVIEW = "review", "A clinician decides"
    TODAY = "today", "It counts from today"


class History(models.TextChoices):
    """What an earlier visit has to do with the next one."""

    GAP = "gap", "Not on the same area again before"
    NEEDS = "needs", "Only after another visit, within"


class Stage(models.TextChoices):
    SKIN = "skin", "Your skin today, before a time is held"
    DETAILS = "details", "With your details"


class Question(Reviewed):
    REVIEWED_FIELDS = (
        "text",
        "lead",
        "advice",
        "date_label",
        "may_be_ahead",
        "is_asked_again",
        "is_private",
        "applies_to",
        "evidence",
    )

    position = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=8, choices=Stage)
    text = models.TextField(help_text="The whole question; its parts are asked as bullets.")
    lead = models.TextField(blank=True, help_text="What stands above the bullets.")
    advice = models.TextField(help_text="Shown after a yes.")
    date_label = models.CharField(
        max_length=160, blank=True, help_text="Above the boxes for the date, where a rule needs one."
    )
    may_be_ahead = models.BooleanField(default=False, help_text="The date may lie ahead, as for something planned.")
    is_asked_again = models.BooleanField(default=False, help_text="Once more, a day before the visit.")
    is_private = models.BooleanField(default=False, help_text="Of a minor it is asked in the room, alone.")
    applies_to = models.JSONField(default=list, help_text="Service slugs or groups.")
    evidence_kind = models.CharField(max_length=60)
    evidence = models.TextField(blank=True)
    sources = models.ManyToManyField(Source, blank=True, related_name="questions")

    class Meta:
        ordering = ["position"]


class Part(Reviewed):
    """One bullet; ticking it means yes."""

    REVIEWED_FIELDS = ("text", "short", "asks_date")

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="parts")
    position = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    short = models.CharField(
        max_length=80, blank=True, help_text="Within a sentence: “We wait 14 days after a cold sore.”"
    )
    asks_date = models.BooleanField(default=False)

    class Meta:
        ordering = ["question__position", "position"]


class Rule(Reviewed):
    """What a ticked part means. ``days`` counts local dates from the part's date to the visit."""

    REVIEWED_FIELDS = ("verdict", "days", "undated", "must_be_healed", "applies_to", "grades", "note")

    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="rules")
    verdict = models.CharField(max_length=8, choices=Verdict)
    days = models.PositiveSmallIntegerField(null=True, blank=True)
    undated = models.CharField(
        "without a date", max_length=6, choices=Undated, default=Undated.REVIEW, help_text="Only for a rule that waits."
    )
    must_be_healed = models.BooleanField(default=False)
    applies_to = models.JSONField(
        default=list, help_text="Service slugs or groups; empty: wherever the question is asked."
    )
    grades = models.JSONField(default=list, blank=True, help_text="Only for visits with these grades; empty: all.")
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["part__question__position", "part__position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.WAIT) | Q(days__isnull=False), name="a_wait_says_how_many_days"
            )
        ]


class HistoryRule(Reviewed):
    """What earlier visits mean for the next: days are local dates at its location.

    A gap counts from the last treatment of the same body area, with us or elsewhere. A need asks for a visit of one of
    the services in ``needs`` within ``days`` before.
    """

    REVIEWED_FIELDS = ("kind", "days", "applies_to", "needs", "asks", "advice", "evidence")

    kind = models.CharField(max_length=5, choices=History)
    days = models.PositiveSmallIntegerField()
    applies_to = models.JSONField(default=list, help_text="Service slugs or groups.")
    needs = models.JSONField(default=list, blank=True, help_text="Slugs of the visits that count; only for a need.")
    asks = models.TextField(help_text="What somebody is asked whose history we do not know.")
    advice = models.TextField(help_text="Why, in one sentence.")
    evidence = models.JSONField(default=list, help_text="Source codes with tags, or GK for general knowledge.")

    class Meta:
        ordering = ["id"]
