"""What the demo's patients answered: mostly no, now and then something to know."""

import datetime as dt
from random import Random

from bookings.models import ScreeningRun
from clinic.models import Service
from clinic.screening import Answer, Answered, Rulebook

# Of those who have anything to say; each is a note for the practitioner.
TOLD = ("q9-aspirin", "q10-mild", "q12-dark-marks")
TOLD_SHARE = 0.15
LIVES = dt.timedelta(hours=24)


def all_no(book: Rulebook, service: Service) -> dict[str, Answered]:
    return {asked.code: Answered(Answer.NO) for asked in book.asked(service.codes)}


def with_yes(book: Rulebook, service: Service, part: str, *, date: dt.date | None = None) -> dict[str, Answered]:
    """No to everything but one part, which is named by its code."""
    question = part.partition("-")[0].upper()
    parts = frozenset({part} if book.question(question).is_tick_list else ())
    return all_no(book, service) | {question: Answered(Answer.YES, parts, date)}


def some(book: Rulebook, service: Service, random: Random) -> dict[str, Answered]:
    """Answers as most people give them."""
    asked = {part.code for each in book.asked(service.codes) for part in each.parts}
    known = [part for part in TOLD if part in asked]
    if known and random.random() < TOLD_SHARE:
        return with_yes(book, service, random.choice(known))
    return all_no(book, service)


def run_of(book: Rulebook, service: Service, answers: dict[str, Answered], now: dt.datetime) -> ScreeningRun:
    """A round of answers as the pages store it before a booking takes it over."""
    return ScreeningRun.objects.create(
        answers={code: each.as_json() for code, each in answers.items()},
        versions=book.words_of(book.asked(service.codes)),
        made_at=now,
        expires_at=now + LIVES,
    )
