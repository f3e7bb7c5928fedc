"""Bookings, people, mail and tasks, to look up. They change on the desk, through the verbs, and nowhere else."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bookings import displaced
from bookings.models import ApiKey, Booking, BookingEvent, Claim, Consent, Guardian, OutgoingEmail, Patient, Task
from bookings.models.mail import KINDS
from clinic import audit, words
from clinic.admin import foreseen
from clinic.admin.base import ReadOnlyAdmin, user_of
from clinic.models import Practitioner


def to_move(now: dt.datetime) -> dict[int, foreseen.Touched]:
    """The visits that cannot stay as things are, for the set-up screens: they know of hours, and of no visits."""
    return {each.booking.pk: _touched(each) for each in displaced.find(Booking.objects.booked(), now=now)}


def _touched(found: displaced.Displaced) -> foreseen.Touched:
    booking = found.booking
    who = booking.patient.short_name if booking.patient else ""
    title = f"{who}, {booking.service.title}, {words.when(booking.starts_at, booking.location.zone)}"
    return foreseen.Touched(title, found.why, reverse("desk:booking", args=[booking.reference]))


foreseen.finders.append(to_move)


class LookUpAdmin(ReadOnlyAdmin):
    """For managers alone. Everybody else has the desk, which shows each of them what their role needs."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return user_of(request).has_perm("bookings.view_log")


class RecordAdmin(LookUpAdmin):
    """A page that shows what is kept of one patient: whoever opens it has read it."""

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        audit.read(context["original"], page="admin", by=user_of(request), now=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class History(ReadOnlyInline):
    model = BookingEvent
    # What a verb changed stands on the desk, for those who may see it.
    fields = ("at", "verb", "actor", "by")
    verbose_name_plural = "history"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("by")


class Claims(ReadOnlyInline):
    model = Claim
    fields = ("resource", "starts_at", "ends_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("resource")


class Consents(ReadOnlyInline):
    model = Consent
    fields = ("kind", "version", "words", "given_at")


class Guardians(ReadOnlyInline):
    model = Guardian
    fields = ("name", "relation", "phone", "email", "gets_mail", "agreed_at", "agreed_with")


class Mails(ReadOnlyInline):
    model = OutgoingEmail
    fields = ("created_at", "title", "subject", "recipient", "state", "sent_at", "last_error")
    readonly_fields = ("title",)
    verbose_name_plural = "e-mails"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("text", "html", "calendar")


class ByPractitioner(admin.SimpleListFilter):
    """By person, without a search through all bookings for who has any."""

    title = "practitioner"
    parameter_name = "practitioner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Practitioner.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value() or ""
        return queryset.filter(practitioner=int(chosen)) if chosen.isdecimal() else queryset


@admin.register(Booking)
class BookingAdmin(RecordAdmin):
    list_display = ("reference", "starts_at", "patient", "service_name", "practitioner", "room", "state", "desk")
    list_filter = ("state", "starts_at", ByPractitioner, "service", "location")
    list_select_related = ("patient", "practitioner", "room")
    search_fields = ("=reference", "patient__name", "patient__email")
    ordering = ("-starts_at", "-id")
    inlines = (History, Claims, Guardians, Consents, Mails)
    fieldsets = (
        (None, {"fields": ("reference", "state", "service", "location", "practitioner", "room", "asked_for_any")}),
        (
            "When",
            {"fields": ("starts_at", "ends_at", "held_at", "expires_at", "booked_at", "confirmed_at", "arranged_at")},
        ),
        ("Review", {"fields": ("reply_by", "approved_at")}),
        ("Who", {"fields": ("patient", "is_for_someone_else", "wishes", "event_on", "is_screening_outstanding")}),
        (
            "As agreed",
            {
                "fields": (
                    ("service_name", "minutes", "clean_up_minutes"),
                    ("price_kind", "price", "currency"),
                    ("cut_off_minutes", "late_fee"),
                )
            },
        ),
        ("Closed", {"fields": ("outcome", "treated_areas", "closed_at")}),
        ("Cancelled", {"fields": ("cancelled_at", "cancel_reason", "is_late_cancellation")}),
        ("Calendar and links", {"fields": ("calendar_uid", "sequence", "link_version")}),
    )

    @admin.display(description="desk")
    def desk(self, booking: Booking) -> SafeString | str:
        if booking.patient_id is None:
            return ""
        return format_html('<a href="{}">Open</a>', reverse("desk:booking", args=[booking.reference]))


@admin.register(Patient)
class PatientAdmin(RecordAdmin):
    list_display = ("name", "email", "phone", "date_of_birth", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name", "email", "phone")
    ordering = ("-created_at", "-id")


class ByKind(admin.SimpleListFilter):
    """The kinds by name: asking the outbox which it holds would read all of it."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(KINDS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(LookUpAdmin):
    list_display = ("subject", "title", "recipient", "state", "created_at", "sent_at", "attempts")
    list_filter = ("state", ByKind, "created_at")
    list_select_related = ("booking",)
    search_fields = ("=booking__reference", "recipient", "subject", "=message_id")
    # The words, and the patient's own links in them, are read on the desk.
    exclude = ("text", "html", "calendar")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("text", "html", "calendar")


@admin.register(BookingEvent)
class BookingEventAdmin(LookUpAdmin):
    exclude = ("detail",)
    list_display = ("at", "booking", "verb", "actor", "by")
    list_filter = ("actor", "at")
    list_select_related = ("booking", "by")
    search_fields = ("=booking__reference",)
    ordering = ("-at", "-id")


@admin.register(Task)
class TaskAdmin(LookUpAdmin):
    list_display = ("kind", "name", "phone", "booking", "due_at", "done_at", "done_by")
    list_filter = ("kind", "due_at", ("done_at", admin.EmptyFieldListFilter))
    list_select_related = ("booking", "done_by")
    search_fields = ("=booking__reference", "name", "phone")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Which programs may book. ``manage.py api_key make`` makes a key and shows it once; here it is revoked."""

    list_display = ("name", "prefix", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "=prefix")
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm("bookings.change_apikey")

    @admin.action(description="Revoke the chosen keys: they open nothing any more", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        now = timezone.now()
        with transaction.atomic():
            revoked = [key for key in queryset if key.revoke(now=now)]
            for key in revoked:
                audit.record("revoked", key, by=user_of(request), now=now, name=str(key))
        self.message_user(request, f"{len(revoked)} revoked. What they booked stands.", messages.SUCCESS)
