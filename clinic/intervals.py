"""Half-open intervals of whole minutes, and the one place where wall-clock time becomes UTC.

An ``Interval`` is ``(start, end)`` in minutes since 1970-01-01 00:00 UTC, ``start`` included and ``end`` not. A list of
them is sorted and free of overlaps; two that touch stay two, because opening hours never run across midnight.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

Interval = tuple[int, int]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ONE_DAY = dt.timedelta(days=1)


def minute_of(instant: dt.datetime) -> int:
    """Minutes since the epoch, rounded down. ``instant`` is aware."""
    return int(instant.timestamp() // 60)


def minute_after(instant: dt.datetime) -> int:
    """Minutes since the epoch, rounded up: the first whole minute that is not before ``instant``."""
    return -int(-instant.timestamp() // 60)


def instant_of(minute: int) -> dt.datetime:
    """The aware UTC datetime of a minute since the epoch."""
    return EPOCH + dt.timedelta(minutes=minute)


@lru_cache(maxsize=16_384)
def wall_minute(date: dt.date, time: dt.time, zone: dt.tzinfo, *, is_end: bool = False) -> int:
    """When the clocks of ``zone`` show ``time`` on ``date``.

    A time that the clocks jump over counts as the moment of the jump. A time that they show twice is the first showing
    for a start and the second for an end, so that a house which is open from one to two stays open through both.
    """
    wall = dt.datetime.combine(date, time, zone)
    first, second = minute_of(wall.replace(fold=0)), minute_of(wall.replace(fold=1))
    if second < first:
        return _change_between(second, first, zone)
    return second if is_end else first


def day_start(date: dt.date, zone: dt.tzinfo) -> int:
    """The first minute of a local date, even where the clocks jump over midnight."""
    return wall_minute(date, dt.time(0), zone)


def whole_days(first: dt.date, last: dt.date, zone: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    """From the midnight that begins ``first`` to the one that ends ``last``, by the wall clock of the zone."""
    return instant_of(day_start(first, zone)), instant_of(day_start(last + ONE_DAY, zone))


def stretch(date: dt.date, opens_at: dt.time, closes_at: dt.time, zone: dt.tzinfo) -> Interval:
    """One stretch of wall-clock time; ``closes_at`` 00:00 is the midnight that ends the day."""
    start = wall_minute(date, opens_at, zone)
    if closes_at == dt.time(0):
        return start, day_start(date + ONE_DAY, zone)
    return start, wall_minute(date, closes_at, zone, is_end=True)


def local_date(minute: int, zone: dt.tzinfo) -> dt.date:
    return instant_of(minute).astimezone(zone).date()


def union(*lists: Sequence[Interval]) -> list[Interval]:
    """All minutes that are in any of the lists; what touches becomes one."""
    joined: list[Interval] = []
    for start, end in sorted(chain(*lists)):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return joined


def intersect(left: Sequence[Interval], right: Sequence[Interval]) -> list[Interval]:
    """All minutes that are in both lists."""
    common: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            common.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return common


def subtract(whole: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """All minutes of ``whole`` that are not in ``taken``."""
    if not taken:
        return list(whole)
    left: list[Interval] = []
    j = 0
    for start, end in whole:
        while j < len(taken) and taken[j][1] <= start:
            j += 1
        k, at = j, start
        while k < len(taken) and taken[k][0] < end:
            if at < taken[k][0]:
                left.append((at, taken[k][0]))
            at = max(at, taken[k][1])
            k += 1
        if at < end:
            left.append((at, end))
    return left


def fitting_starts(free: Iterable[Interval], minutes: int) -> list[Interval]:
    """The starts from which ``minutes`` fit inside one free interval, as intervals of starts."""
    return [(start, end - minutes + 1) for start, end in free if end - start >= minutes]


def on_grid(stretches: Sequence[Interval], starts: Sequence[Interval], step: int) -> Iterator[int]:
    """The starts that lie a multiple of ``step`` elapsed minutes after the beginning of their stretch, in order.

    Every interval of ``starts`` lies inside one of ``stretches``.
    """
    i = 0
    for first, end in starts:
        while stretches[i][1] <= first:
            i += 1
        yield from range(first + (stretches[i][0] - first) % step, end, step)


def holding(intervals: Iterable[Interval], start: int, end: int) -> Interval | None:
    """The interval that holds all of [``start``, ``end``), if one does."""
    return next(((a, b) for a, b in intervals if a <= start and end <= b), None)


def _change_between(before: int, after: int, zone: dt.tzinfo) -> int:
    """The first minute in (``before``, ``after``] with another offset than ``before`` has."""
    old = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(minute: int, zone: dt.tzinfo) -> dt.timedelta | None:
    return instant_of(minute).astimezone(zone).utcoffset()
