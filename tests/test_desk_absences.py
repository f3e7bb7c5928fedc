"""Away and closed at the desk: what it affects is said before it is saved, and then moved in one go."""

import datetime as dt
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bookings import displaced
from bookings.desk import counted
from bookings.models import Booking, BookingEvent, BookingState, Claim, OutgoingEmail
from clinic.models import Absence, AuditEvent, Clinic, Location, OpeningHours, Resource
from tests.desk import book_with, cold_sore, signed_in, words_of
from tests.factories import (
    NEW_YORK,
    NOW,
    World,
    load_signed_content,
    local,
)
from tests.online import Form, parsed

pytestmark = pytest.mark.django_db

TODAY = NOW.astimezone(NEW_YORK).date()
TUESDAY, MONDAY = dt.date(2026, 11, 24), dt.date(2026, 11, 30)
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
ROLES = ("reception", "practitioner", "clinician", "manager")


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return World(practitioners=3, rooms=3)


@pytest.fixture
def reception() -> Client:
    return signed_in("reception")


def book(world: World, day: dt.date, hour: int, minute: int = 0, *, who: int = 0) -> Booking:
    number = Booking.objects.count()
    said: dict[str, Any] = {"name": f"Patient {number}", "email": f"p{number}@example.org"}
    return world.book(local(day, hour, minute), practitioner=world.practitioners[who], **said)


def ill(client: Client, slug: str = "maya") -> Any:
    return client.post(reverse("desk:ill"), {"who": slug})


def choices(page: Any) -> Form:
    """What a browser would send for the page as it is shown."""
    return next(form for form in parsed(page).forms if any(name.startswith("visit-") for name in form))


def move_all(client: Client, path: str, **changed: str | None) -> Any:
    sent = {**choices(client.get(path)), **changed}
    return client.post(path, {name: value for name, value in sent.items() if value is not None}, follow=True)


def mails(kind: str) -> set[str]:
    return set(OutgoingEmail.objects.filter(kind=kind).values_list("recipient", flat=True))


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def to_move() -> int:
    return displaced.count(displaced.everybody(), now=NOW)


def test_a_sick_day_is_two_presses_and_everybody_is_told(world: World, reception: Client) -> None:
    visits = [book(world, TODAY, hour) for hour in range(11, 17)]
    other = book(world, TODAY, 11, who=1)
    assert "Maya is ill today" in words_of(reception.get(reverse("desk:absences")))

    path = ill(reception).url
    page = reception.get(path)

    assert path == f"/desk/to-move/?absence={Absence.objects.get().pk}"
    assert "6 visits to move" in words_of(page)
    assert words_of(page).count("Maya is away") == 6
    assert "Move 6 visits" in words_of(page)
    done = move_all(reception, path)
    assert told(done) == ["6 visits moved. Emails are on their way."]
    assert "No visits to move" in words_of(done)
    moved = [Booking.objects.get(pk=visit.pk) for visit in visits]
    assert len({(each.starts_at, each.practitioner_id) for each in [*moved, other]}) == 7
    assert all(each.state == BookingState.CONFIRMED for each in moved)
    assert mails("moved") == {f"{each.patient.name} <{each.patient.email}>" for each in moved if each.patient}
    events = BookingEvent.objects.filter(verb="moved")
    assert {event.by.username for event in events if event.by} == {"reception-1"}
    assert BookingEvent.objects.filter(booking=other, verb="moved").count() == 0
    assert to_move() == 0


def test_hours_of_another_season_are_no_work_today(world: World, reception: Client) -> None:
    OpeningHours.objects.filter(practitioner=world.practitioners[0]).update(valid_until=TODAY - DAY)
    OpeningHours.objects.filter(practitioner=world.practitioners[1]).update(valid_from=TODAY + DAY)
    OpeningHours.objects.filter(practitioner=world.practitioners[2]).update(valid_from=TODAY, valid_until=TODAY)

    page = reception.get(reverse("desk:absences"))

    assert page.context["working"] == [world.practitioners[2]]


def test_who_has_arrived_or_waits_since_nine_is_moved_or_called_off_too(
    world: World, reception: Client, time_machine: Any
) -> None:
    """At 9:05 the practitioner calls in ill: the 9 o'clock sits there, nobody knows about the other at 9."""
    nine, other, ten = book(world, TUESDAY, 9), book(world, TUESDAY, 9, who=1), book(world, TUESDAY, 10)
    time_machine.move_to(local(TUESDAY, 9, 5), tick=False)
    reception = signed_in("reception")
    reception.post(reverse("desk:arrive", args=[nine.reference]))
    ill(reception, "maya1")

    path = ill(reception).url
    page = reception.get(path)
    assert path == f"/desk/to-move/?absence={Absence.objects.latest('pk').pk}"
    assert {row.visit.booking.reference for row in page.context["rows"]} == {nine.reference, ten.reference}
    done = move_all(reception, "/desk/to-move/", **{f"visit-{other.reference}": "cancel"})

    assert told(done)[0] == "2 visits moved, 1 cancelled. Emails are on their way."
    for each in (nine, other, ten):
        each.refresh_from_db()
    assert (nine.state, nine.starts_at > local(TUESDAY, 9, 5)) == (BookingState.CONFIRMED, True)
    assert (other.state, other.is_late_cancellation) == (BookingState.CANCELLED, False)
    assert not Claim.objects.filter(booking=other).exists()


def test_every_page_says_how_many_have_to_move(world: World, reception: Client, time_machine: Any) -> None:
    visit = book(world, TUESDAY, 10)
    hers = signed_in("practitioner")
    counted.forget()
    assert "to move" not in reception.get("/desk/patients/").content.decode()
    reception.post(reverse("desk:absence_add"), {**filled(first=TUESDAY.isoformat()), "save": "1"})

    pages = ["/desk/patients/", "/desk/tasks/", "/desk/week/?date=2026-11-24", "/desk/my-day/?with=maya", "/desk/log/"]
    manager = signed_in("manager")
    shown = {path: manager.get(path).content.decode() for path in pages}

    assert all('<a class="to-move" href="/desk/to-move/">1 to move</a>' in page for page in shown.values())
    assert all("1 visit to move" in shown[path] for path in pages[1:4])
    assert "1 visit to move" in hers.get("/desk/my-day/").content.decode()
    Booking.objects.filter(pk=visit.pk).update(practitioner=world.practitioners[1])
    assert "to move" not in hers.get("/desk/my-day/").content.decode()
    Absence.objects.all().delete()
    assert "1 to move" in manager.get("/desk/patients/").content.decode()
    time_machine.move_to(NOW + dt.timedelta(seconds=61), tick=False)
    assert "to move" not in manager.get("/desk/patients/").content.decode()


def test_the_number_costs_no_query_on_the_next_page(world: World, reception: Client) -> None:
    counted.forget()
    first, second = (count_queries(reception, "/desk/patients/") for _ in range(2))

    assert first - second > 5
    assert second == count_queries(reception, "/desk/patients/")


def test_the_same_press_again_changes_nothing(world: World, reception: Client) -> None:
    book(world, TODAY, 12)
    path = ill(reception).url
    sent = choices(reception.get(path))
    reception.post(path, sent)
    before = BookingEvent.objects.count()

    again = [ill(reception).url, reception.post(path, sent, follow=True)]

    assert again[0] == "/desk/absences/"
    assert sum("visit" in each for each in told(again[1])) == 1, "only what the first press did"
    assert (Absence.objects.count(), BookingEvent.objects.count()) == (1, before)


def test_who_leaves_has_no_visits_left_at_the_end(world: World) -> None:
    """40 visits over eight weeks; two colleagues take them, or she does herself before she goes."""
    leaves = dt.date(2026, 12, 1)
    for week in range(8):
        for day in range(5):
            book(world, dt.date(2026, 12, 1) + week * WEEK + (day if day < 4 else 6) * DAY, 10 + day)
    manager, path = signed_in("manager"), "/desk/people/maya/leaving/"

    check = manager.post(path, {"on": leaves.isoformat()})
    assert "It affects 40 visits over 8 weeks" in words_of(check)
    assert "The first is on Tuesday 1 December, the last on Monday 25 January 2027." in words_of(check)
    assert Resource.objects.get(slug="maya").retired_on is None
    saved = manager.post(path, {"on": leaves.isoformat(), "save": "1"})

    assert saved.url == "/desk/to-move/?practitioner=maya"
    page = manager.get(saved.url)
    assert "Maya leaves on 1 December" in words_of(page)
    assert "40 visits to move" in words_of(page)
    done = move_all(manager, saved.url)
    assert told(done) == ["40 visits moved. Emails are on their way."]
    assert not Booking.objects.upcoming().filter(practitioner__slug="maya", starts_at__gte=local(leaves, 0)).exists()
    assert (to_move(), Booking.objects.upcoming().count(), len(mails("moved"))) == (0, 40, 40)
    event = AuditEvent.objects.get(kind="resource")
    assert (event.by.username if event.by else "", event.detail) == ("manager-1", {"retired_on": [None, "2026-12-01"]})


def test_who_stays_after_all_is_booked_again(world: World) -> None:
    Resource.objects.filter(slug="maya").update(retired_on=MONDAY)
    manager, path = signed_in("manager"), "/desk/people/maya/leaving/"

    assert "Maya stays after all" in words_of(manager.get(path))
    assert manager.post(path, {"stays": "1"}).url == "/desk/absences/"
    assert manager.post(path, {"on": ""}).status_code == 422

    assert Resource.objects.get(slug="maya").retired_on is None
    assert manager.get("/desk/people/nobody/leaving/").status_code == 404
    assert manager.get("/desk/people/nobody/leaving/").status_code == 404


def test_a_time_that_was_taken_meanwhile_becomes_the_next_one(world: World, reception: Client) -> None:
    visit = book(world, MONDAY, 10)
    Absence.objects.create(resource=world.practitioner, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0))
    path = "/desk/to-move/"
    sent = choices(reception.get(path))
    chosen = sent[f"visit-{visit.reference}"]
    assert chosen.split() == [local(MONDAY + DAY, 9).isoformat(), "maya", chosen.split()[2]]
    book(world, MONDAY + DAY, 9)

    done = reception.post(path, sent, follow=True)

    visit.refresh_from_db()
    assert (visit.starts_at, visit.practitioner) == (local(MONDAY + DAY, 9, 30), world.practitioner)
    assert told(done) == [
        "1 visit moved. Emails are on their way.",
        "Patient 0: that time was taken. Now Tuesday 1 December, 9:30am, with Maya.",
    ]
    assert Claim.objects.filter(booking=visit, resource=world.practitioner).get().starts_at == visit.starts_at


def test_what_cannot_be_moved_is_told_and_stands_as_it_was(world: World, reception: Client) -> None:
    visit, other = book(world, MONDAY, 10), book(world, MONDAY, 11)
    for who in world.practitioners:
        Absence.objects.create(resource=who, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0))
    path = "/desk/to-move/"
    sent = choices(reception.get(path))
    sent[f"visit-{other.reference}"] = "cancel"
    Absence.objects.create(location=world.location, starts_at=NOW, ends_at=NOW + 300 * DAY)

    done = reception.post(path, sent, follow=True)

    visit.refresh_from_db()
    assert told(done)[0] == "1 visit cancelled. Emails are on their way."
    assert told(done)[1] == "Patient 0 stays: That time has just been taken. Choose another time."
    assert (visit.starts_at, visit.state, visit.sequence) == (local(MONDAY, 10), BookingState.CONFIRMED, 0)
    page = words_of(done)
    assert "1 visit to move" in page
    assert "No time fits in the weeks to come." in page
    assert choices(done)[f"visit-{visit.reference}"] == "leave"


def test_the_clinic_cancels_as_its_own_doing(world: World, reception: Client) -> None:
    """Two hours before, long after the patient could cancel free of charge."""
    Clinic.objects.update(late_fee=20)
    visit, kept, quiet = book(world, TODAY, 11), book(world, TODAY, 12), book(world, TODAY, 13)
    path = ill(reception).url
    names = [f"visit-{each.reference}" for each in (visit, kept, quiet)]

    done = move_all(reception, path, **{names[0]: "cancel", names[1]: "leave", names[2]: "leave"})
    move_all(reception, path, **{names[2]: "cancel", names[1]: "leave", "email": None})

    for each in (visit, kept, quiet):
        each.refresh_from_db()
    assert told(done)[-1] == "1 visit cancelled. Emails are on their way."
    assert [each.state for each in (visit, kept, quiet)] == ["cancelled", "confirmed", "cancelled"]
    assert (visit.is_late_cancellation, visit.cancel_reason) == (False, "Maya is away")
    letter = OutgoingEmail.objects.get(kind="cancelled")
    assert letter.recipient == "Patient 0 <p0@example.org>"
    text = re.sub(r"\s+", " ", letter.text)
    assert "This is our doing, not yours." in text
    assert "There is nothing to pay." in text
    assert "Book another visit" in text
    assert "You cancelled" not in text
    assert BookingEvent.objects.get(booking=quiet, verb="cancelled").detail["mailed"] is False


def test_nobody_is_moved_to_a_day_that_is_not_safe(world: World) -> None:
    """A cold sore today: safe from Monday 7 December on, when the house closes. Reception does not read why."""
    load_signed_content()
    monday = dt.date(2026, 12, 7)
    book_with(world, local(monday, 10), cold_sore(TODAY), name="Sam Kay")
    Absence.objects.create(location=world.location, starts_at=local(monday, 0), ends_at=local(monday + 9 * DAY, 0))

    page = signed_in("reception").get("/desk/to-move/")

    fits = page.context["rows"][0].fits
    assert [fit.at.astimezone(NEW_YORK).date() for fit in fits] == [monday + 9 * DAY] * 3
    assert "cold sore" not in page.content.decode()


def test_the_list_shows_whom_and_until_when_one_asks_for(world: World, reception: Client) -> None:
    for number, day in enumerate([MONDAY, MONDAY + WEEK]):
        book(world, day, 10, who=number)
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + 9 * DAY, 0))

    def names(query: str) -> set[str]:
        found = reception.get(f"/desk/to-move/?{query}")
        return {row.visit.booking.patient.name for row in found.context["rows"]}

    assert names("") == {"Patient 0", "Patient 1"}
    assert names("until=2026-11-30") == {"Patient 0"}
    assert names("practitioner=maya1") == {"Patient 1"}
    assert names(f"absence={Absence.objects.get().pk}") == {"Patient 0", "Patient 1"}
    assert names("absence=x&until=never&practitioner=nobody&page=9") == {"Patient 0", "Patient 1"}
    assert names("absence=99999999999999999") == {"Patient 0", "Patient 1"}


def test_many_visits_come_in_pages(world: World, reception: Client) -> None:
    """Sixty at a time: what is shown is what the button moves."""
    visit = book(world, MONDAY, 10)
    for number in range(61):
        visit.pk, visit.reference, visit.calendar_uid = None, f"A{number}", uuid4()
        visit.save()
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0))

    pages = [reception.get(f"/desk/to-move/?page={number}&practitioner=maya") for number in (1, 2)]

    assert [len(page.context["rows"]) for page in pages] == [60, 2]
    assert "62 visits to move" in words_of(pages[0])
    assert "?page=2&amp;practitioner=maya" in pages[0].content.decode()


def test_practitioners_see_and_move_their_own_visits_alone(world: World) -> None:
    mine, other = book(world, MONDAY, 10), book(world, MONDAY, 10, who=1)
    Absence.objects.create(location=world.location, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0))
    client = signed_in("practitioner")
    Resource.objects.update(user=None)
    Resource.objects.filter(pk=world.practitioner.pk).update(user=client.get("/desk/").wsgi_request.user.pk)

    page = client.get("/desk/to-move/")
    sent = {**choices(page), f"visit-{other.reference}": "cancel"}
    client.post("/desk/to-move/", sent)

    assert [row.visit.booking for row in page.context["rows"]] == [mine]
    other.refresh_from_db()
    assert other.state == BookingState.CONFIRMED
    assert Booking.objects.get(pk=mine.pk).starts_at != local(MONDAY, 10)


def test_a_room_that_is_away_is_changed_without_a_word_to_the_patient(world: World, reception: Client) -> None:
    visit = book(world, MONDAY, 10)
    Absence.objects.create(resource=visit.room, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0))

    page = reception.get("/desk/to-move/")
    assert "Same time, in " in words_of(page)
    move_all(reception, "/desk/to-move/")

    moved = Booking.objects.get(pk=visit.pk)
    assert (moved.starts_at, moved.room == visit.room, mails("moved"), to_move()) == (visit.starts_at, False, set(), 0)


def test_what_a_page_asks_the_database_does_not_grow(world: World, reception: Client) -> None:
    load_signed_content()

    def queries() -> list[int]:
        closed = Absence.objects.create(
            location=world.location, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0)
        )
        counts = [count_queries(reception, path) for path in ("/desk/to-move/", "/desk/absences/", "/desk/")]
        assert len(reception.get("/desk/to-move/").context["rows"]) == Booking.objects.count()
        closed.delete()
        return counts

    book_with(world, local(MONDAY, 9), name="First", email="first@example.org")
    queries()
    few = queries()
    for hour in (10, 11, 12):
        book_with(world, local(MONDAY, hour), name=f"At {hour}", email=f"{hour}@example.org")
    for who in world.practitioners:
        Absence.objects.create(resource=who, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0))

    assert queries() == few


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


# Entering, changing and taking back.


def form_with(page: Any, field: str) -> Form:
    """What a browser would send; what stands empty is sent empty."""
    form = next(form for form in parsed(page).forms if field in form)
    form |= {name: "" for name in ("last", "begins", "ends", "reason") if form.get(name) == "on"}
    return form


def filled(**changed: str) -> dict[str, str]:
    return {"who": "maya", "first": "2026-11-30", "last": "", "all_day": "on", "reason": "Course", **changed}


def test_what_it_affects_is_shown_before_it_is_saved(world: World, reception: Client) -> None:
    visit = book(world, MONDAY, 10)
    path = reverse("desk:absence_add")

    check = reception.post(path, filled())

    said = words_of(check)
    assert "It affects 1 visit" in said
    assert "Maya Ruiz: Monday 30 November, all day. Course" in said
    assert "Monday 30 November, 10am, Patient 0" in said
    assert not Absence.objects.exists()
    sent = form_with(check, "who")
    saved = reception.post(path, {**sent, "save": "1"})
    absence = Absence.objects.get()
    assert saved.url == f"/desk/to-move/?absence={absence.pk}"
    assert (absence.resource, absence.reason) == (world.practitioner, "Course")
    assert (absence.starts_at, absence.ends_at) == (local(MONDAY, 0), local(MONDAY + DAY, 0))
    event = AuditEvent.objects.get(kind="absence")
    assert (event.act, event.detail["who"]) == ("added", "Maya Ruiz")
    assert event.by is not None
    assert event.by.username == "reception-1"
    assert Booking.objects.get(pk=visit.pk).starts_at == visit.starts_at
    assert "1 visit to move" in words_of(reception.get("/desk/"))


def test_an_hour_a_room_and_a_house_can_be_blocked(world: World, reception: Client) -> None:
    path = reverse("desk:absence_add")
    hour = reception.get(f"{path}?who=maya1&date=2026-11-30&from=13:00&to=14:00")
    form = form_with(hour, "first")
    assert (form["first"], form["begins"], form["ends"], "all_day" in form) == ("2026-11-30", "13:00", "14:00", False)
    assert "Now, for an hour: 9am to 10am" in words_of(hour)

    sent = [
        {**form, "who": "maya1"},
        filled(who=world.rooms[0].slug, last="2026-12-02"),
        filled(who="house:main", all_day="", begins="16:00", ends="00:00"),
    ]
    for each in sent:
        assert reception.post(path, {**each, "save": "1"}).url == "/desk/absences/"
        reception.post(path, {**each, "save": "1"})

    rows = Absence.objects.order_by("pk").values_list("resource", "location", "starts_at", "ends_at")
    assert list(rows) == [
        (world.practitioners[1].pk, None, local(MONDAY, 13), local(MONDAY, 14)),
        (world.rooms[0].pk, None, local(MONDAY, 0), local(MONDAY + 3 * DAY, 0)),
        (None, world.location.pk, local(MONDAY, 16), local(MONDAY + DAY, 0)),
    ]
    listed = words_of(reception.get("/desk/absences/"))
    assert "Monday 30 November, 1pm to 2pm" in listed
    assert "Monday 30 November to Wednesday 2 December" in listed
    assert listed.index("Main house") < listed.index("Maya1 Ruiz")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"who": ""}, "Choose who or what is away"),
        ({"first": "soon"}, "Choose a day"),
        ({"last": "2026-11-29"}, "Choose a last day that is not before the first"),
        ({"all_day": ""}, "Enter a time, or tick “All day”"),
        ({"all_day": "", "begins": "11:00", "ends": "10:00"}, "Choose an end after the beginning"),
        ({"reason": "x" * 121}, "at most 120 characters"),
    ],
)
def test_what_was_typed_is_kept_where_something_is_wrong(
    world: World, reception: Client, wrong: dict[str, str], said: str
) -> None:
    page = reception.post(reverse("desk:absence_add"), {**filled(reason="Dentist"), **wrong, "save": "1"})

    assert page.status_code == 422
    assert said in words_of(page)
    assert wrong.get("reason", "Dentist") in page.content.decode()
    assert not Absence.objects.exists()


def test_a_change_stands_in_the_log_with_before_and_after(world: World, reception: Client) -> None:
    absence = Absence.objects.create(
        resource=world.practitioner, starts_at=local(MONDAY, 0), ends_at=local(MONDAY + DAY, 0), reason="Course"
    )
    path = reverse("desk:absence", args=[absence.pk])
    form = form_with(reception.get(path), "first")
    assert (form["first"], form["all_day"], form["reason"]) == ("2026-11-30", "on", "Course")

    sent = {**form, "who": "maya", "last": "2026-12-01", "save": "1"}
    assert [reception.post(path, sent).status_code for _ in range(2)] == [302, 302]

    absence.refresh_from_db()
    assert absence.ends_at == local(MONDAY + 2 * DAY, 0)
    event = AuditEvent.objects.get(act="changed")
    assert event.detail == {"ends_at": [(local(MONDAY + DAY, 0)).isoformat(), absence.ends_at.isoformat()]}
    assert reception.post(path, {**sent, "who": "maya1"}).status_code == 422


def test_what_has_begun_ends_now_and_what_has_not_goes(world: World, reception: Client) -> None:
    begun = Absence.objects.create(resource=world.practitioner, starts_at=NOW - DAY, ends_at=NOW + DAY)
    later = Absence.objects.create(resource=world.practitioner, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    over = Absence.objects.create(resource=world.practitioner, starts_at=NOW - 2 * DAY, ends_at=NOW - DAY)
    page = words_of(reception.get("/desk/absences/"))
    assert "End it now" in page
    assert "Delete" in page

    for absence in (begun, later, over, later):
        assert reception.post(reverse("desk:absence_lift", args=[absence.pk])).url == "/desk/absences/"

    assert dict(Absence.objects.values_list("pk", "ends_at")) == {begun.pk: NOW, over.pk: over.ends_at}
    acts = AuditEvent.objects.order_by("pk").values_list("act", "key")
    assert list(acts) == [("ended", str(begun.pk)), ("deleted", str(later.pk))]
    assert "Nobody is away" in words_of(reception.get("/desk/absences/"))


# Public holidays.


def test_a_holiday_is_opened_and_closed_with_a_press(world: World) -> None:
    manager, page = signed_in("manager"), "/desk/holidays/"
    book(world, dt.date(2026, 11, 26), 10)
    assert "Open on public holidays (US)" in words_of(manager.get(page))

    manager.post("/desk/holidays/main/switch/", {"closed": "yes"})

    said = words_of(manager.get(page))
    assert "Thursday 26 November 2026 Thanksgiving Day Closed" in said
    assert "1 visit to move" in said
    assert "The house is closed: Thanksgiving Day" in words_of(manager.get("/desk/to-move/"))
    opened = signed_in("reception").post("/desk/holidays/main/", {"open": "2026-11-26"}, follow=True)
    assert told(opened) == ["Main house is open on Thursday 26 November."]
    assert "Thursday 26 November 2026 Thanksgiving Day Open" in words_of(opened)
    assert to_move() == 0
    signed_in("reception").post("/desk/holidays/main/", {"close": "2026-11-26"})
    assert to_move() == 1
    manager.post("/desk/holidays/main/switch/", {"closed": "no"})
    assert {row.holiday_on for row in Absence.objects.all()} == {dt.date(2026, 11, 26)}
    for wrong in ({"open": "2026-11-27"}, {"close": "x"}, {}):
        assert manager.post("/desk/holidays/main/", wrong).status_code == 404


def test_a_country_that_is_not_known_says_so_kindly(world: World) -> None:
    Location.objects.update(country="QQ", is_closed_on_holidays=True)

    page = signed_in("reception").get("/desk/holidays/")

    assert "We do not know the public holidays of “QQ”." in words_of(page)
    assert "?who=house:main" in page.content.decode()


# Who may what: what a GET answers to each of ROLES.

READING = {
    "/desk/to-move/": (200, 200, 200, 200),
    "/desk/absences/": (200, 403, 403, 200),
    "/desk/absences/add/": (200, 403, 403, 200),
    "/desk/absences/1/": (404, 403, 403, 404),
    "/desk/people/maya/leaving/": (403, 403, 403, 200),
    "/desk/holidays/": (200, 403, 403, 200),
}
ACTING = {
    "/desk/absences/ill/": (404, 403, 403, 404),
    "/desk/absences/1/lift/": (302, 403, 403, 302),
    "/desk/holidays/main/": (404, 403, 403, 404),
    "/desk/holidays/main/switch/": (403, 403, 403, 302),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_the_table_says(world: World, role: str) -> None:
    client, index = signed_in(role), ROLES.index(role)

    assert {path: client.get(path).status_code for path in READING} == {p: codes[index] for p, codes in READING.items()}
    assert {path: client.post(path).status_code for path in ACTING} == {p: codes[index] for p, codes in ACTING.items()}
    assert {client.get(path).status_code for path in ACTING} == {405}
    assert all("no-store" in client.get(path).headers["Cache-Control"] for path in [*READING, *ACTING])


def test_an_hour_is_never_blocked_as_a_whole_day_by_a_tick_that_was_left(world: World) -> None:
    said = {"who": world.practitioner.slug, "first": "2026-11-30", "all_day": "on", "begins": "14:00", "ends": "15:00"}

    answer = signed_in("reception").post(reverse("desk:absence_add"), said)

    assert answer.status_code == 422
    assert "Untick “All day”, or leave the times empty" in words_of(answer)
    assert not Absence.objects.exists()
