"""JSON in: one object of text, yes or no, and lists of text, with no room for two meanings."""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from bookings.api.door import Passing, Problem

Errors = dict[str, list[str]]
JSON = "application/json"
NOT_JSON = "Send one JSON object in UTF-8, each name in it once."
ODD_TEXT = "The body holds characters that are no text."
TOO_MUCH = "That was too much to send."
NEEDED = "This is needed."


def read(request: HttpRequest) -> dict[str, Any]:
    """The object in the body of a request."""
    if request.content_type != JSON:
        raise Passing(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send “Content-Type: {JSON}”.", "not_json")
    try:
        found = json.loads(request.body.decode(), object_pairs_hook=_object, parse_constant=_refuse)
    except RequestDataTooBig:
        raise Passing(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_MUCH, "too_much") from None
    except (ValueError, RecursionError):
        raise Passing(HTTPStatus.BAD_REQUEST, NOT_JSON, "bad_json") from None
    if not isinstance(found, dict):
        raise Passing(HTTPStatus.BAD_REQUEST, NOT_JSON, "bad_json")
    if not all(map(_is_text, _texts(found))):
        raise Passing(HTTPStatus.BAD_REQUEST, ODD_TEXT, "bad_json")
    return found


def invalid(errors: Errors, **more: Any) -> Problem:
    sentence = "Something is missing or cannot be read. Nothing is booked."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, sentence, "invalid", {"errors": errors, **more})


class Fields:
    """Reads an object name by name, and gathers in ``errors`` what is wrong with it. ``path`` leads to the object."""

    def __init__(self, body: Mapping[str, Any], path: str = "", errors: Errors | None = None) -> None:
        self.body, self.path = body, path
        self.errors: Errors = {} if errors is None else errors

    def text(self, name: str, *, is_needed: bool = False) -> str:
        """ "" for what is left out."""
        found: str = self._of(name, str, "Send text.") or ""
        if is_needed and not found and f"{self.path}{name}" not in self.errors:
            self.wrong(name, NEEDED)
        return found

    def flag(self, name: str) -> bool | None:
        found: bool | None = self._of(name, bool, "Send true or false.")
        return found

    def texts(self, name: str) -> list[str]:
        found = self._of(name, list, "Send a list of texts.") or []
        if all(isinstance(each, str) for each in found):
            return found
        self.wrong(name, "Send a list of texts.")
        return []

    def object(self, name: str) -> "Fields | None":
        found = self._of(name, dict, "Send an object.")
        return None if found is None else Fields(found, f"{self.path}{name}.", self.errors)

    def wrong(self, name: str, sentence: str) -> None:
        self.errors.setdefault(f"{self.path}{name}", []).append(sentence)

    def only(self, *names: str) -> None:
        """A name nobody knows may be a slip of the pen: what was meant must not be lost."""
        if not set(names) >= set(self.body):
            self.wrong("other", f"Send nothing but {', '.join(names)}.")

    def _of(self, name: str, kind: type, sentence: str) -> Any:
        """None for what is left out, or of another kind."""
        found = self.body.get(name)
        if found is None or isinstance(found, kind):
            return found
        self.wrong(name, sentence)
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two answers to one question holds is not for us to guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _texts(found: Any) -> Iterator[str]:
    """Every text in it, names included, however deep."""
    left = [found]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            left += [*each, *each.values()]
        elif isinstance(each, list):
            left += each


def _is_text(text: str) -> bool:
    """JSON can name halves of characters, and NUL, which no database stores."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
