"""The visit's own page: wrong taps taken back, late, notes, the next visit, the payment and its receipt."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from bookings import lifecycle
from bookings.models import Booking, BookingState, Consent, PaidBy, Patient, Payment, Task, TaskKind, VisitNote
from clinic.models import Clinic, Practitioner, Service
from tests.desk import MONDAY, book_with, page_of, signed_in, words_of
from tests.factories import NOW, World, local
from tests.online import SAID, answered, form_of, hold, make_world
from tests.visits import follow_link

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
SOON = TEN + dt.timedelta(minutes=10)
LATER = local(dt.date(2026, 12, 10), 10)


@pytest.fixture
def world() -> World:
    found = make_world(practitioners=2, rooms=2)
    Service.objects.update(body_areas=["nose", "chin"])
    return found


@pytest.fixture
def booking(world: World) -> Booking:
    return book_with(world, TEN, name="Sam Kay", now=NOW)


@pytest.fixture(autouse=True)
def clock(time_machine: Any, request: Any) -> Any:
    """Every visit is booked a week before; then it has just begun."""
    time_machine.move_to(NOW, tick=False)
    if "booking" in request.fixturenames:
        request.getfixturevalue("booking")
    time_machine.move_to(SOON, tick=False)
    return time_machine


@pytest.fixture
def reception() -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


def act(client: Client, booking: Booking, name: str, **said: Any) -> Any:
    return client.post(page_of(booking, name), said)


def page(client: Client, booking: Booking) -> str:
    return words_of(client.get(page_of(booking)))


def state(booking: Booking) -> str:
    return Booking.objects.get(pk=booking.pk).state


def offers(client: Client, booking: Booking, *names: str) -> list[str]:
    """Which of these acts the page has a button or a link for."""
    html = client.get(page_of(booking)).content.decode()
    return [name for name in names if f'"{page_of(booking, name)}"' in html]


BACK = ("unmiss", "step_back", "reopen")


# Taken back


def test_a_no_show_and_back_again(reception: Client, booking: Booking) -> None:
    assert offers(reception, booking, *BACK) == []
    assert "In 15 minutes they get an email" in words_of(reception.get(page_of(booking, "miss")))
    act(reception, booking, "miss")
    assert offers(reception, booking, *BACK) == ["unmiss"]
    again = f'href="/desk/book/?service=nose&amp;patient={booking.patient_id}"'
    assert again in reception.get(page_of(booking)).content.decode()

    for _ in range(2):
        assert act(reception, booking, "unmiss").status_code == 302

    assert state(booking) == BookingState.CONFIRMED
    assert page(reception, booking).count("Back after no-show by Rae Desk") == 1


def test_a_wrong_tap_is_taken_back_step_by_step(reception: Client, booking: Booking) -> None:
    act(reception, booking, "arrive")
    act(reception, booking, "enter_room")
    assert "Back to arrived" in page(reception, booking)

    for _ in range(2):
        act(reception, booking, "step_back", seen="in_room")
    assert state(booking) == BookingState.ARRIVED
    assert "Back to confirmed" in page(reception, booking)
    act(reception, booking, "step_back", seen="arrived")

    said = page(reception, booking)
    assert state(booking) == BookingState.CONFIRMED
    assert ("Set back by Rae Desk" in said, "To arrived" in said, "To confirmed" in said) == (True, True, True)


@pytest.mark.parametrize("seen", ["completed", "", "no such"])
def test_a_step_back_from_nowhere_is_refused_kindly(reception: Client, booking: Booking, seen: str) -> None:
    refused = act(reception, booking, "step_back", seen=seen)

    assert (refused.status_code, state(booking)) == (409, BookingState.CONFIRMED)
    assert "stays as it is now" in words_of(refused)


def test_a_visit_that_was_closed_wrongly_opens_again_the_same_day(
    reception: Client, booking: Booking, clock: Any
) -> None:
    act(reception, booking, "close", outcome="treated", areas=["nose"])
    assert offers(reception, booking, *BACK) == ["reopen"]

    for _ in range(2):
        assert act(reception, booking, "reopen").status_code == 302

    assert state(booking) == BookingState.IN_ROOM
    assert "Opened again by Rae Desk" in page(reception, booking)
    assert "It was closed as treated" in page(reception, booking)
    act(reception, booking, "close", outcome="treated", areas=["nose"])
    clock.move_to(TEN + dt.timedelta(days=1), tick=False)
    rested = signed_in("reception")
    assert offers(rested, booking, *BACK) == []
    assert "only on the day it was closed" in words_of(act(rested, booking, "reopen"))


# Late, and notes


def test_a_patient_who_phones_is_late_on_the_page(reception: Client, booking: Booking) -> None:
    act(reception, booking, "late", late="10")

    said = page(reception, booking)
    assert "⚑ Running late: 10 min" in said
    assert "Running late by Rae Desk" in said
    assert "By 10 minutes" in said
    assert '<option value="10" selected>' in reception.get(page_of(booking)).content.decode()
    act(reception, booking, "late", late="0")
    assert "⚑ Running late" not in page(reception, booking)
    assert "Not late any more by Rae Desk" in page(reception, booking)


@pytest.mark.parametrize("late", ["", "4", "61", "-10", "ten"])
def test_nobody_is_late_by_what_the_list_does_not_hold(reception: Client, booking: Booking, late: str) -> None:
    refused = act(reception, booking, "late", late=late)

    assert (refused.status_code, "Choose how late from the list" in words_of(refused)) == (422, True)
    assert Booking.objects.get(pk=booking.pk).late_minutes is None


def test_late_is_asked_on_its_day_alone(reception: Client, booking: Booking, clock: Any) -> None:
    clock.move_to(NOW, tick=False)
    assert offers(signed_in("reception"), booking, "late") == []


def test_a_note_is_read_by_whoever_sees_the_visit(reception: Client, booking: Booking) -> None:
    doer = signed_in("practitioner", first_name="Maya", last_name="Ruiz")
    for _ in range(2):
        act(reception, booking, "note", text="Brings <her> dog.\nSecond line.")

    said = page(doer, booking)
    assert "Brings <her> dog." in said
    assert "Rae Desk, Monday 30 November, 10:10am" in said
    assert VisitNote.objects.count() == 1
    act(doer, booking, "note", text="Skin was calm.")
    assert "Maya Ruiz, Monday 30 November" in page(reception, booking)


def test_a_note_stands_in_the_history_once_and_without_its_words(reception: Client, booking: Booking) -> None:
    for _ in range(2):
        act(reception, booking, "note", text="Brings her dog.")

    noted = booking.events.get(verb="noted")
    assert (noted.by.username, noted.detail) == ("reception-1", {})
    log = signed_in("manager").get("/desk/log/", {"booking": booking.reference})
    assert "Noted" in [line.what for line in log.context["lines"]]


def test_a_note_that_says_nothing_or_too_much_is_not_lost(reception: Client, booking: Booking) -> None:
    empty, long = act(reception, booking, "note", text="  "), act(reception, booking, "note", text="long " * 500)

    assert (empty.status_code, "Write the note" in words_of(empty)) == (422, True)
    assert (long.status_code, "Shorten the note" in words_of(long)) == (422, True)
    assert "long long" in words_of(long)
    assert not VisitNote.objects.exists()


# The next visit


def test_after_a_treatment_the_next_visit_is_suggested_once_the_skin_has_healed(
    reception: Client, booking: Booking
) -> None:
    act(reception, booking, "close", outcome="treated", areas=["nose"])

    said = page(reception, booking)

    assert "Suggested from Monday 28 December" in said
    found = re.findall(r'href="(/desk/book/\?[^"]*start=[^"]*)"', reception.get(page_of(booking)).content.decode())
    assert len(found) == 3
    first = found[0].replace("&amp;", "&")
    assert first == (
        f"/desk/book/?service=nose&patient={booking.patient_id}&start=2026-12-28T09%3A00%3A00-05%3A00"
        f"&practitioner={booking.practitioner.slug}"
    )


def test_who_was_not_treated_needs_no_time_to_heal(reception: Client, booking: Booking) -> None:
    act(reception, booking, "close", outcome="not_treated")

    assert "Next visit" not in page(reception, booking)


def test_who_has_their_next_visit_already_is_offered_no_other(
    reception: Client, world: World, booking: Booking, clock: Any
) -> None:
    clock.move_to(NOW, tick=False)
    other = book_with(world, local(dt.date(2027, 1, 5), 10), name="Sam Kay", practitioner=world.practitioners[1])
    Practitioner.objects.update(user=None)
    Practitioner.objects.filter(pk=booking.practitioner_id).update(user=User.objects.create_user("doer"))
    clock.move_to(SOON, tick=False)
    act(reception, booking, "close", outcome="treated", areas=["nose"])

    assert "Booked already: Tuesday 5 January, 10am" in page(reception, booking)
    assert page_of(other) in reception.get(page_of(booking)).content.decode()


def test_a_practitioner_reads_the_times_and_who_books_them_is_another(reception: Client, booking: Booking) -> None:
    act(reception, booking, "close", outcome="treated", areas=["nose"])

    html = signed_in("practitioner").get(page_of(booking)).content.decode()

    assert "Monday 28 December, 9am" in html
    assert "/desk/book/" not in html


# Paid


def test_a_practitioner_does_the_whole_visit_and_takes_the_payment(booking: Booking) -> None:
    doer = signed_in("practitioner", first_name="Maya", last_name="Ruiz")
    acts: dict[str, dict[str, Any]] = {
        "arrive": {},
        "enter_room": {},
        "close": {"outcome": "treated", "areas": ["nose"]},
        "note": {"text": "Calm skin."},
        "pay": {"amount": "45", "method": "card"},
    }
    for name, fields in acts.items():
        assert act(doer, booking, name, **fields).status_code == 302

    said = page(doer, booking)
    assert "Paid $45 , card Monday 30 November, 10:10am, taken by Maya Ruiz" in said
    assert "Paid by Maya Ruiz" in said
    assert offers(doer, booking, "pay") == []


def test_the_agreed_price_stands_there_already(reception: Client, booking: Booking) -> None:
    Service.objects.update(price=99)

    form = reception.get(page_of(booking, "pay"))

    assert 'name="amount" value="45.00"' in form.content.decode()
    assert "Amount in USD" in words_of(form)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"amount": "", "method": "cash"}, "Enter the amount, like 45 or 45.50"),
        ({"amount": "0", "method": "cash"}, "The amount must be more than 0"),
        ({"amount": "-5", "method": "cash"}, "The amount must be more than 0"),
        ({"amount": "4.555", "method": "cash"}, "at most two decimals"),
        ({"amount": "9999999", "method": "cash"}, "The amount is too large"),
        ({"amount": "NaN", "method": "cash"}, "Enter the amount, like 45 or 45.50"),
        ({"amount": "45", "method": "shells"}, "Select how it was paid"),
        ({"amount": "45.5"}, "Select how it was paid"),
    ],
)
def test_what_cannot_be_an_amount_stays_in_its_box(
    reception: Client, booking: Booking, said: dict[str, str], problem: str
) -> None:
    refused = reception.post(page_of(booking, "pay"), said)

    assert (refused.status_code, problem in words_of(refused)) == (422, True)
    assert not said["amount"] or f'value="{said["amount"]}"' in refused.content.decode()
    assert not Payment.objects.exists()


def test_a_second_press_says_that_it_is_paid(reception: Client, booking: Booking) -> None:
    said = {"amount": "45", "method": "card"}
    assert act(reception, booking, "pay", **said).status_code == 302

    again = act(reception, booking, "pay", **said)

    assert (again.status_code, "Already paid." in words_of(again), Payment.objects.count()) == (409, True, 1)
    assert "Already paid" in words_of(reception.get(page_of(booking, "pay")))


def test_the_receipt_says_all_and_a_void_one_says_void(reception: Client, booking: Booking) -> None:
    manager = signed_in("manager", first_name="Lee", last_name="Boss")
    assert reception.get(page_of(booking, "receipt")).status_code == 404
    act(reception, booking, "pay", amount="45.50", method="cash")
    payment = Payment.objects.get()
    void = reverse("desk:void", args=[booking.reference, payment.pk])

    said = words_of(reception.get(page_of(booking, "receipt")))
    for part in (
        "Example Skin Clinic 12 Example Street New York, NY 10001",
        f"Receipt {payment.pk}",
        "Date 30 November 2026, 10:10am",
        "For Sam Kay",
        "Visit Nose and T-zone blackhead extraction, 30 November 2026",
        "Paid by Cash",
        "Taken by Rae Desk",
        "Paid $45.50",
    ):
        assert part in said
    assert "VOID" not in said
    assert reception.post(void, {"reason": "no"}).status_code == 403
    assert void not in reception.get(page_of(booking)).content.decode()
    assert void in manager.get(page_of(booking)).content.decode()
    assert manager.post(void, {"reason": " "}).status_code == 422
    for _ in range(2):
        assert manager.post(void, {"reason": "Wrong amount"}).status_code == 302

    assert "VOID since 30 November 2026" in words_of(reception.get(page_of(booking, "receipt")))
    said = page(reception, booking)
    assert "Void since Monday 30 November, 10:10am, by Lee Boss: Wrong amount" in said
    assert "Payment voided by Lee Boss" in said
    act(reception, booking, "pay", amount="45", method="cash")
    assert "VOID" not in words_of(reception.get(page_of(booking, "receipt")))
    assert "VOID" in words_of(reception.get(f"{page_of(booking, 'receipt')}?number={payment.pk}"))
    assert reception.get(f"{page_of(booking, 'receipt')}?number=x").status_code == 404


def test_payments_of_another_visit_are_out_of_reach(reception: Client, world: World, booking: Booking) -> None:
    other = book_with(world, TEN + dt.timedelta(days=1), name="Kim Lo", now=SOON)
    act(reception, booking, "pay", amount="45", method="cash")
    payment = Payment.objects.get()
    manager = signed_in("manager")

    assert manager.post(reverse("desk:void", args=[other.reference, payment.pk]), {"reason": "x"}).status_code == 404
    assert manager.get(f"{page_of(other, 'receipt')}?number={payment.pk}").status_code == 404


# The page


def test_the_page_says_how_somebody_agreed_and_who_wrote_it_down(reception: Client, booking: Booking) -> None:
    user = User.objects.get(username="reception-1")
    Consent.objects.filter(booking=booking).delete()
    for kind, way, by in (("privacy", "phone", user), ("guidance_read", "online", None)):
        Consent.objects.create(
            booking=booking, kind=kind, version="1", words="Yes", given_at=NOW, way=way, recorded_by=by
        )

    said = page(reception, booking)

    assert "Monday 23 November, 9am, said on the phone, recorded by Rae Desk." in said
    assert "Monday 23 November, 9am, online." in said


def test_the_page_takes_the_same_queries_for_much_as_for_little(
    reception: Client, booking: Booking, django_assert_max_num_queries: Any
) -> None:
    act(reception, booking, "close", outcome="treated", areas=["nose"])
    user = User.objects.get(username="reception-1")

    def fill() -> None:
        note = lifecycle.add_visit_note(booking, text=f"Note {VisitNote.objects.count()}", by=user, now=SOON)
        payment = lifecycle.take_payment(booking, amount=Decimal(45), method=PaidBy.CASH, by=user, now=SOON)
        lifecycle.void_payment(payment, reason=f"Reason {note.pk}", by=user, now=SOON)

    fill()
    reception.get(page_of(booking))
    with django_assert_max_num_queries(100) as few:
        reception.get(page_of(booking))
    fill()
    fill()

    with django_assert_max_num_queries(len(few.captured_queries)):
        reception.get(page_of(booking))


def test_a_cancelled_visit_is_booked_again_from_its_page(reception: Client, booking: Booking, clock: Any) -> None:
    clock.move_to(NOW, tick=False)
    lifecycle.cancel(booking, reason="ill", by=User.objects.get(username="reception-1"), now=NOW)
    rested = signed_in("reception")

    assert f"patient={booking.patient_id}" in rested.get(page_of(booking)).content.decode()
    assert "Book again" not in page(signed_in("practitioner"), booking)


# By phone only


def missed_twice(world: World) -> Booking:
    """Robin Example missed two visits this month, and has a link to one of them."""
    missed = [world.book(local(day, 10)) for day in (dt.date(2026, 11, 24), dt.date(2026, 11, 25))]
    for each in missed:
        lifecycle.miss(each, by=User.objects.get(username="reception-1"), now=each.ends_at)
    Clinic.objects.update(desk_only_after_missed=2)
    return missed[0]


def bare(response: Any, *secrets: str) -> bytes:
    """An answer without what is new each time: the token of its forms, and what ``secrets`` are."""
    body: bytes = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]*"', b"", response.content)
    for each in secrets:
        body = body.replace(each.encode(), b"")
    return body


def way(client: Client) -> list[tuple[int, str, bytes]]:
    """Everything a stranger is shown from the first question to the thank-you page."""
    answers = [answered(client), hold(client, LATER)]
    form = client.get("/book/details/")
    said = {**form_of(form), **SAID}
    answers += [form, client.post("/book/details/", {**said, "next": "check"}), client.post("/book/details/", said)]
    answers.append(client.get("/book/done/"))
    booked = Booking.objects.latest("pk")
    half = len(booked.reference) // 2
    spoken = f"{booked.reference[:half]} {booked.reference[half:]}"
    lifecycle.cancel(booked, reason="", by=User.objects.get(username="reception-1"), now=SOON)
    return [
        (each.status_code, each.headers.get("Location", ""), bare(each, booked.reference, spoken)) for each in answers
    ]


def test_a_stranger_is_answered_alike_whether_or_not_they_missed_visits(
    world: World, reception: Client, clock: Any
) -> None:
    clock.move_to(NOW, tick=False)
    missed_twice(world)
    clock.move_to(SOON, tick=False)
    with_rule = way(Client())
    tasks = list(Task.objects.filter(kind=TaskKind.MISSED_OFTEN))
    Clinic.objects.update(desk_only_after_missed=0)
    Booking.objects.filter(state=BookingState.MISSED).update(
        patient=Patient.objects.create(name="Kim Other", created_at=NOW)
    )

    without = way(Client())

    assert with_rule == without
    assert [code for code, _, _ in with_rule] == [303, 303, 200, 200, 303, 200]
    assert len(tasks) == 1
    assert Task.objects.filter(kind=TaskKind.MISSED_OFTEN).count() == 1


def test_who_came_by_their_link_is_asked_to_call_and_keeps_what_they_typed(
    world: World, reception: Client, clock: Any
) -> None:
    clock.move_to(NOW, tick=False)
    link = missed_twice(world)
    clock.move_to(SOON, tick=False)
    patient = Client()
    answered(patient)
    hold(patient, LATER)
    said = {**form_of(patient.get("/book/details/")), **SAID}
    follow_link(patient, link)

    refused = patient.post("/book/details/", said)

    assert refused.status_code == 422
    assert "Call us to book your next visit" in words_of(refused)
    assert "212 555 0100" in words_of(refused)
    assert "We kept what you typed." in words_of(refused)
    assert not Booking.objects.upcoming().exists()
    assert 'value="Robin Example"' in patient.get("/book/details/").content.decode()
    again = hold(patient, LATER)
    assert (again.status_code, "Call us to book your next visit" in words_of(again)) == (422, True)
    assert hold(patient, LATER, another="1").status_code == 303


def test_an_amount_far_from_the_price_is_asked_about_once(reception: Client, booking: Booking) -> None:
    page = page_of(booking, "pay")

    asked = reception.post(page, {"amount": "45000", "method": "card"})

    assert asked.status_code == 422
    assert "The agreed price is 45.00. Correct the amount, or tick that it is right" in words_of(asked)
    assert not booking.payments.exists()
    reception.post(page, {"amount": "45000", "method": "card", "is_right": "on"})
    assert booking.payments.get().amount == 45000


def test_the_page_says_until_somebody_wrote_down_that_the_advice_was_read(reception: Client, booking: Booking) -> None:
    assert "Advice not recorded." not in words_of(reception.get(page_of(booking)))
    booking.consents.all().delete()

    assert "Advice not recorded." in words_of(reception.get(page_of(booking)))
    reception.post(page_of(booking, "guidance_read"), {"way": "spoken"})
    assert "Advice not recorded." not in words_of(reception.get(page_of(booking)))


def test_without_an_address_nothing_is_sent_again(reception: Client, world: World) -> None:
    without = world.book(local(MONDAY + dt.timedelta(days=1), 9), email="")

    said = words_of(reception.get(page_of(without)))

    assert "Add an email address" in said
    assert "confirmation again" not in said
