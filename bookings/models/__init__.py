"""What patients and staff do with the clinic: bookings, claims, mail, tasks."""

from bookings.models.booking import Booking
from bookings.models.claim import Claim
from bookings.models.event import BookingEvent
from bookings.models.limits import Heartbeat, RateWindow
from bookings.models.mail import MailState, OutgoingEmail
from bookings.models.patient import Consent, ConsentKind, Patient, ShownItem
from bookings.models.states import BookingState
from bookings.models.task import Task, TaskKind

__all__ = [
    "Booking",
    "BookingEvent",
    "BookingState",
    "Claim",
    "Consent",
    "ConsentKind",
    "Heartbeat",
    "MailState",
    "OutgoingEmail",
    "Patient",
    "RateWindow",
    "ShownItem",
    "Task",
    "TaskKind",
]
