"""Guidance and screening. An edit is a draft: until a clinician signs it, patients see the last signed version."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import Truncator, capfirst

from clinic import content
from clinic.admin.base import Lines, RetiredAdmin, Ticks, user_of
from clinic.audit import record
from clinic.models import Grade, Item, Moment, Part, Question, Reviewed, Rule, Source, Topic, Wording
from clinic.models.shown import reviewed_fields


class SignForm(forms.Form):
    """Who signs. One name for all that was selected."""

    reviewer = forms.CharField(max_length=120, label="Name of the clinician")
    registration = forms.CharField(max_length=60, label="Registration number")
    next_review_on = forms.DateField(label="Next review on", widget=AdminDateWidget)

    def clean_next_review_on(self) -> Any:
        date = self.cleaned_data["next_review_on"]
        if date <= timezone.localdate():
            raise forms.ValidationError("Choose a day after today.")
        return date


class Signed(admin.SimpleListFilter):
    title = "signature"
    parameter_name = "signed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Signed"), ("waits", "Changed since it was signed"), ("never", "Never signed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "yes":
                return queryset.filter(signed_version=F("version"))
            case "waits":
                return queryset.filter(signed_version__lt=F("version"))
            case "never":
                return queryset.filter(signed_version=None)
        return queryset


class ReviewedAdmin(RetiredAdmin):
    """Saving changed words makes them a new version; signing is an act of its own, on words that were read."""

    readonly_fields = ("version", "review_state")
    actions = ("sign_off",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "code") if obj else self.readonly_fields

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        content.record_revision(form.instance, by=user_of(request), now=timezone.now())

    @admin.display(description="review", ordering="signed_version")
    def review_state(self, row: Reviewed) -> str:
        if row.is_signed:
            return "Signed"
        if row.signed_version:
            return f"Draft. Patients see version {row.signed_version}."
        return "Draft. Never signed."

    @admin.action(description="Sign off the selected", permissions=["change"])
    def sign_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """First a page with the words and who signs; its button comes back here with the versions that were read."""
        form = SignForm(request.POST if "sign" in request.POST else None)
        if form.is_valid() and self._sign(request, list(queryset), form):
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Sign off",
            "opts": self.opts,
            "rows": [(row, _readable(row)) for row in queryset],
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/sign_off.html", context, status=422 if form.is_bound else 200)

    def _sign(self, request: HttpRequest, rows: list[Any], form: SignForm) -> bool:
        now, user, read = timezone.now(), user_of(request), request.POST.getlist("read")
        try:
            _refuse_unread(rows, read)
            with transaction.atomic():
                for row in rows:
                    content.sign_off(row, **form.cleaned_data, by=user, now=now)
                    record("signed", row, by=user, now=now, version=row.version, **_plain(form))
        except content.ChangedMeanwhile as changed:
            form.add_error(None, str(changed))
            return False
        self.message_user(request, f"{len(rows)} signed off.", messages.SUCCESS)
        return True


def _refuse_unread(rows: list[Any], read: list[str]) -> None:
    """``read`` are the versions that stood on the page, as "id:version"."""
    if not {f"{row.pk}:{row.version}" for row in rows} <= set(read):
        raise content.ChangedMeanwhile


def _readable(row: Any) -> list[tuple[str, str]]:
    """What is signed, field by field, as the form names and shows it."""
    return [(capfirst(row._meta.get_field(name).verbose_name), _words(row, name)) for name in reviewed_fields(row)]


def _words(row: Any, name: str) -> str:
    value = getattr(row, name)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        labels = {**dict(Moment.choices), **dict(Grade.choices)}
        return ", ".join(str(labels.get(each, each)) for each in value)
    shown = getattr(row, f"get_{name}_display", None)
    return str(shown() if shown else value)


def _plain(form: SignForm) -> dict[str, str]:
    return {name: str(value) for name, value in form.cleaned_data.items()}


class ItemForm(forms.ModelForm):
    moments = Ticks(choices=Moment.choices, required=False)
    services = Lines(help_text="Slugs or groups (ALL, EXTRACT, FACEAREA), one a line.")
    evidence = Lines(required=False, help_text="Source codes with tags, or GK for general knowledge, one a line.")


@admin.register(Item)
class ItemAdmin(ReviewedAdmin):
    form = ItemForm
    list_display = ("code", "start", "topic", "priority", "version", "review_state")
    list_filter = ("topic", "priority", Signed)
    list_select_related = ("topic",)
    search_fields = ("code", "text")
    filter_horizontal = ("sources",)
    fieldsets = (
        (None, {"fields": ("code", ("version", "review_state"), "topic", "position", "text")}),
        ("When it is shown", {"fields": ("priority", "moments", "services")}),
        ("Why we say so", {"fields": ("evidence", "sources")}),
    )

    @admin.display(description="text")
    def start(self, item: Item) -> str:
        return Truncator(item.text).chars(90)


@admin.register(Wording)
class WordingAdmin(ReviewedAdmin):
    list_display = ("code", "title", "version", "review_state")
    list_filter = (Signed,)
    search_fields = ("code", "title", "text")
    fields = ("code", ("version", "review_state"), "title", "text")


class QuestionForm(forms.ModelForm):
    applies_to = Lines(required=False, help_text="Service slugs or groups, one a line.")


@admin.register(Question)
class QuestionAdmin(ReviewedAdmin):
    form = QuestionForm
    list_display = ("code", "text", "stage", "version", "review_state")
    list_filter = ("stage", Signed)
    search_fields = ("code", "text")
    filter_horizontal = ("sources",)
    fieldsets = (
        (None, {"fields": ("code", ("version", "review_state"), "stage", "position")}),
        ("Words", {"fields": ("text", "lead", "advice")}),
        ("Use", {"fields": ("applies_to", "evidence_kind", "evidence", "sources")}),
    )


@admin.register(Part)
class PartAdmin(ReviewedAdmin):
    list_display = ("code", "text", "question", "asks_date", "version", "review_state")
    list_filter = ("question", Signed)
    list_select_related = ("question",)
    search_fields = ("code", "text")
    fields = ("code", ("version", "review_state"), "question", "position", "text", "asks_date")


class RuleForm(forms.ModelForm):
    applies_to = Lines(required=False, help_text="Service slugs or groups; empty: wherever the question is asked.")
    grades = Ticks(choices=Grade.choices, required=False, help_text="Only for visits with these; none ticked: all.")


@admin.register(Rule)
class RuleAdmin(ReviewedAdmin):
    form = RuleForm
    list_display = ("code", "part", "verdict", "days", "must_be_healed", "version", "review_state")
    list_filter = ("verdict", Signed)
    list_select_related = ("part",)
    search_fields = ("code", "note", "part__text")
    fields = (
        "code",
        ("version", "review_state"),
        "part",
        "verdict",
        ("days", "must_be_healed"),
        "applies_to",
        "grades",
        "note",
    )


@admin.register(Topic)
class TopicAdmin(RetiredAdmin):
    list_display = ("title", "code", "position", "days_before")
    search_fields = ("code", "title", "summary")
    prepopulated_fields = {"code": ("title",)}


class SourceForm(forms.ModelForm):
    addresses = Lines(required=False, help_text="One line each.")


@admin.register(Source)
class SourceAdmin(RetiredAdmin):
    form = SourceForm
    list_display = ("code", "title", "tag", "last_checked_on")
    list_filter = ("tag", "last_checked_on")
    search_fields = ("=code", "title")
