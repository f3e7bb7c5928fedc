"""A warning sign, by way of a program: medical help first, and no live booking, hold or answer is left."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache

from bookings import integrity
from bookings.models import Booking, BookingState, Claim, IdempotencyKey, OutgoingEmail, Patient, ScreeningRun, Task
from clinic.models import Question
from tests.factories import NOW
from tests.programs import NOTHING, SAID, Program, a_yes, open_world

pytestmark = pytest.mark.django_db
WAYS_TO_SAY_YES = [
    "yes",
    {"answer": "yes"},
    {"answer": "unsure"},
    {"parts": ["q1-eye"]},
    {"answer": "yes", "parts": ["q1-eye", "nonsense"]},
    {"answer": "unsure", "parts": ["q1-fever"], "date": None},
]


@pytest.fixture(autouse=True)
def clock():
    cache.clear()
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def world():
    return open_world()


@pytest.fixture
def program() -> Program:
    return Program()


def is_help(answer) -> bool:
    """Advice and numbers, and nothing to book."""
    said = answer.json()
    assert set(said) == {"code", "error", "advice", "emergency_number", "urgent_line"}
    return (answer.status_code, said["code"]) == (422, "help")


def left() -> dict[str, int]:
    models = (Booking, Claim, Patient, ScreeningRun, OutgoingEmail)
    return {model.__name__: model.objects.count() for model in models if model.objects.exists()}


def test_the_advice_and_the_numbers_to_call_are_told(program):
    said = program.hold(answers={"Q1": "yes"}).json()

    assert said["error"] == "Get medical help first. Nothing is booked."
    assert said["advice"].startswith("Please do not book with us now. Get medical help first.")
    assert "call 911" in said["advice"]
    assert (said["emergency_number"], said["urgent_line"]) == ("911", "212 555 0111")


def test_who_is_not_sure_is_told_whom_to_ask(program):
    unsure = program.hold(answers={"Q1": "unsure"}).json()["advice"]

    assert unsure.endswith("If you are not sure, call 212 555 0111 and ask before you book.")
    assert "If you are not sure" not in program.hold(answers={"Q1": "yes"}).json()["advice"]


def test_no_time_is_held_after_a_warning_sign(program):
    others = {code: NOTHING[code] for code in NOTHING if code != "Q1"}

    answers = [program.hold(answers={**others, code: said}) for said in WAYS_TO_SAY_YES for code in ("Q1", "q1")]

    assert all(map(is_help, answers))
    assert left() == {}


@pytest.mark.parametrize("said", WAYS_TO_SAY_YES)
def test_a_warning_sign_gives_the_held_time_back(program, said):
    hold = program.hold().json()["hold"]

    assert is_help(program.book(hold, answers={**NOTHING, "Q1": said}))
    assert left() == {}


def test_help_comes_before_anything_else_that_is_wrong_with_a_hold(program):
    wrong: tuple[dict[str, object], ...] = (
        {"start": "soon"},
        {"service": "tattoo"},
        {"service": 5},
        {"location": "x"},
        {"x": 1},
        {"practitioner": []},
    )

    answers = [program.hold(answers={"Q1": "yes", "Q9": "perhaps"}, **asked) for asked in wrong]

    assert all(map(is_help, answers))
    assert left() == {}


def test_help_comes_before_anything_else_that_is_wrong_with_a_booking(program):
    wrong = ({"name": ""}, {"consent": False}, {"date_of_birth": "soon"}, {"date_of_birth": "2020-01-01"}, {"x": "y"})

    answers = [program.book(**{**said, "answers": {"Q1": {"answer": "yes"}}}) for said in wrong]

    assert all(map(is_help, answers))
    assert left() == {}


def test_help_needs_no_hold(program):
    answers = [program.post("bookings", {**SAID, "hold": hold, "answers": a_yes("Q1")}) for hold in (None, "", "x", 5)]

    assert all(map(is_help, answers))


def test_a_program_gives_back_no_time_of_another(program):
    hold = program.hold().json()["hold"]

    assert is_help(Program("Other app").book(hold, answers=a_yes("Q1")))
    assert Booking.objects.live_holds(NOW).count() == 1


def test_help_while_paused_is_help_all_the_same(program, world):
    hold = program.hold().json()["hold"]
    world.clinic.is_online_paused = True
    world.clinic.save()

    assert is_help(program.hold(answers=a_yes("Q1")))
    assert is_help(program.book(hold, answers=a_yes("Q1")))
    assert left() == {}


def test_a_warning_sign_about_a_time_that_is_booked_calls_the_visit_off(program):
    hold = program.hold().json()["hold"]
    program.book(hold)

    assert is_help(program.book(hold, answers=a_yes("Q1")))

    booking, task = Booking.objects.get(), Task.objects.get(kind="warning_sign")
    assert booking.state == BookingState.SUSPENDED
    assert (task.booking, task.is_urgent, task.due_at) == (booking, True, NOW + dt.timedelta(minutes=30))
    assert Claim.objects.count() == 0
    assert not any(integrity.counts(NOW).values())
    assert booking.events.get(verb="suspended").actor == "program"


def test_after_help_the_hold_books_nothing_whatever_is_said_next(program):
    hold = program.hold().json()["hold"]
    program.book(hold, answers=a_yes("Q1"))

    answer = program.book(hold)

    assert (answer.status_code, answer.json()["code"]) == (410, "hold_gone")
    assert Patient.objects.count() == 0


def test_nothing_is_remembered_of_a_warning_sign_and_the_same_request_hears_it_again(program, clock):
    hold = program.hold().json()["hold"]
    first = program.book(hold, once="one", answers=a_yes("Q1"))
    clock.move_to(NOW + dt.timedelta(hours=5), tick=False)

    again = program.book(hold, once="one", answers=a_yes("Q1"))

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    row = IdempotencyKey.objects.get(key="one")
    assert (row.status, row.body, row.booking) == (422, None, None)
    assert left() == {}


def test_a_rule_that_a_clinician_made_a_warning_counts_as_one(program):
    Question.objects.get(code="Q2").parts.get().rules.update(verdict="HELP")

    assert is_help(program.book(answers=a_yes("Q2")))
    assert left() == {}
