"""A parent's or guardian's own link: they read what the visit is, and agree or do not."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle, links
from bookings.models import Booking, Guardian, ShownItem, Task, TaskKind
from clinic.screening import Answer, Answered
from tests.course import staff
from tests.factories import NOW, PATIENT, World, make_service
from tests.online import TEN, make_world, parsed, text_of
from tests.visits import book_asked, everything, follow_link

pytestmark = pytest.mark.django_db

BORN = dt.date(2010, 3, 17)
PARENT = lifecycle.GuardianDetails(
    name="Alex Example", relation="mother", phone="+12125550188", email="alex@example.org", gets_mail=False
)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world(online_from_age=13)


@pytest.fixture
def booking(world: World) -> Booking:
    return book_minor(world)


@pytest.fixture
def guardian(booking: Booking) -> Guardian:
    return booking.guardian


@pytest.fixture
def parent(client: Client, guardian: Guardian) -> Client:
    open_link(client, guardian)
    return client


def book_minor(world: World, start: dt.datetime = TEN) -> Booking:
    cold_sore = Answered(Answer.YES, frozenset(), dt.date(2026, 11, 20))
    teen = make_service(slug="teen", name="Teen skin visit", summary="Gentle extraction if suitable.")
    return book_asked(world, start, service=teen, date_of_birth=BORN, guardian=PARENT, Q3=cold_sore)


def open_link(client: Client, guardian: Guardian) -> object:
    return client.get(f"/guardian/{links.make_guardian(guardian.pk, guardian.link_version)}/")


def tasks() -> list[tuple[str, bool]]:
    return [(task.kind, task.is_urgent) for task in Task.objects.open()]


def test_the_token_leaves_the_address_bar(client: Client, guardian: Guardian) -> None:
    moved = open_link(client, guardian)
    page = client.get("/guardian/")

    assert (moved.status_code, moved.headers["Location"]) == (303, "/guardian/")
    assert moved.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in page.headers["Cache-Control"]


def test_it_says_what_the_visit_is_and_what_can_go_wrong(parent: Client) -> None:
    page = parent.get("/guardian/")

    words = text_of(page)
    assert parsed(page).headings == 1
    assert "Robin E. named you as their parent or guardian (mother)." in words
    for fact in ("Teen skin visit", "Thursday 10 December, 10am", "Maya Ruiz, Nurse", "Main house", "from $45"):
        assert fact in words
    shown = [code for code in ("HAP-4", "RISK-7", "RISK-8", "PREP-1", "FLAG-1") if f'data-item="{code}"' in words]
    assert shown == ["HAP-4", "RISK-7", "RISK-8", "PREP-1"]


def test_it_shows_no_answer_and_opens_no_visit(parent: Client) -> None:
    words = text_of(parent.get("/guardian/"))

    assert "2026-11-20" not in words
    assert "We wait" not in words
    assert "robin@example.org" not in words
    assert "2010" not in words
    assert parent.get("/visit/").status_code == 410
    assert parent.get("/visit/recheck/").status_code == 410


def test_they_agree_by_one_press(parent: Client, guardian: Guardian, clock) -> None:
    lifecycle.leave_task(guardian.booking, TaskKind.GUARDIAN, now=NOW)

    told = parent.post("/guardian/agree/", follow=True)
    clock.shift(60)
    parent.post("/guardian/agree/")

    guardian.refresh_from_db()
    assert told.redirect_chain == [("/guardian/", 303)]
    assert "You agreed to this visit" in text_of(told)
    assert (guardian.agreed_at, guardian.agreed_with) == (NOW, None)
    assert guardian.booking.events.filter(verb="guardian agreed").count() == 1
    assert tasks() == []


def test_what_they_read_can_be_read_back(parent: Client, guardian: Guardian) -> None:
    parent.post("/guardian/agree/")

    read = ShownItem.objects.filter(booking=guardian.booking, moment="guardian")
    assert {"RISK-7", "PREP-1", "HAP-4"} <= set(read.values_list("code", flat=True))


def test_a_no_is_an_urgent_task_to_phone_them(parent: Client, guardian: Guardian) -> None:
    told = parent.post("/guardian/refuse/", follow=True)
    parent.post("/guardian/refuse/")

    guardian.booking.refresh_from_db()
    task = Task.objects.get()
    assert "You told us that you do not agree." in text_of(told)
    assert (task.kind, task.is_urgent, task.name, task.phone) == (
        TaskKind.GUARDIAN,
        True,
        "Alex Example",
        "+12125550188",
    )
    assert guardian.booking.is_upcoming
    assert guardian.booking.events.filter(verb="guardian does not agree").count() == 1


def test_a_no_makes_the_open_task_urgent(parent: Client, guardian: Guardian) -> None:
    lifecycle.leave_task(guardian.booking, TaskKind.GUARDIAN, now=NOW)

    parent.post("/guardian/refuse/")

    assert tasks() == [(TaskKind.GUARDIAN, True)]
    assert Task.objects.get().phone == "+12125550188"


def test_who_agreed_may_change_their_mind_until_treatment(parent: Client, guardian: Guardian) -> None:
    parent.post("/guardian/agree/")
    parent.post("/guardian/refuse/")
    guardian.refresh_from_db()
    withdrawn = guardian.agreed_at
    booking = Booking.objects.with_everything().get(pk=guardian.booking_id)
    Booking.objects.filter(pk=booking.pk).update(state="arrived", reply_by=None)
    booking.refresh_from_db()

    with pytest.raises(lifecycle.GuardianFirst):
        lifecycle.enter_room(booking, by=staff(), now=TEN)
    parent.post("/guardian/agree/")

    guardian.refresh_from_db()
    assert (withdrawn, guardian.agreed_at, tasks()) == (None, NOW, [])


def test_of_a_visit_that_is_off_there_is_nothing_to_decide(parent: Client, booking: Booking) -> None:
    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)
    before = everything()

    page = parent.get("/guardian/")
    posts = [parent.post(f"/guardian/{act}/").status_code for act in ("agree", "refuse")]

    assert "It will not take place." in text_of(page)
    assert posts == [303, 303]
    assert everything() == before
    assert Guardian.objects.get().agreed_at is None


def test_a_suspended_visit_does_not_say_why(parent: Client, booking: Booking) -> None:
    lifecycle.suspend(booking, by=PATIENT, now=NOW)

    words = text_of(parent.get("/guardian/"))

    assert "It will not take place." in words
    assert "Get medical help first" not in words


def test_a_tampered_link_opens_nothing(client: Client, guardian: Guardian) -> None:
    tokens = ["x", "1.1.forged", "%00", "1.1", "é"]

    assert [client.get(f"/guardian/{token}/").status_code for token in tokens] == [410] * 5
    assert client.get("/guardian/").status_code == 410
    assert client.post("/guardian/agree/").status_code == 410


def test_links_of_others_decide_nothing_here(client: Client, world: World, booking: Booking) -> None:
    """A visit's link is not its guardian's, and the other way round; nor is another family's."""
    visit = links.make(booking.pk, booking.link_version)
    theirs = links.make_guardian(booking.guardian.pk, booking.guardian.link_version)
    follow_link(client, booking)

    crossed = [client.get(f"/guardian/{visit}/").status_code, Client().get(f"/visit/{theirs}/").status_code]
    client.post("/guardian/agree/")
    revoked = links.make_guardian(booking.guardian.pk, booking.guardian.link_version + 1)

    assert crossed == [410, 410]
    assert client.get(f"/guardian/{revoked}/").status_code == 410
    assert Guardian.objects.get().agreed_at is None


def test_looking_decides_nothing(client: Client, guardian: Guardian) -> None:
    before = everything()

    answers = [open_link(client, guardian).status_code for _ in range(2)]
    answers += [client.get("/guardian/").status_code for _ in range(2)]

    assert answers == [303, 303, 200, 200]
    assert [client.get(f"/guardian/{act}/").status_code for act in ("agree", "refuse")] == [405, 405]
    assert everything() == before
    assert Guardian.objects.get().agreed_at is None


def test_a_visit_that_is_over_thanks_them(parent: Client, booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(state="completed", outcome="treated", reply_by=None, closed_at=TEN)

    assert "It is over. Thank you for your help." in text_of(parent.get("/guardian/"))
