"""One door for staff, and how often it may be tried."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from tests.factories import NOW, make_policy, make_staff

pytestmark = pytest.mark.django_db

URL = "/accounts/login/"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    make_policy()
    make_staff("reception")


def statuses(times: int, *, username: str = "reception", password: str = "wrong", address: str = "") -> list[int]:
    """Each try comes from a browser of its own; without ``address`` each from another place."""
    places = [address or f"192.0.2.{number}" for number in range(times)]
    sent = {"username": username, "password": password}
    return [Client(REMOTE_ADDR=place).post(URL, sent).status_code for place in places]


def test_one_account_is_tried_ten_times_from_wherever() -> None:
    assert statuses(11) == [200] * 10 + [429]
    assert statuses(1, password="correct horse") == [429]
    assert statuses(1, username="other") == [200]


def test_one_address_tries_ten_times_whatever_the_account() -> None:
    answers = [statuses(1, username=f"guess-{number}", address="192.0.2.7")[0] for number in range(11)]

    assert answers == [200] * 10 + [429]
    assert statuses(1, password="correct horse", address="192.0.2.8") == [302]


def test_the_same_name_in_other_letters_is_the_same_account() -> None:
    shapes = ["reception", "RECEPTION", " reception ", "\uff52eception"]

    answers = [status for shape in shapes for status in statuses(3, username=shape)]

    assert answers == [200] * 10 + [429] * 2


def test_the_right_password_is_not_counted() -> None:
    assert statuses(15, password="correct horse", address="192.0.2.7") == [302] * 15
    assert statuses(10, address="192.0.2.7") == [200] * 10


def test_after_ten_minutes_the_door_opens_again(time_machine: Any) -> None:
    statuses(11)

    time_machine.move_to(NOW + dt.timedelta(minutes=10), tick=False)

    assert statuses(1, password="correct horse") == [302]


def test_too_many_tries_say_how_long_to_wait(client: Client) -> None:
    statuses(10)

    answer = client.post(URL, {"username": "reception", "password": "correct horse"})

    assert answer.status_code == 429
    assert answer["Retry-After"] == "600"
    assert "Wait 10 minutes" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_form_without_a_name_counts_for_its_address_only() -> None:
    assert statuses(11, username="") == [200] * 11


@pytest.mark.parametrize("username", ["\x00", "x" * 10_000, "\u202eeno"])
def test_a_name_nobody_has_is_answered_like_a_wrong_password(username: str) -> None:
    assert statuses(1, username=username) == [200]
