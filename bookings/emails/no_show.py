"""After a visit to which nobody came: no blame, and the way to another time."""

import datetime as dt

from django.conf import settings
from django.urls import reverse

from bookings.emails.letters import Draft, Letter, Note, note, write
from bookings.models import Booking
from clinic import words


def missed(booking: Booking, *, is_by_phone: bool = False, now: dt.datetime) -> Letter:
    """Write that we missed them, and how to book again: online, unless this person books by phone."""
    return write(missed_draft(booking, is_by_phone=is_by_phone, now=now))


def missed_draft(booking: Booking, *, is_by_phone: bool = False, now: dt.datetime) -> Draft:
    """The letter before its subject and its opening are put in."""
    link = settings.SITE_URL + reverse("booking:skin", args=[booking.service.slug])
    said = Note(
        heading="We missed you",
        button=None if is_by_phone else ("Book another time", link),
        after=[_how_to_call(booking, is_by_phone=is_by_phone), "If we have this wrong, tell us. We put it right."],
        has_advice=False,
    )
    return note("missed", booking, said, now=now)


def _how_to_call(booking: Booking, *, is_by_phone: bool) -> str:
    clinic = booking.location.clinic
    if not clinic.phone:
        return "To book another time, answer this email." if is_by_phone else "Or answer this email."
    number = words.phone(clinic.phone, clinic.country)
    return f"To book another time, call us: {number}." if is_by_phone else f"Or call us: {number}."
