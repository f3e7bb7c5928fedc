"""The set-up screens. ``/admin/`` is for managers, and its content for clinicians; the day is run at the desk."""

from clinic.admin import content, people, places, records, screening, services, staff

__all__ = ["content", "people", "places", "records", "screening", "services", "staff"]
