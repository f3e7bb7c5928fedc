import datetime as dt

import pytest

from bookings import availability
from clinic.models import Absence, EquipmentKind, Grade, OpeningHours
from tests.factories import (
    NEW_YORK,
    NOW,
    World,
    local,
    make_equipment,
    make_location,
    make_practitioner,
    make_room,
    make_service,
    open_weekdays,
)

pytestmark = pytest.mark.django_db
TUESDAY = dt.date(2026, 11, 24)
DAY = dt.timedelta(days=1)


def clocks(world, *, first=TUESDAY, until=None, **asked):
    """The offered wall-clock times of one day, one for each practitioner who is free."""
    starts = search(world, first=first, until=until or first + DAY, **asked)
    return [start.at.astimezone(world.location.zone).strftime("%H:%M") for start in starts]


def search(world, **asked):
    defaults = {"service": world.service, "location": world.location, "clinic": world.clinic, "now": NOW}
    return availability.search(**{**defaults, **asked})


def test_a_free_day_offers_each_quarter_of_an_hour_that_leaves_room_for_clean_up():
    world = World()

    offered = clocks(world)

    assert offered[:3] == ["09:00", "09:15", "09:30"]
    assert offered[-1] == "16:15"
    assert len(offered) == 30


def test_a_booking_takes_practitioner_and_room_each_for_its_own_stretch():
    world = World(practitioners=2, rooms=1)
    world.book(local(TUESDAY, 10))

    offered = clocks(world)

    taken = {"09:30", "09:45", "10:00", "10:15", "10:30"}
    assert taken & set(offered) == set()
    assert offered.count("09:15") == 2
    assert offered.count("10:45") == 2


def test_without_a_room_of_the_right_kind_nothing_is_offered():
    world = World()
    service = make_service(slug="proc", room_kind="PROC")

    assert clocks(world, service=service) == []


def test_a_service_without_a_room_needs_none():
    world = World(rooms=0)
    service = make_service(slug="video", room_kind="")

    assert clocks(world, service=service)[-1] == "16:30"


def test_each_kind_of_equipment_must_be_free():
    world = World(practitioners=2, rooms=2)
    service = make_service(slug="facial", equipment_kinds=[EquipmentKind.STEAMER])
    make_equipment(world.location)
    world.hold(local(TUESDAY, 10), service=service)

    assert "10:00" not in clocks(world, service=service)
    assert "10:30" in clocks(world, service=service)
    assert "10:00" in clocks(world)


def test_only_grades_that_may_do_it_are_offered():
    world = World()
    doctor = make_practitioner("Dr Ines Okafor", grade=Grade.DOCTOR)
    open_weekdays(world.location, doctor)
    service = make_service(slug="stubborn", grades=[Grade.DOCTOR])

    starts = search(world, service=service, first=TUESDAY, until=TUESDAY + DAY)

    assert {start.practitioner.pk for start in starts} == {doctor.pk}


def test_minimum_notice_is_elapsed_time():
    world = World(minimum_notice_minutes=120)
    today = dt.date(2026, 11, 23)

    assert clocks(world, first=today)[0] == "11:00"


def test_the_horizon_is_a_local_date():
    world = World(horizon_days=1)

    assert clocks(world, first=TUESDAY) != []
    assert clocks(world, first=TUESDAY + DAY) == []


def test_an_absence_takes_time_but_leaves_the_grid_where_it_was():
    world = World()
    Absence.objects.create(
        resource=world.practitioner, starts_at=local(TUESDAY, 9), ends_at=local(TUESDAY, 9, 50), reason="dentist"
    )

    assert clocks(world)[0] == "10:00"


def test_a_closure_closes_the_house_for_everyone():
    world = World(practitioners=2, rooms=2)
    Absence.objects.create(location=world.location, starts_at=local(TUESDAY, 0), ends_at=local(TUESDAY, 23))

    assert clocks(world) == []


def test_a_practitioner_works_only_where_own_and_house_hours_overlap():
    world = World()
    late = make_practitioner("Lea Late")
    open_weekdays(world.location, late, opens=15, closes=21)

    assert clocks(world, practitioner=late) == ["15:00", "15:15", "15:30", "15:45", "16:00", "16:15"]


def test_hours_hold_from_their_first_to_their_last_day():
    world = World()
    OpeningHours.objects.filter(practitioner=world.practitioner).update(
        valid_from=TUESDAY + DAY, valid_until=TUESDAY + DAY
    )

    assert clocks(world) == []
    assert clocks(world, first=TUESDAY + DAY) != []
    assert clocks(world, first=TUESDAY + 2 * DAY) == []


@pytest.mark.parametrize("what", ["practitioner", "room", "service", "location"])
def test_what_is_retired_is_not_offered_from_that_day_on(what):
    world = World()
    retired = {"practitioner": world.practitioner, "room": world.rooms[0]}.get(what) or getattr(world, what)
    retired.retired_on = TUESDAY + DAY
    retired.save()

    assert clocks(world) != []
    assert clocks(world, first=TUESDAY + DAY) == []


def test_a_visit_elsewhere_takes_the_practitioner_here():
    world = World()
    elsewhere = make_location(slug="north")
    make_room(elsewhere)
    open_weekdays(elsewhere)
    open_weekdays(elsewhere, world.practitioner)
    world.hold(local(TUESDAY, 10), visitor="else")

    there = search(world, location=elsewhere, first=TUESDAY, until=TUESDAY + DAY)

    assert local(TUESDAY, 10) not in {start.at for start in there}
    assert local(TUESDAY, 11) in {start.at for start in there}


def test_run_out_holds_and_the_visitors_own_hold_are_free_to_take():
    world = World()
    world.hold(local(TUESDAY, 10), visitor="me")

    assert "10:00" not in clocks(world, visitor="you")
    assert "10:00" in clocks(world, visitor="me")
    assert "10:00" in clocks(world, visitor="you", now=NOW + world.clinic.hold)


def test_a_booking_that_is_to_move_is_in_nobodys_way():
    world = World()
    booking = world.book(local(TUESDAY, 10))

    assert "10:15" not in clocks(world)
    assert "10:15" in clocks(world, ignoring=booking)


def test_a_grid_through_the_autumn_change_counts_elapsed_minutes():
    sunday = dt.date(2026, 11, 1)
    now = dt.datetime(2026, 10, 30, 12, tzinfo=dt.UTC)
    world = World(grid_minutes=60)
    for practitioner in (None, world.practitioner):
        OpeningHours.objects.create(
            location=world.location,
            practitioner=practitioner,
            weekday=6,
            opens_at=dt.time(0, 30),
            closes_at=dt.time(3),
        )

    starts = search(world, first=sunday, until=sunday + DAY, now=now)

    assert [start.at.strftime("%H:%M") for start in starts] == ["04:30", "05:30", "06:30"]
    assert [start.at.astimezone(NEW_YORK).strftime("%H:%M") for start in starts] == ["00:30", "01:30", "01:30"]


def test_a_range_of_more_than_62_days_is_refused():
    with pytest.raises(ValueError, match="62"):
        search(World(), first=TUESDAY, until=TUESDAY + 63 * DAY)


@pytest.mark.parametrize("practitioners", [1, 20])
def test_a_month_for_anyone_takes_four_queries(practitioners, django_assert_num_queries):
    world = World(practitioners=practitioners, rooms=practitioners)
    world.book(local(TUESDAY, 10))

    with django_assert_num_queries(4):
        starts = search(world, first=TUESDAY, until=TUESDAY + 31 * DAY)

    assert len(starts) > 400 * practitioners


def test_the_soonest_starts_are_different_instants():
    world = World(practitioners=3, rooms=3)

    soonest = availability.soonest(
        service=world.service, location=world.location, clinic=world.clinic, now=NOW, is_after=local(TUESDAY, 9)
    )

    assert [start.at for start in soonest] == [local(TUESDAY, 9, minute) for minute in (15, 30, 45)]


def test_the_nearest_starts_surround_the_time_that_is_gone():
    world = World()
    world.book(local(TUESDAY, 12))

    nearest = availability.nearest(
        to=local(TUESDAY, 12), service=world.service, location=world.location, clinic=world.clinic, now=NOW
    )

    assert {start.at for start in nearest} == {local(TUESDAY, 11, 15), local(TUESDAY, 12, 45), local(TUESDAY, 11)}


def test_the_next_date_skips_closed_days():
    world = World()
    friday = dt.date(2026, 11, 27)

    following = availability.next_date(
        after=friday, service=world.service, location=world.location, clinic=world.clinic, now=NOW
    )

    assert following == dt.date(2026, 11, 30)


def test_there_is_no_next_date_when_nobody_works():
    world = World()
    OpeningHours.objects.filter(practitioner=world.practitioner).delete()

    assert (
        availability.next_date(
            after=TUESDAY, service=world.service, location=world.location, clinic=world.clinic, now=NOW
        )
        is None
    )


def test_practitioners_are_those_of_the_right_grade_who_work_here():
    world = World()
    make_practitioner("Never Here")

    found = availability.practitioners(service=world.service, location=world.location, on=TUESDAY)

    assert [each.pk for each in found] == [world.practitioner.pk]
