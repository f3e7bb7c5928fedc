"""Whoever booked is asked whether they want support to stop picking; a press shows the advice, and nothing is kept."""

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking
from bookings.models.event import Actor
from clinic.models import Item, Wording
from tests.factories import NOW, World
from tests.online import book, make_world, text_of

pytestmark = pytest.mark.django_db

ASKED = "Would you like support to stop picking?"
ANSWER = "You are not alone, and there is help. Tell us or your doctor."


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


def thanks(client: Client) -> str:
    return text_of(client.get("/book/done/"))


def test_the_question_stands_on_the_thank_you_page_and_unfolds_the_advice(client: Client, world: World) -> None:
    book(client)

    offered = thanks(client).split("<details>")[1].split("</details>")[0]

    assert f'<summary data-wording="stop-picking">{ASKED}</summary>' in offered
    assert 'data-item="WHY-7"' in offered
    assert ANSWER in offered


def test_it_is_never_on_the_way_to_a_booking(client: Client, world: World) -> None:
    pages = [client.get(path) for path in ("/book/nose/check/", "/book/nose/", "/book/details/")]

    assert [ASKED in text_of(page) for page in pages] == [False] * 3


def test_advice_that_nobody_signed_is_neither_asked_about_nor_shown(client: Client, world: World) -> None:
    Item.objects.filter(code="WHY-7").update(signed_version=None)
    book(client)

    assert ASKED not in thanks(client)


def test_without_the_question_there_is_no_answer(client: Client, world: World) -> None:
    Wording.objects.filter(code="stop-picking").delete()
    book(client)

    assert ANSWER not in thanks(client)


def test_a_visit_that_was_called_off_offers_nothing(client: Client, world: World) -> None:
    book(client)
    lifecycle.cancel(Booking.objects.get(), reason="", by=Actor.PATIENT, now=NOW)

    assert ASKED not in thanks(client)
