""" "I have squeezed it", from the visit's own page: first aid, three questions, safe dates, no fee."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingState, RunKind, ScreeningRun, Task, TaskKind
from tests.factories import NOW, PATIENT, World
from tests.online import make_world, starts_on, text_of
from tests.visits import DAY_BEFORE, book_asked, everything, follow_link, make_consult

pytestmark = pytest.mark.django_db

CALM = {"q1": "no", "q2": "no", "q7": "no"}
BROKEN = {"q1": "no", "q2": "no", "q7_parts": "q7-broken", "q7_date": "2026-12-09"}
FIRST_SAFE = "2026-12-16T09:00:00-05:00"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DAY_BEFORE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def booking(world: World) -> Booking:
    return book_asked(world)


@pytest.fixture
def patient(client: Client, booking: Booking) -> Client:
    follow_link(client, booking)
    return client


def open_tasks() -> list[str]:
    return [task.kind for task in Task.objects.open()]


def test_first_aid_comes_before_the_questions(patient: Client) -> None:
    page = patient.get("/visit/squeezed/")

    words = text_of(page)
    wanted = ["WHY-6", "A24-2", "A24-3", "A24-8", "FLAG-1", "FLAG-2", "FLAG-3"]
    places = [words.index(f'data-item="{code}"') for code in wanted]
    assert "I have squeezed it" in text_of(patient.get("/visit/"))
    assert places == sorted(places)
    assert places[-1] < words.index('id="div_id_q1"')
    assert "No fee, no telling-off." in words


def test_it_asks_for_nothing_but_signs_a_sore_spot_and_broken_skin(patient: Client) -> None:
    page = patient.get("/visit/squeezed/").content.decode()

    assert [f"div_id_q{number}" in page for number in range(1, 13)] == [number in {1, 2, 7} for number in range(1, 13)]
    assert "sunburnt, cut, raw, blistered or peeling" in page
    assert "rosacea" not in page
    assert " checked" not in page


def test_calm_skin_keeps_its_time_and_the_practitioner_knows(patient: Client, booking: Booking) -> None:
    told = patient.post("/visit/squeezed/", CALM, follow=True)
    patient.post("/visit/squeezed/", CALM)

    booking.refresh_from_db()
    words = text_of(told)
    assert told.redirect_chain == [("/visit/squeezed/thanks/", 303)]
    assert "Thank you for telling us" in words
    assert "Maya will know before your visit. No fee." in words
    assert "Your visit stays on Thursday 10 December, 10am." in words
    assert booking.state == BookingState.CONFIRMED
    assert open_tasks() == [TaskKind.SQUEEZED]


@pytest.mark.parametrize("answer", [{"q7_parts": "q7-broken"}, {"q7": "unsure"}, {"q7": "yes"}])
def test_broken_skin_waits_and_never_for_a_flare(patient: Client, answer: dict[str, str]) -> None:
    """Whatever way it was said, only broken skin was asked about."""
    told = patient.post("/visit/squeezed/", {"q1": "no", "q2": "no", "q7_date": "2026-12-09", **answer}, follow=True)

    run = ScreeningRun.objects.get(kind=RunKind.SQUEEZED)
    assert run.answers["Q7"] == {"answer": "yes", "parts": ["q7-broken"], "date": "2026-12-09"}
    assert "We wait 7 days after sunburnt or broken skin." in text_of(told)
    assert starts_on(told)[0] == FIRST_SAFE


def test_the_safe_time_is_one_press_away_after_the_cut_off(patient: Client, booking: Booking) -> None:
    patient.post("/visit/squeezed/", BROKEN)

    moved = patient.post("/visit/move/", {"start": FIRST_SAFE, "practitioner": "any"}, follow=True)

    booking.refresh_from_db()
    assert "Your visit has moved." in text_of(moved)
    assert booking.starts_at == dt.datetime.fromisoformat(FIRST_SAFE)
    assert open_tasks() == [TaskKind.SQUEEZED]


def test_without_a_day_nobody_invents_one(patient: Client) -> None:
    told = patient.post("/visit/squeezed/", {"q1": "no", "q2": "no", "q7_parts": "q7-broken"}, follow=True)

    words = text_of(told)
    assert "A clinician looks at this first" in words
    assert "We wait" not in words


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_a_warning_sign_leaves_no_visit_and_no_answer(patient: Client, booking: Booking, answer: str) -> None:
    page = patient.post("/visit/squeezed/", {"q1": answer, "q2": "yes"}, follow=True)

    booking.refresh_from_db()
    assert page.redirect_chain == [("/visit/help/", 303)]
    assert booking.state == BookingState.SUSPENDED
    assert open_tasks() == [TaskKind.WARNING_SIGN]
    assert not ScreeningRun.objects.filter(kind=RunKind.SQUEEZED).exists()


def test_what_is_missing_is_asked_again_and_nothing_is_lost(patient: Client) -> None:
    page = patient.post("/visit/squeezed/", {"q1": "no", "q7_parts": "q7-broken"})

    assert page.status_code == 422
    assert page.content.decode().count(" checked") == 2
    assert open_tasks() == []


def test_a_skin_check_has_nothing_to_squeeze(client: Client, world: World) -> None:
    follow_link(client, book_asked(world, service=make_consult()))

    assert "I have squeezed it" not in text_of(client.get("/visit/"))
    assert "div_id_q2" not in client.get("/visit/squeezed/").content.decode()


def test_looking_tells_nobody(patient: Client, booking: Booking) -> None:
    before = everything()

    pages = [patient.get(path).status_code for path in ("/visit/squeezed/", "/visit/squeezed/thanks/") * 2]

    assert pages == [200] * 4
    assert everything() == before


def test_a_visit_that_is_off_takes_no_word_of_it(patient: Client, booking: Booking) -> None:
    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)

    assert patient.get("/visit/squeezed/").status_code == 200
    assert patient.post("/visit/squeezed/", BROKEN).status_code == 409
    assert open_tasks() == []
