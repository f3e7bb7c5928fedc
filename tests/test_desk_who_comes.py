"""Who comes, at the desk: nothing that was typed is lost, nobody is taken for somebody else, and a look is a look."""

import re
from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking, OutgoingEmail, Patient, ScreeningRun
from clinic.models import AuditEvent, Clinic, Service
from tests.desk import MONDAY, signed_in, words_of
from tests.factories import NOW, World, local
from tests.online import make_world

pytestmark = pytest.mark.django_db

BOOK, WHO = "/desk/book/", "/desk/book/patient/"
TEN = local(MONDAY, 10)
NEW = {"name": "Robin Example", "phone": "212 555 0123", "adult": "yes", "q1": "no", "q2": "no"}
SAM, KIM = "0123abcd", "89ef4567"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2)
    Service.objects.update(body_areas=["nose"])
    Clinic.objects.update(idle_minutes=600)
    return found


@pytest.fixture
def desk(world: World) -> Client:
    return signed_in("reception")


def pick(desk: Client, hour: int = 10, caller: str = SAM, **more: str) -> Booking:
    """Press a time; the hold."""
    pressed = {"service": "nose", "location": "main", "slot": f"{local(MONDAY, hour).isoformat()}|maya", **more}
    assert desk.post(BOOK, {**pressed, "caller": caller}).status_code == 302
    return Booking.objects.get(state="held", visitor__endswith=caller)


def send(desk: Client, held: Booking, **data: str) -> Any:
    """Press a button of the form about who comes."""
    slot = f"{held.starts_at.isoformat()}|maya"
    hidden = {"hold": held.reference, "caller": held.visitor[-8:], "service": "nose", "location": "main", "slot": slot}
    return desk.post(WHO, {**hidden, **data})


def known(**said: Any) -> Patient:
    return Patient.objects.create(**{"name": "Kim Tea", "phone": "+12125550199", "created_at": NOW, **said})


def typed(response: Any) -> dict[str, str]:
    """What stands in the form: its filled text boxes, and the radio buttons that are pressed; but for a preset one."""
    html = response.content.decode().partition('id="person-form"')[2]
    inputs = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) | {"tag": tag} for tag in re.findall(r"<input[^>]*>", html)]
    shown = [each for each in inputs if each.get("type") != "hidden" and each.get("value")]
    pressed = [each for each in shown if each.get("type") != "radio" or " checked" in each["tag"]]
    return {each["name"]: each["value"] for each in pressed if each["name"] != "mail_to"}


def reads() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(act="read", kind="patient").values_list("key", "detail__page"))


# Nothing typed is lost


def test_another_time_keeps_what_was_typed(desk: Client, world: World) -> None:
    held = pick(desk)
    young = {"date_of_birth_day": "17", "date_of_birth_month": "3", "guardian_name": "Mo Example"}
    young["last_extraction"] = "no"

    finder = send(desk, held, **NEW, **young, act="another")

    assert finder["Location"] == f"{BOOK}?service=nose&location=main&caller={SAM}"
    page = desk.get(f"{WHO}?caller={pick(desk, 11).visitor[-8:]}")
    assert "Holding Monday 30 November, 11am" in words_of(page)
    assert typed(page) == {**NEW, **young}
    # It is kept until the visit is booked, and for this caller only.
    assert typed(desk.get(WHO, {"caller": SAM})) == {**NEW, **young}
    pick(desk, 13, caller=KIM)
    assert typed(desk.get(WHO, {"caller": KIM})) == {}


def test_another_time_keeps_who_was_picked(desk: Client, world: World) -> None:
    kim = known()

    finder = send(desk, pick(desk), patient=str(kim.pk), adult="yes", q1="no", q2="no", act="another")

    assert finder["Location"].endswith(f"&caller={SAM}&patient={kim.pk}")
    pick(desk, 11)
    page = desk.get(WHO, {"caller": SAM, "patient": str(kim.pk)})
    assert typed(page) == {"adult": "yes", "q1": "no", "q2": "no"}


def test_a_time_that_is_lost_is_replaced_with_what_was_typed(desk: Client, world: World) -> None:
    held = pick(desk)
    Booking.objects.all().delete()
    world.hold(TEN, practitioner=world.practitioner)

    assert "Another time" in words_of(send(desk, held, **NEW, act="book"))
    send(desk, held, **NEW, act="another")
    pick(desk, 11)

    assert typed(desk.get(WHO, {"caller": SAM})) == NEW


def test_the_session_holds_no_answer_of_what_is_kept(desk: Client, world: World) -> None:
    send(desk, pick(desk), **NEW, last_extraction="unsure", act="another")
    session = str(dict(desk.session))
    assert "Robin Example" in session
    assert [name for name in ("q1", "q2", "extraction", "unsure") if name in session] == []
    kept = ScreeningRun.objects.get()
    assert (set(kept.answers), kept.booking, kept.expires_at is not None) == ({"Q1", "Q2"}, None, True)

    send(desk, pick(desk, 11), **NEW, act="another")

    assert ScreeningRun.objects.get() != kept


@pytest.mark.parametrize(
    ("pressed", "rounds"), [({"act": "book"}, 1), ({"act": "release"}, 0), ({"act": "book", "q1": "yes"}, 0)]
)
def test_nothing_is_kept_once_it_is_booked_given_back_or_stopped(
    desk: Client, world: World, pressed: dict[str, str], rounds: int
) -> None:
    send(desk, pick(desk), **NEW, act="another")

    send(desk, pick(desk, 11), **{**NEW, **pressed})

    assert "Robin Example" not in str(dict(desk.session))
    assert ScreeningRun.objects.count() == rounds
    assert not ScreeningRun.objects.filter(booking=None).exists()


def test_a_warning_sign_counts_before_another_time(desk: Client, world: World) -> None:
    said = words_of(send(desk, pick(desk), **{**NEW, "q1": "yes"}, act="another"))

    assert "Read this aloud" in said
    assert not ScreeningRun.objects.exists()


def test_no_more_is_kept_than_one_person_can_hold(desk: Client, world: World) -> None:
    for number in range(5):
        held = pick(desk, caller=f"0000000{number}")
        send(desk, held, **{**NEW, "name": f"Robin {number}"}, act="another")
        held.delete()

    kept = str(dict(desk.session))
    assert [number for number in range(5) if f"Robin {number}" in kept] == [2, 3, 4]
    assert ScreeningRun.objects.count() == 3


def test_whoever_is_found_is_picked_with_what_was_answered(desk: Client, world: World) -> None:
    kim, held = known(), pick(desk)
    part = desk.get("/desk/patients/find/", {"q": "kim"}).content.decode()
    assert re.search(rf'<button[^>]* form="person-form" name="pick" value="{kim.pk}" formnovalidate', part)

    page = send(desk, held, **{**NEW, "name": ""}, pick=str(kim.pk))

    assert page.context["known"] == kim
    assert typed(page) == {"adult": "yes", "q1": "no", "q2": "no"}
    # The next key answers the first question.
    assert len(re.findall(r'name="adult"[^>]* autofocus', page.content.decode())) == 1


def test_somebody_else_keeps_what_was_answered_and_asks_who(desk: Client, world: World) -> None:
    kim, held = known(), pick(desk)
    page = send(desk, held, q1="no", q2="no", adult="yes", pick=str(kim.pk))
    assert re.search(r'<button[^>]* form="person-form" name="pick" value="" formnovalidate', page.content.decode())

    other = send(desk, held, q1="no", q2="no", adult="yes", patient=str(kim.pk), pick="")

    assert other.context["known"] is None
    assert typed(other) == {"adult": "yes", "q1": "no", "q2": "no"}
    assert re.search(r'id="id_q"[^>]* autofocus', other.content.decode())


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_pick_that_was_a_slip_takes_nothing_of_what_was_typed(desk: Client, world: World, is_moved: bool) -> None:
    kim, held = known(date_of_birth="1990-03-17"), pick(desk)
    said = {**NEW, "email": "robin@example.org", "date_of_birth_day": "17", "guardian_name": "Mo Example"}
    said["last_extraction"] = "no"
    answered = {"patient": str(kim.pk), "q1": "no", "q2": "unsure"}

    send(desk, held, **said, pick=str(kim.pk))
    if is_moved:
        send(desk, held, **answered, act="another")
        held = pick(desk, 11)
    other = send(desk, held, **answered, pick="")

    assert other.context["known"] is None
    assert typed(other) == {**said, "q2": "unsure"}


def test_new_patient_takes_the_name_that_was_looked_for_and_keeps_the_rest(desk: Client, world: World) -> None:
    held = pick(desk)

    page = send(desk, held, adult="yes", q1="no", q2="no", new="robin example")
    assert typed(page) == {"name": "Robin Example", "adult": "yes", "q1": "no", "q2": "no"}
    assert len(re.findall(r'name="adult"[^>]* autofocus', page.content.decode())) == 1
    # A name that stands in the form is more than what was looked for.
    assert typed(send(desk, held, name="Robin E", new="robin example")) == {"name": "Robin E"}


def test_early_visits_stand_in_the_way_with_room_for_a_reason_when_somebody_is_picked(
    desk: Client, world: World
) -> None:
    treated = world.book(local(MONDAY, 9), name="Kim Tea")
    Booking.objects.update(state="completed", outcome="treated", treated_areas=["nose"], closed_at=NOW)

    page = send(desk, pick(desk), **NEW, pick=str(treated.patient_id))

    assert "Choose a time from" in words_of(page)
    assert 'name="override"' in page.content.decode()


# No name is made of something else


@pytest.mark.parametrize(
    ("looked_for", "name"),
    [
        ("sam@example.org", ""),
        ("Sam@Example.org", ""),
        ("k7m2qd", ""),
        ("K7M 2QD", ""),
        ("kxmrqd", ""),
        ("KXMRQD", ""),
        ("0123", ""),
        ("robin example", "Robin Example"),
        ("Robin de Vries", "Robin de Vries"),
        ("robin", "Robin"),
    ],
)
def test_only_a_name_becomes_the_name_of_a_new_patient(desk: Client, world: World, looked_for: str, name: str) -> None:
    held = pick(desk)

    assert typed(desk.get(WHO, {"q": looked_for})).get("name", "") == name
    assert typed(send(desk, held, new=looked_for)).get("name", "") == name


# Two people are two


def test_somebody_else_with_all_the_same_details_is_booked_as_new(desk: Client, world: World) -> None:
    """Father and son, one phone, no address: the look-alike was seen and said not to be them."""
    father = known(name="Robin Example", phone="+12125550123")
    held = pick(desk)
    assert "Somebody of this name has been here before." in words_of(send(desk, held, **NEW, act="book"))

    send(desk, held, **NEW, somebody_else="1")

    son = Booking.objects.booked().get().patient
    assert son
    assert son != father
    assert (son.name, son.phone) == (father.name, father.phone)


def test_patients_cannot_say_that_they_are_somebody_else(world: World) -> None:
    first, second = (world.book(local(MONDAY, hour), is_somebody_else=True) for hour in (10, 12))

    assert first.patient == second.patient


# A look is a look


def test_whoever_is_shown_a_record_by_a_press_has_read_it(desk: Client, world: World) -> None:
    kim, held = known(), pick(desk)

    send(desk, held, **NEW, pick=str(kim.pk))

    assert reads() == [(str(kim.pk), "book_patient")]
    send(desk, held, patient=str(kim.pk), act="release")
    assert reads() == [(str(kim.pk), "book_patient")]


def test_a_record_that_a_refused_time_shows_is_read_too(desk: Client, world: World) -> None:
    kim = known()

    page = desk.post(BOOK, {"service": "nose", "slot": "x", "patient": str(kim.pk)})

    assert "Kim Tea" in words_of(page)
    assert reads() == [(str(kim.pk), "book")]


# An address that looks like a slip


def test_a_likely_slip_in_an_address_is_asked_about_and_stops_nothing(desk: Client, world: World) -> None:
    assert "Did you mean robin@gmail.com?" in _hint(desk, email="robin@gmial.com")
    for fine in ("robin@gmail.com", "robin@example.org", "robin", ""):
        assert "Did you mean" not in _hint(desk, email=fine)
    held = pick(desk)
    assert "Did you mean robin@gmail.com?" in words_of(send(desk, held, email="robin@gmial.com", act="book"))

    booked = send(desk, held, **NEW, email="robin@gmial.com", act="book")

    assert booked.status_code == 302
    said = desk.get(booked["Location"]).content.decode()
    assert "The address is robin@gmial.com. Did you mean robin@gmail.com? If so, correct it now." in said
    assert OutgoingEmail.objects.filter(kind="confirmed", recipient__contains="robin@gmial.com").exists()


def test_of_an_address_that_is_fine_nothing_is_said(desk: Client, world: World) -> None:
    booked = send(desk, pick(desk), **NEW, email="robin@example.org", act="book")

    assert "Did you mean" not in desk.get(booked["Location"]).content.decode()


def test_the_address_of_a_guardian_is_looked_at_too(desk: Client, world: World) -> None:
    child = {**NEW, "adult": "no", "date_of_birth": "2011-03-17", "guardian_name": "Mo Example"}
    guardian = {"guardian_relation": "mother", "guardian_phone": "212 555 0124", "guardian_email": "mo@gmial.com"}

    booked = send(desk, pick(desk), **child, **guardian, act="book")

    assert "Did you mean mo@gmail.com?" in desk.get(booked["Location"]).content.decode()


def _hint(desk: Client, **typed: str) -> str:
    return re.sub(r"<[^>]+>", "", desk.get("/desk/book/address/", typed).content.decode())
