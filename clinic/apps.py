# Django takes every AppConfig named here for a default of this app, so AdminConfig is not imported by name.
from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core import checks

from clinic.checks import site_url_is_public


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "The clinic"
    default_auto_field = "django.db.models.BigAutoField"
    default = True

    def ready(self) -> None:
        checks.register(site_url_is_public, deploy=True)


class SetUpConfig(admin_apps.AdminConfig):
    """Django's admin, in our order."""

    default_site = "clinic.admin_site.ClinicAdminSite"
    default = False
