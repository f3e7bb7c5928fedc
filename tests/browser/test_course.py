"""A cold sore, a sunburn and a week after: one patient's whole course, with the clock driven from day to day."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
import time_machine
from playwright.sync_api import Page, expect

from bookings.management.commands.work import work
from bookings.models import Booking, BookingState, Outcome, OutgoingEmail, Task, TaskKind
from tests.browser.looking import problems
from tests.browser.test_whole_way import fill_in, go_on, say_no
from tests.desk import MONDAY
from tests.factories import local, make_staff

FIRST_SAFE = dt.date(2026, 12, 9)
AFTER_THE_SUNBURN = dt.date(2026, 12, 15)
WHY = "We wait 14 days after a cold sore."


@pytest.fixture
def page(clock: time_machine.Traveller, open_page: Callable[..., Page]) -> Page:
    return open_page("/book/nose/check/")


def say_when(page: Page, name: str, day: dt.date) -> None:
    for part, number in (("day", day.day), ("month", day.month), ("year", day.year)):
        page.locator(f"input[name={name}_{part}]").fill(str(number))


def on(clock: time_machine.Traveller, day: dt.date, hour: int) -> None:
    """Time goes on to that hour, and the worker does what is due."""
    now = local(day, hour)
    clock.move_to(now)
    work(now)


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/?next=/desk/")
    page.locator("input[name=username]").fill("maya")
    page.locator("input[name=password]").fill("correct horse")
    go_on(page, "Sign in")
    expect(page).to_have_url(re.compile(r"/desk/$"))


def send(page: Page) -> None:
    """Press the button of the page's last form."""
    page.get_by_role("main").locator("form [type=submit]").last.click()


def open_link_of(page: Page, kind: str) -> None:
    email = OutgoingEmail.objects.filter(kind=kind).latest("pk")
    found = re.search(r"/visit/[^\s/]+/", email.text)
    assert found
    page.goto(found.group())


def test_from_a_cold_sore_to_a_task_on_the_desk(page: Page, clock: time_machine.Traveller) -> None:
    book_after_a_cold_sore(page)
    booking = Booking.objects.get()
    assert (booking.state, booking.local_date) == (BookingState.CONFIRMED, FIRST_SAFE)

    on(clock, FIRST_SAFE - dt.timedelta(days=1), 10)
    move_after_a_sunburn(page)
    booking.refresh_from_db()
    assert (booking.state, booking.local_date) == (BookingState.CONFIRMED, AFTER_THE_SUNBURN)
    assert not booking.is_late_cancellation

    on(clock, AFTER_THE_SUNBURN, 16)
    be_treated(page, booking)
    on(clock, AFTER_THE_SUNBURN + dt.timedelta(days=3), 11)
    say_it_is_worse(page)

    task = Task.objects.get(kind=TaskKind.CHECK_IN)
    assert (task.booking, task.is_urgent, task.done_at) == (booking, True, None)
    sign_in(page)
    page.goto("/desk/tasks/")
    expect(page.get_by_role("main")).to_contain_text("Skin got worse after the visit")


def book_after_a_cold_sore(page: Page) -> None:
    """The first nine days are closed with the reason; the first safe one is booked."""
    say_no(page)
    page.locator("input[name=q3][value=yes]").check()
    say_when(page, "q3_date", MONDAY - dt.timedelta(days=5))
    go_on(page, "Continue")
    expect(page).to_have_url(re.compile(r"/book/nose/(\?|$)"))
    page.goto("/book/nose/?month=2026-12&view=list")
    closed = [f"{day:%A} {day.day} December, closed. {WHY}" for day in map(december, range(1, 9))]
    expect(page.locator(".day-list .soft")).to_have_text(closed)
    page.goto("/book/nose/?date=2026-11-30")
    expect(page.locator("#day")).to_contain_text(f"This day is closed to you. {WHY}")
    page.goto("/book/nose/")
    assert problems(page) == []
    page.locator("button[name=start]").first.click()
    fill_in(page)
    go_on(page, "Continue")
    go_on(page, "Book this visit")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")


def december(day: int) -> dt.date:
    return dt.date(2026, 12, day)


def move_after_a_sunburn(page: Page) -> None:
    """By the link in the reminder: the sore has healed, but something else is new; one press moves to a safe time."""
    open_link_of(page, "r24h")
    expect(page.get_by_role("main")).to_contain_text("We also ask if your skin has healed.")
    page.get_by_role("link", name="Answer now").click()
    expect(page.get_by_role("main")).to_contain_text("You told us about a cold sore. Has it healed completely?")
    assert problems(page) == []
    page.get_by_role("link", name="Something else is new").click()
    say_no(page)
    page.locator("input[name=q3-yes_healed][value=yes]").check()
    page.locator("input[name=q7][value=no]").uncheck()
    page.locator("input[name=q7_parts][value=q7-broken]").check()
    say_when(page, "q7_date", FIRST_SAFE - dt.timedelta(days=1))
    send(page)
    expect(page).to_have_url(re.compile(r"/visit/longer/$"))
    assert problems(page) == []
    page.locator("button[name=start]").first.click()
    expect(page).to_have_url(re.compile(r"/visit/$"))


def be_treated(page: Page, booking: Booking) -> None:
    """At the desk: the practitioner closes the visit as treated."""
    make_staff("maya")
    sign_in(page)
    page.goto(f"/desk/bookings/{booking.reference}/")
    page.get_by_role("main").get_by_role("button", name="Mark arrived").click()
    expect(page.locator(".messages")).to_contain_text("Arrived.")
    page.get_by_role("main").get_by_role("link", name="Close the visit").first.click()
    page.locator("input[name=outcome][value=treated]").check()
    go_on(page, "Close the visit")
    expect(page.locator(".messages")).to_contain_text("Closed.")
    booking.refresh_from_db()
    assert (booking.state, booking.outcome) == (BookingState.COMPLETED, Outcome.TREATED)


def say_it_is_worse(page: Page) -> None:
    open_link_of(page, "day3")
    page.get_by_role("link", name="Tell us").first.click()
    say_no(page)
    page.locator("input[value=worse]").check()
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("We will call you")
    assert problems(page) == []
