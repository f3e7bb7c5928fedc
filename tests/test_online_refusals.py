"""When a time is taken, a hold is gone, or a person should phone: kind pages, and nothing typed is lost."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, Patient
from bookings.online import doors
from tests.factories import NOW, World, local, make_practitioner, make_room, make_service, open_weekdays
from tests.online import (
    TEN,
    THURSDAY,
    answered,
    book,
    details,
    form_of,
    hold,
    make_world,
    parsed,
    starts_on,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


def test_a_time_just_taken_offers_the_nearest(client: Client, world: World) -> None:
    world.book(TEN)

    refused = hold(client)

    assert refused.status_code == 409
    words = text_of(refused)
    assert "That time has just been taken" in words
    assert "Someone booked 10am a moment ago." in words
    assert len(starts_on(refused)) == 3
    assert parsed(refused).headings == 1
    assert client.post("/book/nose/hold/", {"start": starts_on(refused)[0], "practitioner": "any"}).status_code == 303


def test_a_refused_hold_keeps_the_earlier_one(client: Client, world: World) -> None:
    world.book(local(THURSDAY, 11))
    hold(client)

    refused = hold(client, local(THURSDAY, 11))

    assert refused.status_code == 409
    assert Booking.objects.get(state=BookingState.HELD).starts_at == TEN


def test_a_time_not_on_offer_says_why(client: Client, world: World) -> None:
    past = hold(client, NOW - dt.timedelta(hours=1))
    soon = hold(client, NOW + dt.timedelta(hours=1))
    far = hold(client, NOW + dt.timedelta(days=200))
    night = hold(client, local(THURSDAY, 3))
    off_grid = hold(client, TEN + dt.timedelta(minutes=7))

    assert [page.status_code for page in (past, soon, far, night, off_grid)] == [422] * 5
    assert "It is in the past." in text_of(past)
    assert "It starts too soon to book online." in text_of(soon)
    assert "It is too far ahead." in text_of(far)
    assert "Nobody works then." in text_of(night)
    assert "No visit starts then." in text_of(off_grid)
    assert Booking.objects.count() == 0


def test_a_hold_that_ran_out_is_booked_while_nobody_took_it(client: Client, world: World, clock) -> None:
    answered(client)
    hold(client)
    form = details(client)
    clock.move_to(NOW + dt.timedelta(minutes=50))

    booked = client.post("/book/details/", form)

    assert booked.status_code == 303
    assert Booking.objects.get().state == BookingState.CONFIRMED


def test_a_hold_that_ran_out_is_held_again_by_the_next_step(client: Client, world: World, clock) -> None:
    answered(client)
    hold(client)
    form = details(client)
    clock.move_to(NOW + dt.timedelta(minutes=25))

    page = client.post("/book/details/", {**form, "next": "check"})

    assert "We are holding it again until 9:45am today." in text_of(page)
    assert Booking.objects.get().expires_at == NOW + dt.timedelta(minutes=45)


def test_a_hold_that_was_swept_is_taken_again_before_anything_is_booked(client: Client, world: World, clock) -> None:
    answered(client)
    hold(client)
    form = details(client)
    clock.move_to(NOW + dt.timedelta(hours=3))
    lifecycle.sweep(NOW + dt.timedelta(hours=3))

    check = client.post("/book/details/", form)
    booked = client.post("/book/details/", form_of(check))

    assert check.status_code == 200
    assert "Your hold ran out, but the time was still free." in text_of(check)
    assert booked.status_code == 303
    assert Booking.objects.get().state == BookingState.CONFIRMED


def test_a_hold_that_somebody_took_offers_the_nearest_and_keeps_the_form(client: Client, world: World, clock) -> None:
    answered(client)
    hold(client)
    form = details(client, wishes="A quiet room")
    later = NOW + dt.timedelta(minutes=25)
    clock.move_to(later)
    world.book(TEN, now=later)

    gone = client.post("/book/details/", form)

    assert gone.status_code == 410
    words = text_of(gone)
    assert "Your hold ran out" in words
    assert "Someone else has taken 10am. We kept your answers." in words
    client.post("/book/nose/hold/", {"start": starts_on(gone)[0], "practitioner": "any"})
    kept = form_of(client.get("/book/details/"))
    assert (kept["name"], kept["date_of_birth_month"]) == ("Robin Example", "March")
    assert "A quiet room" in text_of(client.get("/book/details/"))


def test_a_swept_hold_says_so_on_the_details(client: Client, world: World, clock) -> None:
    hold(client)
    client.post("/book/details/extend/", details(client))
    clock.move_to(NOW + dt.timedelta(hours=4))
    lifecycle.sweep(NOW + dt.timedelta(hours=4))

    page = client.get("/book/details/")

    assert page.status_code == 410
    assert "10am is still free. Choose it again." in text_of(page)
    assert starts_on(page)[0] == "2026-12-10T10:00:00-05:00"


def test_someone_elses_hold_is_no_hold_of_mine(client: Client, world: World) -> None:
    other = Client()
    hold(other)
    answered(client)

    taken = client.post("/book/details/", details(other))

    assert taken.status_code == 410
    assert Booking.objects.get().state == BookingState.HELD
    assert Patient.objects.count() == 0


def test_two_tabs_each_keep_their_own_time(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    first_tab = details(client)
    hold(client, local(THURSDAY, 11))
    second_tab = details(client)

    check = client.post("/book/details/", {**first_tab, "next": "check"})
    booked = client.post("/book/details/", second_tab)

    assert "10am" in text_of(check)
    assert booked.status_code == 303
    assert Booking.objects.get(state=BookingState.CONFIRMED).starts_at == local(THURSDAY, 11)
    assert Booking.objects.get(state=BookingState.HELD).starts_at == TEN


def test_a_second_click_books_once_and_thanks_twice(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    form = details(client)

    first, second = client.post("/book/details/", form), client.post("/book/details/", form)

    assert [first.headers["Location"], second.headers["Location"]] == ["/book/done/"] * 2
    assert (Booking.objects.count(), Patient.objects.count()) == (1, 1)
    assert Booking.objects.get().emails.filter(kind="confirmed").count() == 1


def test_under_18_is_asked_to_phone(client: Client, world: World) -> None:
    answered(client)
    hold(client)

    refused = client.post("/book/details/", details(client, date_of_birth_year="2010", next="check"))
    straight = client.post("/book/details/", details(client, date_of_birth_year="2010"))

    assert [refused.status_code, straight.status_code] == [422, 422]
    assert "For anyone under 18 we book by phone, together with a parent or guardian." in text_of(refused)
    assert Booking.objects.get().state == BookingState.HELD


def test_a_service_may_be_for_some_ages_only(client: Client, world: World) -> None:
    world.service.minimum_age = 50
    world.service.save()
    answered(client)
    hold(client)

    refused = client.post("/book/details/", details(client))

    assert refused.status_code == 422
    assert "is for people aged 50 or older on the day." in text_of(refused)


def test_too_many_tries_are_told_to_wait(client: Client, world: World) -> None:
    hold(client)
    codes = {hold(client, NOW).status_code for _ in range(60)}

    assert codes == {422}
    assert hold(client).status_code == 429


def test_nobody_empties_a_diary_from_one_address(client: Client, world: World) -> None:
    def kept(number: int, address: str) -> int:
        start = local(THURSDAY + dt.timedelta(days=number // 10), 9) + dt.timedelta(minutes=45 * (number % 10))
        fields = {"start": start.isoformat(), "practitioner": "any"}
        return Client(REMOTE_ADDR=address).post("/book/nose/hold/", fields).status_code

    weekdays = [number for number in range(140) if (THURSDAY + dt.timedelta(days=number // 10)).weekday() < 5]
    codes = [kept(number, "203.0.113.9") for number in weekdays[: doors.HOLDS_PER_ADDRESS + 1]]

    assert codes == [303] * doors.HOLDS_PER_ADDRESS + [429]
    assert kept(weekdays[-1], "203.0.113.10") == 303


def test_losing_a_race_is_no_offence(client: Client, world: World) -> None:
    world.book(TEN)
    fields = {"start": TEN.isoformat(), "practitioner": "any"}

    codes = {Client(REMOTE_ADDR="203.0.113.9").post("/book/nose/hold/", fields).status_code for _ in range(100)}

    assert codes == {409}


def test_another_person_is_offered_when_one_is_full(client: Client, world: World) -> None:
    full = make_practitioner("Tomas Berg", slug="tomas")
    open_weekdays(world.location, full)
    for hours in full.opening_hours.all():
        hours.delete()
    open_weekdays(world.location, full, days=1, opens=9, closes=10)
    for each in full.opening_hours.all():
        each.valid_until = dt.date(2026, 11, 1)
        each.save()

    page = client.get("/book/nose/?practitioner=tomas")

    assert "Tomas is fully booked. Someone else may be free sooner." in text_of(page)


def test_any_books_somebody_who_is_free(client: Client) -> None:
    world = make_world(practitioners=2, rooms=2)
    world.book(TEN, practitioner=world.practitioners[0])

    book(client)

    assert Booking.objects.filter(starts_at=TEN, practitioner=world.practitioners[1]).count() == 1


def test_who_does_not_do_it_cannot_be_asked_for(client: Client, world: World) -> None:
    doctor_only = make_service(slug="consult", name="Skin consultation", grades=["D"], room_kind="CONS")
    make_room(world.location, kind="CONS")

    refused = client.post(f"/book/{doctor_only.slug}/hold/", {"start": TEN.isoformat(), "practitioner": "maya"})

    assert refused.status_code == 404
