"""Moving at the desk: the rules hold here too, and whoever bends one says why."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bookings import lifecycle
from bookings.models import Booking, BookingEvent, BookingState, RunKind
from clinic.models import Absence, Clinic, Grade, Service
from tests.desk import MONDAY, TUESDAY, book_with, cold_sore, page_of, signed_in, words_of
from tests.factories import NOW, PATIENT, World, local, make_practitioner, make_staff, open_weekdays
from tests.online import make_world

pytestmark = pytest.mark.django_db

FRIDAY = dt.date(2026, 12, 4)
LATER = local(dt.date(2026, 12, 7), 10)
REASON = "The scab is off; seen on video"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2)
    Service.objects.update(body_areas=["nose"])
    return found


@pytest.fixture
def sore(world: World) -> Booking:
    """Safe from Friday 4 December on; booked for the Monday after it."""
    return book_with(world, LATER, cold_sore(dt.date(2026, 11, 20)), name="Sam Kay")


@pytest.fixture
def treated(world: World) -> Booking:
    """A patient treated two weeks ago who has another visit; 28 days are over on 7 December."""
    first = local(dt.date(2026, 11, 9), 10)
    before = first - dt.timedelta(days=7)
    past = book_with(world, first, now=before)
    lifecycle.complete(past, by=make_staff(), now=first)
    return book_with(world, LATER)


def move(client: Client, booking: Booking, start: dt.datetime, **typed: str) -> Any:
    return client.post(f"{page_of(booking, 'move')}?who=maya", {"start": start.isoformat(), "notify": "on", **typed})


def test_a_day_that_is_too_soon_says_why_and_when_it_is_safe(sore: Booking) -> None:
    response = signed_in("clinician").get(page_of(sore, "move") + "?date=2026-12-01&practitioner=any")

    said = words_of(response)
    assert "First safe day: Friday 4 December 2026." in said
    assert "Closed for this patient. We wait 14 days after a cold sore. Choose a time from Friday 4 December." in said
    assert "A time below needs a reason." in said
    assert min(start.at for start in response.context["nearest"]) >= local(FRIDAY, 0)
    assert "needs a reason" in response.content.decode()
    assert "If a rule stands in the way: why may it be bent?" in said


def test_a_safe_day_is_simply_open(sore: Booking) -> None:
    said = words_of(signed_in("clinician").get(page_of(sore, "move") + "?date=2026-12-04&practitioner=any"))

    assert "Closed for this patient" not in said
    assert "⚑" not in said


def test_who_may_not_see_answers_learns_the_day_and_not_why(sore: Booking) -> None:
    reception = signed_in("reception")

    pages = [
        reception.get(page_of(sore, "move") + "?date=2026-12-01&practitioner=any"),
        move(reception, sore, local(TUESDAY, 10)),
    ]

    for page in pages:
        said = words_of(page)
        assert "The health answers ask for a wait. Choose a time from Friday 4 December." in said
        assert "cold sore" not in page.content.decode()
    assert "Only a clinician may bend this." in words_of(pages[0])
    assert "why may it be bent" not in words_of(pages[0])


def test_a_refused_move_says_why_and_keeps_what_was_typed(sore: Booking) -> None:
    clinician = signed_in("clinician")
    address = f"{page_of(sore, 'move')}?date=2026-12-01&practitioner=maya1&who=maya1"

    response = clinician.post(address, {"start": local(TUESDAY, 10).isoformat(), "reason": " "})

    assert response.status_code == 422
    said = words_of(response)
    assert (
        "We wait 14 days after a cold sore. Choose a time from Friday 4 December. The visit stands as it was." in said
    )
    assert (response.context["shown"], [who.slug for who, _ in response.context["people"]]) == (TUESDAY, ["maya1"])
    assert Booking.objects.get(pk=sore.pk).starts_at == LATER


def test_another_day_keeps_all_that_was_typed_and_moves_nothing(sore: Booking) -> None:
    """One form: the fields of the search are sent with what was typed beside them."""
    clinician = signed_in("clinician")
    looked = {"look": "Show times", "date": "2026-12-01", "practitioner": "any", "reason": REASON}

    page = clinician.post(page_of(sore, "move"), looked)

    assert (page.status_code, page.context["shown"], page.context["notify"]) == (200, TUESDAY, False)
    html = page.content.decode()
    assert REASON in html
    assert clinician.post(page_of(sore, "move"), {**looked, "notify": "on"}).context["notify"]
    assert Booking.objects.get(pk=sore.pk).starts_at == LATER

    # Whose time was pressed says its button; the search may say anyone.
    assert move(clinician, sore, local(TUESDAY, 10), reason=REASON, practitioner="any", date="x").status_code == 302
    assert Booking.objects.get(pk=sore.pk).practitioner.slug == "maya"


def test_a_clinician_bends_a_wait_with_a_reason_in_the_history(sore: Booking) -> None:
    clinician = signed_in("clinician", first_name="Ada", last_name="Stone")

    response = move(clinician, sore, local(TUESDAY, 10), reason=REASON)

    sore.refresh_from_db()
    assert response.status_code == 302
    assert (sore.starts_at, sore.state) == (local(TUESDAY, 10), BookingState.CONFIRMED)
    event = BookingEvent.objects.get(booking=sore, verb="rule bent")
    assert (event.by.username, event.detail) == ("clinician-1", {"reason": REASON, "rules": ["q3-yes-1"]})
    said = words_of(clinician.get(page_of(sore)))
    assert f"Rule bent by Ada Stone Monday 23 November, 9am Q3: a cold sore Reason: {REASON}" in said
    assert "Moved by Ada Stone" in said
    assert "From Monday 7 December, 10am to Tuesday 1 December, 10am" in said
    assert "cold sore" not in signed_in("reception").get(page_of(sore)).content.decode()


@pytest.mark.parametrize("role", ["reception", "practitioner", "manager"])
def test_nobody_else_bends_what_answers_say(sore: Booking, role: str) -> None:
    response = move(signed_in(role), sore, local(TUESDAY, 10), reason=REASON)

    assert response.status_code == 403
    assert "Only a clinician may decide this." in words_of(response)
    assert REASON in response.content.decode()
    assert Booking.objects.get(pk=sore.pk).starts_at == LATER
    assert not BookingEvent.objects.filter(verb="rule bent").exists()


def test_reception_bends_the_gap_between_visits_with_a_reason(treated: Booking) -> None:
    reception = signed_in("reception")
    refused = move(reception, treated, local(TUESDAY, 10))
    assert refused.status_code == 422
    assert "Skin needs about four weeks before the next extraction on the same area." in words_of(refused)
    assert "why may it be bent" in words_of(refused)

    assert move(reception, treated, local(TUESDAY, 10), reason="Other side of the nose").status_code == 302

    treated.refresh_from_db()
    assert treated.starts_at == local(TUESDAY, 10)
    event = BookingEvent.objects.get(booking=treated, verb="rule bent")
    assert event.detail == {"reason": "Other side of the nose", "rules": ["gap-same-area"]}


def test_a_reason_where_no_rule_stands_in_the_way_bends_nothing(world: World) -> None:
    booking = book_with(world, LATER)

    move(signed_in("reception"), booking, local(TUESDAY, 10), reason="Just so")

    assert Booking.objects.get(pk=booking.pk).starts_at == local(TUESDAY, 10)
    assert not BookingEvent.objects.filter(verb="rule bent").exists()


def test_a_grade_that_may_not_treat_yet_says_so_beside_the_others(world: World) -> None:
    """Isotretinoin: aestheticians wait half a year, others have a clinician look."""
    young = make_practitioner("Zoe Field", slug="zoe", grade=Grade.AESTHETICIAN)
    open_weekdays(world.location, young)
    booking = book_with(world, LATER)
    capsule = {"Q4": cold_sore(dt.date(2026, 10, 1))["Q3"]}
    lifecycle.answer_again(booking, answers=capsule, kind=RunKind.DESK, by=PATIENT, now=NOW)

    response = signed_in("clinician").get(page_of(booking, "move") + "?date=2026-12-08&practitioner=any")

    refusals = {who.slug: {start.refusal for start in starts} for who, starts in response.context["people"]}
    assert refusals == {
        "maya": {""},
        "maya1": {""},
        "zoe": {"We wait 180 days after the last isotretinoin capsule. Choose a time from Tuesday 30 March."},
    }
    assert "Closed for this patient" not in words_of(response)


def test_a_reason_that_is_too_long_is_refused_with_it(sore: Booking) -> None:
    response = move(signed_in("clinician"), sore, local(TUESDAY, 10), reason="x" * 501)

    assert response.status_code == 422
    assert "x" * 501 in response.content.decode()


def test_a_minor_moves_with_a_clinicians_reason_alone(world: World) -> None:
    """Under 18 is a review like any other."""
    Clinic.objects.update(online_from_age=13)
    mother = lifecycle.GuardianDetails(name="Mo", relation="mother", phone="+12125550124", email="mo@example.org")
    child = book_with(world, LATER, date_of_birth=dt.date(2010, 5, 1), guardian=mother)
    assert child.state == BookingState.PENDING

    said = words_of(signed_in("reception").get(page_of(child)))

    assert "Under 18. A clinician decides." in said
    assert move(signed_in("reception"), child, local(MONDAY, 10), reason="x").status_code == 403
    assert move(signed_in("clinician"), child, local(MONDAY, 10), reason="Mother asked").status_code == 302
    assert Booking.objects.get(pk=child.pk).state == BookingState.CONFIRMED


def test_a_visit_that_has_to_move_needs_no_other_reason_for_so_soon(world: World, time_machine: Any) -> None:
    """Today at half past ten, at nine Maya calls in ill: the same time with somebody else."""
    soon = local(NOW.date(), 10, 30)
    booking = book_with(world, soon, practitioner=world.practitioner, now=NOW - dt.timedelta(days=3))
    Absence.objects.create(resource=world.practitioner, starts_at=soon, ends_at=local(NOW.date(), 17))
    later = local(NOW.date(), 10, 45)
    wishes = {f"visit-{booking.reference}": f"{later.isoformat()} maya1"}

    signed_in("reception").post(reverse("desk:to_move"), wishes)

    assert Booking.objects.get(pk=booking.pk).starts_at == later
    event = BookingEvent.objects.get(booking=booking, verb="rule bent")
    assert event.detail == {"reason": "Visit to move: Maya is away", "rules": ["minimum notice"]}


def test_a_visit_that_has_to_move_never_bends_opening_hours(world: World) -> None:
    booking = book_with(world, LATER, practitioner=world.practitioner)
    Absence.objects.create(resource=world.practitioner, starts_at=LATER, ends_at=LATER + dt.timedelta(hours=6))
    wishes = {f"visit-{booking.reference}": f"{local(MONDAY, 20).isoformat()} maya1"}

    signed_in("reception").post(reverse("desk:to_move"), wishes)

    assert Booking.objects.get(pk=booking.pk).starts_at != local(MONDAY, 20)
    assert not BookingEvent.objects.filter(verb="rule bent").exists()
