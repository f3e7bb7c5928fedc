"""Setting up: what is missing, how next week would be open, and which visits a change would touch."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic import checklist
from clinic.models import Absence, AuditEvent, Equipment, OpeningHours, Practitioner, Room, Service
from tests.admin_pages import typed as as_shown
from tests.admin_pages import url
from tests.desk import MONDAY, TUESDAY
from tests.factories import NOW, World, local, make_location, make_policy, make_practitioner, make_service, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture(autouse=True)
def _mail_is_sent(settings: Any) -> None:
    settings.MAIL_IS_SENT = True


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def manager(world: World) -> Client:
    client = Client()
    client.force_login(make_staff("manager"))
    return client


TODAY = NOW.date()


def titles(today: dt.date = TODAY) -> list[str]:
    return [each.title for each in checklist.missing(today)]


def test_an_empty_clinic_lacks_everything_in_the_order_of_setting_up(settings: Any) -> None:
    make_policy()
    settings.MAIL_IS_SENT = False

    assert titles() == [
        "No location yet",
        "No practitioner yet",
        "No service yet",
        "Mail is not sent: EMAIL_URL names no mail server",
    ]


def test_a_clinic_that_is_set_up_lacks_nothing(world: World) -> None:
    assert titles() == []


def test_each_hole_is_named(world: World) -> None:
    make_location(name="Second house")
    make_practitioner("Tomas Berg")
    make_service(slug="facial", name="Facial", short_name="Facial", equipment_kinds=["STEAMER"], grades=["D"])
    Room.objects.all().delete()

    assert titles() == [
        "Second house has no opening hours",
        "Tomas Berg has no working hours",
        "Nobody who may do “Facial” has working hours",
        "No treatment room, which “Facial” needs",
        "No steamer, which “Facial” needs",
        "No treatment room, which “Nose extraction” needs",
    ]


def test_what_is_retired_does_not_count(world: World) -> None:
    Practitioner.objects.update(retired_on=MONDAY)

    assert titles(MONDAY - dt.timedelta(days=1)) == []
    assert titles(MONDAY) == ["No practitioner yet", "Nobody who may do “Nose extraction” has working hours"]


def test_the_first_page_says_what_is_missing_and_leads_there(world: World, manager: Client) -> None:
    assert "All is set up. Patients can book online." not in manager.get("/admin/").content.decode()
    Room.objects.all().delete()

    html = manager.get("/admin/").content.decode()

    assert f'<a href="{reverse("admin:clinic_room_add")}">No treatment room, which “Nose extraction” needs</a>' in html


def week_of(html: str, who: str) -> list[str]:
    """The seven cells of one row of the preview."""
    row = re.search(rf'<th scope="row">{re.escape(who)}</th>(.*?)</tr>', html, re.DOTALL)
    assert row, who
    return re.findall(r"<td>\s*(.*?)\s*</td>", row.group(1), re.DOTALL)


def test_a_person_s_page_shows_their_next_seven_days(world: World, manager: Client) -> None:
    who = world.practitioner
    Absence.objects.create(resource=who, starts_at=local(NOW.date(), 9), ends_at=local(NOW.date(), 12))

    html = manager.get(reverse("admin:clinic_practitioner_change", args=[who.pk])).content.decode()

    nine_to_five = "9am to 5pm"
    assert week_of(html, "Maya Ruiz, Main house") == ["midday to 5pm", *[nine_to_five] * 4, "Closed", "Closed"]
    assert week_of(html, "Main house, the house") == [*[nine_to_five] * 5, "Closed", "Closed"]


def test_a_preview_shows_hours_as_typed_and_saves_nothing(world: World, manager: Client) -> None:
    hours = OpeningHours.objects.get(practitioner=world.practitioner, weekday=0)
    page = reverse("admin:clinic_openinghours_change", args=[hours.pk])
    typed = {**as_shown(manager, page), "opens_at": "11:00"}

    answer = manager.post(page, {**typed, "_preview": "1"})

    assert answer.status_code == 200
    assert week_of(answer.content.decode(), "Maya Ruiz, Main house")[0] == "11am to 5pm"
    hours.refresh_from_db()
    assert hours.opens_at == dt.time(9)
    assert not AuditEvent.objects.exists()


def test_shorter_hours_say_which_visits_they_touch_before_they_are_saved(world: World, manager: Client) -> None:
    touched = world.book(local(MONDAY, 9), name="Sam Kay")
    world.book(local(MONDAY, 14), name="Alex Poe")
    hours = OpeningHours.objects.get(practitioner=world.practitioner, weekday=0)
    page = reverse("admin:clinic_openinghours_change", args=[hours.pk])
    typed = {**as_shown(manager, page), "opens_at": "11:00"}

    asked = manager.post(page, typed)
    html = asked.content.decode()

    assert "1 visit that is booked already could not stay" in html
    assert "Sam K., Nose extraction, Monday 30 November, 9am" in html
    assert "Alex P." not in html
    assert reverse("desk:booking", args=[touched.reference]) in html
    hours.refresh_from_db()
    assert hours.opens_at == dt.time(9)
    assert not AuditEvent.objects.exists()

    answer = manager.post(page, {**dict(asked.context["typed"]), "_seen": "1"})

    assert answer.status_code == 302
    hours.refresh_from_db()
    assert hours.opens_at == dt.time(11)
    assert AuditEvent.objects.get().detail == {"opens_at": ["09:00:00", "11:00:00"]}


def test_a_change_that_touches_no_visit_is_saved_at_once(world: World, manager: Client) -> None:
    world.book(local(MONDAY, 14))
    hours = OpeningHours.objects.get(practitioner=world.practitioner, weekday=0)
    page = reverse("admin:clinic_openinghours_change", args=[hours.pk])

    assert manager.post(page, {**as_shown(manager, page), "opens_at": "11:00"}).status_code == 302
    hours.refresh_from_db()
    assert hours.opens_at == dt.time(11)


def test_only_what_the_change_adds_is_shown(world: World, manager: Client) -> None:
    world.book(local(TUESDAY, 9), name="Old Story")
    OpeningHours.objects.filter(practitioner=world.practitioner, weekday=1).delete()
    world.book(local(MONDAY, 9), name="Sam Kay")
    hours = OpeningHours.objects.get(practitioner=world.practitioner, weekday=0)
    page = reverse("admin:clinic_openinghours_change", args=[hours.pk])

    html = manager.post(page, {**as_shown(manager, page), "opens_at": "11:00"}).content.decode()

    assert "Sam K." in html
    assert "Old S." not in html


@pytest.mark.parametrize("name", ["practitioner", "room", "location", "service"])
def test_a_retirement_says_which_visits_it_touches(world: World, manager: Client, name: str) -> None:
    world.book(local(MONDAY, 9), name="Sam Kay")
    retired = {
        "practitioner": world.practitioner,
        "room": world.rooms[0],
        "location": world.location,
        "service": world.service,
    }[name]
    page = reverse(f"admin:clinic_{name}_change", args=[retired.pk])

    answer = manager.post(page, {**as_shown(manager, page), "retired_on": "2026-11-30"})

    assert "Sam K., Nose extraction, Monday 30 November, 9am" in answer.content.decode()
    retired.refresh_from_db()
    assert retired.retired_on is None


def test_taking_hours_away_says_which_visits_it_touches(world: World, manager: Client) -> None:
    world.book(local(MONDAY, 9), name="Sam Kay")
    hours = OpeningHours.objects.get(practitioner=world.practitioner, weekday=0)
    page = reverse("admin:clinic_openinghours_delete", args=[hours.pk])

    assert "Sam K." in manager.post(page, {"post": "yes"}).content.decode()
    assert OpeningHours.objects.filter(pk=hours.pk).exists()
    manager.post(page, {"post": "yes", "_seen": "1"})
    assert not OpeningHours.objects.filter(pk=hours.pk).exists()


def test_an_absence_over_a_visit_says_so_and_may_be_saved(world: World, manager: Client) -> None:
    world.book(local(MONDAY, 9), name="Sam Kay")
    page = reverse("admin:clinic_absence_add")
    typed = {
        **as_shown(manager, page),
        "resource": world.practitioner.pk,
        "starts_at_0": "2026-11-30",
        "starts_at_1": "00:00",
        "ends_at_0": "2026-12-01",
        "ends_at_1": "00:00",
    }

    asked = manager.post(page, typed)

    assert "Maya Ruiz" not in asked.context["touched"][0].title
    assert "Sam K." in asked.content.decode()
    assert not Absence.objects.exists()
    manager.post(page, {**dict(asked.context["typed"]), "_seen": "1"})
    assert Absence.objects.count() == 1


def test_things_without_hours_have_no_preview(world: World, manager: Client) -> None:
    steamer = Equipment.objects.create(name="Steamer", slug="steamer", code="STEAMER", location=world.location)
    for page in (
        reverse("admin:clinic_equipment_change", args=[steamer.pk]),
        reverse("admin:clinic_service_change", args=[Service.objects.get().pk]),
    ):
        assert "_preview" not in manager.get(page).content.decode()


def test_hours_are_not_deleted_many_at_once_past_what_they_touch(world: World, manager: Client) -> None:
    world.book(local(MONDAY, 9))
    page = reverse("admin:clinic_openinghours_changelist")
    every = list(OpeningHours.objects.values_list("pk", flat=True))

    manager.post(page, {"action": "delete_selected", "_selected_action": every, "post": "yes"})

    assert OpeningHours.objects.count() == len(every)


def test_holidays_are_opened_at_the_desk_and_not_deleted_here(world: World, manager: Client) -> None:
    """A closure that is deleted here would be entered again within the hour."""
    times = {"starts_at": local(dt.date(2026, 12, 25), 0), "ends_at": local(dt.date(2026, 12, 26), 0)}
    holiday = Absence.objects.create(location=world.location, holiday_on=dt.date(2026, 12, 25), **times)
    ours = Absence.objects.create(location=world.location, reason="Painting", **times)

    page = manager.get(url(Absence, "changelist"))

    assert list(page.context["cl"].result_list) == [ours]
    assert 'href="/desk/holidays/"' in page.content.decode()
    manager.post(url(Absence, "delete", holiday), {"post": "yes"})
    assert Absence.objects.filter(pk=holiday.pk).exists()
