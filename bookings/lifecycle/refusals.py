"""Why a verb says no, in words a patient can act on."""

from bookings.availability import NotOffered as Reason
from bookings.claims import Refused, SlotTaken
from bookings.eligibility import AgeProblem

__all__ = [
    "HoldGone",
    "HoldLimit",
    "NotEligible",
    "NotOffered",
    "NotUpcoming",
    "Paused",
    "Refused",
    "SlotTaken",
    "TooLate",
    "TooManyHolds",
]


class NotOffered(Refused):
    """The start was never one of ours: past, too soon, too far, off the grid, or outside opening hours."""

    sentence = "That time is not on offer. Choose another time."

    def __init__(self, reason: Reason) -> None:
        super().__init__()
        self.reason = reason


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


class TooLate(Refused):
    sentence = "It is too late to change this visit online. Please call us."
