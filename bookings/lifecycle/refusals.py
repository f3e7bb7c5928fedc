"""Why a verb says no, in words a patient can act on."""

import datetime as dt

from bookings.claims import NotOffered, Refused, SlotTaken
from bookings.eligibility import AgeProblem, age_problem
from bookings.models import Booking

__all__ = [
    "HoldGone",
    "HoldLimit",
    "NotEligible",
    "NotOffered",
    "NotUpcoming",
    "NotYet",
    "Paused",
    "Refused",
    "SlotTaken",
    "TooLate",
    "TooManyHolds",
]


class Paused(Refused):
    sentence = "Online booking is paused. Please call us."


class TooManyHolds(Refused):
    sentence = "You are already holding two times. Finish one of them, or give it back."


class HoldGone(Refused):
    sentence = "Your hold ran out."


class HoldLimit(Refused):
    sentence = "We cannot hold this time any longer. Finish booking to keep it."


class NotEligible(Refused):
    """Age on the day of the visit."""

    sentence = "We cannot book this visit online. Please call us."

    def __init__(self, problem: AgeProblem) -> None:
        super().__init__()
        self.problem = problem


class NotUpcoming(Refused):
    sentence = "This visit can no longer be changed. It was cancelled or is already over."


class NotYet(Refused):
    sentence = "This visit has not started yet."


class TooLate(Refused):
    sentence = "It is too late to change this visit online. Please call us."


def refuse_age(booking: Booking, born: dt.date | None, *, by_phone: bool = False) -> None:
    """Raise NotEligible when the age on the day of the visit stands in the way; an unknown one does not.

    ``by_phone``: staff act, so nobody has to be told to phone.
    """
    if born is None:
        return
    problem = age_problem(
        clinic=booking.location.clinic, service=booking.service, born=born, visit_date=booking.local_date
    )
    if problem and not (by_phone and problem is AgeProblem.BY_PHONE):
        raise NotEligible(problem)
