"""A patient's browser for tests: follows the forms of the pages, over the test client."""

import datetime as dt
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from tests.factories import World, load_signed_content, local

THURSDAY = dt.date(2026, 12, 10)
TEN = local(THURSDAY, 10)
# "No" to everything that is asked before a time is held, and to the rest.
SKIN_NO = {**{f"q{number}": "no" for number in (1, 2, 3, 5, 6, 7, 8)}, "last_extraction": "no"}
DETAILS_NO = {f"q{number}": "no" for number in (4, 9, 10, 11, 12)}
SAID = {
    **DETAILS_NO,
    "name": "Robin Example",
    "email": "robin@example.org",
    "phone": "212 555 0123",
    "date_of_birth_day": "17",
    "date_of_birth_month": "March",
    "date_of_birth_year": "1990",
    "guidance_read": "on",
    "consent": "on",
}


def make_world(**asked: Any) -> World:
    """A small clinic with the real content."""
    load_signed_content()
    return World(**asked)


class Form(dict[str, str]):
    """The fields of one form as a browser would send them; ``action`` is where to."""

    action = ""
    form_id = ""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.buttons: list[tuple[str, str]] = []
        self.headings = 0
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.headings += tag == "h1"
        if tag == "form":
            self._open = Form()
            self._open.action, self._open.form_id = found.get("action", ""), found.get("id", "")
            self.forms.append(self._open)
        elif tag == "input" and self._open is not None and found.get("name"):
            self._take(found)
        elif tag == "button" and found.get("name"):
            self.buttons.append((found["name"], found.get("value", "")))

    def _take(self, found: dict[str, str]) -> None:
        assert self._open is not None
        is_ticked = found.get("type") in {"radio", "checkbox"}
        if not is_ticked or "checked" in found:
            self._open[found["name"]] = found.get("value", "on" if is_ticked else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def text_of(response: Any) -> str:
    """The page's words, spaces folded, as a person reads them."""
    return " ".join(response.content.decode().split())


def parsed(response: Any) -> _Forms:
    parser = _Forms()
    parser.feed(response.content.decode())
    return parser


def form_of(response: Any, form_id: str = "details-form") -> Form:
    return next(form for form in parsed(response).forms if form.form_id == form_id)


def starts_on(response: Any) -> list[str]:
    """The values of the page's time buttons."""
    return [value for name, value in parsed(response).buttons if name == "start"]


def hold(client: Client, start: dt.datetime = TEN, **asked: str) -> Any:
    return client.post("/book/nose/hold/", {"start": start.isoformat(), "practitioner": "any", **asked})


def answered(client: Client, answer: str = "no", **said: Any) -> Any:
    """Say how the skin is today: "no" to everything, but ``answer`` to Q1 and what ``said`` names."""
    return client.post("/book/nose/check/", {**SKIN_NO, "q1": answer, **said})


def details(client: Client, **said: str) -> dict[str, str]:
    """What the details form would send for the time that is held."""
    return {**form_of(client.get("/book/details/")), **SAID, **said}


def book(client: Client, start: dt.datetime = TEN, **said: str) -> Any:
    """The whole way, as quickly as a client that follows forms can go."""
    answered(client)
    hold(client, start)
    return client.post("/book/details/", details(client, **said))
