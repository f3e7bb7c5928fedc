"""Why a verb says no, in words a patient can act on."""

import datetime as dt

from bookings.claims import NotOffered, Refused, SlotTaken
from bookings.eligibility import AgeProblem, age_problem
from bookings.models import Booking
from clinic import words

__all__ = [
    "ConsultOnly",
    "GuardianFirst",
    "GuardianNeeded",
    "HoldGone",
    "HoldLimit",
    "NeedsHelp",
    "NeedsReason",
    "NewAnswers",
    "NotAllowed",
    "NotEligible",
    "NotOffered",
    "NotSafeYet",
    "NotUpcoming",
    "NotYet",
    "Paused",
    "QuestionsFirst",
    "Refused",
    "ReviewFirst",
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


class Unsafe(Refused):
    """Answers, history or age stand in the way of this service at this time."""


class NeedsHelp(Unsafe):
    """A warning sign: nothing is booked, and nobody may override it."""

    sentence = "Please get medical help first. Nothing is booked."


class ConsultOnly(Unsafe):
    sentence = "A clinician needs to see your skin first. You can book a skin check."


class NotSafeYet(Unsafe):
    """``first`` is the first safe local date; ``reasons`` say why, a sentence each."""

    def __init__(self, first: dt.date, reasons: list[str]) -> None:
        super().__init__()
        self.first, self.reasons = first, reasons

    def __str__(self) -> str:
        return " ".join([*self.reasons, f"Choose a time from {words.day(self.first)}."])


class ReviewFirst(Unsafe):
    """A clinician has to look at the answers first; ``reply_by`` is when they have done so."""

    def __init__(self, reply_by: dt.datetime, zone: dt.tzinfo) -> None:
        super().__init__()
        self.reply_by, self.zone = reply_by, zone

    def __str__(self) -> str:
        when = words.when(self.reply_by, self.zone)
        return f"A clinician looks at your answers first, by {when}. Choose a later time."


class GuardianNeeded(Refused):
    sentence = "A parent or guardian has to be named for anyone under 18."


class GuardianFirst(Refused):
    """Said to staff."""

    sentence = "The parent or guardian has not agreed yet. Ask them here, then go on."


class QuestionsFirst(Refused):
    """Said to staff."""

    sentence = "The health questions are not answered yet. Ask them first."


class NotAllowed(Refused):
    """Said to staff."""

    sentence = "Only a clinician may decide this."


class NewAnswers(Refused):
    """Said to staff."""

    sentence = "New answers came in while you read. Read them, then decide."


class NeedsReason(Refused):
    """Said to staff."""

    sentence = "Say why. It stands in the history of the visit."


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
