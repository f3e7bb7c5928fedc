"""What is asked once more before a visit: only what may be new, and what nobody has answered yet."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator

from bookings import eligibility, rechecking
from bookings.eligibility import Said
from bookings.models import Booking
from clinic import screening
from clinic.screening import Answer, Answered, Rulebook, RuleShown


@dataclasses.dataclass(frozen=True)
class Again:
    """``asked`` are the questions; with ``is_open`` some were never answered, so "nothing new" would say too little.

    ``must_heal`` are the rules of this visit under which skin has to heal first; of ``told`` the patient told us, and
    once, the day before, they say whether it has.
    """

    book: Rulebook
    asked: list[screening.Asked]
    is_open: bool
    must_heal: list[RuleShown]
    told: list[RuleShown]

    @property
    def nothing_new(self) -> dict[str, Answered]:
        """No to everything: it undoes no yes that was said before."""
        return {each.code: Answered(Answer.NO) for each in self.asked}


def again_for(booking: Booking, now: dt.datetime) -> Again:
    """The change-only questions of this visit."""
    book, codes = screening.rulebook(booking.location.clinic), booking.service.codes
    said = eligibility.said_for(booking)
    missing = eligibility.left_to_ask(booking, said, book)
    asked = [each for each in book.asked(codes) if each.is_asked_again or each in missing]
    must_heal = list(_must_heal(booking, book, asked)) if rechecking.is_asked(booking, now) else []
    told = set() if rechecking.has_answered(booking) else _set_off(booking, said, book, now)
    return Again(book, asked, bool(missing), must_heal, [rule for rule in must_heal if rule.code in told])


def _set_off(booking: Booking, said: Said, book: Rulebook, now: dt.datetime) -> set[str]:
    """The codes of the rules, whatever became of them."""
    today, grade = now.astimezone(booking.location.zone).date(), booking.practitioner.code
    return {each.rule for each in said.outcome(book, codes=booking.service.codes, grade=grade, today=today).findings}


def _must_heal(booking: Booking, book: Rulebook, asked: Iterable[screening.Asked]) -> Iterator[RuleShown]:
    """One rule for each part of what is asked."""
    grade, codes, names = booking.practitioner.code, booking.service.codes, {each.code for each in asked}
    found = (rule for rule in book.rules if rule.must_be_healed and rule.question in names)
    return iter({rule.part: rule for rule in found if rule.is_for(codes, grade)}.values())


def since(booking: Booking) -> dt.date:
    """From when on something counts as new: the day on which the visit was booked."""
    return (booking.booked_at or booking.held_at).astimezone(booking.location.zone).date()
