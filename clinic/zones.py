"""Staff read and type times by the clinic's own clock."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.models import Location

STAFF_PATHS = ("/admin/", "/desk/")


def clinic_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the first location's time zone is the current one on the desk and in the admin."""

    def middleware(request: HttpRequest) -> HttpResponse:
        location = Location.objects.first() if request.path.startswith(STAFF_PATHS) else None
        with timezone.override(location.zone if location else None):
            return get_response(request)

    return middleware
