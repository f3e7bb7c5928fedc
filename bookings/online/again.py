"""What is asked once more before a visit: only what may be new, and what nobody has answered yet."""

import dataclasses
import datetime as dt

from bookings import eligibility
from bookings.models import Booking
from clinic import screening
from clinic.screening import Answer, Answered, Rulebook


@dataclasses.dataclass(frozen=True)
class Again:
    """``asked`` are the questions; with ``is_open`` some were never answered, so "nothing new" would say too little."""

    book: Rulebook
    asked: list[screening.Asked]
    is_open: bool

    @property
    def nothing_new(self) -> dict[str, Answered]:
        """No to everything: it undoes no yes that was said before."""
        return {each.code: Answered(Answer.NO) for each in self.asked}


def again_for(booking: Booking) -> Again:
    """The change-only questions of this visit."""
    book, codes = screening.rulebook(booking.location.clinic), booking.service.codes
    known = eligibility.said_for(booking).answers
    # Of a minor some are asked in the room, alone.
    is_minor = _is_minor(booking)
    missing = [each for each in screening.unanswered(book, known, codes) if not (each.is_private and is_minor)]
    asked = [each for each in book.asked(codes) if each.is_asked_again or each in missing]
    return Again(book, asked, bool(missing))


def since(booking: Booking) -> dt.date:
    """From when on something counts as new: the day on which the visit was booked."""
    return (booking.booked_at or booking.held_at).astimezone(booking.location.zone).date()


def _is_minor(booking: Booking) -> bool:
    born = booking.patient.date_of_birth if booking.patient else None
    return eligibility.needs_guardian(born, booking.local_date)
