"""What an address or a form asks for: which service, where, with whom, when."""

import dataclasses
import datetime as dt
from collections.abc import Mapping

from django.http import Http404
from django.shortcuts import get_object_or_404

from bookings import availability
from bookings.eligibility import Outlook
from bookings.models import Booking
from clinic.models import Clinic, Location, Resource, Service

ANYONE = "any"
# No form of ours names a time so far away; dates near the end of the calendar cannot even be searched.
FAR_AWAY = dt.timedelta(days=1000)
# So many near times are looked at, to find a few that are not too close to an event.
LOOKED_AT = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """One service at one location, with one practitioner or any."""

    clinic: Clinic
    service: Service
    location: Location
    people: list[Resource]
    practitioner: Resource | None
    now: dt.datetime
    # What the answers so far mean for it; None for somebody who has said nothing.
    outlook: Outlook | None = None

    @property
    def practitioner_slug(self) -> str:
        return self.practitioner.slug if self.practitioner else ANYONE

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.location.zone).date()

    def with_outlook(self, outlook: Outlook | None) -> "Asked":
        """The same with what answers mean for it, as far as it is about whom they chose, or about who works here."""
        grades = {each.code for each in ([self.practitioner] if self.practitioner else self.people)}
        return dataclasses.replace(self, outlook=outlook and outlook.with_grades(grades))

    def search(self, *, visitor: str = "", ignoring: Booking | None = None) -> availability.Asked:
        """What a search for starts wants to know."""
        return {
            "service": self.service,
            "location": self.location,
            "clinic": self.clinic,
            "practitioner": self.practitioner,
            "now": self.now,
            "visitor": visitor,
            "ignoring": ignoring,
            "opens_at": self.outlook.opens_at if self.outlook else {},
        }


# Where a date ends last on earth: until then something retired from the next day may still be offered somewhere.
LAST_ZONE = dt.timezone(dt.timedelta(hours=-12))


def service_of(slug: str, now: dt.datetime) -> Service:
    """Raises Http404 when it is retired everywhere; the search knows from which local date."""
    return get_object_or_404(Service.objects.in_use(now.astimezone(LAST_ZONE).date()), slug=slug)


def locations_of(clinic: Clinic, now: dt.datetime) -> list[Location]:
    in_use = Location.objects.in_use(now.astimezone(LAST_ZONE).date())
    return list(in_use.filter(clinic=clinic).select_related("clinic"))


def local_today(clinic: Clinic, now: dt.datetime) -> dt.date:
    """Today at the clinic's first location, for what is asked before a place is chosen."""
    places = locations_of(clinic, now)
    return now.astimezone(places[0].zone if places else dt.UTC).date()


def location_of(locations: list[Location], data: Mapping[str, str]) -> Location | None:
    """The one that is asked for; the only one when there is no choice; None when the patient must choose."""
    slug = data.get("location", "")
    if not slug:
        return locations[0] if len(locations) == 1 else None
    found = [each for each in locations if each.slug == slug]
    if not found:
        raise Http404("No such location")
    return found[0]


def asked_for(
    clinic: Clinic,
    service: Service,
    location: Location,
    data: Mapping[str, str],
    now: dt.datetime,
    *,
    outlook: Outlook | None = None,
) -> Asked:
    """Raises Http404 for a practitioner who does not do this service here. ``outlook`` keeps to what is safe."""
    today = now.astimezone(location.zone).date()
    people = availability.practitioners(service=service, location=location, on=today)
    practitioner = _person(people, data.get("practitioner", ""))
    return Asked(
        clinic=clinic,
        service=service,
        location=location,
        people=people,
        practitioner=practitioner,
        now=now,
    ).with_outlook(outlook)


def _person(people: list[Resource], slug: str) -> Resource | None:
    if slug in ("", ANYONE):
        return None
    found = [each for each in people if each.slug == slug]
    if not found:
        raise Http404("No such practitioner")
    return found[0]


def start_of(data: Mapping[str, str], now: dt.datetime) -> dt.datetime | None:
    """The instant a form names. None for anything that is no date with an offset, or absurdly far away."""
    text = data.get("start", "")
    try:
        start = dt.datetime.fromisoformat(text)
        # Python itself reads past a trailing NUL.
        if "\0" in text or start.tzinfo is None or abs(start - now) > FAR_AWAY:
            return None
        return start.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def date_of(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
