"""The skin check that stays open when answers keep somebody from a treatment: where there is one, when it is free."""

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from bookings.emails import letters, reviews
from bookings.models import Booking, BookingState
from clinic.models import Service
from tests.desk import book_with, signed_in, words_of
from tests.factories import World, local, make_location, make_practitioner, make_room, make_service, open_weekdays
from tests.online import THURSDAY, answered, details, hold, make_world, starts_on, text_of

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 12, 2, 14, tzinfo=dt.UTC)
FLARE: dict[str, Any] = {"q7": [], "q7_parts": "q7-flare"}
OPEN_TO_YOU = "Open to you without waiting"
CHILD = {
    "for_whom": "child",
    "date_of_birth_year": "2010",
    "guardian_name": "Sam Example",
    "guardian_relation": "mother",
    "guardian_phone": "212 555 0124",
    "guardian_email": "sam@example.org",
}
# As staff write it down.
YOUNG = {
    "adult": "no",
    "act": "book",
    "name": "Robin Example",
    "phone": "212 555 0123",
    "date_of_birth": "2010-03-17",
    "guardian_name": "Mo Example",
    "guardian_relation": "mother",
    "guardian_phone": "212 555 0124",
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2, online_from_age=13)


@pytest.fixture
def consult(world: World) -> Service:
    make_room(world.location, kind="CONS")
    return make_service(
        slug="consult", name="Skin check and plan", short_name="Skin check", room_kind="CONS", groups=[]
    )


def second_house(world: World) -> World:
    """With somebody who works there."""
    house = make_location(slug="second", clinic=world.clinic)
    make_room(house)
    maker = make_practitioner("Ann Lee", slug="ann")
    open_weekdays(house)
    open_weekdays(house, maker)
    return world


def pages_that_offer_it(client: Client) -> list[str]:
    """The times after an answer that a clinician looks at, and the refusal of one that is too soon."""
    answered(client, **FLARE)
    house = {"location": "main"}
    return [text_of(client.get("/book/nose/", house)), text_of(hold(client, local(dt.date(2026, 12, 2), 16), **house))]


def test_a_skin_check_is_offered_in_the_house_that_was_chosen(client: Client, world: World, consult: Service) -> None:
    second_house(world)

    pages = pages_that_offer_it(client)

    assert [OPEN_TO_YOU in page for page in pages] == [True, True]
    assert [">Skin check</a>." in page for page in pages] == [True, True]
    assert ['href="/book/consult/?location=main"' in page for page in pages] == [True, True]
    assert client.get("/book/consult/?location=main").status_code == 200


def test_a_clinic_without_a_skin_check_offers_none(client: Client, world: World, consult: Service) -> None:
    Service.objects.filter(pk=consult.pk).update(retired_on=dt.date(2026, 12, 2))

    pages = pages_that_offer_it(client)

    assert ["A clinician looks at your answers first" in page for page in pages] == [True, True]
    assert ["/book/consult/" in page for page in pages] == [False, False]


def test_a_house_in_which_nobody_does_skin_checks_offers_none(client: Client, world: World, consult: Service) -> None:
    Service.objects.filter(pk=consult.pk).update(grades=["D"])

    assert ["/book/consult/" in page for page in pages_that_offer_it(client)] == [False, False]


def test_a_minor_is_not_told_of_a_skin_check_without_waiting(client: Client, world: World, consult: Service) -> None:
    answered(client)
    hold(client, local(dt.date(2026, 12, 2), 16))
    refused = client.post("/book/details/", details(client, **CHILD))

    assert "A clinician needs to look first" in text_of(refused)
    assert OPEN_TO_YOU not in text_of(refused)


def test_the_skin_check_that_a_minor_is_offered_can_be_booked(client: Client, world: World, consult: Service) -> None:
    answered(client)
    hold(client)
    refused = client.post("/book/details/", details(client, **CHILD, q2="yes", next="check"))
    offered = starts_on(refused)
    client.post("/book/consult/hold/", {"start": offered[0], "practitioner": "any"})
    booked = client.post("/book/details/", details(client, **CHILD))

    assert "The earliest times for a skin check" in text_of(refused)
    assert (len(offered), booked.status_code) == (3, 303)
    booking = Booking.objects.get()
    assert (booking.service, booking.state) == (consult, BookingState.PENDING)
    assert booking.starts_at == dt.datetime.fromisoformat(offered[0])


def declined_letter(world: World, booking: Booking) -> str:
    draft = reviews.decline_draft(booking, reason="Not yet.", now=NOW)
    return letters.write(draft).message.text


def test_the_letter_after_a_no_leads_to_a_skin_check_in_the_same_house(world: World, consult: Service) -> None:
    booking = book_with(second_house(world), local(THURSDAY, 10), now=NOW)

    letter = declined_letter(world, booking)

    assert "Book a skin check" in letter
    assert "/book/consult/?location=main" in letter


@pytest.mark.parametrize("is_retired", [True, False])
def test_the_letter_after_a_no_leads_to_all_visits_without_another_skin_check(
    client: Client, world: World, consult: Service, is_retired: bool
) -> None:
    booking = book_with(world, local(THURSDAY, 10), now=NOW)
    if is_retired:
        Service.objects.filter(pk=consult.pk).update(retired_on=dt.date(2026, 12, 2))
    else:
        booking.service = consult

    letter = declined_letter(world, booking)

    assert "/book/consult/" not in letter
    assert "See our visits" in letter
    assert "Call us, and we look for a way together." in letter
    assert "Phone: 212 555 0100" in letter
    assert client.get("/services/").status_code == 200


def test_the_skin_check_that_staff_offer_for_a_minor_is_free_for_them(world: World, consult: Service) -> None:
    """Today's other times are over before a clinician has looked."""
    desk, today = signed_in("reception"), dt.date(2026, 12, 2)
    at = local(today, 13).isoformat()
    asked = {"service": "nose", "location": "main", "slot": f"{at}|maya"}
    desk.post("/desk/book/", asked)
    said = asked | {"hold": Booking.objects.get().reference, **YOUNG, "q1": "no", "q2": "unsure"}

    refused = desk.post("/desk/book/patient/", said)
    offered = re.findall(r'name="instead" value="([^"|]+)', refused.content.decode())

    assert "Skin check, 30 minutes, is open to them" in words_of(refused)
    assert offered
    assert [each for each in offered if dt.datetime.fromisoformat(each) < local(today, 20)] == []
