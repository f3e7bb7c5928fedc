"""Screening questions as data: a question has parts, a part has a rule."""

from django.db import models
from django.db.models import Q

from clinic.models.guidance import Source
from clinic.models.review import Reviewed


class Verdict(models.TextChoices):
    """What a "yes" does, mildest first; guidance.md section 3a."""

    OK = "OK", "Go ahead"
    NOTE = "NOTE", "Tell the practitioner"
    WAIT = "WAIT", "Wait"
    REVIEW = "REVIEW", "A clinician decides"
    CONSULT = "CONSULT", "Consultation only"
    HELP = "HELP", "Medical help first"


class Stage(models.TextChoices):
    SKIN = "skin", "Your skin today, before a time is held"
    DETAILS = "details", "With your details"


class Question(Reviewed):
    REVIEWED_FIELDS = ("text", "lead", "advice", "applies_to", "evidence")

    position = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=8, choices=Stage)
    text = models.TextField(help_text="The whole question; its parts are asked as bullets.")
    lead = models.TextField(blank=True, help_text="What stands above the bullets.")
    advice = models.TextField(help_text="Shown after a yes.")
    applies_to = models.JSONField(default=list, help_text="Service slugs or groups.")
    evidence_kind = models.CharField(max_length=60)
    evidence = models.TextField(blank=True)
    sources = models.ManyToManyField(Source, blank=True, related_name="questions")

    class Meta:
        ordering = ["position"]


class Part(Reviewed):
    """One bullet; ticking it means yes."""

    REVIEWED_FIELDS = ("text", "asks_date")

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="parts")
    position = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    asks_date = models.BooleanField(default=False)

    class Meta:
        ordering = ["question__position", "position"]


class Rule(Reviewed):
    """What a ticked part means. ``days`` counts local dates from the part's date to the visit."""

    REVIEWED_FIELDS = ("verdict", "days", "must_be_healed", "applies_to", "grades", "note")

    part = models.ForeignKey(Part, on_delete=models.PROTECT, related_name="rules")
    verdict = models.CharField(max_length=8, choices=Verdict)
    days = models.PositiveSmallIntegerField(null=True, blank=True)
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
