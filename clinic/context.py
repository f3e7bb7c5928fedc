"""What every page shows: the clinic, its numbers, the theme, and the demo bar."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic import guidance
from clinic.models import Clinic

THEMES = ("light", "dark")
DEMO_ROLES = ("patient", "receptionist", "practitioner", "clinician", "manager")


def clinic(request: HttpRequest) -> dict[str, Any]:
    """Template context for all pages; lazy, so that an answer without a page asks nothing of the database."""
    found = SimpleLazyObject(Clinic.objects.first)
    theme = request.COOKIES.get("theme", "")
    return {
        "clinic": found,
        "theme": theme if theme in THEMES else "",
        "red_flags": SimpleLazyObject(lambda: guidance.red_flags(cast("Clinic", found)) if found else []),
        "demo_roles": DEMO_ROLES,
    }
