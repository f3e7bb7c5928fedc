"""What every address for programs shares: never stored, never too many, and every refusal a JSON sentence."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from bookings import access
from bookings.models import Booking

Answer = Callable[[HttpRequest, dt.datetime], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]
MINUTE = 60


@dataclasses.dataclass(frozen=True)
class Reply:
    """What a POST led to. One that tells of somebody's health is handed over and not kept."""

    status: int
    body: Mapping[str, Any]
    booking: Booking | None = None
    is_kept: bool = True


class Problem(Exception):
    """Why there is no answer: an HTTP status, a word for programs and a sentence for people, and what helps on."""

    # Whether the same request gets the same answer later.
    is_final = True
    tells_of_health = False

    def __init__(
        self, status: HTTPStatus, sentence: str, code: str = "", more: Mapping[str, Any] | None = None, **headers: str
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.more = status, code, more or {}
        self.headers = {name.replace("_", "-").title(): value for name, value in headers.items()}

    def answer(self) -> JsonResponse:
        """To a GET, whose status says enough."""
        return JsonResponse({"error": str(self)}, status=self.status, headers=self.headers)

    def reply(self) -> Reply:
        body = {"code": self.code, "error": str(self), **self.more}
        return Reply(self.status, body, is_kept=not self.tells_of_health)


class Passing(Problem):
    """It may be otherwise in a minute: nothing was done, and nothing is remembered."""

    is_final = False


def open_to_programs(answer: Answer) -> View:
    """A view that any program, and any page of any site, may read."""

    # Nothing is changed here and no cookie is read, so a POST needs no token to be told that only GET is understood.
    @wraps(answer)
    @csrf_exempt
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        try:
            refuse_other_methods(request, "GET", "HEAD")
            refuse_too_many(access.client_address(request), now)
            response = answer(request, now)
        except Problem as problem:
            response = problem.answer()
        response["Access-Control-Allow-Origin"] = "*"
        response["Cache-Control"] = "no-store"
        return response

    return view


def refuse_other_methods(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        sentence = f"Only {methods[0]} is understood here."
        raise Passing(HTTPStatus.METHOD_NOT_ALLOWED, sentence, "method_not_allowed", allow=", ".join(methods))


def refuse_too_many(address: str, now: dt.datetime) -> None:
    """Counted in this process only: near enough to keep a runaway program off, and free of the database."""
    key = f"api:{int(now.timestamp()) // MINUTE}:{address}"
    count = cache.get(key, 0) + 1
    cache.set(key, count, 2 * MINUTE)
    if 0 < settings.API_CALLS_PER_MINUTE < count:
        raise too_many()


def too_many(sentence: str = "Too many requests. Wait a minute and try again.", seconds: int = MINUTE) -> Problem:
    return Passing(HTTPStatus.TOO_MANY_REQUESTS, sentence, "too_many", retry_after=str(seconds))
