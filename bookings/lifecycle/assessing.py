"""What a round of answers means for a held time, who asks for it, and what the booking becomes."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction

from bookings import claims, eligibility
from bookings.eligibility import Outlook
from bookings.lifecycle import safety
from bookings.lifecycle.history import Who
from bookings.lifecycle.refusals import NeedsHelp
from bookings.models import Booking, BookingState, Patient, ScreeningRun
from bookings.models.event import Actor
from clinic.screening import Outcome, Rulebook


@dataclasses.dataclass(frozen=True)
class Assessed:
    """What a round of answers means for the held time."""

    run: ScreeningRun | None
    outlook: Outlook
    outcome: Outcome
    bent: tuple[str, ...] = ()

    @property
    def needs_review(self) -> bool:
        """A clinician who bends what the answers ask for has decided on them."""
        return self.outcome.needs_review and not self.bent


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asking:
    """Who books, and what allows it: see ``confirm``."""

    visitor: str
    by: Who
    known: Patient | None
    override: str
    through: str

    @property
    def is_staff(self) -> bool:
        return not isinstance(self.by, Actor)


def assess(
    held: Booking,
    born: dt.date | None,
    run: ScreeningRun | None,
    known: Patient | None,
    book: Rulebook | None,
    now: dt.datetime,
) -> Assessed:
    outlook = eligibility.outlook(
        service=held.service,
        location=held.location,
        clinic=held.location.clinic,
        said=eligibility.said_of(run, born=born, patient=known),
        book=book,
        now=now,
    )
    return Assessed(run, outlook, outlook.outcome(held.practitioner.code, held.local_date))


def allowed(held: Booking, assessed: Assessed, asking: Asking) -> Assessed:
    """The same with what staff bend. They have the patient before them, and the time until they let it go."""
    if not asking.is_staff:
        refuse_unsafe(held, assessed)
        return assessed
    grade, start = held.practitioner.code, held.starts_at
    try:
        bent = safety.bendable(assessed.outlook, grade, start, by=asking.by, reason=asking.override)
    except NeedsHelp:
        refuse_unsafe(held, assessed)
        raise
    return dataclasses.replace(assessed, bent=tuple(bent))


def refuse_unsafe(held: Booking, assessed: Assessed) -> None:
    """Give the time back before saying no. After a warning sign nothing of the answers is kept."""
    stands = safety.problem_of(held, assessed.outlook)
    if stands is None:
        return
    with transaction.atomic():
        claims.delete_holds(Booking.objects.filter(pk=held.pk))
        if isinstance(stands, NeedsHelp) and assessed.run and assessed.run.pk:
            assessed.run.delete()
    raise stands


def result(assessed: Assessed | None, now: dt.datetime) -> dict[str, Any]:
    """The columns that say what the booking becomes."""
    arranged: dict[str, Any] = {"expires_at": None, "booked_at": now, "arranged_at": now}
    if assessed and assessed.needs_review:
        return arranged | {"state": BookingState.PENDING, "reply_by": assessed.outlook.reply_by}
    if assessed and assessed.outcome.needs_review:
        arranged["approved_at"] = now
    return arranged | {"state": BookingState.CONFIRMED, "confirmed_at": now}
