"""The same request again, whenever and however often: one answer, one booking."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command

from bookings.management.commands import work
from bookings.models import Booking, BookingState, IdempotencyKey, OutgoingEmail
from clinic.models import Part, Rule
from tests.factories import NOW, local
from tests.online import TEN
from tests.programs import SAID, Program, a_yes, open_world

pytestmark = pytest.mark.django_db
FRIDAY = local(dt.date(2026, 12, 4), 10).isoformat()
SORE = a_yes("Q3", date="2026-11-25")


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


def same(one, other) -> bool:
    return (one.status_code, one.content) == (other.status_code, other.content)


def test_a_hold_asked_for_again_is_the_same_hold(program):
    first, again = program.hold(once="one"), program.hold(once="one")

    assert first.status_code == 201
    assert same(first, again)
    assert Booking.objects.count() == 1


def test_a_booking_asked_for_again_is_the_same_booking_even_days_later(program, clock):
    hold = program.hold().json()["hold"]
    first = program.book(hold, once="one")
    clock.move_to(NOW + dt.timedelta(hours=47), tick=False)

    again = program.book(hold, once="one")

    assert first.status_code == 201
    assert same(first, again)
    assert Booking.objects.count() == 1
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"start": TEN.isoformat()}, "slot_taken"),
        ({"start": "2026-12-12T10:00:00-05:00"}, "not_offered"),
        ({"start": "soon"}, "invalid"),
        ({"service": "tattoo"}, "not_found"),
    ],
)
def test_a_refusal_asked_for_again_is_the_same_refusal(program, asked, code):
    program.hold()
    first = program.hold(once="one", **asked)
    Booking.objects.all().delete()

    again = program.hold(once="one", **asked)

    assert first.json()["code"] == code
    assert same(first, again)
    assert Booking.objects.count() == 0


@pytest.mark.parametrize(
    ("answers", "start", "code"),
    [
        (a_yes("Q3", date="2026-11-21"), FRIDAY, "wait"),
        (a_yes("Q2"), FRIDAY, "consult_only"),
        (a_yes("Q9"), local(NOW.date(), 12).isoformat(), "review_first"),
    ],
)
@pytest.mark.parametrize("what", ["hold", "book"])
def test_a_refusal_that_speaks_of_health_is_not_kept_and_yet_the_same(program, clock, what, answers, start, code):
    hold = program.hold(start=start).json()["hold"] if what == "book" else ""

    def ask():
        return program.book(hold, once="one", answers=answers) if hold else _hold(program, start, answers)

    first = ask()
    clock.move_to(NOW + dt.timedelta(hours=2), tick=False)
    again = ask()

    assert first.json()["code"] == code
    assert same(first, again)
    row = IdempotencyKey.objects.get(key="one")
    assert (row.status, row.body) == (422, None)
    assert Booking.objects.count() == 0


def _hold(program, start, answers):
    return program.hold(once="one", start=start, answers=answers)


@pytest.mark.parametrize(
    "edit",
    [
        lambda: Rule.objects.filter(part__question__code="Q3").update(days=1),
        lambda: Part.objects.filter(code="q5-scrub").update(code="q5-scrubs"),
    ],
)
def test_a_refusal_whose_rules_changed_since_is_answered_under_a_new_key(program, edit):
    said = {"Q3": {"answer": "yes", "date": "2026-11-21"}, "Q5": {"parts": ["q5-scrub"], "date": "2026-11-21"}}
    first = program.hold(once="one", start=FRIDAY, answers=said)
    edit()

    again = program.hold(once="one", start=FRIDAY, answers=said)

    assert first.json()["code"] == "wait"
    assert (again.status_code, again.json()["code"]) == (409, "outdated")
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("other", [{"practitioner": "maya"}, {"start": FRIDAY}, {"answers": SORE}])
def test_one_key_stands_for_one_request(program, other):
    program.hold(once="one")

    answer = program.hold(once="one", **other)

    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert Booking.objects.count() == 1


def test_one_key_stands_for_one_address(program):
    hold = program.hold(once="one").json()["hold"]
    body = {**SAID, "hold": hold}

    answer = program.post("bookings", body, once="one")

    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


def test_two_programs_may_use_the_same_key(program):
    first = program.hold(once="one")
    second = Program("Other app").hold(once="one", start=FRIDAY)

    assert [first.status_code, second.status_code] == [201, 201]
    assert Booking.objects.count() == 2


def test_a_key_is_needed_and_is_short_and_plain(program):
    body, names = {"service": "nose", "start": FRIDAY}, ["", " ", "x" * 81, "no spaces", "ü"]

    answers = [program.post("holds", body, **{"Idempotency-Key": name}) for name in names]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "idempotency_key_needed")}
    assert Booking.objects.count() == 0


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NO_JSON: list[tuple[str | bytes, dict[str, str], int, str]] = [
    ("{", {}, 400, "bad_json"),
    ("[]", {}, 400, "bad_json"),
    ('"text"', {}, 400, "bad_json"),
    (" ", {}, 400, "bad_json"),
    (b"\xff\xfe{}", {}, 400, "bad_json"),
    ('{"start": NaN}', {}, 400, "bad_json"),
    ('{"start": 1' + "0" * 5000 + "}", {}, 400, "bad_json"),
    ('{"service": "nose", "service": "nose"}', {}, 400, "bad_json"),
    ('{"answers": {"Q1": "yes", "Q1": "no"}}', {}, 400, "bad_json"),
    ('{"service": "\\u0000"}', {}, 400, "bad_json"),
    ('{"service": "\\ud800"}', {}, 400, "bad_json"),
    ('{"\\udfff": 1}', {}, 400, "bad_json"),
    ('{"answers": {"Q5": {"parts": ["\\u0000"]}}}', {}, 400, "bad_json"),
    ('{"a":' * 20_000, {}, 400, "bad_json"),
    ("[" * 100_000 + "]" * 100_000, {}, 413, "too_much"),
    ('{"service": "' + "x" * 200_000 + '"}', {}, 413, "too_much"),
    ("{}", FORM, 415, "not_json"),
    ("{}", {"Content-Type": ""}, 415, "not_json"),
]


def test_what_is_no_json_object_is_refused_and_its_key_stays_free(program):
    answers = [program.post("holds", body, once="one", **headers) for body, headers, *_ in NO_JSON]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        tuple(said) for _, _, *said in NO_JSON
    ]
    assert IdempotencyKey.objects.count() == 0
    assert program.hold(once="one").status_code == 201


def test_answers_are_forgotten_after_two_days(program, clock):
    program.hold(once="one")
    work.tidy(NOW + dt.timedelta(days=2))
    kept = IdempotencyKey.objects.count()

    clock.move_to(NOW + dt.timedelta(days=2, seconds=1), tick=False)
    call_command("work", "--once")

    assert (kept, IdempotencyKey.objects.count()) == (1, 0)


def test_a_kept_answer_tells_nothing_of_the_person(program):
    program.book(once="one", answers=a_yes("Q9"))

    row = IdempotencyKey.objects.get(key="one")
    assert set(row.body or {}) == {
        "reference",
        "state",
        "reply_by",
        "service",
        "location",
        "practitioner",
        "time_zone",
        "start",
        "end",
    }
    assert row.booking.state == BookingState.PENDING
