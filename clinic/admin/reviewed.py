"""What a clinician signs, as set-up screens: an edit is a draft, and patients see what was signed last."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic import content, readiness
from clinic.admin import reading
from clinic.admin.base import RetiredAdmin, user_of
from clinic.admin.signing import SIGNS, sign_off_address
from clinic.models import Clinic, Item, Question, Review, Reviewed

SIGNATURE = {
    "reviewed_by": "reviewer",
    "registration_number": "registration",
    "reviewed_at": "signed_at",
    "review_due": "next_review_on",
}
SIGN_OFF_FIELDS = (
    "version",
    "standing",
    "signed_by",
    "registration",
    "signed_on",
    "next_review",
    "evidence_words",
    "source_list",
)
SIGN_OFF: Any = (
    "Sign-off",
    {"fields": (("version", "standing"), ("signed_by", "registration"), ("signed_on", "next_review"))},
)
SOURCES: Any = ("Sources, as cited", {"fields": ("source_list",)})
# For what rests on the evidence of its question.
BORROWED_SOURCES: Any = ("Evidence of its question", {"fields": ("evidence_words", "source_list")})
# The last columns of every list of what is signed.
SIGN_OFF_COLUMNS = ("version", "review_state", "signed_by", "signed_on", "next_review")


class Signed(admin.SimpleListFilter):
    title = "signature"
    parameter_name = "signed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("yes", "Signed"),
            ("waits", "Changed since it was signed"),
            ("never", "Never signed"),
            ("due", "Review overdue"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "yes":
                return queryset.filter(signed_version=F("version"))
            case "waits":
                return queryset.filter(signed_version__lt=F("version"))
            case "never":
                return queryset.filter(signed_version=None)
            case "due":
                return queryset.filter(review_due__lte=timezone.localdate())
        return queryset


class ReviewedAdmin(RetiredAdmin):
    """Saving changed words makes them a new version; signing is an act of its own, on words that were read."""

    readonly_fields = SIGN_OFF_FIELDS
    actions = ("sign_off",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the signature under what patients see now."""
        signature = Review.objects.filter(
            revision__kind=self.opts.model_name,
            revision__code=OuterRef("code"),
            revision__version=OuterRef("signed_version"),
        )
        found = {name: Subquery(signature.values(field)[:1]) for name, field in SIGNATURE.items()}
        return super().get_queryset(request).annotate(**found)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "code") if obj else self.readonly_fields

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        row = form.instance
        if isinstance(row, Item | Question):
            content.cite([row])
        content.record_revision(row, by=user_of(request), now=timezone.now())
        if not row.is_signed:
            self.message_user(request, _what_patients_see(row), messages.WARNING)

    def has_sign_permission(self, request: HttpRequest) -> bool:
        return user_of(request).has_perm(SIGNS)

    @admin.action(description="Read and sign off the selected", permissions=["sign"])
    def sign_off(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return redirect(sign_off_address(queryset))

    @admin.display(description="review", ordering="signed_version")
    def review_state(self, row: Reviewed) -> str:
        if row.is_signed:
            return "Signed"
        if row.signed_version:
            return f"Draft. Patients see version {row.signed_version}."
        return "Draft. Never signed."

    @admin.display(description="review")
    def standing(self, row: Reviewed) -> SafeString | str:
        """With the way to sign it, for the row's own page."""
        if row.is_signed or row.pk is None:
            return self.review_state(row)
        return format_html('{} <a href="{}">Read and sign</a>', self.review_state(row), sign_off_address([row]))

    @admin.display(description="reviewer", ordering="reviewed_by")
    def signed_by(self, row: Reviewed) -> str:
        return getattr(row, "reviewed_by", None) or self.get_empty_value_display()

    @admin.display(description="registration number")
    def registration(self, row: Reviewed) -> str:
        return getattr(row, "registration_number", None) or self.get_empty_value_display()

    @admin.display(description="reviewed on", ordering="reviewed_at")
    def signed_on(self, row: Reviewed) -> str:
        at: dt.datetime | None = getattr(row, "reviewed_at", None)
        return reading.date(timezone.localdate(at)) if at else self.get_empty_value_display()

    @admin.display(description="next review", ordering="review_due")
    def next_review(self, row: Reviewed) -> str:
        due: dt.date | None = getattr(row, "review_due", None)
        return reading.date(due) if due else self.get_empty_value_display()

    @admin.display(description="sources")
    def source_list(self, row: Reviewed) -> SafeString | str:
        return reading.source_list(row) if row.pk else "Save it first."

    @admin.display(description="evidence")
    def evidence_words(self, row: Reviewed) -> str:
        return reading.evidence_words(row) if row.pk else ""


def is_running(clinic: Clinic | None) -> bool:
    """A real clinic whose patients book online right now."""
    return clinic is not None and not clinic.is_demo and readiness.is_open_for_booking(clinic)


def _what_patients_see(row: Reviewed) -> str:
    if row.signed_version:
        return f"Version {row.version} is a draft. Patients see version {row.signed_version} until it is signed off."
    clinic = Clinic.objects.first()
    is_closed_by_it = clinic and not (clinic.is_demo or clinic.is_online_paused or is_running(clinic))
    rest = " Online booking is closed until it is signed off." if is_closed_by_it else ""
    return f"Version {row.version} is a draft that nobody has signed yet.{rest}"
