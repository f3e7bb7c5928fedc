"""Reports: what each says of a small clinic's fortnight, who may see them, and the files."""

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings import lifecycle
from bookings.desk.reports import files, messages, visits
from bookings.desk.reports.figures import bars, percent, shares
from bookings.desk.reports.period import Period, Step, presets
from bookings.desk.reports.views import REPORTS
from bookings.models import Booking, MailState, Outcome, OutgoingEmail
from clinic.models import Absence, AuditEvent, Clinic
from tests.desk import DIABETES, MONDAY, TUESDAY, book_with, signed_in, someone, words_of
from tests.factories import NOW, World, local, make_details, make_location, make_policy, make_service, make_staff
from tests.online import make_world

pytestmark = pytest.mark.django_db

WEEK = dt.timedelta(days=7)
FRIDAY = MONDAY + dt.timedelta(days=4)
QUERY = "from=2026-11-30&to=2026-12-13&by=week"


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


@pytest.fixture
def period(world: World) -> Period:
    return Period(world.location, MONDAY, MONDAY + 2 * WEEK, Step.WEEK)


def table(report: Any, title: str) -> list[tuple[Any, ...]]:
    [found] = [each for each in report.tables if each.title == title]
    return list(found.rows)


def close(booking: Booking, outcome: Outcome = Outcome.TREATED) -> None:
    lifecycle.complete(booking, outcome=outcome, by=make_staff(f"s{booking.pk}"), now=booking.ends_at)


def test_people_and_rooms_are_as_full_as_their_open_time(world: World, period: Period) -> None:
    maya, other = world.practitioners
    for hour in (9, 10, 11, 12):
        world.book(local(MONDAY, hour), practitioner=maya)
    Absence.objects.create(resource=maya, starts_at=local(FRIDAY, 0), ends_at=local(FRIDAY + dt.timedelta(days=1), 0))

    found = visits.utilisation(period)

    people = {name: rest for name, *rest in table(found, "Practitioners")}
    # Two weeks of five days of eight hours, one day of Maya's less.
    assert people[maya.name] == ["2.0", "72.0", 2 / 72]
    assert people[other.name] == ["0.0", "80.0", 0.0]
    assert sum(float(booked) for _, booked, *_ in table(found, "Rooms")) == 3.0
    assert table(found, "Over time") == [("30 Nov", 2 / 72, 3 / 80), ("7 Dec", 0.0, 0.0)]


def test_a_cancelled_visit_fills_nobody_and_is_worth_nothing(world: World, period: Period) -> None:
    kept, gone = world.book(local(MONDAY, 9)), world.book(local(MONDAY, 10))
    lifecycle.cancel(gone, reason="", by=make_staff(), now=NOW)

    found = visits.services(period)

    assert table(found, "By service") == [("Nose extraction", 1, Decimal(45), "USD")]
    assert found.headline.startswith("1 visit worth $45 from 30 November to 13 December 2026")
    assert kept.price == 45


def test_services_come_by_how_often_they_were_booked(world: World, period: Period) -> None:
    face = make_service(slug="face", name="Full-face extraction", short_name="", price=Decimal("90.50"))
    world.book(local(MONDAY, 9))
    for hour in (10, 12):
        held = world.hold(local(MONDAY, hour), service=face, visitor=f"v{hour}")
        lifecycle.confirm(held, details=make_details(), visitor=f"v{hour}", now=NOW)

    assert table(visits.services(period), "By service") == [
        ("Full-face extraction", 2, Decimal("181.00"), "USD"),
        ("Nose extraction", 1, Decimal(45), "USD"),
    ]


def test_days_ahead_are_counted_by_the_calendar_of_the_clinic(world: World, period: Period) -> None:
    # Just before midnight there: by UTC it is the next day already.
    late = local(MONDAY - dt.timedelta(days=1), 23, 30)
    world.book(local(MONDAY, 9), now=late)
    world.book(local(TUESDAY, 9), now=local(TUESDAY, 6))
    world.book(local(MONDAY + WEEK, 9))

    found = visits.lead_time(period)

    counted = {name: number for name, number, _ in table(found, "Days from booking to visit")}
    assert counted == {
        "Same day": 1,
        "1 to 2 days": 1,
        "3 to 7 days": 0,
        "8 to 14 days": 1,
        "15 to 30 days": 0,
        "Over 30 days": 0,
    }
    assert found.headline.startswith("Half of the visits were booked 1 day ahead or less")


def test_cancellations_are_shares_of_all_and_no_shows_of_who_was_expected(world: World, period: Period) -> None:
    came, missed, cancelled, late = (world.book(local(MONDAY, hour)) for hour in (9, 10, 11, 12))
    staff = make_staff()
    close(came)
    lifecycle.miss(missed, by=staff, now=missed.ends_at)
    lifecycle.cancel(cancelled, reason="", by=staff, now=NOW)
    lifecycle.cancel(late, reason="", by=staff, now=late.starts_at - dt.timedelta(hours=1))

    found = visits.lost(period)

    assert table(found, "Over time") == [
        ("30 Nov", 4, 2, 1, 1, 1, 0.5, 0.5),
        ("7 Dec", 0, 0, 0, 0, 0, None, None),
    ]
    assert found.headline.startswith("50 % were cancelled, 50 % did not come")


def test_screening_counts_what_answers_led_to_and_what_was_done() -> None:
    world = make_world(practitioners=2, rooms=2)
    plain, waits = book_with(world, local(MONDAY, 9)), book_with(world, local(MONDAY, 11), DIABETES)
    lifecycle.decline(waits, reason="Not now", by=someone("clinician"), now=NOW)
    today = NOW.astimezone(world.location.zone).date()

    found = messages.screening(Period(world.location, today, today + WEEK, Step.WEEK))

    asked = {name: rest for name, *rest in table(found, "What answers led to")}
    columns = found.tables[0].columns
    counted = dict(zip(columns[1:], asked["While booking"], strict=True))
    assert sum(counted.values()) == 2
    assert counted["A clinician decides"] == 1
    assert dict(table(found, "What was done"))["Declined"] == 1
    assert found.headline.startswith("50 % of answers")
    assert plain.state == "confirmed"


def test_mail_is_delivered_when_a_server_took_it(world: World) -> None:
    world.book(local(MONDAY, 9))
    confirmed = OutgoingEmail.objects.filter(kind="confirmed")
    confirmed.update(state=MailState.SENT, sent_at=NOW)
    OutgoingEmail.objects.filter(kind="staff_notice").update(state=MailState.FAILED)
    today = NOW.astimezone(world.location.zone).date()

    found = messages.mail(Period(world.location, today, today + WEEK, Step.DAY))

    assert found.headline.startswith("50 % of messages were delivered")
    assert [row[:2] for row in table(found, "By kind of message")] == [("Confirmation", 1), ("Notice for staff", 0)]


def test_whoever_has_no_address_is_not_counted_as_undelivered(world: World) -> None:
    world.book(local(MONDAY, 9))
    OutgoingEmail.objects.filter(kind="confirmed").update(state=MailState.NO_ADDRESS, recipient="")
    OutgoingEmail.objects.filter(kind="staff_notice").update(state=MailState.SENT, sent_at=NOW)
    today = NOW.astimezone(world.location.zone).date()

    found = messages.mail(Period(world.location, today, today + WEEK, Step.DAY))

    assert found.headline.startswith("100 % of messages were delivered")


OVER_TIME: dict[str, list[tuple[Any, ...]]] = {
    "services": [("23 Nov", 0, Decimal(0)), ("30 Nov", 1, Decimal(45)), ("7 Dec", 2, Decimal(90))],
    "lead-time": [("23 Nov", 0, None), ("30 Nov", 1, 7), ("7 Dec", 2, 10)],
    "screening": [("23 Nov", 2, 1, 0.5), ("30 Nov", 1, 0, 0.0), ("7 Dec", 0, 0, None)],
    "mail": [("23 Nov", 3, 1, 0.75), ("30 Nov", 0, 0, None), ("7 Dec", 0, 0, None)],
}


@pytest.mark.parametrize("slug", OVER_TIME)
def test_each_report_tells_how_it_went_over_time(slug: str) -> None:
    world = make_world(practitioners=2, rooms=2)
    book_with(world, local(MONDAY, 9))
    book_with(world, local(MONDAY + WEEK, 9), DIABETES)
    book_with(world, local(MONDAY + WEEK, 11), now=local(MONDAY, 8))
    # Late on a Sunday evening there; by UTC the next week has begun.
    OutgoingEmail.objects.update(created_at=local(MONDAY - dt.timedelta(days=1), 23, 30))
    first, *others = OutgoingEmail.objects.order_by("pk")[:4]
    OutgoingEmail.objects.filter(pk=first.pk).update(state=MailState.FAILED)
    OutgoingEmail.objects.filter(pk__in=[each.pk for each in others]).update(state=MailState.SENT, sent_at=NOW)
    period = Period(world.location, MONDAY - WEEK, MONDAY + 2 * WEEK, Step.WEEK)

    assert table(REPORTS[slug][1](period), "Over time") == OVER_TIME[slug]


@pytest.mark.parametrize("slug", REPORTS)
def test_each_report_is_cut_by_day_week_or_month(world: World, slug: str) -> None:
    world.book(local(MONDAY, 9))
    cut = {}
    for step, labels in ((Step.DAY, 30), (Step.WEEK, 6), (Step.MONTH, 1)):
        found = REPORTS[slug][1](Period(world.location, dt.date(2026, 11, 1), dt.date(2026, 12, 1), step))
        in_time = [each for each in found.charts if each.is_in_time]
        cut[step] = (len(table(found, "Over time")), {len(each.bars) for each in in_time})
        assert cut[step] == (labels, {labels})


def test_visits_of_another_house_are_another_report(world: World, period: Period) -> None:
    world.book(local(MONDAY, 9))
    elsewhere = Period(make_location(), period.first, period.until, period.step)

    assert visits.services(period).headline.startswith("1 visit")
    assert visits.services(elsewhere).headline.startswith("Nothing was booked")
    assert visits.lost(elsewhere).headline.startswith("Nothing was booked")


@pytest.mark.parametrize(
    ("step", "labels"),
    [
        (Step.DAY, ["26 Nov", "27 Nov", "28 Nov", "29 Nov", "30 Nov", "1 Dec", "2 Dec"]),
        (Step.WEEK, ["26 Nov", "30 Nov"]),
        (Step.MONTH, ["Nov 2026", "Dec 2026"]),
    ],
)
def test_a_period_is_cut_where_its_days_weeks_or_months_end(world: World, step: Step, labels: list[str]) -> None:
    period = Period(world.location, dt.date(2026, 11, 26), dt.date(2026, 12, 3), step)

    assert [bucket.label for bucket in period.buckets] == labels
    assert [bucket.until for bucket in period.buckets][-1] == period.until
    assert [period.index(bucket.first) for bucket in period.buckets] == list(range(len(labels)))


@pytest.mark.parametrize(
    ("first", "until", "words"),
    [
        ((2026, 11, 1), (2026, 12, 1), "in November 2026"),
        ((2026, 11, 2), (2026, 11, 3), "on Monday 2 November 2026"),
        ((2026, 11, 2), (2026, 11, 30), "from 2 to 29 November 2026"),
        ((2026, 10, 30), (2026, 11, 3), "from 30 October to 2 November 2026"),
        ((2025, 12, 30), (2026, 1, 3), "from 30 December 2025 to 2 January 2026"),
    ],
)
def test_a_period_is_said_as_people_say_it(world: World, first: Any, until: Any, words: str) -> None:
    assert Period(world.location, dt.date(*first), dt.date(*until), Step.DAY).words == words


def test_presets_are_whole_weeks_and_months(world: World) -> None:
    found = {name: (each.first, each.last) for name, each in presets(world.location, dt.date(2026, 1, 14))}

    assert found == {
        "Last 4 weeks": (dt.date(2025, 12, 15), dt.date(2026, 1, 11)),
        "This month": (dt.date(2026, 1, 1), dt.date(2026, 1, 31)),
        "Last month": (dt.date(2025, 12, 1), dt.date(2025, 12, 31)),
        "Last 12 months": (dt.date(2025, 1, 1), dt.date(2025, 12, 31)),
        "Next 4 weeks": (dt.date(2026, 1, 12), dt.date(2026, 2, 8)),
    }


def test_bars_are_as_tall_as_their_figures() -> None:
    assert [bar.share for bar in bars(["a", "b", "c"], [4, 1, 0], ["4", "1", "0"])] == [1.0, 0.25, 0.0]
    assert [bar.share for bar in shares(["a", "b"], [0.5, None])] == [0.5, 0.0]
    assert [bar.share for bar in shares(["a", "b"], [1.25, 0.5])] == [1.0, 0.4]
    assert (percent(0.256), percent(None)) == ("26 %", "–")


@pytest.mark.parametrize("slug", ["utilisation", "services", "lead-time", "lost", "screening", "mail"])
def test_each_report_has_its_answer_its_charts_with_words_and_its_tables(world: World, slug: str) -> None:
    world.book(local(MONDAY, 9))
    answer = signed_in("manager").get(f"/desk/reports/{slug}/?{QUERY}")
    html = answer.content.decode()

    report = answer.context["report"]
    assert f"<h1>{report.headline}</h1>" in html
    assert html.count('<svg class="chart" role="img"') == sum(bool(each.bars) for each in report.charts)
    assert html.count('<table class="figures">') == len(report.tables)
    assert 'style="' not in html


def test_the_overview_says_every_answer(world: World) -> None:
    world.book(local(MONDAY, 9))

    said = words_of(signed_in("manager").get(f"/desk/reports/?{QUERY}"))

    assert "1 visit worth $45" in said
    assert "Half of the visits were booked 7 days ahead or less" in said


def test_reports_ask_as_many_queries_for_many_visits_as_for_one(world: World) -> None:
    client = signed_in("manager")
    world.book(local(MONDAY, 9))
    client.get(f"/desk/reports/?{QUERY}")
    asked = []
    for hours in ((), (10, 11, 12)):
        for hour in hours:
            world.book(local(TUESDAY, hour))
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/desk/reports/?{QUERY}")
        asked.append(len(queries))

    assert asked[0] == asked[1]


@pytest.mark.parametrize("role", ["reception", "practitioner", "clinician"])
def test_only_managers_see_reports(world: World, role: str) -> None:
    client = signed_in(role)
    paths = ["/desk/reports/", "/desk/reports/lost/", "/desk/reports/lost.csv"]

    assert [client.get(path).status_code for path in paths] == [403] * 3
    assert client.post("/desk/reports/bookings.csv").status_code == 403
    assert "/desk/reports/" not in client.get("/desk/").content.decode()


def test_days_that_cannot_be_are_said_and_the_usual_ones_shown(world: World) -> None:
    client = signed_in("manager")

    for query in ("from=2026-12-01&to=2026-11-01", "from=2020-01-01&to=2026-01-01", "from=soon", "by=hour"):
        answer = client.get(f"/desk/reports/lost/?{query}")
        assert answer.status_code == 422, query
        assert answer.context["period"].words == "from 26 October to 22 November 2026"
    assert client.get("/desk/reports/nothing/").status_code == 404


def test_a_table_is_a_file_of_plain_numbers(world: World) -> None:
    booking = world.book(local(MONDAY, 9))
    lifecycle.cancel(booking, reason="", by=make_staff(), now=NOW)

    answer = signed_in("manager").get(f"/desk/reports/lost.csv?{QUERY}")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))

    assert answer["Content-Disposition"] == 'attachment; filename="lost-2026-11-30-2026-12-13.csv"'
    assert rows[2] == ["30 Nov", "1", "1", "0", "0", "0", "1.0000", ""]


def test_the_export_names_who_took_it_in_the_log(world: World) -> None:
    world.book(local(MONDAY, 9), name="=HYPERLINK(1)", phone="+12125550123")
    client = signed_in("manager")

    answer = client.post(f"/desk/reports/bookings.csv?{QUERY}")
    [head, row] = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode()))

    said = dict(zip(head, row, strict=True))
    assert said["Name"] == "'=HYPERLINK(1)"
    assert said["Phone"] == "'+12125550123"
    assert (said["Date"], said["Time"], said["State"], said["Price"]) == ("2026-11-30", "09:00", "Confirmed", "45.00")
    event = AuditEvent.objects.get(act="bookings exported")
    assert (event.by.username, event.detail) == ("manager-1", {"first": "2026-11-30", "last": "2026-12-13"})


def test_the_export_is_never_taken_by_looking(world: World) -> None:
    assert signed_in("manager").get("/desk/reports/bookings.csv").status_code == 405


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\tx"])
def test_a_cell_is_never_a_formula(cell: str) -> None:
    assert files.plain(cell) == f"'{cell}"
    assert files.plain(-1) == "-1"
    assert files.plain(Decimal("-1.50")) == "-1.50"


def test_without_a_location_there_is_nothing_to_report() -> None:
    make_policy()

    assert "Nothing to report yet" in words_of(signed_in("manager").get("/desk/reports/"))


def test_money_of_two_currencies_is_never_one_sum(world: World, period: Period) -> None:
    world.book(local(MONDAY, 9))
    Clinic.objects.update(currency="EUR")
    world.clinic.refresh_from_db()
    world.location.refresh_from_db()
    world.book(local(MONDAY, 10))

    assert visits.services(period).headline.startswith("2 visits worth €45 and $45 ")
