"""Somebody wants calm skin on a day: wherever a time is chosen for them, redness that could still show is told."""

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bookings.models import Booking
from clinic.models import Item, Service
from tests.desk import DIABETES, book_with, page_of, signed_in, words_of
from tests.factories import NOW, World, local
from tests.online import THURSDAY, make_world, starts_on, text_of
from tests.programs import Program, open_world
from tests.visits import follow_link

pytestmark = pytest.mark.django_db

# Redness may show for three days: a visit from Thursday 17 December on is too close to it.
EVENT = dt.date(2026, 12, 20)
TOO_CLOSE = local(dt.date(2026, 12, 18), 10)
TOLD = "Redness could still show on Sunday 20 December"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2)


def booked(world: World, start: dt.datetime = TOO_CLOSE, event: dt.date | None = EVENT) -> Booking:
    return book_with(world, start, event_on=event)


def nearest_on(response) -> set[dt.date]:
    """The days of the first three buttons, which are the nearest times."""
    return {dt.datetime.fromisoformat(start).date() for start in starts_on(response)[:3]}


def test_the_page_that_moves_a_visit_says_which_days_are_too_close_and_offers_better_ones(
    client: Client, world: World
) -> None:
    follow_link(client, booked(world))

    page = client.get("/visit/move/")

    assert f"<strong>{TOLD}.</strong>" in text_of(page)
    assert 'data-item="DAY-5"' in text_of(page)
    assert "Choose a time before Thursday 17 December, or after your event." in text_of(page)
    assert nearest_on(page) == {dt.date(2026, 12, 16)}


def test_a_visit_that_is_early_enough_is_not_said_to_show_redness(client: Client, world: World) -> None:
    follow_link(client, booked(world, local(THURSDAY, 10)))

    page = text_of(client.get("/visit/move/"))

    assert "Redness" not in page
    assert "You want calm skin on Sunday 20 December." in page
    assert "Choose a time before Thursday 17 December, or after your event." in page


def test_close_to_the_event_only_times_after_it_are_better(client: Client, world: World, clock) -> None:
    booking = booked(world, local(dt.date(2026, 12, 23), 10))
    clock.move_to(local(dt.date(2026, 12, 17), 9), tick=False)
    follow_link(client, booking)

    page = client.get("/visit/move/")

    assert "Choose a time after your event." in text_of(page)
    assert min(nearest_on(page)) > EVENT


@pytest.mark.parametrize(("day", "is_told"), [(16, False), (17, True), (18, True), (21, False)])
def test_who_moves_too_close_to_it_all_the_same_reads_it_once_more(
    client: Client, world: World, day: int, is_told: bool
) -> None:
    booking = booked(world, local(THURSDAY, 10))
    follow_link(client, booking)

    start = local(dt.date(2026, 12, day), 11)
    moved = client.post("/visit/move/", {"start": start.isoformat(), "practitioner": "any"}, follow=True)

    booking.refresh_from_db()
    assert booking.starts_at == start
    assert (f"Your visit has moved. We have sent you the new time. {TOLD}." in text_of(moved)) is is_told


def test_without_an_event_to_come_nothing_is_said(client: Client, world: World) -> None:
    for event in (None, dt.date(2026, 11, 22)):
        follow_link(client, booked(world, local(THURSDAY, 10 if event else 14), event))
        assert "Redness" not in text_of(client.get("/visit/move/"))


def test_a_visit_that_leaves_the_skin_alone_spoils_no_event(client: Client, world: World) -> None:
    Service.objects.update(groups=[])
    follow_link(client, booked(world))

    assert "Redness" not in text_of(client.get("/visit/move/"))


def test_where_no_better_time_is_left_the_nearest_are_shown_all_the_same(client: Client, world: World) -> None:
    world.clinic.event_gap_days = 365
    world.clinic.save()
    follow_link(client, booked(world, event=dt.date(2027, 6, 1)))

    assert len(nearest_on(client.get("/visit/move/"))) == 1


def test_staff_who_move_it_read_which_days_are_too_close(world: World) -> None:
    booking, desk = booked(world, local(THURSDAY, 10)), signed_in("reception")

    page = words_of(desk.get(page_of(booking, "move")))

    assert f"{TOLD}. Better before Thursday 17 December, or after it." in page


@pytest.mark.parametrize(("day", "is_told"), [(16, False), (18, True)])
def test_the_review_of_a_move_says_when_the_new_day_is_too_close(world: World, day: int, is_told: bool) -> None:
    booking, desk = booked(world, local(THURSDAY, 10)), signed_in("reception")
    query = {"start": local(dt.date(2026, 12, day), 10).isoformat(), "practitioner": "maya"}

    page = words_of(desk.get(reverse("desk:place", args=[booking.reference]), query))

    assert "Move Robin" in page
    assert (TOLD in page) is is_told


@pytest.mark.parametrize(("start", "is_told"), [(TOO_CLOSE, True), (local(THURSDAY, 10), False)])
def test_the_booking_and_the_review_say_whether_it_is_too_close_as_it_stands(
    world: World, start: dt.datetime, is_told: bool
) -> None:
    booking = book_with(world, start, DIABETES, event_on=EVENT)
    clinician = signed_in("clinician")

    pages = [words_of(clinician.get(address)) for address in (page_of(booking), "/desk/review/")]

    assert ["Wants calm skin" in page for page in pages] == [True, is_told]
    assert [f"{TOLD}." in page for page in pages] == [is_told, is_told]


@pytest.mark.parametrize(("event", "is_told"), [("2026-12-12", True), ("2026-12-20", False)])
def test_a_program_is_told_to_tell(event: str, is_told: bool) -> None:
    open_world()

    answer = Program().book(event_date=event)

    told = f"Redness could still show on Saturday 12 December. {Item.objects.get(code='DAY-5').text}"
    assert answer.status_code == 201
    assert answer.json().get("redness") == (told if is_told else None)
