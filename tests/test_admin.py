"""The set-up screens, and the read-only view of bookings and mail."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from bookings.models import ApiKey, Booking, BookingEvent, BookingState, Claim, OutgoingEmail, Patient, Task, TaskKind
from clinic.content import load
from clinic.models import (
    Absence,
    AuditEvent,
    Clinic,
    Equipment,
    HistoryRule,
    Item,
    Location,
    OpeningHours,
    Part,
    Practitioner,
    Question,
    Review,
    Revision,
    Room,
    Rule,
    Service,
    Source,
    Topic,
    Wording,
)
from tests.admin_pages import typed, url
from tests.factories import NOW, World, load_signed_content, local, make_equipment, make_policy, make_staff

pytestmark = pytest.mark.django_db

MONDAY = dt.date(2026, 11, 30)
OURS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in {"clinic", "bookings"}),
    key=lambda model: model._meta.label,
)
READ_ONLY = [ApiKey, Booking, BookingEvent, OutgoingEmail, Patient, Task, AuditEvent, Revision, Review]
NEVER_DELETED = [
    Clinic,
    Location,
    Practitioner,
    Room,
    Equipment,
    Service,
    Topic,
    Item,
    Wording,
    Question,
    Part,
    Rule,
    HistoryRule,
    Source,
]


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def manager() -> User:
    return make_staff("manager")


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


# Each page opens


def make_one_of_everything(manager: User) -> World:
    """A row for each screen."""
    load_signed_content()
    world = World()
    make_equipment(world.location)
    booking = world.book(local(MONDAY, 10))
    Task.objects.create(kind=TaskKind.CALL_BACK, booking=booking, created_at=NOW, due_at=NOW)
    ApiKey.objects.make("A program", now=NOW)
    Absence.objects.create(location=world.location, starts_at=NOW, ends_at=NOW + dt.timedelta(hours=1))
    AuditEvent.objects.create(at=NOW, act="added", kind="room", key="1")
    Review.objects.create(
        revision=Revision.objects.all()[0], reviewer="Dr X", signed_at=NOW, signed_by=manager, next_review_on=MONDAY
    )
    return world


def test_each_list_and_each_row_opens(desk: Client, manager: User) -> None:
    make_one_of_everything(manager)
    pages = [(url(model), url(model, "change", model._default_manager.all()[0].pk)) for model in OURS]

    answers = {(lists, row): (desk.get(lists, {"q": "a"}, follow=True), desk.get(row)) for lists, row in pages}

    assert len(OURS) > 20
    assert {codes for answer in answers.values() for codes in [each.status_code for each in answer]} == {200}


def test_admin_pages_break_no_rule_of_the_content_security_policy(desk: Client) -> None:
    load(now=NOW)
    pages = ["/admin/", url(Item), url(Item, "add"), url(OpeningHours, "add"), url(Absence, "add"), url(Service, "add")]
    pages += ["/admin/sign-off/", "/admin/content-pack/", url(Source), url(Rule)]

    for page in pages:
        response = desk.get(page)
        html = response.content.decode()
        assert "unsafe" not in response["Content-Security-Policy"]
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|javascript:", html), page
        assert not re.search(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", html), page


# The time zone, session, user, the clinic, count and rows; bookings are also filtered by three lists of names.
LISTS = {Booking: 10, BookingEvent: 7, OutgoingEmail: 7, Patient: 7}


@pytest.mark.parametrize("visits", [1, 3])
@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.model_name)
def test_lists_ask_the_same_number_of_queries_for_any_number_of_rows(
    desk: Client, model: type[Model], visits: int, django_assert_num_queries: Any
) -> None:
    world = World()
    for hour in range(visits):
        world.book(local(MONDAY, 9 + hour), name=f"Person {hour}")

    with django_assert_num_queries(LISTS[model]):
        desk.get(url(model))


# Set-up


def test_the_clinics_list_leads_to_its_one_row(desk: Client) -> None:
    make_policy()

    response = desk.get(url(Clinic))

    assert response["Location"] == url(Clinic, "change", 1)
    assert desk.get(url(Clinic, "add")).status_code == 403


def test_the_policy_is_saved_and_the_change_is_audited(desk: Client, manager: User) -> None:
    make_policy(horizon_days=90)
    form = typed(desk, url(Clinic, "change", 1))

    response = desk.post(url(Clinic, "change", 1), {**form, "horizon_days": "60", "phone_days": ["0", "5"]})

    assert response.status_code == 302
    clinic = Clinic.objects.get()
    assert (clinic.horizon_days, clinic.phone_days) == (60, [0, 5])
    event = AuditEvent.objects.get()
    assert (event.act, event.kind, event.key, event.by, event.at) == ("changed", "clinic", "1", manager, NOW)
    assert event.detail["horizon_days"] == [90, 60]


def test_saving_without_a_change_is_not_audited(desk: Client) -> None:
    make_policy()

    desk.post(url(Clinic, "change", 1), typed(desk, url(Clinic, "change", 1)))

    assert not AuditEvent.objects.exists()


def test_a_demo_cannot_be_made_in_the_admin(desk: Client) -> None:
    make_policy(is_demo=False)

    desk.post(url(Clinic, "change", 1), {**typed(desk, url(Clinic, "change", 1)), "is_demo": "on"})

    assert not Clinic.objects.get().is_demo


def test_what_bookings_point_at_is_retired_never_deleted(desk: Client, manager: User) -> None:
    make_one_of_everything(manager)

    for model in NEVER_DELETED:
        row = model._default_manager.all()[0]
        assert desk.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
        assert model._default_manager.filter(pk=row.pk).exists()
        assert 'deletelink"' not in desk.get(url(model, "change", row.pk)).content.decode(), model


def test_each_kind_of_resource_offers_only_its_own_codes(desk: Client) -> None:
    make_policy()

    offered = {
        model: [code for code, _ in desk.get(url(model, "add")).context["adminform"].form.fields["code"].choices]
        for model in (Practitioner, Room, Equipment)
    }

    assert offered == {
        Practitioner: ["A", "N", "D"],
        Room: ["CONS", "TREAT", "PROC"],
        Equipment: ["STEAMER", "DERMATOSCOPE", "CAMERA"],
    }


def test_a_room_stands_somewhere(desk: Client) -> None:
    make_policy()

    response = desk.post(url(Room, "add"), {"name": "Room 9", "slug": "room-9", "code": "TREAT", "position": "0"})

    assert "location" in response.context["adminform"].form.errors
    assert not Room.objects.exists()


def test_a_practitioner_is_added_with_working_hours(desk: Client) -> None:
    world = World(practitioners=0)
    hours = {
        "opening_hours-TOTAL_FORMS": "1",
        "opening_hours-INITIAL_FORMS": "0",
        "opening_hours-0-location": str(world.location.pk),
        "opening_hours-0-weekday": "2",
        "opening_hours-0-opens_at": "09:00",
        "opening_hours-0-closes_at": "13:00",
    }

    response = desk.post(
        url(Practitioner, "add"), {"name": "Ines Okafor", "slug": "ines", "code": "D", "position": "0", **hours}
    )

    assert response.status_code == 302
    ines = Practitioner.objects.get()
    assert [(each.weekday, each.opens_at) for each in ines.opening_hours.all()] == [(2, dt.time(9))]
    assert AuditEvent.objects.get().detail["opening hours"][0]["row"] == "Wednesday 09:00 to 13:00"


def test_the_house_does_not_show_the_hours_of_people(desk: Client) -> None:
    world = World()

    formset = desk.get(url(Location, "change", world.location.pk)).context["inline_admin_formsets"][0].formset

    assert {form.instance.practitioner_id for form in formset.initial_forms} == {None}
    assert len(formset.initial_forms) == 5


def test_times_of_an_absence_are_typed_by_the_clinics_clock(desk: Client) -> None:
    world = World()
    fields = {"starts_at_0": "2026-12-01", "starts_at_1": "13:00", "ends_at_0": "2026-12-01", "ends_at_1": "15:00"}

    desk.post(url(Absence, "add"), {"resource": str(world.practitioner.pk), **fields})

    assert Absence.objects.get().starts_at == local(dt.date(2026, 12, 1), 13)


def test_an_absence_of_nobody_is_explained(desk: Client) -> None:
    World()
    fields = {"starts_at_0": "2026-12-01", "starts_at_1": "13:00", "ends_at_0": "2026-12-01", "ends_at_1": "15:00"}

    response = desk.post(url(Absence, "add"), fields)

    assert response.status_code == 200
    assert not Absence.objects.exists()


def test_a_services_lists_are_ticked_and_typed_by_line(desk: Client) -> None:
    world = World()
    form = typed(desk, url(Service, "change", world.service.pk))

    response = desk.post(
        url(Service, "change", world.service.pk),
        {**form, "grades": ["D"], "equipment_kinds": ["STEAMER"], "good_for": "Blackheads\r\n\r\n Oily skin \r\n"},
    )

    service = Service.objects.get()
    assert response.status_code == 302
    assert (service.grades, service.equipment_kinds, service.good_for) == (
        ["D"],
        ["STEAMER"],
        ["Blackheads", "Oily skin"],
    )


def test_a_service_needs_a_grade_and_a_free_address(desk: Client) -> None:
    world = World()
    form = typed(desk, url(Service, "change", world.service.pk))

    response = desk.post(url(Service, "change", world.service.pk), {**form, "grades": [], "slug": "done"})

    assert set(response.context["adminform"].form.errors) == {"grades", "slug"}


def test_editing_the_catalogue_leaves_bookings_as_they_were(desk: Client) -> None:
    world = World()
    booking = world.book(local(MONDAY, 10))
    before = (Booking.objects.values().get(), list(Claim.objects.order_by("pk").values()))
    service, person, house = world.service, world.practitioner, world.location

    edits = [
        (
            url(Service, "change", service.pk),
            {"minutes": "60", "price": "99", "name": "Other", "retired_on": "2026-11-24"},
        ),
        (url(Practitioner, "change", person.pk), {"name": "New Name", "retired_on": "2026-11-24"}),
        (url(Location, "change", house.pk), {"time_zone": "Europe/London", "opening_hours-0-opens_at": "12:00"}),
        (url(Clinic, "change", 1), {"cut_off_minutes": "60", "late_fee": "50", "currency": "EUR"}),
    ]
    for address, edit in edits:
        sent = {**typed(desk, address), **edit}
        # The first press may only show which visits it would touch.
        answers = [desk.post(address, sent), desk.post(address, {**sent, "_seen": "1"})]
        assert answers[-1].status_code == 302

    service.refresh_from_db()
    assert (service.minutes, service.price) == (60, Decimal(99))
    assert (Booking.objects.values().get(), list(Claim.objects.order_by("pk").values())) == before
    assert booking.service_name == "Nose and T-zone blackhead extraction"


# Content


def test_an_edited_item_is_a_new_draft_version(desk: Client, manager: User) -> None:
    load(now=NOW)
    item = Item.objects.get(code="WHY-1")
    form = typed(desk, url(Item, "change", item.pk))

    response = desk.post(url(Item, "change", item.pk), {**form, "text": "Please do not squeeze."})

    item.refresh_from_db()
    assert response.status_code == 302
    assert (item.text, item.version, item.is_signed) == ("Please do not squeeze.", 2, False)
    revision = Revision.objects.get(kind="item", code="WHY-1", version=2)
    assert (revision.fields["text"], revision.written_by) == ("Please do not squeeze.", manager)
    assert AuditEvent.objects.get(kind="item").detail["text"][1] == "Please do not squeeze."


def test_an_unchanged_item_keeps_its_version(desk: Client) -> None:
    load(now=NOW)
    item = Item.objects.get(code="WHY-1")

    desk.post(url(Item, "change", item.pk), typed(desk, url(Item, "change", item.pk)))

    item.refresh_from_db()
    assert item.version == 1
    assert not AuditEvent.objects.filter(kind="item").exists()


# Read only


def test_records_are_to_read_only(desk: Client, manager: User) -> None:
    make_one_of_everything(manager)

    for model in READ_ONLY:
        row = model._default_manager.all()[0]
        before = model._default_manager.filter(pk=row.pk).values().get()
        answers = [
            desk.post(url(model, "change", row.pk), {"state": "cancelled", "name": "X"}).status_code,
            desk.post(url(model, "delete", row.pk), {"post": "yes"}).status_code,
            desk.post(url(model, "add"), {}).status_code,
        ]
        assert answers == [403, 403, 403], model
        assert model._default_manager.filter(pk=row.pk).values().get() == before


def test_bookings_are_found_by_reference_name_and_address(desk: Client) -> None:
    world = World()
    booking = world.book(local(MONDAY, 10), name="Sam Kay", email="sam@example.org")
    world.book(local(MONDAY, 11), name="Alex Poe", email="alex@example.org")

    for words in (booking.reference.lower(), "sam kay", "sam@example"):
        assert list(desk.get(url(Booking), {"q": words}).context["cl"].result_list) == [booking]


def test_bookings_are_filtered_by_practitioner_and_state(desk: Client) -> None:
    world = World(practitioners=2, rooms=2)
    mine = world.book(local(MONDAY, 10), practitioner=world.practitioners[0])
    world.book(local(MONDAY, 10), practitioner=world.practitioners[1])

    by_person = desk.get(url(Booking), {"practitioner": str(world.practitioners[0].pk)}).context["cl"]
    by_state = desk.get(url(Booking), {"state__exact": BookingState.CANCELLED}).context["cl"]

    assert list(by_person.result_list) == [mine]
    assert list(by_state.result_list) == []
    assert desk.get(url(Booking), {"practitioner": "nobody"}).status_code == 200


def test_the_index_lists_every_screen_once_in_the_order_of_setting_up(desk: Client) -> None:
    make_policy()

    groups = desk.get("/admin/").context["app_list"]

    assert [group["name"] for group in groups][:3] == ["Policy", "Places", "People"]
    assert "Other" not in {group["name"] for group in groups}
    listed = [model["model"] for group in groups for model in group["models"]]
    assert len(listed) == len(set(listed)) == len(admin.site._registry)


def test_there_is_one_door_for_all_staff(client: Client) -> None:
    make_policy()

    response = client.get(url(Item), follow=True)

    assert response.redirect_chain[-1][0] == "/accounts/login/?next=/admin/clinic/item/"
    assert client.post("/admin/login/", {"username": "manager", "password": "correct horse"}).status_code == 302


def test_staff_without_the_managers_flag_stay_outside(client: Client) -> None:
    make_policy()
    client.force_login(make_staff("reception", is_staff=False, is_superuser=False))

    assert client.get("/admin/", follow=True).status_code == 403


# Who signs in


def test_people_who_sign_in_are_closed_never_deleted(desk: Client, manager: User) -> None:
    someone = make_staff("leaver")

    response = desk.post(url(User, "delete", someone.pk), {"post": "yes"})

    assert response.status_code == 403
    assert "deletelink" not in desk.get(url(User, "change", someone.pk)).content.decode()


def test_a_new_sign_in_is_audited_without_its_password(desk: Client, manager: User) -> None:
    typed_password = "a very long new secret"
    sent = {"username": "newcomer", "password1": typed_password, "password2": typed_password, "usable_password": "true"}

    response = desk.post(url(User, "add"), sent)

    added = User.objects.get(username="newcomer")
    audited = AuditEvent.objects.get(kind="user", key=str(added.pk))
    assert response.status_code == 302
    assert (audited.act, audited.by, audited.detail["username"]) == ("added", manager, [None, "newcomer"])
    assert typed_password not in str(audited.detail)
    assert added.password not in str(audited.detail)


def test_a_changed_password_is_audited_by_name_only(desk: Client, manager: User) -> None:
    someone = make_staff("forgetful")
    sent = {"password1": "a very long new secret", "password2": "a very long new secret", "usable_password": "true"}

    desk.post(reverse("admin:auth_user_password_change", args=[someone.pk]), sent)

    someone.refresh_from_db()
    audited = AuditEvent.objects.get(kind="user", key=str(someone.pk))
    assert someone.check_password("a very long new secret")
    assert (audited.act, audited.by, audited.detail) == ("password changed", manager, {})


def test_a_role_that_people_have_is_not_deleted(desk: Client, manager: User) -> None:
    role, unused = Group.objects.create(name="reception"), Group.objects.create(name="nobody")
    make_staff("someone").groups.add(role)

    answers = [desk.post(url(Group, "delete", each.pk), {"post": "yes"}).status_code for each in (role, unused)]

    assert answers == [403, 302]
    assert list(Group.objects.values_list("name", flat=True)) == ["reception"]
    assert AuditEvent.objects.get(kind="group").detail == {"was": "nobody"}
