"""A patient who turns 18 between two days, and who answers for them until then."""

import datetime as dt
from typing import Any

from bookings import lifecycle
from bookings.models import Booking, OutgoingEmail, Task, TaskKind
from tests.desk import MONDAY
from tests.factories import NOW, PATIENT, local

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
TEN = local(MONDAY, 10)
# They are 18 on the Tuesday.
BORN = dt.date(MONDAY.year - 18, MONDAY.month, MONDAY.day) + DAY
ALEX = lifecycle.GuardianDetails(
    name="Alex Example", relation="mother", phone="+12125550188", email="alex@example.org", gets_mail=False
)
TYPED = {"name": "Alex Example", "relation": "mother", "phone": "212 555 0188", "email": "alex@example.org"}


def move(booking: Booking, start: dt.datetime, **wanted: Any) -> Booking:
    asked = {"practitioner": None, "by": PATIENT, "now": NOW, **wanted}
    return lifecycle.reschedule(booking, start=start, **asked)


def asked_for() -> list[tuple[Booking | None, dt.datetime, str]]:
    return [(task.booking, task.due_at, task.note) for task in Task.objects.open().filter(kind=TaskKind.GUARDIAN)]


def letters(booking: Booking, since: int = 0) -> list[tuple[str, str]]:
    """Kind and address of what was written after the row ``since``."""
    rows = OutgoingEmail.objects.filter(booking=booking, pk__gt=since).exclude(kind="staff_notice").order_by("pk")
    return [(row.kind, row.recipient.partition("<")[2].rstrip(">")) for row in rows]


def newest() -> int:
    return OutgoingEmail.objects.latest("pk").pk


def links_of(booking: Booking) -> tuple[int, int]:
    return booking.link_version, booking.guardian.link_version


def again(booking: Booking) -> Booking:
    return Booking.objects.with_everything().get(pk=booking.pk)
