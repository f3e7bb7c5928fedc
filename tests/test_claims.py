import datetime as dt

import pytest

from bookings import claims
from bookings.availability import NotOffered as Reason
from bookings.models import Booking, Claim
from clinic.models import Absence, EquipmentKind
from tests.factories import NOW, World, local, make_equipment, make_service

pytestmark = pytest.mark.django_db
TUESDAY = dt.date(2026, 11, 24)


def claimed(booking):
    """(name, minutes claimed) of each resource of a booking."""
    return {
        (claim.resource.name, int((claim.ends_at - claim.starts_at).total_seconds() // 60))
        for claim in booking.claims.select_related("resource")
    }


def test_each_resource_is_claimed_for_its_own_stretch():
    world = World()
    steamer = make_equipment(world.location)
    service = make_service(slug="facial", minutes=60, clean_up_minutes=20, equipment_kinds=[EquipmentKind.STEAMER])

    booking = world.hold(local(TUESDAY, 10), service=service)

    assert claimed(booking) == {(world.practitioner.name, 60), (world.rooms[0].name, 80), (steamer.name, 60)}


def test_any_is_the_one_whose_day_is_broken_up_least():
    world = World(practitioners=3, rooms=3)
    world.book(local(TUESDAY, 9), practitioner=world.practitioners[2])

    booking = world.hold(local(TUESDAY, 9, 30))

    assert booking.practitioner_id == world.practitioners[2].pk
    assert booking.asked_for_any


def test_a_loser_gets_the_next_free_practitioner_and_the_last_one_is_refused():
    world = World(practitioners=2, rooms=3)
    first, second = (world.hold(local(TUESDAY, 10), visitor=visitor) for visitor in "ab")

    with pytest.raises(claims.SlotTaken):
        world.hold(local(TUESDAY, 10), visitor="c")

    assert first.practitioner_id != second.practitioner_id


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (NOW - dt.timedelta(hours=1), Reason.PAST),
        (NOW + dt.timedelta(minutes=30), Reason.TOO_SOON),
        (NOW + dt.timedelta(days=120), Reason.BEYOND_HORIZON),
        (dt.datetime(9999, 12, 31, 23, tzinfo=dt.UTC), Reason.BEYOND_HORIZON),
        (local(TUESDAY, 20), Reason.CLOSED),
        (local(TUESDAY, 16, 30), Reason.CLOSED),
        (local(dt.date(2026, 11, 28), 10), Reason.CLOSED),
        (local(TUESDAY, 10, 5), Reason.OFF_GRID),
        (local(TUESDAY, 10) + dt.timedelta(seconds=1), Reason.OFF_GRID),
    ],
)
def test_a_start_that_was_never_on_offer_is_refused_with_its_reason(start, reason):
    world = World()

    with pytest.raises(claims.NotOffered) as refused:
        world.hold(start)

    assert refused.value.reason is reason
    assert not Booking.objects.exists()


def test_a_start_in_an_absence_is_closed_not_taken():
    world = World()
    Absence.objects.create(
        resource=world.practitioner, starts_at=local(TUESDAY, 9), ends_at=local(TUESDAY, 12), reason="ill"
    )

    with pytest.raises(claims.NotOffered) as refused:
        world.hold(local(TUESDAY, 10))

    assert refused.value.reason is Reason.CLOSED


def test_a_run_out_hold_is_taken_over():
    world = World()
    old = world.hold(local(TUESDAY, 10), visitor="old")

    new = world.hold(local(TUESDAY, 10), visitor="new", now=NOW + world.clinic.hold)

    assert list(Booking.objects.all()) == [new]
    assert not Claim.objects.filter(booking_id=old.pk).exists()


def test_a_run_out_hold_is_left_alone_while_there_is_room_beside_it():
    world = World(practitioners=2, rooms=2)
    old = world.hold(local(TUESDAY, 10), visitor="old")

    world.hold(local(TUESDAY, 10), visitor="new", now=NOW + world.clinic.hold)

    assert Booking.objects.filter(pk=old.pk).exists()


def test_a_live_hold_keeps_its_time():
    world = World()
    world.hold(local(TUESDAY, 10), visitor="first")

    with pytest.raises(claims.SlotTaken):
        world.hold(local(TUESDAY, 10), visitor="second", now=NOW + world.clinic.hold - dt.timedelta(seconds=1))
