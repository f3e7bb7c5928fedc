"""Who the visit is for is asked first: earlier visits of one person neither close nor open another one's days."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings.models import Booking, BookingState, Guardian, Outcome, Patient, Task, TaskKind
from clinic.models import Service
from tests.course import treat
from tests.factories import NOW, World, local
from tests.online import (
    SKIN_NO,
    TEN,
    answered,
    details,
    form_of,
    hold,
    make_world,
    text_of,
)
from tests.visits import follow_link, open_as_own_browser

pytestmark = pytest.mark.django_db

AFTERWARDS = TEN + dt.timedelta(days=1)
NEXT_WEEK = local(dt.date(2026, 12, 17), 10)
GAP = "Skin needs about four weeks"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(AFTERWARDS, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    world = make_world()
    Service.objects.update(body_areas=["nose"])
    return world


@pytest.fixture
def treated(world: World) -> Booking:
    """A visit of yesterday; its mailed link is at hand."""
    return treat(world.book(TEN, now=NOW), outcome=Outcome.TREATED)


def test_it_is_asked_before_any_question_about_the_skin(client: Client, world: World) -> None:
    page = text_of(client.get("/book/nose/check/"))

    assert page.index("Who is the visit for?") < page.index('name="q1"')
    assert form_of(client.get("/book/nose/check/"), "questions-form")["for_whom"] == "me"


def test_what_was_said_first_stands_on_the_details(client: Client, world: World) -> None:
    answered(client, for_whom="child")
    hold(client, NEXT_WEEK)

    assert form_of(client.get("/book/details/"))["for_whom"] == "child"
    assert form_of(client.get("/book/nose/check/"), "questions-form")["for_whom"] == "child"


def test_nobody_else_is_it_for(client: Client, world: World) -> None:
    refused = answered(client, for_whom="a dog")

    assert refused.status_code == 422
    assert "Select who the visit is for" in text_of(refused)


@pytest.mark.parametrize(("whom", "is_closed"), [("me", True), ("child", False), ("someone", False)])
def test_ones_own_history_closes_ones_own_days_alone(
    client: Client, treated: Booking, whom: str, is_closed: bool
) -> None:
    follow_link(client, treated)
    client.post("/book/nose/check/", {**SKIN_NO, "for_whom": whom})

    times, held = client.get("/book/nose/?date=2026-12-17"), hold(client, NEXT_WEEK)

    assert (GAP in text_of(times)) is is_closed
    assert held.status_code == (422 if is_closed else 303)


def test_opened_directly_by_a_link_the_way_out_is_named(client: Client, treated: Booking) -> None:
    follow_link(client, treated)

    times = text_of(client.get("/book/nose/"))

    assert GAP in times
    assert 'For somebody else? <a href="/book/nose/check/">Say who the visit is for</a>.' in times


def test_who_is_known_is_asked_of_earlier_visits_of_the_child(client: Client, treated: Booking) -> None:
    follow_link(client, treated)
    asks = 'name="last_extraction_date_day"'
    assert asks not in text_of(client.get("/book/nose/check/"))

    client.post("/book/nose/check/", {**SKIN_NO, "for_whom": "child"})
    hold(client, NEXT_WEEK)

    assert asks in text_of(client.get("/book/details/"))
    assert asks in text_of(client.get("/book/nose/check/"))


def test_a_guardian_with_the_childs_link_books_for_themselves(client: Client, world: World) -> None:
    treated = treat(world.book(TEN, now=NOW), outcome=Outcome.TREATED)
    Booking.objects.update(is_for_someone_else=True)
    follow_link(client, treated)
    client.post("/book/nose/check/", {**SKIN_NO, "for_whom": "me"})

    assert GAP not in text_of(client.get("/book/nose/"))
    assert hold(client, NEXT_WEEK).status_code == 303


def test_a_time_for_another_person_is_not_closed_by_the_history_of_who_came_by_a_link(
    client: Client, treated: Booking
) -> None:
    follow_link(client, treated)

    held = hold(client, NEXT_WEEK, another="1")

    assert (held.status_code, held.headers["Location"]) == (303, "/book/details/")
    form = form_of(client.get("/book/details/"))
    assert (form["for_whom"], "last_extraction_date_day" in form) == ("someone", True)


def test_whose_birth_date_nobody_wrote_down_is_known_by_their_link_and_name(client: Client, treated: Booking) -> None:
    """Booked by phone, say. Asked for another person at first, the visit turns out to be their own."""
    Patient.objects.update(date_of_birth=None)
    follow_link(client, treated)
    client.post("/book/nose/check/", {**SKIN_NO, "for_whom": "child"})
    hold(client, NEXT_WEEK)
    own = {"for_whom": "me", "name": treated.patient.name, "email": treated.patient.email}

    refused = client.post("/book/details/", details(client, **own))

    assert (refused.status_code, GAP in text_of(refused)) == (422, True)
    assert not Booking.objects.filter(state=BookingState.CONFIRMED).exists()


# ---- a warning sign, said by somebody with a visit to come


@pytest.fixture
def upcoming(world: World, clock) -> Booking:
    return world.book(NEXT_WEEK, now=AFTERWARDS)


def test_a_warning_sign_of_who_came_by_their_own_link_suspends_the_visit(client: Client, upcoming: Booking) -> None:
    follow_link(client, upcoming)

    stopped = answered(client, "yes")

    upcoming.refresh_from_db()
    assert "Get medical help first" in text_of(stopped)
    assert "Your visit on Thursday 17 December, 10am is off. There is nothing to pay." in text_of(stopped)
    assert "Nothing is booked" not in text_of(stopped)
    assert upcoming.state == BookingState.SUSPENDED
    assert upcoming.claims.count() == 0
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).is_urgent
    assert upcoming.emails.filter(kind="suspended").count() == 1


def test_so_does_one_on_the_details(client: Client, upcoming: Booking) -> None:
    follow_link(client, upcoming)
    answered(client)
    hold(client, local(dt.date(2026, 12, 18), 10))

    client.post("/book/details/", details(client, q1="yes"))

    assert [each.state for each in Booking.objects.all()] == [BookingState.SUSPENDED]


@pytest.mark.parametrize("whom", ["child", "someone"])
def test_a_warning_sign_of_somebody_else_leaves_the_visit_to_a_person(
    client: Client, upcoming: Booking, whom: str
) -> None:
    follow_link(client, upcoming)
    answered(client)
    hold(client, local(dt.date(2026, 12, 18), 10))

    client.post("/book/details/", details(client, q1="yes", for_whom=whom))

    upcoming.refresh_from_db()
    assert upcoming.state == BookingState.CONFIRMED
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).booking == upcoming


def test_so_does_a_name_of_somebody_else(client: Client, upcoming: Booking) -> None:
    follow_link(client, upcoming)
    answered(client)
    hold(client, local(dt.date(2026, 12, 18), 10))

    stopped = client.post("/book/details/", details(client, q1="yes", name="My Daughter", for_whom="me"))

    upcoming.refresh_from_db()
    assert upcoming.state == BookingState.CONFIRMED
    assert "is off" not in text_of(stopped)
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).booking == upcoming


def test_what_was_said_first_counts_where_nothing_is_said_again(client: Client, upcoming: Booking) -> None:
    follow_link(client, upcoming)
    answered(client, for_whom="child")

    client.post("/book/details/extend/", {"q1": "yes"})

    upcoming.refresh_from_db()
    assert upcoming.state == BookingState.CONFIRMED


def test_a_browser_without_a_link_suspends_nothing(client: Client, upcoming: Booking) -> None:
    open_as_own_browser(client, upcoming)

    answered(client, "yes")

    upcoming.refresh_from_db()
    assert upcoming.state == BookingState.CONFIRMED
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).booking == upcoming


def test_a_guardian_who_gets_a_teens_mail_suspends_nothing_by_their_own_signs(
    client: Client, upcoming: Booking
) -> None:
    said = {"relation": "mother", "phone": "+12125550124", "email": "sam@example.org", "gets_mail": True}
    Guardian.objects.create(booking=upcoming, name="Sam Example", **said)
    follow_link(client, upcoming)

    answered(client, "yes")

    upcoming.refresh_from_db()
    assert upcoming.state == BookingState.CONFIRMED
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).booking == upcoming
