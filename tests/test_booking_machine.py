"""Any sequence of verbs against a small model: the rows always say what the model says, and nothing overlaps."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bookings import lifecycle
from bookings.lifecycle.holding import MOST_HOLDS, SWEPT_AFTER
from bookings.models import Booking, BookingState
from bookings.models.event import Actor
from clinic.models import Absence, Resource
from tests.factories import NOW, PATIENT, World, local, make_details
from tests.racing import half_written, overlaps

pytestmark = pytest.mark.django_db

TUESDAY = dt.date(2026, 11, 24)
MIDNIGHT = local(TUESDAY, 0)
MINUTE = dt.timedelta(minutes=1)
VISIT, CLEAN_UP, HOLD, HOLD_LIMIT, CUT_OFF = 30 * MINUTE, 15 * MINUTE, 20 * MINUTE, 60 * MINUTE, 60 * MINUTE
GRID = [local(TUESDAY, 9 + n // 4, n % 4 * 15) for n in range(8)]
# Off the grid; too late for the room's clean-up.
NEVER = [local(TUESDAY, 9, 7), local(TUESDAY, 16, 30)]
VISITORS = ["ann", "ben", "cleo"]
WITH_CLAIMS = {"confirmed", "arrived", "missed"}
# By the act of the day: from which state to which, and what it is refused with anywhere else.
STEPS = {
    "arrive": ("confirmed", "arrived", "NotUpcoming"),
    "miss": ("confirmed", "missed", "NotUpcoming"),
    "unmiss": ("missed", "confirmed", "ChangedSince"),
    "step_back": ("arrived", "confirmed", "ChangedSince"),
}

starts = st.sampled_from([*GRID, *GRID, *NEVER])
people = st.sampled_from([None, 0, 1])
visitors = st.sampled_from(VISITORS)


@dataclasses.dataclass
class Visit:
    """What the model knows of one booking. ``state`` is held, confirmed, arrived, missed, cancelled or gone."""

    pk: int
    start: dt.datetime
    who: int
    room: int
    visitor: str
    held_at: dt.datetime
    expires_at: dt.datetime | None
    state: str = "held"

    @property
    def has_claims(self) -> bool:
        return self.state in {"held", *WITH_CLAIMS}

    def has_run_out(self, now: dt.datetime) -> bool:
        return self.state == "held" and self.expires_at is not None and self.expires_at <= now


def met(act: Callable[[], Any]) -> tuple[Any, str]:
    """What the verb gave back, and the name of the refusal it met instead."""
    try:
        return act(), ""
    except lifecycle.Refused as refusal:
        return None, type(refusal).__name__


class Clinic(RuleBasedStateMachine):
    """Two practitioners, two rooms, one morning, three visitors. Each example is rolled back."""

    # How often each verb did what it is for, over all examples: sequences of refusals would prove little.
    worked: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.world = World(practitioners=2, rooms=2, minimum_notice_minutes=0, cut_off_minutes=60)
        self.people: list[Resource] = self.world.practitioners
        self.rooms = [room.pk for room in self.world.rooms]
        self.visits: list[Visit] = []
        self.away: list[tuple[int, dt.datetime, dt.datetime]] = []
        self.now = NOW

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # The model: who could take a start.

    def is_free(self, kind: str, which: int, start: dt.datetime, end: dt.datetime, against: list[Visit]) -> bool:
        longer = CLEAN_UP if kind == "room" else 0 * MINUTE
        return not any(
            getattr(visit, kind) == which and visit.start < end + longer and start < visit.start + VISIT + longer
            for visit in against
        )

    def could(
        self, start: dt.datetime, person: int | None, *, apart_from: list[Visit], run_out_count: bool
    ) -> set[int]:
        """The practitioners who are free then, provided that a room is."""
        against = [
            visit
            for visit in self.visits
            if visit.has_claims and visit not in apart_from and (run_out_count or not visit.has_run_out(self.now))
        ]
        end = start + VISIT
        if not any(self.is_free("room", room, start, end, against) for room in self.rooms):
            return set()
        return {
            who
            for who in range(2)
            if person in {None, who} and self.is_there(who, start) and self.is_free("who", who, start, end, against)
        }

    def is_there(self, who: int, start: dt.datetime) -> bool:
        return not any(who == gone and a < start + VISIT and start < b for gone, a, b in self.away)

    def expected(self, start: dt.datetime, person: int | None, apart_from: list[Visit]) -> tuple[set[int], str]:
        """Who may take it, or the refusal."""
        if start in NEVER or start <= self.now:
            return set(), "NotOffered"
        if not any(person in {None, who} and self.is_there(who, start) for who in range(2)):
            return set(), "NotOffered"
        who = self.could(start, person, apart_from=apart_from, run_out_count=False)
        return who, "" if who else "SlotTaken"

    def take(self, visit: Visit, booking: Booking) -> None:
        """Write into the model whom the verb chose, and drop the run-out holds that had to go."""
        visit.who = [person.pk for person in self.people].index(booking.practitioner_id)
        visit.start, visit.room = booking.starts_at, booking.room_id or 0
        rows = set(Booking.objects.values_list("pk", flat=True))
        for other in self.visits:
            if other is not visit and other.has_claims and other.pk not in rows:
                assert other.has_run_out(self.now)
                assert any(
                    not self.is_free(kind, which, visit.start, visit.start + VISIT, [other])
                    for kind, which in (("who", visit.who), ("room", visit.room))
                )
                other.state = "gone"
                self.worked["taking over"] += 1

    def asked(self, start: dt.datetime, person: int | None) -> dict[str, Any]:
        return {"start": start, "practitioner": None if person is None else self.people[person], "now": self.now}

    # The verbs.

    @initialize(visitor=visitors, start=st.sampled_from(GRID))
    def first_visit(self, visitor: str, start: dt.datetime) -> None:
        self.book(visitor, start, None)

    @rule(visitor=visitors, start=starts, person=people)
    def book(self, visitor: str, start: dt.datetime, person: int | None) -> None:
        """Hold and confirm at once, as most patients do."""
        before = len(self.visits)
        self.hold(visitor, start, person, another=True)
        for visit in self.visits[before:]:
            self.confirm_for(visit, visit.visitor)

    @precondition(lambda self: any(visit.has_run_out(self.now) for visit in self.visits))
    @rule(data=st.data(), visitor=visitors)
    def take_what_ran_out(self, data: st.DataObject, visitor: str) -> None:
        """Somebody wants the very time that another let run out."""
        visit = data.draw(st.sampled_from([visit for visit in self.visits if visit.has_run_out(self.now)]))
        self.hold(visitor, visit.start, visit.who, another=True)

    @rule(visitor=visitors, start=starts, person=people, another=st.booleans())
    def hold(self, visitor: str, start: dt.datetime, person: int | None, another: bool) -> None:
        mine = [visit for visit in self.visits if visit.state == "held" and visit.visitor == visitor]
        live = [visit for visit in mine if not visit.has_run_out(self.now)]
        allowed, refusal = self.expected(start, person, [] if another else mine)
        if another and len(live) >= MOST_HOLDS:
            allowed, refusal = set(), "TooManyHolds"
        beside = self.could(start, person, apart_from=[] if another else mine, run_out_count=True)

        booking, said = met(lambda: self.world.hold(visitor=visitor, another=another, **self.asked(start, person)))

        assert said == refusal
        if booking is None:
            return
        for visit in [] if another else mine:
            visit.state = "gone"
        before = [visit.state for visit in self.visits]
        made = Visit(booking.pk, start, 0, 0, visitor, self.now, self.now + HOLD)
        self.take(made, booking)
        assert made.who in (beside or allowed)
        assert not beside or before == [visit.state for visit in self.visits], "a hold went although there was room"
        self.visits.append(made)
        self.worked["hold"] += 1

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), visitor=st.none() | visitors)
    def confirm(self, data: st.DataObject, visitor: str | None) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        self.confirm_for(visit, visitor or visit.visitor)

    def confirm_for(self, visit: Visit, who: str) -> None:
        is_own = who == visit.visitor
        wins = visit.state == "held" and is_own and visit.start > self.now
        was_booked = visit.state in {"cancelled", *WITH_CLAIMS} and is_own

        booking, said = met(
            lambda: lifecycle.confirm(self.booking(visit), details=make_details(), visitor=who, now=self.now)
        )

        assert said == ("" if wins or was_booked else "HoldGone")
        if wins:
            assert booking.pk == visit.pk
            visit.state, visit.expires_at = "confirmed", None
            self.worked["confirm"] += 1

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), start=starts, person=people)
    def move(self, data: st.DataObject, start: dt.datetime, person: int | None) -> None:
        visit = self.one_of(data, "confirmed")
        if visit.state == "gone":
            return
        stays = visit.start == start and person in {None, visit.who}
        if visit.state != "confirmed":
            refusal = "NotUpcoming"
        elif self.now > visit.start - CUT_OFF or visit.start <= self.now:
            refusal = "TooLate"
        else:
            refusal = "" if stays else self.expected(start, person, [visit])[1]

        asked = self.asked(start, person)
        booking, said = met(lambda: lifecycle.reschedule(self.booking(visit), by=PATIENT, **asked))

        assert said == refusal
        if booking is not None and not stays:
            allowed, _ = self.expected(start, person, [visit])
            self.take(visit, booking)
            assert visit.who in allowed
            self.worked["move"] += 1

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        visit = self.one_of(data, "confirmed")
        if visit.state == "gone":
            return
        if_booked = "TooLate" if visit.start <= self.now else ""
        over = dict.fromkeys(["held", "arrived", "missed"], "NotUpcoming")
        refusal = {**over, "cancelled": ""}.get(visit.state, if_booked)

        _, said = met(lambda: lifecycle.cancel(self.booking(visit), reason="ill", by=PATIENT, now=self.now))

        assert said == refusal
        if not refusal:
            visit.state = "cancelled"
            self.worked["cancel"] += 1

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def on_the_day(self, data: st.DataObject) -> None:
        """Arrived or missed, and back again; most often what a visit in its state waits for."""
        likely = [act for act, (state, _, _) in STEPS.items() if state in self.states()]
        act = data.draw(st.sampled_from(likely[::-1] * 3 + list(STEPS)))
        since, then, refusal = STEPS[act]
        visit = self.one_of(data, since)
        if visit.state == "gone":
            return
        if act == "miss" and len(self.visits) > 3:
            self.now = max(self.now, visit.start)
        if act == "arrive" and visit.state == since and len(self.visits) > 2:
            self.now = max(self.now, MIDNIGHT)
        expected = "" if visit.state in {since, then} else refusal
        if act == "miss" and visit.start > self.now:
            expected = "NotYet"
        if act == "arrive" and self.now < MIDNIGHT:
            expected = "NotItsDay"
        more = {"seen": BookingState.ARRIVED} if act == "step_back" else {}

        _, said = met(lambda: getattr(lifecycle, act)(self.booking(visit), by=Actor.SYSTEM, now=self.now, **more))

        assert said == expected
        if not expected:
            self.worked[act] += visit.state == since
            visit.state = then

    @precondition(lambda self: any(visit.state == "held" for visit in self.visits))
    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from([v for v in self.visits if v.state == "held"]))
        limit = visit.held_at + HOLD_LIMIT
        assert visit.expires_at is not None
        is_used_up = limit <= self.now or visit.expires_at == limit

        _, said = met(lambda: lifecycle.extend(self.booking(visit), now=self.now))

        assert said == ("HoldLimit" if is_used_up else "")
        if not is_used_up:
            visit.expires_at = min(self.now + HOLD, limit)
            self.worked["extend"] += 1

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from(self.visits))

        lifecycle.release(Booking(pk=visit.pk), now=self.now)

        if visit.state == "held":
            visit.state = "gone"

    # The world around.

    @rule(minutes=st.integers(1, 50))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @precondition(lambda self: len(self.visits) > 5)
    @rule(day=st.sampled_from([GRID[0] - 90 * MINUTE, GRID[2] - 5 * MINUTE, GRID[7]]))
    def morning_comes(self, day: dt.datetime) -> None:
        self.now = max(self.now, day)

    @rule(who=st.integers(0, 1), start=st.sampled_from(GRID), minutes=st.integers(10, 40))
    def absence(self, who: int, start: dt.datetime, minutes: int) -> None:
        """Entered over whatever is booked: nothing that stands may change."""
        end = start + minutes * MINUTE
        Absence.objects.create(resource=self.people[who], starts_at=start, ends_at=end)
        self.away.append((who, start, end))

    @rule()
    def sweep(self) -> None:
        stale = [visit for visit in self.visits if visit.has_run_out(self.now - SWEPT_AFTER)]

        assert lifecycle.sweep(self.now) == len(stale)
        for visit in stale:
            visit.state = "gone"
            self.worked["sweep"] += 1

    # What holds after every step.

    @invariant()
    def nothing_overlaps(self) -> None:
        assert overlaps() == []

    @invariant()
    def claims_fit_their_bookings(self) -> None:
        assert half_written() == []

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        rows = Booking.objects.values_list("pk", "state", "starts_at", "practitioner", "room", "expires_at")
        assert set(rows) == {
            (visit.pk, visit.state, visit.start, self.people[visit.who].pk, visit.room, visit.expires_at)
            for visit in self.visits
            if visit.state != "gone"
        }

    def states(self) -> set[str]:
        return {visit.state for visit in self.visits}

    def one_of(self, data: st.DataObject, state: str) -> Visit:
        """A visit, three times in four one in that state if there is one."""
        fitting = [visit for visit in self.visits if visit.state == state]
        return data.draw(st.sampled_from(fitting * 3 + self.visits))

    def booking(self, visit: Visit) -> Booking:
        """The row, or for one that is gone what its owner's page still remembers of it."""
        found = Booking.objects.with_everything().filter(pk=visit.pk).first()
        return found or Booking(
            pk=visit.pk, service=self.world.service, location=self.world.location, starts_at=visit.start
        )


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_any_sequence_of_verbs_keeps_rows_and_claims_as_the_model_says():
    Clinic.worked.clear()

    run_state_machine_as_test(
        Clinic,
        # The same sequences each time, so that each of these verbs is known to be reached; the soak draws new ones.
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=QUIET,
            database=None,
            derandomize=True,
        ),
    )

    assert {act for act, count in Clinic.worked.items() if count} >= {"hold", "confirm", "move", "cancel", "arrive"}


@pytest.mark.soak
def test_many_long_sequences_keep_rows_and_claims_as_the_model_says():
    Clinic.worked.clear()

    run_state_machine_as_test(
        Clinic,
        settings=settings(max_examples=3000, stateful_step_count=60, deadline=None, suppress_health_check=QUIET),
    )

    assert min(Clinic.worked.values()) > 10
