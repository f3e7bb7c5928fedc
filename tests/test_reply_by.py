"""When a clinician has to have answered: the clock runs only while the clinic answers its phone, and is not closed."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bookings import outbox
from bookings.mime import Message
from bookings.models import Task
from clinic.models import Absence, Clinic, Location
from clinic.opening import reply_by
from tests.factories import World, make_location, make_policy, make_practitioner

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = dt.date(2026, 12, 4)
MONDAY = FRIDAY + dt.timedelta(days=3)
HOUSE = Location(time_zone="America/New_York")


def clinic(**policy: Any) -> Clinic:
    return Clinic(**{"phone_opens_at": dt.time(9), "phone_closes_at": dt.time(18), "reply_minutes": 9 * 60, **policy})


def answered_by(policy: Clinic, asked: dt.datetime) -> dt.datetime:
    """In a house that is never closed."""
    return reply_by(clinic=policy, location=HOUSE, closed=[], now=asked)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), NEW_YORK)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (at(FRIDAY, 9), at(FRIDAY, 18)),
        (at(FRIDAY, 3), at(FRIDAY, 18)),
        (at(FRIDAY, 17), at(FRIDAY + dt.timedelta(days=3), 17)),
        (at(FRIDAY, 22), at(FRIDAY + dt.timedelta(days=3), 18)),
        (at(FRIDAY + dt.timedelta(days=1), 12), at(FRIDAY + dt.timedelta(days=3), 18)),
    ],
)
def test_nights_and_weekends_do_not_count(asked: dt.datetime, answered: dt.datetime) -> None:
    assert answered_by(clinic(), asked) == answered


def test_a_short_promise_ends_the_same_day() -> None:
    assert answered_by(clinic(reply_minutes=90), at(FRIDAY, 10)) == at(FRIDAY, 11, 30)


def test_over_a_change_of_the_clocks_the_working_day_stays_whole() -> None:
    saturday = dt.date(2026, 10, 31)
    policy = clinic(phone_days=[0, 1, 2, 3, 4, 5, 6], reply_minutes=18 * 60)

    assert answered_by(policy, at(saturday, 9)) == at(saturday + dt.timedelta(days=1), 18)


def test_a_clinic_without_phone_hours_answers_by_the_clock() -> None:
    policy = clinic(phone_days=[])

    assert answered_by(policy, at(FRIDAY, 17)) == at(FRIDAY + dt.timedelta(days=1), 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("starts", "ends", "answered"),
    [
        # All of Friday: the hour of Thursday counts, then Monday.
        (at(FRIDAY, 0), at(MONDAY, 0), at(MONDAY, 17)),
        # A week off.
        (at(FRIDAY, 0), at(MONDAY + dt.timedelta(days=7), 0), at(MONDAY + dt.timedelta(days=7), 17)),
        # From noon on.
        (at(FRIDAY, 12), at(FRIDAY, 18), at(MONDAY, 14)),
        # Over lunch.
        (at(FRIDAY, 12), at(FRIDAY, 13), at(FRIDAY, 18)),
        # It was over before anybody asked.
        (at(FRIDAY, 0) - dt.timedelta(days=3), at(FRIDAY, 17) - dt.timedelta(days=1), at(FRIDAY, 17)),
    ],
)
def test_closures_of_the_house_do_not_count(starts: dt.datetime, ends: dt.datetime, answered: dt.datetime) -> None:
    house = make_location(clinic=make_policy(reply_minutes=9 * 60))
    Absence.objects.create(location=house, starts_at=starts, ends_at=ends)

    thursday = at(FRIDAY - dt.timedelta(days=1), 17)
    assert reply_by(clinic=house.clinic, location=house, now=thursday) == answered


@pytest.mark.django_db
def test_what_closes_no_house_leaves_the_clock_alone() -> None:
    house = make_location(clinic=make_policy(reply_minutes=9 * 60))
    friday = {"starts_at": at(FRIDAY, 0), "ends_at": at(MONDAY, 0)}
    Absence.objects.create(location=house, holiday_on=FRIDAY, is_lifted=True, **friday)
    Absence.objects.create(location=make_location(clinic=house.clinic), **friday)
    Absence.objects.create(resource=make_practitioner(), **friday)

    assert reply_by(clinic=house.clinic, location=house, now=at(FRIDAY, 9)) == at(FRIDAY, 18)


@pytest.mark.django_db
def test_the_closures_are_one_query(django_assert_num_queries: Any) -> None:
    house = make_location(clinic=make_policy())
    for n in range(3):
        Absence.objects.create(location=house, starts_at=at(MONDAY, n), ends_at=at(MONDAY, n + 1))

    with django_assert_num_queries(1):
        reply_by(clinic=house.clinic, location=house, now=at(FRIDAY, 9))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failed", "due"),
    [
        (at(FRIDAY, 10), at(FRIDAY, 12)),
        # At night: as long after the phone is answered again.
        (at(FRIDAY, 3), at(FRIDAY, 11)),
        (at(FRIDAY, 22), at(MONDAY, 11)),
        # In time for the visit, however early that is.
        (at(MONDAY, 22), at(MONDAY + dt.timedelta(days=1), 10)),
        # Once it has begun there is nothing to be in time for.
        (at(MONDAY + dt.timedelta(days=1), 22), at(MONDAY + dt.timedelta(days=2), 11)),
    ],
)
def test_a_message_that_fails_at_night_has_somebody_phone_in_the_morning(failed: dt.datetime, due: dt.datetime) -> None:
    booking = World(phone_opens_at=dt.time(9), phone_closes_at=dt.time(18)).hold(at(MONDAY + dt.timedelta(days=1), 10))

    letter = Message(subject="Your visit", text="Come in.", html="")
    outbox.enqueue(letter, booking=booking, kind="moved", name="Robin Example", address="", now=failed)

    assert Task.objects.get().due_at == due
