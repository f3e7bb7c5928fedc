"""Visits to move: found by asking, each with its reasons in words, in as many queries for one as for many."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from bookings import displaced, lifecycle, rehoming
from bookings.lifecycle.history import record
from bookings.models import Booking, BookingState
from clinic.models import Absence, Clinic, EquipmentKind, Location, OpeningHours, Resource, Service
from tests.factories import (
    NEW_YORK,
    NOW,
    World,
    local,
    make_equipment,
    make_practitioner,
    make_room,
    make_staff,
    open_weekdays,
)

pytestmark = pytest.mark.django_db

MONDAY, TUESDAY = dt.date(2026, 11, 30), dt.date(2026, 12, 1)
TEN = local(MONDAY, 10)
DAY = dt.timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


def away(*, who: Resource | None = None, start: dt.datetime = TEN, hours: float = 2, **fields: Any) -> Absence:
    times = {"starts_at": start, "ends_at": start + dt.timedelta(hours=hours)}
    return Absence.objects.create(resource=who, **times, **fields)


def told() -> dict[str, str]:
    """Who has to move, by the patient's name, and why."""
    return {each.booking.patient.name: each.why for each in displaced.find(Booking.objects.booked(), now=NOW)}


def set_hours(world: World, who: Resource | None, **fields: Any) -> None:
    OpeningHours.objects.filter(location=world.location, practitioner=who, weekday=0).update(**fields)


def retire(row: Any, on: dt.date) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(retired_on=on)


REASONS: list[tuple[Callable[[World, Booking], object], str]] = [
    (lambda world, visit: away(who=visit.practitioner), "Maya is away"),
    (lambda world, visit: away(who=visit.practitioner, start=TEN + dt.timedelta(minutes=29)), "Maya is away"),
    (lambda world, visit: away(who=visit.practitioner, start=TEN + dt.timedelta(minutes=30)), ""),
    (lambda world, visit: away(who=visit.practitioner, start=TEN - dt.timedelta(hours=2)), ""),
    (lambda world, visit: away(who=world.practitioners[1]), ""),
    # The room is needed for cleaning too.
    (
        lambda world, visit: away(who=visit.room, start=TEN + dt.timedelta(minutes=44)),
        "Room 2 is not in use then",
    ),
    (lambda world, visit: away(who=visit.room, start=TEN + dt.timedelta(minutes=45)), ""),
    (lambda world, visit: away(location=world.location, reason="Christmas Day"), "The house is closed: Christmas Day"),
    (lambda world, visit: away(location=world.location), "The house is closed"),
    (lambda world, visit: away(location=world.location, is_lifted=True), ""),
    (lambda world, visit: set_hours(world, visit.practitioner, opens_at=dt.time(10, 15)), "Outside opening hours"),
    (lambda world, visit: set_hours(world, visit.practitioner, closes_at=dt.time(10, 30)), ""),
    (lambda world, visit: set_hours(world, None, closes_at=dt.time(10, 15)), "Outside opening hours"),
    (lambda world, visit: set_hours(world, None, valid_until=MONDAY - DAY), "Outside opening hours"),
    (lambda world, visit: set_hours(world, None, valid_until=MONDAY), ""),
    (lambda world, visit: retire(visit.practitioner, MONDAY), "Maya leaves on 30 November"),
    (lambda world, visit: retire(visit.practitioner, MONDAY + DAY), ""),
    (lambda world, visit: retire(visit.practitioner, dt.date(2026, 11, 2)), "Maya left on 2 November"),
    (lambda world, visit: retire(visit.room, MONDAY), "Room 2 is retired on 30 November"),
    (lambda world, visit: retire(visit.room, NOW.date()), "Room 2 is retired"),
    (lambda world, visit: retire(visit.service, MONDAY), "Nose extraction is no longer offered"),
    (lambda world, visit: retire(visit.service, TUESDAY), ""),
    (lambda world, visit: retire(world.location, MONDAY), "Main house is given up"),
]


@pytest.mark.parametrize(("happens", "why"), REASONS)
def test_a_visit_to_move_says_why(world: World, happens: Callable[[World, Booking], object], why: str) -> None:
    visit = world.book(TEN, practitioner=world.practitioner)
    Resource.objects.filter(visits_in=visit).update(name="Room 2")
    visit = Booking.objects.with_everything().get(pk=visit.pk)
    assert told() == {}

    happens(world, visit)

    assert told() == ({"Robin Example": why} if why else {})
    assert displaced.count(Booking.objects.booked(), now=NOW) == bool(why)


def test_equipment_that_is_away_displaces_whoever_has_it(world: World) -> None:
    steamer = make_equipment(world.location, kind=EquipmentKind.STEAMER, name="Steamer")
    Service.objects.update(equipment_kinds=[EquipmentKind.STEAMER])
    world.service.refresh_from_db()
    world.book(TEN)

    away(who=steamer)

    assert told() == {"Robin Example": "Steamer is not in use then"}


def test_several_reasons_stand_side_by_side_once_each(world: World) -> None:
    world.book(TEN, practitioner=world.practitioner)
    away(who=world.practitioner)
    away(who=world.practitioner, hours=1)
    away(location=world.location, reason="Flood")

    assert told() == {"Robin Example": "Maya is away; The house is closed: Flood"}


def test_hours_change_with_the_clock_and_the_season(world: World) -> None:
    """Wall-clock hours on either side of the change of the clocks."""
    Clinic.objects.update(horizon_days=200)
    world.location = Location.objects.get(pk=world.location.pk)
    for number, day in enumerate([dt.date(2026, 12, 7), dt.date(2027, 3, 15)]):
        world.book(local(day, 9), name=f"Early {number}", email=f"e{number}@example.org")
        world.book(local(day, 16), name=f"Late {number}", email=f"l{number}@example.org")

    assert told() == {}


def test_what_is_over_called_off_or_only_held_is_not_to_move(world: World) -> None:
    past = world.book(local(dt.date(2026, 11, 23), 11), name="Past")
    gone = world.book(TEN, name="Gone", email="gone@example.org")
    lifecycle.cancel(gone, reason="x", by=make_staff(), now=NOW)
    world.hold(local(MONDAY, 11), visitor="else")
    for who in world.practitioners:
        away(who=who, start=NOW - DAY, hours=24 * 30)

    later = past.ends_at

    assert displaced.find(Booking.objects.booked(), now=later) == []
    assert told() == {"Past": "Maya is away"} or told() == {"Past": "Maya1 is away"}


@pytest.mark.parametrize(
    ("state", "minutes", "is_to_move"),
    [
        (BookingState.ARRIVED, -5, True),
        (BookingState.CONFIRMED, 5, True),
        (BookingState.ARRIVED, 29, True),
        (BookingState.CONFIRMED, 30, False),
        (BookingState.IN_ROOM, 5, False),
        (BookingState.MISSED, 5, False),
    ],
)
def test_who_waits_for_somebody_that_is_away_is_to_move(
    world: World, state: BookingState, minutes: int, is_to_move: bool
) -> None:
    visit = world.book(TEN, practitioner=world.practitioner)
    Booking.objects.filter(pk=visit.pk).update(state=state)
    absence = away(who=world.practitioner, start=local(MONDAY, 0), hours=24)
    now = TEN + dt.timedelta(minutes=minutes)

    found = displaced.find(Booking.objects.booked(), now=now)

    assert [each.why for each in found] == ["Maya is away"] * is_to_move
    assert displaced.of_absence(absence, now=now).exists() == is_to_move


@pytest.mark.parametrize(
    ("events", "is_to_move"),
    [
        ([], True),
        ([("rule bent", 0, ["opening hours"])], False),
        ([("rule bent", 0, ["notice"])], True),
        # Found at the desk and kept while talking: bent a little before it was booked.
        ([("rule bent", -5, ["opening hours"])], False),
        # Bent for another time: it has moved since.
        ([("rule bent", 0, ["opening hours"]), ("moved", 5, [])], True),
        ([("rule bent", 0, ["opening hours"]), ("moved", 0, [])], False),
        ([("moved", 0, []), ("rule bent", 5, ["opening hours"])], False),
    ],
)
def test_who_was_put_outside_the_hours_on_purpose_stays(
    world: World, events: list[tuple[str, int, list[str]]], is_to_move: bool
) -> None:
    visit, staff = world.book(TEN), make_staff()
    set_hours(world, None, opens_at=dt.time(12))
    for verb, minutes, rules in events:
        record(visit, verb, by=staff, now=NOW + dt.timedelta(minutes=minutes), rules=rules)

    assert bool(told()) == is_to_move


def test_only_the_visits_asked_for_are_told(world: World) -> None:
    for hour, who in ((10, 0), (11, 1)):
        world.book(local(MONDAY, hour), practitioner=world.practitioners[who], email=f"{hour}@example.org")
    away(location=world.location, hours=8)
    mine = Booking.objects.booked().filter(practitioner=world.practitioner)

    assert [each.booking.starts_at for each in displaced.find(mine, now=NOW)] == [TEN]
    assert displaced.count(mine, now=NOW) == 1


def test_the_number_of_queries_does_not_grow(world: World, django_assert_num_queries: Any) -> None:
    def asked() -> int:
        with django_assert_num_queries(10):
            return len(displaced.find(Booking.objects.booked(), now=NOW))

    def book(hour: int) -> None:
        """On a day that is open, and brought to Monday, which is not."""
        visit = world.book(local(TUESDAY, hour), email=f"{hour}@example.org")
        start = visit.starts_at - DAY
        Booking.objects.filter(pk=visit.pk).update(starts_at=start, ends_at=start + dt.timedelta(minutes=30))

    away(location=world.location, hours=8)
    set_hours(world, None, closes_at=dt.time(9, 30))
    book(10)
    few = asked()
    for hour in range(11, 16):
        book(hour)

    assert (few, asked()) == (1, 6)


# Other times for them.


def plan_of(*visits: Booking, now: dt.datetime = NOW) -> tuple[rehoming.Plan, list[Booking]]:
    pks = [visit.pk for visit in visits]
    read = list(Booking.objects.filter(pk__in=pks).with_everything().prefetch_related("claims").order_by("starts_at"))
    return rehoming.Plan(read, now=now), read


def test_the_same_person_comes_first_and_then_the_same_hour(world: World) -> None:
    visit = world.book(TEN, practitioner=world.practitioner)
    away(who=world.practitioner, start=local(MONDAY, 0), hours=24)

    plan, (visit,) = plan_of(visit)

    found = plan.times(visit, {})
    assert [(fit.at, fit.practitioner) for fit in found] == [
        (local(TUESDAY, 9), world.practitioner),
        (local(TUESDAY, 9, 15), world.practitioner),
        (TEN, world.practitioners[1]),
    ]


def test_somebody_else_takes_over_where_the_person_is_away_for_long(world: World) -> None:
    visit = world.book(TEN, practitioner=world.practitioner)
    away(who=world.practitioner, start=local(MONDAY, 0) - 7 * DAY, hours=24 * 30)

    plan, (visit,) = plan_of(visit)

    assert {fit.practitioner for fit in plan.times(visit, {})} == {world.practitioners[1]}
    assert plan.times(visit, {})[0].at == TEN


def test_no_two_are_planned_onto_one_slot(world: World) -> None:
    both = [world.book(TEN, practitioner=who, email=f"{who.pk}@example.org") for who in world.practitioners]
    third = make_practitioner("Zoe Field", slug="zoe")
    open_weekdays(world.location, third)
    for who in world.practitioners:
        away(who=who, start=local(MONDAY, 0) - 7 * DAY, hours=24 * 30)

    plan, visits = plan_of(*both)

    first = plan.times(visits[0], {})[0]
    assert (first.at, first.practitioner) == (TEN, third)
    assert plan.times(visits[1], {})[0].at == TEN
    plan.keep(visits[0], first)
    second = plan.times(visits[1], {})[0]
    assert (second.at, second.practitioner) == (local(MONDAY, 9, 30), third)


def test_a_room_that_is_away_needs_only_another_room(world: World) -> None:
    visit = world.book(TEN, practitioner=world.practitioner)
    away(who=visit.room)
    plan, (visit,) = plan_of(visit)

    found = plan.times(visit, {})[0]

    assert (found.at, found.practitioner, found.is_same_time(visit)) == (TEN, world.practitioner, True)
    assert found.room not in (None, visit.room)
    moved = lifecycle.reschedule(
        visit, practitioner=found.practitioner, start=found.at, room=found.room, by=make_staff(), notify=False, now=NOW
    )
    assert (moved.room, moved.starts_at, told()) == (found.room, TEN, {})


def test_nobody_is_asked_to_come_sooner_within_a_day(world: World) -> None:
    today = NOW.astimezone(NEW_YORK).date()
    visit = world.book(local(today, 15), practitioner=world.practitioner)
    away(who=world.practitioner, start=NOW, hours=24 * 30)

    plan, (visit,) = plan_of(visit)

    assert min(fit.at for fit in plan.times(visit, {})) >= visit.starts_at


def test_times_start_when_it_is_safe_and_those_tried_in_vain_are_left_out(world: World) -> None:
    visit = world.book(TEN, practitioner=world.practitioner)
    away(who=world.practitioner, start=local(MONDAY, 0), hours=24)
    safe = local(dt.date(2026, 12, 3), 12)
    plan, (visit,) = plan_of(visit)

    found = plan.times(visit, {world.practitioner.code: safe}, count=2)
    rest = plan.times(visit, {world.practitioner.code: safe}, count=1, without={(safe, world.practitioner.pk)})

    assert [fit.at for fit in found] == [safe, safe + dt.timedelta(minutes=15)]
    assert [fit.at for fit in rest] == [safe + dt.timedelta(minutes=15)]


def test_a_service_that_ends_is_not_moved_past_its_last_day(world: World) -> None:
    visit = world.book(TEN)
    retire(world.service, MONDAY)
    plan, (visit,) = plan_of(visit)

    assert {fit.at.astimezone(NEW_YORK).date() for fit in plan.times(visit, {})} == {dt.date(2026, 11, 27)}


def test_a_house_that_is_full_leaves_no_time(world: World) -> None:
    visit = world.book(TEN)
    away(location=world.location, start=NOW, hours=24 * 200)

    plan, (visit,) = plan_of(visit)

    assert plan.times(visit, {}) == []


def test_one_plan_is_loaded_for_all_visits_of_a_house(world: World, django_assert_num_queries: Any) -> None:
    make_room(world.location)
    for hour in (9, 10, 11):
        world.book(local(MONDAY, hour), email=f"{hour}@example.org")
    away(location=world.location, start=local(MONDAY, 0), hours=24)
    for most in (1, 3):
        visits = list(Booking.objects.booked().with_everything().prefetch_related("claims")[:most])
        with django_assert_num_queries(4):
            plan = rehoming.Plan(visits, now=NOW)
            for visit in visits:
                plan.keep(visit, plan.times(visit, {})[0])
