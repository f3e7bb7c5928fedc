"""What both addresses share: open to all, never stored, never too many, and every refusal a JSON sentence."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from bookings import access

Answer = Callable[[HttpRequest, dt.datetime], HttpResponse]
MINUTE = 60


class Problem(Exception):
    """Why there is no answer: an HTTP status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = {name.replace("_", "-").title(): value for name, value in headers.items()}

    def answer(self) -> JsonResponse:
        return JsonResponse({"error": str(self)}, status=self.status, headers=self.headers)


def open_to_programs(answer: Answer) -> Callable[[HttpRequest], HttpResponse]:
    """A view that any program, and any page of any site, may read."""

    # Nothing is changed here and no cookie is read, so a POST needs no token to be told that only GET is understood.
    @wraps(answer)
    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        try:
            _refuse(request, now)
            response = answer(request, now)
        except Problem as problem:
            response = problem.answer()
        response["Access-Control-Allow-Origin"] = "*"
        response["Cache-Control"] = "no-store"
        return response

    return view


def _refuse(request: HttpRequest, now: dt.datetime) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET is understood here.", allow="GET, HEAD")
    if _is_too_many(access.client_address(request), now):
        sentence = "Too many requests. Wait a minute and try again."
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, sentence, retry_after=str(MINUTE))


def _is_too_many(address: str, now: dt.datetime) -> bool:
    """Counted in this process only: near enough to keep a runaway program off, and free of the database."""
    key = f"api:{int(now.timestamp()) // MINUTE}:{address}"
    count = cache.get(key, 0) + 1
    cache.set(key, count, 2 * MINUTE)
    return bool(0 < settings.API_CALLS_PER_MINUTE < count)
