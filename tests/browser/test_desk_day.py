"""The day at the desk on a board of 150 visits: who walks in, who phones, who does not come, and what is on paper."""

import datetime as dt
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from bookings.management.commands.work import work
from bookings.models import Booking, BookingState, Outcome, OutgoingEmail, Patient
from tests.browser.desk import Desk, Hand, flaws, go, looked_at, press, said
from tests.browser.test_whole_way import say_no
from tests.desk import MONDAY, page_of
from tests.factories import World, load_signed_content, local
from tests.full_day import Place, crowd, fill, fill_for, hire

PRACTITIONERS, VISITS, SPARE_ROOMS = 12, 150, 2
NOW = local(MONDAY, 10, 50)
# How much somebody has to do, as it is today: up to the booked visit, then to the patient who sits in the waiting room.
NEW_BOOKED, NEW_ARRIVED = 10, 11
RETURNING_BOOKED, RETURNING_ARRIVED = 8, 9
WHO = re.compile(r"/desk/book/patient/")
VISIT = re.compile(r"/desk/bookings/(\w+)/(#\w+)?$")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Monday, ten to eleven, and going on from there; before the world is made."""
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def world(clock: time_machine.Traveller, transactional_db: None) -> World:
    """Two spare rooms: a room is cleaned after a visit."""
    load_signed_content(timezone.now())
    world = World(cut_off_minutes=60)
    hire(world, PRACTITIONERS, rooms=PRACTITIONERS + SPARE_ROOMS)
    return world


@pytest.fixture
def desk(world: World, open_page: Callable[..., Page]) -> Desk:
    return Desk(open_page)


@pytest.fixture
def full(world: World) -> list[Booking]:
    return crowd(world, PRACTITIONERS, VISITS)


def free_now(page: Page) -> Locator:
    """The button for somebody who stands here."""
    return page.locator("button[name=walk_in][value=nose]")


def to_who_comes(hand: Hand) -> None:
    """From the board to the first time that is free."""
    hand.click(hand.page.get_by_role("main").get_by_role("link", name="Book a visit"))
    expect(hand.page).to_have_url(re.compile(r"/desk/book/$"))
    hand.click(free_now(hand.page))
    expect(hand.page).to_have_url(WHO)


def no_to(hand: Hand, *names: str) -> None:
    for name in names:
        hand.click(hand.page.locator(f"input[name={name}][value=no]"))


def booked(page: Page) -> Booking:
    """The visit whose page is open."""
    expect(page).to_have_url(VISIT)
    said(page, "Booked: ")
    found = VISIT.search(page.url)
    assert found
    return Booking.objects.with_everything().get(reference=found[1])


def test_a_new_patient_walks_in(
    desk: Desk, full: list[Booking], record_property: Callable[[str, object], None]
) -> None:
    """Ten acts from the board to the booked visit, and one more when they sit down.

    Book a visit, the time, the name looked for, "new patient", three answers, the phone (two: its field too), Enter.
    """
    page = desk.open("reception", "/desk/")
    expect(page.locator(".board .visit-card")).to_have_count(VISITS)
    hand = Hand(page)

    to_who_comes(hand)
    hand.type(page.locator("#id_q"), "robin example")
    hand.click(page.get_by_role("button", name="New patient"))
    expect(page.get_by_label("Full name", exact=True)).to_have_value("Robin Example")
    hand.click(page.locator("input[name=adult][value=yes]"))
    no_to(hand, "q1", "q2")
    hand.type(page.locator("input[name=phone]"), "212 555 7788")
    hand.key("Enter")
    booking = booked(page)

    assert booking.patient
    assert (booking.patient.name, booking.patient.phone) == ("Robin Example", "+12125557788")
    assert booking.local_date == MONDAY
    assert booking.starts_at - NOW < dt.timedelta(minutes=30)
    record_property("interactions of a new walk-in, booked", hand.count)
    assert hand.count <= NEW_BOOKED, hand.acts

    expect(page.locator("#health + p")).to_contain_text("Outstanding")
    hand.click(page.get_by_role("button", name="Mark arrived"))
    said(page, "Arrived")
    record_property("interactions of a new walk-in, arrived", hand.count)
    assert hand.count <= NEW_ARRIVED, hand.acts
    to_the_room(desk, booking)


def to_the_room(desk: Desk, booking: Booking) -> None:
    """Nobody goes in before the other questions are answered, and somebody has read the advice with them."""
    page = desk.open("practitioner", page_of(booking))
    press(page, "In room")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not yet")
    page.get_by_role("link", name="Ask the questions").click()
    say_no(page)
    press(page, "Save the answers")
    expect(page).to_have_url(VISIT)
    press(page, "In room")
    expect(page.get_by_role("main")).to_contain_text("Nobody has written down that the advice was read.")
    assert Booking.objects.get(pk=booking.pk).state == BookingState.ARRIVED

    press(page, "Advice read here")
    expect(page).to_have_url(VISIT)
    press(page, "In room")
    said(page, "In the room.")
    assert Booking.objects.get(pk=booking.pk).state == BookingState.IN_ROOM


def test_a_returning_patient_walks_in(
    desk: Desk, world: World, full: list[Booking], record_property: Callable[[str, object], None]
) -> None:
    """Eight acts from the board to the booked visit, and one more when they sit down.

    Book a visit, the time, four digits of the phone, the name that is found, three answers, Enter.
    """
    kim = Patient.objects.create(name="Kim Tea", phone="+12125559911", email="kim@example.org", created_at=NOW)
    before = Place(local(MONDAY, 9) - dt.timedelta(days=70), world.practitioner, world.rooms[0])
    fill_for(world, [(before, kim)], state=BookingState.COMPLETED, outcome=Outcome.TREATED, closed_at=before.start)
    page = desk.open("reception", "/desk/")
    hand = Hand(page)

    to_who_comes(hand)
    hand.type(page.locator("#id_q"), "9911")
    hand.click(page.locator("#people").get_by_role("button", name="Kim Tea"))
    expect(page.get_by_role("heading", name="Kim Tea")).to_be_visible()
    hand.click(page.locator("input[name=adult][value=yes]"))
    no_to(hand, "q1", "q2")
    hand.key("Enter")
    booking = booked(page)

    assert booking.patient == kim
    assert (
        OutgoingEmail.objects.filter(booking=booking, recipient__contains="kim@example.org", kind="confirmed").count()
        == 1
    )
    record_property("interactions of a returning walk-in, booked", hand.count)
    assert hand.count <= RETURNING_BOOKED, hand.acts
    hand.click(page.get_by_role("button", name="Mark arrived"))
    said(page, "Arrived")
    record_property("interactions of a returning walk-in, arrived", hand.count)
    assert hand.count <= RETURNING_ARRIVED, hand.acts


def find(page: Page, phrase: str) -> Locator:
    """Type what the patient asks for; the times that are found."""
    go(page, "/desk/book/")
    expect(page.locator("#id_q")).to_be_focused()
    page.keyboard.type(phrase)
    page.keyboard.press("Enter")
    times = page.locator("#pick button[name=slot]")
    expect(times.first).to_be_visible()
    return times


def test_a_time_found_on_the_phone_is_held_while_they_talk(desk: Desk, world: World) -> None:
    thursday = MONDAY + dt.timedelta(days=3)
    others = list(zip(world.practitioners, world.rooms, strict=False))[1:]
    fill(world, [Place(local(thursday, 16, minute), *pair) for minute in (0, 30) for pair in others])
    page, other_desk = desk.open("reception", "/desk/"), desk.open("manager", "/desk/")
    late = find(other_desk, "nose, Thursday after 16:00, any").first
    first = find(page, "nose, Thursday after 16:00, any").first
    expect(first).to_have_text("4pm, Thursday 3 December, Maya")

    first.click()
    expect(page).to_have_url(WHO)
    expect(page.locator(".holding")).to_contain_text("Holding Thursday 3 December, 4pm")
    late.click()
    expect(other_desk.get_by_role("alert")).to_contain_text("That time has just been taken.")
    expect(other_desk.locator("#pick")).to_contain_text("3:30pm, Thursday 3 December, Maya")
    expect(other_desk.locator("#pick")).not_to_contain_text("4pm, Thursday")

    for name in ("adult", "q1", "q2"):
        page.locator(f"input[name={name}][value={'yes' if name == 'adult' else 'no'}]").check()
    page.get_by_label("Full name", exact=True).fill("Sam Kay")
    page.locator("input[name=phone]").fill("212 555 0123")
    press(page, "Book this visit")
    booking = booked(page)
    assert (booking.starts_at, booking.practitioner) == (local(thursday, 16), world.practitioner)
    assert booking.state == BookingState.CONFIRMED


def test_what_was_typed_outlives_a_search_and_another_time(desk: Desk, world: World) -> None:
    """The caller changes their mind twice: nothing is typed or asked a second time."""
    Patient.objects.create(name="Kim Tea", phone="+12125559911", created_at=NOW)
    page = desk.open("reception", "/desk/")
    find(page, "nose, Thursday after 16:00, any").first.click()
    expect(page).to_have_url(WHO)
    for name in ("adult", "q1", "q2"):
        page.locator(f"input[name={name}][value={'yes' if name == 'adult' else 'no'}]").check()
    page.get_by_label("Full name", exact=True).fill("Sam Kay")
    page.locator("input[name=email]").fill("sam@gmial.com")
    page.locator("input[name=phone]").fill("212 555 0123")
    expect(page.locator("#likelier")).to_have_text("Did you mean sam@gmail.com?")

    page.locator("#id_q").fill("kim")
    page.locator("#id_q").press("Enter")
    expect(page.locator("#people").get_by_role("button", name="Kim Tea")).to_be_visible()
    expect(page.get_by_label("Full name", exact=True)).to_have_value("Sam Kay")
    press(page, "Another time")
    page.get_by_role("link", name="Later times").click()
    expect(page).to_have_url(re.compile(r"later="))
    expect(page.get_by_role("main")).to_contain_text("You still hold Thursday 3 December, 4pm")
    page.locator("#pick button[name=slot]").first.click()

    expect(page).to_have_url(WHO)
    expect(page.get_by_label("Full name", exact=True)).to_have_value("Sam Kay")
    page.locator("input[name=email]").fill("sam@gmail.com")
    press(page, "Book this visit")
    assert booked(page).patient == Patient.objects.get(name="Sam Kay", email="sam@gmail.com", phone="+12125550123")


def card(page: Page, booking: Booking) -> Locator:
    link = page.locator(f"a[href='{page_of(booking)}']")
    return page.locator(".board .visit-card").filter(has=link)


def test_two_open_boards_see_each_other(desk: Desk, full: list[Booking]) -> None:
    """Each is left open; nobody presses anything on the one that looks on."""
    mine, theirs = full[0], full[1]
    page, other = desk.open("reception", "/desk/"), desk.open("manager", "/desk/")
    for each in (page, other):
        each.evaluate("window.isTheSamePage = true")

    arrive(page, mine)
    expect(card(other, mine)).to_contain_text("Arrived")
    assert other.evaluate("window.isTheSamePage")

    go(page, "/desk/")
    page.evaluate("window.isTheSamePage = true")
    arrive(other, theirs)
    expect(card(page, theirs)).to_contain_text("Arrived")
    expect(card(page, mine)).to_contain_text("Arrived")
    assert page.evaluate("window.isTheSamePage")


def arrive(page: Page, booking: Booking) -> None:
    card(page, booking).get_by_role("link").first.click()
    press(page, "Mark arrived")
    said(page, "Arrived")


def test_a_no_show_and_back(desk: Desk, world: World, clock: time_machine.Traveller) -> None:
    """Back within the quarter of an hour in which the mail waits: none is sent."""
    stays, came = fill(world, [Place(local(MONDAY, 10), world.practitioners[n], world.rooms[n]) for n in (0, 1)])
    page = desk.open("reception", page_of(came))
    for booking in (stays, came):
        go(page, page_of(booking))
        page.get_by_role("main").get_by_role("link", name="No-show").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("did not come?")
        page.get_by_role("main").locator("form [type=submit]").last.click()
        expect(page).to_have_url(VISIT)
        assert Booking.objects.get(pk=booking.pk).state == BookingState.MISSED

    press(page, "They came after all")
    said(page, "Booked again, as before.")
    expect(page.get_by_role("main").get_by_role("button", name="Mark arrived")).to_be_visible()
    assert Booking.objects.get(pk=came.pk).state == BookingState.CONFIRMED

    clock.move_to(NOW + dt.timedelta(minutes=40))
    work(timezone.now())
    assert [each.booking for each in OutgoingEmail.objects.filter(kind="missed")] == [stays]


def test_the_day_on_paper(desk: Desk, full: list[Booking]) -> None:
    page = desk.open("reception", "/desk/print/")
    page.emulate_media(media="print")
    for part in ("nav", "header", "footer", "button", "form", "a"):
        assert [each for each in page.locator(part).all() if each.is_visible()] == [], part
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == PRACTITIONERS


def test_the_pages_of_the_day_in_three_widths(desk: Desk, full: list[Booking]) -> None:
    page = desk.open("reception", "/desk/")
    found = looked_at(page, ["/desk/", "/desk/week/", "/desk/my-day/", page_of(full[0])])
    find(page, "nose tuesday any")
    found += flaws(page)
    page.locator("#pick button[name=slot]").first.click()
    expect(page).to_have_url(WHO)
    found += flaws(page)

    assert found == []
