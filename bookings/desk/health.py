"""For machines that ask whether this server may have traffic."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import outbox


@never_cache
@require_safe
@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, has every migration, and a worker lives; else 503 and what is wrong."""
    try:
        problems = _problems()
    except DatabaseError:
        problems = ["database does not answer"]
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


def _problems() -> list[str]:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return ["migrations are missing"]
    return ["no worker in the last 5 minutes"] if outbox.is_worker_late(timezone.now()) else []
