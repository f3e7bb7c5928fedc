"""Booking at the desk: find a time, hold it while talking, ask what comes first, write down who comes."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bookings import lifecycle
from bookings.models import (
    Booking,
    BookingState,
    Guardian,
    MailState,
    Outcome,
    OutgoingEmail,
    Patient,
    RunKind,
    ScreeningRun,
    Task,
    TaskKind,
)
from bookings.models.event import BENT
from clinic.models import Clinic, HistoryRule, Service
from tests.desk import MONDAY, TUESDAY, book_with, page_of, signed_in, words_of
from tests.factories import NOW, World, local, make_details, make_location, make_practitioner, make_service
from tests.online import make_world

pytestmark = pytest.mark.django_db

BOOK, WHO = "/desk/book/", "/desk/book/patient/"
TODAY = NOW.date()
TEN = local(MONDAY, 10)
SAFE = {"adult": "yes", "q1": "no", "q2": "no", "act": "book"}
NEW = {"name": "Robin Example", "phone": "212 555 0123", **SAFE}
SAM, KIM = "0123abcd", "89ef4567"
CHILD = {
    **NEW,
    "adult": "no",
    "date_of_birth": "2011-03-17",
    "guardian_name": "Mo Example",
    "guardian_relation": "mother",
    "guardian_phone": "212 555 0124",
}


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2)
    Service.objects.update(body_areas=["nose"])
    Clinic.objects.update(idle_minutes=600)
    return found


@pytest.fixture
def desk(world: World) -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


def slot(start: dt.datetime, who: str = "maya") -> str:
    return f"{start.isoformat()}|{who}"


def pick(desk: Client, start: dt.datetime = TEN, who: str = "maya", **more: str) -> Any:
    """Press a time."""
    return desk.post(BOOK, {"service": "nose", "location": "main", "slot": slot(start, who), **more})


def take(desk: Client, data: dict[str, str], **more: str) -> Any:
    """Send the form about who comes, as it stands for the time that is held."""
    held = Booking.objects.filter(visitor__startswith="desk-").latest("pk")
    hidden = {"hold": held.reference, "service": "nose", "location": "main", "slot": slot(held.starts_at)}
    return desk.post(WHO, {**hidden, **data, **more})


def booked() -> Booking:
    return Booking.objects.booked().latest("pk")


def slots(response: Any) -> list[str]:
    return re.findall(r'<button[^>]* name="(?:slot|instead)" value="([^"]+)"', response.content.decode())


def mails(booking: Booking) -> list[tuple[str, str]]:
    rows = OutgoingEmail.objects.filter(booking=booking).exclude(kind="staff_notice").order_by("pk")
    return [(row.kind, row.state) for row in rows]


# Finding a time


def test_a_phrase_finds_times_and_fills_in_its_plain_twin(desk: Client, world: World) -> None:
    html = desk.get(BOOK, {"q": "nose, monday after 14:00, maya, blorp"})
    said = words_of(html)

    assert "I do not know “blorp”" in said
    assert slots(html)[0] == slot(local(TODAY, 14))
    assert "2pm, Monday 23 November, Maya" in said
    for twin in (
        'value="2026-11-23"',
        'value="14:00"',
        '<option value="nose" selected',
        '<option value="maya" selected',
    ):
        assert twin in html.content.decode()


def test_the_plain_fields_find_the_same(desk: Client, world: World) -> None:
    by_phrase = desk.get(BOOK, {"q": "nose tuesday afternoon maya"})
    by_fields = desk.get(
        BOOK, {"service": "nose", "date": "2026-11-24", "after": "12:00", "before": "17:00", "practitioner": "maya"}
    )

    assert slots(by_phrase) == slots(by_fields)
    assert slots(by_phrase)[0] == slot(local(TODAY + dt.timedelta(days=1), 12))


def test_a_full_day_leads_to_the_next_free_one(desk: Client, world: World) -> None:
    response = desk.get(BOOK, {"q": "nose 28 november"})

    assert "There are no visits on Saturday 28 November. After that:" in words_of(response)
    assert slots(response)[0].startswith("2026-11-30T14:00")


def test_what_cannot_be_read_is_said_and_nothing_breaks(desk: Client, world: World) -> None:
    assert desk.get(BOOK, {"service": "nose", "date": "soon"}).status_code == 422
    assert desk.get(BOOK, {"service": "gone"}).status_code == 422
    assert desk.get(BOOK, {"service": "nose", "date": "9999-12-31"}).status_code == 422
    assert desk.get(BOOK, {"q": "\0 nose"}).status_code == 200
    assert desk.get(BOOK, {"start": "yesterday", "practitioner": "nobody"}).status_code == 422
    assert desk.get(BOOK, {"start": "9999-12-31T23:59:00+00:00", "practitioner": "maya"}).status_code == 200
    for sent in ({}, {"slot": "x"}, {"slot": "2026-11-30T10:00|maya"}, {"slot": slot(TEN, "gone")}, {"walk_in": "x"}):
        assert desk.post(BOOK, {"service": "nose", **sent}).status_code in {302, 422}
    assert Booking.objects.count() == 0


def test_a_gap_of_the_board_asks_for_the_service_only(desk: Client, world: World) -> None:
    make_service(slug="long", name="Long visit", short_name="Long", minutes=60, room_kind="TREAT")
    make_service(slug="laser", name="Laser", short_name="Laser", grades=["D"])
    world.book(local(MONDAY, 10, 30), practitioner=world.practitioner)

    response = desk.get(BOOK, {"start": TEN.isoformat(), "practitioner": "maya", "location": "main"})
    html, said = response.content.decode(), words_of(response)

    assert "Monday 30 November, 10am, Maya Ruiz" in said
    assert html.index('name="service" value="nose"') < html.index("Does not fit") < html.index('value="long"')
    assert 'name="service" value="laser"' not in html.partition("On the phone")[0]
    assert pick(desk).status_code == 302


def test_the_finder_asks_the_same_number_of_questions_of_a_full_clinic(desk: Client, world: World) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert desk.get(BOOK, {"q": "nose"}).status_code == 200
            desk.get(BOOK, {"start": TEN.isoformat(), "practitioner": "maya", "location": "main"})
        return len(asked)

    desk.get(BOOK)
    before = count()
    for number in range(3):
        make_service(slug=f"more-{number}", name=f"More {number}")
        make_practitioner(f"Person {number}")
        world.book(local(MONDAY, 11 + number))

    assert count() == before


# Holding it while talking


def test_a_pressed_time_is_kept_from_others_and_replaces_the_one_before(desk: Client, world: World) -> None:
    assert pick(desk, caller=SAM)["Location"] == f"{WHO}?caller={SAM}"
    first = Booking.objects.get()
    other = signed_in("manager")

    taken = pick(other)
    assert taken.status_code == 409
    assert "just been taken" in words_of(taken)
    assert slot(TEN) not in slots(taken)
    with pytest.raises(lifecycle.SlotTaken):
        world.hold(TEN, practitioner=world.practitioner)

    pick(desk, local(MONDAY, 11), caller=SAM)
    assert not Booking.objects.filter(pk=first.pk).exists()
    assert pick(other).status_code == 302
    assert "Holding Monday 30 November, 11am until 9:20am" in words_of(desk.get(WHO))


def test_a_time_outside_the_rules_asks_why_and_keeps_what_was_pressed(desk: Client, world: World) -> None:
    for start in (local(TODAY, 10), local(MONDAY, 20), local(MONDAY, 10, 5), local(dt.date(2027, 3, 1), 10)):
        asked = pick(desk, start)
        assert asked.status_code == 422
        assert slot(start) in asked.content.decode()
        assert Booking.objects.count() == 0

        assert pick(desk, start, own_reason="The practitioner agreed").status_code == 302
        held = Booking.objects.get()
        assert held.starts_at == start
        held.delete()


def test_another_time_is_typed_by_the_clock_on_the_wall(desk: Client, world: World) -> None:
    typed = {"service": "nose", "location": "main", "practitioner": "any", "date": "2026-12-10", "time": "18:40"}

    why = desk.post(BOOK, typed)
    assert "outside opening hours" in words_of(why)
    assert desk.post(BOOK, {**typed, "reason": "Walk-in"}).status_code == 302

    assert Booking.objects.get().starts_at == local(dt.date(2026, 12, 10), 18, 40)
    assert desk.post(BOOK, {**typed, "time": ""}).status_code == 422


def test_where_no_reason_helps_the_page_says_so(desk: Client, world: World) -> None:
    past = pick(desk, NOW - dt.timedelta(hours=1))
    assert past.status_code == 422
    assert "not on offer" in words_of(past)

    world.rooms[0].delete()
    world.rooms[1].delete()
    assert "Nobody can do it then" in words_of(pick(desk, local(MONDAY, 20), own_reason="Late"))


def test_here_now_holds_the_first_start_today_with_anyone(desk: Client, world: World, clock: Any) -> None:
    clock.move_to(local(TODAY, 9, 12), tick=False)
    assert "Nose extraction 9:15am" in words_of(desk.get(BOOK))
    world.book(local(TODAY, 11, 30), now=NOW - dt.timedelta(days=1))
    clock.move_to(local(TODAY, 9, 17), tick=False)
    assert "Nose extraction 9:20am" in words_of(desk.get(BOOK))

    assert desk.post(BOOK, {"walk_in": "nose", "location": "main"})["Location"].startswith(WHO)

    held = Booking.objects.get(state=BookingState.HELD)
    assert held.starts_at == local(TODAY, 9, 20)
    event = held.events.get(verb=BENT)
    assert (event.detail["rules"], event.detail["reason"]) == (["minimum notice", "grid"], "Walk-in")


def test_when_nobody_is_free_today_here_now_leads_to_the_next_times(desk: Client, world: World, clock: Any) -> None:
    clock.move_to(local(TODAY, 18), tick=False)
    assert "Nobody is free any more today" in words_of(desk.get(BOOK))

    make_location(slug="harbour", name="Harbour")
    for house, first in (("main", "2026-11-24T14:00"), ("harbour", "")):
        sent = {"walk_in": "nose", "location": house, "patient": "7", "caller": SAM}
        response = desk.post(BOOK, sent, follow=True)
        html = response.content.decode()
        assert "".join(slots(response)[:1]).startswith(first)
        assert f'<option value="{house}" selected' in html
        assert html.count('name="patient" value="7"') == html.count(f'name="caller" value="{SAM}"') == 4
    assert Booking.objects.count() == 0


# Who comes


def test_a_new_patient_needs_a_name_and_a_phone(desk: Client, world: World) -> None:
    pick(desk)

    response = take(desk, NEW)

    booking = booked()
    assert response["Location"] == page_of(booking)
    assert (booking.state, booking.starts_at, booking.practitioner) == ("confirmed", TEN, world.practitioner)
    patient = booking.patient
    assert patient
    assert (patient.name, patient.phone, patient.email, patient.date_of_birth) == (
        "Robin Example",
        "+12125550123",
        "",
        None,
    )
    run = booking.screenings.get()
    assert (run.kind, run.taken_by and run.taken_by.username, set(run.answers)) == (
        RunKind.DESK,
        "reception-1",
        {"Q1", "Q2"},
    )
    assert booking.is_screening_outstanding
    assert "Booked by Rae Desk" in words_of(desk.get(page_of(booking)))
    # Without an address somebody phones, and nothing else is written.
    assert mails(booking) == [("confirmed", MailState.NO_ADDRESS)]
    assert Task.objects.filter(booking=booking, kind=TaskKind.PHONE_PATIENT).count() == 1


def test_with_an_address_the_open_questions_are_mailed(desk: Client, world: World) -> None:
    pick(desk)
    take(desk, NEW, email="robin@example.org")

    booking = booked()
    assert mails(booking) == [("confirmed", MailState.QUEUED), ("answer", MailState.QUEUED)]
    letter = OutgoingEmail.objects.get(booking=booking, kind="answer")
    assert letter.subject == "A few questions before your visit on Monday 30 November, 10am"
    assert letter.not_after == booking.starts_at
    [link] = re.findall(r"http\S+/visit/\S+/", letter.text)
    visitor = Client()
    page = visitor.get("/visit/" + link.partition("/visit/")[2], follow=True)
    assert "We still need to know a few things" in words_of(page)

    form = visitor.get("/visit/recheck/").context["form"]
    answered = visitor.post("/visit/recheck/", {each.code.lower(): "no" for each in form.asked})

    assert answered.status_code == 303
    booking.refresh_from_db()
    assert not booking.is_screening_outstanding
    assert "We still need to know" not in words_of(visitor.get("/visit/"))


def test_a_warning_sign_at_home_calls_the_visit_off(desk: Client, world: World) -> None:
    pick(desk)
    take(desk, NEW, email="robin@example.org")
    booking = booked()
    visitor = Client()
    visitor.get(reverse("visit:open", args=[_token(booking)]))

    visitor.post("/visit/recheck/", {"q1": "yes"})

    booking.refresh_from_db()
    assert booking.state == BookingState.SUSPENDED


def _token(booking: Booking) -> str:
    text = OutgoingEmail.objects.get(booking=booking, kind="answer").text
    return re.findall(r"/visit/(\S+)/", text)[0]


def test_somebody_known_is_found_and_picked_with_one_press(desk: Client, world: World) -> None:
    earlier = world.book(local(TUESDAY, 10), name="Robin Example")
    pick(desk)

    for typed in ("robin", "example rob", "ROBIN@ex", "0123", "+1 212 555 0123", earlier.reference.lower()):
        found = words_of_part(desk.get("/desk/patients/find/", {"q": typed}))
        assert "Robin Example" in found, typed
        assert "phone ends 0123" in found
        assert f'name="pick" value="{earlier.patient_id}"' in desk.get(WHO, {"q": typed}).content.decode()
    for typed in ("r", "", "robin nobody", "012", "example.org", "%"):
        assert "Robin Example" not in words_of_part(desk.get("/desk/patients/find/", {"q": typed})), typed

    page = desk.get(WHO, {"patient": str(earlier.patient_id)})
    assert "Born 17 March 1990" in words_of(page)
    assert 'name="name"' not in page.content.decode()
    assert 'name="adult"' not in page.content.decode()
    take(desk, {"q1": "no", "q2": "no", "act": "book"}, patient=str(earlier.patient_id))

    assert booked().patient_id == earlier.patient_id
    assert Patient.objects.count() == 1


def words_of_part(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_two_people_with_one_address_and_phone_stay_two(desk: Client, world: World) -> None:
    world.book(local(TUESDAY, 10), name="Robin Example")
    pick(desk)

    take(desk, NEW, name="Kim Example", email="robin@example.org")

    assert booked().patient_id != Booking.objects.booked().earliest("pk").patient_id
    assert sorted(Patient.objects.values_list("name", flat=True)) == ["Kim Example", "Robin Example"]


def test_type_ahead_lists_eight_in_a_fixed_number_of_queries(desk: Client, world: World) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            desk.get("/desk/patients/find/", {"q": "sam"})
        return len(asked)

    Patient.objects.create(name="Sam 0", created_at=NOW)
    desk.get("/desk/patients/find/", {"q": "sam"})
    one = count()
    Patient.objects.bulk_create(Patient(name=f"Sam {n}", created_at=NOW) for n in range(1, 12))
    merged = Patient.objects.first()
    Patient.objects.create(name="Sam Gone", created_at=NOW, merged_into=merged)

    assert count() == one
    page = desk.get("/desk/patients/find/", {"q": "sam"}).content.decode()
    assert page.count('name="pick"') == 8
    assert "There are more" in page
    assert "Sam Gone" not in page


def test_a_name_that_nobody_has_starts_a_new_patient(desk: Client, world: World) -> None:
    pick(desk)

    page = desk.get(WHO, {"q": "robin example"})

    assert "Nobody is found for “robin example”" in words_of(page)
    assert 'value="Robin Example"' in page.content.decode()


def test_a_second_press_books_nothing_twice(desk: Client, world: World) -> None:
    pick(desk)
    first, second = take(desk, NEW), take(desk, NEW)

    assert first["Location"] == second["Location"] == page_of(booked())
    assert Booking.objects.count() == 1
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("name", "Enter the full name of the person who comes"),
        ("phone", "Enter a phone number"),
        ("adult", "Select whether they are 18 or over"),
        ("q1", "Select yes, no or not sure"),
        ("q2", "Select yes, no or not sure"),
    ],
)
def test_what_is_missing_is_asked_for_and_what_was_typed_is_kept(
    desk: Client, world: World, left_out: str, sentence: str
) -> None:
    pick(desk)

    response = take(desk, {name: value for name, value in NEW.items() if name != left_out})

    assert response.status_code == 422
    assert sentence in words_of(response)
    if left_out != "name":
        assert 'value="Robin Example"' in response.content.decode()
    assert not Booking.objects.booked().exists()
    assert not Patient.objects.exists()


def test_nothing_is_answered_beforehand(desk: Client, world: World) -> None:
    pick(desk)

    html = desk.get(WHO).content.decode()

    # Who gets the mail of a minor has a usual answer.
    assert re.findall(r'name="(\w+)"[^>]* checked', html) == ["mail_to"]
    assert html.count("autofocus") == 1
    assert desk.get(WHO, {"q": "robin example"}).content.decode().count("autofocus") == 1


# Age


def test_under_18_takes_a_date_of_birth_and_a_guardian(desk: Client, world: World) -> None:
    pick(desk)
    for left_out in ("date_of_birth", "guardian_name", "guardian_relation", "guardian_phone"):
        response = take(desk, {name: value for name, value in CHILD.items() if name != left_out})
        assert response.status_code == 422, left_out
        assert '<details class="guardian" open' in response.content.decode()

    take(desk, CHILD)

    booking = booked()
    assert booking.state == BookingState.PENDING
    guardian = Guardian.objects.get(booking=booking)
    assert (guardian.name, guardian.phone, guardian.email, guardian.agreed_at) == (
        "Mo Example",
        "+12125550124",
        "",
        None,
    )


def test_the_mail_goes_to_a_guardian_where_the_child_has_no_address(desk: Client, world: World) -> None:
    pick(desk)
    take(desk, CHILD, guardian_email="mo@example.org")

    assert booked().reader == ("Mo Example", "mo@example.org")


def test_a_date_of_birth_answers_the_first_question_and_contradicts_it(desk: Client, world: World) -> None:
    pick(desk)
    assert take(desk, NEW, date_of_birth="2011-03-17").status_code == 422
    assert take(desk, NEW, date_of_birth="2027-03-17").status_code == 422

    take(desk, {**NEW, "adult": ""}, date_of_birth="1990-03-17")

    patient = booked().patient
    assert patient
    assert patient.date_of_birth == dt.date(1990, 3, 17)


def test_a_service_refuses_whoever_is_too_young_or_too_old_for_it(desk: Client, world: World) -> None:
    Service.objects.update(minimum_age=16)
    pick(desk)
    young = take(desk, CHILD)
    assert young.status_code == 422
    assert "Nose extraction is for people aged 16 or over. They are 15 on the day of the visit." in words_of(young)

    Service.objects.update(minimum_age=None, maximum_age=17)
    assert "has an age limit" in words_of(take(desk, NEW))
    assert "up to the age of 17" in words_of(take(desk, NEW, date_of_birth="1990-03-17"))
    assert not Booking.objects.booked().exists()


# What the answers mean


def test_a_warning_sign_books_nothing_keeps_nothing_and_is_read_aloud(desk: Client, world: World) -> None:
    earlier, later = world.book(local(TUESDAY, 10)), world.book(local(TUESDAY, 12))
    other = world.book(local(TUESDAY, 14), name="Somebody Else")
    for answer in ("yes", "unsure"):
        pick(desk)
        response = take(desk, {"q1": answer, "act": "book"}, patient=str(earlier.patient_id))

        said = words_of(response)
        assert "Read this aloud" in said
        assert "Nothing is booked" in said
        assert "911" in said
        assert not Booking.objects.filter(state=BookingState.HELD).exists()
    assert not ScreeningRun.objects.exists()
    assert Booking.objects.count() == 3
    # Their other visits are off, whoever else's stands, and somebody phones at once.
    for visit in (earlier, later, other):
        visit.refresh_from_db()
    assert (earlier.state, later.state, other.state) == ("suspended", "suspended", "confirmed")
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).is_urgent


def test_a_warning_sign_while_they_are_here_stops_that_visit_too(desk: Client, world: World, clock: Any) -> None:
    _, here, later = world.book(local(MONDAY, 9)), world.book(TEN), world.book(local(TUESDAY, 12))
    clock.move_to(TEN, tick=False)
    lifecycle.arrive(here, by=someone_of("manager"), now=TEN)
    desk = signed_in("reception")
    pick(desk, local(TUESDAY, 15))

    said = words_of(take(desk, {"q1": "yes"}, patient=str(here.patient_id)))

    assert "Their other visits are off too" in said
    assert set(Booking.objects.values_list("state", flat=True)) == {"suspended"}
    assert Task.objects.get(kind=TaskKind.WARNING_SIGN).booking_id == here.pk
    assert later.events.filter(verb="suspended").exists()


@pytest.mark.parametrize(
    ("became", "pressed"),
    [
        ("held", {"act": "longer"}),
        ("held", {"act": "release"}),
        ("held", {"instead": slot(local(MONDAY, 12))}),
        ("free", {"act": "book"}),
        ("taken", {"act": "book"}),
        ("taken", {"instead": slot(local(MONDAY, 12))}),
        ("booked", {"act": "book"}),
    ],
)
def test_a_warning_sign_counts_whatever_became_of_the_time(
    desk: Client, world: World, became: str, pressed: dict[str, str]
) -> None:
    """Whichever button is pressed, the words to read aloud come, and nothing is held or booked anew."""
    pick(desk)
    held = Booking.objects.get()
    form = {"hold": held.reference, "service": "nose", "location": "main", "slot": slot(TEN), **NEW}
    if became in {"free", "taken"}:
        held.delete()
    if became == "taken":
        world.book(TEN, practitioner=world.practitioner, name="Somebody Faster")
    if became == "booked":
        desk.post(WHO, form)

    response = desk.post(WHO, {**form, "act": "", **pressed, "q1": "yes", "phone": ""})

    assert response.status_code == 200
    assert "Read this aloud" in words_of(response)
    assert not Booking.objects.filter(state=BookingState.HELD).exists()
    assert not Booking.objects.filter(patient__name="Robin Example").exclude(state=BookingState.SUSPENDED).exists()


def test_an_earlier_visit_closes_a_time_and_offers_the_first_safe_ones(desk: Client, world: World, clock: Any) -> None:
    clock.move_to(NOW - dt.timedelta(days=3), tick=False)
    treated = book_with(world, local(TODAY - dt.timedelta(days=3), 15), now=NOW - dt.timedelta(days=4))
    clock.move_to(NOW, tick=False)
    lifecycle.complete(treated, outcome=Outcome.TREATED, areas=["nose"], by=someone_of("manager"), now=NOW)
    pick(desk)
    known = str(treated.patient_id)

    early = desk.get(WHO, {"patient": known})
    assert "Choose a time from" in words_of(early)
    assert 'name="override"' in early.content.decode()
    response = take(desk, {"q1": "no", "q2": "no", "act": "book"}, patient=known)
    assert response.status_code == 422
    offered = slots(response)
    assert offered
    assert all(dt.datetime.fromisoformat(each.partition("|")[0]).date() >= dt.date(2026, 12, 18) for each in offered)
    assert Booking.objects.filter(state=BookingState.HELD, starts_at=TEN).exists()

    # One press takes the first of them, and what was answered stays.
    again = take(desk, {"q1": "no", "q2": "no", "instead": offered[0]}, patient=known)
    assert again.status_code == 200
    assert again.content.decode().count("checked") == 2
    assert not Booking.objects.filter(starts_at=TEN).exists()
    take(desk, {"q1": "no", "q2": "no", "act": "book"}, patient=known)
    assert booked().starts_at.isoformat() == offered[0].partition("|")[0]


def test_an_interval_bends_with_a_reason_at_the_desk(desk: Client, world: World, clock: Any) -> None:
    treated = book_with(world, local(TODAY, 15), now=NOW - dt.timedelta(days=1))
    clock.move_to(local(TODAY, 16), tick=False)
    lifecycle.complete(treated, areas=["nose"], by=someone_of("reception"), now=local(TODAY, 16))
    pick(desk)
    said = {"q1": "no", "q2": "no", "act": "book"}
    take(desk, said, patient=str(treated.patient_id))

    take(desk, {**said, "override": "Other nostril"}, patient=str(treated.patient_id))

    event = booked().events.get(verb=BENT)
    assert event.detail["reason"] == "Other nostril"
    assert booked().state == BookingState.CONFIRMED


def someone_of(role: str) -> User:
    signed_in(role)
    return User.objects.get(username=f"{role}-1")


def test_a_sore_lump_books_no_extraction_and_offers_a_skin_check(desk: Client, world: World) -> None:
    make_service(slug="consult", name="Skin check", short_name="Skin check", groups=[], grades=["N"])
    pick(desk)

    response = take(desk, {**NEW, "q2": "unsure"})
    assert response.status_code == 422
    assert "Skin check, 30 minutes, is open to them" in words_of(response)
    assert "override" not in response.content.decode()
    assert not ScreeningRun.objects.exists()

    offered = slots(response)
    assert offered[0] == f"{slot(TEN)}|consult"
    page = take(desk, {**NEW, "q2": "unsure", "instead": offered[0]})
    assert "Skin check" in words_of(page)
    take(desk, NEW, service="consult")
    assert booked().service.slug == "consult"


def test_what_a_clinician_must_see_first_waits_or_takes_a_clinicians_reason(world: World) -> None:
    """A skin check that nobody remembers: reception asks for it, a clinician may say yes at once."""
    HistoryRule.objects.filter(kind="needs").update(applies_to=["nose"])
    for role, state in (("reception", BookingState.PENDING), ("clinician", BookingState.CONFIRMED)):
        desk = signed_in(role)
        pick(desk, TEN if role == "reception" else local(TODAY, 10), own_reason="Walk-in")
        response = take(desk, NEW, email="robin@example.org", name=f"Robin {role}")
        if role == "clinician":
            assert "A clinician looks at your answers first" in words_of(response)
            take(desk, NEW, name=f"Robin {role}", override="I know them")
        assert booked().state == state
    assert booked().approved_at == NOW
    late = Booking.objects.in_review().get()
    assert mails(late)[0] == ("pending", MailState.QUEUED)


# The hold runs out, is kept longer, is given back


def test_it_is_kept_longer_with_what_was_typed(desk: Client, world: World, clock: Any) -> None:
    pick(desk)
    clock.move_to(NOW + dt.timedelta(minutes=15), tick=False)

    response = take(desk, {**NEW, "act": "longer", "phone": "12"})

    assert response.status_code == 200
    assert 'value="Robin Example"' in response.content.decode()
    assert "until 9:35am" in words_of(response)
    clock.move_to(NOW + dt.timedelta(minutes=61), tick=False)
    assert "cannot hold this time any longer" in words_of_part(take(desk, {**NEW, "act": "longer"}))


def test_given_back_it_is_free_at_once(desk: Client, world: World) -> None:
    pick(desk)

    assert take(desk, {"act": "release"})["Location"] == BOOK

    assert not Booking.objects.exists()
    assert desk.get(WHO)["Location"] == BOOK


def test_a_hold_that_ran_out_is_still_booked_while_nobody_took_it(desk: Client, world: World, clock: Any) -> None:
    pick(desk)
    clock.move_to(NOW + dt.timedelta(minutes=30), tick=False)
    assert "The hold ran out" in words_of(desk.get(WHO))

    take(desk, NEW)

    assert booked().starts_at == TEN


def test_a_hold_that_was_swept_is_taken_again_and_one_that_is_lost_says_so(
    desk: Client, world: World, clock: Any
) -> None:
    pick(desk, local(MONDAY, 19), own_reason="Late shift")
    form = {"service": "nose", "location": "main", "slot": slot(local(MONDAY, 19)), "why": "Late shift", **NEW}
    Booking.objects.all().delete()

    again = desk.post(WHO, {**form, "hold": "GONE22"})
    assert again.status_code == 200
    assert 'value="Robin Example"' in again.content.decode()
    held = Booking.objects.get()
    assert held.starts_at == local(MONDAY, 19)

    held.delete()
    world.hold(local(MONDAY, 19), practitioner=world.practitioner, by=someone_of("manager"), override="x")
    lost = desk.post(WHO, {**form, "hold": "GONE22"})
    assert lost.status_code == 409
    assert "just been taken" in words_of(lost)
    assert "is not held any more" in words_of(lost)


def test_a_lost_time_keeps_what_was_typed_and_offers_the_closest(desk: Client, world: World, clock: Any) -> None:
    pick(desk, caller=SAM)
    held = Booking.objects.get()
    form = {"hold": held.reference, "caller": SAM, "service": "nose", "location": "main", "slot": slot(TEN), **NEW}
    clock.move_to(NOW + dt.timedelta(minutes=30), tick=False)
    world.book(TEN, practitioner=world.practitioner, now=NOW + dt.timedelta(minutes=20), name="Somebody Faster")
    assert not Booking.objects.filter(pk=held.pk).exists()

    lost = desk.post(WHO, form)

    html = lost.content.decode()
    assert lost.status_code == 409
    for typed in ('value="Robin Example"', 'value="212 555 0123"', f'name="caller" value="{SAM}"'):
        assert typed in html
    assert re.findall(r'name="(\w+)"[^>]* checked', html) == ["adult", "q1", "q2", "mail_to"]
    offered = slots(lost)
    assert len(offered) == 3
    assert slot(TEN) not in offered

    # One press holds the next, and the form goes on.
    again = desk.post(WHO, {**form, "act": "", "instead": offered[0]})
    assert again.status_code == 200
    assert 'value="Robin Example"' in again.content.decode()
    take(desk, NEW)
    assert booked().starts_at.isoformat() == offered[0].partition("|")[0]


def test_a_lost_time_offers_only_what_is_safe_for_somebody_known(desk: Client, world: World) -> None:
    kim = Patient.objects.create(
        name="Kim Tea", phone="+12125550199", created_at=NOW, date_of_birth=dt.date(2009, 5, 1)
    )
    world.hold(TEN, practitioner=world.practitioner)
    form = {"hold": "GONE22", "service": "nose", "location": "main", "slot": slot(TEN), "patient": str(kim.pk)}
    said = {"guardian_name": "Mo Tea", "guardian_relation": "mother", "guardian_phone": "212 555 0124"}

    lost = desk.post(WHO, {**form, **said, "q1": "no", "q2": "no", "act": "book"})

    assert lost.status_code == 409
    assert "Kim Tea" in words_of(lost)
    assert 'value="Mo Tea"' in lost.content.decode()
    assert slots(lost)


# Several callers at once


def test_two_callers_are_held_beside_each_other(desk: Client, world: World) -> None:
    pick(desk, TEN, caller=SAM)
    pick(desk, local(MONDAY, 11), caller=KIM)

    sam, kim = (desk.get(WHO, {"caller": caller}) for caller in (SAM, KIM))
    assert "Holding Monday 30 November, 10am" in words_of(sam)
    assert "Holding Monday 30 November, 11am" in words_of(kim)
    # Another time for one of them leaves the other's.
    pick(desk, local(MONDAY, 13), caller=SAM)
    hours = sorted(Booking.objects.values_list("starts_at", flat=True))
    assert hours == [local(MONDAY, 11), local(MONDAY, 13)]

    first, second = (Booking.objects.get(starts_at=hour) for hour in reversed(hours))
    for held, name in ((first, "Sam Example"), (second, "Kim Example")):
        desk.post(WHO, {"hold": held.reference, "slot": slot(held.starts_at), "service": "nose", **NEW, "name": name})
    assert {each.patient and each.patient.name: each.starts_at for each in Booking.objects.booked()} == {
        "Sam Example": local(MONDAY, 13), "Kim Example": local(MONDAY, 11),
    }  # fmt: skip


def test_every_page_about_a_caller_goes_on_with_the_same_one(desk: Client, world: World) -> None:
    named = f'name="caller" value="{SAM}"'
    finder = desk.get(BOOK, {"q": "nose", "caller": SAM}).content.decode()
    gap = desk.get(BOOK, {"start": TEN.isoformat(), "practitioner": "maya", "caller": SAM}).content.decode()
    assert (finder.count(named), gap.count(named)) == (5, 5)
    assert named in pick(desk, local(MONDAY, 20), caller=SAM).content.decode()

    pick(desk, caller=SAM)
    page = desk.get(WHO, {"caller": SAM, "q": "robin example"}).content.decode()
    assert page.count(named) == 2
    for press in ('name="act" value="another"', 'name="new" value="robin example"'):
        assert f'form="person-form" {press} formnovalidate' in page
    assert "Another time takes its place." in words_of(desk.get(BOOK, {"caller": SAM}))
    assert "Another time takes its place." not in words_of(desk.get(BOOK))


def test_a_second_press_on_a_time_holds_it_once(desk: Client, world: World) -> None:
    for _ in range(2):
        assert pick(desk, who="any", caller=SAM).status_code == 302

    assert Booking.objects.count() == 1


def test_nobody_holds_more_than_three_and_each_is_given_back_alone(desk: Client, world: World) -> None:
    for hour in (10, 11, 12):
        pick(desk, local(MONDAY, hour))
    refused = pick(desk, local(MONDAY, 13))

    assert refused.status_code == 409
    assert "You already hold three times." in words_of(refused)
    assert words_of(refused).count("Give it back") == 3
    eleven = Booking.objects.get(starts_at=local(MONDAY, 11))
    desk.post(WHO, {"hold": eleven.reference, "act": "release"})
    assert pick(desk, local(MONDAY, 13)).status_code == 302
    assert Booking.objects.count() == 3


# Advice, paper, rights


def test_the_room_waits_until_somebody_wrote_down_that_the_advice_was_read(
    desk: Client, world: World, clock: Any
) -> None:
    pick(desk)
    take(desk, NEW)
    booking = booked()
    Booking.objects.update(is_screening_outstanding=False)
    clock.move_to(TEN, tick=False)
    desk = signed_in("reception")
    desk.post(page_of(booking, "arrive"))

    refused = desk.post(page_of(booking, "enter_room"))
    assert refused.status_code == 409
    assert "Advice read here" in words_of(refused)
    assert desk.post(page_of(booking, "guidance_read"), {"way": "online"}).status_code == 400
    for _ in range(2):
        assert desk.post(page_of(booking, "guidance_read"), {"way": "phone"}).status_code == 302

    by_kind = {each.kind: each for each in booking.consents.all()}
    read = by_kind["guidance_read"]
    assert set(by_kind) == {"guidance_read", "privacy"}
    assert (read.way, read.recorded_by and read.recorded_by.username, read.given_at) == ("phone", "reception-1", TEN)
    assert re.fullmatch(r"(\S+ v\d+(, )?)+", read.version)
    assert booking.shown_items.filter(moment="booking").exists()
    assert booking.events.filter(verb="advice read").count() == 1
    desk.post(page_of(booking, "enter_room"))
    booking.refresh_from_db()
    assert booking.state == BookingState.IN_ROOM


def test_what_was_ticked_online_stays_as_it_was(desk: Client, world: World) -> None:
    booking = world.book(TEN)
    consents = booking.consents.order_by("pk").values_list("pk", "way", "given_at")
    before = list(consents)

    desk.post(page_of(booking, "guidance_read"), {"way": "paper"})

    assert list(consents.all()) == before
    assert not booking.events.filter(verb="advice read").exists()


def test_the_sheet_says_time_place_advice_and_numbers_and_no_answer(desk: Client, world: World) -> None:
    booking = world.book(TEN)

    response = desk.get(page_of(booking, "sheet"))
    html, said = response.content.decode(), words_of(response)

    assert response.status_code == 200
    for words in ("Monday 30 November, 10am", "12 Example Street", "Maya Ruiz", "212 555 0100", "911", "212 555 0111"):
        assert words in said
    for heading in ("Before your visit", "After your visit", "When to get medical help"):
        assert heading in said
    items = re.findall(r'data-item="([^"]+)"', html)
    assert len(items) == len(set(items)) > 20
    assert "FLAG-1" in items
    assert "1990" not in said
    for control in ("<button", "<form", "<script", "site-header"):
        assert control not in html


@pytest.mark.parametrize("role", ["practitioner"])
def test_a_practitioner_books_nobody(world: World, role: str) -> None:
    client = signed_in(role)

    assert client.get(BOOK).status_code == 403
    assert client.post(BOOK, {"walk_in": "nose"}).status_code == 403
    assert client.get(WHO).status_code == 403
    assert client.post(WHO, NEW).status_code == 403


def test_a_practitioner_finds_their_own_patients_only(world: World) -> None:
    world.book(TEN, practitioner=world.practitioners[1], name="Robin Other")
    world.book(TEN, practitioner=world.practitioners[0], name="Robin Own")

    found = words_of_part(signed_in("practitioner").get("/desk/patients/find/", {"q": "robin"}))

    assert "Robin Own" in found
    assert "Robin Other" not in found


def test_nothing_to_book_is_no_error(world: World) -> None:
    desk = signed_in("reception")
    Service.objects.update(retired_on=TODAY)

    assert "no service to book yet" in words_of(desk.get(BOOK))


def test_a_house_of_several_asks_which(desk: Client, world: World) -> None:
    make_location(slug="harbour", name="Harbour")

    page = desk.get(BOOK, {"q": "nose at harbour"})

    assert '<option value="harbour" selected' in page.content.decode()
    assert "Nothing fits in the next 4 weeks" in words_of(page)


def test_history_tells_which_rule_of_time_was_bent_to_all_who_see_it(desk: Client, world: World) -> None:
    pick(desk, local(MONDAY, 20), own_reason="Came from far")
    take(desk, NEW)

    said = words_of(desk.get(page_of(booked())))

    assert "Rule bent by Rae Desk" in said
    assert "opening hours" in said
    assert "Came from far" in said


def test_details_of_a_known_patient_are_never_overwritten(desk: Client, world: World) -> None:
    known = Patient.objects.create(name="Kim Tea", phone="+12125550199", created_at=NOW)
    pick(desk)

    take(desk, {**SAFE, "name": "Somebody Else", "date_of_birth": "1990-03-17"}, patient=str(known.pk))

    known.refresh_from_db()
    assert booked().patient_id == known.pk
    assert (known.name, known.date_of_birth) == ("Kim Tea", dt.date(1990, 3, 17))
    assert make_details().name != known.name


def test_for_somebody_known_only_safe_times_are_found_and_the_first_safe_day_is_said(
    desk: Client, world: World
) -> None:
    earlier = book_with(world, local(TODAY, 12), name="Sam Kay")
    Booking.objects.filter(pk=earlier.pk).update(
        state=BookingState.COMPLETED, outcome=Outcome.TREATED, treated_areas=["nose"], closed_at=NOW
    )

    page = desk.get(BOOK, {"patient": str(earlier.patient_id), "service": "nose"})

    said = words_of(page)
    assert "Book a visit for Sam Kay" in said
    assert "First safe day: Monday 21 December 2026." in said
    assert slots(page)[0] == slot(local(dt.date(2026, 12, 21), 9))
    assert slots(desk.get(BOOK, {"service": "nose"}))[0] == slot(local(TODAY, 9, 15))


def test_a_new_person_who_is_perhaps_known_is_asked_about_before_anything_is_booked(desk: Client, world: World) -> None:
    known = book_with(world, local(TUESDAY, 10), name="Robin Example", phone="+12125550123").patient
    assert known
    pick(desk, TEN)

    asked = take(desk, NEW)

    assert asked.status_code == 422
    assert "Somebody of this name has been here before." in words_of(asked)
    assert f'name="pick" value="{known.pk}"' in asked.content.decode()
    assert 'value="212 555 0123"' in asked.content.decode()
    assert Booking.objects.booked().count() == 1

    chosen = take(desk, NEW, pick=str(known.pk))
    assert chosen.context["known"] == known
    assert re.search(r'name="q1" value="no"[^>]* checked', chosen.content.decode())
    take(desk, {**SAFE, "patient": str(known.pk)})
    assert booked().patient == known


def test_somebody_else_of_the_same_name_is_booked_as_new(desk: Client, world: World) -> None:
    known = book_with(world, local(TUESDAY, 10), name="Robin Example", phone="+12125550123").patient
    pick(desk, TEN)

    take(desk, NEW, somebody_else="1")

    assert booked().patient != known
