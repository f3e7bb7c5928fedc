"""Every address is closed unless its view says that it is open: the whole table of addresses is walked."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern

from tests.factories import make_policy
from tests.role_table import lines

pytestmark = pytest.mark.django_db

# What anybody may open, as the table of roles says. Everything else asks who you are first.
OPEN = {line.address.removeprefix("/") for line in lines() if line.words["anonymous"] in {"open", "key"}}
EXAMPLES = {"int": "1", "slug": "x", "str": "x", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}


def addresses(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        else:
            yield route, pattern


ALL = dict(addresses(get_resolver()))


def is_open(route: str) -> bool:
    return route in OPEN


def example(route: str, pattern: URLPattern) -> str:
    """The route with something in each of its places."""
    assert isinstance(pattern.pattern, RoutePattern) or route.startswith("admin/")
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        route = route.replace(f"<{kind}:{name}>", EXAMPLES[kind]).replace(f"<{name}>", "x")
    return "/" + route


CLOSED = sorted(route for route in ALL if not is_open(route) and "(?P" not in route)


def test_the_walk_meets_the_desk_and_the_admin() -> None:
    assert {"desk/", "desk/bookings/<str:reference>/cancel/", "desk/mail/<int:pk>/"} <= set(CLOSED)
    assert sum(route.startswith("admin/") for route in CLOSED) > 50


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_comes_in_without_signing_in(client: Client, method: str) -> None:
    make_policy(is_demo=True)
    doors = (reverse("sign_in"), reverse("admin:login"))

    answers = {route: getattr(client, method)(example(route, ALL[route])) for route in CLOSED}

    let_in = {
        route: answer.status_code
        for route, answer in answers.items()
        if answer.status_code != 302 or not answer["Location"].startswith(doors)
    }
    assert let_in == {}
