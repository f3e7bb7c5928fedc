"""An extraction elsewhere, that no record of ours proves: yes, no or not sure, and what is not proven is reviewed."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from bookings import eligibility, lifecycle
from bookings.lifecycle import forgetting, safety
from bookings.models import Booking, BookingState, ScreeningRun
from clinic.models import Verdict
from tests.desk import someone
from tests.factories import NOW, World
from tests.online import SKIN_NO, TEN, answered, book, details, form_of, hold, make_world, text_of
from tests.visits import follow_link

pytestmark = pytest.mark.django_db

MISSING = "Select yes, no or not sure: an earlier extraction"
ASKED_TO_REVIEW = [{"last_extraction": "unsure"}, {"last_extraction": "yes"}]
UNSURE = {"last_extraction": "unsure"}
# As a browser sends it where nothing was chosen.
EMPTY_BOXES = {f"last_extraction_date_{part}": "" for part in ("day", "month", "year")}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


def without(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != "last_extraction"}


def test_silence_is_no_answer(client: Client, world: World) -> None:
    skin = client.post("/book/nose/check/", {**without(SKIN_NO), **EMPTY_BOXES})
    hold(client)
    late = client.post("/book/details/", details(client, **without(SKIN_NO)))

    assert [page.status_code for page in (skin, late)] == [422, 422]
    assert [MISSING in text_of(page) for page in (skin, late)] == [True, True]


def test_a_program_that_does_not_know_the_question_books_as_before(client: Client, world: World) -> None:
    skin = client.post("/book/nose/check/", without(SKIN_NO))
    hold(client)
    boxes = ("_day", "_month", "_year")
    form = without({**details(client), **SKIN_NO, "date_of_birth": "1990-03-17"})
    said = {name: value for name, value in form.items() if not name.endswith(boxes)}
    assert "asks" in said

    booked = client.post("/book/details/", said)

    assert [page.status_code for page in (skin, booked)] == [303, 303]
    assert Booking.objects.get().state == BookingState.CONFIRMED


def test_a_page_that_never_asked_is_no_program(client: Client, world: World) -> None:
    """Who came by their own link is not asked; once the details name somebody else, that person's is due."""
    follow_link(client, world.book(TEN + dt.timedelta(days=7), now=NOW))
    client.post("/book/nose/check/", {**without(SKIN_NO), "for_whom": "me"})
    hold(client)
    form = details(client, name="My Child", for_whom="child")
    assert "last_extraction_date_day" not in form

    silent = client.post("/book/details/", {**form, "next": "check"})
    told = client.post("/book/details/", {**form, "last_extraction": "no", "next": "check"})

    assert (silent.status_code, told.status_code) == (422, 200)
    assert MISSING in text_of(silent)


def test_a_question_that_was_left_open_is_asked_again(client: Client, world: World) -> None:
    hold(client)

    client.post("/book/details/extend/", details(client, **without(SKIN_NO)))

    assert 'name="last_extraction"' in text_of(client.get("/book/details/"))


@pytest.mark.parametrize("said", ASKED_TO_REVIEW)
def test_what_nobody_can_prove_is_reviewed(client: Client, world: World, said: dict[str, str]) -> None:
    answered(client, **said)
    times = text_of(client.get("/book/nose/"))
    hold(client)
    client.post("/book/details/", details(client))

    booking = Booking.objects.get()
    run = booking.screenings.get()
    assert "Skin needs about four weeks before the next extraction on the same area." in times
    assert "Do you know on which day it was? Add it, and we can name your first safe day." in times
    assert booking.state == BookingState.PENDING
    assert (run.verdict, [row["rule"] for row in run.findings]) == (Verdict.REVIEW, ["gap-same-area"])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"last_extraction": "no"}, ("no", None)),
        ({"last_extraction": "no", "last_extraction_date": "2026-11-20"}, ("no", None)),
        ({"last_extraction": "yes", "last_extraction_date": "2026-11-02"}, ("yes", dt.date(2026, 11, 2))),
        ({"last_extraction": "unsure", "last_extraction_date": "2026-11-02"}, ("unsure", dt.date(2026, 11, 2))),
        ({"last_extraction": "", "last_extraction_date": "2026-11-02"}, ("yes", dt.date(2026, 11, 2))),
    ],
)
def test_a_no_or_a_day_long_enough_ago_books_at_once(
    client: Client, world: World, said: dict[str, str], kept: tuple[str, dt.date | None]
) -> None:
    answered(client, **said)
    hold(client)
    client.post("/book/details/", details(client))

    run = ScreeningRun.objects.get()
    assert Booking.objects.get().state == BookingState.CONFIRMED
    assert (run.had_extraction, run.last_extraction_on) == kept


def test_what_was_said_stands_there_when_it_is_changed(client: Client, world: World) -> None:
    answered(client, last_extraction="yes", last_extraction_date="2026-11-02")

    form = form_of(client.get("/book/nose/check/"), "questions-form")

    assert (form["last_extraction"], form["last_extraction_date_month"]) == ("yes", "11")


def test_a_wrong_day_keeps_the_question_open(client: Client, world: World) -> None:
    hold(client)

    client.post("/book/details/extend/", details(client, **{**SKIN_NO, "last_extraction": "yes"}, **FUTURE))

    assert ScreeningRun.objects.get().had_extraction == ""
    assert 'name="last_extraction"' in text_of(client.get("/book/details/"))


FUTURE = {"last_extraction_date": "2026-12-24"}


def test_a_wrong_day_of_a_question_keeps_it_open_whatever_was_said_before(client: Client, world: World) -> None:
    answered(client)
    hold(client)

    client.post("/book/details/extend/", details(client, q3="yes", q3_date="2026-12-24"))

    assert "Q3" not in ScreeningRun.objects.get().answers
    assert 'name="q3"' in text_of(client.get("/book/details/"))


def test_once_a_clinician_said_yes_it_stands_in_no_ones_way(client: Client, world: World) -> None:
    answered(client, **UNSURE)
    hold(client)
    client.post("/book/details/", details(client))
    booking = Booking.objects.get()

    lifecycle.approve(booking, reason="Looked at it", by=someone("clinician"), now=NOW)

    booking.refresh_from_db()
    outlook = safety.outlook_for(booking, NOW)
    assert booking.state == BookingState.CONFIRMED
    assert safety.standing(booking, outlook) == []
    assert eligibility.said_for(booking).is_extraction_unproven


def test_only_a_clinician_bends_it(client: Client, world: World) -> None:
    answered(client, **UNSURE)
    hold(client)
    client.post("/book/details/", details(client))
    booking = Booking.objects.get()

    outlook = safety.outlook_for(booking, NOW)

    assert safety.may_bend(outlook, booking.practitioner.code, TEN, decides=True)
    assert not safety.may_bend(outlook, booking.practitioner.code, TEN, decides=False)


def test_it_is_deleted_with_the_answers(client: Client, world: World) -> None:
    book(client)
    assert ScreeningRun.objects.get().had_extraction == "no"

    forgetting.delete_answers(NOW + dt.timedelta(days=500))

    assert ScreeningRun.objects.get().had_extraction == ""
