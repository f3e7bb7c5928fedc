"""Who and what a visit needs: practitioners, rooms, equipment."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from clinic.admin.base import PlainSelects, RetiredAdmin
from clinic.admin.foreseen import ForeseeingAdmin
from clinic.models import Equipment, EquipmentKind, Grade, OpeningHours, Practitioner, Resource, Room, RoomKind


class PractitionerForm(forms.ModelForm):
    code = forms.ChoiceField(label="Grade", choices=Grade.choices, help_text="Services say which grades may do them.")


class RoomForm(forms.ModelForm):
    code = forms.ChoiceField(label="Kind of room", choices=RoomKind.choices)


class EquipmentForm(forms.ModelForm):
    code = forms.ChoiceField(
        label="Kind of equipment",
        choices=EquipmentKind.choices,
        help_text="Only what is scarce and moves between rooms.",
    )


class OwnHours(PlainSelects):
    """When this person works, and where."""

    model = OpeningHours
    fk_name = "practitioner"
    extra = 1
    verbose_name_plural = "working hours"


class InUse(admin.SimpleListFilter):
    """Retired ones stay in the list of their past, out of sight unless asked for."""

    title = "retired"
    parameter_name = "retired"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "No date set"), ("yes", "Retired, or will be")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(retired_on__isnull=self.value() == "no")


class ResourceAdmin(ForeseeingAdmin, RetiredAdmin):
    """``code`` means a grade or a kind: each screen offers only its own."""

    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    @admin.display(description="grade or kind", ordering="code")
    def meaning(self, resource: Resource) -> str:
        labels = dict([*Grade.choices, *RoomKind.choices, *EquipmentKind.choices])
        return str(labels.get(resource.code, resource.code))


@admin.register(Practitioner)
class PractitionerAdmin(ResourceAdmin):
    form = PractitionerForm
    inlines = (OwnHours,)
    list_display = ("name", "meaning", "user", "position", "retired_on")
    list_filter = (InUse,)
    list_select_related = ("user",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "code", "about", "user", "position")}),
        ("Retire", {"fields": ("retired_on",)}),
    )

    def people(self, obj: Any) -> Q | None:
        return Q(pk=obj.pk)


class ThingAdmin(ResourceAdmin):
    """Rooms and equipment stand somewhere."""

    list_display = ("name", "meaning", "location", "position", "retired_on")
    list_filter = ("location", InUse)
    list_select_related = ("location",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "code", "location", "position")}),
        ("Retire", {"fields": ("retired_on",)}),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, *args, **kwargs)
        if "location" in form.base_fields:
            form.base_fields["location"].required = True
        return form


@admin.register(Room)
class RoomAdmin(ThingAdmin):
    form = RoomForm


@admin.register(Equipment)
class EquipmentAdmin(ThingAdmin):
    form = EquipmentForm
