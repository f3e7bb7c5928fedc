"""Many at once for the same time. The first test shows that the race is real; the others, that we win it."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

import pytest
from django.db import DatabaseError, connection, transaction

from bookings import integrity, lifecycle
from bookings.constraints import NoOverlap
from bookings.models import Booking, BookingState, Claim, OutgoingEmail
from clinic.models import EquipmentKind, Grade, Resource, RoomKind, Service
from tests.factories import (
    NOW,
    PATIENT,
    World,
    local,
    make_details,
    make_equipment,
    make_practitioner,
    make_room,
    make_service,
    open_weekdays,
)
from tests.processes import let_go, start, wait_until_ready
from tests.racing import book, half_written, overlaps, race, refusals, winners

pytestmark = pytest.mark.django_db(transaction=True)

RACERS = 32
# They all hold a connection while they wait for one another, and a pool has eight.
CARELESS = 6
MONDAY = dt.date(2026, 12, 7)
TEN = local(MONDAY, 10)
_visitors = count()


def at(hour: int, minute: int = 0) -> dt.datetime:
    return local(MONDAY, hour, minute)


def visit(world: World, start: dt.datetime = TEN, **asked: object) -> Callable[[], Booking]:
    """An act: one more visitor books."""
    asked = {"service": world.service, "location": world.location, **asked}
    return book(visitor=f"racer-{next(_visitors)}", start=start, **asked)


def is_sound() -> bool:
    return overlaps() == [] and half_written() == [] and not any(integrity.counts(NOW).values())


@pytest.fixture
def without_constraint() -> Iterator[None]:
    """The claims' table as it would be had we trusted our code alone."""
    rule = next(each for each in Claim._meta.constraints if isinstance(each, NoOverlap))
    if connection.vendor == "postgresql":
        with connection.schema_editor() as editor:
            editor.remove_constraint(Claim, rule)
        yield
        Claim.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Claim, rule)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'bookings_claim'")
            triggers = cursor.fetchall()
            assert len(triggers) == 2
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
        yield
        with connection.cursor() as cursor:
            for _, sql in triggers:
                cursor.execute(sql)


def careless(world: World, all_looked: threading.Barrier) -> Callable[[], bool]:
    """What most booking programs do: look whether the time is free, then write. All look before the first writes."""
    booking = world.book(at(9 + next(_visitors) % 7), practitioner=world.practitioner)
    Claim.objects.filter(booking=booking).delete()
    resource, half_past = world.practitioner, TEN + dt.timedelta(minutes=30)

    def act() -> bool:
        if Claim.objects.filter(resource=resource, starts_at__lt=half_past, ends_at__gt=TEN).exists():
            return False
        with suppress(threading.BrokenBarrierError):
            all_looked.wait(10)
        try:
            Claim.objects.create(booking=booking, resource=resource, starts_at=TEN, ends_at=half_past)
        except DatabaseError:
            return False
        return True

    return act


def test_without_lock_and_constraint_the_same_time_is_booked_twice(without_constraint):
    """If this one fails, the other races prove nothing."""
    world, all_looked = World(), threading.Barrier(CARELESS)

    written = winners(race(*(careless(world, all_looked) for _ in range(CARELESS))))

    assert sum(written) > 1
    assert overlaps()


def test_the_constraint_alone_lets_one_through():
    world, all_looked = World(), threading.Barrier(CARELESS)

    written = winners(race(*(careless(world, all_looked) for _ in range(CARELESS))))

    assert sum(written) == 1
    assert overlaps() == []


def test_the_lock_alone_lets_one_through(without_constraint):
    world = World()

    results = race(*(visit(world) for _ in range(RACERS)))

    assert len(winners(results)) == 1
    assert overlaps() == []


def test_one_of_many_threads_gets_the_time_and_the_others_are_told_kindly():
    world = World()

    results = race(*(visit(world) for _ in range(RACERS)))

    assert len(winners(results)) == 1
    assert refusals(results) == {"SlotTaken": RACERS - 1}
    assert is_sound()


def test_one_of_four_processes_gets_the_time():
    world = World()
    racers = [start("tests.racer", str(number), TEN.isoformat(), "8") for number in range(4)]
    for racer in racers:
        wait_until_ready(racer)

    for racer in racers:
        let_go(racer)
    answers = [racer.communicate(timeout=60) for racer in racers]

    assert [racer.returncode for racer in racers] == [0] * 4, answers
    assert sum(int(said) for said, _ in answers) == 1
    assert Booking.objects.get().practitioner_id == world.practitioner.pk
    assert is_sound()


@pytest.mark.parametrize("free", [2, 5])
def test_anyone_books_exactly_as_many_as_are_free(free):
    world = World(practitioners=free, rooms=free)

    results = race(*(visit(world) for _ in range(RACERS)))

    booked = winners(results)
    assert len(booked) == free
    assert {booking.practitioner_id for booking in booked} == {each.pk for each in world.practitioners}
    assert {booking.room_id for booking in booked} == {each.pk for each in world.rooms}
    assert is_sound()


def test_fewer_rooms_than_people_book_as_many_as_there_are_rooms():
    world = World(practitioners=5, rooms=2)

    results = race(*(visit(world) for _ in range(RACERS)))

    assert len(winners(results)) == 2
    assert is_sound()


def with_menu(world: World) -> list[tuple[object, dt.datetime]]:
    """Nose, face and facial at starts that overlap in the room, with its clean-up; the facial needs the steamer."""
    face = make_service(slug="face", minutes=45)
    facial = make_service(slug="facial", minutes=60, equipment_kinds=[EquipmentKind.STEAMER])
    make_equipment(world.location)
    return [(world.service, at(10)), (face, at(10, 15)), (facial, at(10, 30))]


def test_services_of_different_length_share_one_room_one_at_a_time():
    world = World(practitioners=6, rooms=1)
    menu = with_menu(world)

    results = race(*(visit(world, start, service=service) for service, start in menu * 12))

    assert len(winners(results)) == 1
    assert is_sound()


def test_one_steamer_is_in_one_room_at_a_time():
    world = World(practitioners=6, rooms=3)
    menu = with_menu(world)

    results = race(*(visit(world, start, service=service) for service, start in menu * 12))

    booked = winners(results)
    assert len(booked) == 3
    assert sum(booking.service.slug == "facial" for booking in booked) <= 1
    assert is_sound()


def test_a_run_out_hold_goes_to_its_owner_or_to_one_taker_never_to_both():
    world = World()
    later = NOW + dt.timedelta(minutes=21)

    for hour in (9, 11, 13, 15):
        held = world.hold(at(hour), visitor=f"owner-{hour}")
        results = race(
            lambda: lifecycle.confirm(held, details=make_details(), visitor=held.visitor, now=later),  # noqa: B023
            *(visit(world, at(hour), now=later) for _ in range(3)),
        )

        assert len(winners(results)) == 1
        assert results[0].won or type(results[0].refusal).__name__ == "HoldGone"
    assert Booking.objects.filter(state=BookingState.CONFIRMED).count() == 4
    assert is_sound()


def move(booking: Booking, to: dt.datetime, practitioner: Resource | None = None) -> Callable[[], Booking]:
    return lambda: lifecycle.reschedule(booking, practitioner=practitioner, start=to, by=PATIENT, now=NOW)


def test_moving_into_a_time_and_booking_it_have_one_winner():
    world = World()

    for hour in (9, 11, 13, 15):
        booking = world.book(at(hour))
        results = race(move(booking, at(hour + 1)), *(visit(world, at(hour + 1)) for _ in range(3)))

        booking.refresh_from_db()
        assert len(winners(results)) == 1
        assert booking.starts_at == at(hour + 1 if results[0].won else hour)
        assert booking.claims.count() == 2
    assert is_sound()


def test_two_visits_that_want_each_others_time_both_stay_where_they_are():
    """The shape that deadlocks when locks are taken one after the other."""
    world = World()
    one, other = world.book(at(9)), world.book(at(10))

    for _ in range(5):
        assert refusals(race(move(one, at(10)), move(other, at(9)))) == {"SlotTaken": 2}
    assert is_sound()


def test_many_moves_among_several_people_end_without_a_deadlock():
    world = World(practitioners=3, rooms=3)
    booked = [world.book(at(9), practitioner=each) for each in world.practitioners]
    booked += [world.book(at(10), practitioner=each) for each in world.practitioners]

    race(*(move(booking, at(11), world.practitioners[n % 3]) for n, booking in enumerate(booked)))

    assert Booking.objects.filter(starts_at=at(11)).count() == 3
    assert is_sound()


def test_a_cancelled_time_is_booked_at_most_once_again():
    world = World()
    booking = world.book(TEN)

    results = race(
        lambda: lifecycle.cancel(booking, reason="ill", by=PATIENT, now=NOW), *(visit(world) for _ in range(7))
    )

    assert results[0].won
    assert len(winners(results[1:])) <= 1
    assert is_sound()


def test_many_clicks_on_confirm_book_once_and_mail_once():
    world = World()
    held = world.hold(TEN)

    results = race(
        *[lambda: lifecycle.confirm(held, details=make_details(), visitor="v", now=NOW)] * 8,
    )

    assert {result.value.pk for result in results} == {held.pk}
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1
    assert held.events.filter(verb="booked").count() == 1
    assert is_sound()


def test_many_clicks_on_cancel_cancel_once_and_mail_once():
    world = World()
    booking = world.book(TEN)

    results = race(*[lambda: lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)] * 8)

    assert all(result.won for result in results)
    assert booking.events.filter(verb="cancelled").count() == 1
    assert OutgoingEmail.objects.filter(kind="cancelled").count() == 1
    assert is_sound()


def test_a_visitor_cannot_collect_holds_by_asking_at_once():
    world = World(practitioners=6, rooms=6)
    hold = {"visitor": "v", "another": True}

    results = race(*[lambda: world.hold(TEN, **hold)] * 6)

    assert len(winners(results)) == 2
    assert refusals(results) == {"TooManyHolds": 4}


def test_sweeping_beside_booking_harms_neither():
    world = World(practitioners=3, rooms=3)
    late = NOW + dt.timedelta(hours=3)
    for n in range(3):
        world.hold(at(10 + n), visitor=f"gone-{n}")

    results = race(*[lambda: lifecycle.sweep(late)] * 3, *(visit(world, at(10 + n % 3), now=late) for n in range(9)))

    assert len(winners(results[3:])) == 9
    assert is_sound()


def beside(slow: Callable[[], object], other: Callable[[], object]) -> list[object]:
    """``other`` begins while the transaction of ``slow`` has done its work and is still open."""
    has_acted = threading.Event()

    def first() -> object:
        with transaction.atomic():
            done = slow()
            has_acted.set()
            time.sleep(0.3)
        return done

    def second() -> object:
        assert has_acted.wait(timeout=30)
        return other()

    return [result.value for result in race(first, second)]


@pytest.mark.parametrize("act", ["cancel", "resend", "correct"])
def test_an_act_beside_a_move_to_someone_else_sees_the_visit_where_it_went(act):
    world = World(practitioners=2, rooms=2)
    booking = world.book(at(10), practitioner=world.practitioners[0])
    acts: dict[str, Callable[[], object]] = {
        "cancel": lambda: lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW),
        "resend": lambda: lifecycle.resend(booking, by=PATIENT, now=NOW),
        "correct": lambda: lifecycle.correct_email(booking, email="right@example.org", by=PATIENT, now=NOW),
    }

    beside(move(booking, at(14), world.practitioners[1]), acts[act])

    booking.refresh_from_db()
    assert booking.starts_at == at(14)
    latest = OutgoingEmail.objects.filter(booking=booking).exclude(kind="staff_notice").latest("pk")
    assert "2pm" in latest.text
    assert is_sound()


def test_a_second_copy_beside_a_corrected_address_goes_to_the_new_one():
    world = World()
    booking = world.book(at(10))

    beside(
        lambda: lifecycle.correct_email(booking, email="right@example.org", by=PATIENT, now=NOW),
        lambda: lifecycle.resend(booking, by=PATIENT, now=NOW),
    )

    latest = OutgoingEmail.objects.filter(booking=booking, kind="confirmed").latest("pk")
    assert "right@example.org" in latest.recipient


def test_one_visitor_cannot_hold_more_than_two_times_by_asking_for_different_services_at_once():
    world = World(practitioners=2, rooms=2)
    Service.objects.update(grades=[Grade.NURSE])
    services = [world.service]
    for grade, kind in [(Grade.AESTHETICIAN, RoomKind.CONSULTING), (Grade.DOCTOR, RoomKind.PROCEDURE)]:
        services.append(make_service(slug=f"only-{grade.lower()}", grades=[grade], room_kind=kind))
        open_weekdays(world.location, make_practitioner(grade=grade))
        make_room(world.location, kind=kind)

    race(*(lambda each=each: world.hold(TEN, service=each, visitor="one", another=True) for each in services))

    assert Booking.objects.live_holds(NOW).of_visitor("one").count() == 2
