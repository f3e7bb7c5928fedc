"""What every page shows: the clinic, its numbers, the theme, and the demo bar."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic import guidance, readiness
from clinic.guidance import Advice
from clinic.models import Clinic, Wording

THEMES = ("light", "dark")
DEMO_ROLES = ("patient", "receptionist", "practitioner", "clinician", "manager")


def clinic(request: HttpRequest) -> dict[str, Any]:
    """Template context for all pages; lazy, so that an answer without a page asks nothing of the database."""
    found = SimpleLazyObject(Clinic.objects.first)
    is_open = SimpleLazyObject(lambda: bool(found) and readiness.is_open_for_booking(cast("Clinic", found)))
    theme = request.COOKIES.get("theme", "")
    red_flags = SimpleLazyObject(lambda: guidance.red_flags(cast("Clinic", found)) if found else [])
    disclaimer = SimpleLazyObject(lambda: _short_disclaimer(cast("Clinic", found)) if found else [])
    return {
        "clinic": found,
        "theme": theme if theme in THEMES else "",
        "red_flags": red_flags,
        "short_disclaimer": disclaimer,
        "footer_is_draft": SimpleLazyObject(lambda: guidance.is_draft([*red_flags, *disclaimer])),
        "is_booking_open": is_open,
        "demo_roles": DEMO_ROLES,
    }


def _short_disclaimer(clinic: Clinic) -> list[Advice]:
    """One, or none before the content is loaded, when a page must still render."""
    try:
        return [guidance.wording("disclaimer-short", clinic)]
    except Wording.DoesNotExist:
        return []
