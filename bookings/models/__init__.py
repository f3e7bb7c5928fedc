"""What patients and staff do with the clinic: bookings, claims, mail, tasks."""

from bookings.models.attended import PaidBy, Payment, VisitNote
from bookings.models.booking import Booking
from bookings.models.claim import Claim
from bookings.models.event import BookingEvent
from bookings.models.guardian import Guardian
from bookings.models.limits import Heartbeat, RateWindow
from bookings.models.mail import MailState, MailWording, OutgoingEmail
from bookings.models.patient import Consent, ConsentKind, ConsentWay, Patient, ShownItem
from bookings.models.people import PatientMerge
from bookings.models.programs import ApiKey, IdempotencyKey
from bookings.models.screening import RunKind, ScreeningRun
from bookings.models.states import BookingState, Outcome
from bookings.models.task import Task, TaskKind, TaskNote

__all__ = [
    "ApiKey",
    "Booking",
    "BookingEvent",
    "BookingState",
    "Claim",
    "Consent",
    "ConsentKind",
    "ConsentWay",
    "Guardian",
    "Heartbeat",
    "IdempotencyKey",
    "MailState",
    "MailWording",
    "Outcome",
    "OutgoingEmail",
    "PaidBy",
    "Patient",
    "PatientMerge",
    "Payment",
    "RateWindow",
    "RunKind",
    "ScreeningRun",
    "ShownItem",
    "Task",
    "TaskKind",
    "TaskNote",
    "VisitNote",
]
