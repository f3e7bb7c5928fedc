"""Who missed visits before books by phone, where the clinic wants it so.

Only somebody whom a signed link names is told. To everybody else no answer may show whether a patient or a past visit
exists: they book as always, and the desk learns of it.
"""

import datetime as dt

from bookings.lifecycle.refusals import PhoneOnly
from bookings.lifecycle.tasks import leave_task
from bookings.models import Booking, BookingState, Patient, TaskKind
from clinic.models import Clinic

LOOKED_BACK = dt.timedelta(days=365)


def refuse_online(clinic: Clinic, known: Patient | None, now: dt.datetime) -> None:
    """``known`` is whom a signed link names. Raises PhoneOnly."""
    if known is not None and is_by_phone(clinic, known, now):
        raise PhoneOnly(clinic)


def is_by_phone(clinic: Clinic, patient: Patient, now: dt.datetime, *, one_more: bool = False) -> bool:
    """Whether this patient missed as many visits as the clinic allows; with ``one_more`` after the next one."""
    most = clinic.desk_only_after_missed
    return bool(most) and missed_lately(patient, now) + one_more >= most


def missed_lately(patient: Patient, now: dt.datetime) -> int:
    """How many visits of the last year they missed."""
    return Booking.objects.filter(
        patient=patient, state=BookingState.MISSED, starts_at__gt=now - LOOKED_BACK, starts_at__lte=now
    ).count()


def tell_desk(booking: Booking, now: dt.datetime) -> None:
    """After somebody booked online whom nobody knows: if the details are those of a patient, a person phones first."""
    assert booking.patient, "only a booked visit has a patient"
    if is_by_phone(booking.location.clinic, booking.patient, now):
        missed = missed_lately(booking.patient, now)
        note = f"Booked online. {missed} visit{'s' if missed > 1 else ''} missed in the last 12 months."
        leave_task(booking, TaskKind.MISSED_OFTEN, note=note, now=now)
