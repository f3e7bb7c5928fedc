"""How many visits have to move, for every page of the desk: asked anew once a minute, in each process of the server."""

import datetime as dt

from django.contrib.auth.models import User
from django.core.cache import cache

from bookings import displaced
from bookings.desk.doors import sees_everybody, visits_for

TO_MOVE, KEPT_FOR = "visits-to-move", dt.timedelta(minutes=1)


def to_move(user: User, *, now: dt.datetime) -> int:
    """Of those this person may see; at most a minute old."""
    keys = cache.get(TO_MOVE)
    if keys is None:
        keys = frozenset(displaced.reasons(now))
        cache.set(TO_MOVE, keys, KEPT_FOR.total_seconds())
    if not keys or sees_everybody(user):
        return len(keys)
    return visits_for(user).filter(pk__in=keys).count()


def forget() -> None:
    """Somebody has just changed it, and looks."""
    cache.delete(TO_MOVE)
