"""The way of a patient: skin today, time, details, check, done."""

import datetime as dt

import pytest
import time_machine
from django.test import Client

from bookings.models import Booking, BookingState, Consent, ConsentKind, OutgoingEmail, Patient, ShownItem, Task
from tests.factories import NOW, World, local
from tests.online import (
    SAID,
    SKIN_NO,
    TEN,
    THURSDAY,
    answered,
    book,
    details,
    form_of,
    hold,
    make_world,
    parsed,
    starts_on,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2)


def test_an_adult_without_flags_books_in_seven_pages(client: Client, world: World) -> None:
    pages = [client.get("/"), client.get("/services/nose/"), client.get("/book/nose/check/")]
    assert answered(client).headers["Location"] == "/book/nose/"
    times = client.get("/book/nose/?practitioner=any&date=2026-12-10")
    held = client.post("/book/nose/hold/", {"start": starts_on(times)[3], "practitioner": "any"})
    form = client.get(held.headers["Location"])
    check = client.post("/book/details/", {**form_of(form), **SAID, "next": "check"})
    booked = client.post("/book/details/", form_of(check))
    done = client.get(booked.headers["Location"])

    pages += [times, form, check, done]
    # Home, service, skin today, times, details, check, done.
    assert [page.status_code for page in pages] == [200] * 7
    assert [parsed(page).headings for page in pages] == [1] * 7
    assert (held.status_code, booked.status_code, booked.headers["Location"]) == (303, 303, "/book/done/")
    booking = Booking.objects.get()
    assert booking.state == BookingState.CONFIRMED
    assert booking.patient == Patient.objects.get(name="Robin Example", phone="+12125550123")
    assert booking.patient.date_of_birth == dt.date(1990, 3, 17)
    assert "You are booked" in text_of(done)


def test_four_typed_fields_are_enough(client: Client, world: World) -> None:
    """A name, an address, a phone number and a date: everything else is ticked, or optional."""
    book(client)

    typed = {name for name, value in SAID.items() if value not in {"on", "no"}}
    assert typed == {"name", "email", "phone"} | {f"date_of_birth_{part}" for part in ("day", "month", "year")}
    assert Booking.objects.get().state == BookingState.CONFIRMED


def test_the_confirmation_is_written_with_the_booking(client: Client, world: World) -> None:
    book(client)

    booking = Booking.objects.get()
    confirmation = booking.emails.get(kind="confirmed")
    assert "robin@example.org" in confirmation.recipient
    assert confirmation.calendar


def test_what_was_read_and_ticked_is_kept_with_its_version(client: Client, world: World) -> None:
    book(client)

    read = Consent.objects.get(kind=ConsentKind.GUIDANCE_READ)
    assert read.version == "WHY-1 v1, WHY-3 v1, WHY-5 v1, WHY-6 v1"
    assert read.words == "I have read the advice on not squeezing"
    assert Consent.objects.filter(kind=ConsentKind.PRIVACY).count() == 1
    assert ("booking", "WHY-1", 1) in ShownItem.objects.values_list("moment", "code", "version")


def test_without_q1_the_details_ask_it(client: Client, world: World) -> None:
    hold(client)

    asking = client.get("/book/details/")
    refused = client.post("/book/details/", details(client))
    booked = client.post("/book/details/", details(client, **SKIN_NO))

    assert "Health questions and your details" in text_of(asking)
    assert refused.status_code == 422
    assert "Select yes, no or not sure: the signs above" in text_of(refused)
    assert booked.status_code == 303


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_q1_stops_for_medical_help_and_stores_nothing(client: Client, world: World, answer: str) -> None:
    hold(client)

    stopped = answered(client, answer)

    assert stopped.status_code == 200
    assert "Get medical help first" in text_of(stopped)
    assert 'href="tel:911"' in text_of(stopped)
    assert starts_on(stopped) == []
    assert Booking.objects.count() == 0
    assert "q1" not in client.session


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_q1_on_the_details_releases_the_hold(client: Client, world: World, answer: str) -> None:
    hold(client)

    stopped = client.post("/book/details/", details(client, q1=answer, next="check"))

    assert "Get medical help first" in text_of(stopped)
    assert (Booking.objects.count(), Patient.objects.count()) == (0, 0)
    assert "draft" not in client.session


def test_an_answer_is_needed(client: Client, world: World) -> None:
    refused = client.post("/book/nose/check/")

    assert refused.status_code == 422
    assert "Select yes, no or not sure" in text_of(refused)
    assert "<title>Error: " in refused.content.decode()


def test_nothing_is_preset(client: Client, world: World) -> None:
    hold(client)

    skin, form = client.get("/book/nose/check/"), client.get("/book/details/")

    # Only "for me" is chosen, which is no answer about health and no tick.
    assert [page.content.decode().count(" checked") for page in (skin, form)] == [1, 1]


def test_the_times_page_shows_soonest_month_and_day(client: Client, world: World) -> None:
    page = client.get("/book/nose/?practitioner=maya1&date=2026-12-10")

    words = text_of(page)
    assert "Soonest" in words
    assert 'aria-label="Thursday 10 December, 30 free times" aria-current="true"' in words
    assert "Saturday 12 December, no free times" in words
    assert "Sunday 29 November" not in words
    assert starts_on(page)[3:5] == ["2026-12-10T09:00:00-05:00", "2026-12-10T09:15:00-05:00"]
    assert "Times are in New York time." in words


def test_the_first_free_day_is_open_already(client: Client, world: World) -> None:
    page = client.get("/book/nose/")

    assert "Monday 23 November</h2>" in text_of(page)


def test_the_list_shows_the_same_days(client: Client, world: World) -> None:
    page = client.get("/book/nose/?view=list&month=2026-12")

    assert "Thursday 10 December, 30 free times" in text_of(page)
    assert "<table" not in page.content.decode()


def test_an_empty_month_names_the_next_date(client: Client, world: World) -> None:
    from_january = dt.date(2027, 1, 1)
    for hours in world.location.opening_hours.all():
        hours.valid_from = from_january
        hours.save()

    page = client.get("/book/nose/?month=2026-12")

    assert "No free times in December. The next are on Friday 1 January." in text_of(page)


def test_no_times_at_all_offer_a_call(client: Client, world: World) -> None:
    world.location.opening_hours.all().delete()

    page = client.get("/book/nose/")
    asked = client.post("/book/nose/call/", {"name": "Robin Example", "phone": "2125550123"})
    refused = client.post("/book/nose/call/", {"name": "", "phone": "1"})

    assert "No free times in the next 90 days" in text_of(page)
    assert asked.status_code == 303
    assert "We will call you" in text_of(client.get(asked.headers["Location"]))
    assert [(task.name, task.phone) for task in Task.objects.all()] == [("Robin Example", "+12125550123")]
    assert refused.status_code == 422


@pytest.mark.parametrize("practitioners", [1, 12])
def test_a_month_of_times_asks_the_same_queries_for_any_number_of_people(
    client: Client, django_assert_num_queries, practitioners: int
) -> None:
    make_world(practitioners=practitioners, rooms=practitioners)

    # Two searches of 4 (the month, the soonest); the rest is the page: clinic, place, service, people, and the
    # footer: red flags and disclaimer.
    with django_assert_num_queries(18):
        client.get("/book/nose/?practitioner=any&month=2026-12")


def test_several_locations_are_a_choice(client: Client, world: World) -> None:
    other = world.location.__class__.objects.create(
        slug="north", name="North house", time_zone="Europe/London", address="1 Road"
    )

    choice = client.get("/book/nose/")
    unsaid = hold(client)
    named = client.get("/book/nose/?location=main")

    assert f"?location={other.slug}" in text_of(choice)
    assert unsaid.status_code == 422
    assert "Soonest" in text_of(named)
    assert client.get("/book/nose/?location=nowhere").status_code == 404


def test_the_hold_shows_until_when(client: Client, world: World) -> None:
    hold(client)

    words = text_of(client.get("/book/details/"))

    assert "We are holding <strong>Thursday 10 December, 10am</strong> for you until 9:20am today." in words
    assert 'data-hold-until="2026-11-23T09:20:00-05:00"' in words


def test_the_visitors_own_hold_shows_as_free(client: Client) -> None:
    make_world()
    hold(client)

    mine = client.get("/book/nose/?date=2026-12-10")
    theirs = Client().get("/book/nose/?date=2026-12-10")

    assert TEN.astimezone(dt.timezone(dt.timedelta(hours=-5))).isoformat() in starts_on(mine)
    assert "2026-12-10T10:00:00-05:00" not in starts_on(theirs)


def test_another_time_replaces_the_hold(client: Client, world: World) -> None:
    hold(client)
    hold(client, local(THURSDAY, 11))

    assert [booking.starts_at for booking in Booking.objects.all()] == [local(THURSDAY, 11)]


def test_two_people_may_be_booked_but_not_three(client: Client, world: World) -> None:
    hold(client)
    hold(client, local(THURSDAY, 11), another="1")

    refused = hold(client, local(THURSDAY, 12), another="1")

    assert refused.status_code == 422
    assert "You are already holding two times" in text_of(refused)
    assert Booking.objects.count() == 2


def test_each_saved_step_and_the_button_keep_the_time_longer(client: Client, world: World, clock) -> None:
    hold(client)
    form = details(client, q1="no")

    clock.move_to(NOW + dt.timedelta(minutes=10))
    client.post("/book/details/", {**form, "next": "check"})
    after_step = Booking.objects.get().expires_at
    clock.move_to(NOW + dt.timedelta(minutes=25))
    client.post("/book/details/extend/", form)
    after_button = Booking.objects.get().expires_at

    assert after_step == NOW + dt.timedelta(minutes=30)
    assert after_button == NOW + dt.timedelta(minutes=45)


def test_a_hold_is_never_kept_past_its_limit(client: Client, world: World, clock) -> None:
    hold(client)
    form = details(client)
    for minutes in (15, 30, 45, 55):
        clock.move_to(NOW + dt.timedelta(minutes=minutes))
        client.post("/book/details/extend/", form)

    refused = client.post("/book/details/extend/", form, follow=True)

    assert Booking.objects.get().expires_at == NOW + dt.timedelta(minutes=60)
    assert "We cannot hold this time any longer." in text_of(refused)
    assert "longer</button>" not in text_of(refused)


def test_keeping_the_time_loses_nothing_typed(client: Client, world: World) -> None:
    hold(client)

    client.post("/book/details/extend/", details(client, name="Half a na"))

    assert form_of(client.get("/book/details/"))["name"] == "Half a na"


def test_changing_the_time_gives_it_back_and_keeps_the_answers(client: Client, world: World) -> None:
    hold(client)

    changed = client.post("/book/details/release/", {**details(client), "to": "times"})

    assert changed.headers["Location"] == "/book/nose/?practitioner=any&location=main&date=2026-12-10"
    assert Booking.objects.count() == 0
    hold(client, local(THURSDAY, 11))
    assert form_of(client.get("/book/details/"))["email"] == "robin@example.org"


def test_changing_the_visit_gives_the_time_back_and_keeps_the_answers(client: Client, world: World) -> None:
    hold(client)

    changed = client.post("/book/details/release/", {**details(client), "to": "services"})

    assert (changed.status_code, changed["Location"]) == (303, "/services/")
    assert Booking.objects.count() == 0
    hold(client)
    assert form_of(client.get("/book/details/"))["email"] == "robin@example.org"


def test_the_steps_are_counted_and_say_what_the_visit_is(client: Client, world: World) -> None:
    answered(client)
    times = text_of(client.get("/book/nose/"))
    hold(client)
    typed = text_of(client.get("/book/details/"))
    checked = text_of(client.post("/book/details/", {**details(client), "next": "check"}))

    assert [f"Step {number} of 3" in page for number, page in enumerate((times, typed, checked), 1)] == [True] * 3
    assert all('<h2 id="your-visit">Your visit</h2>' in page for page in (times, typed, checked))


def test_the_time_can_be_given_back(client: Client, world: World) -> None:
    hold(client)

    given_back = client.post("/book/details/release/", details(client))

    assert given_back.headers["Location"] == "/services/nose/"
    assert Booking.objects.count() == 0


def test_the_check_page_says_all_before_booking(client: Client, world: World) -> None:
    world.clinic.late_fee = 20
    world.clinic.save()
    answered(client)
    hold(client)

    page = client.post("/book/details/", details(client, next="check", email="robin@gmial.com"))

    words = text_of(page)
    assert "You are not booked yet." in words
    assert Booking.objects.get().practitioner.name in words
    assert "from $45, paid at the clinic" in words
    assert "Move or cancel free until Wednesday 9 December, 10am. After that: $20." in words
    assert "Did you mean <strong>robin@gmail.com</strong>?" in words
    assert Booking.objects.get().state == BookingState.HELD
    assert form_of(page)["date_of_birth"] == "1990-03-17"


def test_for_someone_else_and_wishes_are_kept(client: Client, world: World) -> None:
    book(client, for_whom="someone", wishes="A quiet room.\nשלום")

    booking = Booking.objects.get()
    assert booking.is_for_someone_else
    assert booking.wishes.splitlines() == ["A quiet room.", "שלום"]


def test_the_done_page_is_this_browsers_alone(client: Client, world: World) -> None:
    book(client)

    mine, theirs = client.get("/book/done/"), Client().get("/book/done/")

    assert "robin@example.org" in text_of(mine)
    assert Booking.objects.get().reference[:3] in text_of(mine)
    assert "robin@example.org" not in text_of(theirs)
    assert "no-store" in mine.headers["Cache-Control"]
    assert client.get("/book/done/calendar.ics").content.startswith(b"BEGIN:VCALENDAR")
    assert Client().get("/book/done/calendar.ics").status_code == 404


def test_what_happens_next_has_real_dates(client: Client, world: World) -> None:
    book(client)

    words = text_of(client.get("/book/done/"))

    assert "From Monday 7 December" in words
    assert "Thursday 10 December, 10am" in words


def test_a_wrong_address_is_fixed_and_the_old_link_revoked(client: Client, world: World) -> None:
    book(client)
    old = Booking.objects.get()

    fixed = client.post("/book/done/email/", {"email": "other@example.org"}, follow=True)

    booking = Booking.objects.get()
    assert "We have sent it again, to other@example.org." in text_of(fixed)
    assert booking.patient
    assert booking.patient.email == "other@example.org"
    assert booking.link_version == old.link_version + 1
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 2
    assert client.get("/visit/").status_code == 200


def test_after_half_an_hour_the_address_is_changed_by_phone(client: Client, world: World, clock) -> None:
    book(client)
    clock.move_to(NOW + dt.timedelta(minutes=31))

    refused = client.post("/book/done/email/", {"email": "other@example.org"})

    assert refused.status_code == 410
    assert Patient.objects.get().email == "robin@example.org"


def test_clearing_the_device_forgets_the_visit(client: Client, world: World) -> None:
    book(client)

    cleared = client.post("/book/done/clear/")

    assert cleared.status_code == 303
    assert "robin@example.org" not in text_of(client.get("/book/done/"))
    assert client.get("/visit/").status_code == 410
    assert Booking.objects.get().state == BookingState.CONFIRMED


def test_only_the_demo_shows_the_email_that_was_written(client: Client, world: World) -> None:
    book(client)

    outside = client.get("/book/done/message/")
    world.clinic.is_demo = True
    world.clinic.save()
    inside = client.get("/book/done/message/")

    assert outside.status_code == 404
    assert OutgoingEmail.objects.get(kind="confirmed").subject in text_of(inside)


def test_gets_write_nothing(client: Client, world: World) -> None:
    for path in ("/book/nose/check/", "/book/nose/", "/book/details/", "/book/done/", "/book/nose/call/"):
        assert client.get(path).status_code == 200
        assert client.get(path).cookies.get("session") is None

    assert Booking.objects.count() == 0


def test_paused_booking_shows_the_phone(client: Client, world: World) -> None:
    world.clinic.is_online_paused = True
    world.clinic.pause_message = "We are back on Monday."
    world.clinic.save()

    page, refused = client.get("/book/nose/"), hold(client)

    assert (page.status_code, refused.status_code) == (200, 503)
    assert "We are back on Monday." in text_of(page)
    assert 'href="tel:+12125550100"' in text_of(refused)


def test_a_clinic_that_is_not_set_up_says_so(client: Client) -> None:
    pages = [client.get("/book/nose/"), client.get("/book/details/"), client.post("/book/details/", {"q1": "yes"})]

    assert [page.status_code for page in pages] == [200, 200, 503]
    assert all("You cannot book online yet" in text_of(page) for page in pages)


def test_who_comes_next_in_the_same_browser_is_asked_anew(client: Client, world: World) -> None:
    book(client)

    hold(client, TEN + dt.timedelta(hours=2))

    assert 'name="q1"' in client.get("/book/details/").content.decode()


def test_a_service_is_on_offer_until_its_last_evening_at_the_clinic(client: Client, world: World, clock) -> None:
    world.service.retired_on = dt.date(2026, 12, 1)
    world.service.save()

    clock.move_to(local(dt.date(2026, 11, 30), 20))
    assert client.get("/book/nose/").status_code == 200
    clock.move_to(local(dt.date(2026, 12, 1), 20))
    assert client.get("/book/nose/").status_code == 404
