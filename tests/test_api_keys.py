"""Who may post: programs with a key that stands, and nobody by any other way."""

import re
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from bookings.models import ApiKey, Booking, IdempotencyKey
from clinic.models import AuditEvent
from tests.factories import NOW, make_staff
from tests.online import TEN
from tests.programs import Program, open_world

pytestmark = pytest.mark.django_db
BODY = {"service": "nose", "start": TEN.isoformat()}


@pytest.fixture(autouse=True)
def world():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield open_world()


def manage(*words: str) -> str:
    said = StringIO()
    call_command("api_key", *words, stdout=said, stderr=StringIO())
    return said.getvalue()


@pytest.mark.parametrize("what", ["holds", "bookings"])
def test_without_a_key_nothing_is_done(what):
    program, sent = Program(), ["", "Bearer", "Bearer ", "Bearer wrong", "Basic abc", f"Bearer 00000000.{'x' * 43}"]

    answers = [program.post(what, BODY, Authorization=words) for words in sent]

    assert {(answer.status_code, answer["WWW-Authenticate"]) for answer in answers} == {(401, "Bearer")}
    assert {answer.json()["code"] for answer in answers} == {"unauthorized"}
    assert (Booking.objects.count(), IdempotencyKey.objects.count()) == (0, 0)


def test_a_key_with_one_other_letter_is_no_key():
    program = Program()
    other = program.words[:-1] + ("A" if program.words[-1] != "A" else "B")

    assert program.post("holds", BODY, Authorization=f"Bearer {other}").status_code == 401
    assert program.hold().status_code == 201


def test_the_key_may_stand_in_a_header_of_its_own():
    program = Program()

    answer = program.post("holds", BODY, **{"Authorization": "", "X-Api-Key": program.words})

    assert answer.status_code == 201


def test_a_revoked_key_opens_nothing():
    program = Program()
    program.key.revoke(now=NOW)

    answer = program.hold()

    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")
    assert Booking.objects.count() == 0


def test_somebody_who_is_signed_in_is_nobody_here():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff("manager"))

    answer = client.post("/api/v1/holds", BODY, content_type="application/json", headers={"Idempotency-Key": "a"})

    assert answer.status_code == 401
    assert dict(answer.cookies) == {}


def test_answers_set_no_cookie_are_not_stored_and_are_for_no_other_site():
    for answer in (Program().hold(), Program().post("holds", "{")):
        assert dict(answer.cookies) == {}
        assert answer["Cache-Control"] == "no-store"
        assert answer["Content-Type"] == "application/json"
        assert "Access-Control-Allow-Origin" not in answer


def test_only_post_is_understood():
    asks = [(method, what) for method in ("get", "put", "delete") for what in ("holds", "bookings")]

    answers = [getattr(Client(enforce_csrf_checks=True), method)(f"/api/v1/{what}") for method, what in asks]

    assert {(answer.status_code, answer["Allow"]) for answer in answers} == {(405, "POST")}
    assert answers[0].json() == {"code": "method_not_allowed", "error": "Only POST is understood here."}


def test_a_runaway_program_is_told_to_wait_and_others_are_not(settings):
    settings.API_CALLS_PER_MINUTE = 2
    runaway, other = Program(), Program()

    statuses = [runaway.hold(practitioner="nobody").status_code for _ in range(3)]
    last = runaway.hold(practitioner="nobody")

    assert statuses == [404, 404, 429]
    assert (last.json()["code"], last["Retry-After"]) == ("too_many", "60")
    assert other.hold().status_code == 201


def test_whoever_guesses_keys_is_slowed_down(settings):
    settings.API_CALLS_PER_MINUTE = 2
    program = Program()

    statuses = [program.post("holds", BODY, Authorization="Bearer wrong").status_code for _ in range(3)]

    assert statuses == [401, 401, 429]


def test_only_a_hash_of_a_key_is_kept():
    key, words = ApiKey.objects.make("App", now=NOW)

    kept = ApiKey.objects.filter(pk=key.pk).values().get()

    assert words.partition(".")[2] not in str(kept)
    assert ApiKey.objects.of(words) == key
    assert str(key) == f"App ({words[:8]}…)"


def test_the_command_makes_a_key_that_books_and_prints_it_once():
    words = manage("make", " Wellness app ").strip()
    program = Program()

    answer = program.post("holds", BODY, Authorization=f"Bearer {words}")

    assert answer.status_code == 201
    assert ApiKey.objects.of(words).name == "Wellness app"
    assert words not in manage("list")


def test_the_command_lists_and_revokes():
    program = Program("Old app")

    assert manage("list") == f"{program.key.prefix}  Old app, made 2026-11-23\n"
    assert "opens nothing any more" in manage("revoke", program.key.prefix)
    assert manage("list").endswith(", revoked 2026-11-23\n")
    assert "revoked before" in manage("revoke", program.key.prefix)
    assert program.hold().status_code == 403


@pytest.mark.parametrize("words", [("make", ""), ("make", "x" * 81), ("revoke", "00000000")])
def test_the_command_says_what_it_cannot_do(words):
    with pytest.raises(CommandError, match=re.compile("name cannot be used|No key begins")):
        manage(*words)
    assert ApiKey.objects.count() == 0


def test_a_manager_revokes_in_the_admin_and_it_is_written_down(client):
    manager = make_staff("manager")
    client.force_login(manager)
    program, kept = Program(), Program()
    chosen = {"action": "revoke", "_selected_action": [program.key.pk]}

    page = client.post("/admin/bookings/apikey/", chosen, follow=True)
    client.post("/admin/bookings/apikey/", chosen)

    assert "1 revoked. What they booked stands." in page.content.decode()
    assert (program.hold().status_code, kept.hold().status_code) == (403, 201)
    [event] = AuditEvent.objects.filter(act="revoked")
    assert (event.by, event.kind, event.key) == (manager, "apikey", str(program.key.pk))


def test_who_may_only_look_revokes_nothing(client):
    staff = make_staff("auditor", is_superuser=False)
    staff.user_permissions.set(Permission.objects.filter(codename="view_apikey"))
    client.force_login(staff)
    program = Program()

    client.post("/admin/bookings/apikey/", {"action": "revoke", "_selected_action": [program.key.pk]})

    assert not ApiKey.objects.get(pk=program.key.pk).is_revoked


def test_no_page_of_the_admin_shows_a_digest(client):
    client.force_login(make_staff("manager"))
    program = Program()

    pages = [client.get(f"/admin/bookings/apikey/{path}") for path in ("", f"{program.key.pk}/change/")]

    assert [page.status_code for page in pages] == [200, 200]
    assert not any(program.key.digest in page.content.decode() for page in pages)
