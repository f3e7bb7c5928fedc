"""People at the desk: who is ill, who leaves, two records of one patient, words of messages, and who may see what."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from bookings import displaced
from bookings.models import Booking, OutgoingEmail, Patient
from clinic.models import Absence, OpeningHours
from tests.browser.desk import Desk, looked_at, press, said
from tests.desk import MONDAY, TUESDAY
from tests.factories import World, load_signed_content, local
from tests.full_day import HALF_AN_HOUR, Place, fill, fill_for

NOW = local(MONDAY, 10, 50)
NEXT_MONDAY = MONDAY + dt.timedelta(days=7)
WEEKS, WEEKDAYS = 8, 5
TO_MOVE = re.compile(r"/desk/to-move/")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Monday, ten to eleven, and going on from there; before the world is made."""
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def world(clock: time_machine.Traveller, transactional_db: None) -> World:
    """Maya and two others."""
    load_signed_content(timezone.now())
    return World(practitioners=3, rooms=3, cut_off_minutes=60)


@pytest.fixture
def desk(world: World, open_page: Callable[..., Page]) -> Desk:
    return Desk(open_page)


def with_maya(world: World, *starts: dt.datetime) -> list[Booking]:
    return fill(world, [Place(start, world.practitioner, world.rooms[0]) for start in starts])


def left_with_maya(world: World) -> list[dt.date]:
    """The days of the visits that she still has."""
    return [each.local_date for each in Booking.objects.upcoming().filter(practitioner=world.practitioner)]


def told() -> list[tuple[str, str]]:
    """Who got which mail."""
    mails = OutgoingEmail.objects.exclude(kind="staff_notice").values_list("recipient", "kind")
    return sorted(mails)


def moved_mails(bookings: list[Booking]) -> list[tuple[str, str]]:
    """One e-mail to each patient, which says that the visit has moved."""
    people = (each.patient for each in bookings if each.patient)
    return sorted((f"{each.name} <{each.email}>", "moved") for each in people)


def test_a_sick_day_of_six_visits_is_moved_and_mailed_in_one_go(desk: Desk, world: World) -> None:
    six = with_maya(world, *(local(MONDAY, 11, 30) + HALF_AN_HOUR * n for n in range(6)))
    page = desk.open("reception", "/desk/absences/")

    press(page, "Maya is ill today")
    expect(page).to_have_url(TO_MOVE)
    said(page, "Maya is away today.")
    expect(page.get_by_role("heading", level=1)).to_have_text("6 visits to move")
    press(page, "Move 6 visits")
    said(page, "6 visits moved. Emails are on their way.")

    expect(page.get_by_role("heading", level=1)).to_have_text("No visits to move")
    assert MONDAY not in left_with_maya(world)
    assert Booking.objects.upcoming().count() == len(six)
    assert told() == moved_mails(six)


def test_who_leaves_with_forty_visits_over_eight_weeks_has_none_at_the_end(desk: Desk, world: World) -> None:
    days = [NEXT_MONDAY + dt.timedelta(days=7 * week + day) for week in range(WEEKS) for day in range(WEEKDAYS)]
    forty = with_maya(world, *(local(day, 10) for day in days))
    page = desk.open("manager", "/desk/absences/")

    page.locator("#leaving ~ ul").get_by_role("link", name="Maya Ruiz").click()
    page.locator("input[name=on]").fill(TUESDAY.isoformat())
    page.get_by_role("main").locator("form [type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("It affects 40 visits over 8 weeks")
    press(page, "Save")
    expect(page).to_have_url(TO_MOVE)
    press(page, "Move 40 visits")
    said(page, "40 visits moved. Emails are on their way.")

    expect(page.get_by_role("heading", level=1)).to_have_text("No visits to move")
    assert left_with_maya(world) == []
    assert Booking.objects.upcoming().count() == len(forty)
    assert displaced.count(displaced.everybody(), now=timezone.now()) == 0
    assert told() == moved_mails(forty)


def twice_robin(world: World) -> tuple[Patient, Patient]:
    """Two records of one person, each with a visit."""
    said_twice = {"email": "robin@example.org", "phone": "+12125550123", "created_at": NOW}
    first, second = (Patient.objects.create(name=name, **said_twice) for name in ("Robin Example", "Robin Exemple"))
    places = [Place(local(NEXT_MONDAY, hour), world.practitioner, world.rooms[0]) for hour in (10, 12)]
    fill_for(world, zip(places, (first, second), strict=True))
    return first, second


def test_two_records_become_one_and_two_again(desk: Desk, world: World) -> None:
    kept, other = twice_robin(world)
    page = desk.open("reception", f"/desk/patients/{kept.pk}/")
    visits = page.locator("#to-come + ul a[href^='/desk/bookings/']")
    expect(visits).to_have_count(1)

    page.get_by_role("link", name="Compare and merge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Are they the same person?")
    expect(page.get_by_label("Robin Example", exact=True)).to_be_checked()
    page.get_by_label("They are the same person").check()
    press(page, "Merge the two")
    said(page, "Merged. 1 visit came along.")
    expect(visits).to_have_count(2)
    assert set(Booking.objects.values_list("patient", flat=True)) == {kept.pk}

    page.get_by_role("button", name="Undo this merge").click()
    said(page, "Two records again: Robin Example and Robin Exemple.")
    expect(visits).to_have_count(1)
    assert sorted(Booking.objects.values_list("patient", flat=True)) == [kept.pk, other.pk]


def test_a_message_is_worded_previewed_and_saved_and_the_next_one_says_it(desk: Desk, world: World) -> None:
    page = desk.open("manager", "/desk/messages/")
    page.locator("a[href='/desk/messages/confirmed/']").first.click()
    page.get_by_label("Subject").fill("See you soon")
    page.get_by_label("Opening").fill("The door is blue, {nome}.")
    press(page, "Save")
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.locator(".error-summary")).to_contain_text("{nome}")
    page.get_by_label("Opening").fill("The door is blue, {name}.")
    press(page, "Preview")
    expect(page.locator("pre.letter")).to_contain_text("The door is blue, ")
    expect(page.get_by_role("main")).to_contain_text("Nothing is saved yet.")
    press(page, "Save")
    said(page, "Saved.")

    world.book(local(NEXT_MONDAY, 10), name="Sam Kay", now=timezone.now())

    mail = OutgoingEmail.objects.get(kind="confirmed")
    assert mail.subject == "See you soon"
    assert "The door is blue, Sam Kay." in mail.text


def test_reports_are_closed_to_reception_and_open_to_a_manager(desk: Desk, world: World) -> None:
    page = desk.open("reception", "/desk/")
    expect(page.get_by_role("link", name="Reports")).to_have_count(0)
    refused = page.goto("/desk/reports/")
    assert refused
    assert refused.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("This page is not open to you")
    expect(page.get_by_role("main")).to_contain_text("If you need it for your work, ask your manager.")

    manager = desk.open("manager", "/desk/")
    manager.get_by_role("link", name="Reports").click()
    expect(manager.get_by_role("heading", level=1)).to_contain_text("Reports from")


def test_shorter_hours_are_shown_first_and_ask_before_they_leave_a_visit_out(desk: Desk, world: World) -> None:
    with_maya(world, local(NEXT_MONDAY, 9))
    hours = OpeningHours.objects.get(practitioner=world.practitioner, weekday=0)
    page = desk.open("manager", reverse("admin:clinic_openinghours_change", args=[hours.pk]), is_staff=True)
    page.evaluate("window.isTheSamePage = true")
    page.locator("input[name=opens_at]").fill("11:00")

    page.get_by_role("button", name="Show how it would be").click()
    expect(page.locator("#open-weeks")).to_contain_text("11am to 5pm")
    assert page.evaluate("window.isTheSamePage")
    expect(page.locator("input[name=opens_at]")).to_have_value("11:00")

    page.locator("input[name=_save]").click()
    expect(page.get_by_text("1 visit that is booked already could not stay")).to_be_visible()
    hours.refresh_from_db()
    assert hours.opens_at == dt.time(9)
    page.get_by_role("button", name="Save all the same").click()
    expect(page.locator(".messagelist")).to_be_visible()
    hours.refresh_from_db()
    assert hours.opens_at == dt.time(11)


def test_the_pages_about_people_in_three_widths(desk: Desk, world: World) -> None:
    kept, other = twice_robin(world)
    with_maya(world, *(local(MONDAY, hour) for hour in (14, 15)))
    away = {"starts_at": local(MONDAY, 13), "ends_at": local(MONDAY, 17), "reason": "Ill"}
    absence = Absence.objects.create(resource=world.practitioner, **away)
    page = desk.open("manager", "/desk/")
    found = looked_at(
        page,
        [
            "/desk/patients/",
            f"/desk/patients/{kept.pk}/",
            f"/desk/patients/{kept.pk}/merge/{other.pk}/",
            "/desk/to-move/",
            "/desk/absences/",
            f"/desk/absences/{absence.pk}/",
            "/desk/people/maya/leaving/",
            "/desk/reports/",
            "/desk/reports/utilisation/",
            "/desk/messages/",
            "/desk/messages/confirmed/",
        ],
    )

    assert found == []
