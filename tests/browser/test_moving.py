"""A visit moves on the board: dragged, by keyboard alone, and without a script; each with one step back."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import FloatRect, Locator, Page, expect

from bookings import availability
from bookings.models import Booking, OutgoingEmail
from clinic.models import Clinic, OpeningHours
from tests.browser.looking import problems
from tests.browser.test_desk_pages import signed_in
from tests.desk import book_with
from tests.factories import World

MOST_TABS = 120
DAYS_AHEAD, DAYS_LOOKED_AT = 3, 10


@pytest.fixture
def booking(world: World) -> Booking:
    """Sam K. with Maya, at ten on a working day to come."""
    now = timezone.now()
    first = now.date() + dt.timedelta(days=DAYS_AHEAD)
    starts = availability.search(
        service=world.service,
        location=world.location,
        clinic=world.clinic,
        practitioner=world.practitioner,
        first=first,
        until=first + dt.timedelta(days=DAYS_LOOKED_AT),
        now=now,
    )
    at_ten = next(start for start in starts if start.at.astimezone(world.location.zone).time() == dt.time(10))
    return book_with(world, at_ten.at, name="Sam Kay", practitioner=world.practitioner, now=now)


def board_of(page: Page, booking: Booking) -> None:
    signed_in(page, "reception")
    page.goto(f"/desk/?date={booking.local_date}")


def card(page: Page, booking: Booking, who: str) -> Locator:
    return page.locator(f".board [data-column={who}] [data-reference='{booking.reference}']")


def box(locator: Locator) -> FloatRect:
    """Where it is in the window as it is scrolled now."""
    found = locator.bounding_box()
    assert found
    return found


def pick_up(page: Page, found: Locator) -> FloatRect:
    """Press on a card without letting go, and start to pull."""
    found.scroll_into_view_if_needed()
    at = box(found)
    page.mouse.move(at["x"] + 30, at["y"] + 12)
    page.mouse.down()
    page.mouse.move(at["x"] + 45, at["y"] + 20, steps=3)
    return at


def drag(page: Page, found: Locator, column: str, *, down: float = 0) -> None:
    """To another column, as high as it was, or further ``down``."""
    at = pick_up(page, found)
    to = box(page.locator(f".board [data-column={column}]"))
    page.mouse.move(to["x"] + to["width"] / 2, at["y"] + 12 + down, steps=8)


def stands(booking: Booking) -> tuple[dt.datetime, str]:
    found = Booking.objects.select_related("practitioner").get(pk=booking.pk)
    return found.starts_at, found.practitioner.slug


def review_and_undo(page: Page, booking: Booking) -> None:
    """Press Move in the review, see the visit in the other column, take it back, and see it where it was."""
    expect(page.get_by_role("heading", level=1)).to_contain_text("Move Sam K. to Maya1")
    expect(page.get_by_label("Email Sam")).to_be_checked()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(".undo-bar")).to_contain_text("Moved. Sam K. now has")
    expect(card(page, booking, "maya1")).to_be_visible()
    assert stands(booking)[1] == "maya1"

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Moved back.")).to_be_visible()
    expect(card(page, booking, "maya")).to_be_visible()
    expect(page.locator(".undo-bar")).to_have_count(0)
    assert stands(booking) == (booking.starts_at, "maya")
    assert OutgoingEmail.objects.filter(booking=booking, kind="moved").count() == 2


def test_a_visit_is_dragged_to_somebody_else_and_back(open_page, world, booking):
    page = open_page("/")
    board_of(page, booking)
    drag(page, card(page, booking, "maya"), "maya1")

    expect(page.locator(".drag-target")).to_have_text("10am")
    expect(page.get_by_text("Maya1 Ruiz, 10am", exact=True)).to_have_count(1)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"/place/\?start=.*&practitioner=maya1$"))
    assert stands(booking) == (booking.starts_at, "maya")
    assert problems(page) == []
    review_and_undo(page, booking)


def test_it_falls_on_the_grid_of_whoever_works_there(open_page, world, booking):
    """Every twenty minutes, from five past nine on; before and after that by the full hour."""
    Clinic.objects.update(grid_minutes=20)
    OpeningHours.objects.filter(practitioner=world.practitioners[1]).update(opens_at=dt.time(9, 5))
    page = open_page("/")
    board_of(page, booking)

    drag(page, card(page, booking, "maya"), "maya1", down=4)

    expect(page.locator(".drag-target")).to_have_text("10:05am")
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Move Sam K. to Maya1, 10:05am")


def test_escape_and_the_same_place_move_nothing(open_page, world, booking):
    page = open_page("/")
    board_of(page, booking)
    address = page.url

    drag(page, card(page, booking, "maya"), "maya1")
    page.keyboard.press("Escape")
    expect(page.locator(".drag-ghost")).to_have_count(0)
    page.mouse.up()
    expect(page.get_by_text("Not moved.")).to_have_count(1)

    pick_up(page, card(page, booking, "maya"))
    at = box(card(page, booking, "maya"))
    page.mouse.move(at["x"] + 30, at["y"] + 12, steps=3)
    page.mouse.up()
    expect(page.locator(".drag-ghost")).to_have_count(0)
    assert page.url == address

    card(page, booking, "maya").get_by_role("link", name="Sam K.", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/desk/bookings/{booking.reference}/$"))


def test_a_place_that_is_taken_says_by_whom_and_what_is_free(open_page, world, booking):
    book_with(world, booking.starts_at, name="Pat Kim", practitioner=world.practitioners[1], now=timezone.now())
    page = open_page("/")
    board_of(page, booking)
    drag(page, card(page, booking, "maya"), "maya1")
    page.mouse.up()

    expect(page.get_by_role("alert")).to_contain_text("Maya1 is with Pat K. until 10:30am.")
    assert problems(page) == []
    page.get_by_role("list", name="With Maya1 Ruiz").get_by_role("link", name="10:30am").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Move Sam K. to Maya1, 10:30am")


def test_by_keyboard_alone(open_page, world, booking):
    page = open_page("/")
    board_of(page, booking)
    tab_to(page, card(page, booking, "maya").get_by_role("link", name="Move Sam K."))
    page.keyboard.press("Enter")
    expect(page.locator("#moving")).to_contain_text("Moving Sam K.")
    tab_to(page, page.locator(".board [data-column=maya1] a.gap").first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Move Sam K. to Maya1")
    tab_to(page, page.get_by_role("button", name="Move", exact=True))
    page.keyboard.press("Enter")
    expect(card(page, booking, "maya1")).to_be_visible()
    assert stands(booking)[1] == "maya1"
    tab_to(page, page.get_by_role("button", name="Undo"))
    page.keyboard.press("Enter")
    expect(card(page, booking, "maya")).to_be_visible()
    assert stands(booking) == (booking.starts_at, "maya")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, as somebody without a mouse does."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_TABS):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("not to be reached by Tab")


@pytest.fixture
def long_day(world: World) -> None:
    """From seven in the morning to nine at night: more than a window holds."""
    OpeningHours.objects.update(opens_at=dt.time(7), closes_at=dt.time(21))


def head_of(page: Page, name: str = "Maya Ruiz") -> FloatRect:
    return box(page.locator(".board-head", has=page.get_by_role("heading", name=name, exact=True)))


def test_the_heads_of_the_columns_stay_in_sight_to_the_end_of_a_long_day(open_page, world, booking, long_day):
    page = open_page("/")
    board_of(page, booking)
    board = page.locator("#board")

    board.evaluate("each => { each.scrollIntoView({block: 'start'}); each.scrollTop = each.scrollHeight; }")

    top, head = box(board)["y"], head_of(page)
    assert top <= head["y"] <= top + 2
    assert box(board)["height"] <= 900
    middle = [head["x"] + head["width"] / 2, head["y"] + head["height"] / 2]
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('.board-head') !== null", middle)
    assert problems(page) == []


def test_what_has_the_focus_is_not_hidden_under_a_head(open_page, world, booking, long_day):
    page = open_page("/")
    board_of(page, booking)
    board = page.locator("#board")
    link = card(page, booking, "maya").get_by_role("link", name="Sam K.", exact=True)
    board.evaluate("each => each.scrollIntoView({block: 'start'})")
    board.evaluate("(each, down) => { each.scrollTop = down; }", box(link)["y"] - box(board)["y"] - 20)
    head = head_of(page)
    assert box(link)["y"] < head["y"] + head["height"], "hidden by now"

    link.focus()

    assert box(link)["y"] >= head["y"] + head["height"]


def test_a_visit_that_is_held_at_the_edge_of_the_board_moves_it_along(open_page, world, booking, long_day):
    page = open_page("/")
    board_of(page, booking)
    board = page.locator("#board")
    board.evaluate("each => each.scrollIntoView({block: 'start'})")
    at = pick_up(page, card(page, booking, "maya"))
    place = box(board)

    page.mouse.move(at["x"] + 60, min(place["y"] + place["height"], 900) - 10, steps=4)
    expect(page.locator(".drag-target")).to_have_text("8:45pm")
    page.mouse.move(at["x"] + 60, head_of(page)["y"] + head_of(page)["height"] + 10, steps=4)
    expect(page.locator(".drag-target")).to_have_text("7am")
    page.keyboard.press("Escape")
    page.mouse.up()

    assert stands(booking) == (booking.starts_at, "maya")


def test_beside_the_part_of_the_board_that_is_in_sight_nothing_moves(open_page, world, booking, long_day):
    """What is scrolled away, under the heads and above the board, is no place to drop a visit."""
    page = open_page("/")
    board_of(page, booking)
    page.locator("#board").evaluate("each => { each.scrollTop = 250; }")
    address, at = page.url, pick_up(page, card(page, booking, "maya"))
    head, board = head_of(page), box(page.locator("#board"))

    for y in (board["y"] - 40, head["y"] + head["height"] / 2):
        page.mouse.move(at["x"] + 60, y)
        assert page.locator(".drag-target").is_hidden()
    expect(page.get_by_text("Not on the board.", exact=True)).to_have_count(1)
    page.mouse.up()

    expect(page.get_by_text("Not moved.")).to_have_count(1)
    assert page.url == address


def test_another_day_keeps_that_no_email_goes_out(open_page, world, booking):
    page = open_page("/", javascript=False)
    signed_in(page, "reception")
    page.goto(f"/desk/bookings/{booking.reference}/move/")
    page.get_by_label("Email Sam").uncheck()
    later = booking.local_date + dt.timedelta(days=7)

    day = page.get_by_role("textbox", name="Day", exact=True)
    day.fill(later.isoformat())
    day.press("Enter")
    expect(day).to_have_value(later.isoformat())
    expect(page.get_by_role("heading", level=2, name=f"{later.day} December")).to_be_visible()
    expect(page.get_by_label("Email Sam")).not_to_be_checked()
    page.get_by_role("button", name=re.compile("^11am, .*Maya Ruiz")).last.click()

    expect(page.locator(".undo-bar")).to_contain_text("No email was sent.")
    assert stands(booking)[0].astimezone(world.location.zone).date() == later
    assert not OutgoingEmail.objects.filter(booking=booking, kind="moved").exists()


def test_without_a_script_by_its_links(open_page, world, booking):
    page = open_page("/", javascript=False)
    board_of(page, booking)
    card(page, booking, "maya").get_by_role("link", name="Move Sam K.").click()
    expect(page.locator("#moving")).to_contain_text("Moving Sam K.")
    page.locator(".board [data-column=maya1] a.gap").first.click()
    review_and_undo(page, booking)
