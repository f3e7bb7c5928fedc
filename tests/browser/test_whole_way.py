"""A patient goes from the home page to a booked visit, moves it and cancels it, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from bookings import emails
from bookings.models import Booking, BookingState

SAID = {"name": "Robin Example", "email": "robin@example.org", "phone": "212 555 0123"}
BORN = {"date_of_birth_day": "17", "date_of_birth_month": "3", "date_of_birth_year": "1990"}
MOST_PAGES = 7


def go_on(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()


def to_the_details(page: Page) -> list[str]:
    """From home to the details form; the addresses of the pages on the way."""
    seen = [page.url]
    page.goto("/services/nose/")
    seen.append(page.url)
    page.locator("a[href='/book/nose/check/']").first.click()
    seen.append(page.url)
    say_no(page)
    page.get_by_role("main").locator("form input[type=submit], form button.btn[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/book/nose/(\?|$)"))
    seen.append(page.url)
    page.locator("button[name=start]").first.click()
    expect(page).to_have_url(re.compile(r"/book/details/$"))
    return [*seen, page.url]


def questions(page: Page) -> list[Locator]:
    """The "no" and "none of these" of every question. Waits for the page that asks them, and for all of it."""
    boxes = page.locator("main form input[type=radio][value=no], main form input[type=checkbox][value=no]")
    expect(boxes.first).to_be_visible()
    page.wait_for_load_state("domcontentloaded")
    return boxes.all()


def say_no(page: Page) -> None:
    """To every question on the page."""
    for box in questions(page):
        box.check()


def say_no_by_keyboard(page: Page) -> None:
    for box in questions(page):
        box.focus()
        page.keyboard.press("Space")


def fill_in(page: Page) -> int:
    """Fill in and tick everything that is asked; how many fields had to be typed, a date being one."""
    say_no(page)
    for name, value in {**SAID, **BORN}.items():
        page.locator(f"input[name={name}]").fill(value)
    for_me = page.locator("input[name=for_whom][value=me]")
    if not for_me.is_checked():
        for_me.check()
    page.locator("input[name=guidance_read]").check()
    page.locator("input[name=consent]").check()
    return len(SAID) + 1


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_from_home_to_booked_to_moved_to_cancelled(open_page, javascript):
    page = open_page("/", javascript=javascript)

    seen = to_the_details(page)
    typed = fill_in(page)
    go_on(page, "Continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check and book")
    go_on(page, "Book this visit")
    expect(page).to_have_url(re.compile(r"/book/done/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")

    assert len({*seen, "the check page", page.url}) <= MOST_PAGES
    assert typed == 4
    booking = Booking.objects.get()
    assert booking.state == BookingState.CONFIRMED
    assert booking.patient
    assert booking.patient.email == "robin@example.org"
    assert booking.emails.filter(kind="confirmed").count() == 1
    move_and_cancel(page, booking)


def move_and_cancel(page: Page, booking: Booking) -> None:
    """By the link in the e-mail; the link itself does not stay in the address bar."""
    was = booking.starts_at
    page.goto(re.sub(r"^https?://[^/]+", "", emails.visit_link(booking)))
    expect(page).to_have_url(re.compile(r"/visit/$"))

    page.locator("a[href='/visit/move/']").first.click()
    page.locator("button[name=start]").first.click()
    expect(page).to_have_url(re.compile(r"/visit/$"))
    booking.refresh_from_db()
    assert booking.starts_at != was
    assert booking.sequence == 1

    page.locator("a[href='/visit/cancel/']").first.click()
    page.get_by_role("main").locator("form button[type=submit], form input[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/visit/$"))
    booking.refresh_from_db()
    assert booking.state == BookingState.CANCELLED
    assert booking.sequence == 2


def test_what_was_typed_survives_a_refusal(open_page):
    page = open_page("/")
    to_the_details(page)
    fill_in(page)
    page.locator("input[name=phone]").fill("12")

    go_on(page, "Continue")

    expect(page.locator("input[name=name]")).to_have_value(SAID["name"])
    expect(page.locator("input[name=email]")).to_have_value(SAID["email"])
    expect(page.locator("input[name=guidance_read]")).to_be_checked()
    expect(page.locator("[role=alert], .error-summary").first).to_be_visible()
    assert Booking.objects.get().state == BookingState.HELD


def test_enter_goes_on_and_the_keyboard_alone_books(open_page):
    """Tab, space, arrows and Enter: the mouse is never used."""
    page = open_page("/book/nose/check/")
    say_no_by_keyboard(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/book/nose/(\?|$)"))
    page.locator("button[name=start]").first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/book/details/$"))
    say_no_by_keyboard(page)
    for name, value in {**SAID, **BORN}.items():
        page.locator(f"input[name={name}]").focus()
        page.keyboard.type(value)
    for name in ("for_whom][value=me", "guidance_read", "consent"):
        box = page.locator(f"input[name={name}]")
        box.focus()
        if not box.is_checked():
            page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check and book")
    page.get_by_role("button", name="Book this visit").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/book/done/$"))


def test_the_first_tab_stop_skips_to_the_content(open_page):
    page = open_page("/")

    page.keyboard.press("Tab")

    skip = page.locator(":focus")
    assert "skip" in skip.inner_text().lower()
    assert page.locator(skip.get_attribute("href") or "").count() == 1


def test_another_day_comes_without_a_new_page(open_page):
    page = open_page("/book/nose/?month=2026-12", javascript=True)
    page.evaluate("window.isTheSamePage = true")
    other = page.locator("table.month a.day:not([aria-current])").first
    label = other.get_attribute("aria-label").split(",")[0]

    other.click()

    expect(page.locator("#day-title")).to_be_focused()
    expect(page.locator("#day-title")).to_have_text(label)
    expect(page).to_have_url(re.compile(r"date=\d{4}-\d\d-\d\d#day$"))
    assert page.evaluate("window.isTheSamePage")
    assert page.locator("#choices").count() == 1
