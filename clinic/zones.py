"""Staff read and type times by the clinic's own clock."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.models import Clinic, Location

STAFF_PATHS = ("/admin/", "/desk/")
POLICY = "clinic.policy"


def clinic_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the first location's time zone is the current one on the desk and in the admin."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_staffs = request.path.startswith(STAFF_PATHS)
        location = Location.objects.select_related("clinic").first() if is_staffs else None
        if location:
            request.META[POLICY] = location.clinic
        with timezone.override(location.zone if location else None):
            return get_response(request)

    return middleware


def policy_of(request: HttpRequest) -> Clinic | None:
    """The clinic's policy, asked for once a request; None before a clinic is set up."""
    if POLICY not in request.META:
        request.META[POLICY] = Clinic.objects.first()
    found: Clinic | None = request.META[POLICY]
    return found
