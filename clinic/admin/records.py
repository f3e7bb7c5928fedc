"""What was done and signed: to read, never to change."""

from django.contrib import admin

from clinic.admin.base import ReadOnlyAdmin
from clinic.models import AuditEvent, Review, Revision


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "by", "act", "kind", "key")
    list_filter = ("act", "kind", "at")
    list_select_related = ("by",)
    search_fields = ("=key", "kind", "by__username")


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = ("code", "kind", "version", "written_at", "written_by")
    list_filter = ("kind", "written_at")
    list_select_related = ("written_by",)
    search_fields = ("=code",)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ("revision", "reviewer", "registration", "signed_at", "next_review_on")
    list_filter = ("revision__kind", "next_review_on")
    list_select_related = ("revision", "signed_by")
    search_fields = ("=revision__code", "reviewer", "registration")
