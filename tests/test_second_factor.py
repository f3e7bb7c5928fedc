"""A code from the phone as the second step of signing in, and what the clinic may ask of its staff."""

import base64
import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from bookings.desk import second_factor as pages
from bookings.management.roles import make_groups
from clinic import second_factor
from clinic.models import AuditEvent
from tests.admin_pages import url
from tests.desk import signed_in, someone, words_of
from tests.factories import NOW, World, make_policy, make_staff

pytestmark = pytest.mark.django_db

PAGE, OFF, CODES = "/accounts/two-factor/", "/accounts/two-factor/off/", "/accounts/two-factor/codes/"
SIGN_IN, CODE = "/accounts/login/", "/accounts/login/code/"
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    make_policy()


@pytest.fixture
def rae() -> User:
    return someone("reception", password=PASSWORD)


def shown_by(secret: str) -> str:
    """What an authenticator app shows now, computed by the app's own rule."""
    return f"{totp(bytes.fromhex(secret)):06}"


def set_up(user: User) -> tuple[str, list[str]]:
    """Their phone, a minute ago, so that the code of now is unused."""
    secret = second_factor.new_secret()
    codes = second_factor.turn_on(user, secret=secret, code=shown_by(secret))
    TOTPDevice.objects.update(last_t=0)
    return secret, codes


def with_password(username: str = "reception-1", *, onward: str = "") -> Client:
    client = Client()
    client.post(SIGN_IN, {"username": username, "password": PASSWORD, "next": onward})
    return client


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def secret_of(page: Any) -> str:
    """The secret that stands as text on the page, as hexadecimal digits."""
    [text] = re.findall(r'class="secret">([A-Z2-7 ]+)<', page.content.decode())
    return base64.b32decode(text.replace(" ", "")).hex()


# Turning it on


def test_a_phone_is_set_up_with_a_picture_a_secret_and_a_code(rae: User) -> None:
    client = signed_in("reception")
    before = client.session.session_key
    page = client.get(PAGE)
    html, secret = page.content.decode(), secret_of(page)
    sealed = page.context["form"].initial["secret"]

    done = client.post(PAGE, {"secret": sealed, "code": shown_by(secret)})

    assert re.search(r'<svg class="qr"[^>]*>.*<path class="qr-dark" d="M\d+ \d+h1v1h-1z', html, re.DOTALL)
    assert not re.search(r"\sstyle=|data:image|<style", html)
    codes = re.findall(r"<li><code>([a-z2-7]{5}-[a-z2-7]{5})</code>", done.content.decode())
    assert (done.status_code, len(set(codes))) == (200, 10)
    assert "no-store" in done["Cache-Control"]
    assert second_factor.is_on(rae)
    assert client.session.session_key != before
    again = client.get(PAGE).content.decode()
    assert "10 spare codes left" in again
    assert not [code for code in codes if code in again]
    assert secret_of(page) not in again


def test_the_picture_holds_what_an_app_reads(rae: User) -> None:
    make_policy(name="Linden & Söhne")
    page = signed_in("reception").get(PAGE)

    address = pages._address(rae, secret_of(page), "Linden & Söhne")
    assert address.startswith("otpauth://totp/Linden%20%26%20S%C3%B6hne%3Areception-1?secret=")
    assert address.endswith("&issuer=Linden%20%26%20S%C3%B6hne")
    assert page.context["picture"] == pages.picture(address)


def test_a_wrong_code_turns_nothing_on_and_keeps_the_picture(rae: User) -> None:
    client = signed_in("reception")
    page = client.get(PAGE)
    sealed = page.context["form"].initial["secret"]

    wrong = client.post(PAGE, {"secret": sealed, "code": "000000"})

    assert wrong.status_code == 422
    assert "That code is not right" in wrong.content.decode()
    assert secret_of(wrong) == secret_of(page)
    assert not second_factor.is_on(rae)
    assert not TOTPDevice.objects.exists()


def test_a_secret_is_good_for_one_person_and_one_hour(rae: User, time_machine: Any) -> None:
    client, other = signed_in("reception"), signed_in("clinician")
    page = other.get(PAGE)
    sealed = page.context["form"].initial["secret"]

    foreign = client.post(PAGE, {"secret": sealed, "code": shown_by(secret_of(page))})
    time_machine.move_to(NOW + dt.timedelta(minutes=29), tick=False)
    other.get(PAGE)
    time_machine.move_to(NOW + dt.timedelta(minutes=58), tick=False)
    other.get(PAGE)
    time_machine.move_to(NOW + dt.timedelta(minutes=61), tick=False)
    late = other.post(PAGE, {"secret": sealed, "code": shown_by(secret_of(page))})

    assert (foreign.status_code, late.status_code, late["Location"]) == (302, 302, PAGE)
    assert not TOTPDevice.objects.exists()


def test_sent_twice_it_is_on_once(rae: User) -> None:
    client = signed_in("reception")
    page = client.get(PAGE)
    sent = {"secret": page.context["form"].initial["secret"], "code": shown_by(secret_of(page))}

    first, second = client.post(PAGE, sent), client.post(PAGE, sent)

    assert (first.status_code, second.status_code) == (200, 200)
    assert "The second step is on" in words_of(second)
    assert TOTPDevice.objects.count() == 1
    assert StaticToken.objects.count() == 10


def test_two_pages_that_turn_it_on_at_once_leave_one_phone(rae: User) -> None:
    set_up(rae)
    secret = second_factor.new_secret()

    with pytest.raises(second_factor.IsOn):
        second_factor.turn_on(rae, secret=secret, code=shown_by(secret))

    assert TOTPDevice.objects.count() == 1


# At the door


def test_the_password_alone_opens_nothing(rae: User) -> None:
    set_up(rae)

    client = with_password()

    assert not is_in(client)
    assert client.get("/desk/")["Location"].startswith(SIGN_IN)
    assert "Your password was right. Now the second step." in words_of(client.get(CODE))


def test_the_code_signs_in_with_a_new_session_and_leads_on(rae: User) -> None:
    secret, _ = set_up(rae)
    client = with_password(onward="/desk/review/")
    before = client.session.session_key

    answer = client.post(CODE, {"code": shown_by(secret)})

    assert (answer.status_code, answer["Location"]) == (302, "/desk/review/")
    assert is_in(client)
    assert client.session.session_key != before
    assert client.get("/desk/").status_code == 200


def test_a_code_opens_once(rae: User, time_machine: Any) -> None:
    secret, _ = set_up(rae)
    code = shown_by(secret)

    first, second = with_password(), with_password()
    first.post(CODE, {"code": code})
    refused = second.post(CODE, {"code": code})

    assert (is_in(first), is_in(second), refused.status_code) == (True, False, 422)
    time_machine.move_to(NOW + dt.timedelta(seconds=30), tick=False)
    second.post(CODE, {"code": f" {shown_by(secret)[:3]} {shown_by(secret)[3:]} "})
    assert is_in(second)


def test_a_spare_code_opens_once(rae: User) -> None:
    _, codes = set_up(rae)
    clients = [with_password(), with_password(), with_password()]

    clients[0].post(CODE, {"code": codes[0]})
    clients[1].post(CODE, {"code": codes[0]})
    clients[2].post(CODE, {"code": codes[1].upper().replace("-", " ")})

    assert [is_in(client) for client in clients] == [True, False, True]
    assert second_factor.spare_codes_left(rae) == 8


def test_spare_codes_are_kept_as_hashes(rae: User) -> None:
    _, codes = set_up(rae)

    kept = set(StaticToken.objects.values_list("token", flat=True))

    assert len(kept) == 10
    assert not kept & {code.replace("-", "") for code in codes}


def test_five_wrong_codes_shut_the_door_for_five_minutes(rae: User, time_machine: Any) -> None:
    secret, _ = set_up(rae)

    answers = [with_password().post(CODE, {"code": "000000"}) for _ in range(6)]
    right = with_password().post(CODE, {"code": shown_by(secret)})
    time_machine.move_to(NOW + dt.timedelta(minutes=5), tick=False)
    client = with_password()
    client.post(CODE, {"code": shown_by(secret)})

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert (right.status_code, right["Retry-After"]) == (429, "300")
    assert "Wait 5 minutes" in right.content.decode()
    assert is_in(client)


def test_right_codes_are_not_counted(rae: User, time_machine: Any) -> None:
    _, codes = set_up(rae)

    clients = [with_password() for _ in range(7)]
    for client, code in zip(clients, codes, strict=False):
        client.post(CODE, {"code": code})

    assert [is_in(client) for client in clients] == [True] * 7


@pytest.mark.parametrize("code", ["", "12345", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666", "\x00", "a" * 41])
def test_what_is_no_code_is_refused(rae: User, code: str) -> None:
    set_up(rae)

    assert with_password().post(CODE, {"code": code}).status_code == 422


def test_the_way_in_ends_with_a_new_password_and_a_closed_account(rae: User) -> None:
    secret, _ = set_up(rae)
    changed, closed = with_password(), with_password()

    rae.is_active = False
    rae.save()
    answers = [closed.post(CODE, {"code": shown_by(secret)})]
    rae.is_active = True
    rae.set_password("another horse")
    rae.save()
    answers.append(changed.post(CODE, {"code": shown_by(secret)}))

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, SIGN_IN)}
    assert not is_in(changed)
    assert not is_in(closed)


def test_the_way_in_ends_after_ten_minutes(rae: User, time_machine: Any) -> None:
    secret, _ = set_up(rae)
    in_time, late = with_password(), with_password()

    time_machine.move_to(NOW + dt.timedelta(minutes=10), tick=False)
    in_time.post(CODE, {"code": shown_by(secret)})
    time_machine.move_to(NOW + dt.timedelta(minutes=11), tick=False)
    answer = late.post(CODE, {"code": shown_by(secret)})

    assert (is_in(in_time), is_in(late)) == (True, False)
    assert answer["Location"] == SIGN_IN


def test_nobody_meets_the_code_page_without_a_password() -> None:
    assert Client().get(CODE)["Location"] == SIGN_IN
    assert Client().post(CODE, {"code": "123456"})["Location"] == SIGN_IN


# Turning it off


def test_turning_off_needs_the_password(rae: User) -> None:
    set_up(rae)
    client = signed_in("reception")

    wrong = client.post(OFF, {"password": "guess"})
    still_on = second_factor.is_on(rae)
    right = client.post(OFF, {"password": PASSWORD})

    assert (wrong.status_code, still_on) == (422, True)
    assert (right.status_code, second_factor.is_on(rae)) == (302, False)
    assert not StaticToken.objects.exists()
    assert is_in(with_password())


def test_guessing_the_password_of_an_open_desk_is_stopped(rae: User) -> None:
    set_up(rae)
    client = signed_in("reception")

    answers = [client.post(OFF, {"password": f"guess {number}"}).status_code for number in range(6)]

    assert answers == [422] * 5 + [429]
    assert client.post(OFF, {"password": PASSWORD}).status_code == 429
    assert second_factor.is_on(rae)


def test_new_spare_codes_end_the_old_ones(rae: User) -> None:
    _, old = set_up(rae)
    client = signed_in("reception")

    page = client.post(CODES, {"password": PASSWORD})
    new = re.findall(r"<li><code>([^<]+)</code>", page.content.decode())
    with_old, with_new = with_password(), with_password()
    with_old.post(CODE, {"code": old[0]})
    with_new.post(CODE, {"code": new[0]})

    assert len(set(new) - set(old)) == 10
    assert (is_in(with_old), is_in(with_new)) == (False, True)


# A manager helps


def test_a_manager_resets_a_lost_phone_and_that_is_audited(rae: User) -> None:
    set_up(rae)
    ines = make_staff("ines", is_superuser=False)
    ines.groups.add(make_groups()["manager"])
    client = Client()
    client.force_login(ines)
    page = client.get(url(User))

    client.post(url(User), {"action": "turn_second_step_off", "_selected_action": [str(rae.pk)]})

    on = re.findall(r'field-has_second_step"><img[^>]*alt="(\w+)"', page.content.decode())
    assert sorted(on) == ["False", "True"]
    assert not second_factor.is_on(rae)
    event = AuditEvent.objects.get(act="second factor off")
    assert (event.kind, event.key, event.by) == ("user", str(rae.pk), ines)


def test_secrets_are_in_no_audit_row_and_on_no_admin_page(rae: User) -> None:
    client = signed_in("reception")
    page = client.get(PAGE)
    secret = secret_of(page)
    client.post(PAGE, {"secret": page.context["form"].initial["secret"], "code": shown_by(secret)})
    chief = Client()
    chief.force_login(make_staff("chief"))

    seen = [chief.get(url(User)), chief.get(url(User, "change", rae.pk)), chief.get("/admin/")]

    assert [event.act for event in AuditEvent.objects.all()] == ["second factor on"]
    assert secret not in str(list(AuditEvent.objects.values()))
    assert not [each for each in seen if secret in each.content.decode()]
    assert "otp_" not in seen[-1].content.decode().lower()
    assert chief.get("/admin/otp_totp/totpdevice/").status_code == 404


# Where the clinic asks for it


def test_who_has_no_second_step_is_led_to_it_and_opens_nothing_else(rae: User) -> None:
    make_policy(requires_second_factor=True)
    chief = make_staff("chief")
    for user in (rae, chief):
        client = Client()
        client.force_login(user)
        answers = {path: client.get(path) for path in ("/desk/", "/desk/review/", "/admin/", "/admin/clinic/item/")}

        for path, answer in answers.items():
            assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?next={path}")
        assert client.post("/admin/auth/user/add/", {}).status_code == 302
        assert "The desk opens once this is set up" in client.get(PAGE).content.decode()


def test_once_set_up_the_desk_opens(rae: User) -> None:
    make_policy(requires_second_factor=True)
    client = signed_in("reception")
    page = client.get(f"{PAGE}?next=/desk/review/")
    sent = {"secret": page.context["form"].initial["secret"], "code": shown_by(secret_of(page))}

    done = client.post(f"{PAGE}?next=/desk/review/", sent)

    assert '<a class="btn" href="/desk/review/">' in done.content.decode()
    assert client.get("/desk/review/").status_code == 200


def test_a_session_from_before_signs_in_again(rae: User) -> None:
    secret, _ = set_up(rae)
    client = signed_in("reception")
    make_policy(requires_second_factor=True)

    answer = client.get("/desk/")

    assert (answer.status_code, answer["Location"]) == (302, f"{SIGN_IN}?next=/desk/")
    assert not is_in(client)
    properly = with_password()
    properly.post(CODE, {"code": shown_by(secret)})
    assert properly.get("/desk/").status_code == 200


def test_a_reset_phone_closes_the_desk_until_there_is_a_new_one(rae: User) -> None:
    make_policy(requires_second_factor=True)
    secret, _ = set_up(rae)
    client = with_password()
    client.post(CODE, {"code": shown_by(secret)})

    second_factor.turn_off(rae)

    assert client.get("/desk/")["Location"].startswith(PAGE)


def test_the_admins_own_sign_in_is_no_way_around(rae: User) -> None:
    chief = make_staff("chief")
    set_up(chief)
    client = Client()

    answer = client.post("/admin/login/", {"username": "chief", "password": PASSWORD}, follow=True)
    client.post(SIGN_IN, {"username": "chief", "password": PASSWORD, "next": "/admin/"})

    assert answer.redirect_chain[-1][0] == f"{SIGN_IN}?next=/admin/"
    assert not is_in(client)


def test_patients_and_programs_are_not_asked() -> None:
    World(requires_second_factor=True)

    assert Client().get("/").status_code == 200
    assert Client().get("/api/v1/services").status_code == 200
    assert signed_in("reception").get("/services/").status_code == 200


def test_a_demo_never_asks(rae: User) -> None:
    make_policy(requires_second_factor=True, is_demo=True)
    client = signed_in("reception")

    assert client.get("/desk/").status_code == 200
    assert "This is a demo" in words_of(client.get(PAGE))
    assert client.post(PAGE, {"secret": "x", "code": "123456"}).status_code == 200
    assert not TOTPDevice.objects.exists()


def test_the_pages_name_their_addresses() -> None:
    names = ("sign_in", "sign_in_code", "two_factor", "two_factor_off", "two_factor_codes")

    assert [reverse(name) for name in names] == [SIGN_IN, CODE, PAGE, OFF, CODES]
