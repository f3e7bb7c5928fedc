"""What a program asks for: which service, where, with whom and when."""

import dataclasses
import datetime as dt
from functools import cached_property
from http import HTTPStatus

from bookings import availability, eligibility
from bookings.api.door import Passing, Problem
from bookings.eligibility import NOTHING_SAID, Outlook, Said
from bookings.lifecycle import safety
from clinic import readiness, screening
from clinic.models import Clinic, Location, Resource, Service
from clinic.screening import Rulebook

ANYONE = "any"
# No diary reaches so far; dates near the end of the calendar cannot even be searched.
FAR_AWAY = dt.timedelta(days=1000)
NOT_SET_UP = "This clinic is not set up yet."
NOT_OPEN = "Online booking is not open yet. Call the clinic."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """One visit, and what the person said who wants it. ``is_with_anyone``: the practitioner was our choice."""

    service: Service
    location: Location
    practitioner: Resource | None
    is_with_anyone: bool = False
    start: dt.datetime
    said: Said
    book: Rulebook
    now: dt.datetime

    @cached_property
    def outlook(self) -> Outlook | None:
        """None for somebody who said nothing yet."""
        if self.said == NOTHING_SAID:
            return None
        return eligibility.outlook(
            service=self.service,
            location=self.location,
            clinic=self.location.clinic,
            said=self.said,
            book=self.book,
            now=self.now,
        )

    def refuse_unsafe(self) -> None:
        """Raise a ``lifecycle.Unsafe`` when answers, history or age stand in the way at that time."""
        grades = [self.practitioner.code] if self.practitioner else self.service.grades
        if self.outlook is not None:
            safety.refuse_unsafe(self.outlook, grades, self.start)

    def nearest(self) -> list[availability.Start]:
        """The closest free times, of those that are safe for this person."""
        return availability.nearest(
            to=self.start,
            count=3,
            service=self.service,
            location=self.location,
            clinic=self.location.clinic,
            practitioner=None if self.is_with_anyone else self.practitioner,
            opens_at=self.outlook.opens_at if self.outlook else {},
            now=self.now,
        )


def location_of(slug: str, now: dt.datetime, *, is_needed: bool = False) -> Location:
    """The one asked for, or the only one. Without ``is_needed`` the first of several will do."""
    found = [
        location
        for location in Location.objects.select_related("clinic")
        if location.retired_on is None or location.retired_on > today_at(location, now)
    ]
    if not found:
        raise Passing(HTTPStatus.SERVICE_UNAVAILABLE, NOT_SET_UP, "not_ready")
    chosen = [location for location in found if location.slug == slug] if slug else found
    if not chosen:
        raise Problem(HTTPStatus.NOT_FOUND, "No location has that slug.", "not_found")
    if len(chosen) > 1 and is_needed:
        which = ", ".join(location.slug for location in found)
        raise Problem(HTTPStatus.BAD_REQUEST, f"Say which location: {which}.", "location_needed")
    return chosen[0]


def service_of(slug: str, today: dt.date) -> Service:
    found = Service.objects.in_use(today).filter(slug=slug).first()
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "No service has that slug.", "not_found")
    return found


def practitioner_of(slug: str, service: Service, location: Location, now: dt.datetime) -> Resource | None:
    """None for anyone. Only those who do this service here can be asked for."""
    if slug in ("", ANYONE):
        return None
    people = availability.practitioners(service=service, location=location, on=today_at(location, now))
    found = next((each for each in people if each.slug == slug), None)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "No practitioner with that slug does this service here.", "not_found")
    return found


def start_of(text: str, now: dt.datetime) -> dt.datetime | None:
    """The instant a text names. None for anything that is no date and time with an offset, or absurdly far away."""
    try:
        start = dt.datetime.fromisoformat(text)
        is_ours = start.tzinfo is not None and abs(start - now) <= FAR_AWAY
        return start.astimezone(dt.UTC) if is_ours else None
    except (ValueError, OverflowError):
        return None


def today_at(location: Location, now: dt.datetime) -> dt.date:
    return now.astimezone(location.zone).date()


def open_clinic(now: dt.datetime) -> Clinic:
    """The clinic, once it may be booked online at all. That it is paused is for the verbs to say."""
    clinic = location_of("", now).clinic
    if not clinic.is_online_paused and not readiness.is_open_for_booking(clinic):
        raise Passing(HTTPStatus.SERVICE_UNAVAILABLE, NOT_OPEN, "not_ready")
    return clinic


def rulebook_of(clinic: Clinic) -> Rulebook:
    """The questions and rules; nobody books without them."""
    book = screening.rulebook(clinic)
    if not book.questions:
        raise Passing(HTTPStatus.SERVICE_UNAVAILABLE, NOT_SET_UP, "not_ready")
    return book
