"""The desk's pages about answers: nothing for axe to find, nothing over the edge, and every act without a script."""

import datetime as dt
import re

from django.utils import timezone
from playwright.sync_api import Page, expect

from bookings import availability, lifecycle
from bookings.models import Booking, BookingState
from clinic.models import Clinic
from tests.browser.looking import problems
from tests.desk import DIABETES, book_with, page_of, someone
from tests.factories import World

WEEK = dt.timedelta(days=7)
SIXTEEN_YEARS = 16 * 366 * dt.timedelta(days=1)
MOTHER = lifecycle.GuardianDetails(name="Mo Kay", relation="mother", phone="+12125550124", email="mo@example.org")


def signed_in(page: Page, role: str) -> None:
    user = someone(role)
    user.set_password("correct horse")
    user.save()
    page.goto("/accounts/login/")
    page.locator("input[name=username]").fill(user.username)
    page.locator("input[name=password]").fill("correct horse")
    page.get_by_role("main").locator("form input[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/desk/"))


def asked_for(world: World) -> Booking:
    """A young patient with diabetes, a week ahead: everything that a clinician may have to look at."""
    Clinic.objects.update(online_from_age=13)
    now = timezone.now()
    start, *_ = availability.search(
        service=world.service,
        location=world.location,
        clinic=world.clinic,
        first=now.date() + WEEK,
        until=now.date() + 2 * WEEK,
        now=now,
    )
    young = {"name": "Sam Kay", "date_of_birth": now.date() - SIXTEEN_YEARS, "guardian": MOTHER}
    return book_with(world, start.at, DIABETES, without=("Q11",), now=now, **young)


def test_every_page_about_answers(open_page, world):
    page = open_page("/")
    booking = asked_for(world)
    signed_in(page, "clinician")
    names = ("booking", "answers", "shown", "ask", "approve", "close", "move")
    found = []
    for path in ["/desk/review/", *(page_of(booking, name) for name in names)]:
        page.goto(path)
        assert page.get_by_role("heading", level=1).count() == 1, path
        found += problems(page)

    assert found == []


def test_a_clinician_approves_and_asks_without_a_script(open_page, world):
    page = open_page("/", javascript=False)
    booking = asked_for(world)
    signed_in(page, "clinician")
    page.goto("/desk/review/")
    page.get_by_role("link", name="Approve").first.click()
    page.get_by_label("Why is it safe?").fill("Light extraction only")
    page.get_by_role("button", name="Approve").click()

    expect(page.get_by_role("main")).to_contain_text("Nothing to review.")
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED

    page.goto(page_of(booking))
    page.get_by_role("button", name="Mo Kay agrees, here").click()
    expect(page.locator(".messages")).to_contain_text("Mo Kay has agreed.")
    page.get_by_role("link", name="Ask all once more").click()
    page.locator("input[name=q1][value=yes]").check()
    page.get_by_role("button", name="Save the answers").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Get medical help first")
    booking.refresh_from_db()
    assert booking.state == BookingState.SUSPENDED
