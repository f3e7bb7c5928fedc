"""The course in tests: visits of all kinds, rounds at given moments, and what then stands in the outbox."""

import datetime as dt
import itertools
from typing import Any

from django.contrib.auth.models import Permission

from bookings import eligibility, followup, lifecycle, outbox
from bookings.models import Booking, Outcome, OutgoingEmail, RunKind, ScreeningRun
from bookings.models.mail import COURSE
from clinic import screening
from clinic.models import OpeningHours
from clinic.screening import Answer, Answered
from tests.factories import NOW, World, local, make_details, make_staff

HOUR, DAY, MINUTE, SECOND = (
    dt.timedelta(hours=1),
    dt.timedelta(days=1),
    dt.timedelta(minutes=1),
    dt.timedelta(seconds=1),
)
# The visit that most tests are about starts at ten on a Thursday, booked on the Monday two weeks before.
THURSDAY = dt.date(2026, 12, 10)
TEN = local(THURSDAY, 10)
_numbers = itertools.count(1)


def begin(now: dt.datetime = NOW) -> None:
    """The course has run here before: from then on everything is promised."""
    followup.run(now)


def run(*moments: dt.datetime) -> None:
    for now in moments:
        followup.run(now)


def run_and_send(*moments: dt.datetime) -> None:
    for now in moments:
        followup.run(now)
        outbox.send_due(now)


def written(booking: Booking) -> list[tuple[str, int, str]]:
    """Kind, arrangement and state of each message of the course, in the order of writing."""
    rows = OutgoingEmail.objects.filter(booking=booking, kind__in=COURSE).order_by("pk")
    return list(rows.values_list("kind", "sequence", "state"))


def kinds(booking: Booking) -> list[str]:
    return [kind for kind, _, _ in written(booking)]


def email_of(booking: Booking, kind: str) -> OutgoingEmail:
    return OutgoingEmail.objects.filter(booking=booking, kind=kind).latest("sequence")


def open_all_day(hour: int = 6) -> None:
    """From ``hour`` to midnight, each day of the week that is open at all."""
    OpeningHours.objects.update(opens_at=dt.time(hour), closes_at=dt.time(0))


def treat(booking: Booking, *, outcome: str = Outcome.TREATED, at: dt.datetime | None = None) -> Booking:
    now = at or booking.ends_at
    if outcome == Outcome.TREATED:
        ask_the_rest(booking, now)
    return lifecycle.complete(booking, outcome=Outcome(outcome), by=staff(), now=now)


def ask_the_rest(booking: Booking, now: dt.datetime) -> None:
    """What nobody answered yet is asked at the clinic: no to all of it."""
    book = screening.rulebook(booking.location.clinic)
    still_open = screening.unanswered(book, eligibility.said_for(booking).answers, booking.service.codes)
    if still_open:
        answers = {asked.code: Answered(Answer.NO) for asked in still_open}
        lifecycle.answer_again(booking, answers=answers, kind=RunKind.DESK, by=staff(), now=now)


def arrive(booking: Booking) -> Booking:
    return lifecycle.arrive(booking, by=staff(), now=booking.starts_at)


def staff() -> Any:
    return make_staff(f"staff-{next(_numbers)}")


def clinician() -> Any:
    """Somebody who may decide on reviews, by name."""
    user = make_staff(f"clinician-{next(_numbers)}", is_superuser=False)
    user.user_permissions.add(Permission.objects.get(codename="decide_reviews"))
    return user


def book_with_answers(world: World, start: dt.datetime, *, now: dt.datetime = NOW, **yes: list[str]) -> Booking:
    """Booked, or pending, with a yes to the named questions: their ticked parts. Needs the real content."""
    visitor = f"answers-{next(_numbers)}"
    answers = {code: Answered(Answer.YES, frozenset(parts)) for code, parts in yes.items()}
    run = ScreeningRun.objects.create(
        answers={code: each.as_json() for code, each in answers.items()}, made_at=now, expires_at=now + DAY
    )
    held = world.hold(start, visitor=visitor, now=now)
    return lifecycle.confirm(held, details=make_details(), visitor=visitor, run=run, now=now)


def book_pending(world: World, start: dt.datetime, *, now: dt.datetime = NOW) -> Any:
    """It waits for a clinician, until its ``reply_by``: diabetes is a reason to look."""
    return book_with_answers(world, start, now=now, Q12=["q12-diabetes"])
