"""Calendar files, read back by two parsers that are not ours."""

import dataclasses
import datetime as dt

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from bookings import ical

EVENT = ical.Event(
    uid="6f9619ff-8b86-d011-b42d-00cf4fc964ff@clinic.example.org",
    sequence=0,
    stamp=dt.datetime(2026, 11, 23, 14, 0, tzinfo=dt.UTC),
    starts_at=dt.datetime(2026, 12, 10, 15, 15, tzinfo=dt.UTC),
    ends_at=dt.datetime(2026, 12, 10, 15, 45, tzinfo=dt.UTC),
    summary="Visit at Example Skin Clinic",
    location="Main house, 12 Example Street, New York, NY 10001",
    description="To move or cancel it, use the link in our e-mail.\nReference: K7M 2QD.",
    organizer_name="Example Skin Clinic",
    organizer_email="desk@example.org",
    attendee_name="Robin Example",
    attendee_email="robin@example.org",
)
MADE = {"REQUEST": ical.request, "CANCEL": ical.cancellation, "PUBLISH": ical.published}


def parsed(file):
    calendar = icalendar.Calendar.from_ical(file)
    [event] = calendar.walk("VEVENT")
    return calendar, event


def test_a_request_says_all_of_the_visit() -> None:
    calendar, event = parsed(ical.request(EVENT))

    assert (calendar["METHOD"], calendar["VERSION"], calendar["PRODID"]) == ("REQUEST", "2.0", ical.PRODUCT)
    assert (event["UID"], event["SEQUENCE"]) == (EVENT.uid, 0)
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (EVENT.starts_at, EVENT.ends_at)
    assert event.decoded("DTSTAMP") == EVENT.stamp
    assert (event["SUMMARY"], event["LOCATION"]) == (EVENT.summary, EVENT.location)
    assert event["DESCRIPTION"] == EVENT.description
    assert "URL" not in event
    assert (event["STATUS"], event["TRANSP"], event["CLASS"]) == ("CONFIRMED", "OPAQUE", "PRIVATE")
    assert (event["ORGANIZER"], event["ORGANIZER"].params["CN"]) == ("mailto:desk@example.org", "Example Skin Clinic")


def test_a_request_asks_for_no_answer() -> None:
    _, event = parsed(ical.request(EVENT))

    attendee = event["ATTENDEE"]

    assert attendee == "mailto:robin@example.org"
    assert dict(attendee.params) == {
        "CN": "Robin Example",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
    }


def test_a_request_reminds_two_hours_before() -> None:
    _, event = parsed(ical.request(EVENT))

    [alarm] = event.walk("VALARM")

    assert (alarm["ACTION"], alarm.decoded("TRIGGER")) == ("DISPLAY", -dt.timedelta(hours=2))


def test_a_cancellation_takes_the_same_visit_away_and_reminds_nobody() -> None:
    calendar, event = parsed(ical.cancellation(dataclasses.replace(EVENT, sequence=2)))

    assert calendar["METHOD"] == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (EVENT.uid, 2, "CANCELLED")
    assert event.walk("VALARM") == []


def test_a_download_invites_nobody() -> None:
    calendar, event = parsed(ical.published(EVENT))

    assert calendar["METHOD"] == "PUBLISH"
    assert "ATTENDEE" not in event
    assert event["UID"] == EVENT.uid


@pytest.mark.parametrize("method", MADE)
def test_vobject_reads_the_same(method: str) -> None:
    calendar = vobject.readOne(MADE[method](EVENT).decode())

    event = calendar.vevent

    assert calendar.method.value == method
    assert (event.uid.value, event.sequence.value, event.summary.value) == (EVENT.uid, "0", EVENT.summary)
    assert (event.dtstart.value, event.dtend.value) == (EVENT.starts_at, EVENT.ends_at)
    assert (event.location.value, event.description.value) == (EVENT.location, EVENT.description)


@pytest.mark.parametrize("method", MADE)
def test_instants_are_written_in_utc_whatever_zone_they_came_in(method: str) -> None:
    zone = dt.timezone(dt.timedelta(hours=-5))
    event = dataclasses.replace(EVENT, starts_at=EVENT.starts_at.astimezone(zone), stamp=EVENT.stamp.astimezone(zone))

    lines = MADE[method](event).decode().split("\r\n")

    assert "DTSTART:20261210T151500Z" in lines
    assert "DTSTAMP:20261123T140000Z" in lines
    assert "DTEND:20261210T154500Z" in lines


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200)


@given(name=words, place=words)
def test_any_words_make_a_file_of_short_lines_that_says_the_same(name: str, place: str) -> None:
    event = dataclasses.replace(EVENT, attendee_name=name, organizer_name=name, location=place, summary=name)

    file = ical.request(event)

    assert all(len(line) <= 75 and b"\r" not in line and b"\n" not in line for line in file.split(b"\r\n"))
    assert file.endswith(b"END:VCALENDAR\r\n")
    _, back = parsed(file)
    assert (back["LOCATION"], back["SUMMARY"], back["UID"]) == (place, name, EVENT.uid)


@pytest.mark.parametrize("name", ["Robin\r\nATTENDEE:mailto:mallory@example.org", 'Robin";RSVP=TRUE:x', "Robin;,:Ex"])
def test_a_name_cannot_add_a_line_or_a_parameter(name: str) -> None:
    _, event = parsed(ical.request(dataclasses.replace(EVENT, attendee_name=name, organizer_name=name)))

    assert event["ATTENDEE"] == "mailto:robin@example.org"
    assert event["ORGANIZER"] == "mailto:desk@example.org"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
