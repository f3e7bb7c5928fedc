"""Answers while booking: which days are safe, when a clinician looks first, and when there is no visit at all."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client

from bookings.models import Booking, BookingState, Patient, ScreeningRun, Task, TaskKind
from clinic.models import Clinic, Grade, Verdict
from tests.factories import World, local, make_practitioner, make_room, make_service, open_weekdays
from tests.online import (
    DETAILS_NO,
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
    starts_on,
    text_of,
)

pytestmark = pytest.mark.django_db

COLD_SORE = {"q3": "yes", "q3_date": "2026-11-27"}
WHY = "We wait 14 days after a cold sore."


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(dt.datetime(2026, 12, 2, 14, tzinfo=dt.UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2)


@pytest.fixture
def consult(world: World):
    make_room(world.location, kind="CONS")
    return make_service(
        slug="consult", name="Skin check and plan", short_name="Skin check", room_kind="CONS", groups=[]
    )


def test_days_before_the_first_safe_one_are_closed_with_the_reason(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)

    words = text_of(client.get("/book/nose/?month=2026-12"))

    assert "<strong>Friday 11 December</strong> is your first safe day." in words
    closed = [f"{day} December, closed. {WHY}" for day in ("Wednesday 2", "Thursday 3", "Saturday 5", "Thursday 10")]
    assert [label in words for label in closed] == [True] * 4
    assert "Friday 11 December, 30 free times" in words
    assert words.count("closed. We wait") == 9


def test_a_closed_day_says_why_when_it_is_opened(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)

    page = client.get("/book/nose/?date=2026-12-10")

    assert f"This day is closed to you. {WHY}" in text_of(page)
    assert local(THURSDAY, 10).astimezone(world.location.zone).isoformat() not in starts_on(page)


def test_the_list_of_days_says_why_too(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)

    page = client.get("/book/nose/?month=2026-12&view=list")

    assert f"Thursday 10 December, closed. {WHY}" in text_of(page)


def test_a_time_that_is_not_safe_cannot_be_held(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)

    refused = hold(client)

    assert refused.status_code == 422
    assert "Your skin needs a little longer" in text_of(refused)
    assert WHY in text_of(refused)
    assert starts_on(refused)[0] == "2026-12-11T09:00:00-05:00"
    assert Booking.objects.count() == 0


def test_a_safe_time_is_booked_with_answers_verdict_and_versions(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)
    hold(client, local(dt.date(2026, 12, 11), 10))
    client.post("/book/details/", details(client))

    booking = Booking.objects.get()
    run = booking.screenings.get()
    assert booking.state == BookingState.CONFIRMED
    assert not booking.is_screening_outstanding
    assert run.answers["Q3"] == {"answer": "yes", "parts": [], "date": "2026-11-27"}
    assert (run.verdict, run.not_before) == (Verdict.NOTE, dt.date(2026, 12, 11))
    assert (run.versions["Q3"], run.versions["q3-yes-1"]) == (1, 1)
    assert run.delete_on == dt.date(2027, 12, 11)


def test_an_answer_changed_while_a_time_is_held_gives_an_unsafe_time_back(client: Client, world: World) -> None:
    answered(client)
    hold(client)

    safe = answered(client, q3="yes", q3_date="2026-11-26")
    assert (safe.headers["Location"], Booking.objects.count()) == ("/book/details/", 1)
    unsafe = answered(client, **COLD_SORE)

    assert (unsafe.headers["Location"], Booking.objects.count()) == ("/book/nose/", 0)


def test_no_link_on_a_page_that_answers_a_post_leads_nowhere(client: Client, world: World) -> None:
    """A link to the page's own address with nothing but a fragment only jumps, and loads no form."""
    answered(client)
    hold(client)
    check = client.post("/book/details/", details(client, event_date=THURSDAY.isoformat(), next="check"))
    hold(client)
    young = client.post("/book/details/", details(client, date_of_birth_year="2010", for_whom="child"))

    for page in (check, young):
        links = re.findall(r'href="([^"]*)"', page.content.decode())
        assert "/book/details/?change#id_date_of_birth_0" in links or "/book/details/?change#id_name" in links
        assert [link for link in links if link.startswith("/book/details/#")] == []


def test_a_late_answer_gives_the_time_back_and_offers_the_first_safe_ones(client: Client, world: World) -> None:
    hold(client)

    refused = client.post("/book/details/", details(client, **{**SKIN_NO, **COLD_SORE}))

    assert refused.status_code == 422
    assert "Your skin needs a little longer" in text_of(refused)
    assert starts_on(refused)[0] == "2026-12-11T09:00:00-05:00"
    assert (Booking.objects.count(), Patient.objects.count()) == (0, 0)


def test_after_a_refusal_nothing_typed_is_lost(client: Client, world: World) -> None:
    hold(client)
    refused = client.post("/book/details/", details(client, **{**SKIN_NO, **COLD_SORE}, next="check"))
    hold(client, dt.datetime.fromisoformat(starts_on(refused)[0]))

    form = form_of(client.get("/book/details/"))
    booked = client.post("/book/details/", {**form, "guidance_read": "on", "consent": "on"})

    assert (form["name"], form["q4"], form["q12"]) == (SAID["name"], "no", "no")
    assert booked.status_code == 303
    assert Booking.objects.get().screenings.get().answers["Q3"]["date"] == "2026-11-27"


def test_the_check_page_says_what_was_answered(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)
    hold(client, local(dt.date(2026, 12, 11), 10))

    check = client.post("/book/details/", details(client, next="check"))

    assert "11 no; 1 yes: a cold sore" in text_of(check)
    assert "q3" not in form_of(check)


def test_an_unticked_list_is_asked_again_and_not_taken_for_the_earlier_answer(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    client.post("/book/details/", details(client, q12_parts="q12-diabetes", name=""))

    without = {name: value for name, value in details(client).items() if not name.startswith("q12")}
    again = client.post("/book/details/", without)

    assert again.status_code == 422
    assert "Tick what is true, or “None of these”" in text_of(again)


def test_a_review_holds_the_time_for_a_clinician(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    said = {name: value for name, value in details(client).items() if name != "q12"}
    check = client.post("/book/details/", {**said, "q12_parts": "q12-diabetes", "next": "check"})
    done = client.post("/book/details/", form_of(check), follow=True)

    booking = Booking.objects.get()
    assert "Ask for this visit" in text_of(check)
    assert (booking.state, booking.reply_by) == (BookingState.PENDING, local(dt.date(2026, 12, 2), 18))
    assert "We are holding your time" in text_of(done)
    assert "A clinician will look by Wednesday 2 December, 6pm. You are not booked yet." in text_of(done)
    assert list(booking.emails.exclude(kind="staff_notice").values_list("kind", flat=True)) == ["pending"]


def test_times_before_the_clinic_has_replied_are_not_offered_to_who_needs_a_review(
    client: Client, world: World, clock
) -> None:
    # In the afternoon, so that the reply comes the next day.
    clock.move_to(dt.datetime(2026, 12, 2, 21, tzinfo=dt.UTC))
    answered(client, q7=[], q7_parts="q7-flare")

    page = client.get("/book/nose/?date=2026-12-03")

    assert "A clinician looks at your answers first, by Thursday 3 December, 4pm." in text_of(page)
    # Two hours of notice after the reply is past closing time.
    assert starts_on(page)[0] == "2026-12-04T09:00:00-05:00"
    assert hold(client, local(dt.date(2026, 12, 3), 16)).status_code == 422


def test_a_sore_spot_leads_to_a_skin_check_with_one_tap(client: Client, world: World, consult) -> None:
    answered(client, q2="yes")

    page = client.get("/book/nose/")
    held = client.post("/book/consult/hold/", {"start": starts_on(page)[0], "practitioner": "any"})
    booked = client.post("/book/details/", details(client, q2="yes"))

    assert "A clinician needs to see your skin first" in text_of(page)
    assert (held.status_code, booked.status_code) == (303, 303)
    booking = Booking.objects.get()
    assert (booking.service, booking.state) == (consult, BookingState.CONFIRMED)


def test_an_extraction_cannot_be_held_when_only_a_skin_check_is_open(client: Client, world: World, consult) -> None:
    answered(client, q8="unsure")

    refused = hold(client)

    assert refused.status_code == 422
    assert "The earliest times for a skin check" in text_of(refused)
    assert Booking.objects.count() == 0


def test_not_sure_about_a_warning_sign_says_whom_to_ask(client: Client, world: World) -> None:
    stopped = answered(client, "unsure")

    assert "If you are not sure, call 212 555 0111 and ask before you book." in text_of(stopped)


def test_help_is_shown_before_any_other_mistake_in_the_form(client: Client, world: World) -> None:
    stopped = client.post("/book/nose/check/", {"q1": "yes"})

    assert "Get medical help first" in text_of(stopped)
    assert ScreeningRun.objects.count() == 0


def test_help_on_the_details_without_a_hold_still_shows_help(client: Client, world: World) -> None:
    stopped = client.post("/book/details/", {**SAID, "q1": "yes"})

    assert "Get medical help first" in text_of(stopped)


def test_all_no_says_thank_you(client: Client, world: World) -> None:
    answered(client)

    assert "Thank you. Nothing here stops your booking." in text_of(client.get("/book/nose/"))


def test_answers_that_led_to_no_booking_live_a_day(client: Client, world: World) -> None:
    answered(client)

    run = ScreeningRun.objects.get()
    assert run.expires_at == dt.datetime(2026, 12, 3, 14, tzinfo=dt.UTC)
    assert run.booking is None


def test_answers_that_changed_since_they_were_checked_are_checked_again(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    said = {name: value for name, value in details(client).items() if name != "q9"}
    check = client.post("/book/details/", {**said, "q9_parts": "q9-thinner", "next": "check"})
    # Somebody else at the same browser says no to the same questions.
    others = {name: value for name, value in details(client, next="check").items() if name != "q9_parts"}
    assert client.post("/book/details/", others).status_code == 200

    again = client.post("/book/details/", form_of(check))

    assert "Check and book" in text_of(again)
    assert Booking.objects.get().state == BookingState.HELD


def test_a_warning_sign_while_booking_again_reaches_whoever_phones(client: Client, world: World) -> None:
    book(client)
    booking = Booking.objects.get()

    answered(client, "yes")

    task = Task.objects.get(kind=TaskKind.WARNING_SIGN)
    assert (task.booking, task.is_urgent) == (booking, True)


def test_the_next_person_is_asked_anew(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    hold(client, local(THURSDAY, 14), another="1")

    assert 'name="q1"' in client.get("/book/details/").content.decode()


def test_an_answer_about_isotretinoin_keeps_only_aesthetic_visits_waiting(client: Client, world: World) -> None:
    maker = make_practitioner("Anna Short", grade=Grade.AESTHETICIAN, slug="anna")
    open_weekdays(world.location, maker)
    answered(client)
    held = hold(client, practitioner="anna")
    said = {**details(client), "q4": "yes", "q4_date": "2026-11-30"}
    refused = client.post("/book/details/", said)

    assert held.status_code == 303
    assert refused.status_code == 422
    assert "We wait 180 days after the last isotretinoin capsule." in text_of(refused)
    assert Booking.objects.count() == 0


# ---- an event


@pytest.mark.parametrize(("event", "is_told"), [(-1, False), (0, True), (3, True), (4, False)])
def test_redness_before_an_event_is_told_with_better_times(
    client: Client, world: World, event: int, is_told: bool
) -> None:
    answered(client)
    hold(client)
    day = THURSDAY + dt.timedelta(days=event)

    check = client.post("/book/details/", details(client, event_date=day.isoformat(), next="check"))

    assert ("Redness could still show" in text_of(check)) is is_told
    days = {dt.datetime.fromisoformat(start).date() for start in starts_on(check)}
    gap = dt.timedelta(days=world.clinic.event_gap_days)
    assert all(not each <= day <= each + gap for each in days)
    assert bool(days) is is_told


def test_the_better_times_before_an_event_are_safe_ones(client: Client, world: World) -> None:
    answered(client, **COLD_SORE)
    safe = dt.date(2026, 12, 11)
    hold(client, local(safe, 10))

    check = client.post("/book/details/", details(client, event_date="2026-12-14", next="check"))

    days = [dt.datetime.fromisoformat(start).date() for start in starts_on(check)]
    assert days
    assert min(days) > dt.date(2026, 12, 14)


def test_an_event_never_stops_a_booking(client: Client, world: World) -> None:
    book(client, event_date=THURSDAY.isoformat())

    assert Booking.objects.get().event_on == THURSDAY


# ---- minors

CHILD = {
    "for_whom": "child",
    "date_of_birth_year": "2010",
    "guardian_name": "Sam Example",
    "guardian_relation": "mother",
    "guardian_phone": "212 555 0124",
    "guardian_email": "sam@example.org",
}


@pytest.fixture
def young(world: World) -> World:
    Clinic.objects.update(online_from_age=13)
    return world


def test_a_minor_is_reviewed_and_the_guardian_is_asked(client: Client, young: World) -> None:
    answered(client)
    hold(client)
    client.post("/book/details/", details(client, **CHILD))

    booking = Booking.objects.get()
    assert booking.state == BookingState.PENDING
    assert booking.is_for_someone_else
    assert (booking.guardian.name, booking.guardian.agreed_at) == ("Sam Example", None)
    mails = booking.emails.exclude(kind="staff_notice").order_by("kind").values_list("kind", "recipient")
    assert list(mails) == [
        ("guardian", "Sam Example <sam@example.org>"),
        ("pending", "Sam Example <sam@example.org>"),
    ]


def test_a_minors_private_question_is_left_for_the_room(client: Client, young: World) -> None:
    answered(client)
    hold(client)
    client.post("/book/details/", details(client, **{**CHILD, "q11": "yes"}))

    booking = Booking.objects.get()
    assert "Q11" not in booking.screenings.get().answers
    assert booking.is_screening_outstanding


def test_below_the_clinics_age_limit_the_phone_is_the_way(client: Client, world: World) -> None:
    answered(client)
    hold(client)

    refused = client.post("/book/details/", details(client, date_of_birth_year="2010", for_whom="child"))

    assert refused.status_code == 422
    assert "we book by phone" in text_of(refused)
    assert Patient.objects.count() == 0


# ---- earlier visits


def extraction(date: str) -> dict[str, str]:
    return {"last_extraction": "yes", "last_extraction_date": date}


def test_who_said_when_the_last_extraction_was_waits_four_weeks(client: Client, world: World) -> None:
    answered(client, **extraction("2026-11-20"))

    words = text_of(client.get("/book/nose/?month=2026-12"))

    assert "<strong>Friday 18 December</strong> is your first safe day." in words
    assert "Skin needs about four weeks before the next extraction on the same area." in words


def test_a_wrong_day_of_the_last_extraction_is_put_right_on_the_same_page(client: Client, world: World) -> None:
    hold(client)
    wrong = client.post("/book/details/", details(client, **{**SKIN_NO, **extraction("2026-12-24")}))
    refused = client.post("/book/details/", details(client, **{**SKIN_NO, **extraction("2026-11-20")}))

    assert "The date for the last extraction must not be later than today" in text_of(wrong)
    assert (refused.status_code, Booking.objects.count()) == (422, 0)
    assert "Friday 18 December" in text_of(refused)


def test_what_is_asked_for_another_visit_leaves_the_last_extraction_known(client: Client, world: World) -> None:
    answered(client, **extraction("2026-11-20"))
    stubborn = make_service(slug="stubborn", body_areas=["face"], groups=["EXTRACT", "FACEAREA"])
    client.post("/book/stubborn/hold/", {"start": local(dt.date(2026, 12, 21), 10).isoformat(), "practitioner": "any"})
    client.post("/book/details/", details(client, had_consultation="yes"))

    run = Booking.objects.get(service=stubborn).screenings.get()
    assert (run.last_extraction_on, run.had_consultation) == (dt.date(2026, 11, 20), True)


def test_details_answers_are_kept_out_of_the_session(client: Client, world: World) -> None:
    answered(client)
    hold(client)
    client.post("/book/details/", details(client, name="", **DETAILS_NO))

    kept = str(dict(client.session.items()))
    assert [name for name in DETAILS_NO if f"'{name}'" in kept] == []


def test_opened_directly_it_all_stands_on_the_details(client: Client, world: World) -> None:
    hold(client)
    page = client.get("/book/details/").content.decode()

    names = {f"q{number}" for number in range(1, 13)}
    assert {name for name in names if f'name="{name}"' in page} == names
    assert 'name="last_extraction_date_day"' in page
    booked = client.post("/book/details/", details(client, **SKIN_NO))
    assert booked.status_code == 303
    assert Booking.objects.get(starts_at=TEN).state == BookingState.CONFIRMED
