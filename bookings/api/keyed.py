"""A POST by a program: who asks, what for, and once only."""

from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from bookings.api import bodies, idempotency, keys
from bookings.api.door import Problem, Reply, View, refuse_other_methods
from bookings.api.idempotency import Act, Call


def with_a_key(act: Act) -> View:
    """A view that does ``act`` for programs with a key, and for nobody else."""

    # The key alone says who asks: no session is read and no cookie set, so a forged form has nothing to use.
    @wraps(act)
    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        try:
            response = _done(request, act)
        except Problem as problem:
            response = _json(problem.reply(), problem.headers)
        response["Cache-Control"] = "no-store"
        return response

    return view


def _done(request: HttpRequest, act: Act) -> JsonResponse:
    now = timezone.now()
    refuse_other_methods(request, "POST")
    caller = keys.asking(request, now)
    name, body = idempotency.name_of(request), bodies.read(request)
    reply = idempotency.once(Call(caller, body, now), name, idempotency.fingerprint_of(request), act)
    return _json(reply)


def _json(reply: Reply, headers: dict[str, str] | None = None) -> JsonResponse:
    """The names in order, so that an answer given again is the same to the letter; PostgreSQL keeps its own order."""
    return JsonResponse(reply.body, status=reply.status, headers=headers, json_dumps_params={"sort_keys": True})
