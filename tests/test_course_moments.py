"""When each message of the course goes, to whom, and when it does not."""

import datetime as dt

import pytest

from bookings import lifecycle, outbox
from bookings.models import MailState, OutgoingEmail
from clinic.models import Location
from tests.course import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    TEN,
    THURSDAY,
    arrive,
    begin,
    email_of,
    kinds,
    open_all_day,
    run,
    run_and_send,
    staff,
    treat,
    written,
)
from tests.factories import NOW, PATIENT, World, local

pytestmark = pytest.mark.django_db
QUEUED, SENT, SKIPPED = MailState.QUEUED, MailState.SENT, MailState.SKIPPED
AUCKLAND = "Pacific/Auckland"


@pytest.fixture
def world():
    begin()
    return World()


@pytest.fixture
def mail_is_sent(settings):
    settings.MAIL_IS_SENT = True


def on(date: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return local(date, hour, minute)


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        ("r72h", TEN - 3 * DAY),
        ("r24h", TEN - DAY),
        ("day0", TEN + 30 * MINUTE),
        ("day3", on(THURSDAY + 3 * DAY, 10)),
        ("day7", on(THURSDAY + 7 * DAY, 10)),
    ],
)
def test_each_message_goes_when_its_moment_has_come_and_not_before(world, kind, due):
    booking = world.book(TEN)
    if kind.startswith("day"):
        treat(booking)

    run(due - SECOND)
    before = kinds(booking)
    run(due)

    assert (kind in before, kind in kinds(booking)) == (False, True)


def test_a_whole_course_is_five_messages_each_written_once(world):
    booking = world.book(TEN)

    run(*(TEN - 4 * DAY + n * 12 * HOUR for n in range(8)))
    treat(booking)
    run(*(TEN + HOUR + n * 12 * HOUR for n in range(18)))

    assert written(booking) == [(kind, 0, QUEUED) for kind in ("r72h", "r24h", "day0", "day3", "day7")]


def test_a_message_goes_late_as_long_as_it_is_of_use(world):
    booking = world.book(TEN)

    run(TEN - 36 * HOUR - 2 * HOUR)

    assert written(booking) == [("r72h", 0, QUEUED)]


@pytest.mark.parametrize(
    ("kind", "over"),
    [
        ("r72h", on(THURSDAY - DAY, 8)),
        ("r24h", on(THURSDAY, 11)),
        ("day0", on(THURSDAY + DAY, 14, 30)),
        ("day3", on(THURSDAY + 4 * DAY, 19)),
        ("day7", on(THURSDAY + 8 * DAY, 19)),
    ],
)
def test_a_message_whose_moment_passed_unseen_is_listed_and_never_written_late(world, kind, over):
    booking = world.book(on(THURSDAY, 14))
    if kind.startswith("day"):
        treat(booking)

    run(over, over + HOUR)

    skipped = email_of(booking, kind)
    assert (skipped.state, skipped.last_error, skipped.text) == (
        SKIPPED,
        "Its moment passed before it could be written.",
        "",
    )
    assert skipped.recipient == "Robin Example <robin@example.org>"
    assert str(booking.starts_at.day) in skipped.subject


def test_a_message_in_the_outbox_is_skipped_once_its_moment_has_passed(world, mail_is_sent):
    booking = world.book(on(THURSDAY, 14))
    run(on(THURSDAY - DAY, 14))

    outbox.send_due(on(THURSDAY, 11))

    reminder = email_of(booking, "r24h")
    assert (reminder.state, reminder.last_error) == (SKIPPED, "Its moment has passed.")
    assert reminder.text != ""


def test_what_falls_due_at_night_goes_in_the_morning(world):
    open_all_day()
    booking = world.book(on(THURSDAY, 22), now=on(THURSDAY - 2 * DAY, 20))

    run(on(THURSDAY - DAY, 22), on(THURSDAY, 0), on(THURSDAY, 7, 59))
    by_night = kinds(booking)
    run(on(THURSDAY, 8))

    assert (by_night, kinds(booking)) == ([], ["r24h"])


def test_the_night_is_that_of_the_visits_own_clock(world):
    Location.objects.update(time_zone=AUCKLAND)
    world.location.refresh_from_db()
    start = local(THURSDAY, 10, zone=world.location.zone)
    booking = world.book(start)

    # Ten in the morning there is four in the afternoon of the day before in New York, and vice versa.
    run(local(THURSDAY - DAY, 7, 59, world.location.zone))
    by_night = kinds(booking)
    run(local(THURSDAY - DAY, 10, zone=world.location.zone))

    assert "r24h" not in by_night
    assert "r24h" in kinds(booking)


@pytest.mark.parametrize(
    ("quiet", "goes"), [((0, 7), True), ((1, 12), False), ((8, 8), True), ((22, 8), True), ((9, 8), False)]
)
def test_a_clinic_sets_its_own_night(quiet, goes):
    begin()
    world = World(quiet_from=dt.time(quiet[0]), quiet_until=dt.time(quiet[1]))
    booking = world.book(TEN)

    run(TEN - DAY)

    assert ("r24h" in kinds(booking)) is goes


def test_a_message_that_is_still_in_the_outbox_at_nightfall_waits_for_the_morning(world, mail_is_sent):
    booking = world.book(on(THURSDAY, 14))
    run(on(THURSDAY - DAY, 20, 59))

    outbox.send_due(on(THURSDAY - DAY, 21))
    by_night = written(booking)
    outbox.send_due(on(THURSDAY, 8))

    assert by_night == [("r72h", 0, SKIPPED), ("r24h", 0, QUEUED)]
    reminder = email_of(booking, "r24h")
    assert (reminder.state, reminder.sent_at, reminder.attempts) == (SENT, on(THURSDAY, 8), 1)


def test_a_reminder_that_waits_for_the_morning_holds_back_no_other_message(world, mail_is_sent):
    booking = world.book(on(THURSDAY, 14))
    outbox.send_due(NOW)
    run(on(THURSDAY - DAY, 20, 59))
    outbox.send_due(on(THURSDAY - DAY, 21))

    lifecycle.cancel(booking, reason="", by=PATIENT, now=on(THURSDAY - DAY, 22))
    outbox.send_due(on(THURSDAY - DAY, 22))
    at_night = email_of(booking, "cancelled").state
    outbox.send_due(on(THURSDAY, 8))

    reminder = email_of(booking, "r24h")
    assert at_night == SENT
    assert (reminder.state, reminder.last_error) == (SKIPPED, "The visit has changed in the meantime.")


@pytest.mark.parametrize(
    ("ahead", "expected"), [(3 * DAY, ["r72h", "r24h"]), (3 * DAY - SECOND, ["r24h"]), (DAY, ["r24h"])]
)
def test_what_is_booked_after_a_reminders_moment_has_it_inside_its_confirmation(world, ahead, expected):
    booking = world.book(TEN, now=TEN - ahead)

    run(*(TEN - ahead + n * 4 * HOUR for n in range(int(ahead / HOUR / 4))))

    assert kinds(booking) == expected


def test_what_is_booked_within_a_day_is_not_asked_again(world):
    booking = world.book(TEN, now=TEN - DAY + SECOND)

    run(*(TEN - DAY + n * 4 * HOUR for n in range(1, 6)))

    assert kinds(booking) == []


def test_a_moved_visit_is_reminded_of_its_new_time_and_never_of_the_old(world, mail_is_sent):
    booking = world.book(TEN)
    run(TEN - 3 * DAY)
    start = on(THURSDAY + 7 * DAY, 14)

    lifecycle.reschedule(booking, practitioner=None, start=start, by=PATIENT, now=TEN - 3 * DAY + HOUR)
    run_and_send(TEN - DAY, start - 3 * DAY, start - DAY)

    assert written(booking) == [("r72h", 0, SKIPPED), ("r72h", 1, SENT), ("r24h", 1, SENT)]
    assert email_of(booking, "r24h").subject == "One question before your visit on Thursday 17 December, 2pm"


def test_a_visit_that_moves_near_has_its_reminder_inside_the_message_about_the_move(world):
    booking = world.book(TEN)

    lifecycle.reschedule(booking, practitioner=None, start=TEN - 7 * DAY, by=PATIENT, now=TEN - 9 * DAY)
    run(*(TEN - 9 * DAY + n * 4 * HOUR for n in range(12)))

    assert written(booking) == [("r24h", 1, QUEUED)]


def test_a_cancelled_visit_gets_nothing_more(world):
    booking = world.book(TEN)

    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)
    run(*(TEN - 4 * DAY + n * DAY for n in range(15)))

    assert written(booking) == []


def test_a_suspended_visit_gets_nothing_more(world, mail_is_sent):
    booking = world.book(TEN)
    run(TEN - DAY)

    lifecycle.suspend(booking, by=PATIENT, now=TEN - DAY + MINUTE)
    outbox.send_due(TEN - DAY + HOUR)
    run(*(TEN + n * DAY for n in range(15)))

    assert written(booking) == [("r72h", 0, SKIPPED), ("r24h", 0, SKIPPED)]


@pytest.mark.parametrize("outcome", ["not_treated", "referred"])
def test_aftercare_follows_a_treatment_alone(world, outcome):
    booking = world.book(TEN, now=TEN - HOUR * 20)

    treat(booking, outcome=outcome)
    run(*(TEN + n * DAY for n in range(1, 10)))

    assert written(booking) == []


def test_who_did_not_come_gets_no_aftercare(world):
    booking = world.book(TEN, now=TEN - HOUR * 20)

    lifecycle.miss(booking, by=staff(), now=TEN + HOUR)
    run(*(TEN + n * DAY for n in range(1, 10)))

    assert written(booking) == []


def test_an_unclosed_visit_gets_what_is_safe_for_everybody_by_evening(world):
    booking = arrive(world.book(TEN, now=TEN - HOUR * 20))

    run(on(THURSDAY, 18, 59))
    before = kinds(booking)
    run(on(THURSDAY, 19), on(THURSDAY, 20))

    assert (before, kinds(booking)) == ([], ["day0_plain"])


def test_a_late_visit_is_given_two_hours_to_be_closed(world):
    open_all_day()
    booking = arrive(world.book(on(THURSDAY, 17, 30), now=TEN - HOUR * 10))

    run(on(THURSDAY, 19, 59))
    before = kinds(booking)
    run(on(THURSDAY, 20))

    assert (before, kinds(booking)) == ([], ["day0_plain"])


def test_a_visit_closed_as_treated_after_that_gets_the_whole_advice_too(world, mail_is_sent):
    booking = arrive(world.book(TEN, now=TEN - HOUR * 20))
    run(on(THURSDAY, 19))
    outbox.send_due(on(THURSDAY, 19))

    treat(booking, at=on(THURSDAY, 20))
    run(on(THURSDAY, 20))

    assert written(booking) == [("day0_plain", 0, SENT), ("day0", 0, QUEUED)]
    assert "You already have a short message from us. This is the full advice." in email_of(booking, "day0").text


def test_the_plain_advice_does_not_go_once_the_visit_is_closed(world, mail_is_sent):
    booking = arrive(world.book(TEN, now=TEN - HOUR * 20))
    run(on(THURSDAY, 19))

    treat(booking, at=on(THURSDAY, 19, 1))
    run(on(THURSDAY, 19, 1))
    outbox.send_due(on(THURSDAY, 19, 1))

    assert written(booking) == [("day0_plain", 0, SKIPPED), ("day0", 0, SENT)]
    assert "short message" not in email_of(booking, "day0").text


def test_a_visit_closed_days_later_gets_only_what_is_still_true(world):
    booking = world.book(TEN, now=TEN - HOUR * 20)

    treat(booking, at=on(THURSDAY + 2 * DAY, 9))
    run(*(on(THURSDAY + 2 * DAY, 9) + n * DAY for n in range(9)))

    assert written(booking) == [("day0", 0, SKIPPED), ("day3", 0, QUEUED), ("day7", 0, QUEUED)]


def test_what_was_due_before_the_course_ever_ran_is_not_listed():
    world = World()
    booking = world.book(TEN)

    run(TEN - HOUR, TEN + HOUR)

    assert written(booking) == []


def test_who_was_treated_before_the_course_ever_ran_is_asked_how_it_is():
    world = World()
    booking = treat(world.book(TEN))

    run(TEN + 2 * DAY, on(THURSDAY + 3 * DAY, 10), on(THURSDAY + 7 * DAY, 10))

    assert kinds(booking) == ["day3", "day7"]


def test_a_check_in_comes_at_ten_whatever_the_clocks_do(world):
    start = on(dt.date(2027, 3, 12), 10)
    booking = treat(world.book(start, now=start - HOUR * 20))

    # The clocks of New York go forward on Sunday 14 March.
    run(on(dt.date(2027, 3, 15), 9, 59))
    before = kinds(booking)
    run(on(dt.date(2027, 3, 15), 10))

    assert ("day3" in before, "day3" in kinds(booking)) == (False, True)


def test_without_an_address_somebody_phones_instead(world):
    booking = world.book(TEN, email="")

    run(TEN - DAY)

    assert email_of(booking, "r24h").state == MailState.NO_ADDRESS
    assert booking.tasks.filter(note__startswith="One question before your visit").count() == 1


def test_a_server_that_is_away_for_hours_costs_a_check_in_nothing_but_time(world, settings):
    settings.MAIL_IS_SENT = True
    settings.EMAIL_BACKEND = "tests.mail_backends.Away"
    booking = treat(world.book(TEN, now=TEN - HOUR * 20))
    OutgoingEmail.objects.all().delete()
    due = on(THURSDAY + 3 * DAY, 10)
    run(due)

    for minutes in range(0, 180, 20):
        outbox.send_due(due + minutes * MINUTE)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outbox.send_due(due + 3 * HOUR)

    assert email_of(booking, "day3").sent_at == due + 3 * HOUR
    assert booking.tasks.count() == 0


def test_a_server_that_stays_away_too_long_makes_a_check_in_skipped_at_once_with_what_it_said(world, settings):
    settings.MAIL_IS_SENT = True
    settings.EMAIL_BACKEND = "tests.mail_backends.Away"
    booking = treat(world.book(TEN, now=TEN - HOUR * 20))
    OutgoingEmail.objects.all().delete()
    due = on(THURSDAY + 3 * DAY, 10)
    run(due)

    outbox.send_due(due)
    outbox.send_due(on(THURSDAY + 4 * DAY, 19))

    skipped = email_of(booking, "day3")
    assert (skipped.state, skipped.last_error) == (SKIPPED, "Its moment has passed. The server is away.")
    assert booking.tasks.count() == 0
