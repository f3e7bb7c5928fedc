"""Has it healed? What has to heal before a visit is asked about the day before it, whatever the days say."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, RunKind, ScreeningRun, Task, TaskKind
from clinic.models import Verdict
from clinic.screening import Answer, Answered
from tests.course import clinician
from tests.factories import NOW, World
from tests.online import TEN, form_of, make_world, parsed, starts_on, text_of
from tests.visits import AGAIN_NO, DAY, DAY_BEFORE, book_asked, everything, follow_link, make_consult

pytestmark = pytest.mark.django_db

# Both are over by the visit: a cold sore of 14 days, broken skin of seven.
COLD_SORE: dict[str, Any] = {"Q3": Answered(Answer.YES, frozenset({"q3-yes"}), dt.date(2026, 11, 22))}
BROKEN: dict[str, Any] = {"Q7": Answered(Answer.YES, frozenset({"q7-broken"}), dt.date(2026, 11, 22))}
HEALED = {"anything_new": "no", "q3-yes_healed": "yes"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAY_BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def booking(world: World) -> Booking:
    return book_asked(world, **COLD_SORE)


@pytest.fixture
def patient(client: Client, booking: Booking) -> Client:
    follow_link(client, booking)
    return client


def findings() -> list[tuple[str, str]]:
    run = ScreeningRun.objects.filter(kind=RunKind.RECHECK).latest("pk")
    return [(row["rule"], row["verdict"]) for row in run.findings if row["verdict"] != Verdict.NOTE]


def tasks() -> list[str]:
    return list(Task.objects.open().values_list("kind", flat=True))


def test_what_must_heal_is_asked_about_the_day_before(patient: Client) -> None:
    visit, page = text_of(patient.get("/visit/")), patient.get("/visit/recheck/")

    words = text_of(page)
    assert "We also ask if your skin has healed." in visit
    assert "about a cold sore" not in visit
    assert "Nothing new" not in visit + words
    assert "You told us about a cold sore. Has it healed completely?" in words
    assert 'name="q3-yes_healed"' in page.content.decode()
    assert parsed(page).headings == 1


@pytest.mark.parametrize("before", [2 * DAY, 14 * DAY])
def test_it_is_not_asked_before_that_day(patient: Client, clock, before: dt.timedelta) -> None:
    clock.move_to(TEN - before)
    follow_link(patient, Booking.objects.get())

    assert "healed completely" not in text_of(patient.get("/visit/recheck/"))


def test_who_told_of_nothing_that_must_heal_is_not_asked(client: Client, world: World) -> None:
    follow_link(client, book_asked(world, Q7=Answered(Answer.YES, frozenset({"q7-flare"})), Q9=Answered(Answer.UNSURE)))

    assert "healed completely" not in text_of(client.get("/visit/recheck/"))


def test_healed_and_nothing_else_new_is_one_press(patient: Client) -> None:
    told = patient.post("/visit/recheck/", HEALED, follow=True)

    assert told.redirect_chain == [("/visit/", 303)]
    assert "Thank you. See you on Thursday 10 December, 10am." in text_of(told)
    assert (findings(), tasks()) == ([], [])


@pytest.mark.parametrize("answer", ["no", "unsure"])
@pytest.mark.parametrize(("said", "part"), [(COLD_SORE, "q3-yes"), (BROKEN, "q7-broken")])
def test_what_has_not_healed_is_for_a_clinician_whatever_the_days_say(
    client: Client, world: World, said, part: str, answer: str
) -> None:
    make_consult()
    booking = book_asked(world, **said)
    follow_link(client, booking)

    page = client.post("/visit/recheck/", {"anything_new": "no", f"{part}_healed": answer}, follow=True)

    booking.refresh_from_db()
    words = text_of(page)
    assert page.redirect_chain == [("/visit/longer/", 303)]
    assert "A clinician looks at this first" in words
    assert "Ask the clinic" in words
    assert starts_on(page)
    assert (booking.state, booking.starts_at) == (BookingState.CONFIRMED, TEN)
    assert findings() == [(f"{part}-1", Verdict.REVIEW)]
    assert tasks() == [TaskKind.RECHECK]


def test_one_press_without_a_word_about_healing_is_not_enough(patient: Client) -> None:
    before = everything()

    page = patient.post("/visit/recheck/", form_of(patient.get("/visit/recheck/"), "healed-form"))

    assert page.status_code == 422
    assert "There is a problem" in text_of(page)
    assert "Select yes, no or not sure: has a cold sore healed?" in text_of(page)
    assert everything() == before


@pytest.mark.parametrize("form", [AGAIN_NO, {"anything_new": "no"}])
def test_a_program_that_never_heard_of_healing_is_taken_as_not_sure(patient: Client, form: dict[str, str]) -> None:
    told = patient.post("/visit/recheck/", form)

    assert (told.status_code, told.headers["Location"]) == (303, "/visit/longer/")
    assert findings() == [("q3-yes-1", Verdict.REVIEW)]
    assert tasks() == [TaskKind.RECHECK]


def test_who_has_something_new_says_so_and_whether_it_has_healed(patient: Client) -> None:
    page = patient.get("/visit/recheck/?all=1")
    missing = patient.post("/visit/recheck/?all=1", {**form_of(page, "recheck-form"), **AGAIN_NO})
    told = patient.post("/visit/recheck/?all=1", {**AGAIN_NO, "q3-yes_healed": "no"})

    assert "healed completely" in text_of(page)
    assert "div_id_q7" in page.content.decode()
    assert (missing.status_code, told.headers["Location"]) == (422, "/visit/longer/")
    assert findings() == [("q3-yes-1", Verdict.REVIEW)]


@pytest.mark.parametrize(("healed", "found"), [("yes", []), ("no", [("q3-yes-1", Verdict.REVIEW)])])
def test_the_same_yes_again_is_an_old_one_only_if_it_has_healed(patient: Client, healed: str, found) -> None:
    again = {**AGAIN_NO, "q3": "yes", "q3_date": "2026-11-22", "q3-yes_healed": healed}

    patient.post("/visit/recheck/?all=1", again)

    assert findings() == found


def test_what_is_there_the_day_before_is_for_a_clinician_though_it_began_long_ago(client: Client, world: World) -> None:
    """Nobody heard of it until now, so nobody asked if it has healed."""
    follow_link(client, book_asked(world))

    client.post("/visit/recheck/", {**AGAIN_NO, "q3": "yes", "q3_date": "2026-11-24"})

    assert findings() == [("q3-yes-1", Verdict.REVIEW)]


def test_a_new_wound_makes_them_wait_and_is_no_review(patient: Client) -> None:
    burnt = {name: "no" for name in AGAIN_NO if name != "q7"} | {"q7_parts": ["q7-broken"], "q7_date": "2026-12-08"}

    patient.post("/visit/recheck/?all=1", {**burnt, "q3-yes_healed": "yes"})

    assert findings() == [("q7-broken-1", Verdict.WAIT)]


def test_what_a_clinician_has_seen_may_be_treated_unless_it_is_said_anew(patient: Client, booking: Booking) -> None:
    patient.post("/visit/recheck/", {**HEALED, "q3-yes_healed": "no"})
    lifecycle.approve(booking, by=clinician(), reason="Only a scab.", now=DAY_BEFORE + dt.timedelta(minutes=5))
    booking.refresh_from_db()
    outlook = lifecycle.outlook_for(booking, NOW)
    assert lifecycle.standing(booking, outlook) == []
