"""Every address is closed unless its view says that it is open: the whole table of addresses is walked."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern

from tests.factories import make_policy

pytestmark = pytest.mark.django_db

# What anybody may open. Everything else asks who you are first.
OPEN = {
    "",
    "services/",
    "services/<slug:slug>/",
    "guidance/",
    "guidance/<slug:code>/",
    "spot/",
    "spot/<slug:code>/",
    "squeezed/",
    "privacy/",
    "display/",
    "healthz",
    "readyz",
    "accounts/login/",
    "accounts/logout/",
    "admin/login/",
    "demo/role/",
    "api/v1/availability",
    "api/v1/bookings",
    "api/v1/holds",
    "api/v1/questions",
    "api/v1/services",
    "book/<slug:slug>/",
    "book/<slug:slug>/call/",
    "book/<slug:slug>/check/",
    "book/<slug:slug>/hold/",
    "book/details/",
    "book/details/extend/",
    "book/details/release/",
    "book/done/",
    "book/done/calendar.ics",
    "book/done/clear/",
    "book/done/email/",
    "book/done/message/",
    "guardian/",
    "guardian/<str:token>/",
    "guardian/agree/",
    "guardian/refuse/",
    "visit/",
    "visit/<str:token>/",
    "visit/ask/",
    "visit/calendar.ics",
    "visit/call/",
    "visit/cancel/",
    "visit/check-in/",
    "visit/consult/",
    "visit/help/",
    "visit/longer/",
    "visit/move/",
    "visit/recheck/",
    "visit/squeezed/",
    "visit/squeezed/thanks/",
    "visit/worse/",
}
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


def test_only_the_listed_views_say_that_they_are_open() -> None:
    open_views = {route for route, pattern in ALL.items() if not getattr(pattern.callback, "login_required", True)}

    assert open_views == {route for route in ALL if is_open(route)}
