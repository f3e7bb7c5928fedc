"""The questions before a visit, their parts, and what a yes to each means; and what earlier visits mean."""

from typing import Any

from django.contrib import admin

from clinic.admin.base import Lines, NamesServices, NamesSources, Ticks
from clinic.admin.reviewed import BORROWED_SOURCES, SIGN_OFF, SIGN_OFF_COLUMNS, SOURCES, ReviewedAdmin, Signed
from clinic.models import Grade, History, HistoryRule, Part, Question, Rule, Verdict

FOR_SERVICES = "Service slugs or groups (ALL, EXTRACT, FACEAREA), one a line."


class QuestionForm(NamesServices, NamesSources):
    applies_to = Lines(required=False, help_text=FOR_SERVICES)


@admin.register(Question)
class QuestionAdmin(ReviewedAdmin):
    form = QuestionForm
    list_display = ("code", "text", "stage", "is_asked_again", "is_private", "evidence_kind", *SIGN_OFF_COLUMNS)
    list_filter = (Signed, "stage", "is_asked_again", "is_private", "evidence_kind")
    search_fields = ("code", "text", "advice", "evidence")
    fieldsets = (
        (None, {"fields": ("code", "stage", "position")}),
        ("Words", {"fields": ("text", "lead", "advice")}),
        ("Date", {"fields": ("date_label", "may_be_ahead")}),
        ("Use", {"fields": ("applies_to", "is_asked_again", "is_private")}),
        ("Why we ask", {"fields": ("evidence_kind", "evidence")}),
        SIGN_OFF,
        SOURCES,
    )


@admin.register(Part)
class PartAdmin(ReviewedAdmin):
    list_display = ("code", "text", "short", "question", "asks_date", *SIGN_OFF_COLUMNS)
    list_filter = (Signed, "question", "asks_date", "question__evidence_kind")
    list_select_related = ("question",)
    search_fields = ("code", "text", "short")
    fieldsets = (
        (None, {"fields": ("code", "question", "position")}),
        ("Words", {"fields": ("text", "short", "asks_date")}),
        SIGN_OFF,
        BORROWED_SOURCES,
    )


class RuleForm(NamesServices):
    applies_to = Lines(required=False, help_text=f"{FOR_SERVICES} Empty: wherever the question is asked.")
    grades = Ticks(choices=Grade.choices, required=False, help_text="Only for visits with these; none ticked: all.")

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("verdict") == Verdict.WAIT and said.get("days") is None:
            self.add_error("days", "Say how many days to wait.")
        return said


@admin.register(Rule)
class RuleAdmin(ReviewedAdmin):
    form = RuleForm
    change_list_template = "admin/rules.html"
    list_display = ("code", "part", "verdict", "days", "undated", "must_be_healed", "evidence_kind", *SIGN_OFF_COLUMNS)
    list_filter = (Signed, "verdict", "part__question", "part__question__evidence_kind")
    list_select_related = ("part__question",)
    search_fields = ("code", "note", "part__text")
    fieldsets = (
        (None, {"fields": ("code", "part")}),
        ("What a yes means", {"fields": ("verdict", ("days", "undated"), "must_be_healed", "note")}),
        ("For whom", {"fields": ("applies_to", "grades")}),
        SIGN_OFF,
        BORROWED_SOURCES,
    )

    @admin.display(description="evidence kind", ordering="part__question__evidence_kind")
    def evidence_kind(self, rule: Rule) -> str:
        return rule.part.question.evidence_kind


class HistoryRuleForm(NamesServices, NamesSources):
    service_fields = ("applies_to", "needs")

    applies_to = Lines(help_text=FOR_SERVICES)
    needs = Lines(required=False, help_text="Slugs of the visits that count, one a line; only for a need.")
    evidence = Lines(required=False, help_text="Source codes with tags, or GK for general knowledge, one a line.")

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("kind") == History.NEEDS and not said.get("needs"):
            self.add_error("needs", "Name at least one visit that counts.")
        return said


@admin.register(HistoryRule)
class HistoryRuleAdmin(ReviewedAdmin):
    form = HistoryRuleForm
    change_list_template = "admin/rules.html"
    list_display = ("code", "kind", "days", "applies_to", "needs", "evidence_words", *SIGN_OFF_COLUMNS)
    list_filter = (Signed, "kind")
    search_fields = ("code", "asks", "advice")
    fieldsets = (
        (None, {"fields": ("code", "kind", "days", "applies_to", "needs")}),
        ("Words", {"fields": ("asks", "advice")}),
        ("Why we ask", {"fields": ("evidence",)}),
        SIGN_OFF,
        SOURCES,
    )
