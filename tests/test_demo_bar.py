"""Looking around a demo clinic as anyone."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse

from tests.factories import make_location, make_policy, make_staff

pytestmark = pytest.mark.django_db

URL = "/demo/role/"


@pytest.mark.parametrize(
    ("role", "username"),
    [
        ("receptionist", "reception"),
        ("practitioner", "practitioner"),
        ("clinician", "clinician"),
        ("manager", "manager"),
    ],
)
def test_one_click_signs_in_as_that_role(client: Client, role: str, username: str) -> None:
    make_policy(is_demo=True)
    user = make_staff(username)

    response = client.post(URL, {"role": role})

    assert response["Location"] == reverse("desk:day")
    assert client.session[SESSION_KEY] == str(user.pk)


def test_a_patient_is_signed_in_as_nobody(client: Client) -> None:
    make_policy(is_demo=True)
    client.force_login(make_staff("manager"))

    response = client.post(URL, {"role": "patient"})

    assert response["Location"] == reverse("home")
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize("role", ["", "root", "reception", "patient\x00"])
def test_another_role_is_not_found(client: Client, role: str) -> None:
    make_policy(is_demo=True)
    make_staff("reception")

    assert client.post(URL, {"role": role}).status_code == 404
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize("role", ["patient", "receptionist", "manager"])
def test_a_real_clinic_has_no_such_door(client: Client, role: str) -> None:
    make_policy(is_demo=False)
    for username in ("reception", "manager"):
        make_staff(username)

    assert client.post(URL, {"role": role}).status_code == 404
    assert SESSION_KEY not in client.session


def test_a_role_is_taken_by_post_with_the_pages_token_only(client: Client) -> None:
    make_policy(is_demo=True)
    make_staff("manager")

    assert client.get(URL, {"role": "manager"}).status_code == 405
    assert Client(enforce_csrf_checks=True).post(URL, {"role": "manager"}).status_code == 403


def test_a_switched_off_user_is_not_signed_in(client: Client) -> None:
    make_policy(is_demo=True)
    make_staff("manager", is_active=False)

    assert client.post(URL, {"role": "manager"}).status_code == 404


@pytest.mark.parametrize(("is_demo", "bars"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("path", ["/", "/desk/", "/admin/", "/admin/clinic/service/"])
def test_the_bar_stands_on_every_page_of_a_demo(client: Client, path: str, is_demo: bool, bars: int) -> None:
    make_policy(is_demo=is_demo)
    make_location()
    client.force_login(make_staff("manager"))

    assert client.get(path).content.decode().count('class="demo-bar"') == bars
