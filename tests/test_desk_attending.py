"""The day of the visit at the desk: arrived, in the room, closed or missed; and the guardian of a young patient."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, Consent, Guardian, OutgoingEmail, Task, TaskKind
from clinic.models import Clinic, Service
from tests.desk import MONDAY, book_with, page_of, posted, signed_in, words_of
from tests.factories import NOW, World, local, make_staff
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
BORN = dt.date(2010, 5, 1)
MOTHER = lifecycle.GuardianDetails(name="Mo Kay", relation="mother", phone="+12125550124", email="mo@example.org")


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2)
    Service.objects.update(body_areas=["nose", "chin"])
    Clinic.objects.update(online_from_age=13)
    return found


@pytest.fixture
def booking(world: World) -> Booking:
    return book_with(world, TEN, name="Sam Kay", now=NOW)


@pytest.fixture
def child(world: World) -> Booking:
    """Approved, and the mother has not agreed yet."""
    asked = book_with(world, TEN, name="Sam Kay", date_of_birth=BORN, guardian=MOTHER)
    boss = signed_in("clinician")
    boss.post(page_of(asked, "approve"), {"reason": "Light extraction only"})
    return Booking.objects.get(pk=asked.pk)


@pytest.fixture(autouse=True)
def at_ten(time_machine: Any, request: Any) -> Any:
    """Every visit is booked a week before; then it is its time."""
    time_machine.move_to(NOW, tick=False)
    for name in {"booking", "child"} & set(request.fixturenames):
        request.getfixturevalue(name)
    time_machine.move_to(TEN, tick=False)
    return time_machine


@pytest.fixture
def reception() -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


def filled(html: str) -> list[str]:
    """What the filled buttons of a page's acts say."""
    acts = html.partition('<div class="acts">')[2].partition("</div>")[0]
    pieces = [piece.partition("<")[0] for piece in acts.split('class="btn"')[1:]]
    return [piece.partition(">")[2].strip() for piece in pieces]


def test_the_next_act_is_the_one_filled_button(reception: Client, booking: Booking) -> None:
    def next_acts() -> list[str]:
        return filled(reception.get(page_of(booking)).content.decode())

    seen = [next_acts()]
    for act in ("arrive", "enter_room"):
        assert reception.post(page_of(booking, act)).status_code == 302
        seen.append(next_acts())
    reception.post(page_of(booking, "close"), {"outcome": "treated", "areas": ["nose"]})
    seen.append(next_acts())

    assert seen == [["Mark arrived"], ["In room"], ["Close the visit"], []]
    booking.refresh_from_db()
    assert (booking.state, booking.outcome, booking.treated_areas) == (BookingState.COMPLETED, "treated", ["nose"])
    said = words_of(reception.get(page_of(booking)))
    assert "Closed Treated: nose, Monday 30 November, 10am" in said
    for line in ("Arrived by Rae Desk", "In room by Rae Desk", "Completed by Rae Desk"):
        assert line in said


def test_before_its_day_a_visit_moves_and_nobody_arrives(reception: Client, booking: Booking, at_ten: Any) -> None:
    at_ten.move_to(NOW, tick=False)

    html = signed_in("reception").get(page_of(booking)).content.decode()

    assert filled(html) == ["Move this visit"]
    assert "Mark arrived" not in html
    assert "No-show" not in html


def test_no_show_waits_for_the_start_and_is_asked_twice(reception: Client, booking: Booking, at_ten: Any) -> None:
    at_ten.move_to(TEN - dt.timedelta(minutes=1), tick=False)
    assert reception.post(page_of(booking, "miss")).status_code == 409
    at_ten.move_to(TEN + dt.timedelta(minutes=15), tick=False)
    assert "No-show" in words_of(reception.get(page_of(booking)))
    assert "Sam K. did not come?" in words_of(reception.get(page_of(booking, "miss")))

    reception.post(page_of(booking, "miss"))

    booking.refresh_from_db()
    assert booking.state == BookingState.MISSED
    assert "Missed by Rae Desk" in words_of(reception.get(page_of(booking)))


# Closing


def test_the_areas_of_the_service_are_ticked_already(reception: Client, booking: Booking) -> None:
    html = reception.get(page_of(booking, "close")).content.decode()

    assert html.count("checked") == 2
    assert 'name="outcome"' in html


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "Select how the visit ended"),
        ({"outcome": "healed"}, "Select how the visit ended"),
        ({"outcome": "treated"}, "Tick the areas that were treated"),
        ({"outcome": "treated", "areas": ["back"]}, "Tick areas from the list"),
    ],
)
def test_closing_asks_how_it_ended_and_what_was_treated(
    reception: Client, booking: Booking, said: dict[str, Any], problem: str
) -> None:
    response = reception.post(page_of(booking, "close"), said)

    assert response.status_code == 422
    assert problem in words_of(response)
    assert Booking.objects.get(pk=booking.pk).state == BookingState.CONFIRMED


@pytest.mark.parametrize("outcome", ["not_treated", "referred"])
def test_who_was_not_treated_has_no_treated_areas(reception: Client, booking: Booking, outcome: str) -> None:
    reception.post(page_of(booking, "close"), {"outcome": outcome, "areas": ["nose", "chin"]})

    booking.refresh_from_db()
    assert (booking.outcome, booking.treated_areas) == (outcome, [])


def test_a_service_for_no_area_asks_for_none(reception: Client, booking: Booking) -> None:
    Service.objects.update(body_areas=[])

    assert "Which areas" not in words_of(reception.get(page_of(booking, "close")))
    reception.post(page_of(booking, "close"), {"outcome": "treated"})
    assert Booking.objects.get(pk=booking.pk).state == BookingState.COMPLETED


def test_closing_before_the_start_is_refused_kindly(reception: Client, booking: Booking, at_ten: Any) -> None:
    at_ten.move_to(TEN - dt.timedelta(minutes=5), tick=False)

    response = reception.post(page_of(booking, "close"), {"outcome": "not_treated"})

    assert response.status_code == 409
    assert "This visit has not started yet." in words_of(response)


def test_a_refused_closing_helps_and_keeps_what_was_ticked(world: World, reception: Client, at_ten: Any) -> None:
    at_ten.move_to(NOW, tick=False)
    booking = book_with(world, TEN)
    Consent.objects.filter(booking=booking).delete()
    at_ten.move_to(TEN, tick=False)
    ticked = {"outcome": "treated", "areas": "nose"}

    refused = reception.post(page_of(booking, "close"), ticked)
    assert (refused.status_code, refused.context["form"].data["areas"]) == (409, "nose")
    assert "There is a problem Nobody has written down that the advice was read." in words_of(refused)
    assert 'name="close_with" value="outcome=treated&amp;areas=nose"' in refused.content.decode()
    said = {"way": "spoken", "close_with": "outcome=treated&areas=nose"}
    read = reception.post(page_of(booking, "guidance_read"), said)
    again = reception.get(read["Location"])

    assert read["Location"].startswith(page_of(booking, "close"))
    form = again.context["form"]
    assert (form["outcome"].value(), form["areas"].value()) == ("treated", ["nose"])
    assert reception.post(page_of(booking, "close"), ticked).status_code == 302


TREATED = {"outcome": "treated", "areas": "nose"}


def closing(booking: Booking) -> str:
    return f"{page_of(booking, 'close')}?outcome=treated&areas=nose"


def test_a_closing_waits_for_the_questions_as_it_was_ticked(world: World, reception: Client, at_ten: Any) -> None:
    at_ten.move_to(NOW, tick=False)
    booking = book_with(world, TEN, without=("Q4",))
    at_ten.move_to(TEN, tick=False)
    ask = f"{page_of(booking, 'ask')}?close_with=outcome%3Dtreated%26areas%3Dnose"

    refused = reception.post(page_of(booking, "close"), TREATED).content.decode()
    answered = reception.post(ask, posted(reception.get(ask).context["form"]))

    assert f'href="{ask}"' in refused
    assert answered["Location"] == closing(booking)


def test_a_closing_waits_for_the_guardian_as_it_was_ticked(reception: Client, child: Booking) -> None:
    ask = page_of(child, "ask")
    reception.post(ask, posted(reception.get(ask).context["form"]))

    refused = reception.post(page_of(child, "close"), TREATED).content.decode()
    agreed = reception.post(page_of(child, "guardian_agreed"), {"close_with": "outcome=treated&areas=nose"})

    assert 'name="close_with" value="outcome=treated&amp;areas=nose"' in refused
    assert agreed["Location"] == closing(child)


# The questions and the guardian come first


def test_open_questions_come_before_the_room(world: World, reception: Client, at_ten: Any) -> None:
    at_ten.move_to(NOW, tick=False)
    booking = world.book(TEN)
    at_ten.move_to(TEN, tick=False)

    refused = reception.post(page_of(booking, "enter_room"))

    assert refused.status_code == 409
    assert "The health questions are not answered yet." in words_of(refused)
    assert page_of(booking, "ask") in refused.content.decode()
    practitioner = signed_in("practitioner")
    assert page_of(booking, "ask") in practitioner.post(page_of(booking, "enter_room")).content.decode()
    form = practitioner.get(page_of(booking, "ask")).context["form"]
    practitioner.post(page_of(booking, "ask"), posted(form))
    assert practitioner.post(page_of(booking, "enter_room")).status_code == 302
    assert Booking.objects.get(pk=booking.pk).state == BookingState.IN_ROOM


def test_nobody_treats_a_minor_before_the_guardian_agrees(reception: Client, child: Booking) -> None:
    refused = reception.post(page_of(child, "enter_room"))
    assert refused.status_code == 409
    assert "The parent or guardian has not agreed yet." in words_of(refused)
    assert "Mo Kay agrees, here" in words_of(refused)
    assert "⚑ Not yet. Nobody is treated before." in words_of(reception.get(page_of(child)))

    for _ in range(2):
        assert reception.post(page_of(child, "guardian_agreed")).status_code == 302

    said = words_of(reception.get(page_of(child)))
    assert "Mo Kay, mother" in said
    assert "Monday 30 November, 10am, here, heard by Rae Desk" in said
    assert said.count("Guardian agreed by Rae Desk") == 1
    assert reception.post(page_of(child, "enter_room")).status_code == 302


def test_a_minor_without_a_guardian_gets_one_at_the_desk(reception: Client, child: Booking) -> None:
    Guardian.objects.all().delete()
    assert "Nobody is named." in words_of(reception.get(page_of(child)))
    assert page_of(child, "guardian") in reception.post(page_of(child, "enter_room")).content.decode()
    mails = OutgoingEmail.objects.filter(booking=child, kind="guardian")
    before = mails.count()

    wrong = reception.post(page_of(child, "guardian"), {"name": "Mo  Kay", "relation": "mother", "phone": "12"})
    assert (wrong.status_code, "Mo  Kay" in wrong.content.decode()) == (422, True)
    said = {"name": "Mo  Kay", "relation": "mother", "phone": "212 555 0124", "email": ""}
    reception.post(page_of(child, "guardian"), said)

    guardian = Guardian.objects.get()
    assert (guardian.name, guardian.phone, guardian.gets_mail) == ("Mo Kay", "+12125550124", False)
    assert mails.count() == before
    assert "Guardian named by Rae Desk" in words_of(reception.get(page_of(child)))


def test_a_named_guardian_with_an_address_gets_their_own_link(reception: Client, child: Booking) -> None:
    Guardian.objects.all().delete()
    OutgoingEmail.objects.filter(kind="guardian").delete()
    said = {"name": "Mo Kay", "relation": "mother", "phone": "212 555 0124", "email": "mo@example.org"}

    for _ in range(2):
        reception.post(page_of(child, "guardian"), said)

    [letter] = OutgoingEmail.objects.filter(kind="guardian")
    assert "mo@example.org" in letter.recipient


def test_nobody_agrees_for_a_visit_without_a_guardian_or_that_is_off(reception: Client, booking: Booking) -> None:
    assert reception.post(page_of(booking, "guardian_agreed")).status_code == 404
    lifecycle.suspend(booking, by=make_staff(), now=NOW)
    said = {"name": "Mo Kay", "relation": "mother", "phone": "212 555 0124", "email": ""}
    assert reception.post(page_of(booking, "guardian"), said).status_code == 409


# Tasks


def test_urgent_tasks_come_first_with_their_clock_and_their_booking(reception: Client, booking: Booking) -> None:
    Task.objects.create(kind=TaskKind.CALL_BACK, name="Caller", created_at=TEN, due_at=TEN + dt.timedelta(minutes=20))
    lifecycle.worse(booking, day=3, by=make_staff(), now=TEN)

    said = words_of(reception.get("/desk/tasks/"))

    assert "Urgent Skin got worse after the visit: Sam Kay" in said
    assert "Day 3. By midday, 2 hours left" in said
    assert said.index("Sam Kay") < said.index("Caller")
    assert "By 10:20am, 20 minutes left" in said
    assert page_of(booking) in reception.get("/desk/tasks/").content.decode()
    assert "2 tasks, 1 urgent" in words_of(reception.get("/desk/"))


@pytest.mark.parametrize("act", ["arrive", "enter_room", "miss"])
def test_a_refusal_leads_back_to_my_day_for_whoever_came_from_there(
    booking: Booking, reception: Client, act: str
) -> None:
    Booking.objects.update(state=BookingState.CANCELLED, cancelled_at=NOW)

    from_there = reception.post(page_of(booking, act), {"then": "my_day"})
    from_here = reception.post(page_of(booking, act))

    assert (from_there.status_code, from_here.status_code) == (409, 409)
    assert "Back to my day" in words_of(from_there)
    assert "Back to my day" not in words_of(from_here)
