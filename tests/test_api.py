"""The two addresses for programs."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from bookings.models import Booking, RateWindow
from clinic.models import Clinic, Grade, PriceKind
from tests.factories import (
    NOW,
    World,
    local,
    make_location,
    make_policy,
    make_practitioner,
    make_service,
    open_weekdays,
)

pytestmark = pytest.mark.django_db
SERVICES, AVAILABILITY = "/api/v1/services", "/api/v1/availability"
TUESDAY = dt.date(2026, 11, 24)
ONE_DAY = {"service": "nose", "from": "2026-11-24", "to": "2026-11-25"}


@pytest.fixture(autouse=True)
def stand_still():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


def ask(client, path: str = AVAILABILITY, **asked: str):
    return client.get(path, asked, secure=True)


def starts(client, **asked: str):
    return ask(client, **{**ONE_DAY, **asked}).json()["starts"]


def test_services_are_described_in_the_clinics_order(client):
    nose = World().service
    free = make_service(
        slug="review", name="Aftercare check", minutes=15, price_kind=PriceKind.FREE, price=0, position=1
    )

    response = ask(client, SERVICES)

    assert response.json() == {
        "services": [
            {
                "id": nose.pk,
                "slug": "nose",
                "name": "Nose and T-zone blackhead extraction",
                "minutes": 30,
                "price": {"kind": "from", "amount": "45.00", "currency": "USD"},
            },
            {
                "id": free.pk,
                "slug": "review",
                "name": "Aftercare check",
                "minutes": 15,
                "price": {"kind": "free", "amount": "0.00", "currency": "USD"},
            },
        ]
    }


def test_a_retired_service_is_not_described_and_not_found(client):
    world = World()
    world.service.retired_on = NOW.date()
    world.service.save()

    assert ask(client, SERVICES).json() == {"services": []}
    assert ask(client, **ONE_DAY).status_code == 404


def test_starts_carry_the_wall_clock_and_offset_of_the_location(client):
    World()

    answer = ask(client, **ONE_DAY).json()

    assert (answer["service"], answer["time_zone"]) == ("nose", "America/New_York")
    assert answer["starts"][0] == {"start": "2026-11-24T09:00:00-05:00", "practitioner": "maya"}
    assert answer["starts"][-1]["start"] == "2026-11-24T16:15:00-05:00"


def test_the_last_day_is_not_part_of_the_range(client):
    World()

    days = {start["start"][:10] for start in starts(client, to="2026-11-26")}

    assert days == {"2026-11-24", "2026-11-25"}


def test_a_booked_start_is_gone(client):
    world = World()
    world.book(local(TUESDAY, 9))

    assert "2026-11-24T09:00:00-05:00" not in {start["start"] for start in starts(client)}
    assert "2026-11-24T10:00:00-05:00" in {start["start"] for start in starts(client)}


@pytest.mark.parametrize("practitioner", ["", "any"])
def test_any_gives_each_start_with_each_practitioner(client, practitioner):
    World(practitioners=2, rooms=2)

    first = [start["practitioner"] for start in starts(client, practitioner=practitioner)[:4]]

    assert sorted(first) == ["maya", "maya", "maya1", "maya1"]


def test_one_practitioner_gives_only_theirs(client):
    World(practitioners=2, rooms=2)

    assert {start["practitioner"] for start in starts(client, practitioner="maya1")} == {"maya1"}


def test_a_practitioner_who_does_not_do_this_service_has_no_starts(client):
    world = World()
    world.service.grades = [Grade.NURSE]
    world.service.save()
    doctor = make_practitioner("Dr Far", slug="far", grade=Grade.DOCTOR)
    open_weekdays(world.location, doctor)

    assert starts(client, practitioner="far") == []


def test_days_that_are_over_or_past_the_horizon_have_no_starts(client):
    World()

    assert starts(client, **{"from": "2001-01-01", "to": "2001-01-05"}) == []
    assert starts(client, **{"from": "9999-12-01", "to": "9999-12-31"}) == []
    assert starts(client, **{"from": "0001-01-01", "to": "0001-01-02"}) == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"service": ""}, 400),
        ({"service": "nothing"}, 404),
        ({"service": "no\0se"}, 404),
        ({"practitioner": "nobody"}, 404),
        ({"practitioner": "\0"}, 404),
        ({"practitioner": "main"}, 404),
        ({"location": "nowhere"}, 404),
        ({"from": ""}, 400),
        ({"from": "tomorrow"}, 400),
        ({"from": "2026-02-30"}, 400),
        ({"from": "2026-W48-1"}, 400),
        ({"from": "２０２６-11-24"}, 400),
        ({"to": "2026-11-24"}, 400),
        ({"to": "2026-11-23"}, 400),
        ({"to": "2027-01-26"}, 400),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(client, asked, status):
    World()

    response = ask(client, **{**ONE_DAY, **asked})

    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert response.json()["error"].endswith(".")


def test_62_days_are_answered(client):
    World()

    assert ask(client, **{**ONE_DAY, "to": "2027-01-25"}).status_code == 200


def test_with_several_locations_one_must_be_named(client):
    world = World()
    world.location.position = 1
    world.location.save()
    make_location(slug="annex", position=2)

    assert ask(client, **ONE_DAY).status_code == 400
    assert "main, annex" in ask(client, **ONE_DAY).json()["error"]
    assert starts(client, location="main") != []
    assert starts(client, location="annex") == []


def test_a_clinic_that_is_not_set_up_says_so(client):
    assert ask(client, **ONE_DAY).status_code == 503
    assert ask(client, SERVICES).json() == {"error": "This clinic is not set up yet."}


def test_a_paused_clinic_offers_nothing_and_says_why(client):
    World(is_online_paused=True, pause_message="We are moving house. Please call us.")

    response = ask(client, **ONE_DAY)

    assert (response.status_code, response.json()) == (503, {"error": "We are moving house. Please call us."})


def test_pages_of_other_sites_may_read_it_and_nobody_stores_it(client):
    World()

    for response in (ask(client, SERVICES), ask(client, **ONE_DAY), ask(client, service="nothing")):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cache-Control"] == "no-store"
        assert response["Content-Type"] == "application/json"


def test_only_reading_is_understood(client):
    World()

    response = client.post(SERVICES, {}, secure=True)

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response.json() == {"error": "Only GET is understood here."}


def test_a_runaway_program_is_told_to_wait_and_others_are_not(client, settings):
    World()
    settings.API_CALLS_PER_MINUTE = 2

    statuses = [ask(client, SERVICES).status_code for _ in range(3)]
    other = client.get(SERVICES, secure=True, REMOTE_ADDR="192.0.2.9")

    assert statuses == [200, 200, 429]
    assert ask(client, SERVICES)["Retry-After"] == "60"
    assert other.status_code == 200


def test_reading_writes_nothing(client):
    world = World()
    world.hold(local(TUESDAY, 9))

    ask(client, **ONE_DAY)
    ask(client, SERVICES)

    assert (Booking.objects.count(), RateWindow.objects.count(), Clinic.objects.count()) == (1, 0, 1)


@pytest.mark.parametrize("practitioners", [1, 20])
def test_a_month_of_any_takes_six_queries_whoever_works(client, practitioners, django_assert_num_queries):
    World(practitioners=practitioners, rooms=practitioners)

    with django_assert_num_queries(6):
        response = ask(client, **{**ONE_DAY, "to": "2026-12-24"})

    assert len(response.json()["starts"]) == practitioners * 22 * 30


@pytest.mark.parametrize("practitioners", [1, 3])
def test_one_practitioner_takes_six_queries_too(client, practitioners, django_assert_num_queries):
    World(practitioners=practitioners, rooms=practitioners)

    with django_assert_num_queries(6):
        ask(client, practitioner="maya", **ONE_DAY)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_only_get_is_understood_and_said_so_in_json(method):
    make_policy()
    make_location()
    answer = getattr(Client(enforce_csrf_checks=True), method)("/api/v1/services")

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer.json() == {"error": "Only GET is understood here."}
