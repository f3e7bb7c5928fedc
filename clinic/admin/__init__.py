"""The set-up screens. ``/admin/`` is for managers; whoever runs the day stands at the desk."""

from clinic.admin import content, people, places, records, services, staff

__all__ = ["content", "people", "places", "records", "services", "staff"]
