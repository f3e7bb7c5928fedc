import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.intervals import (
    day_start,
    fitting_starts,
    holding,
    instant_of,
    intersect,
    local_date,
    minute_after,
    minute_of,
    on_grid,
    stretch,
    subtract,
    union,
    wall_minute,
)

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
AUCKLAND = ZoneInfo("Pacific/Auckland")
HAVANA = ZoneInfo("America/Havana")
SANTIAGO = ZoneInfo("America/Santiago")
ZONES = [
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "Europe/London",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "UTC",
]


def utc(text: str) -> int:
    return minute_of(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC))


def hours(text_from: str, text_until: str) -> tuple[dt.time, dt.time]:
    return dt.time.fromisoformat(text_from), dt.time.fromisoformat(text_until)


def test_a_start_that_the_clocks_jump_over_is_the_moment_of_the_jump():
    spring = dt.date(2027, 3, 14)

    assert wall_minute(spring, dt.time(2, 30), NEW_YORK) == utc("2027-03-14 07:00")
    assert wall_minute(spring, dt.time(2, 30), NEW_YORK, is_end=True) == utc("2027-03-14 07:00")


def test_a_time_shown_twice_starts_at_the_first_showing_and_ends_at_the_second():
    autumn = dt.date(2026, 11, 1)

    assert wall_minute(autumn, dt.time(1, 30), NEW_YORK) == utc("2026-11-01 05:30")
    assert wall_minute(autumn, dt.time(1, 30), NEW_YORK, is_end=True) == utc("2026-11-01 06:30")


def test_a_house_open_through_the_change_is_open_an_hour_less_in_spring_and_an_hour_more_in_autumn():
    spring = stretch(dt.date(2027, 3, 14), *hours("01:00", "04:00"), NEW_YORK)
    autumn = stretch(dt.date(2026, 11, 1), *hours("00:30", "03:00"), NEW_YORK)

    assert spring[1] - spring[0] == 2 * 60
    assert autumn[1] - autumn[0] == 3 * 60 + 30


def test_lord_howe_shifts_by_half_an_hour():
    to_summer, to_winter = dt.date(2026, 10, 4), dt.date(2027, 4, 4)

    assert wall_minute(to_summer, dt.time(2, 15), LORD_HOWE) == utc("2026-10-03 15:30")
    summer, winter = (stretch(date, *hours("01:00", "05:00"), LORD_HOWE) for date in (to_summer, to_winter))
    assert summer[1] - summer[0] == 3 * 60 + 30
    assert winter[1] - winter[0] == 4 * 60 + 30


def test_the_south_changes_the_other_way_round():
    to_summer, to_winter = dt.date(2026, 9, 27), dt.date(2027, 4, 4)

    assert day_start(to_summer + dt.timedelta(1), AUCKLAND) - day_start(to_summer, AUCKLAND) == 23 * 60
    assert day_start(to_winter + dt.timedelta(1), AUCKLAND) - day_start(to_winter, AUCKLAND) == 25 * 60


def test_a_day_without_midnight_begins_when_the_clocks_have_jumped():
    assert day_start(dt.date(2027, 3, 14), HAVANA) == utc("2027-03-14 05:00")
    assert local_date(utc("2027-03-14 05:00"), HAVANA) == dt.date(2027, 3, 14)
    assert local_date(utc("2027-03-14 04:59"), HAVANA) == dt.date(2027, 3, 13)


def test_midnight_shown_twice_begins_the_day_once():
    assert day_start(dt.date(2026, 11, 1), HAVANA) == utc("2026-11-01 04:00")


def test_an_evening_hour_shown_twice_before_midnight_belongs_to_the_old_day():
    saturday = dt.date(2027, 4, 3)

    evening = stretch(saturday, *hours("22:00", "00:00"), SANTIAGO)

    assert evening[1] - evening[0] == 3 * 60
    assert evening[1] == day_start(dt.date(2027, 4, 4), SANTIAGO)


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    date=st.dates(dt.date(2026, 1, 1), dt.date(2031, 12, 31)),
    times=st.tuples(st.times(), st.times()).map(sorted),
)
def test_a_stretch_shows_only_its_own_wall_clock_times(zone, date, times):
    opens, closes = (time.replace(second=0, microsecond=0) for time in times)
    if opens == closes or closes == dt.time(0):
        return

    start, end = stretch(date, opens, closes, zone)

    for minute in {start, (start + end) // 2, end - 1} if start < end else ():
        shown = instant_of(minute).astimezone(zone)
        assert shown.date() == date
        assert opens <= shown.time() < closes or is_shown_twice(shown)


def is_shown_twice(wall):
    return wall.replace(fold=0).utcoffset() > wall.replace(fold=1).utcoffset()


@given(zone=st.sampled_from(ZONES).map(ZoneInfo), date=st.dates(dt.date(2026, 1, 1), dt.date(2031, 12, 31)))
def test_days_follow_each_other_without_gap_or_overlap(zone, date):
    start, end = day_start(date, zone), day_start(date + dt.timedelta(days=1), zone)

    assert local_date(start, zone) == local_date(end - 1, zone) == date
    assert local_date(start - 1, zone) == date - dt.timedelta(days=1)
    assert 23 * 60 <= end - start <= 25 * 60


def minutes_of(intervals):
    return {minute for start, end in intervals for minute in range(start, end)}


lists = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=6).map(
    lambda pairs: union(*([(start, start + length)] for start, length in pairs))
)


@given(left=lists, right=lists)
def test_interval_arithmetic_is_set_arithmetic(left, right):
    assert minutes_of(union(left, right)) == minutes_of(left) | minutes_of(right)
    assert minutes_of(intersect(left, right)) == minutes_of(left) & minutes_of(right)
    assert minutes_of(subtract(left, right)) == minutes_of(left) - minutes_of(right)


@given(left=lists, right=lists)
def test_results_are_sorted_and_free_of_overlaps(left, right):
    for result in (union(left, right), intersect(left, right), subtract(left, right)):
        assert all(start < end for start, end in result)
        assert all(result[i][1] <= result[i + 1][0] for i in range(len(result) - 1))


def test_stretches_that_touch_stay_two_when_something_is_taken_from_them():
    assert subtract([(0, 10), (10, 20)], [(30, 40)]) == [(0, 10), (10, 20)]
    assert intersect([(0, 10), (10, 20)], [(0, 20)]) == [(0, 10), (10, 20)]


@given(free=lists, minutes=st.integers(1, 8), step=st.integers(1, 6), stretches=lists)
def test_starts_fit_and_lie_on_the_grid_of_their_stretch(free, minutes, step, stretches):
    free = intersect(free, stretches)

    offered = list(on_grid(stretches, fitting_starts(free, minutes), step))

    expected = [
        start for first, end in stretches for start in range(first, end, step) if holding(free, start, start + minutes)
    ]
    assert offered == expected


@pytest.mark.parametrize(("second", "rounded_up"), [(0, 0), (1, 1), (59, 1)])
def test_an_instant_inside_a_minute_rounds_outwards(second, rounded_up):
    instant = dt.datetime(2026, 11, 23, 14, 0, second, tzinfo=dt.UTC)

    assert minute_after(instant) - minute_of(instant) == rounded_up
