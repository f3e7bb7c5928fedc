"""Public holidays close a house by themselves, once each, and stay open where a person opened them."""

import datetime as dt
from typing import Any

import pytest

from bookings import availability
from bookings.management import new_clinic
from bookings.management.commands.work import tidy
from clinic import absences, public_holidays
from clinic.models import Absence, AuditEvent, Location
from tests.factories import NEW_YORK, NOW, World, local, make_location, make_policy, make_staff
from tests.racing import race, winners

pytestmark = pytest.mark.django_db

TODAY = NOW.astimezone(NEW_YORK).date()
CHRISTMAS = (dt.date(2026, 12, 25), "Christmas Day")
THANKSGIVING = dt.date(2026, 11, 26)
DAY = dt.timedelta(days=1)


def house(**fields: Any) -> Location:
    make_policy()
    location = make_location(is_closed_on_holidays=True, **fields)
    return Location.objects.select_related("clinic").get(pk=location.pk)


def closed_on(location: Location) -> list[dt.date]:
    rows = Absence.objects.in_force().filter(location=location).exclude(holiday_on=None).order_by("holiday_on")
    return [row.holiday_on for row in rows if row.holiday_on]


def test_the_holidays_of_a_range_come_in_order_with_their_names() -> None:
    found = public_holidays.coming(house(), TODAY, dt.date(2027, 1, 2))

    assert found == [(THANKSGIVING, "Thanksgiving Day"), CHRISTMAS, (dt.date(2027, 1, 1), "New Year's Day")]


@pytest.mark.parametrize(("first", "until", "count"), [(25, 26, 1), (26, 27, 0), (24, 25, 0)])
def test_the_last_day_of_a_range_is_not_in_it(first: int, until: int, count: int) -> None:
    found = public_holidays.coming(house(), dt.date(2026, 12, first), dt.date(2026, 12, until))

    assert len(found) == count


def test_a_house_has_its_own_country_or_that_of_the_clinic() -> None:
    here, there = house(), house(country="gb")

    boxing_day = dt.date(2026, 12, 26)
    assert [public_holidays.country_of(each) for each in (here, there)] == ["US", "GB"]
    assert boxing_day not in dict(public_holidays.coming(here, TODAY, TODAY + 60 * DAY))
    assert dict(public_holidays.coming(there, TODAY, TODAY + 60 * DAY))[boxing_day] == "Boxing Day"


def test_a_country_that_nobody_knows_has_no_holidays_and_breaks_nothing() -> None:
    nowhere = house(country="QQ")

    assert not public_holidays.is_known(nowhere)
    assert public_holidays.keep(nowhere, NOW) == 0
    assert public_holidays.is_known(house())


def test_each_holiday_closes_the_whole_local_day_once(django_assert_num_queries: Any) -> None:
    location = house()

    entered = public_holidays.keep(location, NOW)

    christmas = Absence.objects.get(location=location, holiday_on=CHRISTMAS[0])
    assert (christmas.starts_at, christmas.ends_at) == (local(CHRISTMAS[0], 0), local(CHRISTMAS[0] + DAY, 0))
    assert (christmas.reason, christmas.is_lifted, entered) == ("Christmas Day", False, len(closed_on(location)))
    assert closed_on(location)[0] == THANKSGIVING
    assert closed_on(location)[-1] < TODAY + public_holidays.AHEAD
    with django_assert_num_queries(1):
        assert public_holidays.keep(location, NOW) == 0
    assert AuditEvent.objects.filter(act="holidays entered").count() == 1


def test_a_day_that_was_opened_stays_open() -> None:
    location, user = house(), make_staff()
    public_holidays.keep(location, NOW)

    assert public_holidays.open_on(location, CHRISTMAS[0], by=user, now=NOW)
    assert not public_holidays.open_on(location, CHRISTMAS[0], by=user, now=NOW)
    public_holidays.keep(location, NOW)

    assert CHRISTMAS[0] not in closed_on(location)
    event = AuditEvent.objects.get(act="opened")
    assert (event.by, event.detail) == (user, {"is_lifted": [False, True]})
    assert public_holidays.close_on(location, CHRISTMAS, by=user, now=NOW)
    assert not public_holidays.close_on(location, CHRISTMAS, by=user, now=NOW)
    assert CHRISTMAS[0] in closed_on(location)


def test_a_decided_day_that_is_no_holiday_any_more_costs_no_lock(django_assert_num_queries: Any) -> None:
    location, user = house(), make_staff()
    public_holidays.keep(location, NOW)
    public_holidays.close_on(location, (TODAY + 7 * DAY, "A day of its own"), by=user, now=NOW)

    with django_assert_num_queries(2):
        assert public_holidays.keep(location, NOW) == 0

    assert TODAY + 7 * DAY in closed_on(location)


def test_one_day_can_be_closed_where_the_house_stays_open() -> None:
    location, user = house(), make_staff()
    public_holidays.switch(location, is_closed=False, by=user, now=NOW)

    assert public_holidays.close_on(location, CHRISTMAS, by=user, now=NOW)

    assert closed_on(location) == [CHRISTMAS[0]]
    assert public_holidays.keep(location, NOW) == 0


def test_switching_off_opens_what_nobody_decided_about() -> None:
    location, user = house(), make_staff()
    make_location(is_closed_on_holidays=True)
    public_holidays.keep_all(NOW)
    past = Absence.objects.create(
        location=location, holiday_on=TODAY - 90 * DAY, starts_at=NOW - 90 * DAY, ends_at=NOW - 89 * DAY
    )
    others = Absence.objects.exclude(location=location).count()
    public_holidays.open_on(location, THANKSGIVING, by=user, now=NOW)
    public_holidays.open_on(location, CHRISTMAS[0], by=user, now=NOW)
    public_holidays.close_on(location, CHRISTMAS, by=user, now=NOW)

    assert public_holidays.switch(location, is_closed=False, by=user, now=NOW)

    left = Absence.objects.filter(location=location).values_list("holiday_on", "is_lifted")
    assert set(left) == {(past.holiday_on, False), (THANKSGIVING, True), (CHRISTMAS[0], False)}
    assert Absence.objects.exclude(location=location).count() == others > 0
    assert not public_holidays.switch(location, is_closed=False, by=user, now=NOW)
    assert public_holidays.switch(location, is_closed=True, by=user, now=NOW)
    assert THANKSGIVING not in closed_on(location)
    assert dt.date(2027, 1, 1) in closed_on(location)


def test_the_worker_enters_them_and_new_ones_as_they_come_into_reach() -> None:
    location, retired = house(), house(retired_on=TODAY)
    make_location()

    tidy(NOW)
    tidy(NOW + 60 * DAY)

    assert closed_on(retired) == []
    assert closed_on(location)[-1] > TODAY + public_holidays.AHEAD
    assert Absence.objects.exclude(location=location).count() == 0


def test_what_is_set_in_the_admin_counts_within_the_hour() -> None:
    location, user = house(), make_staff()
    tidy(NOW)
    public_holidays.open_on(location, CHRISTMAS[0], by=user, now=NOW)

    Location.objects.update(country="GB")
    tidy(NOW)
    british = closed_on(location)
    Location.objects.update(is_closed_on_holidays=False)
    tidy(NOW)

    assert dt.date(2026, 12, 26) in british
    assert not {THANKSGIVING, CHRISTMAS[0]} & set(british)
    assert list(Absence.objects.values_list("holiday_on", "is_lifted")) == [(CHRISTMAS[0], True)]


def test_taking_a_holiday_back_keeps_its_row() -> None:
    """Else it would be entered anew within the hour."""
    location, user = house(), make_staff()
    public_holidays.keep(location, NOW)

    assert absences.lift(Absence.objects.get(holiday_on=CHRISTMAS[0]), by=user, now=NOW)
    public_holidays.keep(location, NOW)

    assert Absence.objects.get(holiday_on=CHRISTMAS[0]).is_lifted


def test_a_new_clinic_is_closed_on_public_holidays() -> None:
    answers = new_clinic.Answers(
        name="New Clinic",
        email="desk@example.org",
        country="GB",
        phone="020 7946 0000",
        emergency_number="999",
        urgent_line="111",
        currency="GBP",
        time_zone="Europe/London",
        address="1 Example Street; London",
        manager_username="manager",
        manager_email="manager@example.org",
    )

    new_clinic.make(answers, password="correct horse battery", now=NOW)

    location = Location.objects.get()
    assert location.is_closed_on_holidays
    assert dt.date(2026, 12, 26) in closed_on(location)


def test_nobody_is_offered_a_public_holiday() -> None:
    world = World()
    Location.objects.update(is_closed_on_holidays=True)
    public_holidays.keep_all(NOW)

    asked: availability.Asked = {
        "service": world.service,
        "location": world.location,
        "clinic": world.clinic,
        "now": NOW,
    }
    starts = availability.search(first=TODAY, until=TODAY + 7 * DAY, **asked)
    found = {start.at.astimezone(NEW_YORK).date() for start in starts}

    assert THANKSGIVING not in found
    assert {THANKSGIVING - DAY, THANKSGIVING + DAY} <= found


@pytest.mark.django_db(transaction=True)
def test_any_number_of_workers_enter_each_holiday_once() -> None:
    location = house()

    counts = winners(race(*[lambda: public_holidays.keep(location, NOW)] * 4))

    assert sorted(counts) == [0, 0, 0, len(closed_on(location))]
    assert AuditEvent.objects.filter(act="holidays entered").count() == 1
