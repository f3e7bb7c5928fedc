"""What later answers do to earlier ones, and to what a clinician decided on them."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission, User

from bookings import lifecycle
from bookings.models import Booking, BookingState, RunKind, ScreeningRun, Task, TaskKind
from bookings.models.event import Actor
from clinic import screening
from clinic.screening import Answer, Answered
from tests.factories import NOW, World, local, make_details, make_staff
from tests.online import THURSDAY, make_world

pytestmark = pytest.mark.django_db

TEN = local(THURSDAY, 10)
DAY_BEFORE = local(THURSDAY - dt.timedelta(days=1), 10)
NO = Answered(Answer.NO)
ALL_NO = {f"Q{number}": NO for number in range(1, 13)}
AGAIN_NO = {f"Q{number}": NO for number in (1, 2, 3, 5, 6, 7)}


@pytest.fixture
def world() -> World:
    return make_world(practitioners=1)


@pytest.fixture
def clinician() -> User:
    user = make_staff("clinician")
    user.user_permissions.add(Permission.objects.get(codename="decide_reviews"))
    return user


def yes(*parts: str, date: dt.date | None = None) -> Answered:
    return Answered(Answer.YES, frozenset(parts), date)


def book(world: World, **answers: Answered) -> Booking:
    held = world.hold(TEN, visitor="v")
    book = screening.rulebook(world.clinic)
    run = ScreeningRun.objects.create(
        answers={code: each.as_json() for code, each in {**ALL_NO, **answers}.items()},
        versions=book.versions(world.service.codes),
        made_at=NOW,
        expires_at=NOW + dt.timedelta(hours=24),
    )
    return lifecycle.confirm(held, details=make_details(), visitor="v", run=run, now=NOW)


def recheck(booking: Booking, now: dt.datetime = DAY_BEFORE, **answers: Answered) -> None:
    said = {**AGAIN_NO, **answers}
    lifecycle.answer_again(booking, answers=said, kind=RunKind.RECHECK, by=Actor.PATIENT, now=now)


def open_tasks(booking: Booking) -> list[str]:
    return list(Task.objects.open().filter(booking=booking).values_list("kind", flat=True))


def test_a_new_yes_without_a_date_takes_no_date_from_an_old_one(world: World) -> None:
    booking = book(world, Q7=yes("q7-broken", date=dt.date(2026, 11, 20)))

    recheck(booking, Q7=yes("q7-broken"))

    assert open_tasks(booking) == [TaskKind.RECHECK]


def test_an_undated_cream_counts_from_the_day_it_was_said(world: World) -> None:
    booking = book(world, Q5=yes("q5-retinoid"))

    recheck(booking)

    assert open_tasks(booking) == []


def test_what_was_approved_is_looked_at_again_when_it_is_answered_yes_again(world: World, clinician: User) -> None:
    booking = book(world, Q7=yes("q7-flare"))
    assert booking.state == BookingState.PENDING
    lifecycle.approve(booking, by=clinician, reason="Mild.", now=NOW)
    recheck(booking, local(THURSDAY - dt.timedelta(days=2), 10))
    assert open_tasks(booking) == []

    recheck(booking, Q7=yes("q7-flare"))

    assert open_tasks(booking) == [TaskKind.RECHECK]


def test_nobody_approves_answers_that_came_in_while_they_read(world: World, clinician: User) -> None:
    booking = book(world, Q12=yes("q12-diabetes"))
    read = booking.screenings.get().pk
    recheck(booking, Q7=yes("q7-broken", date=THURSDAY - dt.timedelta(days=1)))

    with pytest.raises(lifecycle.NewAnswers):
        lifecycle.approve(booking, by=clinician, reason="Diabetes is fine.", read=read, now=DAY_BEFORE)

    booking.refresh_from_db()
    assert booking.state == BookingState.PENDING


def test_a_skin_check_that_must_come_first_is_bent_by_nobody(world: World, clinician: User) -> None:
    booking = book(world, Q12=yes("q12-diabetes"))
    recheck(booking, Q2=yes())

    with pytest.raises(lifecycle.ConsultOnly):
        lifecycle.approve(booking, by=clinician, reason="Fine.", now=DAY_BEFORE)


def test_asked_once_more_at_the_clinic_a_wrong_yes_is_put_right(world: World, clinician: User) -> None:
    booking = book(world, Q9=yes("q9-aspirin"))

    lifecycle.answer_again(booking, answers=ALL_NO, kind=RunKind.DESK, by=clinician, now=DAY_BEFORE)

    outlook = lifecycle.outlook_for(booking, DAY_BEFORE)
    assert outlook.outcome(booking.practitioner.code, booking.local_date).findings == ()


def test_a_review_opens_so_late_that_the_reply_comes_before_the_notice(world: World) -> None:
    booking = book(world, Q12=yes("q12-diabetes"))
    outlook = lifecycle.outlook_for(booking, NOW)

    assert outlook.review_opens - outlook.reply_by == world.clinic.minimum_notice
    assert set(outlook.opens_at.values()) == {outlook.review_opens}


def test_a_move_takes_the_answers_along(world: World) -> None:
    booking = book(world, Q3=yes(date=dt.date(2026, 11, 20)))
    later = THURSDAY + dt.timedelta(days=28)
    kept = dt.timedelta(days=world.clinic.answers_kept_days)

    lifecycle.reschedule(booking, practitioner=None, start=local(later, 10), by=Actor.PATIENT, now=NOW)

    run = booking.screenings.get()
    assert (run.verdict, run.delete_on) == ("NOTE", later + kept)


def test_what_was_approved_stays_approved_however_often_the_visit_moves(world: World, clinician: User) -> None:
    booking = book(world, Q12=yes("q12-diabetes"))
    lifecycle.approve(booking, by=clinician, reason="Well controlled.", now=NOW)

    for day in (1, 4, 5):
        start = local(THURSDAY + dt.timedelta(days=day), 10)
        booking = lifecycle.reschedule(booking, practitioner=None, start=start, by=Actor.PATIENT, now=NOW)

        assert booking.state == BookingState.CONFIRMED
