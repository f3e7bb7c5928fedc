"""The finder at the desk: the day that was said comes first, what is near it after that, and more on asking."""

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode

from bookings.models import Booking, Patient
from clinic.models import Clinic, OpeningHours, Service
from tests.desk import MONDAY, book_with, signed_in, words_of
from tests.factories import NEW_YORK, NOW, World, local
from tests.full_day import HALF_AN_HOUR, SLOTS, Place, fill
from tests.online import make_world

pytestmark = pytest.mark.django_db

BOOK = "/desk/book/"
THURSDAY = MONDAY + dt.timedelta(days=3)
SAM = "0123abcd"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=1, rooms=1)
    Service.objects.update(body_areas=["nose"])
    Clinic.objects.update(idle_minutes=600)
    return found


@pytest.fixture
def desk(world: World) -> Client:
    return signed_in("reception")


def found(desk: Client, query: dict[str, str]) -> tuple[list[str], str, list[str]]:
    """The times of the day that was said, the heading of the others, and those."""
    page = desk.get(BOOK, query).content.decode()
    before, heading, after = re.split(r'<h4 id="others">(.*?)</h4>', page) if "others" in page else ("", "", page)
    return _times(before), html.unescape(heading), _times(after)


def _times(text: str) -> list[str]:
    starts = [dt.datetime.fromisoformat(each) for each in re.findall(r'name="slot" value="([^"|]+)\|', text)]
    return [f"{each.astimezone(NEW_YORK):%d %H:%M}" for each in starts]


def later(response: Any) -> str:
    """Where "Later times" leads."""
    [link] = re.findall(r'<a [^>]*href="(/desk/book/\?[^"]*later=[^"]*)"[^>]*>Later times', response.content.decode())
    return html.unescape(link)


def fill_day(world: World, day: dt.date, *, but: tuple[int, ...] = ()) -> None:
    """Every half hour is taken, but for these hours."""
    starts = [local(day, 9) + HALF_AN_HOUR * n for n in range(SLOTS)]
    free = {local(day, hour) for hour in but} | {local(day, hour) + HALF_AN_HOUR for hour in but}
    fill(world, [Place(start, world.practitioner, world.rooms[0]) for start in starts if start not in free])


# The day that was said


def test_a_day_that_has_many_times_shows_nothing_else(desk: Client, world: World) -> None:
    on_day, heading, others = found(desk, {"q": "nose 3 december"})

    assert (on_day, heading) == ([], "")
    assert {each[:2] for each in others} == {"03"}
    assert len(others) == 9


def test_a_full_day_says_so_and_the_nearest_follow(desk: Client, world: World) -> None:
    fill_day(world, THURSDAY)

    on_day, heading, others = found(desk, {"q": "nose 3 december"})

    assert on_day == []
    assert heading == "Thursday 3 December is full. After that:"
    assert {each[:2] for each in others} == {"04"}


def test_of_a_day_with_few_times_those_come_first(desk: Client, world: World) -> None:
    fill_day(world, THURSDAY, but=(15,))

    on_day, heading, others = found(desk, {"q": "nose 3 december"})

    assert on_day
    assert {each[:2] for each in on_day} == {"03"}
    assert heading == "After Thursday 3 December:"
    assert {each[:2] for each in others} == {"04"}
    assert len(on_day + others) == 9
    names = re.findall(
        r'<ul class="times found-times" aria-labelledby="([^"]*)"',
        desk.get(BOOK, {"q": "nose 3 december"}).content.decode(),
    )
    assert names == ["found", "found others"]


def test_full_is_said_of_the_hours_that_were_asked_for(desk: Client, world: World) -> None:
    fill_day(world, THURSDAY, but=(9, 10, 11, 12))

    _, heading, _ = found(desk, {"q": "nose 3 december after 16:00"})

    assert heading == "Thursday 3 December is full at those hours. After that:"


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        # Nobody works on Saturdays, and on Thursdays only in the morning.
        ("28 november", "There are no visits on Saturday 28 November. After that:"),
        ("3 december after 13:00", "There are no visits on Thursday 3 December at those hours. After that:"),
        ("3 december morning", ""),
        ("next week after 13:00", ""),
        ("in december", ""),
        ("from 28 november", ""),
        ("", ""),
    ],
)
def test_a_day_without_visits_is_not_called_full(desk: Client, world: World, said: str, heading: str) -> None:
    OpeningHours.objects.filter(weekday=3).update(closes_at=dt.time(12))

    assert found(desk, {"q": f"nose {said}"})[1] == heading


def test_the_plain_twin_shows_that_day_first_too(desk: Client, world: World) -> None:
    fill_day(world, THURSDAY)

    by_phrase, by_fields = ({"q": "nose 3 december"}, {"service": "nose", "date": "2026-12-03"})

    assert found(desk, by_fields) == found(desk, by_phrase)


def test_for_somebody_known_the_first_safe_day_is_no_day_that_was_said(desk: Client, world: World) -> None:
    treated = book_with(world, local(NOW.date(), 12))
    Booking.objects.update(state="completed", outcome="treated", treated_areas=["nose"], closed_at=NOW)

    _, heading, others = found(desk, {"q": "nose 3 december", "patient": str(treated.patient_id)})

    assert heading == ""
    assert others[0] == "21 09:00"


# A month, and more times


def test_a_month_counts_from_its_first_day_on(desk: Client, world: World) -> None:
    for said in ("in january", "January", "jan 2027"):
        page = desk.get(BOOK, {"q": f"nose {said}"})
        assert "I do not know" not in words_of(page)
        assert "Friday 1 January" in words_of(page)
        assert 'value="2027-01-01"' in page.content.decode()


def test_later_times_go_on_where_the_shown_ones_end(desk: Client, world: World) -> None:
    first = desk.get(BOOK, {"q": "nose thursday"})
    shown = _times(first.content.decode())

    second = desk.get(later(first))
    more = _times(second.content.decode())

    assert len(shown) == len(more) == 9
    assert shown[-1] < more[0]
    assert not set(shown) & set(more)
    assert 'name="q" value="nose thursday"' in second.content.decode()
    assert len(set(_times(desk.get(later(second)).content.decode())) - {*shown, *more}) == 9


def test_later_times_keep_who_it_is_for_and_what_is_held(desk: Client, world: World) -> None:
    kim = Patient.objects.create(name="Kim Tea", created_at=NOW)
    pressed = {"service": "nose", "location": "main", "slot": f"{local(MONDAY, 10).isoformat()}|maya"}
    desk.post(BOOK, {**pressed, "caller": SAM})
    asked = {"service": "nose", "after": "14:00", "caller": SAM, "patient": str(kim.pk)}

    page = desk.get(later(desk.get(BOOK, asked)))

    assert "Book a visit for Kim Tea" in words_of(page)
    assert "You still hold Monday 30 November, 10am" in words_of(page)
    assert "Another time takes its place." in words_of(page)
    assert 'value="14:00"' in page.content.decode()
    assert Booking.objects.count() == 1


def test_where_four_weeks_hold_nothing_the_next_four_are_one_press_away(desk: Client, world: World) -> None:
    nothing = desk.get(BOOK, {"q": "nose after 23:00"})
    assert "Nothing fits in the next 4 weeks" in words_of(nothing)

    assert "later=2026-12-21" in later(nothing)
    none_later = words_of(desk.get(later(nothing)))
    assert "Nothing fits in the 4 weeks from Monday 21 December. Try other hours, or anyone." in none_later


def test_what_cannot_be_a_time_to_go_on_from_is_passed_over(desk: Client, world: World) -> None:
    usual = found(desk, {"q": "nose"})

    for text in ("soon", "2026-11-30T10:00", "9999-12-31T00:00:00+00:00"):
        assert found(desk, {"q": "nose", "later": text}) == usual
    assert desk.get(f"{BOOK}?{urlencode({'q': 'nose', 'later': '2029-12-31T00:00:00+00:00'})}").status_code == 200
