"""Two weeks in a clinic with two houses: who books what, and what becomes of it.

Everything is drawn from one seed. A ``Visit`` keeps what happened to it, so that an oracle can say which messages there
should be without asking the code under test.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from zoneinfo import ZoneInfo

from bookings import lifecycle
from bookings.models import Booking, Outcome, ScreeningRun
from bookings.models.event import Actor
from clinic.models import Location, OpeningHours
from tests.course import DAY, HOUR, MINUTE, clinician, staff
from tests.factories import World, make_details, make_location, make_practitioner, make_room, open_weekdays

# New York changes its clocks on the first Sunday, London after the second week.
BEGINS = dt.datetime(2027, 3, 11, 5, tzinfo=dt.UTC)
ENDS = dt.datetime(2027, 3, 27, 17, tzinfo=dt.UTC)
FIRST_VISITS, VISIT_DAYS = dt.date(2027, 3, 12), 7
OPENS, CLOSES, PITCH = 6, 23, 45 * MINUTE
AHEAD = (6 * DAY, 4 * DAY, 3 * DAY, 71 * HOUR, 30 * HOUR, DAY, 20 * HOUR, 5 * HOUR)
HOW_MANY = {
    "treated": 5,
    "treated_late": 3,
    "treated_days_later": 1,
    "not_treated": 1,
    "referred": 1,
    "missed": 1,
    "unclosed": 2,
    "unclosed_then_treated": 1,
    "cancelled": 4,
    "cancelled_once_written": 2,
    "moved": 4,
    "suspended": 1,
    "approved": 1,
    "declined": 1,
    "never_answered": 1,
    "moved_near": 2,
}
REVIEWED = {"approved", "declined", "never_answered"}
LONG_AHEAD = REVIEWED | {"cancelled_once_written", "moved_near"}


@dataclass
class Arrangement:
    """The visit as it was booked, approved or moved to at ``since``; ``until`` it was moved or called off."""

    start: dt.datetime
    since: dt.datetime
    until: dt.datetime | None = None


@dataclass
class Visit:
    """One booking, and what happened to it. While a clinician looks there is no arrangement yet."""

    plan: str
    house: Location
    start: dt.datetime
    minutes: int
    booked_at: dt.datetime
    pk: int = 0
    reply_by: dt.datetime | None = None
    decided_at: dt.datetime | None = None
    arrangements: list[Arrangement] = field(default_factory=list)
    arrived_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    is_treated: bool = False

    @property
    def zone(self) -> ZoneInfo:
        return self.house.zone

    @property
    def end(self) -> dt.datetime:
        return self.start + self.minutes * MINUTE

    @property
    def booking(self) -> Booking:
        return Booking.objects.with_everything().get(pk=self.pk)

    def ends_being_arranged(self, now: dt.datetime) -> None:
        if self.arrangements:
            self.arrangements[-1].until = now


class TwoWeeks:
    """The population; ``acts`` is what people do, in order of time."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World(online_from_age=16, cut_off_minutes=60)
        self.staff, self.clinician = staff(), clinician()
        self.houses = [self.world.location, self._second_house()]
        self._open_all_week()
        self.slots = {house.pk: self._slots(house) for house in self.houses}
        self.acts: list[tuple[dt.datetime, Callable[[dt.datetime], object]]] = []
        self.visits = [self._plan(plan) for plan, count in HOW_MANY.items() for _ in range(count)]
        self.acts.sort(key=lambda act: act[0])

    def _second_house(self) -> Location:
        house = make_location(slug="london", name="London house", time_zone="Europe/London", clinic=self.world.clinic)
        make_room(house)
        return house

    def _open_all_week(self) -> None:
        OpeningHours.objects.all().delete()
        for house in self.houses:
            open_weekdays(house, opens=OPENS, closes=CLOSES, days=7)
            open_weekdays(house, make_practitioner(f"Person in {house.name}"), opens=OPENS, closes=CLOSES, days=7)

    def _slots(self, house: Location) -> list[dt.datetime]:
        """Starts that never get in one another's way, from early morning to night, in random order."""
        found = []
        for day in range(VISIT_DAYS):
            opens = dt.datetime.combine(FIRST_VISITS + day * DAY, dt.time(OPENS), house.zone).astimezone(dt.UTC)
            found += [opens + n * PITCH for n in range(dt.timedelta(hours=CLOSES - OPENS) // PITCH)]
        self.random.shuffle(found)
        return found

    def _slot(self, house: Location, after: dt.datetime, before: dt.datetime = ENDS) -> dt.datetime:
        slots = self.slots[house.pk]
        return slots.pop(next(n for n, start in enumerate(slots) if after < start < before))

    def _moment(self, first: dt.datetime, last: dt.datetime) -> dt.datetime:
        """Any time in between, to the second."""
        return first + dt.timedelta(seconds=self.random.randrange(int((last - first).total_seconds())))

    def _plan(self, plan: str) -> Visit:
        house = self.random.choice(self.houses)
        first, last = (
            4 if plan in REVIEWED | {"moved_near"} else 0,
            VISIT_DAYS - 1 if plan == "moved" else VISIT_DAYS + 1,
        )
        start = self._slot(house, BEGINS + first * DAY, BEGINS + last * DAY)
        booked_at = start - (6 * DAY if plan in LONG_AHEAD else self.random.choice(AHEAD))
        visit = Visit(plan, house, start, self.world.service.minutes, booked_at)
        self._do(booked_at, lambda now: self._book(visit, now))
        getattr(self, f"_{plan}")(visit)
        return visit

    def _do(self, at: dt.datetime, act: Callable[[dt.datetime], object]) -> None:
        self.acts.append((at, act))

    # What people do; each notes it in the visit.

    def _book(self, visit: Visit, now: dt.datetime) -> None:
        visitor = f"visitor-{self.visits.index(visit)}"
        name, email = f"Patient {visitor}", f"{visitor}@example.org"
        details = make_details(name=name, email=email)
        run = None
        if visit.plan in REVIEWED:
            # That somebody is a minor is a reason for a clinician to look.
            guardian = lifecycle.GuardianDetails(
                name=f"Parent of {visitor}", relation="mother", phone="+12125550124", email=f"parent-of-{email}"
            )
            details = make_details(name=name, email=email, date_of_birth=dt.date(2010, 1, 1), guardian=guardian)
            run = ScreeningRun.objects.create(made_at=now, expires_at=now + DAY)
        slot = lifecycle.Slot(service=self.world.service, location=visit.house, practitioner=None, start=visit.start)
        held = lifecycle.hold(slot, visitor=visitor, now=now)
        booking = lifecycle.confirm(held, details=details, visitor=visitor, run=run, now=now)
        visit.pk, visit.reply_by = booking.pk, booking.reply_by
        if run is None:
            visit.arrangements.append(Arrangement(visit.start, now))

    def _arrive(self, visit: Visit, now: dt.datetime) -> None:
        lifecycle.arrive(visit.booking, by=self.staff, now=now)
        visit.arrived_at = now

    def _close(self, visit: Visit, outcome: Outcome, now: dt.datetime) -> None:
        booking = visit.booking
        if hasattr(booking, "guardian"):
            lifecycle.agree(booking.guardian, by=self.staff, now=now)
            booking = visit.booking
        lifecycle.complete(booking, outcome=outcome, by=self.staff, now=now)
        visit.closed_at, visit.is_treated = now, outcome == Outcome.TREATED

    # The plans.

    def _treated(self, visit: Visit, *, late: dt.timedelta = HOUR, outcome: Outcome = Outcome.TREATED) -> None:
        self._do(visit.start, lambda now: self._arrive(visit, now))
        closed_at = self._moment(visit.end + late / 4, visit.end + late)
        self._do(closed_at, lambda now: self._close(visit, outcome, now))

    def _treated_late(self, visit: Visit) -> None:
        self._treated(visit, late=22 * HOUR)

    def _treated_days_later(self, visit: Visit) -> None:
        self._do(visit.end + 50 * HOUR, lambda now: self._close(visit, Outcome.TREATED, now))

    def _not_treated(self, visit: Visit) -> None:
        self._treated(visit, outcome=Outcome.NOT_TREATED)

    def _referred(self, visit: Visit) -> None:
        self._treated(visit, outcome=Outcome.REFERRED)

    def _missed(self, visit: Visit) -> None:
        self._do(visit.end, lambda now: lifecycle.miss(visit.booking, by=self.staff, now=now))

    def _unclosed(self, visit: Visit) -> None:
        self._do(visit.start, lambda now: self._arrive(visit, now))

    def _unclosed_then_treated(self, visit: Visit) -> None:
        self._do(visit.start, lambda now: self._arrive(visit, now))
        self._do(visit.end + 20 * HOUR, lambda now: self._close(visit, Outcome.TREATED, now))

    def _cancel(self, visit: Visit, now: dt.datetime) -> None:
        lifecycle.cancel(visit.booking, reason="", by=Actor.PATIENT, now=now)
        visit.ends_being_arranged(now)

    def _cancelled(self, visit: Visit) -> None:
        self._do(self._moment(visit.booked_at + MINUTE, visit.start), lambda now: self._cancel(visit, now))

    def _cancelled_once_written(self, visit: Visit) -> None:
        """A minute after its reminder fell due: by then a worker may have written it, and died."""
        self._do(visit.start - DAY + MINUTE, lambda now: self._cancel(visit, now))

    def _suspended(self, visit: Visit) -> None:
        def suspend(now: dt.datetime) -> None:
            lifecycle.suspend(visit.booking, by=Actor.PATIENT, now=now)
            visit.ends_being_arranged(now)

        self._do(self._moment(max(visit.booked_at, visit.start - DAY) + MINUTE, visit.start), suspend)

    def _moved(self, visit: Visit) -> None:
        at = self._moment(visit.booked_at + MINUTE, visit.start - HOUR)
        self._move(visit, at, self._slot(visit.house, at + 3 * HOUR))

    def _moved_near(self, visit: Visit) -> None:
        """Inside the last day before its new time."""
        at = visit.start - 30 * HOUR
        self._move(visit, at, self._slot(visit.house, at + 3 * HOUR, at + 23 * HOUR))

    def _move(self, visit: Visit, at: dt.datetime, start: dt.datetime) -> None:
        def move(now: dt.datetime) -> None:
            lifecycle.reschedule(visit.booking, practitioner=None, start=start, by=self.staff, now=now)
            visit.ends_being_arranged(now)
            visit.start = start
            visit.arrangements.append(Arrangement(start, now))

        self._do(at, move)
        closed_at = start + visit.minutes * MINUTE + HOUR
        self._do(closed_at, lambda now: self._close(visit, Outcome.TREATED, now))

    def _approved(self, visit: Visit) -> None:
        def approve(now: dt.datetime) -> None:
            lifecycle.approve(visit.booking, by=self.clinician, reason="Fine.", now=now)
            visit.decided_at = now
            visit.arrangements.append(Arrangement(visit.start, now))

        self._do(self._moment(visit.booked_at + HOUR, visit.start - 3 * HOUR), approve)
        self._do(visit.end, lambda now: self._close(visit, Outcome.TREATED, now))

    def _declined(self, visit: Visit) -> None:
        def decline(now: dt.datetime) -> None:
            lifecycle.decline(visit.booking, by=self.clinician, reason="Please see a doctor first.", now=now)
            visit.decided_at = now

        self._do(self._moment(visit.booked_at + HOUR, visit.start - 3 * HOUR), decline)

    def _never_answered(self, visit: Visit) -> None:
        """The worker alone has to end it."""
