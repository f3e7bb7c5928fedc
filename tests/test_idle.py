"""Who walks away from a desk is signed out, and so is everybody whose password was changed."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.desk import signed_in
from tests.factories import NOW, World, make_staff

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/login/"
MINUTE = dt.timedelta(minutes=1)
SAID = "You were signed out after 30 minutes without use."


@pytest.fixture(autouse=True)
def after(time_machine: Any) -> Callable[[float], None]:
    """Move the clock to so many minutes after everybody signed in."""
    time_machine.move_to(NOW, tick=False)
    return lambda minutes: time_machine.move_to(NOW + minutes * MINUTE, tick=False)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def desk(world: World) -> Client:
    return signed_in("reception")


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_after_half_an_hour_without_use_the_desk_asks_again_and_leads_back(
    desk: Client, after: Callable[[float], None]
) -> None:
    after(29.9)
    assert desk.get("/desk/review/").status_code == 200
    after(29.9 + 30)

    out = desk.get("/desk/review/?x=1")

    assert (out.status_code, out["Location"]) == (302, f"{SIGN_IN}?next=/desk/review/%3Fx%3D1")
    assert not is_in(desk)
    assert SAID in desk.get(out["Location"]).content.decode()
    User.objects.update(is_active=True)
    user = User.objects.get()
    user.set_password("correct horse")
    user.save()
    back = desk.post(
        out["Location"], {"username": "reception-1", "password": "correct horse", "next": "/desk/review/?x=1"}
    )
    assert back["Location"] == "/desk/review/?x=1"


def test_use_keeps_somebody_in_all_day(desk: Client, after: Callable[[float], None]) -> None:
    for minutes in range(0, 8 * 60, 25):
        after(minutes)
        assert desk.get("/desk/").status_code == 200


def test_a_board_that_keeps_itself_fresh_is_no_use(desk: Client, after: Callable[[float], None]) -> None:
    """It asks every few seconds; after half an hour the whole page goes to the sign-in."""
    polls = {"HX-Request": "true", "HX-Current-URL": "http://testserver/desk/?date=2026-11-30"}
    for minutes in (10, 20, 29):
        after(minutes)
        assert desk.get("/desk/?date=2026-11-30&live=1", headers=polls).status_code == 200
    after(30)

    out = desk.get("/desk/?date=2026-11-30&live=1", headers=polls)

    assert out["HX-Redirect"] == f"{SIGN_IN}?next=/desk/%3Fdate%3D2026-11-30"
    assert not is_in(desk)


def test_typing_ahead_is_use(desk: Client, after: Callable[[float], None]) -> None:
    after(20)
    desk.get("/desk/", headers={"HX-Request": "true"})
    after(45)

    assert desk.get("/desk/").status_code == 200


def test_the_clinic_says_how_long(world: World, after: Callable[[float], None]) -> None:
    type(world.clinic).objects.update(idle_minutes=1)
    desk = signed_in("reception")
    for seconds in (50, 55, 100, 150):
        after(seconds / 60)
        assert desk.get("/desk/").status_code == 200
    after(3.6)

    out = desk.get("/desk/", follow=True)

    assert "You were signed out after 1 minute without use." in out.content.decode()


def test_the_clock_is_written_once_a_minute(desk: Client, after: Callable[[float], None]) -> None:
    stamps = []
    for seconds in (10, 30, 59, 60, 90, 119, 125):
        after(seconds / 60)
        desk.get("/desk/")
        stamps.append(desk.session["last_use"] - int(NOW.timestamp()))

    assert stamps == [0, 0, 0, 60, 60, 60, 125]


def test_an_act_is_not_repeated_and_leads_back_to_its_page(desk: Client, after: Callable[[float], None]) -> None:
    after(31)

    out = desk.post("/desk/bookings/AAAAAA/arrive/", headers={"Referer": "http://testserver/desk/bookings/AAAAAA/"})
    elsewhere = signed_in("clinician")
    after(62)
    foreign = elsewhere.post("/desk/tasks/1/done/", headers={"Referer": "https://elsewhere.example/x"})

    assert out["Location"] == f"{SIGN_IN}?next=/desk/bookings/AAAAAA/"
    assert foreign["Location"] == f"{SIGN_IN}?next=/desk/"


def test_the_set_up_pages_sign_out_too(world: World, after: Callable[[float], None]) -> None:
    chief = Client()
    chief.force_login(make_staff("chief"))
    after(31)

    assert chief.get("/admin/clinic/room/")["Location"] == f"{SIGN_IN}?next=/admin/clinic/room/"


def test_a_session_from_before_the_clock_begins_with_its_next_use(desk: Client, after: Callable[[float], None]) -> None:
    session = desk.session
    del session["last_use"]
    session.save()
    after(40)

    assert desk.get("/desk/").status_code == 200
    after(71)
    assert desk.get("/desk/").status_code == 302


def test_patients_and_the_way_out_know_no_clock(desk: Client, after: Callable[[float], None]) -> None:
    after(40)

    assert desk.get("/services/").status_code == 200
    assert desk.post("/accounts/logout/")["Location"] == "/"


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_new_password_signs_out_everywhere(world: World, is_superuser: bool) -> None:
    user = make_staff("ines", is_superuser=is_superuser)
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(user)
    user.set_password("another horse")
    user.save()

    assert [client.get("/admin/").status_code for client in clients] == [302, 302]
    assert not any(is_in(client) for client in clients)
