"""What can be booked."""

from django import forms
from django.contrib import admin

from clinic.admin.base import Lines, RetiredAdmin, Ticks
from clinic.admin.foreseen import ForeseeingAdmin
from clinic.admin.people import InUse
from clinic.models import EquipmentKind, Grade, Service
from clinic.words import price


class ServiceForm(forms.ModelForm):
    grades = Ticks(choices=Grade.choices, help_text="Who may do it.")
    equipment_kinds = Ticks(choices=EquipmentKind.choices, required=False)
    good_for = Lines(required=False, label="Yes if", help_text="One line each.")
    not_for = Lines(required=False, label="Not if", help_text="One line each.")
    body_areas = Lines(required=False, help_text="One line each.")
    groups = Lines(required=False, help_text="Sets that guidance and rules name, such as EXTRACT. One line each.")


@admin.register(Service)
class ServiceAdmin(ForeseeingAdmin, RetiredAdmin):
    """A change counts for new bookings only: a booking keeps the name, length and price it was made with."""

    form = ServiceForm
    list_display = ("name", "section", "minutes", "clean_up_minutes", "price_words", "position", "retired_on")
    list_filter = ("section", "price_kind", "room_kind", InUse)
    search_fields = ("name", "short_name", "slug", "summary")
    prepopulated_fields = {"slug": ("short_name",)}
    fieldsets = (
        (None, {"fields": ("name", "short_name", "slug", "section", "summary", "position")}),
        (
            "Time and price",
            {
                "fields": (("minutes", "clean_up_minutes"), ("price_kind", "price")),
                "description": "Bookings that were made already keep their length and price.",
            },
        ),
        ("What it needs", {"fields": ("grades", "room_kind", "equipment_kinds")}),
        ("Who it is for", {"fields": ("good_for", "not_for", "body_areas", ("minimum_age", "maximum_age"))}),
        ("For staff", {"fields": ("booking_notes", "groups")}),
        ("Retire", {"fields": ("retired_on",)}),
    )

    @admin.display(description="price", ordering="price")
    def price_words(self, service: Service) -> str:
        return price(service.price, "", service.price_kind).strip()
