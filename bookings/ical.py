"""Calendar files from a plain event (RFC 5545, iTIP RFC 5546): a request, a cancellation, a file to download.

One UID for the visit's whole life and a rising SEQUENCE let every calendar replace the old entry instead of adding one.
"""

import dataclasses
import datetime as dt

from icalendar import Alarm, Calendar, vCalAddress, vText
from icalendar import Event as CalendarEvent

PRODUCT = "-//Clinic//Visits//EN"
REMIND_BEFORE = dt.timedelta(hours=2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """One visit. Texts are neutral and hold no manage link: a calendar is often shared. Instants are aware."""

    uid: str
    sequence: int
    stamp: dt.datetime
    starts_at: dt.datetime
    ends_at: dt.datetime
    summary: str
    location: str
    description: str
    organizer_name: str
    organizer_email: str
    attendee_name: str = ""
    attendee_email: str = ""
    is_cancelled: bool = False


def request(event: Event) -> bytes:
    """METHOD:REQUEST, for the e-mail about a visit that was made or moved."""
    return _file("REQUEST", event)


def cancellation(event: Event) -> bytes:
    """METHOD:CANCEL, for the e-mail about a cancelled visit."""
    return _file("CANCEL", dataclasses.replace(event, is_cancelled=True))


def published(event: Event) -> bytes:
    """METHOD:PUBLISH, for a download: nobody is invited."""
    return _file("PUBLISH", dataclasses.replace(event, attendee_email=""))


def _file(method: str, event: Event) -> bytes:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    calendar.add_component(_entry(event))
    file: bytes = calendar.to_ical()
    return file


def _entry(event: Event) -> CalendarEvent:
    entry = CalendarEvent()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", event.stamp.astimezone(dt.UTC))
    entry.add("dtstart", event.starts_at.astimezone(dt.UTC))
    entry.add("dtend", event.ends_at.astimezone(dt.UTC))
    entry.add("summary", event.summary)
    entry.add("location", event.location)
    entry.add("description", event.description)
    entry.add("class", "PRIVATE")
    entry.add("organizer", _person(event.organizer_name, event.organizer_email))
    if event.attendee_email:
        entry.add("attendee", _attendee(event))
    _add_state(entry, event)
    return entry


def _add_state(entry: CalendarEvent, event: Event) -> None:
    """A cancelled visit frees the time and reminds nobody."""
    entry.add("status", "CANCELLED" if event.is_cancelled else "CONFIRMED")
    entry.add("transp", "TRANSPARENT" if event.is_cancelled else "OPAQUE")
    if not event.is_cancelled:
        entry.add_component(_alarm(event))


def _alarm(event: Event) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event.summary)
    alarm.add("trigger", -REMIND_BEFORE)
    return alarm


def _attendee(event: Event) -> vCalAddress:
    """Already coming, and no answer is asked for: an answer would reach nobody."""
    person = _person(event.attendee_name, event.attendee_email)
    person.params["ROLE"] = vText("REQ-PARTICIPANT")
    person.params["PARTSTAT"] = vText("ACCEPTED")
    person.params["RSVP"] = vText("FALSE")
    return person


def _person(name: str, address: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    person.params["CN"] = vText(" ".join(name.replace('"', "'").split()))
    return person
