"""Who may have which visit on which day. Every door asks here; the pages find the kind words."""

import datetime as dt
from enum import Enum

from clinic.models import Clinic, Service


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
