"""What a minor is asked alone, in the room, reaches no page and no mail that a guardian may read."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client

from bookings import emails, lifecycle
from bookings.models import Booking, BookingState, OutgoingEmail, RunKind, Task, TaskKind
from bookings.outbox import STAFF_NOTICE
from clinic.models import Clinic, Verdict
from clinic.screening import Answer, Answered
from tests.course import clinician, staff
from tests.factories import NOW, PATIENT, World, local
from tests.online import TEN, THURSDAY, make_world, text_of
from tests.visits import DAY, DAY_BEFORE, book_asked, everything, follow_link, make_consult

pytestmark = pytest.mark.django_db

NO, YES = Answered(Answer.NO), Answered(Answer.YES)
PREGNANT, BURNT = {"Q11": YES}, {"Q7": Answered(Answer.YES, frozenset({"q7-broken"}), dt.date(2026, 12, 8))}
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
PAGES = ["/visit/", "/visit/longer/", "/visit/move/", "/visit/cancel/", "/visit/recheck/", "/visit/squeezed/thanks/"]
LATER = local(THURSDAY + DAY, 11)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAY_BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    made = make_world(online_from_age=13, late_fee=20)
    make_consult()
    return made


def book_teen(world: World, born: dt.date = dt.date(2010, 5, 1), without: str = "") -> Booking:
    """Approved by a clinician; the guardian has the mail."""
    mother = lifecycle.GuardianDetails(name="Mo", relation="mother", phone="+12125550124", email="mo@example.org")
    booking = book_asked(world, date_of_birth=born, guardian=mother)
    for run in booking.screenings.all() if without else ():
        del run.answers[without]
        run.save(update_fields=["answers"])
        Booking.objects.update(is_screening_outstanding=True)
    if booking.state == BookingState.PENDING:
        booking = lifecycle.approve(booking, by=clinician(), reason="Fine.", now=NOW)
    return booking


def told_in_the_room(booking: Booking, **answers: Answered) -> None:
    lifecycle.answer_again(booking, answers=answers, kind=RunKind.DESK, by=staff(), now=DAY_BEFORE)


def seen(client: Client, booking: Booking) -> list[object]:
    follow_link(client, booking)
    pages = [client.get(path) for path in PAGES]
    return [(page.status_code, page.headers.get("Location"), TOKEN.sub("", text_of(page))) for page in pages]


def mails() -> int:
    return OutgoingEmail.objects.exclude(kind=STAFF_NOTICE).count()


def test_a_guardian_sees_the_very_same_pages_with_and_without_it(client: Client, world: World) -> None:
    booking = book_teen(world)
    before = seen(client, booking)

    told_in_the_room(booking, **PREGNANT)

    assert seen(client, booking) == before
    assert [task.kind for task in Task.objects.open()] == [TaskKind.RECHECK]
    assert booking.screenings.last().verdict == Verdict.REVIEW


def test_of_a_grown_up_the_pages_say_what_stands_in_the_way(client: Client, world: World) -> None:
    """Without this the test above would prove nothing."""
    booking = book_teen(world, born=dt.date(2000, 5, 1))

    told_in_the_room(booking, **PREGNANT)

    follow_link(client, booking)
    assert "We will not use retinoids." in text_of(client.get("/visit/longer/"))


@pytest.mark.parametrize(("left_out", "asks"), [("Q11", "Is anything new"), ("Q10", "We still need to know")])
def test_the_reminder_asks_what_the_page_asks(world: World, left_out: str, asks: str) -> None:
    booking = book_teen(world, without=left_out)

    letter = emails.letter_of("r24h", booking, now=DAY_BEFORE)

    assert booking.is_screening_outstanding
    assert asks in letter.message.text


def test_what_else_stands_is_told_without_it(client: Client, world: World) -> None:
    booking = book_teen(world)
    told_in_the_room(booking, **PREGNANT, **BURNT)
    follow_link(client, booking)

    words = text_of(client.get("/visit/longer/"))

    assert "We wait 7 days after sunburnt or broken skin." in words
    assert "retinoids" not in words
    assert "A clinician looks at what you told us" not in words


def test_nothing_new_is_thanked_for_as_ever(client: Client, world: World) -> None:
    booking = book_teen(world)
    told_in_the_room(booking, **PREGNANT)
    follow_link(client, booking)

    told = client.post("/visit/recheck/", {"anything_new": "no"}, follow=True)

    assert "Thank you. See you on Thursday 10 December, 10am." in text_of(told)
    assert [task.kind for task in Task.objects.open()] == [TaskKind.RECHECK]


def test_a_move_by_the_link_is_booked_at_once_and_a_clinician_is_still_asked(world: World, clock) -> None:
    booking = book_teen(world)
    lifecycle.answer_again(booking, answers=PREGNANT, kind=RunKind.DESK, by=staff(), now=TEN - 3 * DAY)

    moved = lifecycle.reschedule(booking, practitioner=None, start=LATER, by=PATIENT, now=TEN - 3 * DAY)

    assert (moved.state, moved.starts_at) == (BookingState.CONFIRMED, LATER)
    assert [task.kind for task in Task.objects.open()] == [TaskKind.RECHECK]
    assert lifecycle.standing(moved, lifecycle.outlook_for(moved, TEN - 3 * DAY))
    assert moved.screenings.last().verdict == Verdict.REVIEW


def test_a_move_at_the_desk_tells_no_more_than_the_new_time(world: World) -> None:
    booking = book_teen(world)
    lifecycle.answer_again(booking, answers=PREGNANT, kind=RunKind.DESK, by=staff(), now=TEN - 3 * DAY)

    moved = lifecycle.reschedule(booking, practitioner=None, start=LATER, by=staff(), now=TEN - 3 * DAY)

    assert OutgoingEmail.objects.exclude(kind=STAFF_NOTICE).latest("pk").kind == "moved"
    assert moved.state == BookingState.CONFIRMED
    assert [task.kind for task in Task.objects.open()] == [TaskKind.RECHECK]


def turns_18_on_the_new_day(world: World, clock) -> Booking:
    """Asked alone three days before, while a minor."""
    booking = book_teen(world, born=dt.date(LATER.year - 18, LATER.month, LATER.day))
    clock.move_to(TEN - 3 * DAY, tick=False)
    lifecycle.answer_again(booking, answers=PREGNANT, kind=RunKind.DESK, by=staff(), now=TEN - 3 * DAY)
    return booking


def test_moved_to_a_day_as_a_grown_up_a_clinician_looks_at_all_of_it(world: World, clock) -> None:
    booking = turns_18_on_the_new_day(world, clock)

    moved = lifecycle.reschedule(booking, practitioner=None, start=LATER, by=PATIENT, now=TEN - 3 * DAY)

    assert moved.state == BookingState.PENDING


def test_a_day_as_a_grown_up_that_is_too_soon_for_a_clinician_is_refused(world: World, clock) -> None:
    booking = turns_18_on_the_new_day(world, clock)
    Clinic.objects.update(reply_minutes=40 * 60)

    with pytest.raises(lifecycle.ReviewFirst):
        lifecycle.reschedule(booking, practitioner=None, start=LATER, by=PATIENT, now=TEN - 3 * DAY)
    booking.refresh_from_db()

    assert (booking.state, booking.starts_at) == (BookingState.CONFIRMED, TEN)


def test_it_frees_nobody_from_the_terms(world: World) -> None:
    """What is free for no reason that was ever told would tell of one."""
    booking = book_teen(world)
    told_in_the_room(booking, **PREGNANT)

    with pytest.raises(lifecycle.TooLate):
        lifecycle.reschedule(booking, practitioner=None, start=LATER, by=PATIENT, now=DAY_BEFORE)
    cancelled = lifecycle.cancel(booking, reason="", by=PATIENT, now=DAY_BEFORE)

    assert cancelled.is_late_cancellation


def test_what_a_clinician_decides_on_it_is_mailed_to_nobody(world: World) -> None:
    booking = book_teen(world)
    told_in_the_room(booking, **PREGNANT)
    before, sequence = mails(), booking.sequence

    approved = lifecycle.approve(booking, by=clinician(), reason="By hand only.", now=DAY_BEFORE)

    assert (mails(), approved.sequence, approved.state) == (before, sequence, BookingState.CONFIRMED)
    assert not Task.objects.open().exists()
    assert lifecycle.standing(approved, lifecycle.outlook_for(approved, DAY_BEFORE)) == []


def test_a_second_yes_of_the_clinician_changes_nothing(world: World) -> None:
    booking = book_teen(world)
    told_in_the_room(booking, **PREGNANT)
    lifecycle.approve(booking, by=clinician(), reason="By hand only.", now=DAY_BEFORE)
    before = everything()

    lifecycle.approve(booking, by=clinician(), reason="By hand only.", now=DAY_BEFORE)

    assert everything() == before
