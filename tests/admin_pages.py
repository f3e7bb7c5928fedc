"""The set-up screens for tests: their addresses, their forms as a browser sends them back, and who edits and signs."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from bookings.management.roles import make_groups
from clinic import content
from clinic.models import Item, Reviewed
from tests.factories import NOW, make_staff

LATER = NOW + dt.timedelta(days=1)
NEXT_REVIEW = dt.date(2027, 11, 23)


def url(model: type[Model], page: str = "changelist", *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def typed(client: Client, address: str) -> dict[str, Any]:
    """What the browser would send back if nobody touched the form."""
    context = client.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    sent: dict[str, Any] = {}
    for form in forms:
        for bound in form:
            name = bound.html_name
            value = bound.value()
            if hasattr(bound.field.widget, "decompress"):
                parts = bound.field.widget.decompress(value)
                sent |= {f"{name}_{index}": str(part) for index, part in enumerate(parts) if part is not None}
            elif value is not None and value is not False:
                sent[name] = value
    return sent


def make_clinician() -> User:
    """Somebody with no more rights than the role has."""
    user = make_staff("clinician", is_superuser=False, first_name="Amara", last_name="Windermoor")
    user.groups.add(make_groups()["clinician"])
    return user


def item(code: str = "WHY-1") -> Item:
    return Item.objects.get(code=code)


def edit(row: Reviewed, **fields: Any) -> None:
    """What an editor does: save, then record the version."""
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    content.record_revision(row, by=None, now=LATER)


def sign_by_hand(row: Reviewed, by: User, next_review_on: dt.date = NEXT_REVIEW) -> None:
    content.sign_off(row, reviewer="Dr Old Hand", registration="NY-9", by=by, now=NOW, next_review_on=next_review_on)
