"""Who may open what at the desk: every address for every role, reading and acting."""

from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking, BookingEvent, BookingState
from tests.desk import DIABETES, MONDAY, book_with, page_of, signed_in
from tests.factories import NOW, local, make_service, make_staff
from tests.online import make_world

pytestmark = pytest.mark.django_db

ROLES = ("reception", "practitioner", "clinician", "manager")
# Address of a booking that waits for a clinician: what a GET answers to each of ROLES; 405 is open to POST alone.
READING = {
    "booking": (200, 200, 200, 200),
    "correct_email": (200, 200, 200, 200),
    "resend": (405, 405, 405, 405),
    "move": (200, 200, 200, 200),
    "cancel": (200, 200, 200, 200),
    "approve": (403, 403, 200, 403),
    "decline": (403, 403, 200, 403),
    "change_service": (403, 403, 200, 403),
    "answers": (403, 200, 200, 403),
    "shown": (200, 200, 200, 200),
    "ask": (403, 200, 200, 403),
    "arrive": (405, 405, 405, 405),
    "enter_room": (405, 405, 405, 405),
    "close": (200, 200, 200, 200),
    "miss": (200, 200, 200, 200),
    "guardian_agreed": (405, 405, 405, 405),
    "guardian": (200, 200, 200, 200),
}
PAGES = {
    "/desk/": (200, 200, 200, 200),
    "/desk/review/": (200, 200, 200, 200),
    "/desk/tasks/": (200, 403, 200, 200),
    "/desk/mail/": (200, 403, 200, 200),
}
METHODS, SIGN_IN = ("get", "post"), "/accounts/login/"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def waiting() -> Booking:
    world = make_world(practitioners=2, rooms=2)
    make_service(slug="face", name="Full-face extraction")
    return book_with(world, local(MONDAY, 10), DIABETES)


@pytest.mark.parametrize("role", ROLES)
def test_every_address_answers_each_role_as_the_table_says(waiting: Booking, role: str) -> None:
    client = signed_in(role)
    expected = {page_of(waiting, name): codes[ROLES.index(role)] for name, codes in READING.items()}
    expected |= {path: codes[ROLES.index(role)] for path, codes in PAGES.items()}

    assert {path: client.get(path).status_code for path in expected} == expected


def test_nobody_comes_in_without_signing_in(waiting: Booking) -> None:
    answers = {
        (name, method): getattr(Client(), method)(page_of(waiting, name)) for name in READING for method in METHODS
    }

    let_in = {asked for asked, answer in answers.items() if not answer.headers.get("Location", "").startswith(SIGN_IN)}
    assert let_in == set()


def test_somebody_without_any_right_is_refused_everywhere(waiting: Booking) -> None:
    client = Client()
    client.force_login(make_staff("nobody", is_staff=False, is_superuser=False))
    paths = [*PAGES, *(page_of(waiting, name) for name in READING)]

    answers = {(path, method): getattr(client, method)(path).status_code for path in paths for method in METHODS}

    assert {asked: code for asked, code in answers.items() if code not in {403, 405}} == {}
    assert {path for (path, _), code in answers.items() if code == 403} == set(paths)


@pytest.mark.parametrize("role", ROLES)
def test_looking_changes_nothing(waiting: Booking, role: str) -> None:
    client, before = signed_in(role), BookingEvent.objects.count()

    for name in READING:
        client.get(page_of(waiting, name))

    waiting.refresh_from_db()
    assert (waiting.state, BookingEvent.objects.count()) == (BookingState.PENDING, before)


def test_pages_are_never_kept_by_a_browser(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    paths = [*PAGES, *(page_of(waiting, name) for name in READING)]

    kept = {path for path in paths if "no-store" not in clinician.get(path).headers.get("Cache-Control", "")}

    assert kept == set()


def test_a_reference_that_is_none_is_not_found(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    paths = [page_of(waiting, name).replace(waiting.reference, "NOBODY") for name in READING]

    found = {path: clinician.post(path).status_code for path in paths}

    assert {path: code for path, code in found.items() if code not in {404, 405}} == {}


def test_a_page_links_only_to_what_its_reader_may_open(waiting: Booking) -> None:
    for index, role in enumerate(ROLES):
        client = signed_in(role)
        html = client.get(page_of(waiting)).content.decode() + client.get("/desk/review/").content.decode()

        closed = {name for name, codes in READING.items() if codes[index] == 403}
        assert {name for name in closed if page_of(waiting, name) in html} == set(), role
