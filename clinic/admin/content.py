"""Guidance: topics and their items, the fixed texts, and the sources behind them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.validators import URLValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from clinic import audit, content
from clinic.admin.base import Lines, NamesServices, NamesSources, RetiredAdmin, Ticks, user_of
from clinic.admin.reading import TAGS
from clinic.admin.reviewed import SIGN_OFF, SIGN_OFF_COLUMNS, SOURCES, ReviewedAdmin, Signed, is_running
from clinic.models import Clinic, Item, Moment, Source, Topic, Wording

ESSENTIAL = 1


class Evidence(admin.SimpleListFilter):
    """By the tags that the evidence of an item carries."""

    title = "evidence"
    parameter_name = "evidence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((tag, f"{tag}: {words}") for tag, words in TAGS.items()), ("GK", "GK: general knowledge")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "GK":
                return queryset.filter(evidence__icontains="GK")
            case tag if tag in TAGS:
                return queryset.filter(evidence__icontains=f"[{tag}]")
        return queryset


class ItemForm(NamesServices, NamesSources):
    service_fields = ("services",)

    moments = Ticks(choices=Moment.choices, required=False)
    services = Lines(help_text="Slugs or groups (ALL, EXTRACT, FACEAREA), one a line.")
    evidence = Lines(required=False, help_text="Source codes with tags, or GK for general knowledge, one a line.")

    def clean_priority(self) -> int:
        """What must always be shown has to be signed, so an unsigned draft of that kind would close online booking."""
        priority: int = self.cleaned_data["priority"]
        if priority == ESSENTIAL and self.instance.signed_version is None and is_running(Clinic.objects.first()):
            raise forms.ValidationError("Have it signed with another priority first, then raise it.")
        return priority


@admin.register(Item)
class ItemAdmin(ReviewedAdmin):
    form = ItemForm
    list_display = ("code", "start", "topic", "priority", "evidence_words", *SIGN_OFF_COLUMNS)
    list_filter = (Signed, "topic", "priority", Evidence)
    list_select_related = ("topic",)
    search_fields = ("code", "text")
    fieldsets = (
        (None, {"fields": ("code", "topic", "position", "text")}),
        ("When it is shown", {"fields": ("priority", "moments", "services")}),
        ("Why we say so", {"fields": ("evidence",)}),
        SIGN_OFF,
        SOURCES,
    )

    @admin.display(description="text", ordering="text")
    def start(self, item: Item) -> str:
        return Truncator(item.text).chars(90)


@admin.register(Wording)
class WordingAdmin(ReviewedAdmin):
    list_display = ("code", "title", *SIGN_OFF_COLUMNS)
    list_filter = (Signed,)
    search_fields = ("code", "title", "text")
    fieldsets = ((None, {"fields": ("code", "title", "text")}), SIGN_OFF)


@admin.register(Topic)
class TopicAdmin(RetiredAdmin):
    list_display = ("title", "code", "position", "days_before")
    search_fields = ("code", "title", "summary")
    prepopulated_fields = {"code": ("title",)}


class SourceForm(forms.ModelForm):
    addresses = Lines(required=False, help_text="One line each.")

    def clean_addresses(self) -> list[str]:
        """They are links on pages for patients."""
        addresses: list[str] = self.cleaned_data["addresses"]
        for address in addresses:
            URLValidator(schemes=["http", "https"], message=f"“{address}” is no web address.")(address)
        return addresses

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if content.codes_in(code) != [code]:
            raise forms.ValidationError("Use S and a number, such as S64: so evidence can name it.")
        return code


@admin.register(Source)
class SourceAdmin(RetiredAdmin):
    """Whoever opened an address and found that it still says this types the day in the list, or ticks it as today."""

    form = SourceForm
    list_display = ("code", "title", "tag", "last_checked_on", "links")
    list_editable = ("last_checked_on",)
    list_filter = ("tag", "last_checked_on")
    search_fields = ("=code", "title")
    actions = ("checked_today",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """In the list no label stands beside the day."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "last_checked_on":
            field.widget.attrs["aria-label"] = "Last checked on"
        return field

    @admin.display(description="addresses")
    def links(self, source: Source) -> SafeString:
        link = '<a href="{0}" target="_blank" rel="noopener nofollow">{0}</a>'
        return format_html_join("\n", f'<span class="address">{link}</span>', ((each,) for each in source.addresses))

    @admin.action(description="Opened and checked today", permissions=["change"])
    def checked_today(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        now, today = timezone.now(), timezone.localdate()
        for source in queryset:
            before, source.last_checked_on = source.last_checked_on, today
            source.save(update_fields=["last_checked_on"])
            told = [str(before) if before else None, str(today)]
            audit.record("changed", source, by=user_of(request), now=now, last_checked_on=told)
        self.message_user(request, f"{len(queryset)} marked as checked today.", messages.SUCCESS)
