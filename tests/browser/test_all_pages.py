"""Every page, in both themes and at both ends of width: nothing for axe to find, nothing over the edge."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from bookings import emails, lifecycle, links
from bookings.models import Booking, Guardian, OutgoingEmail
from clinic import content
from clinic.models import Topic
from tests.browser.looking import problems
from tests.browser.test_whole_way import fill_in, go_on, to_the_details
from tests.factories import World, make_staff

PUBLIC = [
    "/",
    "/services/",
    "/services/nose/",
    "/guidance/",
    "/spot/",
    "/squeezed/",
    "/privacy/",
    "/accounts/login/",
    "/book/nose/check/",
    "/book/nose/",
    "/book/nose/?view=list",
    "/book/nose/call/",
    "/book/details/",
    "/visit/tampered/",
    "/nowhere/",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page(open_page, path):
    assert problems(open_page(path)) == []


def test_the_guidance_pages(open_page):
    page = open_page("/guidance/")
    found = []
    for topic in Topic.objects.all():
        page.goto(f"/guidance/{topic.code}/")
        found += problems(page)

    assert found == []


def test_the_spots_and_the_visits_they_lead_to(open_page):
    content.load_services(now=timezone.now())
    page = open_page("/spot/")
    rows = page.locator(".spot-row a")
    paths = [rows.nth(each).get_attribute("href") for each in range(rows.count())]
    found = []
    for path in [*paths, "/services/stubborn/", "/services/teen/"]:
        page.goto(path)
        found += problems(page)

    assert len(paths) == 6
    assert found == []


def test_the_booking_pages_with_and_without_errors(open_page):
    page = open_page("/book/nose/check/")
    found = []
    page.get_by_role("main").locator("form button[type=submit], form input[type=submit]").first.click()
    expect(page).to_have_title(re.compile("^Error:"))
    found += problems(page)
    to_the_details(page)
    found += problems(page)
    go_on(page, "Continue")
    expect(page).to_have_title(re.compile("^Error:"))
    found += problems(page)
    fill_in(page)
    go_on(page, "Continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check and book")
    found += problems(page)
    go_on(page, "Book this visit")
    expect(page).to_have_url(re.compile(r"/book/done/$"))
    found += problems(page)
    page.goto("/book/done/email/")
    found += problems(page)

    assert found == []


def test_the_help_page(open_page):
    page = open_page("/book/nose/check/")
    page.locator("input[name=q1][value=yes]").check()
    page.get_by_role("main").locator("form button[type=submit], form input[type=submit]").first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Get medical help first")
    assert not Booking.objects.exists()
    assert problems(page) == []


def test_a_time_that_was_just_taken(open_page, world):
    page = open_page("/book/nose/?practitioner=maya")
    button = page.locator("button[name=start]").first
    start = dt.datetime.fromisoformat(button.get_attribute("value") or "")
    world.book(start, now=timezone.now(), practitioner=world.practitioner)

    button.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("That time has just been taken")
    assert page.locator("button[name=start]").count() > 0
    assert problems(page) == []


def booked(world: World, page: Page) -> Booking:
    """A visit in some days, at the first time on offer."""
    page.goto("/book/nose/")
    value = page.locator("button[name=start]").last.get_attribute("value") or ""
    return world.book(dt.datetime.fromisoformat(value), now=timezone.now())


def test_the_visit_pages(open_page, world):
    page = open_page("/")
    booking = booked(world, page)
    found = []
    for path in (re.sub(r"^https?://[^/]+", "", emails.visit_link(booking)), "/visit/move/", "/visit/cancel/"):
        page.goto(path)
        found += problems(page)
    lifecycle.cancel(booking, reason="", by=make_staff("someone"), now=timezone.now())
    page.goto("/visit/")
    found += problems(page)

    assert found == []


def test_the_questions_around_a_visit(open_page, world):
    page = open_page("/")
    booking = booked(world, page)
    parent = Guardian.objects.create(
        booking=booking, name="Alex Example", relation="mother", phone="+12125550188", email="alex@example.org"
    )
    page.goto(re.sub(r"^https?://[^/]+", "", emails.visit_link(booking)))
    found = []
    for path in ("/visit/squeezed/", "/visit/squeezed/thanks/", "/visit/help/"):
        page.goto(path)
        found += problems(page)
    page.goto("/visit/recheck/")
    page.get_by_role("main").locator("form [type=submit]").last.click()
    expect(page).to_have_title(re.compile("^Error:"))
    found += problems(page)
    page.goto(f"/guardian/{links.make_guardian(parent.pk, parent.link_version)}/")
    found += problems(page)

    assert found == []


def test_the_desk(open_page, world):
    make_staff("reception")
    page = open_page("/accounts/login/")
    booking = booked(world, page)
    lifecycle.ask_us_to_call(
        clinic=world.clinic, name="Robin Example", phone="+12125550123", note="Wants to book", now=timezone.now()
    )
    page.goto("/accounts/login/")
    page.locator("input[name=username]").fill("reception")
    page.locator("input[name=password]").fill("correct horse")
    page.get_by_role("main").locator("form button[type=submit], form input[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/desk/"))
    day = booking.local_date.isoformat()
    message = OutgoingEmail.objects.get(booking=booking, kind="confirmed")
    ref = booking.reference
    paths = ["/desk/", f"/desk/?date={day}", "/desk/mail/", f"/desk/mail/{message.pk}/", "/desk/tasks/"]
    paths += [f"/desk/bookings/{ref}/{tail}" for tail in ("", "email/", "move/", "cancel/")]
    found = []
    for path in paths:
        page.goto(path)
        assert page.get_by_role("heading", level=1).count() == 1, path
        found += problems(page)

    assert found == []
