"""What patients and staff do with the clinic: bookings, claims, mail, tasks."""

from bookings.models.booking import Booking
from bookings.models.claim import Claim
from bookings.models.event import BookingEvent
from bookings.models.guardian import Guardian
from bookings.models.limits import Heartbeat, RateWindow
from bookings.models.mail import MailState, OutgoingEmail
from bookings.models.patient import Consent, ConsentKind, Patient, ShownItem
from bookings.models.programs import ApiKey, IdempotencyKey
from bookings.models.screening import RunKind, ScreeningRun
from bookings.models.states import BookingState, Outcome
from bookings.models.task import Task, TaskKind

__all__ = [
    "ApiKey",
    "Booking",
    "BookingEvent",
    "BookingState",
    "Claim",
    "Consent",
    "ConsentKind",
    "Guardian",
    "Heartbeat",
    "IdempotencyKey",
    "MailState",
    "Outcome",
    "OutgoingEmail",
    "Patient",
    "RateWindow",
    "RunKind",
    "ScreeningRun",
    "ShownItem",
    "Task",
    "TaskKind",
]
