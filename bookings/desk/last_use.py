"""The clock of last use, in the session of whoever is signed in."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

LAST_USE = "last_use"


def start(request: HttpRequest, **signal: Any) -> None:
    """Signing in starts the clock."""
    request.session[LAST_USE] = int(timezone.now().timestamp())
