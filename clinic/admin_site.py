"""The set-up screens as one site: its own order of things, and one door for all who sign in."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from clinic import checklist, readiness
from clinic.models import Clinic

# In the order in which a clinic is set up.
GROUPS: dict[str, tuple[str, ...]] = {
    "Policy": ("Clinic",),
    "Places": ("Location", "Room", "Equipment"),
    "People": ("Practitioner", "User", "Group"),
    "Hours": ("OpeningHours", "Absence"),
    "Services": ("Service",),
    "Content": ("Topic", "Item", "Wording", "Source"),
    "Screening": ("Question", "Part", "Rule", "HistoryRule"),
    "Programs": ("ApiKey",),
    "Day to day (to look up)": ("Booking", "Patient", "OutgoingEmail", "Task", "BookingEvent"),
    "Records (to look up)": ("Review", "Revision", "AuditEvent"),
}


class ClinicAdminSite(AdminSite):
    site_header = "Clinic set-up"
    site_title = "Clinic set-up"
    index_title = "Set the clinic up"
    enable_nav_sidebar = False

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The index by GROUPS; what no group names comes last. One app's own page stays as Django has it."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = {model["object_name"]: (app, model) for app in apps for model in app["models"]}
        named = {name for names in GROUPS.values() for name in names}
        groups = {**GROUPS, "Other": tuple(sorted(set(models) - named))}
        listed = ((title, [models[name] for name in names if name in models]) for title, names in groups.items())
        return [{**rows[0][0], "name": title, "models": [model for _, model in rows]} for title, rows in listed if rows]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """With what a clinic still lacks before patients find a time, and before online booking may open."""
        clinic = Clinic.objects.first()
        sets_up = request.user.has_perm("clinic.change_clinic")
        checks = {
            "lacks": readiness.lacking(clinic) if clinic else [],
            "missing": checklist.missing(timezone.localdate()) if sets_up else [],
            "is_paused": sets_up and clinic is not None and clinic.is_online_paused,
        }
        return super().index(request, {**checks, **(extra_context or {})})

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one sign-in page, with its limits. Someone signed in without the right gets the 403 page."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        onward = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(onward, reverse("sign_in"))
