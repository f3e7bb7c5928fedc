"""A program that books for people, over the test client: one key, JSON, and a new idempotency key for each request."""

import itertools
import json
from typing import Any

from django.test import Client

from bookings.models import ApiKey
from tests.factories import NOW, World
from tests.online import TEN, make_world

_numbers = itertools.count(1)
NOTHING = {f"Q{number}": {"answer": "no"} for number in range(1, 13)}
SAID: dict[str, Any] = {
    "name": "Robin Example",
    "email": "robin@example.org",
    "phone": "212 555 0123",
    "date_of_birth": "1990-03-17",
    "guidance_read": True,
    "consent": True,
    "answers": NOTHING,
    "last_extraction": "no",
}


def open_world(**asked: Any) -> World:
    """A small demo clinic, whose content needs no signature."""
    return make_world(**{"is_demo": True, **asked})


def a_yes(code: str, **said: Any) -> dict[str, Any]:
    """All answers no, but for one."""
    return {**NOTHING, code: {"answer": "yes", **said}}


class Program:
    def __init__(self, name: str = "Wellness app") -> None:
        self.key, self.words = ApiKey.objects.make(name, now=NOW)
        self.client = Client(enforce_csrf_checks=True)

    def post(self, what: str, body: Any, *, once: str = "", **headers: str) -> Any:
        sent = body if isinstance(body, (str, bytes)) else json.dumps(body)
        named = {"Authorization": f"Bearer {self.words}", "Idempotency-Key": once or f"request-{next(_numbers)}"}
        return self.client.post(f"/api/v1/{what}", sent, content_type="application/json", headers={**named, **headers})

    def hold(self, *, once: str = "", **asked: Any) -> Any:
        return self.post("holds", {"service": "nose", "start": TEN.isoformat(), **asked}, once=once)

    def book(self, hold: str = "", *, once: str = "", **said: Any) -> Any:
        """Book ``hold``, or a time that is held for this."""
        hold = hold or self.hold().json()["hold"]
        return self.post("bookings", {"hold": hold, **SAID, **said}, once=once)
