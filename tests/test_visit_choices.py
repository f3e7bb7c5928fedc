"""Ways out when answers stand in the way: a skin check in the visit's place, another time, a clinician who looks."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, OutgoingEmail, Task, TaskKind
from clinic.models import Service
from clinic.screening import Answer, Answered
from tests.course import clinician, treat
from tests.factories import NOW, World, local
from tests.online import TEN, THURSDAY, make_world, parsed, starts_on, text_of
from tests.visits import (
    AGAIN_NO,
    BURNT,
    DAY,
    DAY_BEFORE,
    SORE,
    book_asked,
    everything,
    follow_link,
    make_consult,
    open_as_own_browser,
)

pytestmark = pytest.mark.django_db

AFTER_BURN = dt.date(2026, 12, 15)
LOOKING = "A clinician is looking at your answers by Monday 23 November, 6pm. You are not booked yet."
DIABETES = Answered(Answer.YES, frozenset({"q12-diabetes"}))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAY_BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def consult(world: World) -> Service:
    return make_consult()


@pytest.fixture
def booking(world: World, consult: Service) -> Booking:
    return book_asked(world)


@pytest.fixture
def patient(client: Client, booking: Booking) -> Client:
    follow_link(client, booking)
    return client


def test_a_sore_spot_becomes_a_skin_check_by_one_press(patient: Client, booking: Booking, consult: Service) -> None:
    page = patient.post("/visit/recheck/", SORE, follow=True)
    start = starts_on(page)[0]

    changed = patient.post("/visit/consult/", {"start": start}, follow=True)
    again = patient.post("/visit/consult/", {"start": start})

    booking.refresh_from_db()
    assert "Skin check, 30 minutes, from $60." in text_of(page)
    assert start == "2026-12-09T14:00:00-05:00"
    assert "Your visit is a skin check now. We have emailed you." in text_of(changed)
    assert (booking.service, booking.price) == (consult, consult.price)
    assert booking.state == BookingState.CONFIRMED
    assert booking.starts_at == dt.datetime.fromisoformat(start)
    assert [claim.starts_at for claim in booking.claims.all()] == [booking.starts_at] * 2
    assert OutgoingEmail.objects.filter(booking=booking, kind="changed").count() == 1
    assert booking.events.filter(verb="service changed").count() == 1
    assert (again.status_code, Task.objects.open().count()) == (303, 0)


def test_a_burnt_patient_may_choose_the_skin_check_too(patient: Client, booking: Booking, consult: Service) -> None:
    page = patient.post("/visit/recheck/", BURNT, follow=True)

    patient.post("/visit/consult/", {"start": starts_on(page)[-1]})

    booking.refresh_from_db()
    assert (booking.service, booking.state) == (consult, BookingState.CONFIRMED)


def test_after_the_cut_off_nobody_swaps_without_a_reason(patient: Client, booking: Booking) -> None:
    late = patient.post("/visit/consult/", {"start": local(THURSDAY, 14).isoformat()})

    booking.refresh_from_db()
    assert late.status_code == 422
    assert "Call us to change this visit" in text_of(late)
    assert booking.service.slug == "nose"


def test_a_skin_check_at_a_taken_or_impossible_time_leaves_the_visit(
    patient: Client, world: World, booking: Booking
) -> None:
    world.book(local(THURSDAY, 14))
    patient.post("/visit/recheck/", SORE)
    before = everything()

    taken = patient.post("/visit/consult/", {"start": local(THURSDAY, 14).isoformat()})
    night = patient.post("/visit/consult/", {"start": local(THURSDAY, 3).isoformat()})
    absurd = patient.post("/visit/consult/", {"start": "soon"})

    assert [page.status_code for page in (taken, night, absurd)] == [409, 422, 422]
    assert "That time has just been taken" in text_of(taken)
    assert starts_on(taken) != []
    assert everything() == before


def test_what_was_in_review_is_booked_as_a_skin_check(client: Client, world: World, consult: Service, clock) -> None:
    clock.move_to(NOW)
    booking = book_asked(world, Q12=DIABETES)
    follow_link(client, booking)

    client.post("/visit/consult/", {"start": local(THURSDAY, 14).isoformat()})

    booking.refresh_from_db()
    assert (booking.state, booking.reply_by, booking.confirmed_at) == (BookingState.CONFIRMED, None, NOW)


def test_of_a_minor_a_clinician_looks_even_before_a_skin_check(client: Client) -> None:
    parent = lifecycle.GuardianDetails(
        name="Alex Example", relation="mother", phone="+12125550188", email="alex@example.org"
    )
    world = make_world(online_from_age=13)
    make_consult()
    booking = book_asked(world, date_of_birth=dt.date(2010, 3, 17), guardian=parent)
    follow_link(client, booking)

    offered = starts_on(client.post("/visit/recheck/", SORE, follow=True))
    client.post("/visit/consult/", {"start": offered[0]})

    booking.refresh_from_db()
    # Nine working hours from noon on Wednesday.
    # The reply comes at noon; two hours of notice follow.
    assert offered[0] == "2026-12-10T14:00:00-05:00"
    assert (booking.service.slug, booking.state) == ("consult", BookingState.PENDING)


def test_a_clinic_without_skin_checks_offers_a_person(client: Client, world: World) -> None:
    booking = book_asked(world)
    follow_link(client, booking)

    page = client.post("/visit/recheck/", SORE, follow=True)
    refused = client.post("/visit/consult/", {"start": local(THURSDAY, 14).isoformat()})

    assert "skin check" not in text_of(page).lower().replace("skin checks", "")
    assert "Ask the clinic" in text_of(page)
    assert refused.status_code == 422


def test_moving_a_visit_that_a_clinician_must_see_says_so_before_and_after(client: Client, world: World, clock) -> None:
    clock.move_to(NOW)
    booking = world.book(TEN)
    follow_link(client, booking)
    answers = {f"q{number}": "no" for number in range(1, 12)} | {"q12_parts": "q12-diabetes"}
    client.post("/visit/recheck/", answers)

    before = text_of(client.get("/visit/move/"))
    after = client.post("/visit/move/", {"start": local(THURSDAY, 14).isoformat(), "practitioner": "any"}, follow=True)

    booking.refresh_from_db()
    assert "A clinician looks at your answers first, by Monday 23 November, 6pm." in before
    assert "Until then a new time is held, but not booked." in before
    assert booking.state == BookingState.PENDING
    assert "We are holding your new time." in text_of(after)
    assert LOOKING in text_of(after)


def test_a_time_before_the_clinician_can_have_looked_is_refused(client: Client, world: World, clock) -> None:
    clock.move_to(NOW)
    booking = book_asked(world, Q12=DIABETES)
    follow_link(client, booking)

    refused = client.post("/visit/move/", {"start": local(NOW.date(), 15).isoformat(), "practitioner": "any"})

    assert refused.status_code == 422
    assert "A clinician needs to look first" in text_of(refused)
    assert starts_on(refused)[0] == "2026-11-24T09:00:00-05:00"


def test_what_a_clinician_approved_moves_without_another_look(client: Client, world: World, clock) -> None:
    clock.move_to(NOW)
    booking = book_asked(world, Q12=DIABETES)
    lifecycle.approve(booking, by=clinician(), reason="Well controlled.", now=NOW)
    follow_link(client, booking)

    before = text_of(client.get("/visit/move/"))
    client.post("/visit/move/", {"start": local(THURSDAY, 14).isoformat(), "practitioner": "any"})

    booking.refresh_from_db()
    assert "A clinician looks" not in before
    assert booking.state == BookingState.CONFIRMED


def test_who_waits_for_a_clinician_reads_until_when(client: Client, world: World, clock) -> None:
    clock.move_to(NOW)
    booking = book_asked(world, Q12=DIABETES)
    follow_link(client, booking)
    in_time = text_of(client.get("/visit/"))
    clock.move_to(NOW + 2 * DAY)
    follow_link(client, booking)

    late = text_of(client.get("/visit/"))

    assert LOOKING in in_time
    assert "It takes longer than we said. You are not booked yet." in late
    assert "diabetes" not in in_time + late


def test_a_declined_visit_says_so_and_leads_on(client: Client, world: World, clock) -> None:
    clock.move_to(NOW)
    booking = book_asked(world, Q12=DIABETES)
    lifecycle.decline(booking, by=clinician(), reason="Please see your doctor first.", now=NOW)
    follow_link(client, booking)

    page = client.get("/visit/")

    assert "We could not book this visit. We wrote to you why, and there is nothing to pay." in text_of(page)
    assert "Move it" not in text_of(page)
    assert parsed(page).headings == 1


def test_only_a_mailed_link_lets_earlier_visits_count(client: Client, world: World, clock) -> None:
    """Who books with the details of somebody else must not read of their visits."""
    clock.move_to(NOW)
    treat(book_asked(world, local(NOW.date() - 3 * DAY, 10), now=NOW - 10 * DAY))
    booking = book_asked(world, local(dt.date(2026, 12, 21), 10))
    too_soon = {"start": local(dt.date(2026, 12, 17), 10).isoformat(), "practitioner": "any"}
    reason = "Skin needs about four weeks before the next extraction on the same area."
    Service.objects.update(body_areas=["nose"])

    follow_link(client, booking)
    known = reason in text_of(client.get("/visit/move/?date=2026-12-17")), client.post("/visit/move/", too_soon)
    stranger = Client()
    open_as_own_browser(stranger, booking)
    unknown = reason in text_of(stranger.get("/visit/move/?date=2026-12-17")), stranger.post("/visit/move/", too_soon)

    assert (known[0], known[1].status_code) == (True, 422)
    assert (unknown[0], unknown[1].status_code) == (False, 303)


def test_a_move_that_the_history_forbids_is_a_task_when_nobody_may_be_told(client: Client, world: World, clock) -> None:
    clock.move_to(NOW)
    Service.objects.update(body_areas=["nose"])
    treat(book_asked(world, local(NOW.date() - 3 * DAY, 10), now=NOW - 10 * DAY))
    booking = book_asked(world, local(dt.date(2026, 12, 21), 10))
    open_as_own_browser(client, booking)

    client.post("/visit/move/", {"start": local(dt.date(2026, 12, 17), 10).isoformat(), "practitioner": "any"})

    assert [task.kind for task in Task.objects.open().filter(booking=booking)] == [TaskKind.HISTORY]


def test_nothing_new_says_nothing_of_the_history_either(client: Client, world: World) -> None:
    Service.objects.update(body_areas=["nose"])
    treat(book_asked(world, TEN - 10 * DAY, now=NOW - 10 * DAY))
    open_as_own_browser(client, book_asked(world, now=NOW))

    told = client.post("/visit/recheck/", AGAIN_NO)

    assert told.headers["Location"] == "/visit/"


def test_a_visit_whose_practitioner_no_longer_does_it_still_takes_answers(patient: Client, world: World) -> None:
    """The catalogue changed after it was booked."""
    Service.objects.filter(pk=world.service.pk).update(grades=["A"])

    assert patient.post("/visit/recheck/", AGAIN_NO).headers["Location"] == "/visit/"
    assert patient.post("/visit/recheck/", BURNT).headers["Location"] == "/visit/longer/"
    assert patient.get("/visit/longer/").status_code == 200


@pytest.mark.parametrize("is_burnt", [False, True], ids=["nothing answered", "answered for an earlier time"])
def test_without_an_answer_for_this_time_it_is_too_late(client: Client, world: World, clock, is_burnt: bool) -> None:
    """A treatment in between stands in its way too, but nobody was asked: staff decide."""
    Service.objects.update(body_areas=["nose"])
    booking = book_asked(world, local(AFTER_BURN, 9)) if not is_burnt else moved_after_a_burn(client, world, clock)
    treat(book_asked(world, local(AFTER_BURN - DAY, 10), now=NOW))
    clock.move_to(local(AFTER_BURN, 9) - dt.timedelta(hours=20))
    follow_link(client, booking)

    late = client.post("/visit/move/", {"start": local(AFTER_BURN + 40 * DAY, 9).isoformat(), "practitioner": "any"})

    assert late.status_code == 422
    assert "Call us to change this visit" in text_of(late)


def moved_after_a_burn(client: Client, world: World, clock) -> Booking:
    booking = book_asked(world)
    follow_link(client, booking)
    client.post("/visit/recheck/", BURNT)
    clock.shift(60)
    client.post("/visit/move/", {"start": local(AFTER_BURN, 9).isoformat(), "practitioner": "any"})
    return Booking.objects.get(pk=booking.pk, starts_at=local(AFTER_BURN, 9))
