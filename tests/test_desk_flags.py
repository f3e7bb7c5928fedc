"""What stands on a card of the day, and what must not: flags tell that something is known, never what."""

import datetime as dt
from typing import Any

import pytest

from bookings import followup, lifecycle
from bookings.models import Booking, BookingState, MailState, OutgoingEmail, RunKind, Task, TaskKind
from bookings.models.event import Actor
from clinic import words
from clinic.models import Clinic
from clinic.screening import Answer, Answered
from tests.desk import DARK_MARKS, DIABETES, MONDAY, NO, book_with, signed_in, words_of
from tests.factories import NEW_YORK, NOW, PATIENT, World, local, make_details, make_staff
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
SUNDAY_NOON = local(dt.date(2026, 11, 29), 12)


@pytest.fixture
def world() -> World:
    return make_world()


def flags_on(day: str = "2026-11-30") -> list[set[str]]:
    """The flags of every visit of a day, less those of any first visit."""
    board = signed_in("reception").get(f"/desk/?date={day}").context["board"]
    return [set(visit.flags) - {"First visit"} for visit in board.visits]


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


def test_a_visit_without_anything_to_know_carries_no_flag(world: World) -> None:
    book_with(world, TEN)

    assert flags_on() == [set()]


def test_answers_are_flagged_by_a_word_only(world: World) -> None:
    book_with(world, TEN, DARK_MARKS)

    assert flags_on() == [{"Answers"}]
    said = words_of(signed_in("reception").get("/desk/?date=2026-11-30"))
    assert "⚑ Answers" in said
    assert "dark marks" not in said


def test_what_waits_for_a_clinician_is_in_review(world: World) -> None:
    book_with(world, TEN, DIABETES)

    assert flags_on() == [{"Answers to review"}]
    assert "◆ In review" in words_of(signed_in("reception").get("/desk/?date=2026-11-30"))


def test_a_suspended_visit_leaves_the_day(world: World) -> None:
    booking = book_with(world, TEN)
    lifecycle.suspend(booking, by=PATIENT, now=NOW)

    assert flags_on() == []


def test_somebody_who_squeezed_is_flagged(world: World) -> None:
    booking = book_with(world, TEN)
    lifecycle.answer_again(booking, answers={"Q1": NO}, kind=RunKind.SQUEEZED, by=PATIENT, now=NOW)

    assert flags_on() == [{"Squeezed"}]


def test_a_guardian_who_has_not_agreed_is_flagged_until_they_have(world: World) -> None:
    Clinic.objects.update(online_from_age=13)
    mother = lifecycle.GuardianDetails(name="Mo", relation="mother", phone="+12125550124", email="mo@example.org")
    child = book_with(world, TEN, date_of_birth=dt.date(2010, 5, 1), guardian=mother)
    assert flags_on() == [{"Guardian", "Answers to review"}]

    lifecycle.agree(child.guardian, by=PATIENT, now=NOW)
    assert flags_on() == [{"Answers to review"}]

    child.guardian.delete()
    assert flags_on() == [{"Guardian", "Answers to review"}]


def reminded(world: World, clock: Any) -> Booking:
    """A visit whose patient was asked the day before whether anything is new."""
    booking = book_with(world, TEN)
    followup.run(NOW)
    assert flags_on() == [set()]
    clock.move_to(SUNDAY_NOON, tick=False)
    followup.run(SUNDAY_NOON)
    return booking


def test_who_has_not_answered_the_day_before_is_flagged(world: World, clock: Any) -> None:
    reminded(world, clock)

    assert flags_on() == [{"Not re-checked"}]


@pytest.mark.parametrize(
    ("answers", "flags"),
    [({"Q3": NO}, set()), ({"Q9": Answered(Answer.UNSURE)}, {"Answers", "Re-check: changed"})],
)
def test_who_has_answered_is_not_flagged_unless_something_is_new(
    world: World, clock: Any, answers: dict[str, Answered], flags: set[str]
) -> None:
    booking = reminded(world, clock)

    lifecycle.answer_again(booking, answers=answers, kind=RunKind.RECHECK, by=PATIENT, now=SUNDAY_NOON)

    assert flags_on() == [flags]


def test_who_was_never_reminded_is_flagged_all_the_same(world: World, clock: Any) -> None:
    """The worker was away: the reminder is listed as skipped."""
    book_with(world, TEN)
    followup.run(NOW)
    clock.move_to(TEN - dt.timedelta(hours=1), tick=False)
    followup.run(TEN - dt.timedelta(hours=1))

    assert OutgoingEmail.objects.get(kind="r24h").state == MailState.SKIPPED
    assert flags_on() == [{"Not re-checked"}]


def test_who_moved_inside_the_last_day_is_flagged_until_they_answer(world: World, clock: Any) -> None:
    booking = book_with(world, local(dt.date(2026, 12, 7), 10))
    clock.move_to(SUNDAY_NOON, tick=False)
    lifecycle.reschedule(booking, practitioner=None, start=TEN, by=make_staff(), now=SUNDAY_NOON)
    assert flags_on() == [{"Not re-checked"}]

    lifecycle.answer_again(booking, answers={"Q3": NO}, kind=RunKind.RECHECK, by=PATIENT, now=SUNDAY_NOON)

    assert flags_on() == [set()]


def test_a_visit_that_moved_was_not_asked_yet(world: World, clock: Any) -> None:
    booking = reminded(world, clock)

    lifecycle.reschedule(booking, practitioner=None, start=local(MONDAY, 15), by=make_staff(), now=SUNDAY_NOON)

    assert flags_on() == [set()]


def test_who_is_here_already_is_asked_in_person(world: World, clock: Any) -> None:
    booking = reminded(world, clock)

    lifecycle.arrive(booking, by=make_staff(), now=local(MONDAY, 8))

    assert Booking.objects.get().state == BookingState.ARRIVED
    assert flags_on() == [set()]


@pytest.mark.parametrize(("minutes", "flags"), [(9, set()), (10, {"Late"}), (14 * 60 - 1, {"Late"}), (14 * 60, set())])
def test_who_should_be_here_by_now_is_late_until_the_day_is_over(
    world: World, clock: Any, minutes: int, flags: set[str]
) -> None:
    booking = book_with(world, TEN)
    lifecycle.answer_again(booking, answers={"Q3": NO}, kind=RunKind.RECHECK, by=PATIENT, now=SUNDAY_NOON)

    clock.move_to(TEN + dt.timedelta(minutes=minutes), tick=False)

    assert flags_on() == [flags]


def test_who_says_how_late_they_will_be_is_flagged_with_it_until_they_are_here(world: World, clock: Any) -> None:
    booking = book_with(world, TEN)
    Booking.objects.filter(pk=booking.pk).update(late_minutes=20)
    assert flags_on() == [{"Late 20 min"}]

    clock.move_to(TEN + dt.timedelta(minutes=20), tick=False)
    lifecycle.arrive(booking, by=make_staff(), now=TEN + dt.timedelta(minutes=20))

    assert flags_on() == [set()]


def test_what_would_make_a_visit_easier_is_an_access_need_and_said_on_the_visits_page_only(world: World) -> None:
    book_with(world, TEN, wishes="I use a wheelchair")

    assert flags_on() == [{"Access need"}]
    assert "wheelchair" not in words_of(signed_in("reception").get("/desk/?date=2026-11-30"))


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "9am, 1 minute late"),
        (1, "9:01am, 1 minute left"),
        (59, "9:59am, 59 minutes left"),
        (60, "10am, 1 hour left"),
        (8 * 60 + 59, "5:59pm, 8 hours left"),
        (47 * 60, "Wednesday 25 November, 8am, 47 hours left"),
        (48 * 60, "Wednesday 25 November, 9am, 2 days left"),
        (-90, "7:30am, 1 hour late"),
        (-3 * 24 * 60, "Friday 20 November, 9am, 3 days late"),
    ],
)
def test_a_clock_is_told_in_words(minutes: int, said: str) -> None:
    assert words.due(NOW + dt.timedelta(minutes=minutes), NOW, NEW_YORK) == said


def test_the_first_visit_is_the_first_one_that_they_came_to(world: World) -> None:
    missed, second = (world.book(at, name="Sam Kay") for at in (TEN, local(MONDAY, 14)))
    lifecycle.miss(missed, by=make_staff(), now=missed.ends_at)

    board = signed_in("reception").get("/desk/?date=2026-11-30").context["board"]

    flags = {visit.booking.pk: set(visit.flags) for visit in board.visits}
    assert "First visit" in flags[second.pk]


# Mail


def lose_confirmations() -> None:
    OutgoingEmail.objects.filter(kind="confirmed").update(state=MailState.FAILED)


def line_above() -> str:
    return words_of(signed_in("reception").get("/desk/"))


def test_a_message_that_was_written_anew_is_not_counted_above_the_board(world: World) -> None:
    booking = world.book(TEN)
    lose_confirmations()

    lifecycle.correct_email(booking, email="right@example.org", by=make_staff(), now=NOW)
    assert "1 message failed" in line_above()

    newest = OutgoingEmail.objects.filter(kind="confirmed").latest("pk")
    OutgoingEmail.objects.filter(pk=newest.pk).update(state=MailState.SENT, sent_at=NOW)
    assert "failed" not in line_above()


def test_a_visit_that_is_over_has_no_failed_message_above_the_board(world: World, clock: Any) -> None:
    world.book(TEN)
    world.book(local(dt.date(2026, 12, 1), 10))
    lose_confirmations()
    assert "2 messages failed" in line_above()

    clock.move_to(TEN + dt.timedelta(hours=1), tick=False)

    assert "1 message failed" in line_above()


def phone_tasks() -> list[Task]:
    return list(Task.objects.open().filter(kind=TaskKind.PHONE_PATIENT))


@pytest.mark.parametrize(
    "act",
    [
        lambda booking: lifecycle.correct_email(booking, email="right@example.org", by=make_staff(), now=NOW),
        lambda booking: lifecycle.cancel(booking, reason="", by=make_staff(), now=NOW),
        lambda booking: lifecycle.arrive(booking, by=make_staff(), now=TEN),
        lambda booking: lifecycle.miss(booking, by=make_staff(), now=booking.ends_at),
    ],
)
def test_nobody_is_phoned_about_a_message_that_no_longer_matters(world: World, act: Any) -> None:
    booking = world.book(TEN)
    lifecycle.leave_task(booking, TaskKind.PHONE_PATIENT, now=NOW, note="An e-mail did not arrive.")

    act(booking)

    assert phone_tasks() == []


def test_whoever_has_no_address_is_still_phoned_about_a_visit_that_is_off(world: World) -> None:
    booking = without_address(world)
    assert [task.note.partition("\n")[2] for task in phone_tasks()] == ["There is no e-mail address."]

    lifecycle.cancel(booking, reason="", by=Actor.STAFF, now=NOW)

    [task] = phone_tasks()
    assert "cancel" in task.note.lower()
    assert task.due_at == NOW + dt.timedelta(hours=2)


def without_address(world: World, start: dt.datetime = TEN) -> Booking:
    """Booked by phone, for somebody who has none."""
    held = world.hold(start, visitor="desk-1")
    details = make_details(email="")
    return lifecycle.confirm(held, details=details, visitor="desk-1", by=make_staff(), now=NOW)


def test_somebody_without_an_address_is_no_failed_mail(world: World) -> None:
    without_address(world)

    assert flags_on() == [{"No email", "Screening outstanding"}]
    assert "failed" not in line_above()


def test_who_booked_by_phone_without_an_address_is_phoned_in_time_for_the_visit(world: World) -> None:
    without_address(world)

    assert [task.due_at for task in phone_tasks()] == [TEN - dt.timedelta(days=1)]
