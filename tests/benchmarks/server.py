"""The clinic's own site with two plain views beside it: what every ratio is measured against.

``gunicorn tests.benchmarks.server`` serves it, with the settings of the site itself.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.contrib.auth.decorators import login_not_required  # noqa: E402 - models exist only from here on
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

from clinic import urls  # noqa: E402
from clinic.models import AuditEvent  # noqa: E402


@login_not_required
def bare(request: HttpRequest) -> JsonResponse:
    """The least a Django view can do: a small JSON answer, no database."""
    return JsonResponse({"starts": []})


@csrf_exempt
@login_not_required
def insert(request: HttpRequest) -> JsonResponse:
    """The least a booking could cost: one row."""
    AuditEvent.objects.create(at=timezone.now(), act="insert", kind="benchmark", key="1")
    return JsonResponse({})


urls.urlpatterns += [path("benchmark/bare", bare), path("benchmark/insert", insert)]
