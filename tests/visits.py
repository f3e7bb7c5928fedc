"""A patient with a visit, for tests of the pages behind the mailed link."""

import datetime as dt
import itertools
from typing import Any

from django.test import Client

from bookings import lifecycle, links
from bookings.models import Booking, BookingEvent, Claim, OutgoingEmail, ScreeningRun, Task
from clinic.models import Service
from clinic.screening import Answer, Answered
from tests.factories import NOW, World, make_details, make_service
from tests.online import TEN

DAY = dt.timedelta(days=1)
# The day before the visit: past the cut-off, and in the hours in which "anything new?" is asked.
DAY_BEFORE = TEN - dt.timedelta(hours=22)
AGAIN_NO = {f"q{number}": "no" for number in (1, 2, 3, 5, 6, 7)}
# Burnt two days before the visit: the first safe day is five days after it.
BURNT = {**{name: "no" for name in AGAIN_NO if name != "q7"}, "q7_parts": ["q7-broken"], "q7_date": "2026-12-08"}
FLARING = {**{name: "no" for name in AGAIN_NO if name != "q7"}, "q7_parts": ["q7-flare"]}
SORE = {**AGAIN_NO, "q2": "yes"}
_numbers = itertools.count(1)


def book_asked(
    world: World, start: dt.datetime = TEN, *, now: dt.datetime = NOW, service: Service | None = None, **said: Any
) -> Booking:
    """Booked with every question answered: no, but to what ``said`` names by its code. Needs the real content."""
    visitor = f"asked-{next(_numbers)}"
    answers = {f"Q{number}": Answered(Answer.NO) for number in range(1, 13)}
    answers |= {code: said.pop(code) for code in list(said) if code in answers}
    run = ScreeningRun.objects.create(
        answers={code: each.as_json() for code, each in answers.items()}, made_at=now, expires_at=now + DAY
    )
    asked = {"service": service or world.service, "practitioner": said.pop("practitioner", None)}
    held = world.hold(start, visitor=visitor, now=now, **asked)
    return lifecycle.confirm(held, details=make_details(**said), visitor=visitor, run=run, now=now)


def make_consult() -> Service:
    return make_service(
        slug="consult", name="Skin check with a clinician", short_name="Skin check", groups=[], price=60, grades=["N"]
    )


def follow_link(client: Client, booking: Booking) -> Any:
    return client.get(f"/visit/{links.make(booking.pk, booking.link_version)}/")


def open_as_own_browser(client: Client, booking: Booking) -> None:
    """As after booking here: nobody has shown a link that was mailed."""
    session = client.session
    session["visit"] = [booking.pk, booking.link_version]
    session.save()


def everything() -> dict[str, list[Any]]:
    """All that a page about a visit could change."""
    tables = (Booking, Claim, BookingEvent, ScreeningRun, Task, OutgoingEmail)
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in tables}
