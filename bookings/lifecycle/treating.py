"""What has to be true before anybody is treated, at the door of the room and when the visit is closed as treated."""

import dataclasses
import datetime as dt

from bookings import eligibility
from bookings.ages import needs_guardian
from bookings.eligibility import Outlook, said_for
from bookings.lifecycle import safety
from bookings.lifecycle.refusals import ClinicianFirst, GuardianFirst, GuidanceFirst, NotReady, QuestionsFirst
from bookings.lifecycle.tasks import leave_task
from bookings.models import Booking, ConsentKind, Task, TaskKind
from clinic import screening

WAITS = "Nobody is treated before a clinician has decided."


def stops_treatment(booking: Booking, now: dt.datetime, *, is_at_the_door: bool = False) -> NotReady | None:
    """The first thing that stands in the way, or None.

    ``is_at_the_door`` of the room what is private may still be open for a minor: it is asked inside.
    """
    if _has_open_questions(booking, is_at_the_door=is_at_the_door):
        return QuestionsFirst()
    if not booking.consents.filter(kind=ConsentKind.GUIDANCE_READ).exists():
        return GuidanceFirst()
    if _waits_for_guardian(booking):
        return GuardianFirst()
    return ClinicianFirst() if safety.standing(booking, _outlook(booking, now)) else None


def wait_for_clinician(booking: Booking, now: dt.datetime) -> Task:
    """The patient may sit there already, so a clinician is asked at once. A second call adds nothing."""
    return leave_task(booking, TaskKind.RECHECK, now=now, note=WAITS, is_urgent=True, due_at=now)


def _has_open_questions(booking: Booking, *, is_at_the_door: bool) -> bool:
    """Where a clinic asks nothing, nothing is open."""
    if not booking.is_screening_outstanding:
        return False
    book = screening.rulebook(booking.location.clinic)
    still_open = screening.unanswered(book, said_for(booking).answers, booking.service.codes)
    may_wait = is_at_the_door and _is_minor(booking)
    return any(not (may_wait and asked.is_private) for asked in still_open)


def _waits_for_guardian(booking: Booking) -> bool:
    """Nobody treats a minor before somebody who answers for them has agreed."""
    guardian = getattr(booking, "guardian", None)
    return _is_minor(booking) if guardian is None else guardian.agreed_at is None


def _is_minor(booking: Booking) -> bool:
    born = booking.patient.date_of_birth if booking.patient else None
    return needs_guardian(born, booking.local_date)


def _outlook(booking: Booking, now: dt.datetime) -> Outlook:
    """With earlier visits only: one that was forgotten may be closed after the next one took place."""
    assert booking.patient_id, "only a booked visit has a patient"
    house = booking.location
    known = eligibility.known_of([booking.patient_id], clinic=house.clinic, houses=[house], now=now)
    before = [each for each in known.past[booking.patient_id] if each.starts_at < booking.starts_at]
    return safety.outlook_for(booking, now, known=dataclasses.replace(known, past={booking.patient_id: before}))
