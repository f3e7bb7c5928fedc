"""Whatever a program sends: an answer in JSON, never a broken server, and nothing kept that a form would refuse."""

import json
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.models import Booking, IdempotencyKey, OutgoingEmail, Patient, RateWindow, ScreeningRun
from clinic.screening import Answer, Answered
from tests.factories import NOW
from tests.online import TEN
from tests.programs import NOTHING, SAID, Program, open_world

pytestmark = pytest.mark.django_db

# Every sign there is, halves of pairs and NUL too.
ODD = st.text(st.characters(exclude_categories=()), max_size=12)
DATES = st.sampled_from(
    ["", "2026-02-30", "0000-00-00", "99999-01-01", "9999-12-31", "2026-11-20", "1-1-1", "1990-March-17"]
)
WORDS = st.sampled_from(["yes", "no", "unsure", "maybe", "q5-scrub", "q1-eye", "true", ""])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD, DATES, WORDS)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD | WORDS, inner, max_size=3)
)
SENSIBLE = st.sampled_from(
    ["no", {"answer": "no"}, {"answer": "yes"}, {"answer": "unsure"}, {"answer": "yes", "date": "2026-11-01"}]
)
ANSWER = st.fixed_dictionaries(
    {}, optional={"answer": WORDS | ANYTHING, "parts": st.lists(WORDS, max_size=3) | ANYTHING, "date": DATES | ANYTHING}
)
ANSWERS = st.one_of(
    st.dictionaries(st.sampled_from(list(NOTHING)), SENSIBLE, max_size=3),
    st.dictionaries(st.sampled_from([*NOTHING, "q1", "Q13", ""]), ANSWER | ANYTHING, max_size=3),
).map(lambda some: {**NOTHING, **some})
GUARDIAN = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "relation", "phone", "email", "gets_mail"), ANYTHING)
)
ASKED = {"service": "nose", "start": TEN.isoformat()}


def sent(body: dict[str, Any], *names: str, **rest: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The body as it is, or with some of its fields as anything at all."""
    some = st.dictionaries(st.sampled_from([*body, *names]), ANYTHING, max_size=2)
    changed: st.SearchStrategy[dict[str, Any]] = st.just({}) | some
    return st.builds(lambda one, other: {**body, **one, **other}, changed, st.fixed_dictionaries({}, optional=rest))


HISTORY = ("last_extraction", "last_extraction_date", "had_consultation", "no such name")
HOLDS = sent(ASKED, "practitioner", "location", *HISTORY, answers=ANSWERS)
BOOKINGS = sent(SAID, "hold", "wishes", "for_whom", "event_date", *HISTORY, answers=ANSWERS, guardian=GUARDIAN)


@pytest.fixture(autouse=True)
def world(settings):
    settings.API_CALLS_PER_MINUTE = 0
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield open_world(online_from_age=16)


def clean() -> None:
    """Each example meets the clinic as the first one did."""
    for model in (IdempotencyKey, OutgoingEmail, Booking, Patient, RateWindow):
        model.objects.all().delete()


def is_answered(answer: Any) -> bool:
    said = answer.json()
    is_refused = answer.status_code in {400, 404, 409, 410, 422} and {"code", "error"} <= set(said)
    return answer.status_code == 201 or is_refused


def may_be_a_warning(answers: Any) -> bool:
    """Whether Q1 was answered with anything but a plain no."""
    said = [value for code, value in answers.items() if code.lower() == "q1"] if isinstance(answers, dict) else []
    return any(value != "no" and (not isinstance(value, dict) or value.get("answer") != "no") for value in said)


def test_any_hold_is_answered():
    program = Program()

    @given(HOLDS)
    def ask(body):
        clean()
        answer = program.post("holds", body)
        assert is_answered(answer), answer.content
        assert Booking.objects.count() == (answer.status_code == 201)
        assert not (may_be_a_warning(body.get("answers")) and answer.status_code == 201)

    ask()


def test_any_booking_is_answered_and_only_what_is_valid_is_kept():
    program = Program()

    @settings(max_examples=25)
    @given(BOOKINGS)
    def ask(body):
        clean()
        hold = program.hold().json()["hold"]
        answer = program.post("bookings", {"hold": hold, **body})
        assert is_answered(answer), answer.content
        assert Patient.objects.count() == ScreeningRun.objects.count() == (answer.status_code == 201)
        assert not (may_be_a_warning(body["answers"]) and answer.status_code == 201)
        for row in (*Patient.objects.all(), *Booking.objects.all()):
            row.full_clean()
        for run in ScreeningRun.objects.all():
            answers = {code: Answered.from_json(row) for code, row in run.answers.items()}
            assert answers["Q1"].answer is Answer.NO

    ask()


@pytest.mark.parametrize("what", ["holds", "bookings"])
def test_any_bytes_are_answered(what):
    program = Program()

    @given(st.binary(min_size=1, max_size=60) | ANYTHING.map(json.dumps).map(str.encode))
    def ask(body):
        answer = program.post(what, body)
        assert is_answered(answer), answer.content
        assert Booking.objects.count() == 0

    ask()


@pytest.mark.parametrize("what", ["holds", "bookings"])
def test_any_headers_are_answered(what):
    program = Program()
    plain = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=100)

    @given(plain, plain)
    def ask(key, once):
        answer = program.post(what, {}, once="x", **{"Authorization": key, "Idempotency-Key": once})
        assert answer.status_code in {400, 401, 422}
        assert answer.json()["code"] in {"unauthorized", "idempotency_key_needed", "invalid"}

    ask()
