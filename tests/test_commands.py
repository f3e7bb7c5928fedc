"""``demo`` and ``setup_clinic``: what they make, what they refuse, and that a second run changes nothing."""

import datetime as dt
import socket
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F

from bookings import availability, displaced, integrity
from bookings.management import demo_desk, demo_diary
from bookings.models import (
    Booking,
    BookingState,
    ConsentWay,
    Guardian,
    MailState,
    OutgoingEmail,
    Patient,
    Payment,
    Task,
    VisitNote,
)
from bookings.models.states import UNDER_WAY, UPCOMING
from clinic.models import Absence, AuditEvent, Clinic, Item, Location, Practitioner, Service
from tests.factories import NOW, make_policy

pytestmark = pytest.mark.django_db
ANSWERS = {
    "name": "Harbour Skin Clinic",
    "email": "desk@harbour.example.org",
    "country": "gb",
    "phone": "020 7946 0018",
    "emergency_number": "999",
    "urgent_line": "111",
    "currency": "gbp",
    "time_zone": "Europe/London",
    "address": "1 Quay Road; London; E1 6AN",
    "manager_username": "ines",
    "manager_email": "ines@harbour.example.org",
}


@pytest.fixture
def small_diary(monkeypatch):
    """Friday to Thursday, and emptier than the real demo; the way it is drawn is the same."""
    monkeypatch.setattr(demo_diary, "DAYS_BACK", 3)
    monkeypatch.setattr(demo_diary, "DAYS_AHEAD", 3)
    monkeypatch.setattr(demo_diary, "NEAR_DAYS", 1)
    monkeypatch.setattr(demo_diary, "NEAR_SHARE", 0.25)
    monkeypatch.setattr(demo_diary, "SHARE", 0.1)


def demo(now: dt.datetime = NOW) -> str:
    said = StringIO()
    with time_machine.travel(now, tick=False):
        call_command("demo", "--no-serve", stdout=said)
    return said.getvalue()


def set_up(**answers: str | None) -> str:
    said = StringIO()
    given = {name: answer for name, answer in {**ANSWERS, **answers}.items() if answer is not None}
    call_command("setup_clinic", "--no-input", stdout=said, stderr=said, **given)
    return said.getvalue()


def dump() -> dict[str, list[tuple[object, ...]]]:
    """Every row of ours and of the accounts."""
    models: list[Any] = [
        *apps.get_app_config("clinic").get_models(),
        *apps.get_app_config("bookings").get_models(),
        User,
    ]
    return {str(model): list(model._default_manager.order_by("pk").values_list()) for model in models}


def visits_by_start() -> list[tuple[object, ...]]:
    """Those that were booked before today: nobody has walked in yet when the day begins."""
    fields = ("starts_at", "service__slug", "practitioner__slug", "room__slug", "patient__name", "held_at")
    ahead = Booking.objects.filter(held_at__lt=NOW - dt.timedelta(hours=9))
    return list(ahead.order_by("starts_at", "practitioner__slug", "held_at").values_list(*fields))


def local_days(bookings) -> set[dt.date]:
    return {booking.local_date for booking in bookings.select_related("location")}


def leaves_room(location: Location, day: dt.date) -> bool:
    """Whether somebody may still book a nose extraction on that day."""
    found = availability.search(
        service=Service.objects.get(slug="nose"),
        location=location,
        clinic=location.clinic,
        first=day,
        until=day + dt.timedelta(days=1),
        now=NOW,
    )
    return bool(found)


def assert_somebody_is_away(now: dt.datetime) -> None:
    """For half a day, over two or three visits of the days after tomorrow; and for an hour of today."""
    to_move = displaced.find(displaced.everybody(), now=now)
    assert 2 <= len(to_move) <= 3
    assert {each.booking.local_date for each in to_move} <= {dt.date(2026, 11, 25), dt.date(2026, 11, 26)}
    hours = Absence.objects.filter(ends_at=F("starts_at") + dt.timedelta(hours=1))
    assert [each.starts_at.date() for each in hours] == [dt.date(2026, 11, 23)]


def test_the_demo_is_a_clinic_one_can_walk_through(small_diary, client):
    said = demo()

    clinic = Clinic.objects.get()
    assert clinic.is_demo
    assert not clinic.is_online_paused
    assert set(Service.objects.values_list("slug", flat=True)) == {
        "consult",
        "nose",
        "face",
        "facial",
        "milia",
        "body",
        "stubborn",
        "teen",
        "review",
    }
    assert Practitioner.objects.count() == 6
    assert set(Practitioner.objects.values_list("code", flat=True)) == {"A", "N", "D"}
    assert "http://localhost:8000/desk/" in said
    assert said.count("extraction-demo") == 4
    open_days = {dt.date(2026, 11, day) for day in (20, 21, 23, 24, 25, 26)}
    assert local_days(Booking.objects.visits()) == open_days
    may = {}
    for user in User.objects.all():
        assert client.login(username=user.username, password="extraction-demo")
        may[user.username] = (user.is_staff, user.has_perm("bookings.view_booking"))
    assert may == {
        "reception": (False, True),
        "practitioner": (False, True),
        "clinician": (True, True),
        "manager": (True, True),
    }


def test_the_demo_is_sound_fuller_near_today_and_nobody_gets_its_mail(small_diary):
    demo()

    assert set(integrity.counts(NOW).values()) == {0}
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {MailState.SENT}
    assert not Booking.objects.exclude(patient__email__endswith="@example.org").exists()
    over, to_come = (Booking.objects.visits().filter(**{f"ends_at__{side}": NOW}) for side in ("lte", "gt"))
    assert set(over.values_list("state", flat=True)) <= {BookingState.COMPLETED, BookingState.MISSED}
    assert over.filter(state=BookingState.COMPLETED).exists()
    assert set(to_come.values_list("state", flat=True)) <= UPCOMING | UNDER_WAY
    kinds = Task.objects.open().order_by("kind").values_list("kind", flat=True)
    assert list(kinds) == ["call_back", "call_back", "call_back", "check_in", "recheck"]
    assert Booking.objects.in_review().count() == 4
    assert Guardian.objects.filter(agreed_at=None).count() == 1
    near, far = dt.date(2026, 11, 24), dt.date(2026, 11, 26)
    booked = [booking.local_date for booking in Booking.objects.visits().select_related("location")]
    assert booked.count(near) > booked.count(far) > 0
    assert all(leaves_room(Location.objects.get(), day) for day in (near, far))


def test_the_demo_shows_a_desk_at_work(small_diary, monkeypatch):
    monkeypatch.setattr(demo_diary, "NEAR_DAYS", 3)
    monkeypatch.setattr(demo_desk, "NOTED_SHARE", 0.5)
    now = NOW + dt.timedelta(hours=5)

    demo(now)

    visits = Booking.objects.visits().select_related("location", "patient").order_by("starts_at")
    completed = visits.filter(state=BookingState.COMPLETED)
    assert VisitNote.objects.filter(booking__in=completed).exists()
    assert {each.state for each in visits.filter(payments__isnull=False)} == {BookingState.COMPLETED}
    assert 0 < Payment.objects.count() < completed.count()
    assert [(each.local_date, each.state) for each in visits.filter(late_minutes=10)] == [
        (dt.date(2026, 11, 23), BookingState.CONFIRMED)
    ]
    missed = [each.patient.name for each in visits.filter(state=BookingState.MISSED)]
    assert {missed.count(name) for name in missed} == {1, 2}
    assert any(each.local_date == dt.date(2026, 11, 21) for each in visits.filter(state=BookingState.MISSED))
    [walk_in] = visits.filter(events__verb="rule bent", events__detail__reason="Walk-in")
    assert (walk_in.local_date, walk_in.state) == (dt.date(2026, 11, 23), BookingState.ARRIVED)
    assert ConsentWay.SPOKEN in walk_in.consents.values_list("way", flat=True)
    [asked] = visits.filter(is_screening_outstanding=True, guardian=None)
    assert OutgoingEmail.objects.filter(booking=asked, kind="answer").count() == 1
    [twice] = Patient.objects.filter(email__contains=".home@")
    assert [other.name for other in Patient.objects.like(twice)] == [twice.name]
    noted = Task.objects.open().filter(notes__isnull=False).order_by("kind")
    assert [(each.kind, each.assigned_to.username) for each in noted] == [
        ("call_back", "reception"),
        ("check_in", "clinician"),
    ]
    assert_somebody_is_away(now)


def test_the_demo_twice_on_a_day_changes_no_row(small_diary):
    demo()
    before = dump()

    said = demo(NOW + dt.timedelta(hours=5))

    assert dump() == before
    assert "The diary is full already" in said


def test_the_hour_of_the_run_makes_no_difference_to_who_comes_when(small_diary):
    demo(NOW - dt.timedelta(hours=6))
    early = visits_by_start()
    for model in (OutgoingEmail, Payment, Booking, Patient, Absence, AuditEvent):
        model.objects.all().delete()

    demo(NOW + dt.timedelta(hours=9))

    assert visits_by_start() == early


def test_a_later_day_tops_the_diary_up_and_keeps_what_was_there_and_what_was_changed(small_diary):
    demo()
    before = {booking.pk: booking.starts_at for booking in Booking.objects.all()}
    Clinic.objects.update(name="Renamed")
    Practitioner.objects.filter(slug="maya").update(name="Maya Renamed")

    demo(NOW + dt.timedelta(days=3))

    assert Clinic.objects.get().name == "Renamed"
    assert Practitioner.objects.get(slug="maya").name == "Maya Renamed"
    after = {booking.pk: booking.starts_at for booking in Booking.objects.all()}
    assert before.items() <= after.items()
    assert max(local_days(Booking.objects.filter(pk__in=before))) == dt.date(2026, 11, 26)
    assert max(local_days(Booking.objects.visits())) == dt.date(2026, 11, 28)
    assert not Booking.objects.filter(state=BookingState.CONFIRMED, ends_at__lte=NOW + dt.timedelta(days=3)).exists()
    assert set(integrity.counts(NOW).values()) == {0}


def test_the_demo_refuses_a_real_clinic_and_leaves_it_alone():
    make_policy(name="A real one")
    before = dump()

    with pytest.raises(CommandError, match="holds a real clinic"):
        demo()

    assert dump() == before


def test_a_taken_port_is_named_before_anything_is_made():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CommandError, match=f"Port {port} cannot be used"):
            call_command("demo", "--port", str(port))

    assert not Clinic.objects.exists()


def test_a_real_clinic_is_set_up_empty_and_paused(monkeypatch):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")

    said = set_up()

    clinic, location, manager = Clinic.objects.get(), Location.objects.get(), User.objects.get()
    assert (clinic.is_demo, clinic.is_online_paused) == (False, True)
    assert (clinic.phone, clinic.country, clinic.currency) == ("+442079460018", "GB", "GBP")
    assert location.address == "1 Quay Road\nLondon\nE1 6AN"
    assert (manager.username, manager.is_staff, manager.is_superuser) == ("ines", True, False)
    assert manager.has_perms(["clinic.change_clinic", "auth.add_user"])
    assert manager.check_password("quayside otter lamp")
    assert Item.objects.exists()
    assert Service.objects.count() == 9
    assert not Practitioner.objects.exists()
    assert not Booking.objects.exists()
    assert "Online booking is paused" in said


def test_a_test_mail_goes_to_the_manager_where_mail_is_sent(monkeypatch, settings):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")
    settings.MAIL_IS_SENT = True

    said = set_up()

    [message] = mail.outbox
    assert message.to == ["ines@harbour.example.org"]
    assert message.from_email == "Harbour Skin Clinic <desk@harbour.example.org>"
    assert "A test e-mail went to ines@harbour.example.org." in said


def test_without_a_mail_server_that_is_said_and_nothing_is_sent(monkeypatch, settings):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")
    settings.MAIL_IS_SENT = False

    assert "EMAIL_URL is not set" in set_up()
    assert mail.outbox == []


def test_a_mail_server_that_does_not_answer_does_not_undo_the_clinic(monkeypatch, settings):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")
    settings.MAIL_IS_SENT = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()

        said = set_up()

    assert "The test e-mail was not sent" in said
    assert Clinic.objects.exists()


@pytest.mark.parametrize(
    ("option", "typed"),
    [
        ("name", None),
        ("email", "desk"),
        ("phone", "12"),
        ("phone", "desk"),
        ("emergency_number", ""),
        ("currency", "pounds"),
        ("time_zone", "London"),
        ("address", " ; "),
        ("manager_username", "ines of the quay"),
        ("manager_email", "ines"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named_and_nothing_is_made(monkeypatch, option, typed):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")

    with pytest.raises(CommandError, match=f"^--{option.replace('_', '-')}: .+\\.$"):
        set_up(**{option: typed})

    assert (Clinic.objects.count(), Item.objects.count(), User.objects.count()) == (0, 0, 0)


def test_all_answers_that_cannot_be_used_are_named_at_once(monkeypatch):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")

    with pytest.raises(CommandError) as refused:
        set_up(country="Britain", phone=None, manager_email="ines")

    named = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert named == ["--country", "--phone", "--manager-email"]


@pytest.mark.parametrize(("password", "says"), [("", "Put the manager's password"), ("short", "too short")])
def test_a_password_that_cannot_be_used_makes_nothing(monkeypatch, password, says):
    monkeypatch.setenv("MANAGER_PASSWORD", password)

    with pytest.raises(CommandError, match=says):
        set_up()

    assert (Clinic.objects.count(), User.objects.count()) == (0, 0)


def test_questions_are_asked_again_until_the_answer_can_be_used(monkeypatch):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")
    typed = iter(["London", "Europe/London"])
    monkeypatch.setattr("builtins.input", lambda label: next(typed))
    options = {name: answer for name, answer in ANSWERS.items() if name != "time_zone"}
    complaints = StringIO()

    call_command("setup_clinic", stdout=StringIO(), stderr=complaints, **options)

    assert Location.objects.get().time_zone == "Europe/London"
    assert complaints.getvalue() == "Use a name like America/New_York or Europe/London.\n"


def test_without_anybody_to_ask_nothing_is_made(monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(""))

    with pytest.raises(CommandError, match="Nobody answered"):
        call_command("setup_clinic", stdout=StringIO())

    assert not Clinic.objects.exists()


@pytest.mark.parametrize(("is_demo", "says"), [(True, "holds the demo"), (False, "is set up already")])
def test_set_up_refuses_a_database_that_holds_a_clinic(monkeypatch, is_demo, says):
    monkeypatch.setenv("MANAGER_PASSWORD", "quayside otter lamp")
    make_policy(is_demo=is_demo)
    before = dump()

    with pytest.raises(CommandError, match=says):
        set_up()

    assert dump() == before
