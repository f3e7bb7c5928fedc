"""Staff change their own password: with the old one, everybody else on it is signed out, and the log says so."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from clinic.models import AuditEvent, Clinic
from tests.desk import someone, words_of
from tests.factories import NOW, make_policy, make_staff

pytestmark = pytest.mark.django_db

PAGE, SIGN_IN = "/accounts/password/", "/accounts/login/"
OLD, NEW = "correct horse", "a long new secret"
TYPED = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    make_policy()


@pytest.fixture
def rae() -> User:
    return someone("reception", password=OLD)


def sign_in(password: str = OLD) -> Client:
    client = Client()
    client.post(SIGN_IN, {"username": "reception-1", "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def test_a_new_password_ends_every_other_session_and_stands_in_the_log(rae: User) -> None:
    here, elsewhere = sign_in(), sign_in()

    changed = here.post(PAGE, TYPED, follow=True)

    assert "Your password is changed. Everywhere else you are signed out." in changed.content.decode()
    assert (is_in(here), is_in(elsewhere)) == (True, False)
    assert "_auth_user_id" in sign_in(NEW).session
    assert "_auth_user_id" not in sign_in(OLD).session
    [event] = AuditEvent.objects.filter(act="password changed")
    assert (event.by, event.kind, event.key, event.detail) == (rae, "user", str(rae.pk), {})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"old_password": "wrong horse"}, "That is not your password."),
        ({"new_password2": "another secret"}, "The new passwords differ. Type the same one twice."),
        ({"new_password1": "short", "new_password2": "short"}, "It must contain at least 12 characters."),
        ({"old_password": ""}, "Enter the password you have now"),
    ],
)
def test_what_cannot_be_a_new_password_changes_nothing(rae: User, typed: dict[str, str], said: str) -> None:
    answer = sign_in().post(PAGE, {**TYPED, **typed})

    assert (answer.status_code, said in words_of(answer)) == (422, True)
    assert NEW not in answer.content.decode()
    rae.refresh_from_db()
    assert rae.check_password(OLD)
    assert not AuditEvent.objects.filter(act="password changed").exists()


def test_guessing_the_old_password_at_an_open_desk_is_stopped(rae: User) -> None:
    client = sign_in()
    unlike = {**TYPED, "new_password2": "another secret"}
    # With the right password a slip in the new one is no guess.
    assert [client.post(PAGE, unlike).status_code for _ in range(6)] == [422] * 6

    answers = [client.post(PAGE, {**TYPED, "old_password": f"guess {each}"}).status_code for each in range(6)]

    assert answers == [422] * 5 + [429]
    assert client.post(PAGE, TYPED).status_code == 429


def test_the_page_stands_where_the_name_leads(rae: User) -> None:
    client = sign_in()

    assert f'href="{PAGE}"' in client.get("/accounts/two-factor/").content.decode()
    assert "Change your password" in words_of(client.get(PAGE))
    assert Client().get(PAGE)["Location"].startswith(SIGN_IN)


def test_the_admin_leads_to_the_same_page() -> None:
    client = Client()
    client.force_login(make_staff())

    assert client.get("/admin/password_change/")["Location"] == PAGE


def test_in_a_demo_everybody_shares_the_passwords_and_keeps_them(rae: User) -> None:
    Clinic.objects.update(is_demo=True)
    client = sign_in()

    answer = client.post(PAGE, TYPED)

    rae.refresh_from_db()
    assert rae.check_password(OLD)
    assert "This is a demo: its passwords stay as they are." in words_of(answer)
