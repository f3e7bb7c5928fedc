"""The log: what staff did to patients, bookings, set-up and content, and whose record they read."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings import lifecycle
from bookings.desk.timeline import PAGE_SIZE
from bookings.models import Booking, BookingEvent, Patient
from clinic import audit
from clinic.models import AuditEvent, OpeningHours, PriceKind, Service
from tests.desk import MONDAY, TUESDAY, page_of, signed_in
from tests.factories import NOW, World, local, make_staff

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(hours=1)
SAM: dict[str, Any] = {"name": "Sam Kay", "email": "sam@example.org"}
# More than a page, and not a whole number of pages.
MOST = PAGE_SIZE + 20
PRICE_KINDS = (PriceKind.FROM.label, PriceKind.FIXED.label)
Entries = list[tuple[str, str, str]]


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(LATER, tick=False)


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


@pytest.fixture
def rosa() -> User:
    return make_staff("rosa", first_name="Rosa", last_name="Bell")


@pytest.fixture
def manager() -> Client:
    return signed_in("manager")


def entries(client: Client, **asked: Any) -> Entries:
    return [(line.who, line.what, line.about) for line in client.get("/desk/log/", asked).context["lines"]]


def changed(client: Client, **asked: Any) -> list[tuple[str, str, str]]:
    lines = client.get("/desk/log/", asked).context["lines"]
    return [(each.name, each.was, each.now) for line in lines for each in line.changes]


def correct(booking: Booking, by: User, **said: Any) -> None:
    patient = Patient.objects.get(bookings=booking)
    same = {name: getattr(patient, name) for name in ("name", "email", "phone", "date_of_birth")}
    lifecycle.correct_patient(patient, **{**same, **said}, by=by, now=LATER)


def cost(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_bookings_patients_reads_and_set_up_stand_in_one_line_of_time(
    world: World, rosa: User, manager: Client, time_machine: Any
) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)
    audit.record("changed", world.service, by=rosa, now=NOW + dt.timedelta(minutes=1), minutes=[30, 45])
    lifecycle.cancel(booking, reason="Ill", by=rosa, now=NOW + dt.timedelta(minutes=2))
    correct(booking, rosa, phone="+12125550177")
    time_machine.move_to(LATER + dt.timedelta(minutes=1), tick=False)
    manager = signed_in("manager")
    manager.get(page_of(booking))

    assert entries(manager) == [
        ("manager-1", "Looked at the booking", f"Sam Kay, {booking.reference}"),
        ("Rosa Bell", "Changed", "Patient: Sam Kay"),
        ("Rosa Bell", "Cancelled", f"Sam Kay, {booking.reference}"),
        ("Rosa Bell", "Changed", "Service: Nose and T-zone blackhead extraction"),
        ("patient", "Booked", f"Sam Kay, {booking.reference}"),
        ("patient", "Held", f"Sam Kay, {booking.reference}"),
    ]
    assert changed(manager) == [("phone", "+12125550123", "+12125550177"), ("minutes", "30", "45")]
    page = manager.get("/desk/log/").content.decode()
    assert f'href="/desk/patients/{booking.patient_id}/"' in page
    assert f'href="{page_of(booking)}"' in page


def test_before_and_after_are_words(world: World, rosa: User, manager: Client) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)
    correct(booking, rosa, email="", date_of_birth=dt.date(1991, 3, 17))
    detail = {
        "price_kind": ["from", "fixed"],
        "is_active": [True, False],
        "note": ["a", "b" * 200],
        "opening hours": [
            {"row": "Monday 09:00 to 17:00", "opens_at": ["09:00:00", "10:00:00"]},
            {"row": "x", "removed": True},
        ],
    }
    audit.record("changed", world.service, by=rosa, now=LATER + dt.timedelta(seconds=1), **detail)
    audit.record("deleted", Service(pk=999), by=rosa, now=LATER + dt.timedelta(seconds=2), was="Old facial")
    hours = OpeningHours.objects.exclude(practitioner=None).latest("pk")
    audit.record(
        "added", hours, by=None, now=LATER + dt.timedelta(seconds=3), practitioner=[None, hours.practitioner_id]
    )

    assert entries(manager)[:2] == [
        ("system", "Added", "Opening hours: Friday 09:00 to 17:00"),
        ("Rosa Bell", "Deleted", "Service: Old facial"),
    ]
    assert changed(manager) == [
        ("practitioner", "nothing", str(hours.practitioner)),
        ("is active", "yes", "no"),
        ("note", "a", "b" * 200),
        ("opening hours, Monday 09:00 to 17:00: opens at", "09:00:00", "10:00:00"),
        ("opening hours, x", "there", "removed"),
        ("price kind", *PRICE_KINDS),
        ("date of birth", "Saturday 17 March 1990", "Sunday 17 March 1991"),
        ("email", "sam@example.org", "nothing"),
    ]


def test_a_merge_names_the_other_record_and_what_changed_hands(world: World, rosa: User, manager: Client) -> None:
    first, second = (
        world.book(local(MONDAY, 10), **SAM),
        world.book(local(MONDAY, 12), **{**SAM, "email": "k@example.org"}),
    )
    kept, other = (Patient.objects.get(bookings=each) for each in (first, second))
    lifecycle.merge_patients(kept, other, values=["email"], by=rosa, now=LATER)

    lines = manager.get("/desk/log/", {"patient": kept.pk}).context["lines"]

    [line] = [each for each in lines if each.what == "Merged"]
    assert line.more == f"The other record: Sam Kay, number {other.pk}. 1 visit changed hands"
    assert [(each.name, each.was, each.now) for each in line.changes] == [("email", "sam@example.org", "k@example.org")]
    assert {each.what for each in lines} >= {"Merged with another record", "Merged away"}


def test_who_looked_at_one_patient(world: World, manager: Client) -> None:
    sam, other = world.book(local(MONDAY, 10), **SAM), world.book(local(MONDAY, 12))
    reception = signed_in("reception")
    reception.get(page_of(sam))
    reception.get(page_of(other))
    reception.get(f"/desk/patients/{sam.patient_id}/")
    link = f"/desk/log/?patient={sam.patient_id}&amp;show=reads"
    assert link in manager.get(f"/desk/patients/{sam.patient_id}/").content.decode()
    assert link not in reception.get(f"/desk/patients/{sam.patient_id}/").content.decode()

    response = manager.get(link.replace("&amp;", "&"))

    assert "Who looked at Sam Kay" in response.content.decode()
    assert [(line.who, line.what) for line in response.context["lines"]] == [
        ("manager-1", "Looked at the patient’s page"),
        ("reception-1", "Looked at the patient’s page"),
        ("reception-1", "Looked at the booking"),
    ]


def test_it_is_narrowed_by_person_booking_day_and_kind(world: World, rosa: User, manager: Client) -> None:
    sam, other = world.book(local(MONDAY, 10), **SAM), world.book(local(MONDAY, 12))
    lifecycle.cancel(sam, reason="Ill", by=rosa, now=NOW + dt.timedelta(days=1))
    lifecycle.cancel(other, reason="Ill", by=rosa, now=NOW + dt.timedelta(days=2))
    audit.record("read", other, by=rosa, now=NOW, page="shown")

    def acts(**asked: Any) -> list[str]:
        return [what for _, what, _ in entries(manager, **asked)]

    spoken = f" {sam.reference[:3]} {sam.reference[3:].lower()}"
    assert acts(who=rosa.pk) == ["Cancelled", "Cancelled", "Looked at what the patient was shown"]
    assert acts(booking=spoken) == ["Cancelled", "Booked", "Held"]
    assert acts(patient=other.patient_id) == ["Cancelled", "Booked", "Held", "Looked at what the patient was shown"]
    assert acts(since="2026-11-24", until="2026-11-24") == ["Cancelled"]
    assert acts(show="reads") == ["Looked at what the patient was shown"]
    assert acts(show="changes") == ["Cancelled", "Cancelled", *["Booked", "Held"] * 2]


@pytest.mark.parametrize(
    "asked",
    [
        {"who": "999"},
        {"patient": "x"},
        {"booking": "NOSUCH"},
        {"since": "0001-01-01", "until": "9999-12-31"},
        {"since": "yesterday"},
        {"show": "everything"},
        {"before": "x~1~y"},
        {"before": "2026-11-24T10:00~0~1"},
        {"before": "2026-11-24T10:00:00+00:00~0~" + "9" * 30},
    ],
)
def test_what_cannot_be_read_is_no_filter(world: World, manager: Client, asked: dict[str, str]) -> None:
    world.book(local(MONDAY, 10), **SAM)

    assert [what for _, what, _ in entries(manager, **asked)] == ["Booked", "Held"]


def test_pages_follow_each_other_without_a_gap_or_a_line_twice(world: World, rosa: User, manager: Client) -> None:
    """Most lines of both kinds stand at one moment."""
    booking = world.book(local(MONDAY, 10), **SAM)
    BookingEvent.objects.bulk_create(
        BookingEvent(booking=booking, at=LATER, verb=f"event {n}", actor="staff", by=rosa) for n in range(MOST)
    )
    AuditEvent.objects.bulk_create(
        AuditEvent(at=LATER, by=rosa, act=f"audit {n}", kind="service", key=str(world.service.pk)) for n in range(MOST)
    )

    seen, address = [], "/desk/log/"
    while address:
        response = manager.get(address)
        seen += [line.what for line in response.context["lines"]]
        address = f"/desk/log/?{response.context['older']}" if response.context["older"] else ""

    assert len(seen) == 2 * MOST + 2 == len(set(seen))
    assert seen[-2:] == ["Booked", "Held"]


def test_many_lines_cost_as_many_queries_as_one_of_each_kind(world: World, rosa: User, manager: Client) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)

    def fill(booking: Booking, hour: int) -> None:
        correct(booking, rosa, phone=f"+121255501{hour}")
        audit.record("read", booking, by=rosa, now=LATER, page="booking")
        audit.record("changed", world.service, by=rosa, now=LATER, minutes=[30, hour])
        audit.record("changed", world.clinic, by=None, now=LATER, name=["a", "b"])

    fill(booking, 60)
    asked = {"show": ""}
    manager.get("/desk/log/", asked)
    one = cost(lambda: manager.get("/desk/log/", asked))
    for hour in (11, 13):
        fill(world.book(local(TUESDAY, hour), name=f"Kim {hour}"), hour)

    assert cost(lambda: manager.get("/desk/log/", asked)) == one


def test_the_reasons_of_clinicians_are_for_those_who_may_see_answers(world: World, rosa: User, manager: Client) -> None:
    booking = world.book(local(MONDAY, 10), **SAM)
    BookingEvent.objects.create(
        booking=booking, at=LATER, verb="approved", actor="staff", by=rosa, detail={"reason": "Cold sore has healed"}
    )

    assert "Cold sore" not in manager.get("/desk/log/").content.decode()


@pytest.mark.parametrize("role", ["reception", "practitioner", "clinician"])
def test_only_those_with_the_right_see_the_log(world: World, role: str) -> None:
    client = signed_in(role)

    assert client.get("/desk/log/").status_code == 403
    assert 'href="/desk/log/"' not in client.get("/desk/").content.decode()
    assert signed_in("manager").post("/desk/log/").status_code == 405
