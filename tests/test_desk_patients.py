"""Patients at the desk: find one, read their page, put their details right, merge two records."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings import lifecycle
from bookings.models import Booking, OutgoingEmail, Patient, PatientMerge, TaskKind
from clinic.models import AuditEvent, Practitioner
from tests.desk import MONDAY, TUESDAY, page_of, signed_in, someone, words_of
from tests.factories import NOW, PATIENT, World, local, make_staff
from tests.online import parsed

pytestmark = pytest.mark.django_db

SAM: dict[str, Any] = {
    "name": "Sam Kay",
    "email": "sam@example.org",
    "phone": "+12125550144",
    "date_of_birth": dt.date(1985, 2, 3),
}


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


@pytest.fixture
def desk() -> Client:
    return signed_in("reception")


def at(booking: Booking, name: str = "", *more: object) -> str:
    """The patient's page, or one of those under it."""
    tail = "/".join(str(each) for each in (name, *more) if each)
    return f"/desk/patients/{booking.patient_id}/{tail}{'/' if tail else ''}"


def patient_of(booking: Booking) -> Patient:
    return Patient.objects.get(bookings=booking)


def found(client: Client, text: str) -> list[str]:
    return [row.patient.name for row in client.get("/desk/patients/", {"q": text}).context["rows"]]


def cost(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        act()
    return len(captured)


# Finding


@pytest.mark.parametrize(
    "text",
    [
        "sam k",
        "kay SAM",
        "SAM@exam",
        "0144",
        "(212) 555-0144",
        "+1 212 555 0144",
        "0212 555 0144",
        "REFERENCE",
        "ref erence",
    ],
)
def test_a_patient_is_found_by_any_of_their_details(world: World, desk: Client, text: str) -> None:
    world.book(local(MONDAY, 10))
    sam = world.book(local(MONDAY, 12), **SAM)
    spoken = f"{sam.reference[:3]} {sam.reference[3:]}".lower()
    text = text.replace("REFERENCE", sam.reference).replace("ref erence", spoken)

    assert found(desk, text) == ["Sam Kay"]


@pytest.mark.parametrize("text", ["sam robin", "144", "am@example.org", "K7M2QD", "%", "0" * 9])
def test_what_fits_nobody_finds_nobody(world: World, desk: Client, text: str) -> None:
    world.book(local(MONDAY, 12), **SAM)

    assert found(desk, text) == []


def test_a_row_says_who_they_are_and_when_they_came_and_come(world: World, desk: Client, time_machine: Any) -> None:
    treated = world.book(local(MONDAY, 10), **SAM)
    missed = world.book(local(MONDAY, 12), **SAM)
    world.book(local(TUESDAY, 10), **SAM)
    lifecycle.complete(treated, by=PATIENT, now=local(MONDAY, 11))
    lifecycle.miss(missed, by=PATIENT, now=local(MONDAY, 13))
    time_machine.move_to(local(MONDAY, 15), tick=False)

    said = words_of(signed_in("reception").get("/desk/patients/?q=sam"))

    assert "1 patient found" in said
    assert "Sam Kay 3 February 1985 212 555 0144 sam@example.org 30 November 2026 1 December 2026, 10am 1" in said


def test_nothing_typed_shows_the_people_of_today_and_before(world: World, desk: Client, time_machine: Any) -> None:
    world.book(local(MONDAY, 10), **SAM)
    world.book(local(MONDAY, 16), name="Today Later", email="")
    world.book(local(TUESDAY, 10), name="To Come", email="to@example.org")
    time_machine.move_to(local(MONDAY, 12), tick=False)

    rows = signed_in("reception").get("/desk/patients/").context["rows"]

    assert [row.patient.name for row in rows] == ["Today Later", "Sam Kay"]


def test_nobody_yet_and_nobody_found_are_said(world: World, desk: Client) -> None:
    assert "Nobody was here yet." in words_of(desk.get("/desk/patients/"))
    assert "Nobody found for “<b>x”." in words_of(desk.get("/desk/patients/", {"q": "<b>x"}))


def test_many_are_shown_page_by_page(world: World, desk: Client) -> None:
    Patient.objects.bulk_create(Patient(name=f"Pat {n:02}", created_at=NOW) for n in range(26))

    first, second = (desk.get("/desk/patients/", {"q": "pat", "page": page}) for page in (1, 2))

    assert (len(first.context["rows"]), [row.patient.name for row in second.context["rows"]]) == (25, ["Pat 25"])
    assert "?q=pat&amp;page=2" in first.content.decode()


@pytest.mark.parametrize("text", ["", "sam"])
def test_many_patients_cost_as_many_queries_as_one(world: World, desk: Client, time_machine: Any, text: str) -> None:
    time_machine.move_to(local(MONDAY, 9), tick=False)
    desk = signed_in("reception")
    world.book(local(MONDAY, 10), now=NOW, **SAM)
    desk.get("/desk/patients/", {"q": text})
    one = cost(lambda: desk.get("/desk/patients/", {"q": text}))
    world.book(local(MONDAY, 12), now=NOW, **{**SAM, "name": "Sam Two"})
    world.book(local(MONDAY, 14), now=NOW, **{**SAM, "name": "Sam Three"})

    assert cost(lambda: desk.get("/desk/patients/", {"q": text})) == one


def test_a_practitioner_finds_and_opens_only_the_people_who_come_to_them(world: World) -> None:
    theirs = world.book(local(MONDAY, 10), practitioner=world.practitioners[0], **SAM)
    other = world.book(local(MONDAY, 10), practitioner=world.practitioners[1], name="Sam Other", email="o@example.org")
    mixed = world.book(local(TUESDAY, 10), practitioner=world.practitioners[1], **SAM)
    user = someone("practitioner")
    Practitioner.objects.update(user=None)
    Practitioner.objects.filter(pk=world.practitioners[0].pk).update(user=user)
    client = Client()
    client.force_login(user)

    assert found(client, "sam") == ["Sam Kay"]
    assert (client.get(at(theirs)).status_code, client.get(at(other)).status_code) == (200, 404)
    page = client.get(at(theirs)).content.decode()
    assert page_of(theirs) in page
    assert page_of(mixed) not in page
    assert client.get(at(theirs, "edit")).status_code == 403
    assert client.get(at(theirs, "merge", other.patient_id)).status_code == 403


# One patient


def test_the_page_shows_details_visits_messages_tasks_and_who_looks_alike(
    world: World, desk: Client, time_machine: Any
) -> None:
    missed = world.book(local(MONDAY, 10), **SAM)
    treated = world.book(local(MONDAY, 12), **SAM)
    coming = world.book(local(TUESDAY, 10), **SAM)
    world.book(local(TUESDAY, 12), name="Kim Kay", phone=SAM["phone"], email="kim@example.org")
    lifecycle.miss(missed, by=PATIENT, now=local(MONDAY, 11))
    lifecycle.complete(treated, by=PATIENT, now=local(MONDAY, 13))
    lifecycle.leave_task(coming, TaskKind.PHONE_PATIENT, now=NOW, note="About parking")
    time_machine.move_to(local(MONDAY, 15), tick=False)

    response = signed_in("reception").get(at(coming))
    said = words_of(response)

    assert "Phone 212 555 0144 Email sam@example.org Date of birth 3 February 1985, 41 years old No-shows ⚑ 1" in said
    assert "Phone this patient" in said
    assert "About parking" in said
    assert "To come Tuesday 1 December, 10am ○ Confirmed" in said
    assert "Earlier Monday 30 November, midday ✓ Done" in said
    assert "with Maya Ruiz. Treated" in said
    assert "Kim Kay Born 17 March 1990. The same phone." in said
    confirmed = OutgoingEmail.objects.get(booking=coming, kind="confirmed")
    page = response.content.decode()
    assert f"/desk/mail/{confirmed.pk}/" in page
    assert f"/desk/book/?patient={coming.patient_id}" in page
    assert page_of(coming) in page


def test_many_visits_and_look_alikes_cost_as_many_queries_as_one(world: World, desk: Client) -> None:
    first = world.book(local(MONDAY, 10), **SAM)
    world.book(local(MONDAY, 12), **{**SAM, "name": "Kim"})
    lifecycle.leave_task(first, TaskKind.PHONE_PATIENT, now=NOW)
    desk.get(at(first))
    one = cost(lambda: desk.get(at(first)))
    for n in (13, 14):
        booking = world.book(local(MONDAY, n), **SAM)
        lifecycle.leave_task(booking, TaskKind.PHONE_PATIENT, now=NOW)
        world.book(local(TUESDAY, n), **{**SAM, "name": f"Kim {n}"})

    assert cost(lambda: desk.get(at(first))) == one


def test_the_booking_leads_to_the_patient(world: World, desk: Client) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)

    assert f'href="{at(booking)}"' in desk.get(page_of(booking)).content.decode()


# Correcting


def test_details_are_corrected_and_the_confirmation_goes_out_again(world: World, desk: Client) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)
    [form] = [each for each in parsed(desk.get(at(booking, "edit"))).forms if "name" in each]
    assert form["date_of_birth_year"] == "1985"

    said = {**form, "name": " Sam   Kaye ", "email": "kaye@example.org", "phone": "(212) 555-0145"}
    response = desk.post(at(booking, "edit"), said, follow=True)

    patient = patient_of(booking)
    assert (patient.name, patient.email, patient.phone) == ("Sam Kaye", "kaye@example.org", "+12125550145")
    assert patient.date_of_birth == SAM["date_of_birth"]
    assert "The confirmations are on their way to the new address." in response.content.decode()
    assert OutgoingEmail.objects.filter(booking=booking, kind="confirmed").count() == 2
    row = AuditEvent.objects.get(act="changed", kind="patient")
    assert row.detail["name"] == ["Sam Kay", "Sam Kaye"]


def test_what_was_typed_is_kept_when_it_cannot_be_saved(world: World, desk: Client) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)
    typed = {
        "name": "",
        "email": "not an address",
        "phone": "12",
        "date_of_birth_day": "1",
        "date_of_birth_month": "1",
        "date_of_birth_year": "2030",
    }

    response = desk.post(at(booking, "edit"), typed)
    said = words_of(response)

    assert response.status_code == 422
    for error in ("Enter their name", "like name@example.com", "with its area code", "must not be later than today"):
        assert error in said
    assert 'value="not an address"' in response.content.decode()
    assert patient_of(booking).name == "Sam Kay"


# Merging


@pytest.fixture
def pair(world: World) -> tuple[Booking, Booking]:
    """Two records of one person; the second moved and has another address by now."""
    return world.book(local(MONDAY, 10), **SAM), world.book(local(MONDAY, 12), **{**SAM, "email": "new@example.org"})


def test_two_records_are_compared_merged_and_parted(pair: tuple[Booking, Booking], desk: Client) -> None:
    first, second = pair
    address = at(first, "merge", second.patient_id)
    page = desk.get(address)
    assert "Email differs sam@example.org new@example.org" in words_of(page)
    assert "1 visit moves to the record that stays" in words_of(page)
    assert "They are the same person" not in words_of(page)

    response = desk.post(address, {"email": "other"}, follow=True)

    assert "Merged. 1 visit came along." in response.content.decode()
    patient = patient_of(first)
    assert (patient.email, patient.bookings.count()) == ("new@example.org", 2)
    gone = desk.get(at(second))
    assert (gone.status_code, gone["Location"]) == (302, at(first))
    assert desk.post(address, {"email": "other"})["Location"] == at(first)
    assert found(desk, "sam") == ["Sam Kay"]

    undo = at(first, "unmerge", PatientMerge.objects.get().pk)
    assert f'action="{undo}"' in response.content.decode()
    assert "Two records again" in desk.post(undo, follow=True).content.decode()
    desk.post(undo)
    assert desk.get(at(second)).status_code == 200
    assert patient_of(first).email == "sam@example.org"
    acts = AuditEvent.objects.exclude(act="read").filter(key=str(first.patient_id)).values_list("act", flat=True)
    assert sorted(acts) == ["merge undone", "merged"]


def test_two_who_may_be_two_people_need_somebody_s_word(world: World, desk: Client) -> None:
    first = world.book(local(MONDAY, 10), **SAM)
    other = world.book(local(MONDAY, 12), **{**SAM, "name": "Kim Kay", "date_of_birth": None})
    address = at(first, "merge", other.patient_id)
    assert "They may be two people." in words_of(desk.get(address))

    refused = desk.post(address, {"name": "other"})

    assert refused.status_code == 422
    assert "Tick that they are the same person, or keep them apart" in words_of(refused)
    assert refused.context["form"]["name"].value() == "other"
    assert not PatientMerge.objects.exists()
    desk.post(address, {"name": "other", "is_same_person": "on"})
    assert patient_of(first).name == "Kim Kay"


def test_nobody_is_merged_with_themselves_and_nothing_is_undone_that_was_not_done(
    pair: tuple[Booking, Booking], desk: Client
) -> None:
    first, second = pair

    assert desk.get(at(first, "merge", first.patient_id)).status_code == 404
    assert desk.get(at(first, "merge", 99999)).status_code == 404
    assert desk.post(at(first, "unmerge", 99999)).status_code == 404
    assert desk.get(at(first, "unmerge", 1)).status_code == 405
    assert desk.get(at(first, "merge", second.patient_id)).status_code == 200


def test_an_earlier_merge_cannot_be_undone_once_the_record_went_into_another(
    world: World, pair: tuple[Booking, Booking], desk: Client
) -> None:
    first, second = pair
    third = world.book(local(TUESDAY, 10), **{**SAM, "email": "third@example.org"})
    by = make_staff("rosa")
    kept, other, last = (patient_of(each) for each in (first, second, third))
    done = lifecycle.merge_patients(kept, other, by=by, now=NOW)
    lifecycle.merge_patients(last, kept, by=by, now=NOW)

    response = desk.post(at(first, "unmerge", done.pk))

    assert response.status_code == 409
    assert "Undo that first." in words_of(response)


def test_another_record_is_looked_for_and_compared(pair: tuple[Booking, Booking], desk: Client) -> None:
    first, second = pair

    page = desk.get("/desk/patients/", {"q": "sam", "merge": str(patient_of(first).pk)}).content.decode()

    assert at(first, "merge", second.patient_id) in page
    assert at(first, "merge", first.patient_id) not in page
