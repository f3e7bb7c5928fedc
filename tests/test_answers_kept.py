"""Whatever of the details is pressed, and whichever page answers: what was said of one's health is kept, or stops."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, BookingState, ScreeningRun
from clinic.models import Clinic, Service
from tests.factories import NOW, World, local
from tests.online import SAID, SKIN_NO, TEN, answered, details, form_of, hold, make_world, parsed, starts_on, text_of

pytestmark = pytest.mark.django_db

EXTEND, RELEASE = "/book/details/extend/", "/book/details/release/"
BUTTONS = [(EXTEND, {}), (RELEASE, {}), (RELEASE, {"to": "times"}), (RELEASE, {"to": "services"})]
WRITES_A_RUN = ('INSERT INTO "bookings_screeningrun"', 'UPDATE "bookings_screeningrun"')
SORE = {"q3": "yes", "q3_date": "2026-09-01"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


def directly(client: Client, **said: str) -> dict[str, str]:
    """The details opened without the page before them, so that every question stands there."""
    hold(client)
    form = details(client, **{**SKIN_NO, "q4": "unsure", "q9_parts": "q9-aspirin", **said})
    return {name: value for name, value in form.items() if name != "q9"}


def kept() -> dict[str, Any]:
    return ScreeningRun.objects.get().answers


@pytest.mark.parametrize(("button", "to"), BUTTONS)
def test_a_button_beside_the_time_keeps_every_answer(client: Client, world: World, button: str, to: Any) -> None:
    form = directly(client, **SORE)

    client.post(button, {**form, **to})

    assert {f"Q{number}" for number in range(1, 13)} == set(kept())
    assert (kept()["Q3"]["date"], kept()["Q9"]["parts"]) == ("2026-09-01", ["q9-aspirin"])


def test_a_time_kept_longer_shows_the_answers_again(client: Client, world: World) -> None:
    client.post(EXTEND, directly(client))

    form = form_of(client.get("/book/details/"))

    assert (form["q4"], form["q9_parts"], form["q12"]) == ("unsure", "q9-aspirin", "no")


def test_what_is_half_answered_is_kept_as_far_as_it_goes(client: Client, world: World) -> None:
    form = directly(client)
    half = {name: value for name, value in form.items() if name not in {"q5", "q12", "name"}}

    client.post(EXTEND, half)

    assert {"Q5", "Q12"} & set(kept()) == set()
    assert kept()["Q6"]["answer"] == "no"


@pytest.mark.parametrize(("button", "to"), BUTTONS)
@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_a_warning_sign_is_heard_whatever_is_pressed(
    client: Client, world: World, button: str, to: Any, answer: str
) -> None:
    form = directly(client, q1=answer)

    stopped = client.post(button, {**form, **to})

    assert "Get medical help first" in text_of(stopped)
    assert (Booking.objects.count(), ScreeningRun.objects.count()) == (0, 0)


def test_a_hold_that_is_gone_keeps_the_answers_given_with_it(client: Client, world: World, clock) -> None:
    answered(client)
    hold(client)
    form = details(client, q4="unsure")
    later = NOW + dt.timedelta(minutes=25)
    clock.move_to(later)
    world.book(TEN, now=later)

    gone = client.post("/book/details/", form)

    assert (gone.status_code, kept()["Q4"]["answer"]) == (410, "unsure")
    client.post("/book/nose/hold/", {"start": starts_on(gone)[0], "practitioner": "any"})
    again = form_of(client.get("/book/details/"))
    assert (again["q4"], again["q10"]) == ("unsure", "no")


def test_a_hold_that_is_gone_is_looked_for_again_after_the_answers_given_with_it(
    client: Client, world: World, clock
) -> None:
    start = local(dt.date(2026, 12, 1), 10)
    hold(client, start)
    form = details(client, **{**SKIN_NO, "q3": "yes", "q3_date": "2026-11-20"})
    later = NOW + dt.timedelta(minutes=25)
    clock.move_to(later)
    world.book(start, now=later)

    gone = client.post("/book/details/", form)

    days = [dt.datetime.fromisoformat(start).date() for start in starts_on(gone)]
    assert "Your skin needs a little longer" in text_of(gone)
    assert min(days) == dt.date(2026, 12, 4)


def too_often(client: Client) -> int:
    return [client.post("/book/details/").status_code for _ in range(61)][-1]


def test_a_browser_that_tries_too_often_keeps_its_answers(client: Client, world: World) -> None:
    form = directly(client)
    assert too_often(client) == 429

    late = client.post("/book/details/", form)

    assert (late.status_code, kept()["Q4"]["answer"]) == (429, "unsure")


def test_a_warning_sign_is_heard_from_a_browser_that_tries_too_often(client: Client, world: World) -> None:
    form = directly(client)
    assert too_often(client) == 429

    stopped = client.post("/book/details/", {**form, "q1": "yes"})

    assert "Get medical help first" in text_of(stopped)
    assert Booking.objects.count() == 0


def test_who_never_held_a_time_leaves_no_answers(client: Client, world: World) -> None:
    client.post(EXTEND, {**SKIN_NO, "service": "nose", "start": "2026-12-10T03:00:00-05:00"})

    assert ScreeningRun.objects.count() == 0


# ---- a browser, or a program, that holds no time here


def posted_at_once(**said: str) -> dict[str, str]:
    """Everything in one form, as the addresses' contract has it: the time is named beside the answers."""
    return {"service": "nose", "start": TEN.isoformat(), "practitioner": "any", **SKIN_NO, **SAID, **said}


def without(form: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in form.items() if name not in names}


def test_what_is_posted_at_once_is_kept_and_judged(client: Client, world: World) -> None:
    booked = client.post("/book/details/", without(posted_at_once(q12_parts="q12-diabetes"), "q12"))

    assert booked.status_code == 303
    assert Booking.objects.get().state == BookingState.PENDING
    assert {f"Q{number}" for number in range(1, 13)} == set(kept())
    assert kept()["Q12"]["parts"] == ["q12-diabetes"]


def test_what_is_posted_at_once_and_is_not_safe_books_nothing(client: Client, world: World) -> None:
    refused = client.post("/book/details/", posted_at_once(q2="yes"))

    assert refused.status_code == 422
    assert not Booking.objects.exclude(state=BookingState.HELD).exists()


def test_what_was_said_before_and_what_comes_with_the_details_are_judged_together(client: Client, world: World) -> None:
    answered(client)
    rest = without(posted_at_once(q4="yes", q4_date="2026-11-20", q12_parts="q12-diabetes"), "q12", *SKIN_NO)

    client.post("/book/details/", rest)

    assert Booking.objects.get().state == BookingState.PENDING
    assert {f"Q{number}" for number in range(1, 13)} == set(kept())


def test_a_session_that_was_lost_loses_no_answers_of_the_form(client: Client, world: World) -> None:
    hold(other := Client())
    form = details(other, **SKIN_NO)
    other.post(RELEASE, {"hold": form["hold"]})

    page = client.post("/book/details/", {**form, "next": "check"})
    booked = client.post("/book/details/", next(each for each in parsed(page).forms if "answered" in each))

    assert [page.status_code, booked.status_code] == [200, 303]
    assert {f"Q{number}" for number in range(1, 13)} == set(kept())


def test_a_session_that_was_lost_loses_no_answers_though_the_time_is_gone(client: Client, world: World) -> None:
    world.book(TEN, now=NOW)

    gone = client.post("/book/details/", posted_at_once(q4="unsure"))

    assert (gone.status_code, kept()["Q4"]["answer"]) == (410, "unsure")


def test_answers_that_went_with_another_visit_meanwhile_are_read_anew(client: Client, world: World) -> None:
    """Two forms of one browser are sent at the same moment, and the other one is quicker by a hair."""
    other = world.book(TEN + dt.timedelta(days=1), now=NOW)
    answered(client)
    hold(client)
    form = without({**details(client, **SKIN_NO), "q12_parts": "q12-diabetes"}, "q12", "asks")

    with connection.execute_wrapper(BookedMeanwhile(other)):
        client.post("/book/details/", form)

    booking = Booking.objects.get(starts_at=TEN)
    assert booking.state == BookingState.PENDING
    assert booking.screenings.get().answers["Q12"]["parts"] == ["q12-diabetes"]


class BookedMeanwhile:
    """Hands the answers to another booking right before they are written."""

    def __init__(self, booking: Booking) -> None:
        self.booking: Booking | None = booking

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        booking, is_due = self.booking, sql.startswith('UPDATE "bookings_screeningrun"')
        if booking is not None and is_due:
            self.booking = None
            ScreeningRun.objects.update(booking=booking, expires_at=None, delete_on=booking.local_date)
        return execute(sql, params, many, context)


def test_a_release_of_a_time_that_is_gone_goes_on_though_the_service_is_retired(client: Client, world: World) -> None:
    form = directly(client)
    client.post(RELEASE, form)
    Service.objects.update(retired_on=NOW.date() - dt.timedelta(days=30))

    again = client.post(RELEASE, form)

    assert (again.status_code, again.headers["Location"]) == (303, "/services/")


def statements(client: Client, form: dict[str, str]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        client.post("/book/details/", form)
    return [query["sql"] for query in queries]


def test_a_form_is_read_and_kept_once(client: Client, world: World) -> None:
    asked = statements(client, {**directly(client), "next": "check"})

    assert len([sql for sql in asked if 'FROM "clinic_question" ORDER BY' in sql]) == 1
    assert len([sql for sql in asked if sql.startswith(WRITES_A_RUN)]) == 1


def test_a_form_that_says_nothing_new_writes_no_answers(client: Client, world: World) -> None:
    page = client.post("/book/details/", {**directly(client), "next": "check"})
    form = next(each for each in parsed(page).forms if "answered" in each)

    asked = statements(client, {**form, "next": "check"})

    assert [sql for sql in asked if sql.startswith(WRITES_A_RUN)] == []


def test_a_private_answer_goes_once_the_date_of_birth_tells_of_a_minor(client: Client, world: World) -> None:
    Clinic.objects.update(online_from_age=13)
    form = directly(client, q11="yes", date_of_birth_year="")
    client.post(EXTEND, form)
    assert kept()["Q11"]["answer"] == "yes"

    client.post(EXTEND, details(client, q11="yes", date_of_birth_year="2010"))

    assert "Q11" not in kept()
    assert Booking.objects.get().state == BookingState.HELD
