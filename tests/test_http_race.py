"""Two hundred browsers want one start, through the real server: one gets it, the others are told kindly."""

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingState, Claim, OutgoingEmail
from tests.factories import World, load_signed_content, local
from tests.online import DETAILS_NO, SKIN_NO
from tests.processes import manage, serving
from tests.racing import half_written, overlaps
from tests.walker import Page, Walker

pytestmark = pytest.mark.django_db(transaction=True)

SAID = {
    **SKIN_NO,
    **DETAILS_NO,
    "for_whom": "me",
    "name": "Robin Example",
    "email": "robin@example.org",
    "phone": "212 555 0123",
    "date_of_birth_day": "17",
    "date_of_birth_month": "3",
    "date_of_birth_year": "1990",
    "guidance_read": "on",
    "consent": "on",
}


def next_thursday() -> dt.date:
    """Some days ahead, by the real clock: the server has no other."""
    today = timezone.now().date()
    return today + dt.timedelta(days=(3 - today.weekday()) % 7 + 7)


def make_world(**asked: int) -> World:
    load_signed_content(timezone.now())
    return World(**asked)


def confirm(walker: Walker, page: Page) -> Page:
    """From the details page to the end."""
    check = walker.send(page, page.form_with("email"), **SAID, next="check")
    assert check.status == 200, check.text
    return walker.send(check, check.form_with("email"))


def compete(port: int, start: dt.datetime, who: str, clients: int) -> list[Page]:
    """All clients open the page of that day, then all press the same button at once; winners book."""
    address = f"/book/nose/?practitioner={who}&date={start.date().isoformat()}"
    gate = threading.Barrier(clients)

    def client(walker: Walker, page: Page) -> Page:
        form = page.form_with("start")
        wanted = next(value for value in page.starts if dt.datetime.fromisoformat(value) == start)
        gate.wait(timeout=120)
        page = walker.send(page, form, start=wanted)
        return confirm(walker, page) if page.status == 200 else page

    walkers = [Walker(port) for _ in range(clients)]
    with ThreadPoolExecutor(8) as few:
        pages = list(few.map(lambda walker: walker.get(address), walkers))
    assert Counter(page.status for page in pages) == {200: clients}
    with ThreadPoolExecutor(clients) as many:
        return list(many.map(client, walkers, pages))


def is_kind(page: Page) -> bool:
    """A refusal that says what happened and offers other times."""
    return page.status == 409 and "That time has just been taken" in page.text and bool(page.starts)


@pytest.mark.parametrize(
    ("who", "people", "clients"), [("maya", 2, 200), ("any", 3, 60)], ids=["one practitioner", "any of three"]
)
def test_many_clients_race_for_one_start(tmp_path, who, people, clients):
    world = make_world(practitioners=people, rooms=people)
    winners = people if who == "any" else 1
    start = local(next_thursday(), 10)

    with serving(tmp_path / "server.log") as port:
        pages = compete(port, start, who, clients)
    checked = manage("check_integrity")

    booked = [page for page in pages if page.status == 200]
    refused = [page for page in pages if page.status != 200]
    assert len(booked) == winners, Counter(page.status for page in pages)
    assert {page.path for page in booked} == {"/book/done/"}
    assert len(refused) == clients - winners
    assert all(is_kind(page) for page in refused), Counter(page.status for page in refused)
    assert Booking.objects.filter(state=BookingState.CONFIRMED, starts_at=start).count() == winners
    assert Booking.objects.count() == winners
    assert Claim.objects.count() == 2 * winners
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == winners
    assert overlaps() == []
    assert half_written() == []
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Traceback" not in (tmp_path / "server.log").read_text()
    assert world.practitioner.visits.count() <= 1
