"""How is your skin? The day of a treatment, three days after it, and a week after it."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings import lifecycle
from bookings.models import Booking, BookingEvent, BookingState, Outcome, RunKind, ScreeningRun, Task, TaskKind
from tests.course import arrive, staff, treat
from tests.factories import NOW, World, local
from tests.online import TEN, THURSDAY, make_world, text_of
from tests.visits import DAY, book_asked, everything, follow_link

pytestmark = pytest.mark.django_db

SOON = TEN + dt.timedelta(hours=2)
WORSE = {"q1": "no", "how": "worse"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(SOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def booking(world: World) -> Booking:
    return treat(book_asked(world))


@pytest.fixture
def patient(client: Client, booking: Booking) -> Client:
    follow_link(client, booking)
    return client


def said() -> list[str]:
    return list(BookingEvent.objects.filter(verb__startswith="check-in").values_list("verb", flat=True))


def test_the_visit_asks_after_a_treatment(patient: Client) -> None:
    words = text_of(patient.get("/visit/"))

    assert "How is your skin?" in words
    assert 'href="/visit/check-in/"' in words
    assert 'data-item="A24-1"' in words


def test_the_signs_come_first(patient: Client) -> None:
    page = patient.get("/visit/check-in/").content.decode()

    assert 0 < page.index('name="q1"') < page.index('name="how"')
    assert " checked" not in page


def test_the_local_date_says_which_day_it_is(client: Client, booking: Booking, clock) -> None:
    told = {}
    for days_after in (0, 2, 3, 6, 7, 14):
        # Late in the evening: in UTC it is the day after.
        clock.move_to(local(THURSDAY + days_after * DAY, 22))
        follow_link(client, booking)
        client.post("/visit/check-in/", {"q1": "no", "how": "calmer"})
        told[days_after] = said()
        BookingEvent.objects.filter(verb__startswith="check-in").delete()

    days = {0: 0, 2: 0, 3: 3, 6: 3, 7: 7, 14: 7}
    assert told == {days_after: [f"check-in, day {day}: calmer"] for days_after, day in days.items()}


@pytest.mark.parametrize("how", ["calmer", "same"])
def test_calm_skin_reads_how_to_go_on(patient: Client, how: str) -> None:
    told = patient.post("/visit/check-in/", {"q1": "no", "how": how}, follow=True)
    patient.post("/visit/check-in/", {"q1": "no", "how": how})

    assert told.redirect_chain == [("/visit/", 303)]
    assert 'data-item="A24-2"' in text_of(told)
    assert len(said()) == 1
    assert Task.objects.count() == 0


def test_worse_skin_is_called_and_reads_the_warning_signs(client: Client, booking: Booking, clock) -> None:
    clock.move_to(local(dt.date(2026, 12, 14), 10))
    follow_link(client, booking)

    told = client.post("/visit/check-in/", WORSE, follow=True)
    client.post("/visit/check-in/", WORSE)

    words = text_of(told)
    assert told.redirect_chain == [("/visit/worse/", 303)]
    assert "We will call you by <strong>Monday 14 December, midday</strong>." in words
    assert 'data-item="FLAG-1"' in words
    assert [(task.kind, task.is_urgent, task.note) for task in Task.objects.open()] == [
        (TaskKind.CHECK_IN, True, "Day 3.")
    ]
    assert said() == ["check-in, day 3: worse"]


def test_nobody_promises_a_call_at_night(client: Client, booking: Booking, clock) -> None:
    clock.move_to(local(dt.date(2026, 12, 13), 22))
    follow_link(client, booking)

    told = client.post("/visit/check-in/", WORSE, follow=True)

    assert "We will call you by <strong>Monday 14 December, 11am</strong>." in text_of(told)


@pytest.mark.parametrize("answers", [{"q1": "yes"}, {"q1": "unsure", "how": "calmer"}])
def test_a_warning_sign_means_help_now_and_no_visit_to_come(
    patient: Client, world: World, booking: Booking, answers: dict[str, str]
) -> None:
    following = world.book(local(dt.date(2027, 1, 14), 10))

    page = patient.post("/visit/check-in/", answers, follow=True)

    booking.refresh_from_db()
    following.refresh_from_db()
    words = text_of(page)
    assert "Get medical help first" in words
    assert "A person of ours will call you." in words
    assert "is off" not in words
    assert (booking.state, following.state) == (BookingState.COMPLETED, BookingState.SUSPENDED)
    assert not Booking.objects.upcoming().exists()
    assert [(task.kind, task.is_urgent) for task in Task.objects.open()] == [(TaskKind.WARNING_SIGN, True)]
    assert not ScreeningRun.objects.filter(kind=RunKind.CHECK_IN).exists()
    assert said() == []


def test_half_an_answer_is_asked_for_the_rest(patient: Client) -> None:
    page = patient.post("/visit/check-in/", {"q1": "no"})
    absurd = patient.post("/visit/check-in/", {"q1": "no", "how": "splendid"})

    assert (page.status_code, absurd.status_code) == (422, 422)
    assert "Select calmer, about the same or worse" in text_of(page)
    assert said() == []


def test_a_visit_that_nobody_closed_asks_too_and_shows_what_is_safe_for_all(client: Client, world: World) -> None:
    follow_link(client, arrive(book_asked(world)))

    shown = text_of(client.get("/visit/"))
    client.post("/visit/check-in/", {"q1": "no", "how": "calmer"})

    assert 'data-item="A24-2"' in shown
    assert 'data-item="A24-7"' not in shown
    assert said() == ["check-in, day 0: calmer"]


def test_no_treatment_has_no_aftercare(client: Client, world: World) -> None:
    booking = book_asked(world)
    follow_link(client, lifecycle.complete(booking, outcome=Outcome.NOT_TREATED, by=staff(), now=booking.ends_at))

    shown = text_of(client.get("/visit/"))

    assert "After your visit" not in shown
    assert "check-in" not in shown
    assert client.post("/visit/check-in/", WORSE).status_code == 409
    assert Task.objects.count() == 0


def test_before_the_visit_and_long_after_it_there_is_nothing_to_ask(client: Client, world: World, clock) -> None:
    booking = book_asked(world)
    clock.move_to(NOW)
    follow_link(client, booking)
    before = client.post("/visit/check-in/", WORSE)
    treat(booking)
    clock.move_to(TEN + 15 * DAY)
    follow_link(client, booking)
    after = client.post("/visit/check-in/", WORSE)

    assert (before.status_code, after.status_code) == (409, 409)
    assert said() == []


def test_looking_says_nothing(patient: Client) -> None:
    before = everything()

    pages = [patient.get(path).status_code for path in ("/visit/check-in/", "/visit/worse/", "/visit/help/") * 2]

    assert pages == [200] * 6
    assert everything() == before
