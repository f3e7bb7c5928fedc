"""Who asks: a program, by the key it sends with each request. No cookie and no session counts here."""

import datetime as dt
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest

from bookings import access, limits
from bookings.api.door import Passing, refuse_too_many, too_many
from bookings.models import ApiKey

SCHEME = "bearer"
WINDOW = dt.timedelta(minutes=1)
UNKNOWN = "Send a key of this clinic: “Authorization: Bearer …”."
REVOKED = "This key was revoked. Ask the clinic for a new one."


def asking(request: HttpRequest, now: dt.datetime) -> ApiKey:
    """The key behind a request that may go on. Whoever sends wrong ones is slowed down by address."""
    key = ApiKey.objects.of(_sent(request))
    if key is None:
        refuse_too_many(access.client_address(request), now)
        raise Passing(HTTPStatus.UNAUTHORIZED, UNKNOWN, "unauthorized", www_authenticate="Bearer")
    if key.is_revoked:
        raise Passing(HTTPStatus.FORBIDDEN, REVOKED, "revoked")
    limit = settings.API_CALLS_PER_MINUTE
    if limit and not limits.allow("api calls", str(key.pk), limit=limit, window=WINDOW, now=now):
        raise too_many()
    return key


def _sent(request: HttpRequest) -> str:
    scheme, _, words = request.headers.get("Authorization", "").partition(" ")
    return words.strip() if scheme.lower() == SCHEME else request.headers.get("X-Api-Key", "")
