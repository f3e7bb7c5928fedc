"""What makes a demo's day worth looking at: answers that wait for a clinician, and skin that something happened to."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from bookings import availability, lifecycle, rechecking
from bookings.management import demo_answers
from bookings.management.demo_people import person
from bookings.models import Booking, BookingState, Outcome, RunKind
from bookings.models.event import Actor
from clinic.models import Location, Service
from clinic.screening import Answer, Answered, Rulebook

# Each waits for a clinician: the service, and the part of a question that was ticked.
TO_REVIEW = (("face", "q12-diabetes"), ("body", "q12-keloids"), ("nose", "q9-thinner"))
TEEN, TEEN_BORN_DAYS_AGO = "teen", 15 * 366
# Nobody meets the people the diary is drawn with.
FIRST_PERSON = 1500
ONE_IS_SILENT_OF = 6


@dataclasses.dataclass(frozen=True)
class Stories:
    """Told once a day, as of ``now``; times are looked for from ``opens`` on."""

    location: Location
    book: Rulebook
    now: dt.datetime
    opens: dt.datetime
    # What was read and ticked for a service, by the names of ``lifecycle.Details``.
    papers: Callable[[Service], dict[str, Any]]

    def tell(self) -> Iterator[Booking]:
        """The visits they are about. Whatever finds no time or no visit is left out."""
        for number, (slug, part) in enumerate(TO_REVIEW):
            yield from self._ask_for(slug, part, FIRST_PERSON + number)
        yield from self._bring_a_teen()
        yield from self._say_that_nothing_is_new()
        yield from self._say_something_is_new()
        yield from self._say_it_got_worse()

    def _ask_for(self, slug: str, part: str, number: int) -> Iterator[Booking]:
        for service in Service.objects.filter(slug=slug):
            answers = demo_answers.with_yes(self.book, service, part)
            yield from self._book(service, lifecycle.Details(**person(number)._asdict()), answers)

    def _bring_a_teen(self) -> Iterator[Booking]:
        """With a parent, who is asked to agree. What is private is asked in the room."""
        private = {asked.code for asked in self.book.questions if asked.is_private}
        young, parent = person(FIRST_PERSON + 10), person(FIRST_PERSON + 11)
        born = self.now.date() - dt.timedelta(days=TEEN_BORN_DAYS_AGO)
        details = lifecycle.Details(
            **young._replace(date_of_birth=born)._asdict(),
            is_for_someone_else=True,
            guardian=lifecycle.GuardianDetails(
                name=parent.name, relation="mother", phone=parent.phone, email=parent.email
            ),
        )
        for service in Service.objects.filter(slug=TEEN):
            answers = demo_answers.all_no(self.book, service)
            yield from self._book(
                service, details, {code: each for code, each in answers.items() if code not in private}
            )

    def _book(self, service: Service, details: lifecycle.Details, answers: dict[str, Answered]) -> Iterator[Booking]:
        found = availability.soonest(
            count=1,
            is_after=self.opens,
            service=service,
            location=self.location,
            clinic=self.location.clinic,
            now=self.now,
        )
        visitor = f"demo {self.now:%Y-%m-%d} {details.phone}"
        details = dataclasses.replace(details, **self.papers(service))
        for start in found:
            slot = lifecycle.Slot(service=service, location=self.location, practitioner=None, start=start.at)
            held = lifecycle.hold(slot, visitor=visitor, now=self.now)
            run = demo_answers.run_of(self.book, service, answers, self.now)
            yield lifecycle.confirm(held, details=details, visitor=visitor, run=run, now=self.now)

    def _say_that_nothing_is_new(self) -> Iterator[Booking]:
        """The day before the visit, as most do."""
        soon = Booking.objects.with_everything().filter(
            location=self.location,
            state=BookingState.CONFIRMED,
            starts_at__range=(self.now, self.now + rechecking.ASKED_BEFORE),
        )
        for number, booking in enumerate(soon.order_by("starts_at", "pk")):
            if number % ONE_IS_SILENT_OF and rechecking.is_asked(booking, self.now):
                asked = self.book.asked_again(booking.service.codes)
                nothing = {each.code: Answered(Answer.NO) for each in asked}
                lifecycle.answer_again(booking, answers=nothing, kind=RunKind.RECHECK, by=Actor.PATIENT, now=self.now)
                yield booking

    def _say_something_is_new(self) -> Iterator[Booking]:
        """Shortly before the visit somebody is sunburnt."""
        soon = Booking.objects.with_everything().filter(
            location=self.location,
            state=BookingState.CONFIRMED,
            service__slug="nose",
            starts_at__range=(self.opens, self.opens + dt.timedelta(days=4)),
        )
        for booking in soon.order_by("starts_at", "pk")[:1]:
            answers = demo_answers.with_yes(self.book, booking.service, "q7-broken", date=self.now.date())
            again = {asked.code: answers[asked.code] for asked in self.book.asked_again(booking.service.codes)}
            lifecycle.answer_again(booking, answers=again, kind=RunKind.RECHECK, by=Actor.PATIENT, now=self.now)
            yield booking

    def _say_it_got_worse(self) -> Iterator[Booking]:
        """Some days after the visit somebody's skin is worse."""
        over = Booking.objects.with_everything().filter(
            location=self.location,
            outcome=Outcome.TREATED,
            ends_at__range=(self.now - dt.timedelta(days=5), self.now - dt.timedelta(days=1)),
        )
        for booking in over.order_by("starts_at", "pk")[:1]:
            lifecycle.worse(booking, day=3, by=Actor.PATIENT, now=self.now)
            yield booking
