"""The verbs: everything that happens to a booking, and the only code that writes Booking and Claim.

Each verb reads no clock of its own (``now`` is passed in), refuses with a sentence a patient can act on, and writes the
change, its history and its e-mails in one transaction.
"""

from bookings.lifecycle.attending import arrive, complete, miss
from bookings.lifecycle.cancelling import cancel
from bookings.lifecycle.confirming import Details, confirm, correct_email, resend
from bookings.lifecycle.holding import extend, hold, release, sweep
from bookings.lifecycle.moving import reschedule
from bookings.lifecycle.refusals import (
    HoldGone,
    HoldLimit,
    NotEligible,
    NotOffered,
    NotUpcoming,
    NotYet,
    Paused,
    Refused,
    SlotTaken,
    TooLate,
    TooManyHolds,
)
from bookings.lifecycle.tasks import ask_us_to_call

__all__ = [
    "Details",
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
    "arrive",
    "ask_us_to_call",
    "cancel",
    "complete",
    "confirm",
    "correct_email",
    "extend",
    "hold",
    "miss",
    "release",
    "reschedule",
    "resend",
    "sweep",
]
