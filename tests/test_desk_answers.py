"""Answers at the desk: who reads them, in which words they were asked, what was shown, and asking once more."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, OutgoingEmail, RunKind, ScreeningRun, ShownItem, Task, TaskKind
from clinic import content, guidance
from clinic.models import Clinic, Item, Moment, Question
from clinic.screening import Answer, Answered
from tests.desk import (
    DARK_MARKS,
    DIABETES,
    MONDAY,
    TUESDAY,
    book_with,
    cold_sore,
    page_of,
    posted,
    signed_in,
    words_of,
)
from tests.factories import NOW, PATIENT, World, local, make_staff, sign
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
MOTHER = lifecycle.GuardianDetails(
    name="Mo Kay", relation="mother", phone="+12125550124", email="mo@example.org", gets_mail=False
)


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2)


@pytest.fixture
def practitioner(world: World) -> Client:
    return signed_in("practitioner", first_name="Maya", last_name="Ruiz")


def asked_on(client: Client, booking: Booking, query: str = "") -> Any:
    return client.get(page_of(booking, "ask") + query).context["form"]


# Reading them


def test_each_round_stands_with_its_words_newest_first(practitioner: Client, world: World) -> None:
    booking = book_with(world, TEN, cold_sore(dt.date(2026, 11, 10)))
    again = {"Q2": Answered(Answer.NO), **DIABETES}
    later = NOW + dt.timedelta(hours=1)
    lifecycle.answer_again(booking, answers=again, kind=RunKind.RECHECK, by=PATIENT, now=later)

    said = words_of(practitioner.get(page_of(booking, "answers")))

    newest, first = (
        said.index("A day before, Monday 23 November, 10am"),
        said.index("While booking, Monday 23 November, 9am"),
    )
    assert newest < first
    assert "Answered by the patient. The answers are deleted on" in said
    assert "Q12: diabetes. A clinician decides. q12-diabetes-1, version 1" in said[newest:first]
    assert "Q3: a cold sore. Tell the practitioner. q3-yes-1, version 1" in said[first:]
    assert "First safe day: Tuesday 24 November 2026." in said[first:]
    assert "near the area? Yes, Tuesday 10 November 2026 version 1" in said[first:]
    assert "✓ I have diabetes." in said[newest:first]
    assert "✓" not in said[first:]


def test_a_question_that_was_edited_since_stands_as_it_was_asked(practitioner: Client, world: World) -> None:
    booking = book_with(world, TEN, DIABETES)
    question = Question.objects.get(code="Q12")
    old = question.lead
    question.lead = "Something else entirely?"
    question.save()
    content.record_revision(question, by=None, now=NOW)
    sign(question)
    assert "Something else" not in words_of(practitioner.get(page_of(booking, "answers")))
    lifecycle.answer_again(booking, answers=DIABETES, kind=RunKind.DESK, by=PATIENT, now=NOW + dt.timedelta(hours=1))

    rounds = practitioner.get(page_of(booking, "answers")).context["rounds"]

    leads = {each.run.kind: {said.lead for said in each.said if said.code == "Q12"} for each in rounds}
    assert leads == {"booking": {old}, "desk": {"Something else entirely?"}}


def test_deleted_answers_say_so_and_leave_the_verdict(practitioner: Client, world: World, time_machine: Any) -> None:
    booking = book_with(world, TEN, DIABETES)
    [run] = booking.screenings.all()
    assert run.delete_on
    gone = dt.datetime.combine(run.delete_on, dt.time(15), dt.UTC)
    lifecycle.delete_answers(gone)
    time_machine.move_to(gone, tick=False)

    said = words_of(signed_in("practitioner").get(page_of(booking, "answers")))

    assert f"Deleted on {gone:%A} {gone.day} {gone:%B %Y}." in said
    assert "A clinician decides" in said
    assert "diabetes" not in said


def test_reception_reads_no_answers_anywhere(world: World) -> None:
    booking = book_with(world, TEN, DIABETES)
    sore = cold_sore(dt.date(2026, 11, 20))
    lifecycle.answer_again(booking, answers=sore, kind=RunKind.RECHECK, by=PATIENT, now=NOW)
    reception = signed_in("reception")

    pages = {name: reception.get(page_of(booking, name)) for name in ("booking", "answers", "ask", "move", "shown")}

    assert {name: page.status_code for name, page in pages.items()} == {
        "booking": 200, "answers": 403, "ask": 200, "move": 200, "shown": 200,
    }  # fmt: skip
    for page in [*pages.values(), reception.get("/desk/?date=2026-11-30"), reception.get("/desk/review/")]:
        assert [word for word in ("diabetes", "cold sore") if word in page.content.decode()] == []
        assert [code for code in ("Q12", "Q3") if code in words_of(page)] == []
    assert "Health answers. A clinician decides." in words_of(pages["booking"])


def test_the_page_of_a_visit_says_what_the_answers_mean_to_those_who_may_see(
    practitioner: Client, world: World
) -> None:
    booking = book_with(world, TEN, DARK_MARKS)

    said = words_of(practitioner.get(page_of(booking)))

    assert "Q12: dark marks that last. Tell the practitioner." in said
    assert page_of(booking, "answers") in practitioner.get(page_of(booking)).content.decode()


@pytest.mark.parametrize("rounds", [1, 3])
def test_answers_ask_the_same_number_of_queries_for_any_number_of_rounds(
    practitioner: Client, world: World, rounds: int, django_assert_num_queries: Any
) -> None:
    booking = book_with(world, TEN)
    for hour in range(rounds - 1):
        now = NOW + dt.timedelta(hours=hour + 1)
        lifecycle.answer_again(booking, answers=DIABETES, kind=RunKind.RECHECK, by=PATIENT, now=now)

    # The time zone, session, user, rights to see bookings (two) and answers; the visit, answers, their words, the
    # parts; the worker, her rights (two), the clinic; whether she looked lately, and that she does.
    with django_assert_num_queries(15):
        practitioner.get(page_of(booking, "answers"))


# What a patient was shown


def test_what_a_patient_was_shown_is_read_back_word_for_word(world: World) -> None:
    advice = guidance.items_for(world.service, Moment.BOOKING, world.clinic)
    shown = tuple(("booking", each.code, each.version) for each in advice)
    booking = book_with(world, TEN, shown=shown)
    squeeze = Item.objects.get(code="WHY-1")
    old = squeeze.text
    squeeze.text = "Squeeze as you like."
    squeeze.save()
    content.record_revision(squeeze, by=None, now=NOW)
    sign(squeeze)
    later = book_with(world, local(TUESDAY, 10), name="Someone Else", now=NOW + dt.timedelta(hours=1))

    response = signed_in("reception").get(page_of(booking, "shown"))
    said = words_of(response)

    assert old in said
    assert "Squeeze as you like" not in said
    assert "WHY-1, version 1, never signed" in said
    assert "While booking, Monday 23 November, 9am" in said
    assert "Confirmation, Monday 23 November, 9am" in said
    told = {(each.code, each.version) for showing in response.context["showings"] for each in showing.told}
    assert told == set(ShownItem.objects.filter(booking=booking).values_list("code", "version"))
    assert "Squeeze as you like" in words_of(signed_in("reception").get(page_of(later, "shown")))


def test_a_signed_text_says_who_signed_it(world: World) -> None:
    item = Item.objects.get(code="WHY-1")
    content.sign_off(
        item, reviewer="Dr Ada Stone", registration="123", by=make_staff("signer"), now=NOW,
        next_review_on=dt.date(2027, 11, 1),
    )  # fmt: skip
    booking = book_with(world, TEN)

    said = words_of(signed_in("reception").get(page_of(booking, "shown")))

    assert "WHY-1, version 1, signed by Dr Ada Stone on Monday 23 November 2026" in said


# Asking


def test_reception_writes_answers_down_and_never_reads_what_was_said(world: World) -> None:
    booking = book_with(world, TEN, DIABETES, without=("Q9",))
    reception = signed_in("reception")
    assert page_of(booking, "ask") in reception.get(page_of(booking)).content.decode()

    form = asked_on(reception, booking)
    saved = reception.post(page_of(booking, "ask"), posted(form, q9_parts=["q9-thinner"], q9=[]), follow=True)
    once_more = reception.get(page_of(booking, "ask") + "?all=1")

    assert [each.code for each in form.asked] == ["Q9"]
    assert "The answers are saved." in words_of_all(saved)
    assert booking.screenings.get(kind=RunKind.DESK).taken_by.username == "reception-1"
    assert "Health answers. A clinician decides." in words_of(saved)
    for page in (saved, once_more):
        assert [code for code in ("Q9", "Q12") if code in words_of(page)] == []
    assert "checked" not in once_more.content.decode()
    assert "A yes from before stays" in words_of(once_more)
    assert "diabetes" not in saved.content.decode()


def words_of_all(response: Any) -> str:
    return str(response.content.decode())


def test_a_no_to_somebody_who_sees_no_answers_takes_back_no_yes(world: World) -> None:
    booking = book_with(world, TEN, DIABETES)
    reception, practitioner = signed_in("reception"), signed_in("practitioner")
    ask = page_of(booking, "ask") + "?all=1"

    reception.post(ask, posted(asked_on(reception, booking, "?all=1")))
    after_reception = words_of(practitioner.get(page_of(booking)))
    practitioner.post(ask, posted(asked_on(practitioner, booking, "?all=1")))

    assert "Q12: diabetes. A clinician decides." in after_reception
    assert "Q12" not in words_of(practitioner.get(page_of(booking)))


@pytest.mark.parametrize("state", ["confirmed", "arrived"])
def test_reception_stops_all_visits_of_somebody_who_tells_a_warning_sign(world: World, state: str) -> None:
    booking, another = world.book(TEN), world.book(local(TUESDAY, 10))
    if state == "arrived":
        lifecycle.arrive(booking, by=make_staff(), now=TEN)
    reception = signed_in("reception")
    page = reception.get(page_of(booking))
    assert "They tell a warning sign" in words_of(page)
    asked = reception.get(page_of(booking, "warning"))
    assert Question.objects.get(code="Q1").lead in words_of(asked)
    assert Booking.objects.filter(state=BookingState.SUSPENDED).count() == 0

    assert reception.post(page_of(booking, "warning"), {}).status_code == 422
    calm = reception.post(page_of(booking, "warning"), {"q1": "no"}, follow=True)
    assert "Nothing is changed" in words_of_all(calm)
    # A second press finds the same to read aloud.
    for _ in range(2):
        said = words_of(reception.post(page_of(booking, "warning"), {"q1": "yes"}))
        assert "Get medical help first" in said
        assert "Call 911" in said

    assert {each.state for each in Booking.objects.all()} == {BookingState.SUSPENDED}
    assert not any(each.claims.exists() for each in (booking, another))
    assert not ScreeningRun.objects.exists()
    assert Task.objects.open().get().kind == TaskKind.WARNING_SIGN
    assert booking.events.get(verb="suspended").by.username == "reception-1"


def test_a_visit_that_is_over_cannot_be_stopped(world: World) -> None:
    booking = world.book(TEN)
    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)

    assert signed_in("reception").post(page_of(booking, "warning"), {"q1": "yes"}).status_code == 409
    assert "They tell a warning sign" not in words_of(signed_in("reception").get(page_of(booking)))


def test_only_what_is_open_is_asked(practitioner: Client, world: World) -> None:
    booking = book_with(world, TEN, without=("Q9", "Q10"))

    form = asked_on(practitioner, booking)
    response = practitioner.post(page_of(booking, "ask"), posted(form))

    booking.refresh_from_db()
    assert [each.code for each in form.asked] == ["Q9", "Q10"]
    assert response.status_code == 302
    assert booking.is_screening_outstanding is False
    run = booking.screenings.get(kind=RunKind.DESK)
    assert run.taken_by.username == "practitioner-1"
    assert set(run.answers) == {"Q9", "Q10"}
    assert "Answered: at the clinic by Maya Ruiz" in words_of(practitioner.get(page_of(booking)))


def test_answers_change_by_asking_all_once_more(practitioner: Client, world: World) -> None:
    booking = book_with(world, TEN, DARK_MARKS)
    assert "All questions are answered." in words_of(practitioner.get(page_of(booking, "ask")))
    form = asked_on(practitioner, booking, "?all=1")
    # A yes stands as it was; a no is asked anew.
    assert {name: value for name, value in form.initial.items() if value} == {"q12": (["q12-dark-marks"], [])}

    practitioner.post(page_of(booking, "ask") + "?all=1", posted(form, q9_parts=["q9-thinner"], q9=[]))

    assert Task.objects.open().get(booking=booking).kind == TaskKind.RECHECK
    said = words_of(practitioner.get(page_of(booking)))
    assert "Q9: a blood thinner. A clinician decides." in said
    # What is asked at the clinic takes the place of what was said: a wrong yes can be put right.
    assert "Q12" not in said


def test_what_is_missing_keeps_what_was_said(practitioner: Client, world: World) -> None:
    booking = world.book(TEN)
    said = posted(asked_on(practitioner, booking), q9_parts=["q9-thinner"], q9=[])
    del said["q10"]

    response = practitioner.post(page_of(booking, "ask"), said)

    assert response.status_code == 422
    assert 'value="q9-thinner" checked' in response.content.decode()
    assert not booking.screenings.exists()


def test_of_a_minor_the_private_question_is_asked_in_the_room(practitioner: Client, world: World) -> None:
    Clinic.objects.update(online_from_age=13)
    booking = book_with(world, TEN, without=("Q9", "Q11"), date_of_birth=dt.date(2010, 5, 1), guardian=MOTHER)
    form = asked_on(practitioner, booking)
    assert "Ask this in the room, with the patient alone." in words_of(practitioner.get(page_of(booking, "ask")))

    practitioner.post(page_of(booking, "ask"), {"q9": "no"})

    booking.refresh_from_db()
    assert [each.code for each in form.asked] == ["Q9", "Q11"]
    assert booking.is_screening_outstanding is True
    assert [each.code for each in asked_on(practitioner, booking).asked] == ["Q11"]


def test_of_an_adult_the_private_question_is_asked_with_the_others(practitioner: Client, world: World) -> None:
    booking = book_with(world, TEN, without=("Q11",))

    assert practitioner.post(page_of(booking, "ask"), {"q11": ""}).status_code == 422


@pytest.mark.parametrize("state", ["confirmed", "arrived"])
def test_a_warning_sign_at_the_desk_leaves_no_visit_and_no_answers(
    practitioner: Client, world: World, state: str
) -> None:
    booking = world.book(TEN)
    another = world.book(local(TUESDAY, 10))
    if state == "arrived":
        lifecycle.arrive(booking, by=make_staff(), now=TEN)

    # Nothing else is answered yet: a warning sign does not wait for the rest of the form.
    response = practitioner.post(page_of(booking, "ask"), {"q1": "yes"})

    said = words_of(response)
    assert "Get medical help first" in said
    assert "Please do not book with us now. Get medical help first." in said
    assert "Call 911" in said
    assert "This visit is off; an urgent task is open." in said
    assert {each.state for each in Booking.objects.all()} == {BookingState.SUSPENDED}
    assert not any(each.claims.exists() for each in (booking, another))
    assert not ScreeningRun.objects.exists()
    task = Task.objects.open().get()
    assert (task.kind, task.is_urgent, task.due_at) == (
        TaskKind.WARNING_SIGN, True, NOW + dt.timedelta(minutes=30),
    )  # fmt: skip
    assert OutgoingEmail.objects.filter(booking=booking, kind="suspended").count() == 1


def test_not_sure_of_a_warning_sign_counts_as_yes(practitioner: Client, world: World) -> None:
    booking = world.book(TEN)

    practitioner.post(page_of(booking, "ask"), {"q1": "unsure"})

    assert Booking.objects.get().state == BookingState.SUSPENDED


def test_a_suspended_visit_asks_nothing_any_more(practitioner: Client, world: World) -> None:
    booking = world.book(TEN)
    lifecycle.suspend(booking, by=PATIENT, now=NOW)

    response = practitioner.post(page_of(booking, "ask"), {"q1": "no"})

    assert response.status_code == 409
    assert not ScreeningRun.objects.exists()
    said = words_of(practitioner.get(page_of(booking)))
    assert "Medical help first" in said
    assert "Suspended by patient" in said
    for act in ("Move this visit", "Mark arrived", "Approve"):
        assert act not in said


def test_a_later_round_of_answers_is_not_in_any_cookie(practitioner: Client, world: World) -> None:
    booking = book_with(world, TEN, without=("Q12",))

    response = practitioner.post(page_of(booking, "ask"), {"q12_parts": ["q12-diabetes"]})

    assert "diabetes" not in str(response.cookies)
    assert "diabetes" not in str(dict(practitioner.session))
