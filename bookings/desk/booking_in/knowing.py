"""Somebody whom staff know: their own first safe day before a time is looked for, and who else they may be."""

import dataclasses
import datetime as dt

from django.contrib.auth.models import User

from bookings import eligibility
from bookings.desk.booking_in.finding import Wish
from bookings.desk.doors import patients_for
from bookings.eligibility import Said
from bookings.models import Patient

MOST_ALIKE = 3


@dataclasses.dataclass(frozen=True)
class Known:
    """``safe_from`` is the first safe day for what is looked for, None for any; ``why`` says it in a sentence."""

    patient: Patient
    safe_from: dt.date | None = None
    why: str = ""


def known(patient: Patient, wish: Wish | None, now: dt.datetime) -> tuple[Known, Wish | None]:
    """With the wish narrowed to times that their earlier visits and their age allow."""
    if wish is None:
        return Known(patient), None
    outlook = eligibility.outlook(
        service=wish.service,
        location=wish.location,
        clinic=wish.location.clinic,
        said=Said(born=patient.date_of_birth, patient=patient),
        now=now,
    )
    safe_from = outlook.first_safe_date
    first = max((date for date in (wish.date, safe_from) if date), default=None)
    is_day = wish.is_day and wish.date == first
    narrowed = dataclasses.replace(wish, date=first, is_day=is_day, opens_at=outlook.opens_at)
    return Known(patient, safe_from, next(iter(outlook.reasons), "")), narrowed


def alike(user: User, *, name: str, phone: str, email: str) -> list[Patient]:
    """People who have been here and may be the one who is typed in as new: the same name, and phone or e-mail."""
    typed = Patient(name=name, phone=phone, email=email)
    found = patients_for(user).like(typed).filter(name__iexact=name)
    return list(found[:MOST_ALIKE])
