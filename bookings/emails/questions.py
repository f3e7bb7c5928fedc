"""The health questions that the desk left open: answered at home, before the visit."""

import datetime as dt

from bookings.emails.letters import Draft, Note, facts, note, post, visit_link, write
from bookings.models import Booking, OutgoingEmail


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
