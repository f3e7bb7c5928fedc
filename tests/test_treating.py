"""Nobody is treated while something stands in the way: not in the room, and not on paper afterwards."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings import lifecycle
from bookings.models import (
    Booking,
    BookingState,
    Consent,
    ConsentWay,
    Guardian,
    Outcome,
    OutgoingEmail,
    Patient,
    RunKind,
    Task,
    TaskKind,
)
from clinic.models import Service
from clinic.screening import Answered
from tests.course import staff
from tests.desk import (
    DARK_MARKS,
    DIABETES,
    MONDAY,
    NO,
    TUESDAY,
    answers_of,
    book_with,
    cold_sore,
    page_of,
    posted,
    signed_in,
    someone,
    words_of,
)
from tests.factories import NOW, World, local
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
MINUTE = dt.timedelta(minutes=1)
SORE = cold_sore(dt.date(2026, 11, 29))
MOTHER = lifecycle.GuardianDetails(name="Mo Kay", relation="mother", phone="+12125550124", email="mo@example.org")
REASON = {"reason": "Seen it, healed well"}


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2, online_from_age=13)
    Service.objects.update(body_areas=["nose"])
    found.service.refresh_from_db()
    return found


@pytest.fixture
def booking(world: World, time_machine: Any) -> Booking:
    time_machine.move_to(NOW, tick=False)
    made = book_with(world, TEN, name="Sam Kay")
    time_machine.move_to(TEN, tick=False)
    return made


@pytest.fixture
def reception() -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


def again(booking: Booking) -> Booking:
    return Booking.objects.with_everything().get(pk=booking.pk)


def say(booking: Booking, answers: dict[str, Answered], *, now: dt.datetime = TEN) -> None:
    """At the desk, to somebody who stands there."""
    lifecycle.answer_again(again(booking), answers=answers, kind=RunKind.DESK, by=staff(), now=now)


def treat(booking: Booking, *, now: dt.datetime = TEN) -> Booking:
    return lifecycle.complete(again(booking), by=staff(), now=now)


def call_in(booking: Booking, *, now: dt.datetime = TEN) -> Booking:
    return lifecycle.enter_room(again(booking), by=staff(), now=now)


def mails(booking: Booking) -> list[str]:
    return list(OutgoingEmail.objects.filter(booking=booking).order_by("pk").values_list("kind", flat=True))


# What stands in the way of the room, and of "treated"


@pytest.mark.parametrize("yes", [DIABETES, SORE, {**DIABETES, **SORE}])
def test_what_somebody_says_on_arrival_keeps_them_out_of_the_room(booking: Booking, yes: dict[str, Answered]) -> None:
    lifecycle.arrive(booking, by=staff(), now=TEN)
    say(booking, yes)

    [task] = Task.objects.open()
    assert (task.kind, task.is_urgent, task.due_at) == (TaskKind.RECHECK, True, TEN)
    with pytest.raises(lifecycle.ClinicianFirst):
        call_in(booking)
    with pytest.raises(lifecycle.ClinicianFirst):
        treat(booking)
    assert again(booking).state == BookingState.ARRIVED
    assert Task.objects.open().get() == task


def test_what_is_only_good_to_know_keeps_nobody_out(booking: Booking) -> None:
    lifecycle.arrive(booking, by=staff(), now=TEN)
    say(booking, DARK_MARKS)

    assert call_in(booking).state == BookingState.IN_ROOM
    assert not Task.objects.open().exists()


def test_an_answer_that_is_put_right_on_arrival_opens_the_room(booking: Booking) -> None:
    lifecycle.arrive(booking, by=staff(), now=TEN)
    say(booking, DIABETES)
    say(booking, {"Q12": NO}, now=TEN + MINUTE)

    assert not Task.objects.open().exists()
    assert call_in(booking, now=TEN + MINUTE).state == BookingState.IN_ROOM


@pytest.mark.parametrize("state", [BookingState.CONFIRMED, BookingState.ARRIVED, BookingState.IN_ROOM])
@pytest.mark.parametrize("outcome", [Outcome.NOT_TREATED, Outcome.REFERRED])
def test_whatever_stands_a_visit_is_closed_as_not_treated(booking: Booking, state: str, outcome: Outcome) -> None:
    Consent.objects.all().delete()
    Booking.objects.update(state=state)
    say(booking, DIABETES)

    closed = lifecycle.complete(again(booking), outcome=outcome, by=staff(), now=TEN)

    assert (closed.state, closed.outcome) == (BookingState.COMPLETED, outcome)
    assert not Task.objects.open().exists()


def test_treated_waits_for_the_questions_the_advice_and_the_guardian_in_turn(world: World, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    child = world.book(TEN, consents=())
    # Their date of birth was put right since.
    Patient.objects.update(date_of_birth=dt.date(2010, 5, 1))

    def stops(refusal: type[lifecycle.NotReady]) -> None:
        for act in (treat, call_in):
            with pytest.raises(refusal):
                act(child)

    stops(lifecycle.QuestionsFirst)
    say(child, answers_of(world, {}))
    stops(lifecycle.GuidanceFirst)
    lifecycle.record_guidance(child, way=ConsentWay.SPOKEN, by=staff(), now=TEN)
    stops(lifecycle.GuardianFirst)
    guardian = lifecycle.name_guardian(child, details=MOTHER, by=staff(), now=TEN)
    stops(lifecycle.GuardianFirst)
    lifecycle.agree(guardian, by=staff(), now=TEN)
    # A clinician looks at every minor first, and nobody has looked at this one.
    stops(lifecycle.ClinicianFirst)
    lifecycle.approve(again(child), by=someone("clinician"), reason="Gentle work only", now=TEN)

    assert treat(child).outcome == Outcome.TREATED


def test_what_is_private_is_asked_in_the_room_and_before_treated(world: World, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    child = book_with(world, TEN, without=("Q11",), date_of_birth=dt.date(2010, 5, 1), guardian=MOTHER, name="Sam Kay")
    lifecycle.approve(child, by=someone("clinician"), reason="Gentle work only", now=NOW)
    lifecycle.agree(Guardian.objects.get(), by=staff(), now=NOW)
    assert call_in(child).state == BookingState.IN_ROOM

    with pytest.raises(lifecycle.QuestionsFirst):
        treat(child)
    say(child, {"Q11": NO})
    assert treat(child).outcome == Outcome.TREATED


def test_a_clinic_that_asks_nothing_has_nothing_open() -> None:
    booking = World().book(TEN)

    assert lifecycle.enter_room(booking, by=staff(), now=TEN).state == BookingState.IN_ROOM


def test_a_visit_that_was_treated_later_stands_in_the_way_of_none_before_it(world: World, time_machine: Any) -> None:
    """Somebody forgot to close the first one."""
    time_machine.move_to(NOW, tick=False)
    first, second = book_with(world, TEN), book_with(world, local(TUESDAY, 10))
    assert first.patient == second.patient
    Booking.objects.filter(pk=second.pk).update(
        state=BookingState.COMPLETED, outcome=Outcome.TREATED, treated_areas=["nose"], closed_at=local(TUESDAY, 11)
    )

    assert treat(first, now=local(TUESDAY, 12)).outcome == Outcome.TREATED


def test_a_treatment_too_soon_before_stands_in_the_way(world: World, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    first, second = book_with(world, TEN), book_with(world, local(TUESDAY, 10))
    treat(first)

    with pytest.raises(lifecycle.ClinicianFirst):
        call_in(second, now=local(TUESDAY, 10))
    assert Task.objects.open().filter(kind=TaskKind.RECHECK, booking=second, is_urgent=True).count() == 1

    lifecycle.approve(again(second), by=someone("clinician"), reason="Another spot", now=local(TUESDAY, 10))
    assert call_in(second, now=local(TUESDAY, 10)).state == "in_room"


# A clinician says yes to somebody who is here


@pytest.mark.parametrize("state", [BookingState.CONFIRMED, BookingState.ARRIVED, BookingState.IN_ROOM])
def test_a_clinician_approves_who_is_here_and_nobody_is_mailed(booking: Booking, state: str) -> None:
    Booking.objects.update(state=state)
    say(booking, {**DIABETES, **SORE})
    was, sent, clinician = again(booking), mails(booking), someone("clinician")

    for minutes in range(2):
        lifecycle.approve(again(booking), by=clinician, reason="Seen it, healed well", now=TEN + minutes * MINUTE)

    found = again(booking)
    assert (found.state, found.sequence, found.arranged_at) == (state, was.sequence, was.arranged_at)
    assert found.approved_at == TEN
    assert mails(booking) == sent
    assert list(found.events.values_list("verb", flat=True))[-2:] == ["rule bent", "approved"]
    assert not Task.objects.open().exists()
    assert treat(booking, now=TEN + 2 * MINUTE).outcome == Outcome.TREATED


def test_what_is_said_after_a_yes_needs_another_one(booking: Booking) -> None:
    lifecycle.arrive(booking, by=staff(), now=TEN)
    say(booking, DIABETES)
    lifecycle.approve(again(booking), by=someone("clinician"), reason="Fine", now=TEN + MINUTE)
    call_in(booking, now=TEN + MINUTE)
    lifecycle.answer_again(again(booking), answers=SORE, kind=RunKind.DESK, by=staff(), now=TEN + 2 * MINUTE)

    with pytest.raises(lifecycle.ClinicianFirst):
        treat(booking, now=TEN + 3 * MINUTE)


def test_nobody_else_says_yes_and_a_yes_to_what_is_over_is_refused(booking: Booking) -> None:
    clinician = someone("clinician")
    say(booking, DIABETES)
    with pytest.raises(lifecycle.NotAllowed):
        lifecycle.approve(again(booking), by=someone("reception"), reason="Fine", now=TEN)

    lifecycle.complete(again(booking), outcome=Outcome.NOT_TREATED, by=clinician, now=TEN)
    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.approve(again(booking), by=clinician, reason="Fine", now=TEN)


def test_a_wait_that_was_bent_stays_bent_by_a_yes_to_something_newer(booking: Booking) -> None:
    """A week before: the cold sore is approved, then diabetes is."""
    clinician = someone("clinician")
    for number, yes in enumerate((cold_sore(dt.date(2026, 11, 22)), DIABETES)):
        now = NOW + number * MINUTE
        lifecycle.answer_again(again(booking), answers=yes, kind=RunKind.RECHECK, by=staff(), now=now)
        lifecycle.approve(again(booking), by=clinician, reason="Fine", now=now)

    assert treat(booking).outcome == Outcome.TREATED


# At the desk


def test_the_refusal_offers_what_helps(booking: Booking, reception: Client) -> None:
    reception.post(page_of(booking, "arrive"))
    practitioner, clinician = signed_in("practitioner"), signed_in("clinician")
    form = practitioner.get(page_of(booking, "ask") + "?all=1").context["form"]
    practitioner.post(page_of(booking, "ask") + "?all=1", posted(form, q12="yes", q12_parts=["q12-diabetes"]))

    refused = reception.post(page_of(booking, "enter_room"))
    said = words_of(refused)
    assert refused.status_code == 409
    assert "A clinician has to decide first" in said
    assert "A task tells them." in said
    assert page_of(booking, "approve") not in refused.content.decode()
    assert page_of(booking, "close") in refused.content.decode()
    closed = reception.post(page_of(booking, "close"), {"outcome": "treated", "areas": ["nose"]})
    assert (closed.status_code, again(booking).state) == (409, BookingState.ARRIVED)
    assert "Urgent" in words_of(signed_in("clinician").get("/desk/tasks/"))

    offered = clinician.post(page_of(booking, "enter_room")).content.decode()
    assert f'class="btn" href="{page_of(booking, "approve")}"' in offered
    assert "Approve what is new" in words_of(clinician.get(page_of(booking)))
    assert "Q12: diabetes. A clinician decides." in words_of(clinician.get(page_of(booking, "approve")))
    response = clinician.post(page_of(booking, "approve"), REASON, follow=True)
    assert response.redirect_chain == [(page_of(booking), 302)]
    assert "confirmation" not in words_of(response).partition("Messages")[0]
    assert "Approve what is new" not in words_of(response)

    assert reception.post(page_of(booking, "enter_room")).status_code == 302
    assert reception.post(page_of(booking, "close"), {"outcome": "treated", "areas": ["nose"]}).status_code == 302
    assert again(booking).outcome == Outcome.TREATED


def test_closing_as_treated_offers_to_write_down_the_advice(booking: Booking, reception: Client) -> None:
    Consent.objects.all().delete()

    refused = reception.post(page_of(booking, "close"), {"outcome": "treated", "areas": ["nose"]})

    assert (refused.status_code, again(booking).state) == (409, BookingState.CONFIRMED)
    assert "Advice read here" in words_of(refused)
    reception.post(page_of(booking, "guidance_read"), {"way": "spoken"})
    assert reception.post(page_of(booking, "close"), {"outcome": "treated", "areas": ["nose"]}).status_code == 302
