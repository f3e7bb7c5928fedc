"""The policy, the places, and when they are open."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from clinic import readiness
from clinic.admin.base import AuditedAdmin, PlainSelects, RetiredAdmin, Ticks
from clinic.admin.foreseen import ForeseeingAdmin
from clinic.models import Absence, Clinic, Location, OpeningHours, Resource
from clinic.models.places import WEEKDAYS


class ClinicForm(forms.ModelForm):
    phone_days = Ticks(choices=list(enumerate(WEEKDAYS)), coerce=int, required=False, help_text="When someone answers.")

    def clean(self) -> dict[str, Any]:
        """Online booking opens only once patients can be told whom to call, and a clinician has signed what they read.

        What is missing later closes the booking pages by itself; the rest of the policy can still be saved then.
        """
        said: dict[str, Any] = super().clean() or {}
        if not said.get("is_online_paused") and (missing := self._missing(said)):
            self.add_error("is_online_paused", f"Before patients can book: {'; '.join(missing)}.")
        return said

    def _missing(self, said: dict[str, Any]) -> list[str]:
        numbers = {name: said.get(name, "") for name in readiness.NUMBERS}
        lacks = readiness.lacking(Clinic(**numbers, is_demo=self.instance.is_demo))
        is_opening = self.instance._state.adding or "is_online_paused" in self.changed_data
        return [str(lack) for lack in lacks if is_opening or lack.field]


@admin.register(Clinic)
class ClinicAdmin(AuditedAdmin):
    """One row: the list leads straight to it."""

    form = ClinicForm
    fieldsets = (
        (None, {"fields": ("name", "email", ("country", "currency"))}),
        ("Phone", {"fields": ("phone", "phone_days", ("phone_opens_at", "phone_closes_at"))}),
        (
            "Medical help",
            {
                "fields": ("emergency_number", "urgent_line"),
                "description": "Shown with the red flags on every patient page.",
            },
        ),
        (
            "Online booking",
            {"fields": ("is_online_paused", "pause_message", "online_from_age", "desk_only_after_missed")},
        ),
        ("How far ahead", {"fields": ("minimum_notice_minutes", "horizon_days", "grid_minutes", "event_gap_days")}),
        ("Holding a time", {"fields": ("hold_minutes", "hold_limit_minutes")}),
        (
            "Moving and cancelling",
            {
                "fields": ("cut_off_minutes", "late_fee", "reply_minutes"),
                "description": "A booking keeps the terms that were shown when it was made.",
            },
        ),
        ("Staff sign-in", {"fields": ("requires_second_factor", "idle_minutes")}),
        ("Messages", {"fields": (("quiet_from", "quiet_until"),)}),
        ("Health answers", {"fields": ("answers_kept_days",)}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        clinic = Clinic.objects.first()
        if clinic is None or not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra_context)
        return redirect("admin:clinic_clinic_change", clinic.pk)

    def save_model(self, request: HttpRequest, obj: Clinic, form: Any, change: Any) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Clinic.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HouseHours(PlainSelects):
    """The hours of the house; those of people stand with the person."""

    model = OpeningHours
    extra = 1
    exclude = ("practitioner",)
    verbose_name_plural = "opening hours of the house"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(practitioner=None)


class LocationForm(forms.ModelForm):
    map_url = forms.URLField(label="Map link", required=False, assume_scheme="https")


@admin.register(Location)
class LocationAdmin(ForeseeingAdmin, RetiredAdmin):
    form = LocationForm
    list_display = ("name", "street", "time_zone", "retired_on")
    search_fields = ("name", "address")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (HouseHours,)
    fieldsets = (
        (None, {"fields": ("name", "slug", "time_zone", "position")}),
        ("Public holidays", {"fields": ("country", "is_closed_on_holidays")}),
        ("Getting there", {"fields": ("address", "directions", "parking", "step_free_access", "map_url")}),
        ("Retire", {"fields": ("retired_on",)}),
    )

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: Any) -> None:
        obj.clinic_id = 1
        super().save_model(request, obj, form, change)

    def people(self, obj: Any) -> Q | None:
        return Q(opening_hours__location=obj)


@admin.register(OpeningHours)
class OpeningHoursAdmin(ForeseeingAdmin, AuditedAdmin):
    list_display = ("weekday", "opens_at", "closes_at", "practitioner", "location", "valid_from", "valid_until")
    list_filter = ("location", "weekday", ("practitioner", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("practitioner", "location")
    search_fields = ("practitioner__name",)
    ordering = ("location", "practitioner", "weekday", "opens_at")
    fieldsets = (
        (None, {"fields": ("location", "practitioner")}),
        ("When", {"fields": ("weekday", ("opens_at", "closes_at"), ("valid_from", "valid_until"))}),
    )

    def people(self, obj: Any) -> Q | None:
        return Q(pk=obj.practitioner_id) if obj.practitioner_id else Q(opening_hours__location=obj.location_id)


@admin.register(Absence)
class AbsenceAdmin(ForeseeingAdmin, AuditedAdmin):
    """Times are typed by the clock of the first location. Public holidays enter themselves; the desk opens them."""

    change_list_template = "admin/absences.html"
    list_display = ("who", "starts_at", "ends_at", "reason")
    list_filter = ("starts_at", ("resource", admin.RelatedOnlyFieldListFilter), "location")
    list_select_related = ("resource", "location")
    search_fields = ("resource__name", "location__name", "reason")
    ordering = ("-starts_at",)
    fieldsets = (
        (None, {"fields": ("resource", "location")}),
        (
            "When and why",
            {
                "fields": ("starts_at", "ends_at", "reason"),
                "description": "By the clock of the clinic. Visits that are booked already stay: move or cancel them.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(holiday_on=None)

    @admin.display(description="who or what is away", ordering="resource__name")
    def who(self, absence: Absence) -> Resource | Location | None:
        return absence.resource or absence.location
