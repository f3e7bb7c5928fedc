"""A wait counts local dates: the first safe day begins at midnight where the visit is."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from bookings import eligibility
from bookings.eligibility import Outlook, Said
from clinic.models import Location
from clinic.screening import Answer, Answered
from tests.online import make_world

pytestmark = pytest.mark.django_db

TINGLE = dt.date(2026, 11, 20)
FIRST_SAFE = dt.date(2026, 12, 4)
# It is another date in UTC at these local times.
MOMENTS = [
    ("America/New_York", dt.time(23, 30)),
    ("Pacific/Auckland", dt.time(0, 30)),
    ("Pacific/Kiritimati", dt.time(1)),
    ("Pacific/Pago_Pago", dt.time(22)),
]


@pytest.fixture(params=MOMENTS, ids=[zone for zone, _ in MOMENTS])
def place(request: pytest.FixtureRequest) -> tuple[Outlook, ZoneInfo]:
    """What a cold sore means at a location, late or early on 30 November there."""
    name, time = request.param
    world = make_world()
    Location.objects.update(time_zone=name)
    location = Location.objects.get()
    now = dt.datetime.combine(dt.date(2026, 11, 30), time, location.zone)
    said = Said({"Q3": Answered(Answer.YES, date=TINGLE)})
    found = eligibility.outlook(service=world.service, location=location, clinic=world.clinic, said=said, now=now)
    return found, location.zone


def test_the_first_safe_day_begins_at_local_midnight(place: tuple[Outlook, ZoneInfo]) -> None:
    outlook, zone = place
    midnight = dt.datetime.combine(FIRST_SAFE, dt.time(0), zone)

    assert outlook.first_safe_date == FIRST_SAFE
    assert set(outlook.opens_at.values()) == {midnight}


def test_each_day_before_it_says_why_it_is_closed(place: tuple[Outlook, ZoneInfo]) -> None:
    outlook, _ = place
    day_before = FIRST_SAFE - dt.timedelta(days=1)

    assert outlook.reason_for(day_before) == "We wait 14 days after a cold sore."
    assert outlook.reason_for(FIRST_SAFE) == ""
