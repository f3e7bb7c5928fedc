"""The set-up screens. ``/admin/`` is for managers; whoever runs the day stands at the desk."""

from django.contrib import admin

from clinic.admin import content, people, places, records, services

__all__ = ["content", "people", "places", "records", "services"]

admin.site.site_header = "Clinic set-up"
admin.site.site_title = "Clinic set-up"
admin.site.index_title = "Set the clinic up"
admin.site.enable_nav_sidebar = False
