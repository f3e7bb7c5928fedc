"""Is anything new? The day before a visit, only what may have changed is asked again."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, OutgoingEmail, RunKind, ScreeningRun, Task, TaskKind
from clinic.models import Verdict
from clinic.screening import Answer, Answered
from tests.course import clinician
from tests.factories import NOW, PATIENT, World, local
from tests.online import TEN, THURSDAY, make_world, parsed, starts_on, text_of
from tests.visits import AGAIN_NO, BURNT, DAY, DAY_BEFORE, FLARING, SORE, book_asked, everything, follow_link

pytestmark = pytest.mark.django_db

FIRST_SAFE = "2026-12-15T09:00:00-05:00"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAY_BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def booking(world: World) -> Booking:
    return book_asked(world)


@pytest.fixture
def patient(client: Client, booking: Booking) -> Client:
    follow_link(client, booking)
    return client


def tasks(kind: str) -> list[Task]:
    return list(Task.objects.open().filter(kind=kind))


def rounds() -> list[ScreeningRun]:
    return list(ScreeningRun.objects.filter(kind=RunKind.RECHECK))


def test_nothing_new_is_one_press(patient: Client, booking: Booking) -> None:
    told = patient.post("/visit/recheck/", {"anything_new": "no"}, follow=True)

    words = text_of(told)
    assert told.redirect_chain == [("/visit/", 303)]
    assert "Thank you. See you on Thursday 10 December, 10am." in words
    assert "Thank you, you have answered" in words
    assert [sorted(run.answers) for run in rounds()] == [["Q1", "Q2", "Q3", "Q5", "Q6", "Q7"]]
    assert {answer["answer"] for answer in rounds()[0].answers.values()} == {"no"}
    assert Task.objects.count() == 0


def test_only_what_may_be_new_is_asked_and_nothing_is_filled_in(client: Client, world: World) -> None:
    flare = Answered(Answer.YES, frozenset({"q7-flare"}))
    follow_link(client, book_asked(world, Q7=flare))

    page = client.get("/visit/recheck/")

    names = {name for form in parsed(page).forms for name in form}
    assert "Is anything new since Monday 23 November?" in text_of(page)
    assert " checked" not in page.content.decode()
    assert {f"div_id_q{n}" in page.content.decode() for n in (1, 2, 3, 5, 6, 7)} == {True}
    assert {f"div_id_q{n}" in page.content.decode() for n in (4, 8, 9, 10, 11, 12)} == {False}
    assert "q3_date_day" in names


def test_an_empty_form_says_what_is_missing(patient: Client) -> None:
    page = patient.post("/visit/recheck/", {})

    assert page.status_code == 422
    assert "There is a problem" in text_of(page)
    assert rounds() == []


def test_a_yes_in_the_way_offers_safe_times_a_person_and_keeps_the_visit(patient: Client, booking: Booking) -> None:
    page = patient.post("/visit/recheck/", BURNT, follow=True)

    booking.refresh_from_db()
    words = text_of(page)
    assert page.redirect_chain == [("/visit/longer/", 303)]
    assert "Your skin needs a little longer" in words
    assert "We wait 7 days after sunburnt or broken skin." in words
    assert "Your first safe day is <strong>Tuesday 15 December</strong>." in words
    assert "Whatever you choose, it costs you nothing." in words
    assert "Ask the clinic" in words
    assert starts_on(page)[0] == FIRST_SAFE
    assert len(starts_on(page)) >= 3
    assert (booking.state, booking.starts_at) == (BookingState.CONFIRMED, TEN)
    assert [run.verdict for run in rounds()] == [Verdict.WAIT]


def test_the_task_says_until_when_somebody_calls(patient: Client) -> None:
    words = text_of(patient.post("/visit/recheck/", BURNT, follow=True))

    # Noon on Wednesday, and nine working hours: later than the visit, so before it starts.
    assert [task.due_at for task in tasks(TaskKind.RECHECK)] == [TEN]
    assert "If you choose nothing, we decide with you when you come." in words


def test_one_press_moves_it_after_the_cut_off_without_a_fee(patient: Client, booking: Booking) -> None:
    patient.post("/visit/recheck/", BURNT)

    moved = patient.post("/visit/move/", {"start": FIRST_SAFE, "practitioner": "any"}, follow=True)

    booking.refresh_from_db()
    assert "Your visit has moved." in text_of(moved)
    assert (booking.state, booking.starts_at) == (BookingState.CONFIRMED, local(dt.date(2026, 12, 15), 9))
    assert tasks(TaskKind.RECHECK) == []
    assert OutgoingEmail.objects.filter(booking=booking, kind="moved").count() == 1


def test_all_safe_times_show_why_the_days_before_are_closed(patient: Client) -> None:
    patient.post("/visit/recheck/", BURNT)

    words = text_of(patient.get("/visit/move/?date=2026-12-11"))

    assert "It costs you nothing." in words
    assert "Friday 11 December, closed. We wait 7 days after sunburnt or broken skin." in words
    assert 'aria-label="Tuesday 15 December, ' in words


def test_a_time_before_the_first_safe_day_is_refused_with_safe_ones(patient: Client, booking: Booking) -> None:
    patient.post("/visit/recheck/", BURNT)

    refused = patient.post("/visit/move/", {"start": local(dt.date(2026, 12, 14), 9).isoformat()})

    booking.refresh_from_db()
    assert refused.status_code == 422
    assert "Your skin needs a little longer" in text_of(refused)
    assert "We wait 7 days after sunburnt or broken skin. Choose a time from Tuesday 15 December." in text_of(refused)
    assert starts_on(refused)[0] == FIRST_SAFE
    assert booking.starts_at == TEN


@pytest.mark.parametrize("earlier", [None, AGAIN_NO], ids=["nothing answered", "nothing new"])
def test_saying_that_it_is_a_recheck_moves_nothing_after_the_cut_off(
    patient: Client, booking: Booking, earlier: dict[str, str] | None
) -> None:
    if earlier:
        patient.post("/visit/recheck/", earlier)

    forged = patient.post("/visit/move/", {"start": FIRST_SAFE, "practitioner": "any", "recheck": "1"})

    booking.refresh_from_db()
    assert forged.status_code == 422
    assert "Call us to change this visit" in text_of(forged)
    assert booking.starts_at == TEN


def test_an_answer_counts_for_the_time_it_was_given_for(patient: Client, booking: Booking, clock) -> None:
    """Moved to a safe time, the next late move is late again."""
    patient.post("/visit/recheck/", BURNT)
    patient.post("/visit/move/", {"start": FIRST_SAFE, "practitioner": "any"})
    clock.move_to(local(dt.date(2026, 12, 14), 15))
    follow_link(patient, booking)

    again = patient.post("/visit/move/", {"start": local(dt.date(2026, 12, 16), 9).isoformat()})

    assert again.status_code == 422
    assert "Call us to change this visit" in text_of(again)


def test_cancelling_after_an_honest_answer_costs_nothing(client: Client) -> None:
    booking = book_asked(make_world(late_fee=20))
    follow_link(client, booking)
    client.post("/visit/recheck/", BURNT)

    page = client.get("/visit/cancel/")
    client.post("/visit/cancel/", {"reason": ""})

    booking.refresh_from_db()
    assert "It costs you nothing." in text_of(page)
    assert (booking.state, booking.is_late_cancellation) == (BookingState.CANCELLED, False)


def test_no_choice_leaves_the_task_and_the_visit(patient: Client, booking: Booking) -> None:
    patient.post("/visit/recheck/", BURNT)
    patient.post("/visit/recheck/", BURNT)

    page = text_of(patient.get("/visit/"))

    booking.refresh_from_db()
    assert len(tasks(TaskKind.RECHECK)) == 1
    assert booking.state == BookingState.CONFIRMED
    assert "Something is new with your skin" in page
    assert "We wait" not in page


def test_asking_the_clinic_is_one_press_and_one_task(patient: Client, booking: Booking) -> None:
    patient.post("/visit/recheck/", BURNT)

    asked = patient.post("/visit/ask/", follow=True)
    patient.post("/visit/ask/")

    assert [task.note for task in tasks(TaskKind.RECHECK)] == ["Asked us to decide."]
    assert "We will try to call you before your visit. Until then your visit stands." in text_of(asked)


def test_asked_in_time_the_clinic_says_by_when_it_calls(patient: Client, clock) -> None:
    clock.move_to(local(THURSDAY - 3 * DAY, 9))

    asked = patient.post("/visit/ask/", follow=True)

    assert "We will call you by Monday 7 December, 6pm." in text_of(asked)


def test_nothing_new_closes_the_question_that_was_open(patient: Client) -> None:
    patient.post("/visit/ask/")

    patient.post("/visit/recheck/", {"anything_new": "no"})

    assert tasks(TaskKind.RECHECK) == []


def test_nothing_new_does_not_undo_what_still_stands_in_the_way(patient: Client) -> None:
    patient.post("/visit/recheck/", BURNT)

    told = patient.post("/visit/recheck/", {"anything_new": "no"})

    assert told.headers["Location"] == "/visit/longer/"
    assert len(tasks(TaskKind.RECHECK)) == 1


def test_what_a_clinician_has_to_see_keeps_the_visit_until_they_call(patient: Client, booking: Booking) -> None:
    page = patient.post("/visit/recheck/", FLARING, follow=True)

    booking.refresh_from_db()
    words = text_of(page)
    assert "A clinician looks at this first" in words
    assert "stands until we call" in words
    assert (booking.state, len(tasks(TaskKind.RECHECK))) == (BookingState.CONFIRMED, 1)


def test_what_changes_nothing_is_passed_on(patient: Client) -> None:
    """A cream three days before the visit is over by then: a note."""
    creamed = {name: "no" for name in AGAIN_NO if name != "q5"}

    told = patient.post("/visit/recheck/", {**creamed, "q5_parts": ["q5-scrub"], "q5_date": "2026-12-07"}, follow=True)

    assert "Thank you. We told your practitioner. See you on Thursday 10 December, 10am." in text_of(told)
    assert [run.verdict for run in rounds()] == [Verdict.NOTE]
    assert Task.objects.count() == 0


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_a_warning_sign_waits_for_no_other_answer(patient: Client, booking: Booking, answer: str) -> None:
    page = patient.post("/visit/recheck/", {"q1": answer}, follow=True)

    booking.refresh_from_db()
    words = text_of(page)
    assert page.redirect_chain == [("/visit/help/", 303)]
    assert "Get medical help first" in words
    assert 'href="tel:911"' in words
    assert "Your visit on Thursday 10 December, 10am is off. There is nothing to pay." in words
    assert "A person of ours will call you." in words
    assert booking.state == BookingState.SUSPENDED
    assert not Booking.objects.upcoming().exists()
    assert booking.claims.count() == 0
    assert [(task.kind, task.is_urgent) for task in Task.objects.open()] == [(TaskKind.WARNING_SIGN, True)]
    assert rounds() == []


def test_a_second_press_on_a_warning_sign_changes_nothing(patient: Client) -> None:
    patient.post("/visit/recheck/", {"q1": "yes"})
    before = everything()

    again = patient.post("/visit/recheck/", {"q1": "yes"})

    assert again.headers["Location"] == "/visit/help/"
    assert everything() == before


def test_a_suspended_visit_says_what_to_do(patient: Client) -> None:
    patient.post("/visit/recheck/", {"q1": "yes"})

    words = text_of(patient.get("/visit/"))

    assert "Get medical help first. Your visit is off, and there is nothing to pay." in words
    assert "What to do now" in words
    assert "Move it" not in words


def test_a_sore_spot_is_for_a_clinician(patient: Client) -> None:
    page = patient.post("/visit/recheck/", SORE, follow=True)

    assert "A clinician needs to see your skin first" in text_of(page)
    assert "We cannot extract a sore or infected spot." in text_of(page)
    assert starts_on(page) == []


def test_what_staff_allowed_for_this_time_is_not_in_the_way(patient: Client, booking: Booking) -> None:
    patient.post("/visit/recheck/", BURNT)
    lifecycle.reschedule(
        booking,
        practitioner=None,
        start=TEN + dt.timedelta(hours=1),
        by=clinician(),
        override="Only a pink nose.",
        now=DAY_BEFORE,
    )

    told = patient.post("/visit/recheck/", {"anything_new": "no"}, follow=True)

    assert "See you on Thursday 10 December, 11am." in text_of(told)
    assert tasks(TaskKind.RECHECK) == []


def test_who_never_answered_is_asked_all_of_it(client: Client, world: World) -> None:
    booking = world.book(TEN)
    follow_link(client, booking)

    shown = text_of(client.get("/visit/"))
    page = client.get("/visit/recheck/")
    pressed = client.post("/visit/recheck/", {"anything_new": "no"})
    answered = client.post("/visit/recheck/", {f"q{number}": "no" for number in range(1, 13)})

    booking.refresh_from_db()
    assert "We still need to know a few things" in shown
    assert "Nothing new" not in shown + text_of(page)
    assert "div_id_q12" in page.content.decode()
    assert (pressed.status_code, answered.status_code) == (422, 303)
    assert not booking.is_screening_outstanding


def test_looking_changes_nothing(patient: Client) -> None:
    patient.post("/visit/recheck/", BURNT)
    before = everything()

    paths = ["/visit/", "/visit/recheck/", "/visit/longer/", "/visit/move/", "/visit/help/", "/visit/cancel/"]
    pages = [patient.get(path) for path in paths * 2]

    assert [page.status_code for page in pages] == [200] * 12
    assert [parsed(page).headings for page in pages] == [1] * 12
    assert everything() == before
    assert [patient.get(path).status_code for path in ("/visit/ask/", "/visit/consult/")] == [405, 405]


def test_a_visit_that_nothing_stands_in_the_way_of_has_nothing_to_choose(patient: Client) -> None:
    assert patient.get("/visit/longer/").headers["Location"] == "/visit/"


def test_what_is_over_takes_no_answers(patient: Client, booking: Booking) -> None:
    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)
    before = everything()

    over = [patient.post(f"/visit/{act}/", AGAIN_NO) for act in ("recheck", "squeezed", "ask", "consult")]

    assert [page.status_code for page in over] == [409] * 4
    assert everything() == before


def test_a_browser_without_a_link_sees_no_visit(client: Client, booking: Booking) -> None:
    paths = ["recheck", "squeezed", "longer", "check-in", "help", "worse"]

    assert {client.get(f"/visit/{path}/").status_code for path in paths} == {410}
    assert client.post("/visit/recheck/", BURNT).status_code == 410
