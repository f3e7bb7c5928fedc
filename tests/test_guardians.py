"""Who answers for a minor: asked for as soon as a visit is one of a minor, and given the visit's mail or not."""

from typing import Any

import pytest
from django.test import Client

from bookings import followup, lifecycle
from bookings.models import Booking, BookingState, Guardian, Task, TaskKind
from tests.course import clinician, staff
from tests.desk import book_with, page_of, signed_in, words_of
from tests.factories import NOW, PATIENT, World
from tests.family import ALEX, BORN, DAY, HOUR, TEN, TYPED, again, asked_for, letters, move, newest
from tests.online import make_world, text_of
from tests.visits import follow_link

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def world() -> World:
    return make_world(online_from_age=13)


@pytest.fixture
def grown_up(world: World) -> Booking:
    """By the day of the visit."""
    return book_with(world, TEN + DAY, name="Sam Kay", date_of_birth=BORN)


@pytest.fixture
def reception() -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


NOBODY = "Under 18 on the day, and nobody is named. Ask who answers for them."


# A visit becomes one of a minor


@pytest.mark.parametrize("is_by_staff", [False, True])
def test_a_move_to_a_day_under_18_asks_for_a_guardian_at_once(grown_up: Booking, is_by_staff: bool) -> None:
    before = asked_for()

    moved = move(grown_up, TEN, by=staff() if is_by_staff else PATIENT)

    assert before == []
    assert [(booking, note) for booking, _, note in asked_for()] == [(moved, NOBODY)]
    assert asked_for()[0][1] <= TEN - 2 * HOUR


def test_moved_back_to_a_day_as_a_grown_up_nobody_is_asked(grown_up: Booking) -> None:
    moved = move(grown_up, TEN)

    move(moved, TEN + DAY + HOUR)

    assert asked_for() == []


def test_a_move_of_a_minor_with_a_guardian_asks_nobody_anew(world: World) -> None:
    child = book_with(world, TEN, name="Sam Kay", date_of_birth=BORN, guardian=ALEX)

    move(child, TEN + HOUR)

    assert asked_for() == []


def test_a_minor_without_a_guardian_is_found_two_days_before(world: World, grown_up: Booking) -> None:
    """Such as one whose date of birth was put right since."""
    other = book_with(world, TEN + DAY + HOUR, name="Alex Tea")
    grown_up.patient.date_of_birth = BORN + DAY
    grown_up.patient.save()

    followup.run(grown_up.starts_at - 2 * DAY - HOUR)
    before = asked_for()
    followup.run(grown_up.starts_at - 2 * DAY)
    followup.run(other.starts_at - DAY)

    assert before == []
    assert [(booking, note) for booking, _, note in asked_for()] == [(grown_up, NOBODY)]


def test_a_guardian_named_long_before_and_still_silent_is_phoned_in_time(world: World, grown_up: Booking) -> None:
    moved = move(grown_up, TEN)
    lifecycle.name_guardian(moved, details=ALEX, by=staff(), now=NOW)
    assert asked_for() == []

    followup.run(TEN - 2 * DAY)
    followup.run(TEN - DAY)

    assert [(booking, note) for booking, _, note in asked_for()] == [(moved, "")]


def test_a_guardian_named_near_the_visit_is_phoned_at_once_and_not_for_ever(grown_up: Booking) -> None:
    moved = move(grown_up, TEN)
    lifecycle.name_guardian(moved, details=ALEX, by=staff(), now=TEN - 2 * DAY)
    named = asked_for()
    lifecycle.finish_task(Task.objects.open().get(kind=TaskKind.GUARDIAN), by=staff(), now=TEN - 2 * DAY + HOUR)
    followup.run(TEN - DAY)

    assert [(booking, note) for booking, _, note in named] == [(moved, "")]
    assert asked_for() == []


def test_who_is_named_in_place_of_nobody_is_phoned_if_they_stay_silent(grown_up: Booking) -> None:
    """The task closed by itself: nobody has phoned yet."""
    moved = move(grown_up, TEN)
    Task.objects.all().delete()
    lifecycle.ask_for_guardian(moved, now=TEN - 2 * DAY - 2 * HOUR)
    lifecycle.name_guardian(moved, details=ALEX, by=PATIENT, now=TEN - 2 * DAY - HOUR)
    named = asked_for()

    followup.run(TEN - 2 * DAY)
    followup.run(TEN - DAY)

    assert named == []
    assert [(booking, note) for booking, _, note in asked_for()] == [(moved, "")]


def test_nobody_approves_a_minor_for_whom_nobody_answers(grown_up: Booking) -> None:
    boss, moved = clinician(), move(grown_up, TEN)

    with pytest.raises(lifecycle.GuardianNeeded):
        lifecycle.approve(moved, by=boss, reason="Fine.", now=NOW)
    moved.refresh_from_db()
    was = moved.state
    lifecycle.name_guardian(moved, details=ALEX, by=boss, now=NOW)

    assert was == BookingState.PENDING
    assert lifecycle.approve(moved, by=boss, reason="Fine.", now=NOW).state == BookingState.CONFIRMED


def test_no_other_decision_of_a_clinician_books_one_either(grown_up: Booking) -> None:
    boss, moved, since = clinician(), move(grown_up, TEN), newest()
    instead: dict[str, Any] = {"service": moved.service, "practitioner": None, "start": TEN + HOUR}

    with pytest.raises(lifecycle.GuardianNeeded):
        lifecycle.change_service(moved, **instead, by=boss, reason="Fine.", now=NOW)
    once_more = move(moved, TEN + 2 * HOUR, by=boss, override="Fine.")

    assert (once_more.state, once_more.starts_at) == (BookingState.PENDING, TEN + 2 * HOUR)
    assert letters(moved, since) == [("pending", "robin@example.org")]
    assert [(booking, note) for booking, _, note in asked_for()] == [(moved, NOBODY)]


def test_once_one_is_named_a_clinician_who_moves_it_with_a_reason_books_it(grown_up: Booking) -> None:
    boss, moved = clinician(), move(grown_up, TEN)
    lifecycle.name_guardian(moved, details=ALEX, by=boss, now=NOW)

    assert move(moved, TEN + HOUR, by=boss, override="Fine.").state == BookingState.CONFIRMED


def test_the_refusal_to_approve_leads_to_naming_one(grown_up: Booking) -> None:
    moved = move(grown_up, TEN)

    refused = signed_in("clinician").post(page_of(moved, "approve"), {"reason": "Light extraction only"})

    assert "A parent or guardian has to be named for anyone under 18." in words_of(refused)
    assert f'href="{page_of(moved, "guardian")}"' in refused.content.decode()


def test_the_move_page_says_what_is_needed_and_then_asks_for_it(client: Client, grown_up: Booking) -> None:
    follow_link(client, grown_up)

    before = text_of(client.get("/visit/move/"))
    after = client.post("/visit/move/", {"start": TEN.isoformat()}, follow=True)
    since = newest()
    named = client.post("/visit/guardian/", {**TYPED, "mail_to": "patient"}, follow=True)
    once_more = client.post("/visit/guardian/", {**TYPED, "name": "Mo Example"})

    assert "Then a parent or guardian has to agree." in before
    assert after.redirect_chain == [("/visit/guardian/", 303)]
    assert "<h1>Name a parent or guardian</h1>" in text_of(after)
    assert "On Monday 30 November Sam K. is under 18. A parent or guardian agrees" in text_of(after)
    # The one who types may be the parent.
    assert 'autocomplete="off"' not in text_of(after)
    assert "We have sent Alex Example a link to agree to the visit." in text_of(named)
    assert letters(grown_up, since) == [("guardian", "alex@example.org")]
    assert (once_more.status_code, Guardian.objects.get().name) == (303, "Alex Example")


def test_the_page_of_the_visit_asks_until_somebody_is_named(client: Client, grown_up: Booking) -> None:
    moved = move(grown_up, TEN)
    follow_link(client, moved)

    before = text_of(client.get("/visit/"))
    wrong = client.post("/visit/guardian/", {**TYPED, "email": ""})
    client.post("/visit/guardian/", TYPED)

    assert "A parent or guardian has to agree first" in before
    assert (wrong.status_code, "Enter the email address of the parent or guardian" in text_of(wrong)) == (422, True)
    assert "A parent or guardian has to agree first" not in text_of(client.get("/visit/"))
    # As online, the guardian gets the mail unless the family says otherwise.
    assert again(moved).reader[1] == "alex@example.org"


def test_who_needs_no_guardian_is_asked_for_none(client: Client, grown_up: Booking) -> None:
    follow_link(client, grown_up)

    answers = [client.get("/visit/guardian/").status_code, client.post("/visit/guardian/", TYPED).status_code]

    assert (answers, Guardian.objects.count()) == ([303, 303], 0)


def test_nobody_else_reads_of_guardians_when_they_move(client: Client, world: World) -> None:
    booking = book_with(world, TEN, name="Sam Kay")
    follow_link(client, booking)

    pages = [client.get("/visit/move/"), client.post("/visit/move/", {"start": (TEN + HOUR).isoformat()}, follow=True)]

    assert ["guardian" in text_of(page) for page in pages] == [False, False]


# Who gets the mail


@pytest.mark.parametrize(("mail_to", "reader"), [("guardian", "alex@example.org"), ("patient", "robin@example.org")])
def test_the_desk_chooses_who_gets_the_mail_of_a_visit(
    reception: Client, grown_up: Booking, mail_to: str, reader: str
) -> None:
    moved, since = move(grown_up, TEN), newest()

    reception.post(page_of(moved, "guardian"), {**TYPED, "mail_to": mail_to})

    assert again(moved).reader[1] == reader
    told = [("pending", reader)] if mail_to == "guardian" else []
    assert letters(moved, since) == [("guardian", "alex@example.org"), *told]


def test_whoever_gets_the_mail_has_an_address(reception: Client, grown_up: Booking) -> None:
    moved = move(grown_up, TEN)

    refused = reception.post(page_of(moved, "guardian"), {**TYPED, "email": "", "mail_to": "guardian"})

    assert refused.status_code == 422
    assert "Enter the email address of the parent or guardian" in words_of(refused)


def test_without_an_address_of_the_patient_the_mail_goes_to_the_guardian(reception: Client, grown_up: Booking) -> None:
    moved = move(grown_up, TEN)
    moved.patient.email = ""
    moved.patient.save()

    page = reception.get(page_of(moved, "guardian"))
    reception.post(page_of(moved, "guardian"), TYPED)

    assert "Who gets the emails" not in words_of(page)
    # Not what the browser knows of whoever types here.
    assert page.content.decode().count('autocomplete="off"') == len(TYPED)
    assert again(moved).reader[1] == "alex@example.org"


CHILD = {
    "name": "Robin Example",
    "phone": "212 555 0123",
    "email": "robin@example.org",
    "adult": "no",
    "date_of_birth": "2011-03-17",
    "q1": "no",
    "q2": "no",
    "act": "book",
    "guardian_name": "Alex Example",
    "guardian_relation": "mother",
    "guardian_phone": "212 555 0188",
    "guardian_email": "alex@example.org",
}


def take_child(desk: Client, **said: str) -> Any:
    """Hold a time for the caller, and send who comes."""
    slot = f"{TEN.isoformat()}|maya"
    where = {"service": "nose", "location": "main", "slot": slot}
    desk.post("/desk/book/", {**where, "caller": ""})
    held = Booking.objects.filter(visitor__startswith="desk-").latest("pk")
    return desk.post("/desk/book/patient/", {**where, "hold": held.reference, **CHILD, **said})


@pytest.mark.parametrize(
    ("said", "reader"),
    [
        ({"mail_to": "guardian"}, "alex@example.org"),
        ({"mail_to": "patient"}, "robin@example.org"),
        ({}, "robin@example.org"),
        # Who has no address gets no mail, whatever was chosen.
        ({"mail_to": "patient", "email": ""}, "alex@example.org"),
    ],
)
def test_who_books_a_child_chooses_who_gets_the_mail(
    reception: Client, world: World, said: dict[str, str], reader: str
) -> None:
    take_child(reception, **said)

    assert Booking.objects.booked().latest("pk").reader[1] == reader


def test_a_booking_by_phone_names_an_address_for_whoever_gets_the_mail(reception: Client, world: World) -> None:
    refused = take_child(reception, mail_to="guardian", guardian_email="")

    assert (refused.status_code, Booking.objects.booked().count()) == (422, 0)
    assert "Enter the email address of the parent or guardian" in words_of(refused)
    assert "Who gets the emails about this visit?" in words_of(refused)
