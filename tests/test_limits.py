"""Rate limits: exact, per window, and without a name in clear."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from bookings import limits
from bookings.models import RateWindow
from tests.factories import NOW

MINUTE = dt.timedelta(minutes=1)


def attempts(count: int, *, who: str = "192.0.2.1", action: str = "hold", limit: int = 3, now: dt.datetime = NOW):
    return [limits.allow(action, who, limit=limit, window=MINUTE, now=now) for _ in range(count)]


@pytest.mark.django_db
def test_the_limit_is_allowed_and_one_more_is_refused():
    assert attempts(5) == [True, True, True, False, False]


@pytest.mark.django_db
def test_each_address_and_each_action_has_its_own_count():
    attempts(4)

    assert attempts(1, who="192.0.2.2") == [True]
    assert attempts(1, action="confirm") == [True]


@pytest.mark.django_db
def test_a_new_window_starts_at_nothing():
    end_of_window = NOW.replace(second=59)

    assert attempts(4, now=end_of_window)[-1] is False
    assert attempts(1, now=end_of_window + dt.timedelta(seconds=1)) == [True]


@pytest.mark.django_db
def test_two_windows_of_one_action_that_begin_together_count_apart():
    attempts(3)

    assert limits.allow("hold", "192.0.2.1", limit=1, window=dt.timedelta(hours=1), now=NOW)


@pytest.mark.django_db
def test_no_address_is_stored_in_clear():
    attempts(1, who="192.0.2.77")

    assert "192.0.2.77" not in RateWindow.objects.get().key


@pytest.mark.django_db
def test_old_windows_are_forgotten_and_present_ones_kept():
    attempts(1, now=NOW - dt.timedelta(days=2))
    attempts(1)

    assert limits.forget_before(NOW - dt.timedelta(days=1)) == 1
    assert RateWindow.objects.get().starts_at == NOW


@pytest.mark.django_db(transaction=True)
def test_threads_that_try_at_once_get_exactly_the_limit():
    def try_often(_: int) -> int:
        try:
            return sum(attempts(25, limit=40))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        allowed = sum(pool.map(try_often, range(4)))

    assert allowed == 40
    assert RateWindow.objects.get().count == 100


@pytest.mark.django_db
def test_an_attempt_that_is_given_back_is_free_again():
    attempts(3)

    limits.give_back("hold", "192.0.2.1", window=MINUTE, now=NOW)

    assert attempts(2) == [True, False]


@pytest.mark.django_db
def test_giving_back_more_than_was_counted_adds_nothing():
    limits.give_back("hold", "192.0.2.1", window=MINUTE, now=NOW)
    attempts(1)
    limits.give_back("hold", "192.0.2.1", window=MINUTE, now=NOW)
    limits.give_back("hold", "192.0.2.1", window=MINUTE, now=NOW)

    assert attempts(4) == [True, True, True, False]
