"""What all set-up screens share: every save is audited, and what is referenced is retired, never deleted."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from clinic import audit


class AuditedAdmin(admin.ModelAdmin):
    """Writes one audit row for each save, with what the changed fields said before and after.

    The admin saves inside one transaction, so that the row is there exactly when the change is.
    """

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        detail = changes(form)
        for formset in formsets:
            rows = [_inline_change(formset, each) for each in formset.forms if each.has_changed()]
            if rows:
                detail[str(formset.model._meta.verbose_name_plural)] = rows
        if detail or not change:
            act = "changed" if change else "added"
            audit.record(act, form.instance, by=user_of(request), now=timezone.now(), **detail)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        audit.record("deleted", obj, by=user_of(request), now=timezone.now(), was=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


class RetiredAdmin(AuditedAdmin):
    """For what bookings point at: a date retires it, nothing deletes it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlainSelects(admin.TabularInline):
    """Rows of a table choose from what is there; things are added and changed on their own screens."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        wrapper = getattr(field, "widget", None)
        if isinstance(wrapper, RelatedFieldWidgetWrapper):
            wrapper.can_add_related = wrapper.can_change_related = wrapper.can_view_related = False
        return field


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look things up. Rows are written by the program alone."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Ticks(forms.TypedMultipleChoiceField):
    """A JSON list of codes as tick boxes."""

    widget = forms.CheckboxSelectMultiple


class Lines(forms.CharField):
    """A JSON list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 5, "cols": 80})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the admin lets nobody else in"
    return request.user


def changes(form: Any) -> dict[str, Any]:
    """Field by field what was and what is, in plain JSON; what was typed as a password is left out."""
    told = [name for name in form.changed_data if not isinstance(form.fields[name].widget, forms.PasswordInput)]
    return {name: [_plain(form.initial.get(name)), _plain(form.cleaned_data.get(name))] for name in told}


def _inline_change(formset: Any, form: Any) -> dict[str, Any]:
    is_removed = form in formset.deleted_forms
    return {"row": str(form.instance), "removed": True} if is_removed else {"row": str(form.instance), **changes(form)}


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, (list, tuple, QuerySet)):
        return [_plain(each) for each in value]
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder, default=str))
