"""When a clinician has to have answered: the clock runs only while the clinic answers its phone."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clinic.models import Clinic
from clinic.opening import reply_by

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = dt.date(2026, 12, 4)


def clinic(**policy: Any) -> Clinic:
    return Clinic(**{"phone_opens_at": dt.time(9), "phone_closes_at": dt.time(18), "reply_minutes": 9 * 60, **policy})


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
    assert reply_by(clinic=clinic(), zone=NEW_YORK, now=asked) == answered


def test_a_short_promise_ends_the_same_day() -> None:
    assert reply_by(clinic=clinic(reply_minutes=90), zone=NEW_YORK, now=at(FRIDAY, 10)) == at(FRIDAY, 11, 30)


def test_over_a_change_of_the_clocks_the_working_day_stays_whole() -> None:
    saturday = dt.date(2026, 10, 31)
    policy = clinic(phone_days=[0, 1, 2, 3, 4, 5, 6], reply_minutes=18 * 60)

    assert reply_by(clinic=policy, zone=NEW_YORK, now=at(saturday, 9)) == at(saturday + dt.timedelta(days=1), 18)


def test_a_clinic_without_phone_hours_answers_by_the_clock() -> None:
    policy = clinic(phone_days=[])

    assert reply_by(clinic=policy, zone=NEW_YORK, now=at(FRIDAY, 17)) == at(FRIDAY + dt.timedelta(days=1), 2)
