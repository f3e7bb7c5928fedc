"""How often someone may do something, counted in the database, so exact across threads and processes."""

import datetime as dt

from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from bookings.models import RateWindow

# One statement counts and reads: two processes can never both see the last free place.
COUNT_ONE = """
    INSERT INTO {table} ("key", starts_at, count) VALUES (%s, %s, 1)
    ON CONFLICT ("key", starts_at) DO UPDATE SET count = {table}.count + 1
    RETURNING count
"""


def allow(action: str, who: str, *, limit: int, window: dt.timedelta, now: dt.datetime) -> bool:
    """Count this attempt; False once ``who`` made more than ``limit`` of them in the current window.

    ``who`` is an address, a session or an account; only a keyed hash of it is stored.
    """
    sql = COUNT_ONE.format(table=connection.ops.quote_name(RateWindow._meta.db_table))
    starts_at = connection.ops.adapt_datetimefield_value(_start_of(window, now))
    with connection.cursor() as cursor:
        cursor.execute(sql, [_key(action, who, window), starts_at])
        [(count,)] = cursor.fetchall()
    return bool(count <= limit)


def is_spent(action: str, who: str, *, limit: int, window: dt.timedelta, now: dt.datetime) -> bool:
    """Whether ``limit`` is reached already. Counts nothing: for acts of which only those that succeed should count."""
    counted = RateWindow.objects.filter(key=_key(action, who, window), starts_at=_start_of(window, now))
    return counted.filter(count__gte=limit).exists()


def give_back(action: str, who: str, *, window: dt.timedelta, now: dt.datetime) -> None:
    """Take back one attempt that ``allow`` counted, for acts of which only failures should count."""
    counted = RateWindow.objects.filter(key=_key(action, who, window), starts_at=_start_of(window, now), count__gt=0)
    counted.update(count=F("count") - 1)


def forget_before(instant: dt.datetime) -> int:
    """Delete the windows that began before ``instant``; returns how many."""
    return RateWindow.objects.filter(starts_at__lt=instant).delete()[0]


def _start_of(window: dt.timedelta, now: dt.datetime) -> dt.datetime:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return epoch + (now - epoch) // window * window


def _key(action: str, who: str, window: dt.timedelta) -> str:
    hashed = salted_hmac("bookings.limits", who, algorithm="sha256").hexdigest()[:40]
    return f"{action}:{window.total_seconds():.0f}:{hashed}"
