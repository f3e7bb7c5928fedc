"""Nobody came: the mail that invites them back, the way back from a wrong tap, and who books by phone from then on."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.core import mail

from bookings import eligibility, followup, lifecycle, outbox
from bookings.models import Booking, BookingState, Outcome, OutgoingEmail, Patient, Task, TaskKind
from bookings.models.event import Actor
from clinic.models import Clinic, Service
from tests.desk import book_with
from tests.factories import NOW, World, load_signed_content, local, make_details, make_staff

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
TUESDAY = dt.date(2026, 11, 24)
START = local(TUESDAY, 10)
LATE = START + 20 * MINUTE
NEXT_WEEK = local(TUESDAY + dt.timedelta(days=7), 10)


@pytest.fixture(autouse=True)
def _mail_is_sent(settings: Any) -> None:
    settings.MAIL_IS_SENT = True
    settings.SITE_URL = "https://clinic.example.org"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def booking(world: World) -> Booking:
    made = world.book(START)
    outbox.send_due(NOW)
    mail.outbox.clear()
    return made


def again(booking: Booking) -> Booking:
    return Booking.objects.with_everything().get(pk=booking.pk)


def rows(booking: Booking, *kinds: str) -> list[tuple[str, str]]:
    found = OutgoingEmail.objects.filter(booking=booking, kind__in=kinds or ["missed"]).order_by("pk")
    return list(found.values_list("kind", "state"))


def verbs(booking: Booking) -> list[str]:
    return list(booking.events.values_list("verb", flat=True))


def subjects_sent(now: dt.datetime) -> list[str]:
    outbox.send_due(now)
    return [str(letter.subject) for letter in mail.outbox]


def missed_before(name: str = "Robin Example", *, times: int, now: dt.datetime = NOW, days_ago: int = 10) -> Patient:
    """Somebody with these details who missed so many visits. Rows as the verbs left them, some time ago."""
    details = make_details(name=name)
    same = {key: getattr(details, key) for key in ("name", "email", "phone", "date_of_birth")}
    patient = Patient.objects.filter(**same).first() or Patient.objects.create(**same, created_at=now)
    for number in range(times):
        start = now - dt.timedelta(days=days_ago + number)
        old = Booking.objects.earliest("pk")
        old.pk, old.reference, old.calendar_uid = None, f"OLD{number}{days_ago}"[:8], uuid.uuid4()
        old.state, old.patient, old.expires_at = BookingState.MISSED, patient, None
        old.starts_at, old.ends_at = start, start + 30 * MINUTE
        old.save()
    return patient


# The mail


def test_fifteen_minutes_after_a_no_show_a_kind_mail_invites_them_back(booking: Booking) -> None:
    lifecycle.miss(booking, by=make_staff(), now=LATE)

    assert subjects_sent(LATE + 14 * MINUTE) == []
    assert subjects_sent(LATE + 15 * MINUTE) == ["We missed you on Tuesday 24 November"]
    [letter] = mail.outbox
    assert "Your visit was on Tuesday 24 November, 10am. We hope that you are well." in " ".join(letter.body.split())
    assert "https://clinic.example.org/book/nose/check/" in letter.body
    assert "Or call us: 212 555 0100." in letter.body
    assert "Nose" not in letter.subject
    assert rows(booking) == [("missed", "sent")]


def test_who_is_back_by_then_is_sent_nothing(booking: Booking) -> None:
    lifecycle.miss(booking, by=make_staff(), now=LATE)

    lifecycle.unmiss(again(booking), by=make_staff("other"), now=LATE + 10 * MINUTE)

    assert subjects_sent(LATE + 20 * MINUTE) == []
    assert rows(booking) == []


def test_who_is_missed_twice_is_written_to_once(booking: Booking) -> None:
    staff = make_staff()
    for _ in range(2):
        lifecycle.miss(again(booking), by=staff, now=LATE)
        lifecycle.unmiss(again(booking), by=staff, now=LATE + MINUTE)
    lifecycle.miss(again(booking), by=staff, now=LATE + 2 * MINUTE)
    assert rows(booking) == [("missed", "queued")]

    assert len(subjects_sent(LATE + 17 * MINUTE)) == 1
    lifecycle.unmiss(again(booking), by=staff, now=LATE + HOUR)
    lifecycle.miss(again(booking), by=staff, now=LATE + 2 * HOUR)

    assert len(subjects_sent(LATE + 3 * HOUR)) == 1


def test_a_mail_that_a_worker_already_holds_does_not_go_to_who_is_back(booking: Booking) -> None:
    lifecycle.miss(booking, by=make_staff(), now=LATE)
    # As if it were taken back by another desk between the worker's search and its sending.
    Booking.objects.filter(pk=booking.pk).update(state=BookingState.CONFIRMED)

    assert subjects_sent(LATE + 20 * MINUTE) == []
    assert rows(booking) == [("missed", "skipped")]


def test_the_mail_waits_for_the_morning_and_is_never_sent_days_late(booking: Booking) -> None:
    Clinic.objects.update(quiet_from=dt.time(10), quiet_until=dt.time(14))
    lifecycle.miss(booking, by=make_staff(), now=LATE)

    assert subjects_sent(LATE + 15 * MINUTE) == []
    assert len(subjects_sent(local(TUESDAY, 14))) == 1

    OutgoingEmail.objects.filter(kind="missed").update(state="queued", sent_at=None)
    assert len(subjects_sent(LATE + 3 * DAY)) == 1
    assert rows(booking) == [("missed", "skipped")]


def test_somebody_without_an_address_is_missed_too(world: World) -> None:
    booking = world.book(START, email="")
    tasks = Task.objects.filter(booking=booking).count()

    lifecycle.miss(booking, by=make_staff(), now=LATE)

    assert again(booking).state == BookingState.MISSED
    assert rows(booking) == []
    assert Task.objects.filter(booking=booking).count() == tasks


def test_who_books_by_phone_from_now_on_is_told_to_call(world: World) -> None:
    Clinic.objects.update(desk_only_after_missed=1)
    booking = world.book(START)

    lifecycle.miss(again(booking), by=make_staff(), now=LATE)

    text = OutgoingEmail.objects.get(kind="missed").text
    assert "To book another time, call us: 212 555 0100." in text
    assert "/book/" not in text


# Back again


def test_back_again_the_visit_stands_as_before_with_its_time(booking: Booking) -> None:
    staff = make_staff()
    lifecycle.miss(booking, by=staff, now=LATE)

    for _ in range(2):
        lifecycle.unmiss(again(booking), by=staff, now=LATE + MINUTE)

    found = again(booking)
    assert (found.state, found.starts_at, found.claims.count()) == (BookingState.CONFIRMED, START, 2)
    assert verbs(booking)[-2:] == ["missed", "back after no-show"]
    last = booking.events.last()
    assert last is not None
    assert last.by == staff


def test_what_was_to_do_before_the_visit_is_to_do_again(booking: Booking) -> None:
    staff = make_staff()
    mine = lifecycle.leave_task(booking, TaskKind.RECHECK, now=NOW, note="Something is new.")
    done = lifecycle.leave_task(booking, TaskKind.SQUEEZED, now=NOW)
    Task.objects.filter(pk=done.pk).update(done_at=NOW, done_by=staff)

    lifecycle.miss(booking, by=staff, now=LATE)
    assert not Task.objects.open().filter(booking=booking).exists()
    lifecycle.unmiss(again(booking), by=staff, now=LATE + MINUTE)

    assert list(Task.objects.open().filter(booking=booking)) == [mine]


def test_a_no_show_is_taken_back_on_the_day_it_was_marked_alone(booking: Booking) -> None:
    """Marked the morning after, and that was wrong."""
    next_day = TUESDAY + DAY
    lifecycle.miss(booking, by=make_staff(), now=local(next_day, 8))
    with pytest.raises(lifecycle.MissedBefore):
        lifecycle.unmiss(again(booking), by=Actor.SYSTEM, now=local(next_day + DAY, 0))
    assert again(booking).state == BookingState.MISSED

    lifecycle.unmiss(again(booking), by=Actor.SYSTEM, now=local(next_day, 23, 59))

    assert again(booking).state == BookingState.CONFIRMED


def test_nobody_is_back_where_others_have_the_time_by_now(booking: Booking) -> None:
    lifecycle.miss(booking, by=make_staff(), now=LATE)
    booking.claims.filter(resource=booking.room).delete()

    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.unmiss(again(booking), by=Actor.SYSTEM, now=LATE)

    assert again(booking).state == BookingState.MISSED


@pytest.mark.parametrize("act", ["cancel", "complete", "arrive"])
def test_only_a_no_show_is_taken_back(booking: Booking, act: str) -> None:
    said: dict[str, Any] = {"reason": "ill", "by": Actor.PATIENT} if act == "cancel" else {"by": Actor.SYSTEM}
    getattr(lifecycle, act)(booking, **said, now=NOW if act == "cancel" else LATE)
    before = verbs(booking)

    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.unmiss(again(booking), by=Actor.SYSTEM, now=LATE)

    assert verbs(booking) == before


# A wrong tap


def test_each_step_goes_back_by_one_however_often_it_is_pressed(booking: Booking) -> None:
    staff = make_staff()
    lifecycle.arrive(booking, by=staff, now=START)
    lifecycle.enter_room(again(booking), by=staff, now=START)

    for _ in range(2):
        lifecycle.step_back(again(booking), seen=BookingState.IN_ROOM, by=staff, now=START)
    assert again(booking).state == BookingState.ARRIVED
    for _ in range(2):
        lifecycle.step_back(again(booking), seen=BookingState.ARRIVED, by=staff, now=START)

    assert again(booking).state == BookingState.CONFIRMED
    assert verbs(booking)[-4:] == ["arrived", "in room", "set back", "set back"]
    assert [event.detail["to"] for event in booking.events.filter(verb="set back")] == ["arrived", "confirmed"]


@pytest.mark.parametrize("seen", [BookingState.IN_ROOM, BookingState.COMPLETED, BookingState.CONFIRMED])
def test_a_step_back_from_where_the_visit_is_not_is_refused(booking: Booking, seen: BookingState) -> None:
    lifecycle.complete(booking, by=Actor.SYSTEM, now=LATE)

    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.step_back(again(booking), seen=seen, by=Actor.SYSTEM, now=LATE)

    assert again(booking).state == BookingState.COMPLETED


# Opened again


@pytest.fixture
def treated(world: World) -> Booking:
    """Treated and closed, with its aftercare waiting to be sent, and a visit of theirs that comes too soon."""
    load_signed_content()
    Service.objects.update(body_areas=["nose"])
    followup.run(NOW)
    made = book_with(world, START)
    world.book(NEXT_WEEK)
    lifecycle.complete(made, by=make_staff(), now=LATE)
    followup.run(LATE)
    return again(made)


def test_a_closed_visit_opens_again_and_its_aftercare_starts_anew(treated: Booking) -> None:
    staff = make_staff("other")
    assert rows(treated, "day0") == [("day0", "queued")]
    assert Task.objects.open().filter(kind=TaskKind.HISTORY).count() == 1

    for _ in range(2):
        lifecycle.reopen(again(treated), by=staff, now=LATE + HOUR)

    found = again(treated)
    assert (found.state, found.outcome, found.treated_areas, found.closed_at) == (BookingState.IN_ROOM, "", [], None)
    assert verbs(treated)[-2:] == ["completed", "opened again"]
    assert rows(treated, "day0") == []
    assert not Task.objects.open().filter(kind=TaskKind.HISTORY).exists()

    lifecycle.complete(found, by=staff, now=LATE + 2 * HOUR)
    followup.run(LATE + 2 * HOUR)
    assert rows(treated, "day0") == [("day0", "queued")]
    assert Task.objects.open().filter(kind=TaskKind.HISTORY).count() == 1


def test_who_was_not_treated_after_all_gets_no_aftercare(treated: Booking) -> None:
    lifecycle.reopen(treated, by=Actor.SYSTEM, now=LATE + HOUR)
    lifecycle.complete(again(treated), outcome=Outcome.NOT_TREATED, by=Actor.SYSTEM, now=LATE + HOUR)
    mail.outbox.clear()

    followup.run(LATE + 2 * HOUR)
    outbox.send_due(LATE + 2 * HOUR)

    assert [letter.subject for letter in mail.outbox if "After your visit" in letter.subject] == []


def test_aftercare_that_was_skipped_while_the_visit_stood_open_is_written_anew(treated: Booking) -> None:
    lifecycle.reopen(treated, by=Actor.SYSTEM, now=LATE + HOUR)
    # A worker that had it in hand at that moment listed it as skipped.
    OutgoingEmail.objects.create(
        booking=treated, kind="day0", sequence=treated.sequence, subject="After", text="", message_id="<1@x>",
        state="skipped", created_at=LATE, due_at=LATE,
    )  # fmt: skip

    lifecycle.complete(again(treated), by=Actor.SYSTEM, now=LATE + 2 * HOUR)
    followup.run(LATE + 2 * HOUR)

    assert rows(treated, "day0") == [("day0", "queued")]


def test_what_was_to_do_before_a_visit_that_opens_again_is_to_do_again(booking: Booking) -> None:
    staff = make_staff()
    kinds = [TaskKind.RECHECK, TaskKind.HISTORY, TaskKind.UNCLOSED]
    mine = [lifecycle.leave_task(booking, kind, now=NOW) for kind in kinds]
    done = lifecycle.leave_task(booking, TaskKind.SQUEEZED, now=NOW)
    lifecycle.finish_task(done, by=staff, now=LATE)
    lifecycle.complete(booking, outcome=Outcome.NOT_TREATED, by=staff, now=LATE)
    assert not Task.objects.open().exists()

    lifecycle.reopen(again(booking), by=staff, now=LATE + MINUTE)

    assert list(Task.objects.open().order_by("pk")) == mine


def test_a_visit_is_opened_again_on_its_own_day_alone(treated: Booking) -> None:
    with pytest.raises(lifecycle.DayIsOver):
        lifecycle.reopen(treated, by=Actor.SYSTEM, now=local(TUESDAY + DAY, 0))

    lifecycle.reopen(treated, by=Actor.SYSTEM, now=local(TUESDAY, 23, 59))
    assert again(treated).state == BookingState.IN_ROOM


def test_what_is_not_closed_is_not_opened(booking: Booking) -> None:
    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.reopen(booking, by=Actor.SYSTEM, now=LATE)


# Running late


def test_a_patient_who_is_late_is_late_until_somebody_says_otherwise(booking: Booking) -> None:
    staff = make_staff()
    for minutes in (10, 10, 20, None, None):
        lifecycle.running_late(again(booking), minutes=minutes, by=staff, now=START)

    assert again(booking).late_minutes is None
    assert verbs(booking)[-3:] == ["running late", "running late", "not late any more"]


def test_a_visit_that_moves_is_not_late_any_more(world: World, booking: Booking) -> None:
    this_morning = local(TUESDAY, 8)
    lifecycle.running_late(booking, minutes=10, by=Actor.SYSTEM, now=this_morning)

    lifecycle.reschedule(again(booking), practitioner=None, start=NEXT_WEEK, by=make_staff(), now=this_morning)

    assert again(booking).late_minutes is None


def test_nobody_is_late_for_what_is_over(booking: Booking) -> None:
    lifecycle.complete(booking, by=Actor.SYSTEM, now=LATE)

    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.running_late(again(booking), minutes=10, by=Actor.SYSTEM, now=LATE)


# By phone only


def hold_known(world: World, patient: Patient, **asked: Any) -> Booking:
    return world.hold(NEXT_WEEK, said=eligibility.Said(patient=patient), **asked)


def test_by_default_nobody_is_sent_to_the_phone(world: World, booking: Booking) -> None:
    patient = missed_before(times=5)

    held = hold_known(world, patient)

    booked = lifecycle.confirm(held, details=make_details(), visitor="v", known=patient, now=NOW)
    assert booked.state == BookingState.CONFIRMED
    assert not Task.objects.filter(kind=TaskKind.MISSED_OFTEN).exists()


def test_who_is_known_and_missed_too_often_books_by_phone(world: World, booking: Booking) -> None:
    patient = missed_before(times=2)
    Clinic.objects.update(desk_only_after_missed=2)
    world.clinic.refresh_from_db()
    world.location.clinic.refresh_from_db()

    with pytest.raises(lifecycle.PhoneOnly) as refused:
        hold_known(world, patient)

    assert str(refused.value) == "Call us to book your next visit: 212 555 0100."
    assert not Booking.objects.filter(state=BookingState.HELD).exists()


def test_at_the_last_step_too_and_the_time_stays_held(world: World, booking: Booking) -> None:
    patient = missed_before(times=2)
    Clinic.objects.update(desk_only_after_missed=2)
    held = world.hold(NEXT_WEEK)
    known: dict[str, Any] = {"visitor": "v", "known": patient, "now": NOW}

    with pytest.raises(lifecycle.PhoneOnly):
        lifecycle.check(held, born=None, run=None, **known)
    with pytest.raises(lifecycle.PhoneOnly):
        lifecycle.confirm(held, details=make_details(), **known)

    assert again(held).state == BookingState.HELD


def test_one_visit_fewer_or_a_year_ago_counts_for_nothing(world: World, booking: Booking) -> None:
    patient = missed_before(times=1)
    missed_before(times=3, days_ago=366)
    Clinic.objects.update(desk_only_after_missed=2)
    world.location.clinic.refresh_from_db()

    assert hold_known(world, patient).state == BookingState.HELD


def test_the_desk_books_for_anybody(world: World, booking: Booking) -> None:
    patient = missed_before(times=2)
    Clinic.objects.update(desk_only_after_missed=2)
    world.location.clinic.refresh_from_db()
    staff = make_staff()

    held = hold_known(world, patient, by=staff)
    booked = lifecycle.confirm(held, details=make_details(), visitor="v", known=patient, by=staff, now=NOW)

    assert booked.state == BookingState.CONFIRMED
    assert not Task.objects.filter(kind=TaskKind.MISSED_OFTEN).exists()


def test_a_stranger_with_the_very_same_details_books_and_the_desk_learns_of_it(world: World, booking: Booking) -> None:
    missed_before(times=2)
    Clinic.objects.update(desk_only_after_missed=2)
    world.location.clinic.refresh_from_db()

    same, other = world.book(NEXT_WEEK), world.book(NEXT_WEEK + HOUR, name="Sam Other", email="sam@example.org")

    assert (same.state, other.state) == (BookingState.CONFIRMED, BookingState.CONFIRMED)
    [task] = Task.objects.filter(kind=TaskKind.MISSED_OFTEN)
    assert (task.booking_id, task.note) == (same.pk, "Booked online. 2 visits missed in the last 12 months.")
