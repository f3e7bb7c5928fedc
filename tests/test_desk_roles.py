"""Pages of one booking: looking changes nothing, nothing is kept, and no link leads to a closed door.

Who may open what stands in ``tests/data/roles.csv`` and is walked by ``test_role_table.py``.
"""

from typing import Any

import pytest

from bookings.models import Booking, BookingEvent, BookingState
from tests.desk import DIABETES, MONDAY, book_with, page_of, signed_in
from tests.factories import NOW, local, make_service
from tests.online import make_world
from tests.role_table import lines

pytestmark = pytest.mark.django_db

ROLES = ("reception", "practitioner", "clinician", "manager")
OF_A_BOOKING = "/desk/bookings/<str:reference>/"
# The pages of one booking, and what each role reads of them, from the table of roles.
READING = {
    line.address: line.words
    for line in lines()
    if line.address.startswith(OF_A_BOOKING) and line.address.count("<") == 1 and "GET" in line.methods
}
PAGES = ("/desk/", "/desk/review/", "/desk/tasks/", "/desk/mail/")


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def waiting() -> Booking:
    world = make_world(practitioners=2, rooms=2)
    make_service(slug="face", name="Full-face extraction")
    return book_with(world, local(MONDAY, 10), DIABETES)


@pytest.mark.parametrize("role", ROLES)
def test_looking_changes_nothing(waiting: Booking, role: str) -> None:
    client, before = signed_in(role), BookingEvent.objects.count()

    for address in READING:
        client.get(of(waiting, address))

    waiting.refresh_from_db()
    assert (waiting.state, BookingEvent.objects.count()) == (BookingState.PENDING, before)


def test_pages_are_never_kept_by_a_browser(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    paths = [*PAGES, *(of(waiting, address) for address in READING)]

    kept = {path for path in paths if "no-store" not in clinician.get(path).headers.get("Cache-Control", "")}

    assert kept == set()


def test_a_reference_that_is_none_is_not_found(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    paths = [address.replace("<str:reference>", "NOBODY") for address in READING]

    found = {path: clinician.post(path).status_code for path in paths}

    assert {path: code for path, code in found.items() if code not in {404, 405}} == {}


def test_a_page_links_only_to_what_its_reader_may_open(waiting: Booking) -> None:
    for role in ROLES:
        client = signed_in(role)
        html = client.get(page_of(waiting)).content.decode() + client.get("/desk/review/").content.decode()

        closed = {of(waiting, address) for address, words in READING.items() if words[role] == "closed"}
        assert {path for path in closed if path in html} == set(), role


def of(booking: Booking, address: str) -> str:
    return address.replace("<str:reference>", booking.reference)
