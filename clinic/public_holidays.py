"""Public holidays: closures of a house that enter themselves, and that a press opens again, a day at a time."""

import datetime as dt
from functools import lru_cache

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from holidays import country_holidays

from clinic import audit
from clinic.intervals import whole_days
from clinic.models import Absence, AuditEvent, Location

# Further ahead than anybody books.
AHEAD = dt.timedelta(days=400)
LANGUAGE = "en_US"
ANY_YEAR = 2000
LONGEST_REASON = 120

Holiday = tuple[dt.date, str]


def country_of(location: Location) -> str:
    return (location.country or location.clinic.country).strip().upper()


def is_known(location: Location) -> bool:
    """Whether the public holidays of its country are known."""
    return _of_year(country_of(location), ANY_YEAR) is not None


def coming(location: Location, first: dt.date, until: dt.date) -> list[Holiday]:
    """The public holidays on the local dates from ``first`` up to ``until``; none for a country that is not known."""
    country = country_of(location)
    found = [each for year in range(first.year, until.year + 1) for each in _of_year(country, year) or ()]
    return [(date, name) for date, name in found if first <= date < until]


def keep(location: Location, now: dt.datetime) -> int:
    """Enter the closures that are missing; how many. What somebody decided about a day stays, opened days too.

    One query where nothing is missing. Any number may run at once.
    """
    if not location.is_closed_on_holidays or not _is_to_change(location, now):
        return 0
    with transaction.atomic():
        list(Location.objects.select_for_update(no_key=True).filter(pk=location.pk).values_list("pk"))
        missing, gone = _differs(location, now)
        _untouched(location, now).filter(holiday_on__in=gone).delete()
        Absence.objects.bulk_create([_closure(location, each) for each in missing], ignore_conflicts=True)
        if missing:
            days = [date.isoformat() for date, _ in missing]
            audit.record("holidays entered", location, by=None, now=now, days=days)
    return len(missing)


def keep_all(now: dt.datetime) -> int:
    """The same for every house that closes on public holidays; one that no longer does is open again."""
    houses = [each for each in Location.objects.select_related("clinic") if not _is_retired(each, now)]
    for location in houses:
        if not location.is_closed_on_holidays:
            _untouched(location, now).delete()
    return sum(keep(location, now) for location in houses)


def switch(location: Location, *, is_closed: bool, by: User, now: dt.datetime) -> bool:
    """Close the house on public holidays, or no more. False when it was so before.

    Turned off, the coming closures go, but for those that somebody has decided about.
    """
    with transaction.atomic():
        changed = Location.objects.filter(pk=location.pk).exclude(is_closed_on_holidays=is_closed)
        if not changed.update(is_closed_on_holidays=is_closed):
            return False
        audit.record("changed", location, by=by, now=now, is_closed_on_holidays=[not is_closed, is_closed])
        location.is_closed_on_holidays = is_closed
        if is_closed:
            keep(location, now)
        else:
            _untouched(location, now).delete()
    return True


def open_on(location: Location, date: dt.date, *, by: User, now: dt.datetime) -> bool:
    """The house is open on that holiday after all. False when it was open."""
    return _set(location, date, is_lifted=True, by=by, now=now)


def close_on(location: Location, holiday: Holiday, *, by: User, now: dt.datetime) -> bool:
    """The house is closed on that holiday, whatever the switch says. False when it was closed."""
    with transaction.atomic():
        absence, is_new = Absence.objects.get_or_create(
            location=location, holiday_on=holiday[0], defaults=_times(location, holiday)
        )
        if is_new:
            audit.record("closed", absence, by=by, now=now, who=str(location), holiday_on=holiday[0].isoformat())
        return is_new or _set(location, holiday[0], is_lifted=False, by=by, now=now)


def rows(location: Location, first: dt.date, until: dt.date) -> dict[dt.date, Absence]:
    """The closures for holidays on these local dates, opened ones too, by date. One query."""
    found = Absence.objects.filter(location=location, holiday_on__gte=first, holiday_on__lt=until)
    return {each.holiday_on: each for each in found if each.holiday_on}


def today_at(location: Location, now: dt.datetime) -> dt.date:
    return now.astimezone(location.zone).date()


def _set(location: Location, date: dt.date, *, is_lifted: bool, by: User, now: dt.datetime) -> bool:
    with transaction.atomic():
        rows = Absence.objects.filter(location=location, holiday_on=date)
        if not rows.filter(is_lifted=not is_lifted).update(is_lifted=is_lifted):
            return False
        act = "opened" if is_lifted else "closed"
        audit.record(act, rows.get(), by=by, now=now, is_lifted=[not is_lifted, is_lifted])
    return True


def _differs(location: Location, now: dt.datetime) -> tuple[list[Holiday], set[dt.date]]:
    """The holidays that have no row yet, and the days that are none any more, as in another country."""
    first = today_at(location, now)
    known = set(rows(location, first, first + AHEAD))
    expected = coming(location, first, first + AHEAD)
    return [each for each in expected if each[0] not in known], known - {date for date, _ in expected}


def _is_to_change(location: Location, now: dt.datetime) -> bool:
    """Whether there is anything to do. What somebody decided stays, also on a day that is no holiday any more."""
    missing, gone = _differs(location, now)
    return bool(missing) or bool(gone and _untouched(location, now).filter(holiday_on__in=gone).exists())


def _closure(location: Location, holiday: Holiday) -> Absence:
    return Absence(location=location, holiday_on=holiday[0], **_times(location, holiday))


def _times(location: Location, holiday: Holiday) -> dict[str, dt.datetime | str]:
    starts_at, ends_at = whole_days(holiday[0], holiday[0], location.zone)
    return {"starts_at": starts_at, "ends_at": ends_at, "reason": holiday[1][:LONGEST_REASON]}


def _untouched(location: Location, now: dt.datetime) -> QuerySet[Absence]:
    """The coming closures that entered themselves and that nobody has opened, closed or changed since."""
    decided = AuditEvent.objects.filter(kind=str(Absence._meta.model_name)).values("key")
    coming_up = Absence.objects.in_force().filter(location=location, holiday_on__gte=today_at(location, now))
    return coming_up.annotate(key=Cast("pk", TextField())).exclude(key__in=decided)


def _is_retired(location: Location, now: dt.datetime) -> bool:
    return location.retired_on is not None and location.retired_on <= today_at(location, now)


@lru_cache(maxsize=64)
def _of_year(country: str, year: int) -> tuple[Holiday, ...] | None:
    """In order; None for a country that is not known. Two of one day are named in one line."""
    try:
        found = country_holidays(country, years=year, language=LANGUAGE)
    except NotImplementedError:
        return None
    return tuple(sorted((date, name) for date, name in found.items() if date.year == year))
