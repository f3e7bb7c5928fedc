# Django takes every AppConfig named here for a default of this app, so AdminConfig is not imported by name.
from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "The clinic"
    default_auto_field = "django.db.models.BigAutoField"
    default = True


class SetUpConfig(admin_apps.AdminConfig):
    """Django's admin, in our order."""

    default_site = "clinic.admin_site.ClinicAdminSite"
    default = False
