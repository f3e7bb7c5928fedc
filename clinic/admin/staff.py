"""Who signs in. People who leave are closed, not deleted: the history names them for good."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from clinic import audit, second_factor
from clinic.admin.base import AuditedAdmin, RetiredAdmin, user_of

# What opens the second step of signing in is no row to look up.
admin.site.unregister([User, Group, StaticDevice, TOTPDevice])

# Rights come by roles; only a superuser makes another, or gives a single right to a single person.
FOR_SUPERUSERS = {"is_superuser", "user_permissions"}
# Nobody gives these to themselves, nor to a role that is theirs: they stand for a clinician's own judgement.
CLINICAL = ("decide_reviews", "view_answers", "sign_content")
# What says what somebody may do.
OWN_RIGHTS = ("is_active", "is_staff", "groups")


@admin.register(User)
class StaffAdmin(RetiredAdmin, UserAdmin):
    """A password is never part of an audit row: that it was changed is. A superuser is changed by superusers only."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "has_second_step", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    actions = ("turn_second_step_off",)

    def get_queryset(self, request: HttpRequest) -> Any:
        phones = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(has_phone=Exists(phones))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        if user_of(request).is_superuser:
            return found
        return [(title, {**part, "fields": _without(part["fields"])}) for title, part in found]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What they may do is for somebody else to say."""
        found = tuple(super().get_readonly_fields(request, obj))
        is_own = obj is not None and obj.pk == user_of(request).pk and not obj.is_superuser
        return found + OWN_RIGHTS if is_own else found

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_above = obj is not None and obj.is_superuser and not user_of(request).is_superuser
        return not is_above and super().has_change_permission(request, obj)

    @admin.display(description="second step", boolean=True)
    def has_second_step(self, user: Any) -> bool:
        return bool(user.has_phone)

    @admin.action(description="Lost phone: turn the second step off", permissions=["change"])
    def turn_second_step_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """They sign in with their password alone, or set it up anew where the clinic asks for it."""
        now, turned_off = timezone.now(), 0
        with transaction.atomic():
            for user in queryset:
                if self.has_change_permission(request, user) and second_factor.turn_off(user):
                    audit.record("second factor off", user, by=user_of(request), now=now)
                    turned_off += 1
        self.message_user(request, f"Turned off for {turned_off}.", messages.SUCCESS)

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().user_change_password(request, *args, **kwargs)
        if request.method == "POST" and answer.status_code == 302:
            user = self.get_object(request, kwargs["id"])
            assert user is not None, "its password was changed a moment ago"
            audit.record("password changed", user, by=user_of(request), now=timezone.now())
        return answer


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    """What a role may do. Only superusers give a role the rights of a clinician, or change one that has them."""

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, *args, **kwargs)
        permissions = form.base_fields.get("permissions")
        if isinstance(permissions, ModelMultipleChoiceField) and not user_of(request).is_superuser:
            permissions.queryset = Permission.objects.exclude(codename__in=CLINICAL).select_related("content_type")
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_clinical = obj is not None and obj.permissions.filter(codename__in=CLINICAL).exists()
        is_mine = not is_clinical or user_of(request).is_superuser
        return is_mine and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role that people have stays."""
        is_used = obj is not None and obj.user_set.exists()
        return not is_used and super().has_delete_permission(request, obj)


def _without(fields: Any) -> tuple[str, ...]:
    return tuple(name for name in fields if name not in FOR_SUPERUSERS)
