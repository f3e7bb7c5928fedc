"""Whoever looks at a patient's record leaves one row in the audit log; lists and searches leave none."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings import lifecycle
from bookings.desk.urls import urlpatterns
from bookings.models import Booking, OutgoingEmail, TaskKind
from clinic.models import AuditEvent
from tests.desk import DIABETES, MONDAY, TUESDAY, book_with, page_of, signed_in, someone
from tests.factories import NOW, World, local, make_staff
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
# Pages of the desk about one booking that answer a GET; the others of that kind take a POST alone.
ABOUT = {"booking", "email", "message", "patient"}
LISTS = ["/desk/", "/desk/patients/", "/desk/patients/?q=robin", "/desk/mail/", "/desk/tasks/"]


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2)


@pytest.fixture
def waiting(world: World) -> Booking:
    return book_with(world, TEN, DIABETES)


def reads() -> list[tuple[str, str, str, str]]:
    rows = AuditEvent.objects.filter(act="read").select_related("by").order_by("pk")
    return [(row.by.username if row.by else "", row.kind, row.key, row.detail["page"]) for row in rows]


def pages_of_one(booking: Booking) -> dict[str, str]:
    """Every address of the desk that names one booking, and the pages of its patient and of a message."""
    named = {each.name or "": str(each.pattern) for each in urlpatterns}
    references = {name: route for name, route in named.items() if route.startswith("bookings/<str:reference>/")}
    letter = OutgoingEmail.objects.filter(booking=booking).latest("pk")
    found = {
        name: f"/desk/{route.replace('<str:reference>', booking.reference)}"
        for name, route in references.items()
        if "<int" not in route
    }
    person = f"/desk/patients/{booking.patient_id}/"
    return {**found, "message": f"/desk/mail/{letter.pk}/", "patient": person, "patient_edit": f"{person}edit/"}


def test_every_page_about_one_person_leaves_one_row_for_each_who_opens_it(waiting: Booking) -> None:
    clinician, reception = signed_in("clinician"), signed_in("reception")
    keys = {"patient": str(waiting.patient_id), "patient_edit": str(waiting.patient_id)}

    opened = []
    for name, path in pages_of_one(waiting).items():
        before = reads()
        answer = clinician.get(path)
        if answer.status_code == 405:
            assert reads() == before, name
            continue
        opened.append(name)
        kind = "patient" if name in keys else "booking"
        new = ("clinician-1", kind, keys.get(name, str(waiting.pk)), name)
        if answer.status_code == 200:
            assert reads() == [*before, new], name
            reception_sees = reception.get(path).status_code == 200
            assert reads() == [*before, new, *[("reception-1", *new[1:])] * reception_sees], name
    assert {"booking", "answers", "shown", "ask", "approve", "move", "cancel", "message", "patient"} <= set(opened)


def test_a_page_that_is_loaded_again_is_one_look_for_five_minutes(waiting: Booking, time_machine: Any) -> None:
    client = signed_in("reception")
    for minutes, looks in ((0, 1), (1, 1), (4, 1), (6, 2)):
        time_machine.move_to(NOW + dt.timedelta(minutes=minutes), tick=False)
        client.get(page_of(waiting))
        assert len(reads()) == looks, minutes


@pytest.mark.parametrize("how", [{"method": "head"}, {"headers": {"HX-Request": "true", "HX-Preloaded": "true"}}])
def test_a_head_and_a_page_that_is_fetched_ahead_count_too(waiting: Booking, how: dict[str, Any]) -> None:
    client = signed_in("reception")

    getattr(client, how.get("method", "get"))(page_of(waiting), headers=how.get("headers"))

    assert reads() == [("reception-1", "booking", str(waiting.pk), "booking")]


def test_who_is_refused_has_read_nothing(waiting: Booking) -> None:
    nobody = Client()
    nobody.force_login(make_staff("nobody", is_staff=False, is_superuser=False))

    assert {nobody.get(path).status_code for path in pages_of_one(waiting).values()} <= {403, 405}
    assert Client().get(page_of(waiting)).status_code == 302
    assert signed_in("reception").get(page_of(waiting, "answers")).status_code == 403
    assert reads() == []


def test_lists_and_searches_are_no_reads(waiting: Booking) -> None:
    client = signed_in("reception")

    assert {client.get(path).status_code for path in LISTS} == {200}
    assert reads() == []


def test_the_review_queue_shows_answers_so_each_of_them_is_read(world: World, waiting: Booking) -> None:
    other = book_with(world, local(TUESDAY, 10), DIABETES, name="Kim Kay")
    signed_in("reception").get("/desk/review/")
    assert reads() == []

    signed_in("clinician").get("/desk/review/")

    assert reads() == [("clinician-1", "booking", str(each.pk), "review") for each in (waiting, other)]


def test_both_records_of_a_merge_are_read(world: World, waiting: Booking) -> None:
    other = world.book(local(TUESDAY, 10), name="Kim Kay")

    signed_in("reception").get(f"/desk/patients/{waiting.patient_id}/merge/{other.patient_id}/")

    assert [(kind, key) for _, kind, key, _ in reads()] == [
        ("patient", str(each.patient_id)) for each in (waiting, other)
    ]


def test_a_post_is_no_read_and_its_own_act_stands_in_the_history(waiting: Booking) -> None:
    user = someone("reception")
    client = Client()
    client.force_login(user)

    client.post(page_of(waiting, "resend"))

    assert reads() == []
    assert waiting.events.filter(by=user).exists()


@pytest.mark.parametrize("kind", ["booking", "patient"])
def test_the_admin_s_pages_count_as_well(waiting: Booking, kind: str) -> None:
    client = Client()
    client.force_login(make_staff("boss"))
    pk = waiting.pk if kind == "booking" else waiting.patient_id

    assert client.get(f"/admin/bookings/{kind}/").status_code == 200
    assert reads() == []
    assert client.get(f"/admin/bookings/{kind}/{pk}/change/").status_code == 200

    assert reads() == [("boss", kind, str(pk), "admin")]


def test_a_read_writes_nothing_else(waiting: Booking) -> None:
    client = signed_in("reception")
    before = (Booking.objects.values().get(pk=waiting.pk), waiting.events.count(), OutgoingEmail.objects.count())

    client.get(page_of(waiting))

    after = (Booking.objects.values().get(pk=waiting.pk), waiting.events.count(), OutgoingEmail.objects.count())
    assert after == before
    assert AuditEvent.objects.count() == 1
    assert lifecycle.holds(someone("clinician"), "view_answers")


def test_a_day_on_paper_and_a_task_about_somebody_are_reads_too(waiting: Booking) -> None:
    reception = signed_in("reception")
    task = lifecycle.leave_task(waiting, TaskKind.CALL_BACK, now=NOW)

    reception.get(f"/desk/print/?date={MONDAY}")
    reception.get(f"/desk/tasks/{task.pk}/")

    assert reads() == [
        ("reception-1", "location", str(waiting.location_id), "print"),
        ("reception-1", "booking", str(waiting.pk), "task"),
    ]
