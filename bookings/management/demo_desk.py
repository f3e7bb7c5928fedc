"""What the demo's staff did of late: visits closed, paid and noted, a walk-in, calls taken, tasks, and who is away."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from itertools import islice
from random import Random

from django.contrib.auth.models import User

from bookings import availability, displaced, lifecycle
from bookings.availability import Asked, Bend, Start
from bookings.management import demo_answers
from bookings.management.demo_people import person
from bookings.models import (
    Booking,
    BookingState,
    ConsentWay,
    Outcome,
    PaidBy,
    Patient,
    RunKind,
    ScreeningRun,
    Task,
    TaskKind,
)
from clinic import absences
from clinic.intervals import ONE_DAY, day_start, instant_of
from clinic.models import Location, PriceKind, Resource, Service
from clinic.screening import Answered, Rulebook

MISSED_SHARE, PAID_SHARE, NOTED_SHARE = 0.04, 0.9, 0.12
# Notes and payments are of this past week; what lies further back was closed and no more.
LOOKED_AFTER = dt.timedelta(days=7)
METHODS = [PaidBy.CARD] * 6 + [PaidBy.CASH] * 3 + [PaidBy.TRANSFER]
# What was added to a price that says "from".
EXTRAS = (0, 0, 0, 10, 15, 25)
NOTES = (
    "Prefers the couch a little upright.",
    "Next time in the morning, the light is better for the photos.",
    "Comes with her sister, who waits outside.",
    "Took the aftercare sheet along.",
    "Wants to hear each step before it is done.",
)
TO_DO = "Ring the laundry about Friday."
# Nobody meets the people the diary is drawn with. There is another one each day.
CALLERS, WALK_INS, ABSENT = 1600, 1700, 1590
ANOTHER_ADDRESS = ".home@example.org"
LONGEST_WAIT, MOST_TRIES = dt.timedelta(minutes=100), 12
HOUR, NOON = 60, 13 * 60
# How many visits an absence should put in need of another time.
TO_MOVE = (2, 3)


@dataclasses.dataclass(frozen=True)
class Desk:
    """The desk of one house as of ``now``, in a diary that begins on ``first`` and ends on ``last``."""

    location: Location
    book: Rulebook
    now: dt.datetime
    first: dt.date
    last: dt.date

    @cached_property
    def today(self) -> dt.date:
        return self.now.astimezone(self.location.zone).date()

    @cached_property
    def staff(self) -> dict[str, User]:
        return {user.username: user for user in User.objects.all()}

    @property
    def reception(self) -> User:
        return self.staff["reception"]

    @cached_property
    def service(self) -> Service:
        """What everybody here asks for."""
        return Service.objects.get(slug="nose")

    @property
    def visitor(self) -> str:
        """Whose holds the desk's are."""
        return f"desk-{self.reception.pk}"

    @cached_property
    def called_at(self) -> dt.datetime:
        """Yesterday afternoon, whatever the hour of this run."""
        return self._at(self.today - ONE_DAY, 16 * 60 + 10)

    def close_visits(self) -> list[Booking]:
        """What is over took place or was missed, one at least on the last day; whoever is due is here."""
        confirmed = Booking.objects.filter(state=BookingState.CONFIRMED).with_everything().order_by("starts_at", "pk")
        over = list(confirmed.filter(ends_at__lte=self.now))
        earlier = [booking for booking in over if booking.local_date < self.today]
        latest = [booking for booking in earlier if booking.local_date == earlier[-1].local_date]
        absent = latest[len(latest) // 2] if latest else None
        for booking in over:
            random = Random(f"{booking.starts_at} {booking.practitioner.name}")
            if random.random() < MISSED_SHARE or booking == absent:
                lifecycle.miss(booking, by=self.reception, now=booking.ends_at)
            else:
                self._look_after(booking, random)
        soon = self.now + dt.timedelta(minutes=5)
        for booking in confirmed.filter(starts_at__lte=soon, ends_at__gt=self.now):
            self._receive(booking)
        return over

    def tell(self) -> Iterator[Booking]:
        """The visits that the desk itself booked. Whatever finds no time is left out."""
        yield from self._who_comes_late()
        yield from self._who_missed_two()
        yield from self._caller_with_open_questions()
        yield from self._caller_who_is_there_twice()
        self._block_an_hour()
        yield from self._walk_in()
        self._send_somebody_home()
        self._share_the_tasks()

    def _look_after(self, booking: Booking, random: Random) -> None:
        """The visit took place."""
        is_recent = booking.ends_at > self.now - LOOKED_AFTER
        if is_recent:
            lifecycle.arrive(booking, by=self.reception, now=booking.starts_at - dt.timedelta(minutes=5))
        self._read_aloud(booking)
        try:
            lifecycle.complete(booking, outcome=_usual(booking), by=self.reception, now=booking.ends_at)
        except lifecycle.Refused:
            # Something was still to ask or to decide.
            lifecycle.complete(booking, outcome=Outcome.NOT_TREATED, by=self.reception, now=booking.ends_at)
        if is_recent:
            self._pay(booking, random)
            self._note(booking, random)

    def _read_aloud(self, booking: Booking) -> None:
        """Whoever booked at the desk has not read the advice yet."""
        if booking.visitor == self.visitor:
            lifecycle.record_guidance(booking, way=ConsentWay.SPOKEN, by=self.reception, now=booking.starts_at)

    def _pay(self, booking: Booking, random: Random) -> None:
        amount = booking.price
        if booking.price_kind == PriceKind.FROM:
            amount += Decimal(random.choice(EXTRAS))
        if amount and random.random() < PAID_SHARE:
            method = random.choice(METHODS)
            lifecycle.take_payment(booking, amount=amount, method=method, by=self.reception, now=booking.ends_at)

    def _note(self, booking: Booking, random: Random) -> None:
        if random.random() < NOTED_SHARE:
            by = booking.practitioner.user or self.reception
            lifecycle.add_visit_note(booking, text=random.choice(NOTES), by=by, now=booking.ends_at)

    def _receive(self, booking: Booking) -> None:
        """Here for a visit that begins, and in the room once it has begun."""
        lifecycle.arrive(booking, by=self.reception, now=booking.starts_at - dt.timedelta(minutes=6))
        if booking.has_started(self.now):
            self._read_aloud(booking)
            # They wait for what is still to ask.
            with suppress(lifecycle.Refused):
                lifecycle.enter_room(booking, by=self.reception, now=booking.starts_at)

    def _who_comes_late(self) -> Iterator[Booking]:
        """The next patient of today rang from the bus."""
        coming = Booking.objects.filter(state=BookingState.CONFIRMED, starts_at__gt=self.now)
        today = coming.filter(starts_at__lt=self._at(self.today + ONE_DAY)).order_by("starts_at", "pk")
        for booking in today[:1]:
            yield lifecycle.running_late(booking, minutes=10, by=self.reception, now=self.now)

    def _who_missed_two(self) -> Iterator[Booking]:
        """Somebody missed their last two visits, and has booked again."""
        who = person(ABSENT)
        if Booking.objects.filter(patient__email=who.email).exists():
            return
        days = [self.today - ONE_DAY * back for back in range(1, (self.today - self.first).days + 1)]
        found = (self._some_time(day) for day in days)
        for start in [start for start in found if start is not None][:2]:
            booking = self._take(start, lifecycle.Details(**who._asdict()), at=start.at - dt.timedelta(days=4))
            yield lifecycle.miss(booking, by=self.reception, now=booking.ends_at)
        for start in self._soonest(self.called_at):
            yield self._take(start, lifecycle.Details(**who._asdict()), at=self.called_at)

    def _caller_with_open_questions(self) -> Iterator[Booking]:
        """Booked on the phone: only what is asked first was asked, the rest is mailed."""
        caller = person(CALLERS + self.today.toordinal() % 50)
        details = lifecycle.Details(**{**caller._asdict(), "date_of_birth": None})
        at = self.called_at + dt.timedelta(minutes=12)
        for start in self._soonest(at):
            yield self._take(start, details, at=at, only=("Q1", "Q2"))

    def _caller_who_is_there_twice(self) -> Iterator[Booking]:
        """Somebody with a visit to come rang to book another one, and was entered anew."""
        tomorrow = self._at(self.today + ONE_DAY)
        booked = Booking.objects.filter(state=BookingState.CONFIRMED, starts_at__gt=tomorrow).with_everything()
        known = booked.order_by("starts_at", "pk").first()
        if known is None or known.patient is None or Patient.objects.filter(email__endswith=ANOTHER_ADDRESS).exists():
            return
        details = lifecycle.Details(
            name=known.patient.name,
            email=known.patient.email.replace("@example.org", ANOTHER_ADDRESS),
            phone=known.patient.phone,
            date_of_birth=known.patient.date_of_birth,
        )
        at = self.called_at + dt.timedelta(minutes=31)
        for start in self._soonest(at, after=known.starts_at + ONE_DAY):
            booking = self._take(start, details, at=at)
            yield lifecycle.record_guidance(
                booking, way=ConsentWay.PHONE, by=self.reception, now=booking.booked_at or at
            )

    def _block_an_hour(self) -> None:
        """A free hour of today, or of the next day on which there is one."""
        days = (self.today + ONE_DAY * ahead for ahead in range((self.last - self.today).days + 1))
        free = next((found for found in map(self._free_hours, days) if found), [])
        if free:
            hour, who = max(free, key=lambda each: each[0])
            self._enter_away(who, instant_of(hour), instant_of(hour + HOUR), "Call with the laboratory")

    def _free_hours(self, day: dt.date) -> list[tuple[int, Resource]]:
        """Whole hours, as minutes since the epoch, in which somebody has nobody."""
        diary = availability.load(first=day, until=day + ONE_DAY, **self._asked(self._at(day)))
        return [
            (hour, who)
            for who in diary.practitioners
            for begins, ends in diary.free(who)
            for hour in range(-(-begins // HOUR) * HOUR, ends - HOUR + 1, HOUR)
        ]

    def _walk_in(self) -> Iterator[Booking]:
        """Somebody came in a few minutes ago, or earlier today; nobody before the door opens."""
        latest = min(self.now, self._at(self.today, 16 * 60 + 30)).replace(second=0, microsecond=0)
        tries = (latest - dt.timedelta(minutes=5 + 40 * back) for back in range(MOST_TRIES))
        found = ((at, self._waits_for(at)) for at in tries if at > self._at(self.today))
        for came_at, start in islice(((at, start) for at, start in found if start), 1):
            details = lifecycle.Details(**person(WALK_INS + self.today.toordinal() % 50)._asdict())
            booking = self._take(start, details, at=came_at, override="Walk-in")
            at = booking.booked_at or came_at
            lifecycle.record_guidance(booking, way=ConsentWay.SPOKEN, by=self.reception, now=at)
            lifecycle.arrive(booking, by=self.reception, now=at)
            yield booking
            if booking.ends_at <= self.now:
                self._look_after(booking, Random(f"{booking.starts_at}"))

    def _waits_for(self, came_at: dt.datetime) -> Start | None:
        """What somebody who stands there need not wait for long."""
        free = self._free(self.today, came_at, bend=Bend.GRID)
        return next((each for each in free if each.at - came_at <= LONGEST_WAIT and each.at.minute % 5 == 0), None)

    def _send_somebody_home(self) -> None:
        """Half a day later this week, over two or three visits, unless there are visits to move already."""
        if displaced.count(displaced.everybody(), now=self.now):
            return
        visits: Counter[tuple[dt.date, bool, Resource]] = Counter()
        first, until = self._at(self.today + ONE_DAY * 2), self._at(min(self.today + ONE_DAY * 6, self.last + ONE_DAY))
        coming = Booking.objects.upcoming().filter(starts_at__gte=first, starts_at__lt=until)
        for booking in coming.with_everything().order_by("starts_at", "pk"):
            noon = self._at(booking.local_date, NOON)
            if booking.starts_at < noon:
                visits[booking.local_date, True, booking.practitioner] += 1
            if booking.ends_at > noon:
                visits[booking.local_date, False, booking.practitioner] += 1
        for (day, is_early, who), count in visits.items():
            if count in TO_MOVE:
                begins, ends = (0, NOON) if is_early else (NOON, 24 * 60)
                self._enter_away(who, self._at(day, begins), self._at(day, ends), "Family matter")
                return

    def _share_the_tasks(self) -> None:
        """Who does what, and what was found out."""
        at = self.called_at + dt.timedelta(minutes=50)
        newest = Task.objects.open().order_by("-pk")
        for task in newest.filter(kind=TaskKind.CALL_BACK)[:1]:
            lifecycle.assign_task(task, to=self.reception, by=self.staff["manager"], now=at)
            lifecycle.add_task_note(
                task, text="No answer at 5pm. I try again in the morning.", by=self.reception, now=at
            )
        for task in newest.filter(kind=TaskKind.CHECK_IN)[:1]:
            clinician = self.staff["clinician"]
            lifecycle.assign_task(task, to=clinician, by=self.reception, now=at)
            lifecycle.add_task_note(task, text="Spoke to them. They send a photo tonight.", by=clinician, now=at)
        if not Task.objects.filter(note=TO_DO).exists():
            self._remind(at)

    def _remind(self, at: dt.datetime) -> None:
        """One thing that is still to do, and one that is done."""
        manager, due_at = self.staff["manager"], self._at(self.today, 15 * 60)
        lifecycle.remind(note=TO_DO, due_at=due_at, assigned_to=manager, by=self.reception, now=at)
        done = lifecycle.remind(note="Order gloves, size M.", due_at=self.called_at, by=manager, now=at)
        lifecycle.finish_task(done, by=self.reception, now=at + dt.timedelta(minutes=20))

    def _take(
        self,
        start: Start,
        details: lifecycle.Details,
        *,
        at: dt.datetime,
        only: tuple[str, ...] = (),
        override: str = "",
    ) -> Booking:
        """Book at the desk, with no to every question, or to ``only`` these."""
        service, visitor = self.service, self.visitor
        slot = lifecycle.Slot(service=service, location=self.location, practitioner=start.practitioner, start=start.at)
        held = lifecycle.hold(slot, visitor=visitor, by=self.reception, override=override, now=at)
        answers = demo_answers.all_no(self.book, service)
        asked = {code: each for code, each in answers.items() if not only or code in only}
        run = _run(asked, self.reception, at)
        now = at + dt.timedelta(minutes=3)
        return lifecycle.confirm(
            held, details=details, visitor=visitor, run=run, book=self.book, by=self.reception, now=now
        )

    def _some_time(self, day: dt.date) -> Start | None:
        """One of the free times of a day that is over, seen some days before."""
        found = self._free(day, self._at(day - ONE_DAY * 4))
        return found[len(found) // 2] if found else None

    def _soonest(self, at: dt.datetime, *, after: dt.datetime | None = None) -> list[Start]:
        """From tomorrow morning on, or from ``after``."""
        opens = after or self._at(self.today + ONE_DAY, 9 * 60)
        return availability.soonest(
            count=1,
            is_after=opens,
            service=self.service,
            location=self.location,
            clinic=self.location.clinic,
            now=at,
        )

    def _free(self, day: dt.date, at: dt.datetime, *, bend: Bend = Bend.NOTHING) -> list[Start]:
        """As staff see it who look at ``at``."""
        return availability.search(first=day, until=day + ONE_DAY, **self._asked(at, bend))

    def _asked(self, at: dt.datetime, bend: Bend = Bend.NOTHING) -> Asked:
        return {
            "service": self.service,
            "location": self.location,
            "clinic": self.location.clinic,
            "is_staff": True,
            "bend": bend,
            "now": at,
        }

    def _enter_away(self, who: Resource, starts_at: dt.datetime, ends_at: dt.datetime, reason: str) -> None:
        absences.enter(who, starts_at=starts_at, ends_at=ends_at, reason=reason, by=self.reception, now=self.called_at)

    def _at(self, day: dt.date, minutes: int = 0) -> dt.datetime:
        return instant_of(day_start(day, self.location.zone) + minutes)


def _run(answers: dict[str, Answered], by: User, at: dt.datetime) -> ScreeningRun:
    """Not stored: it becomes the booking's."""
    said = {code: each.as_json() for code, each in answers.items()}
    return ScreeningRun(kind=RunKind.DESK, answers=said, taken_by=by, made_at=at)


def _usual(booking: Booking) -> Outcome:
    return Outcome.TREATED if "EXTRACT" in booking.service.groups else Outcome.NOT_TREATED
