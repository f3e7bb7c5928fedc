"""Programs that ask many times at once, and servers that die: never twice, never half."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from bookings import integrity
from bookings.models import Booking, BookingState, Claim, IdempotencyKey, OutgoingEmail, Patient, ScreeningRun
from clinic import content
from tests.api_killed import DIED
from tests.factories import World, local
from tests.processes import start
from tests.programs import SAID, Program
from tests.racing import half_written, overlaps, race, winners

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 50


@pytest.fixture(autouse=True)
def world():
    cache.clear()
    content.load(now=timezone.now())
    return World(is_demo=True)


@pytest.fixture
def program() -> Program:
    return Program()


def next_thursday() -> dt.datetime:
    """Some days ahead, by the real clock: another process has no other."""
    today = timezone.now().date()
    return local(today + dt.timedelta(days=(3 - today.weekday()) % 7 + 7), 10)


def wanted(**asked: Any) -> dict[str, Any]:
    return {"service": "nose", "start": next_thursday().isoformat(), **asked}


def asking(program: Program, what: str, body: dict[str, Any], once: str) -> Callable[[], Any]:
    """One more connection of the same program."""

    def act() -> Any:
        headers = {"Authorization": f"Bearer {program.words}", "Idempotency-Key": once}
        return Client().post(f"/api/v1/{what}", json.dumps(body), content_type="application/json", headers=headers)

    return act


def is_sound() -> bool:
    return overlaps() == [] and half_written() == [] and not any(integrity.counts(timezone.now()).values())


def test_fifty_times_the_same_hold_is_one_hold(program):
    answers = winners(race(*[asking(program, "holds", wanted(), "one")] * AT_ONCE))

    assert Counter(answer.status_code for answer in answers) == {201: AT_ONCE}
    assert len({answer.content for answer in answers}) == 1
    assert (Booking.objects.count(), IdempotencyKey.objects.count()) == (1, 1)
    assert is_sound()


def test_fifty_times_the_same_booking_is_one_booking(program):
    hold = program.post("holds", wanted()).json()["hold"]

    answers = winners(race(*[asking(program, "bookings", {**SAID, "hold": hold}, "one")] * AT_ONCE))

    assert Counter(answer.status_code for answer in answers) == {201: AT_ONCE}
    assert len({answer.content for answer in answers}) == 1
    assert Booking.objects.filter(state=BookingState.CONFIRMED).count() == Booking.objects.count() == 1
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1
    assert (Patient.objects.count(), ScreeningRun.objects.count()) == (1, 1)
    assert is_sound()


def test_many_requests_for_one_start_get_one_hold_and_kind_refusals(program):
    answers = winners(race(*(asking(program, "holds", wanted(), f"racer-{n}") for n in range(12))))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {each["code"] for each in refused} == {"slot_taken"}
    assert all(len(each["times"]) == 3 for each in refused)
    assert is_sound()


def test_one_hold_under_many_keys_is_booked_once(program):
    hold = program.post("holds", wanted()).json()["hold"]

    answers = winners(race(*(asking(program, "bookings", {**SAID, "hold": hold}, f"racer-{n}") for n in range(12))))

    assert Counter(answer.status_code for answer in answers) == {201: 12}
    assert len({answer.json()["reference"] for answer in answers}) == 1
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1
    assert ScreeningRun.objects.count() == 1
    assert is_sound()


def test_a_warning_sign_beside_the_booking_itself_leaves_no_live_visit(program):
    hold = program.post("holds", wanted()).json()["hold"]
    well = {**SAID, "hold": hold}
    ill = {**SAID, "hold": hold, "answers": {"Q1": "yes"}}

    answers = winners(race(*(asking(program, "bookings", body, f"{n}") for n, body in enumerate([well, ill] * 5))))

    assert {answer.json()["code"] for answer in answers[1::2]} == {"help"}
    assert {answer.status_code for answer in answers[::2]} <= {201, 410}
    assert not Booking.objects.exclude(state=BookingState.SUSPENDED).exists()
    assert Claim.objects.count() == 0
    assert is_sound()


def die(program: Program, what: str, body: dict[str, Any]) -> None:
    process = start("tests.api_killed", what, program.words, json.dumps(body))
    said, errors = process.communicate(timeout=60)
    assert process.returncode == DIED, said + errors


def test_a_server_that_dies_while_holding_leaves_nothing_and_the_same_request_holds(program):
    die(program, "holds", wanted())
    after = (Booking.objects.count(), Claim.objects.count(), IdempotencyKey.objects.count())

    answer = program.post("holds", wanted(), once="one")

    assert after == (0, 0, 0)
    assert answer.status_code == 201
    assert Booking.objects.count() == 1


def test_a_server_that_dies_while_booking_leaves_the_hold_and_the_same_request_books(program):
    body = {**SAID, "hold": program.post("holds", wanted()).json()["hold"]}
    die(program, "bookings", body)
    after = (Booking.objects.get().state, OutgoingEmail.objects.count(), ScreeningRun.objects.count())

    answer = program.post("bookings", body, once="one")

    assert after == (BookingState.HELD, 0, 0)
    assert answer.status_code == 201
    assert Booking.objects.get().state == BookingState.CONFIRMED
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1
    assert is_sound()
