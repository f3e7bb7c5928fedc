"""Nobody has more rights than their day needs: managers are no superusers, and practitioners see their own patients."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from bookings import lifecycle
from bookings.management.roles import make_groups
from clinic import second_factor
from clinic.models import AuditEvent, Practitioner
from tests.admin_pages import typed, url
from tests.desk import DIABETES, MONDAY, book_with, signed_in, someone, words_of
from tests.factories import NOW, local, make_policy, make_staff
from tests.online import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    make_policy()


@pytest.fixture
def manager() -> Client:
    return signed_in("manager", is_staff=True)


# Managers


def test_a_manager_lets_people_in_and_gives_them_roles(manager: Client) -> None:
    password = "a very long new secret"
    sent = {"username": "newcomer", "password1": password, "password2": password, "usable_password": "true"}
    manager.post(url(User, "add"), sent)
    newcomer = User.objects.get(username="newcomer")
    role = make_groups()["reception"]

    form = typed(manager, url(User, "change", newcomer.pk))
    saved = manager.post(url(User, "change", newcomer.pk), {**form, "groups": [str(role.pk)], "is_staff": ""})

    assert saved.status_code == 302
    assert list(newcomer.groups.all()) == [role]


def test_a_manager_makes_no_superuser_and_gives_no_single_rights(manager: Client) -> None:
    rae = someone("reception")
    page = manager.get(url(User, "change", rae.pk))
    sent = {**typed(manager, url(User, "change", rae.pk)), "is_superuser": "on", "user_permissions": ["1"]}

    saved = manager.post(url(User, "change", rae.pk), sent)

    rae.refresh_from_db()
    assert {"is_superuser", "user_permissions"}.isdisjoint(page.context["adminform"].form.fields)
    assert (saved.status_code, rae.is_superuser, rae.user_permissions.count()) == (302, False, 0)


def test_a_manager_leaves_superusers_alone(manager: Client) -> None:
    chief = make_staff("chief")
    secret = second_factor.new_secret()
    second_factor.TOTPDevice.objects.create(user=chief, name="phone", key=secret)
    new = {"password1": "a very long new secret", "password2": "a very long new secret", "usable_password": "true"}

    answers = [
        manager.post(url(User, "change", chief.pk), {"username": "chief", "is_active": ""}).status_code,
        manager.post(reverse("admin:auth_user_password_change", args=[chief.pk]), new).status_code,
        manager.get(url(User, "change", chief.pk)).status_code,
    ]
    manager.post(url(User), {"action": "turn_second_step_off", "_selected_action": [str(chief.pk)]})

    chief.refresh_from_db()
    assert answers == [403, 403, 200]
    assert chief.is_active
    assert chief.check_password("correct horse")
    assert second_factor.is_on(chief)
    assert not AuditEvent.objects.exists()


def test_a_superuser_still_makes_superusers() -> None:
    client = Client()
    client.force_login(make_staff("chief"))
    rae = someone("reception")
    form = {**typed(client, url(User, "change", rae.pk)), "is_superuser": "on", "groups": [], "user_permissions": []}

    saved = client.post(url(User, "change", rae.pk), form)

    rae.refresh_from_db()
    assert (saved.status_code, rae.is_superuser) == (302, True)


def test_signing_and_deciding_stay_with_clinicians(manager: Client) -> None:
    world = make_world()
    waiting = book_with(world, local(MONDAY, 10), DIABETES)
    user = User.objects.get(username="manager-1")

    assert not user.has_perm("clinic.sign_content")
    assert not lifecycle.is_clinician(user)
    assert [manager.get(path).status_code for path in ("/admin/sign-off/", "/admin/content-pack/")] == [403, 403]
    assert manager.get(reverse("desk:approve", args=[waiting.reference])).status_code == 403
    assert manager.get(reverse("desk:answers", args=[waiting.reference])).status_code == 403
    assert "sign-off" not in manager.get("/admin/").content.decode()


def test_the_index_offers_a_manager_each_set_up_screen(manager: Client) -> None:
    page = manager.get("/admin/")

    offered = {model["object_name"] for group in page.context["app_list"] for model in group["models"]}
    assert {"Clinic", "Location", "OpeningHours", "Practitioner", "Room", "Equipment", "Service", "User"} <= offered
    assert {"Item", "Wording", "Question", "Rule", "Group", "ApiKey", "Booking", "AuditEvent"} <= offered


def test_who_takes_a_role_can_be_read_in_the_log(manager: Client) -> None:
    """A manager may put anybody else into any role: it stands in the audit."""
    user = someone("reception")
    role = Group.objects.get(name="clinician")
    form = typed(manager, url(User, "change", user.pk))

    manager.post(url(User, "change", user.pk), {**form, "groups": [str(role.pk)]})

    assert "groups" in AuditEvent.objects.get(act="changed", kind="user").detail


# Practitioners


def test_the_review_queue_shows_a_practitioner_their_own_patients_only() -> None:
    world = make_world(practitioners=2, rooms=2)
    own, other = (
        book_with(world, local(MONDAY, 10), DIABETES, practitioner=each, name=f"Robin {each.slug}")
        for each in world.practitioners
    )
    client = signed_in("practitioner")
    Practitioner.objects.update(user=None)
    Practitioner.objects.filter(pk=own.practitioner_id).update(user=User.objects.get(username="practitioner-1"))

    seen = {role: signed_in(role).get("/desk/review/").content.decode() for role in ("reception", "clinician")}
    mine = client.get("/desk/review/")

    assert own.reference in mine.content.decode()
    assert other.reference not in mine.content.decode()
    assert "maya1" not in words_of(mine)
    assert all(own.reference in html and other.reference in html for html in seen.values())


def test_a_practitioner_who_is_nobody_of_the_diary_sees_no_visit() -> None:
    world = make_world()
    waiting = book_with(world, local(MONDAY, 10), DIABETES)
    client = signed_in("practitioner")
    Practitioner.objects.update(user=None)

    assert waiting.reference not in client.get("/desk/review/").content.decode()
    assert client.get(reverse("desk:booking", args=[waiting.reference])).status_code == 404


def test_nobody_says_what_they_may_do_themselves(manager: Client) -> None:
    me = User.objects.get(username="manager-1")
    role = make_groups()["clinician"]
    form = manager.get(url(User, "change", me.pk)).context["adminform"].form
    sent = {**typed(manager, url(User, "change", me.pk)), "groups": [str(role.pk)]}

    saved = manager.post(url(User, "change", me.pk), sent)

    assert {"groups", "is_staff", "is_active"}.isdisjoint(form.fields)
    assert saved.status_code == 302
    assert [group.name for group in me.groups.all()] == ["manager"]


def test_a_manager_gives_no_role_the_rights_of_a_clinician(manager: Client) -> None:
    roles = make_groups()

    page = manager.get(url(Group, "change", roles["reception"].pk)).context["adminform"].form
    offered = set(page.fields["permissions"].queryset.values_list("codename", flat=True))

    assert {"decide_reviews", "view_answers", "sign_content"}.isdisjoint(offered)
    assert "view_reports" in offered
    assert manager.post(url(Group, "change", roles["clinician"].pk), {"name": "clinician"}).status_code == 403
