"""Where things stand on the day's grid: rows of five minutes between two full hours."""

import datetime as dt

import pytest

from bookings.desk.grid import Grid, around, minute_on
from clinic.models import Location

NINE_TO_FIVE = Grid(540, 1020)


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        (540, 570, "r0 n6"),
        (615, 660, "r15 n9"),
        (1015, 1020, "r95 n1"),
        # Not on a row's edge: nothing is shorter than it is.
        (543, 551, "r0 n3"),
        # Outside the grid: cut at its edge, and never without a row.
        (0, 600, "r0 n12"),
        (1000, 1440, "r92 n4"),
        (0, 60, "r0 n1"),
        (1200, 1260, "r95 n1"),
    ],
)
def test_rows_of_a_stretch(start: int, end: int, rows: str) -> None:
    assert NINE_TO_FIVE.rows(start, end) == rows


@pytest.mark.parametrize(
    ("stretches", "grid"),
    [
        ([(510, 1000)], Grid(480, 1020)),
        ([(540, 1020), (1080, 1200)], Grid(540, 1200)),
        ([(0, 1440)], Grid(0, 1440)),
        ([(1430, 1440)], Grid(1380, 1440)),
        ([(1440, 1440)], Grid(1380, 1440)),
        ([(0, 0)], Grid(0, 60)),
        ([], NINE_TO_FIVE),
    ],
)
def test_the_grid_holds_everything_between_full_hours(stretches: list[tuple[int, int]], grid: Grid) -> None:
    assert around(stretches) == grid


def test_every_hour_is_marked() -> None:
    assert NINE_TO_FIVE.marks()[0] == (dt.time(9), "r0 n12")
    assert NINE_TO_FIVE.marks()[-1] == (dt.time(16), "r84 n12")
    assert NINE_TO_FIVE.hours == len(NINE_TO_FIVE.marks()) == 8


def test_a_moment_off_the_grid_has_no_row() -> None:
    assert NINE_TO_FIVE.row_at(607) == "r13 n1"
    assert NINE_TO_FIVE.row_at(539) == NINE_TO_FIVE.row_at(1020) == ""


@pytest.mark.parametrize(
    ("instant", "minute"),
    [("2026-11-30T14:30+00:00", 570), ("2026-11-29T14:30+00:00", 0), ("2026-12-01T14:30+00:00", 1440)],
)
def test_minutes_are_of_the_day_by_the_locations_clock(instant: str, minute: int) -> None:
    location = Location(time_zone="America/New_York")

    assert minute_on(dt.date(2026, 11, 30), dt.datetime.fromisoformat(instant), location) == minute
