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

from clinic import audit, content
from clinic.models import Service, Source


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


class NamesServices(forms.ModelForm):
    """A slip in the code of a service would hide advice, or switch a rule off: only known codes are added."""

    service_fields: tuple[str, ...] = ("applies_to",)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        for name in self.service_fields:
            added = set(said.get(name) or []) - set(self.initial.get(name) or [])
            if unknown := sorted(added - known_codes()):
                self.add_error(name, f"No service or group is called {', '.join(unknown)}.")
        return said


class NamesSources(forms.ModelForm):
    """Evidence names its sources by code; what it names is linked."""

    def clean_evidence(self) -> Any:
        evidence = self.cleaned_data["evidence"]
        named = set(content.codes_in(evidence))
        if unknown := sorted(named - set(Source.objects.filter(code__in=named).values_list("code", flat=True))):
            raise forms.ValidationError(f"There is no source {', '.join(unknown)}. Add it under Sources first.")
        return evidence


def known_codes() -> set[str]:
    """Every name by which a text or rule may mean a service."""
    return {"ALL"}.union(*(service.codes for service in Service.objects.all()))


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
