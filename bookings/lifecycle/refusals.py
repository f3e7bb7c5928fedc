"""Why a verb says no, in words a patient can act on."""

import datetime as dt

from bookings.ages import AgeProblem, age_problem
from bookings.claims import NotOffered, Refused, SlotTaken
from bookings.models import Booking
from clinic import words
from clinic.models import Clinic

__all__ = [
    "AlreadyMerged",
    "AlreadyPaid",
    "CannotDoTasks",
    "ChangedSince",
    "ClinicianFinishes",
    "ClinicianFirst",
    "ConsultOnly",
    "DayIsOver",
    "GuardianFirst",
    "GuardianNeeded",
    "GuidanceFirst",
    "HoldGone",
    "HoldLimit",
    "LookLikeTwo",
    "MergedOnwards",
    "MissedBefore",
    "NeedsHelp",
    "NeedsReason",
    "NewAnswers",
    "NotAllowed",
    "NotEligible",
    "NotItsDay",
    "NotOffered",
    "NotPayable",
    "NotReady",
    "NotSafeYet",
    "NotUpcoming",
    "NotYet",
    "Paused",
    "PhoneOnly",
    "QuestionsFirst",
    "Refused",
    "ReviewFirst",
    "SlotTaken",
    "TaskIsDone",
    "TooLate",
    "TooManyHolds",
]


class Paused(Refused):
    sentence = "Online booking is paused. Call us."


class TooManyHolds(Refused):
    sentence = "You are already holding two times. Finish one of them, or give it back."


class HoldGone(Refused):
    sentence = "Your hold ran out."


class HoldLimit(Refused):
    sentence = "We cannot hold this time any longer. Finish booking to keep it."


class NotEligible(Refused):
    """Age on the day of the visit."""

    sentence = "We cannot book this visit online. Call us."
    to_staff = "Their age on that day does not fit this service. Choose another one."

    def __init__(self, problem: AgeProblem) -> None:
        super().__init__()
        self.problem = problem


class NotUpcoming(Refused):
    sentence = "This visit can no longer be changed. It was cancelled or is already over."


class ChangedSince(Refused):
    """Said to staff."""

    sentence = "This visit was changed meanwhile, so it stays as it is now."


class DayIsOver(Refused):
    """Said to staff."""

    sentence = "A visit is opened again only on the day it was closed. Write a note instead."


class MissedBefore(DayIsOver):
    """Said to staff."""

    sentence = "A no-show is taken back only on the day it was marked. Book them another visit."


class AlreadyPaid(Refused):
    """Said to staff."""

    sentence = "Already paid. The receipt stands on the page of the visit."


class NotPayable(Refused):
    """Said to staff."""

    sentence = "This visit is off, or not booked yet, so there is nothing to pay."


class PhoneOnly(Refused):
    """Somebody whom a signed link names has missed visits before."""

    def __init__(self, clinic: Clinic) -> None:
        super().__init__()
        self.phone = words.phone(clinic.phone, clinic.country)

    def __str__(self) -> str:
        return f"Call us to book your next visit: {self.phone}." if self.phone else "Call us to book your next visit."


class TaskIsDone(Refused):
    """Said to staff."""

    sentence = "This task is done. Open it again first."


class ClinicianFinishes(Refused):
    """Said to staff."""

    sentence = "A clinician finishes this. Note what was said, and give it to one."


class CannotDoTasks(Refused):
    """Said to staff."""

    sentence = "That person may not do tasks. Choose somebody else."


class NotYet(Refused):
    sentence = "This visit has not started yet."


class NotItsDay(Refused):
    """Said to staff."""

    sentence = "This visit is on another day. Move it, if they are here for it today."


class TooLate(Refused):
    sentence = "It is too late to change this visit online. Call us."
    to_staff = "The start of this visit has passed. Book them another time."


class Unsafe(Refused):
    """Answers, history or age stand in the way of this service at this time."""


class NeedsHelp(Unsafe):
    """A warning sign: nothing is booked, and nobody may override it."""

    sentence = "Get medical help first. Nothing is booked."


class ConsultOnly(Unsafe):
    sentence = "A clinician needs to see your skin first. You can book a skin check."
    to_staff = "A clinician needs to see their skin first. Book a skin check instead."


class NotSafeYet(Unsafe):
    """``first`` is the first safe local date, None where somebody else may do it sooner; ``reasons`` say why."""

    def __init__(self, first: dt.date | None, reasons: list[str]) -> None:
        super().__init__()
        self.first, self.reasons = first, reasons

    def __str__(self) -> str:
        sooner = "Somebody else may see you sooner. Choose another time."
        return " ".join([*self.reasons, f"Choose a time from {words.day(self.first)}." if self.first else sooner])


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


class NotReady(Refused):
    """Said to staff: nobody is treated yet."""


class GuardianFirst(NotReady):
    """Said to staff."""

    sentence = "The parent or guardian has not agreed yet. Ask them here, then go on."


class GuidanceFirst(NotReady):
    """Said to staff."""

    sentence = "Nobody has written down that the advice was read. Read it with them, then say how."


class QuestionsFirst(NotReady):
    """Said to staff."""

    sentence = "The health questions are not answered yet. Ask them first."


class ClinicianFirst(NotReady):
    """Said to staff."""

    sentence = "A clinician has to decide first: answers, age or an earlier visit stand in the way."


class NotAllowed(Refused):
    """Said to staff."""

    sentence = "Only a clinician may decide this."


class NewAnswers(Refused):
    """Said to staff."""

    sentence = "New answers came in while you read. Read them, then decide."


class NeedsReason(Refused):
    """Said to staff."""

    sentence = "Say why. It stands in the history of the visit."


class AlreadyMerged(Refused):
    """Said to staff."""

    sentence = "This record was merged into another one meanwhile. Open it from the list of patients."


class MergedOnwards(Refused):
    """Said to staff."""

    sentence = "This record was itself merged into another one since. Undo that first."


class LookLikeTwo(Refused):
    """Said to staff."""

    sentence = "The names or the dates of birth differ. Tick that they are the same person, or keep them apart."


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
