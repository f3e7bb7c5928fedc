"""Staff bend a rule of time with a reason. It stands in the history, and nothing ever overlaps."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User

from bookings import lifecycle
from bookings.availability import NotOffered as Reason
from bookings.models import Booking, BookingEvent, Claim
from bookings.models.event import BENT, Actor
from clinic.models import Absence, Clinic
from tests.desk import DIABETES, MONDAY, TUESDAY, answers_of, run_of, someone
from tests.factories import NOW, World, local, make_details
from tests.online import make_world

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
SUNDAY = dt.date(2026, 11, 29)
FAR = dt.date(2027, 3, 1)


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


def keep(world: World, start: dt.datetime, reason: str = "", **asked: Any) -> Booking:
    staff = asked.pop("by", None) or User.objects.filter(username="reception-1").first() or someone("reception")
    asked = {"practitioner": world.practitioner, "visitor": "desk-1", **asked}
    return world.hold(start, override=reason, by=staff, **asked)


def bent(booking: Booking) -> list[tuple[str, list[str], str]]:
    events = BookingEvent.objects.filter(booking=booking, verb=BENT)
    return [(event.by.username if event.by else "", event.detail["rules"], event.detail["reason"]) for event in events]


@pytest.mark.parametrize(
    ("start", "reason", "rules"),
    [
        (local(TODAY, 10), Reason.TOO_SOON, ["minimum notice"]),
        (local(FAR, 10), Reason.BEYOND_HORIZON, ["horizon"]),
        (local(MONDAY, 10, 5), Reason.OFF_GRID, ["grid"]),
        (local(MONDAY, 19), Reason.CLOSED, ["opening hours"]),
        (local(SUNDAY, 10), Reason.CLOSED, ["opening hours"]),
        (local(TODAY, 9, 5), Reason.TOO_SOON, ["minimum notice", "grid"]),
        (local(TODAY, 20), Reason.CLOSED, ["opening hours"]),
    ],
)
def test_a_rule_of_time_takes_a_reason_which_is_logged(
    world: World, start: dt.datetime, reason: Reason, rules: list[str]
) -> None:
    staff = someone("reception")
    with pytest.raises(lifecycle.NotOffered) as refused:
        keep(world, start, by=staff)
    assert refused.value.reason is reason

    booking = keep(world, start, "  Came from far ", by=staff)

    assert bent(booking) == [("reception-1", rules, "Came from far")]
    assert booking.starts_at == start
    assert booking.claims.count() == 2


def test_a_reason_where_no_rule_stands_is_not_logged(world: World) -> None:
    assert bent(keep(world, local(MONDAY, 10), "To be nice")) == []


def test_patients_and_programs_bend_nothing(world: World) -> None:
    for who in (Actor.PATIENT, Actor.PROGRAM, Actor.SYSTEM):
        with pytest.raises(lifecycle.NotOffered):
            keep(world, local(TODAY, 10), "I would like to", by=who)


def test_a_reason_never_makes_two_visits_overlap(world: World) -> None:
    """Off the grid, out of hours and in the clean-up of the only room that is left."""
    staff = someone("reception")
    world.book(local(MONDAY, 10), practitioner=world.practitioners[0])
    world.book(local(MONDAY, 10), practitioner=world.practitioners[1])
    late = keep(world, local(MONDAY, 19), "Late shift", by=staff, visitor="desk-2")

    for start in (
        local(MONDAY, 10),
        local(MONDAY, 9, 40),
        local(MONDAY, 10, 20),
        local(MONDAY, 19),
        local(MONDAY, 19, 10),
    ):
        with pytest.raises((lifecycle.SlotTaken, lifecycle.NotOffered)):
            keep(world, start, "It is urgent", by=staff)
    with pytest.raises(lifecycle.SlotTaken):
        keep(world, local(MONDAY, 10, 20), "It is urgent", by=staff, practitioner=None)
    assert Booking.objects.get(pk=late.pk)
    assert Claim.objects.count() == 6


def test_opening_hours_bend_for_nobody_who_is_away_and_no_house_that_is_closed(world: World) -> None:
    day = {"starts_at": local(MONDAY, 0), "ends_at": local(TUESDAY, 0)}
    away = Absence.objects.create(resource=world.practitioner, **day)
    for start in (local(MONDAY, 10), local(MONDAY, 20)):
        with pytest.raises(lifecycle.NotOffered):
            keep(world, start, "They said they would come")

    assert keep(world, local(MONDAY, 20), "Late", practitioner=None).practitioner == world.practitioners[1]
    away.delete()
    Absence.objects.create(location=world.location, **day)
    with pytest.raises(lifecycle.NotOffered):
        keep(world, local(MONDAY, 20), "Late", practitioner=None)


def test_the_past_stays_past(world: World) -> None:
    with pytest.raises(lifecycle.NotOffered) as refused:
        keep(world, NOW - dt.timedelta(minutes=5), "They were here")
    assert refused.value.reason is Reason.PAST


def test_with_anyone_whoever_works_then_comes_before_whoever_does_not(world: World) -> None:
    """Nobody is called in from home while somebody here is free."""
    world.practitioners[0].opening_hours.all().delete()

    assert keep(world, local(MONDAY, 10, 5), "Walk-in", practitioner=None).practitioner == world.practitioners[1]


# What stands in the way of a person


def test_a_wait_after_a_visit_bends_with_a_reason_and_answers_only_for_a_clinician() -> None:
    world = make_world()
    staff, clinician = someone("reception"), someone("clinician")
    asked = answers_of(world, DIABETES)

    def confirm(by: Any, reason: str) -> Booking:
        visitor = "desk-1"
        held = keep(world, local(TODAY, 15), "Walk-in", by=by, visitor=visitor)
        run = run_of(world, asked)
        return lifecycle.confirm(
            held, details=make_details(), visitor=visitor, run=run, by=by, override=reason, now=NOW
        )

    with pytest.raises(lifecycle.ReviewFirst):
        confirm(staff, "")
    with pytest.raises(lifecycle.NotAllowed):
        confirm(staff, "They are fine")
    with pytest.raises(lifecycle.ReviewFirst):
        confirm(clinician, " ")

    booked = confirm(clinician, "I know their skin")

    assert (booked.state, booked.approved_at) == ("confirmed", NOW)
    assert ("clinician-1", ["q12-diabetes-1"], "I know their skin") in bent(booked)
    assert lifecycle.standing(booked, lifecycle.outlook_for(booked, NOW)) == []


def test_a_desk_may_confirm_a_visit_that_has_begun_and_a_patient_may_not(world: World) -> None:
    staff = someone("reception")
    held = keep(world, local(TODAY, 9, 5), "Walk-in", by=staff)
    later = local(TODAY, 9, 10)

    with pytest.raises(lifecycle.HoldGone):
        lifecycle.confirm(held, details=make_details(), visitor="desk-1", now=later)
    booked = lifecycle.confirm(held, details=make_details(), visitor="desk-1", by=staff, now=later)

    assert booked.state == "confirmed"


def test_the_clinic_asks_no_age_by_phone_at_the_desk(world: World) -> None:
    Clinic.objects.update(online_from_age=18)
    staff = someone("reception")
    mother = lifecycle.GuardianDetails(name="Mo", relation="mother", phone="+12125550124", email="", gets_mail=False)
    details = make_details(date_of_birth=dt.date(2010, 5, 1), guardian=mother)
    held = keep(world, local(MONDAY, 10), by=staff)

    with pytest.raises(lifecycle.NotEligible):
        lifecycle.confirm(held, details=details, visitor="desk-1", now=NOW)

    assert lifecycle.confirm(held, details=details, visitor="desk-1", by=staff, now=NOW).state == "pending"
