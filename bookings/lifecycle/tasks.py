"""What a patient asks a person of the clinic to do."""

import datetime as dt

from bookings.models import Booking, Task, TaskKind
from clinic.models import Clinic


def ask_us_to_call(
    *, clinic: Clinic, name: str, phone: str, note: str, booking: Booking | None = None, now: dt.datetime
) -> Task:
    """Leave a call-back on the desk, due within the clinic's reply time. ``phone`` is E.164.

    Who asks twice is called once.
    """
    asked = {"kind": TaskKind.CALL_BACK, "booking": booking, "name": name, "phone": phone, "note": note}
    due_at = now + dt.timedelta(minutes=clinic.reply_minutes)
    return Task.objects.open().filter(**asked).first() or Task.objects.create(**asked, created_at=now, due_at=due_at)
