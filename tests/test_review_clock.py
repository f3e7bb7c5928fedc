"""What waits for a clinician never waits in silence: told late, let go in time, and decided by people alone."""

import datetime as dt
from typing import Any

import pytest

from bookings import lifecycle, outbox
from bookings.models import Booking, BookingState, Claim, MailState, OutgoingEmail, Task, TaskKind
from bookings.models.event import Actor
from tests.course import DAY, HOUR, MINUTE, SECOND, TEN, begin, book_pending, clinician, email_of, kinds, run, staff
from tests.factories import NOW, PATIENT, local
from tests.online import make_world

pytestmark = pytest.mark.django_db
NOTICE = dt.timedelta(minutes=120)


@pytest.fixture
def world():
    begin()
    return make_world()


def now_state(booking):
    return Booking.objects.get(pk=booking.pk).state


def mails(booking):
    return list(OutgoingEmail.objects.filter(booking=booking).order_by("pk").values_list("kind", flat=True))


def test_before_its_deadline_a_review_only_waits(world):
    booking = book_pending(world, TEN)

    run(booking.reply_by - SECOND)

    assert (now_state(booking), mails(booking)) == (BookingState.PENDING, ["pending", "staff_notice"])
    assert Task.objects.count() == 0


def test_at_its_deadline_a_task_is_urgent_and_the_patient_is_told(world):
    booking = book_pending(world, TEN)

    run(booking.reply_by)

    task = Task.objects.get()
    assert (task.kind, task.is_urgent, task.due_at) == (TaskKind.REVIEW_LATE, True, booking.reply_by)
    assert now_state(booking) == BookingState.PENDING
    assert "you are not booked yet" in email_of(booking, "review_late").text


def test_it_is_said_once(world):
    booking = book_pending(world, TEN)

    run(*(booking.reply_by + n * HOUR for n in range(6)))

    assert (mails(booking).count("review_late"), Task.objects.count()) == (1, 1)


def test_a_visit_that_moves_after_its_deadline_has_a_new_one(world):
    booking = book_pending(world, TEN)
    run(booking.reply_by)

    moved: Any = lifecycle.reschedule(
        booking, practitioner=None, start=TEN + DAY, by=PATIENT, now=booking.reply_by + MINUTE
    )
    run(booking.reply_by + HOUR)
    in_between = mails(booking).count("review_late")
    run(moved.reply_by)

    assert moved.reply_by > booking.reply_by + MINUTE
    assert (in_between, mails(booking).count("review_late")) == (1, 2)


def test_at_the_minimum_notice_it_is_declined_mailed_and_its_time_is_free(world):
    booking = book_pending(world, TEN)

    run(TEN - NOTICE - SECOND)
    before = (now_state(booking), Claim.objects.count() > 0)
    run(TEN - NOTICE)

    assert before == (BookingState.PENDING, True)
    assert (now_state(booking), Claim.objects.count()) == (BookingState.DECLINED, 0)
    letter = email_of(booking, "declined")
    assert "Nobody could look at your answers in time." in letter.text
    assert "there is nothing to pay" in " ".join(letter.text.split())
    assert [task.done_at is None for task in Task.objects.filter(kind=TaskKind.REVIEW_LATE)] == [False]
    world.book(TEN, now=TEN - NOTICE, name="Kim Other")


def test_it_is_declined_once(world):
    booking = book_pending(world, TEN)

    run(TEN - NOTICE, TEN - HOUR, TEN + HOUR)

    assert mails(booking).count("declined") == 1


def test_after_a_long_outage_nobody_is_told_that_a_reply_comes_which_does_not(world):
    booking = book_pending(world, TEN)

    run(TEN + DAY)

    assert now_state(booking) == BookingState.DECLINED
    assert "review_late" not in mails(booking)


@pytest.mark.parametrize("moment", [TEN - 3 * DAY, TEN - DAY])
def test_what_is_not_booked_yet_gets_no_reminder(world, moment):
    booking = book_pending(world, TEN)

    run(moment)

    assert kinds(booking) == []


def test_a_decision_stops_both_clocks(world):
    approved, declined = book_pending(world, TEN), book_pending(world, TEN + HOUR)
    doctor = clinician()

    lifecycle.approve(approved, by=doctor, reason="Fine.", now=NOW + HOUR)
    lifecycle.decline(declined, by=doctor, reason="Please see a doctor first.", now=NOW + HOUR)
    run(approved.reply_by, TEN - NOTICE)

    assert (now_state(approved), now_state(declined)) == (BookingState.CONFIRMED, BookingState.DECLINED)
    assert {"review_late", "declined"}.isdisjoint(mails(approved))
    assert mails(declined).count("declined") == 1
    assert "Please see a doctor first." in email_of(declined, "declined").text
    assert Task.objects.filter(kind=TaskKind.REVIEW_LATE).count() == 0


def test_an_approved_visit_has_the_reminders_that_follow_its_approval(world):
    booking = book_pending(world, TEN)

    lifecycle.approve(booking, by=clinician(), reason="Fine.", now=TEN - 2 * DAY)
    run(TEN - 2 * DAY + HOUR, TEN - DAY)

    assert kinds(booking) == ["r24h"]
    assert 'data-item="WHY-2"' in email_of(booking, "confirmed").html


def test_the_news_that_a_reply_is_late_does_not_go_after_the_reply(world, settings):
    settings.MAIL_IS_SENT = True
    booking = book_pending(world, TEN)
    outbox.send_due(NOW)
    run(booking.reply_by)

    lifecycle.approve(booking, by=clinician(), reason="Fine.", now=booking.reply_by + MINUTE)
    outbox.send_due(booking.reply_by + MINUTE)

    assert (email_of(booking, "review_late").state, email_of(booking, "confirmed").state) == (
        MailState.SKIPPED,
        MailState.SENT,
    )


def test_that_a_visit_is_off_is_told_by_night_too(world, settings):
    """The visit is at nine in the morning: who waits for the end of the night travels in vain."""
    settings.MAIL_IS_SENT = True
    start = local(dt.date(2026, 12, 10), 9)
    booking = book_pending(world, start)
    outbox.send_due(NOW)

    run(start - NOTICE)
    outbox.send_due(start - NOTICE)

    assert email_of(booking, "declined").sent_at == start - NOTICE


def test_that_a_reply_is_late_can_wait_for_the_morning(world, settings):
    settings.MAIL_IS_SENT = True
    booking = book_pending(world, TEN)
    outbox.send_due(NOW)
    midnight = local(dt.date(2026, 12, 1), 0)

    run(midnight)
    outbox.send_due(midnight)
    by_night = email_of(booking, "review_late").state
    outbox.send_due(midnight + 8 * HOUR)

    assert (by_night, email_of(booking, "review_late").state) == (MailState.QUEUED, MailState.SENT)


def test_only_the_clock_and_clinicians_decide(world):
    booking = book_pending(world, TEN)

    with pytest.raises(lifecycle.NotAllowed):
        lifecycle.approve(booking, by=staff(), reason="Fine.", now=NOW)
    with pytest.raises(lifecycle.NotAllowed):
        lifecycle.approve(booking, by=Actor.SYSTEM, reason="Fine.", now=NOW)

    assert now_state(booking) == BookingState.PENDING
