"""Who signs in. People who leave are closed, not deleted: the history names them for good."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic import audit
from clinic.admin.base import AuditedAdmin, RetiredAdmin, user_of

admin.site.unregister([User, Group])


@admin.register(User)
class StaffAdmin(RetiredAdmin, UserAdmin):
    """A password is never part of an audit row: that it was changed is."""

    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().user_change_password(request, *args, **kwargs)
        if request.method == "POST" and answer.status_code == 302:
            user = self.get_object(request, kwargs["id"])
            assert user is not None, "its password was changed a moment ago"
            audit.record("password changed", user, by=user_of(request), now=timezone.now())
        return answer


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    """What a role may do."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role that people have stays."""
        is_used = obj is not None and obj.user_set.exists()
        return not is_used and super().has_delete_permission(request, obj)
