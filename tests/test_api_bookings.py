"""A program books the time it holds: by the same rules, with the same mail, as a patient on the pages."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache

from bookings import lifecycle
from bookings.models import (
    Booking,
    BookingEvent,
    BookingState,
    Consent,
    Guardian,
    IdempotencyKey,
    OutgoingEmail,
    Patient,
    ScreeningRun,
    ShownItem,
)
from clinic.models import Grade, Resource, Verdict
from tests.factories import NOW, PATIENT, local, make_practitioner, make_service, open_weekdays
from tests.online import TEN, THURSDAY
from tests.programs import NOTHING, SAID, Program, a_yes, open_world

pytestmark = pytest.mark.django_db
BORN_AT_16 = "2010-03-17"
GUARDIAN = {
    "name": "Kim Example",
    "relation": "mother",
    "phone": "212 555 0124",
    "email": "kim@example.org",
}


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


def mailed() -> list[str]:
    return list(OutgoingEmail.objects.order_by("id").values_list("kind", flat=True))


def test_a_held_time_is_booked(program):
    answer = program.book()

    booking = Booking.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "reference": booking.reference,
        "state": "confirmed",
        "service": "nose",
        "location": "main",
        "practitioner": "maya",
        "time_zone": "America/New_York",
        "start": "2026-12-10T10:00:00-05:00",
        "end": "2026-12-10T10:30:00-05:00",
    }
    assert booking.state == BookingState.CONFIRMED
    assert mailed() == ["confirmed", "staff_notice"]


def test_who_comes_what_was_answered_and_what_was_agreed_to_stand_with_the_booking(program):
    day = {"last_extraction": "yes", "last_extraction_date": "2026-10-01"}
    program.book(wishes="A quiet room", for_whom="someone", event_date="2026-12-24", **day)

    booking, run = Booking.objects.get(), ScreeningRun.objects.get()
    assert Patient.objects.values("name", "email", "phone", "date_of_birth").get() == {
        "name": "Robin Example",
        "email": "robin@example.org",
        "phone": "+12125550123",
        "date_of_birth": dt.date(1990, 3, 17),
    }
    assert (booking.wishes, booking.is_for_someone_else) == ("A quiet room", True)
    assert booking.event_on == dt.date(2026, 12, 24)
    assert (run.booking, run.verdict, run.expires_at) == (booking, Verdict.NOTE, None)
    assert {code: row["answer"] for code, row in run.answers.items()} == dict.fromkeys(NOTHING, "no")
    assert (run.had_extraction, run.last_extraction_on) == ("yes", dt.date(2026, 10, 1))
    assert run.versions["Q3"] == 1
    assert not booking.is_screening_outstanding
    assert set(Consent.objects.values_list("kind", flat=True)) == {"guidance_read", "privacy"}
    assert ShownItem.objects.filter(booking=booking, moment="booking").exists()


def test_the_day_of_the_last_extraction_alone_says_that_there_was_one(program):
    answer = program.book(last_extraction=None, last_extraction_date="2026-10-01")

    run = ScreeningRun.objects.get()
    assert (answer.status_code, answer.json()["state"]) == (201, "confirmed")
    assert (run.had_extraction, run.last_extraction_on) == ("yes", dt.date(2026, 10, 1))


@pytest.mark.parametrize("said", ["yes", "unsure"])
def test_an_extraction_on_an_unknown_day_waits_for_a_clinician(program, said):
    answer = program.book(last_extraction=said)

    assert (answer.status_code, answer.json()["state"]) == (201, "pending")


def test_the_history_names_the_program(program):
    program.book()

    events = list(BookingEvent.objects.order_by("id").values_list("verb", "actor", "detail__program"))
    assert events == [("held", "program", None), ("booked", "program", "Wellness app")]


def test_answers_for_a_clinician_keep_the_time_until_the_reply(program):
    answer = program.book(answers=a_yes("Q9", parts=["q9-bleeding"]))

    booking = Booking.objects.get()
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["reply_by"]) == ("pending", "2026-11-23T18:00:00-05:00")
    assert (booking.state, booking.reply_by) == (BookingState.PENDING, local(NOW.date(), 18))
    assert mailed() == ["pending", "staff_notice"]


def test_every_question_of_the_visit_has_to_be_answered(program):
    said = {code: NOTHING[code] for code in NOTHING if code not in {"Q4", "Q7"}}

    answer = program.book(answers=said)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["missing"] == ["Q4", "Q7"]
    assert list(answer.json()["errors"]) == ["answers.Q4", "answers.Q7"]
    assert Patient.objects.count() == 0


def test_a_service_that_asks_less_needs_no_more(program):
    make_service(slug="consult", groups=[], position=2)
    hold = program.hold(service="consult").json()["hold"]

    answer = program.book(hold, answers={code: NOTHING[code] for code in ("Q1", "Q8", "Q10")})

    assert answer.status_code == 201


REFUSED_BY_THE_FORM: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "name"),
    ({"name": None}, "name"),
    ({"name": 5}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"name": "\u202enibor"}, "name"),
    ({"email": "robin"}, "email"),
    ({"phone": "12"}, "phone"),
    ({"date_of_birth": "17.3.1990"}, "date_of_birth"),
    ({"date_of_birth": "2990-03-17"}, "date_of_birth"),
    ({"date_of_birth": "99999-03-17"}, "date_of_birth"),
    ({"guidance_read": False}, "guidance_read"),
    ({"consent": "yes"}, "consent"),
    ({"for_whom": "a dog"}, "for_whom"),
    ({"event_date": "soon"}, "event_date"),
    ({"last_extraction": None}, "last_extraction"),
    ({"last_extraction": "never"}, "last_extraction"),
    ({"last_extraction_date": "2027-01-01"}, "last_extraction_date"),
    ({"had_consultation": "yes"}, "had_consultation"),
    ({"guardian": "Kim"}, "guardian"),
    ({"guardian": {"nickname": "Kim"}}, "guardian.other"),
    ({"answers": []}, "answers"),
    ({"dateOfBirth": "1990-03-17"}, "other"),
]


def test_what_the_form_would_refuse_is_refused_and_the_time_stays_held(program):
    hold = program.hold().json()["hold"]

    answers = [(program.book(hold, **said), place) for said, place in REFUSED_BY_THE_FORM]

    assert {(answer.status_code, answer.json()["code"]) for answer, _ in answers} == {(422, "invalid")}
    assert [place for answer, place in answers if place not in answer.json()["errors"]] == []
    assert Booking.objects.get().state == BookingState.HELD
    assert (Patient.objects.count(), ScreeningRun.objects.count()) == (0, 0)


def test_a_hold_that_is_none_books_nothing(program):
    holds = [None, "", 5, "x", "a.b:c:d", "\u2603"]

    statuses = [program.post("bookings", {**SAID, "hold": hold}).status_code for hold in holds]

    assert statuses == [422, 422, 422, 410, 410, 410]
    assert Patient.objects.count() == 0


def test_a_hold_of_another_program_is_no_hold(program):
    hold = program.hold().json()["hold"]

    answer = Program("Other app").book(hold)

    assert (answer.status_code, answer.json()["code"], answer.json()["times"]) == (410, "hold_gone", [])
    assert Booking.objects.get().state == BookingState.HELD


def test_a_hold_that_ran_out_is_kept_while_nobody_took_the_time(program, clock):
    hold = program.hold().json()["hold"]
    clock.move_to(NOW + dt.timedelta(hours=1), tick=False)

    assert program.book(hold).status_code == 201


def test_a_hold_that_ran_out_and_was_taken_is_gone_with_the_nearest_times(program, clock, world):
    hold = program.hold().json()["hold"]
    clock.move_to(NOW + dt.timedelta(hours=1), tick=False)
    world.book(TEN, now=NOW + dt.timedelta(hours=1))

    answer = program.book(hold)

    assert (answer.status_code, answer.json()["code"]) == (410, "hold_gone")
    assert [each["start"][:16] for each in answer.json()["times"]] == [
        "2026-12-10T09:15",
        "2026-12-10T10:45",
        "2026-12-10T09:00",
    ]
    assert ScreeningRun.objects.count() == 0


def test_a_hold_that_was_swept_still_names_its_time(program, clock):
    hold = program.hold().json()["hold"]
    later = NOW + dt.timedelta(hours=3)
    lifecycle.sweep(later)
    clock.move_to(later, tick=False)

    answer = program.book(hold)

    assert answer.status_code == 410
    assert answer.json()["times"][0] == {"start": "2026-12-10T10:00:00-05:00", "practitioner": "maya"}


def test_the_same_person_may_ask_twice_and_somebody_else_gets_nothing(program):
    hold = program.hold().json()["hold"]
    first = program.book(hold)

    again, other = program.book(hold), program.book(hold, name="Sam Example")

    assert (again.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "hold_used")
    assert (Booking.objects.count(), Patient.objects.count(), len(mailed())) == (1, 1, 2)
    assert ScreeningRun.objects.count() == 1


def test_a_hold_whose_visit_was_cancelled_is_gone(program):
    hold = program.hold().json()["hold"]
    program.book(hold)
    lifecycle.cancel(Booking.objects.get(), reason="", by=PATIENT, now=NOW)

    answer = program.book(hold)

    assert (answer.status_code, answer.json()["code"]) == (410, "hold_gone")


def test_who_is_too_young_is_asked_to_phone(program):
    answer = program.book(date_of_birth=BORN_AT_16)

    assert answer.status_code == 422
    assert answer.json() == {
        "code": "not_eligible",
        "error": "We cannot book this visit online. Call us.",
        "reason": "by_phone",
        "phone": "+12125550100",
    }
    assert Booking.objects.get().state == BookingState.HELD


def test_a_minor_needs_a_guardian_and_is_asked_nothing_private(program, world):
    world.clinic.online_from_age = 16
    world.clinic.save()
    missing = program.book(date_of_birth=BORN_AT_16)
    Booking.objects.all().delete()
    booked = program.book(date_of_birth=BORN_AT_16, for_whom="child", guardian={**GUARDIAN, "gets_mail": False})

    guardian, run = Guardian.objects.get(), ScreeningRun.objects.get()
    assert set(missing.json()["errors"]) == {f"guardian.{name}" for name in ("name", "relation", "phone", "email")}
    assert booked.json()["state"] == "pending"
    assert (guardian.name, guardian.phone, guardian.gets_mail) == ("Kim Example", "+12125550124", False)
    assert "Q11" not in run.answers
    assert set(mailed()) == {"pending", "staff_notice", "guardian"}


def test_a_booking_keeps_no_answer_beside_its_run(program):
    program.book(answers=a_yes("Q3", date="2026-11-20"))

    kept = str(list(IdempotencyKey.objects.values())) + str(list(BookingEvent.objects.values()))
    assert "'Q3'" not in kept
    assert "cold sore" not in kept
    assert "robin" not in kept.lower()


def test_a_wait_gives_the_time_back_and_says_until_when(program):
    hold = program.hold(start=local(dt.date(2026, 12, 2), 10).isoformat()).json()["hold"]

    answer = program.book(hold, answers=a_yes("Q3", date="2026-11-20"))

    assert (answer.status_code, answer.json()["code"]) == (422, "wait")
    assert answer.json()["earliest_date"] == "2026-12-04"
    assert answer.json()["reasons"] == ["We wait 14 days after a cold sore."]
    assert (Booking.objects.count(), ScreeningRun.objects.count(), Patient.objects.count()) == (0, 0, 0)


def test_a_wait_for_one_grade_alone_names_no_day_to_who_asked_for_anyone(program, world):
    Resource.objects.filter(pk=world.practitioner.pk).update(code=Grade.AESTHETICIAN)
    # A nurse, on Mondays.
    open_weekdays(world.location, make_practitioner(), days=1)

    answer = program.book(answers=a_yes("Q4", date="2026-11-20"))

    assert (answer.status_code, answer.json()["code"], answer.json()["earliest_date"]) == (422, "wait", None)
    assert "Somebody else may see you sooner" in answer.json()["error"]


def test_where_nobody_of_another_grade_works_the_wait_has_its_day(program, world):
    Resource.objects.filter(pk=world.practitioner.pk).update(code=Grade.AESTHETICIAN)

    answer = program.book(answers=a_yes("Q4", date="2026-11-20"))

    assert (answer.json()["code"], answer.json()["earliest_date"]) == ("wait", "2027-05-19")


def test_answers_for_a_consultation_hold_no_extraction(program):
    make_service(slug="consult", groups=[], position=2)

    answer = program.book(answers=a_yes("Q2"))

    assert (answer.status_code, answer.json()["code"], answer.json()["service"]) == (422, "consult_only", "consult")
    assert Booking.objects.count() == 0


def test_answers_for_a_clinician_refuse_a_time_before_the_reply(program):
    hold = program.hold(start=local(NOW.date(), 12).isoformat()).json()["hold"]

    answer = program.book(hold, answers=a_yes("Q9"))

    assert (answer.status_code, answer.json()["code"]) == (422, "review_first")
    assert Booking.objects.count() == 0


def test_a_time_that_is_gone_is_followed_only_by_safe_ones(program, clock):
    hold = program.hold(start=local(dt.date(2026, 12, 2), 10).isoformat()).json()["hold"]
    Booking.objects.all().delete()

    answer = program.book(hold, answers=a_yes("Q3", date="2026-11-20"))

    assert answer.status_code == 410
    assert [each["start"][:10] for each in answer.json()["times"]] == ["2026-12-04"] * 3
    assert str(THURSDAY) > "2026-12-04"
