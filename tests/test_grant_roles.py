"""An upgrade brings new rights to the roles that a clinic already has."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from bookings.management.roles import ROLES, make_groups

pytestmark = pytest.mark.django_db


def grant() -> str:
    said = StringIO()
    call_command("grant_roles", stdout=said)
    return said.getvalue()


def held(role: str) -> set[str]:
    return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))


def test_every_right_that_a_role_names_exists() -> None:
    make_groups()

    assert {role: held(role) for role in ROLES} == ROLES


def test_what_a_role_lacks_is_given_and_named() -> None:
    groups = make_groups()
    groups["reception"].permissions.remove(*Permission.objects.filter(codename__in=["add_payment", "add_booking"]))

    said = grant()

    assert said == "reception: add_booking, add_payment\n"
    assert held("reception") == ROLES["reception"]


def test_rights_that_a_clinic_added_stay() -> None:
    own = Permission.objects.get(codename="view_reports")
    make_groups()["reception"].permissions.add(own)
    Group.objects.create(name="accountant").permissions.add(own)

    grant()

    assert held("reception") == ROLES["reception"] | {"view_reports"}
    assert held("accountant") == {"view_reports"}


def test_a_second_run_gives_nothing() -> None:
    first, second = grant(), grant()

    assert [line.partition(":")[0] for line in first.splitlines()] == list(ROLES)
    assert second == "Every role has its rights already.\n"


def test_a_role_that_was_deleted_comes_back() -> None:
    make_groups()["practitioner"].delete()

    said = grant()

    assert said.startswith("practitioner: add_payment, ")
    assert held("practitioner") == ROLES["practitioner"]
