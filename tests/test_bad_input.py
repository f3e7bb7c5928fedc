"""What nobody types, but somebody sends: a clear page, and nothing is written."""

import pytest
import time_machine
from django.test import Client

from bookings.models import Booking, Patient
from tests.factories import NOW, World
from tests.online import TEN, answered, details, form_of, hold, make_world, parsed, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def world() -> World:
    return make_world()


@pytest.mark.parametrize(
    "start",
    [
        "",
        "soon",
        "2026-12-10T10:00:00",
        "2026-12-10",
        "2026-02-30T10:00:00-05:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-12-10T10:00:30-05:00",
        "2026-12-10T10:00:00.5-05:00",
        "2026-12-10T10:00:00+05:00",
        "2027-03-14T02:30:00-05:00",
        "2026-12-10T10:00:00-05:00\0",
        "1" * 5000,
        "\u202e2026-12-10T10:00:00-05:00",
        "[]",
    ],
)
def test_a_start_that_is_none_is_refused_with_the_nearest(client: Client, start: str) -> None:
    refused = client.post("/book/nose/hold/", {"start": start, "practitioner": "any"})

    assert refused.status_code == 422
    assert "That time is not on offer" in text_of(refused)
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("practitioner", ["nobody", "\0", "x" * 5000, "1", "ANY", "שלום"])
def test_an_unknown_practitioner_is_not_found(client: Client, practitioner: str) -> None:
    posted = client.post("/book/nose/hold/", {"start": TEN.isoformat(), "practitioner": practitioner})
    looked = client.get("/book/nose/", {"practitioner": practitioner})

    assert [posted.status_code, looked.status_code] == [404, 404]
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("path", ["/book/tattoo/", "/book/tattoo/check/", "/book/tattoo/call/"])
def test_an_unknown_service_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post("/book/tattoo/hold/", {"start": TEN.isoformat()}).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "date=tomorrow",
        "date=0001-01-01",
        "date=9999-12-31",
        "month=9999-12",
        "month=%00",
        "date=%00",
        "month=2026-13",
        "view=%00&date[]=1",
        "date=2026-12-10T10:00",
    ],
)
def test_odd_dates_show_the_first_month(client: Client, query: str) -> None:
    page = client.get(f"/book/nose/?{query}")

    assert page.status_code == 200
    assert "November 2026" in text_of(page)


@pytest.mark.parametrize(
    "field",
    ["name", "email", "phone", "date_of_birth", "wishes", "hold", "service", "practitioner", "location", "q1", "start"],
)
def test_odd_text_never_breaks_the_details(client: Client, field: str) -> None:
    answered(client)
    hold(client)
    form = details(client)

    for value in ("\0", "x" * 20_000, "\u202egnissap", "١٢٣", "{{ 7 }}<script>"):
        page = client.post("/book/details/", {**form, "next": "check", field: value})

        assert page.status_code in {200, 404, 410, 422}
        assert parsed(page).headings == 1
        assert "}}<script>" not in text_of(page)
        assert client.get("/book/details/").status_code == 200
    assert Patient.objects.count() == 0


@pytest.mark.parametrize("said", [{"guidance_read": ""}, {"consent": ""}, {"email": ""}, {"for_whom": "a dog"}])
def test_an_incomplete_form_books_nothing_and_keeps_the_rest(client: Client, said: dict[str, str]) -> None:
    answered(client)
    hold(client)

    refused = client.post("/book/details/", details(client, **said))

    assert refused.status_code == 422
    assert "There is a problem" in text_of(refused)
    assert form_of(refused)["name"] == "Robin Example"
    assert Patient.objects.count() == 0


@pytest.mark.parametrize("path", ["/book/nose/hold/", "/book/details/", "/book/nose/check/", "/book/nose/call/"])
def test_a_body_of_megabytes_is_refused(client: Client, path: str) -> None:
    answer = client.post(path, {"start": "x" * 10_000_000})

    assert answer.status_code == 413
    assert "That was too much to send" in text_of(answer)
    assert Booking.objects.count() == 0


@pytest.mark.parametrize(
    "path",
    [
        "/book/nose/check/",
        "/book/nose/hold/",
        "/book/nose/call/",
        "/book/details/",
        "/book/details/extend/",
        "/book/details/release/",
        "/book/done/email/",
        "/book/done/clear/",
        "/visit/move/",
        "/visit/cancel/",
        "/visit/call/",
    ],
)
def test_a_post_without_the_csrf_token_is_refused(path: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(path, {"start": TEN.isoformat(), "practitioner": "any"})

    assert answer.status_code == 403
    assert parsed(answer).headings == 1
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("path", ["/book/nose/hold/", "/book/details/extend/", "/book/details/release/"])
def test_what_acts_refuses_a_get(client: Client, path: str) -> None:
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/book/details/", "/book/details/extend/"])
def test_a_post_without_any_hold_is_gone(client: Client, path: str) -> None:
    answer = client.post(path, {})

    assert answer.status_code == 410
    assert "We are not holding a time for you" in text_of(answer)


@pytest.mark.parametrize("path", ["/visit/move/", "/visit/cancel/", "/visit/call/", "/book/done/email/"])
def test_a_post_without_a_visit_is_gone(client: Client, path: str) -> None:
    assert client.post(path, {"start": TEN.isoformat()}).status_code == 410


def test_giving_back_nothing_is_harmless(client: Client) -> None:
    assert client.post("/book/details/release/", {"hold": "\0"}).status_code == 303
