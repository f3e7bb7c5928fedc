"""An answer may keep one grade of practitioner waiting and not another: who asks for anyone hears of everybody."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from bookings.models import Booking
from clinic.models import Grade, OpeningHours
from clinic.screening import Answer, Answered
from tests.factories import World, local, make_practitioner, open_weekdays
from tests.online import answered, details, hold, make_world, starts_on, text_of
from tests.visits import book_asked, follow_link

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 12, 2, 14, tzinfo=dt.UTC)
TUESDAY, FRIDAY = dt.date(2026, 12, 8), dt.date(2026, 12, 11)
CAPSULES = {"q4": "yes", "q4_date": "2026-11-30"}
WHY = "We wait 180 days after the last isotretinoin capsule."
ELSEWHEN = "Somebody else may see you on another day."
COLD_SORE = {"q3": "yes", "q3_date": "2026-11-27"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    """An aesthetician works every weekday, a nurse on Fridays."""
    world = make_world(practitioners=1, rooms=2)
    OpeningHours.objects.filter(practitioner=world.practitioner).exclude(weekday=4).delete()
    maker = make_practitioner("Anna Short", grade=Grade.AESTHETICIAN, slug="anna")
    open_weekdays(world.location, maker)
    return world


def refused(client: Client, said: dict[str, Any] = CAPSULES, **asked: str) -> Any:
    """Anybody's time on a day of the aesthetician, and then an answer that keeps only her waiting."""
    answered(client, **{name: value for name, value in said.items() if name not in CAPSULES})
    hold(client, local(TUESDAY, 10), **asked)
    return client.post("/book/details/", {**details(client), **CAPSULES})


def test_who_asked_for_anyone_is_sent_to_somebody_else_and_told_no_late_day(client: Client, world: World) -> None:
    page = refused(client)

    assert page.status_code == 422
    assert f"{WHY} Somebody else may see you sooner. Choose another time." in text_of(page)
    assert "Choose a time from" not in text_of(page)
    assert starts_on(page)[0].startswith("2026-12-11")
    assert Booking.objects.count() == 0


def test_where_nobody_of_another_grade_works_the_first_day_is_named(client: Client, world: World) -> None:
    OpeningHours.objects.filter(practitioner=world.practitioner).delete()

    page = refused(client)

    assert "Somebody else" not in text_of(page)
    assert f"{WHY} Choose a time from Saturday 29 May." in text_of(page)


def test_where_nobody_of_another_grade_works_no_day_speaks_of_somebody_else(client: Client, world: World) -> None:
    OpeningHours.objects.filter(practitioner=world.practitioner).delete()
    answered(client)
    hold(client, local(TUESDAY, 10))
    client.post("/book/details/", {**details(client), **CAPSULES, "q4_date": "2026-06-20"})

    month = text_of(client.get("/book/nose/?month=2026-12"))

    assert f"Tuesday 8 December, closed. {WHY}" in month
    assert "Somebody else" not in month
    assert "Thursday 17 December, 30 free times" in month


def test_who_chose_somebody_hears_from_when_on_they_may_come(client: Client, world: World) -> None:
    page = refused(client, practitioner="anna")

    assert f"{WHY} Choose a time from Saturday 29 May." in text_of(page)


def test_where_everybody_waits_the_first_day_of_all_is_named_with_its_own_reason(client: Client, world: World) -> None:
    answered(client)
    hold(client, local(TUESDAY, 10))

    page = client.post("/book/details/", {**details(client), **CAPSULES, **COLD_SORE})

    assert "We wait 14 days after a cold sore. Choose a time from Friday 11 December." in text_of(page)
    assert f"{WHY} Choose" not in text_of(page)


def test_a_reaction_that_only_one_grade_may_not_treat_leaves_the_others(client: Client, world: World) -> None:
    answered(client)
    hold(client, local(TUESDAY, 10))

    page = client.post("/book/details/", {**details(client), "q10": [], "q10_parts": "q10-severe"})

    assert "Somebody else may see you sooner" in text_of(page)
    assert starts_on(page)[0].startswith("2026-12-11")


def test_days_that_one_answer_closes_say_so_and_days_without_times_do_not(client: Client, world: World) -> None:
    refused(client)
    for half_hours in range(15):
        start = local(dt.date(2026, 12, 18), 9) + dt.timedelta(minutes=30 * half_hours)
        world.book(start, practitioner=world.practitioner, now=NOW)
    OpeningHours.objects.filter(practitioner__slug="anna", weekday=4).delete()

    month = text_of(client.get("/book/nose/?month=2026-12"))
    day = text_of(client.get(f"/book/nose/?date={TUESDAY}"))

    assert f"Tuesday 8 December, closed. {WHY} {ELSEWHEN}" in month
    assert "Friday 11 December, 30 free times" in month
    assert [f"{date} December, no free times" in month for date in ("Saturday 12", "Friday 18")] == [True, True]
    assert f"This day is closed to you. {WHY} {ELSEWHEN}" in day


def test_moved_to_somebody_who_may_not_treat_them_the_page_shows_what_is_open_instead(
    client: Client, world: World
) -> None:
    severe = Answered(Answer.YES, frozenset({"q10-severe"}))
    booking = book_asked(world, local(FRIDAY, 10), now=NOW, practitioner=world.practitioner, Q10=severe)
    follow_link(client, booking)

    page = client.post("/visit/move/", {"start": local(FRIDAY, 11).isoformat(), "practitioner": "anna"})

    assert page.status_code == 422
    assert "<h1>A clinician needs to see your skin first</h1>" in text_of(page)
