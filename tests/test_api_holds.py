"""A program holds a time, with or without the person's answers."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache

from bookings.api import holds
from bookings.models import Booking, BookingEvent, ScreeningRun
from clinic.models import Grade, Question, Service
from tests.factories import NOW, local, make_location, make_practitioner, make_service, open_weekdays
from tests.online import TEN, THURSDAY
from tests.programs import Program, a_yes, open_world

pytestmark = pytest.mark.django_db


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


def test_a_free_time_is_held_for_some_minutes(program):
    answer = program.hold()

    booking = Booking.objects.get()
    said = answer.json()
    token = said.pop("hold")
    assert answer.status_code == 201
    assert said == {
        "expires_at": "2026-11-23T09:20:00-05:00",
        "service": "nose",
        "location": "main",
        "practitioner": "maya",
        "time_zone": "America/New_York",
        "start": "2026-12-10T10:00:00-05:00",
        "end": "2026-12-10T10:30:00-05:00",
    }
    assert (booking.state, booking.starts_at, booking.asked_for_any) == ("held", TEN, True)
    assert booking.reference not in token


def test_the_history_says_that_a_program_held_it(program):
    program.hold()

    assert list(BookingEvent.objects.values_list("verb", "actor")) == [("held", "program")]


def test_a_practitioner_and_a_location_may_be_asked_for(program, world):
    make_location(slug="annex", position=2)

    unnamed = program.hold()
    named = program.hold(practitioner="maya", location="main")

    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "location_needed")
    assert named.status_code == 201
    assert not Booking.objects.get().asked_for_any


def test_one_program_holds_for_many_people_at_once(program):
    answers = [program.hold(start=local(THURSDAY, hour).isoformat()) for hour in (9, 11, 13)]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert Booking.objects.live_holds(NOW).count() == 3


def test_a_taken_time_is_refused_with_the_nearest(program):
    program.hold()

    answer = program.hold()

    assert answer.status_code == 409
    assert answer.json() == {
        "code": "slot_taken",
        "error": "That time has just been taken. Choose another time.",
        "times": [
            {"start": "2026-12-10T09:15:00-05:00", "practitioner": "maya"},
            {"start": "2026-12-10T10:45:00-05:00", "practitioner": "maya"},
            {"start": "2026-12-10T09:00:00-05:00", "practitioner": "maya"},
        ],
    }


def test_a_time_that_was_never_offered_is_refused_with_the_reason(program):
    starts = {
        "past": "2026-11-23T09:00:00-05:00",
        "too_soon": "2026-11-23T10:00:00-05:00",
        "beyond_horizon": "2027-12-10T10:00:00-05:00",
        "closed": "2026-12-12T10:00:00-05:00",
        "off_grid": "2026-12-10T10:07:00-05:00",
    }

    answers = [program.hold(start=start) for start in starts.values()]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "not_offered")}
    assert [answer.json()["reason"] for answer in answers] == list(starts)
    assert {len(answer.json()["times"]) for answer in answers} == {3}


def test_a_start_that_is_none_is_invalid(program):
    dates = ["2026-12-10", "2026-12-10T10:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"]

    answers = [program.hold(start=start) for start in ["", "soon", None, 5, *dates]]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "invalid")}
    assert {tuple(answer.json()["errors"]) for answer in answers} == {("start",)}


def test_what_is_unknown_is_not_found(program):
    answers = [program.hold(**{name: "nowhere"}) for name in ("service", "practitioner", "location")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert Booking.objects.count() == 0


def test_a_practitioner_who_does_not_do_this_service_is_not_found(program, world):
    Service.objects.update(grades=[Grade.NURSE])
    open_weekdays(world.location, make_practitioner("Dr Far", slug="far", grade=Grade.DOCTOR))

    assert program.hold(practitioner="far").status_code == 404


def test_a_paused_clinic_says_so_and_the_same_request_works_later(program, world):
    world.clinic.is_online_paused, world.clinic.pause_message = True, "We are moving house."
    world.clinic.save()

    paused = program.hold(once="one")
    world.clinic.is_online_paused = False
    world.clinic.save()

    assert (paused.status_code, paused.json()) == (503, {"code": "paused", "error": "We are moving house."})
    assert program.hold(once="one").status_code == 201


def test_a_real_clinic_opens_only_with_signed_content(program, world):
    world.clinic.is_demo = False
    world.clinic.save()
    Question.objects.filter(code="Q7").update(signed_version=None)

    answer = program.hold()

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert Booking.objects.count() == 0


def test_answers_are_read_by_the_rules_of_the_pages(program):
    answer = program.hold(
        answers={
            "q3": {"answer": "yes", "date": "2026-12-05"},
            "Q5": {"answer": "no", "parts": ["q5-scrub"]},
            "Q6": {"parts": ["q6-tattoo"]},
            "Q9": "perhaps",
            "Q10": 7,
            "Q12": {"reply": "no"},
            "Q13": "no",
        }
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert set(answer.json()["errors"]) == {"answers", "answers.Q10", "answers.Q12.other"}
    assert Booking.objects.count() == 0


def test_an_answer_that_is_none_is_invalid(program):
    wrong: list[tuple[dict[str, object], str]] = [
        ({"Q3": {"answer": "yes", "date": "2026-12-05"}}, "answers.Q3.date"),
        ({"Q5": {"answer": "no", "parts": ["q5-scrub"]}}, "answers.Q5"),
        ({"Q6": {"parts": ["q6-tattoo"]}}, "answers.Q6"),
        ({"Q9": "perhaps"}, "answers.Q9"),
        ({"Q3": "perhaps"}, "answers.Q3"),
        ({"Q1": {"answer": "no", "parts": ["q1-eye"]}}, "answers.Q1"),
        ({"Q1": "no", "q1": "no"}, "answers"),
    ]

    answers = [program.hold(answers=said) for said, _ in wrong]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "invalid")}
    assert [list(answer.json()["errors"]) for answer in answers] == [[place] for _, place in wrong]
    assert Booking.objects.count() == 0


def test_a_word_in_place_of_an_object_will_do(program):
    assert (
        program.hold(answers={"q1": "no", "Q5": "no", "q9": {"answer": "no", "parts": [], "date": None}}).status_code
        == 201
    )


def test_answers_that_ask_for_a_wait_say_until_when_and_why(program):
    sore = {"answers": a_yes("Q3", date="2026-11-20"), "start": local(dt.date(2026, 12, 2), 10).isoformat()}

    too_soon = program.hold(**sore)
    in_time = program.hold(**{**sore, "start": local(dt.date(2026, 12, 4), 10).isoformat()})

    assert too_soon.status_code == 422
    assert too_soon.json() == {
        "code": "wait",
        "error": "We wait 14 days after a cold sore. Choose a time from Friday 4 December.",
        "earliest_date": "2026-12-04",
        "reasons": ["We wait 14 days after a cold sore."],
    }
    assert in_time.status_code == 201
    assert Booking.objects.count() == 1


def test_other_times_are_only_those_that_are_safe(program):
    friday = local(dt.date(2026, 12, 4), 10).isoformat()
    program.hold(start=friday)

    answer = program.hold(start=friday, answers=a_yes("Q3", date="2026-11-20"))

    assert answer.json()["code"] == "slot_taken"
    assert min(each["start"] for each in answer.json()["times"]) >= "2026-12-04"


def test_answers_for_a_clinician_need_a_time_after_the_reply(program):
    bleeds = a_yes("Q9", parts=["q9-bleeding"])

    today = program.hold(start=local(NOW.date(), 12).isoformat(), answers=bleeds)
    later = program.hold(start=TEN.isoformat(), answers=bleeds)

    assert today.status_code == 422
    assert today.json() == {
        "code": "review_first",
        "error": "A clinician looks at your answers first, by Monday 23 November, 6pm. Choose a later time.",
        "reply_by": "2026-11-23T18:00:00-05:00",
    }
    assert later.status_code == 201


def test_answers_for_a_consultation_name_it(program):
    make_service(slug="consult", groups=[], position=2)

    answer = program.hold(answers=a_yes("Q2"))

    assert answer.status_code == 422
    assert answer.json() == {
        "code": "consult_only",
        "error": "A clinician needs to see your skin first. You can book a skin check.",
        "service": "consult",
    }
    assert Booking.objects.count() == 0


def test_answers_given_with_a_hold_are_not_kept(program):
    program.hold(answers=a_yes("Q3", date="2026-11-20"))

    assert ScreeningRun.objects.count() == 0


def test_no_program_empties_the_diary(program, monkeypatch):
    monkeypatch.setattr(holds, "HOLDS_PER_KEY", 2)
    hours = [local(THURSDAY, hour).isoformat() for hour in (9, 11, 13)]

    answers = [program.hold(start=start) for start in hours]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2]["Retry-After"] == "600"
    assert Program().hold(start=hours[2]).status_code == 201
