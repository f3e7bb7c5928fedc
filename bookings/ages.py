"""How old somebody is on a day, and what of that stands in the way of a visit."""

import datetime as dt
from enum import Enum

from clinic.models import Clinic, Service

ADULT_FROM = 18


class AgeProblem(Enum):
    """Why this person's age on the day of the visit stands in the way."""

    BY_PHONE = "by_phone"
    TOO_YOUNG = "too_young"
    TOO_OLD = "too_old"


def age_on(born: dt.date, day: dt.date) -> int:
    """In whole years; who was born on 29 February turns a year older on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_problem(*, clinic: Clinic, service: Service, born: dt.date, visit_date: dt.date) -> AgeProblem | None:
    """The first thing that stands in the way online, or None. ``visit_date`` is local to the visit."""
    age = age_on(born, visit_date)
    if service.minimum_age is not None and age < service.minimum_age:
        return AgeProblem.TOO_YOUNG
    if service.maximum_age is not None and age > service.maximum_age:
        return AgeProblem.TOO_OLD
    return AgeProblem.BY_PHONE if age < clinic.online_from_age else None


def needs_guardian(born: dt.date | None, visit_date: dt.date) -> bool:
    """Whether somebody must answer for this patient on the day of the visit."""
    return born is not None and age_on(born, visit_date) < ADULT_FROM
