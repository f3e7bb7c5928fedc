"""Health questions before the visit: what the desk left open, and what may be new since it was booked."""

import datetime as dt

from bookings import eligibility, rechecking
from bookings.ages import needs_guardian
from bookings.eligibility import NOTHING_SAID
from bookings.emails.letters import Draft, Note, facts, note, post, visit_link, write
from bookings.models import Booking, OutgoingEmail
from clinic import screening, words


def open_questions(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """Ask for what is still open. Once the visit has begun it is asked there, so then it is not sent."""
    letter = write(open_questions_draft(booking, now=now))
    return post(letter, booking, not_after=booking.starts_at, now=now)


def open_questions_draft(booking: Booking, *, now: dt.datetime) -> Draft:
    """The letter before its subject and its opening are put in."""
    said = Note(
        heading="A few health questions before your visit",
        button=("Answer them", visit_link(booking)),
        after=["You can also answer them with us when you arrive. It takes a few minutes longer then."],
        facts=facts(booking),
        has_advice=False,
    )
    return note("answer", booking, said, now=now)


def is_anything_new(booking: Booking) -> str:
    """Only what has changed is asked again; who was never asked has all of it before them."""
    if _has_open_questions(booking):
        return "We still need to know a few things about your skin. It takes a few minutes, and it keeps you safe."
    since = words.day((booking.booked_at or booking.held_at).astimezone(booking.location.zone))
    return f"Is anything new with your skin since {since}? It takes a minute, and it keeps you safe."


def _has_open_questions(booking: Booking) -> bool:
    """As the page behind the link: what a minor is asked alone is none of them."""
    said = eligibility.said_for(booking) if booking.is_screening_outstanding else NOTHING_SAID
    if not needs_guardian(said.born, booking.local_date):
        return booking.is_screening_outstanding
    return bool(eligibility.left_to_ask(booking, said, screening.rulebook(booking.location.clinic)))


def recheck(booking: Booking, now: dt.datetime) -> str:
    """The same for a letter that takes the place of the reminder the day before; "" while nothing is asked."""
    is_open = rechecking.is_asked(booking, now) and not rechecking.has_answered(booking)
    return is_anything_new(booking) if is_open else ""
