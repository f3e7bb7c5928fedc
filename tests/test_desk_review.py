"""The review queue, and what a clinician decides: approve, decline, change the service, move."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from bookings import lifecycle
from bookings.models import Booking, BookingEvent, BookingState, OutgoingEmail, RunKind, Task, TaskKind
from clinic.models import Grade, Rule, Verdict
from clinic.screening import Answer, Answered
from tests.desk import DARK_MARKS, DIABETES, MONDAY, TUESDAY, book_with, cold_sore, page_of, signed_in, words_of
from tests.factories import NOW, PATIENT, World, local, make_practitioner, make_room, make_service, open_weekdays
from tests.online import make_world

pytestmark = pytest.mark.django_db

TEN = local(MONDAY, 10)
REASON = {"reason": "Healed well before"}


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return make_world(practitioners=2, rooms=2)


@pytest.fixture
def waiting(world: World) -> Booking:
    return book_with(world, TEN, DIABETES, name="Sam Kay")


def events(booking: Booking) -> list[str]:
    return list(booking.events.values_list("verb", flat=True))


def mails(booking: Booking) -> list[str]:
    """To the patient, in order."""
    sent = OutgoingEmail.objects.filter(booking=booking).exclude(kind="staff_notice").order_by("pk")
    return list(sent.values_list("kind", flat=True))


# The queue


def test_nothing_to_review(world: World) -> None:
    assert "Nothing to review." in words_of(signed_in("clinician").get("/desk/review/"))


def test_the_queue_says_who_why_when_and_until_when(waiting: Booking) -> None:
    said = words_of(signed_in("clinician").get("/desk/review/"))

    assert "Reply by 6pm, 9 hours left" in said
    assert "Sam K. Monday 30 November, 10am, Nose extraction, with Maya Ruiz" in said
    assert "Q12: diabetes. A clinician decides." in said
    assert "Q12 Is any of these true for you? Yes: I have diabetes." in said
    assert "All others that were asked: no (Q1, Q2, Q3, Q4, Q5, Q6, Q7, Q8, Q9, Q10, Q11)." in said


def test_the_next_clock_comes_first_and_a_late_one_is_urgent(world: World, time_machine: Any) -> None:
    book_with(world, local(TUESDAY, 10), DIABETES, name="Later Lee", now=NOW + dt.timedelta(days=1))
    first = book_with(world, TEN, DIABETES, name="First Fox")
    assert first.reply_by
    time_machine.move_to(first.reply_by + dt.timedelta(hours=3), tick=False)

    said = words_of(signed_in("clinician").get("/desk/review/"))

    assert said.index("First F.") < said.index("Later L.")
    assert "Urgent Reply by 6pm, 3 hours late" in said
    assert said.count("Urgent") == 1


def test_every_reason_stands_in_a_line_of_its_own(world: World) -> None:
    yes = {**DIABETES, "Q9": Answered(Answer.UNSURE), **cold_sore(dt.date(2026, 11, 10))}
    book_with(world, TEN, yes)

    response = signed_in("clinician").get("/desk/review/")

    [row] = response.context["rows"]
    assert [str(line) for line in row.lines] == [
        "Q9: easy bleeding or bruising; a blood thinner. A clinician decides.",
        "Q12: diabetes. A clinician decides.",
        "Q3: a cold sore. Tell the practitioner.",
        "Q9: daily aspirin only. Tell the practitioner.",
    ]


@pytest.mark.parametrize("visits", [1, 3])
def test_the_queue_asks_the_same_number_of_queries_for_any_number_of_visits(
    world: World, visits: int, django_assert_num_queries: Any
) -> None:
    for hour in range(visits):
        book_with(world, local(MONDAY, 9 + hour), DIABETES)
    clinician = signed_in("clinician")

    # The time zone, session, user, her rights (one for the door, two for the page); visits, answers, their words, the
    # parts; the worker, the clinic; whose answers she read lately, and that she reads them.
    with django_assert_num_queries(14):
        clinician.get("/desk/review/")


def test_reception_sees_that_somebody_waits_and_not_why(waiting: Booking) -> None:
    response = signed_in("reception").get("/desk/review/")

    said = words_of(response)
    assert "Sam K." in said
    assert "Health answers. A clinician decides." in said
    assert "diabetes" not in response.content.decode()
    assert "Q12" not in said
    for act in ("approve", "decline", "change_service"):
        assert page_of(waiting, act) not in response.content.decode()


def test_the_day_counts_what_waits(waiting: Booking, time_machine: Any) -> None:
    assert "1 to review No open tasks" in words_of(signed_in("reception").get("/desk/"))

    time_machine.shift(dt.timedelta(days=1))

    assert "1 to review, 1 late No open tasks" in words_of(signed_in("reception").get("/desk/"))


# Approve and decline


def test_approving_books_the_visit_and_mails_it(waiting: Booking) -> None:
    clinician = signed_in("clinician")

    response = clinician.post(page_of(waiting, "approve"), REASON)

    waiting.refresh_from_db()
    assert (response.status_code, response["Location"]) == (302, "/desk/review/")
    assert (waiting.state, waiting.approved_at, waiting.reply_by) == (BookingState.CONFIRMED, NOW, None)
    assert mails(waiting) == ["pending", "confirmed"]
    event = BookingEvent.objects.get(booking=waiting, verb="approved")
    assert (event.by.username, event.detail["reason"]) == ("clinician-1", "Healed well before")


@pytest.mark.parametrize("act", ["approve", "decline"])
def test_a_decision_needs_a_reason(waiting: Booking, act: str) -> None:
    response = signed_in("clinician").post(page_of(waiting, act), {"reason": "  "})

    assert response.status_code == 422
    assert "Say why the visit" in words_of(response)
    assert Booking.objects.get(pk=waiting.pk).state == BookingState.PENDING


def test_declining_frees_the_time_and_mails_the_reason(world: World, waiting: Booking) -> None:
    clinician = signed_in("clinician")
    assert "Sam will see this reason, in an email." in words_of(clinician.get(page_of(waiting, "decline")))

    clinician.post(page_of(waiting, "decline"), {"reason": "Please see your doctor first."})

    waiting.refresh_from_db()
    assert waiting.state == BookingState.DECLINED
    assert not waiting.claims.exists()
    letter = OutgoingEmail.objects.get(booking=waiting, kind="declined")
    assert "Please see your doctor first." in letter.text
    assert world.book(TEN, practitioner=waiting.practitioner).starts_at == TEN


def test_why_it_was_declined_is_for_those_who_may_see_answers(waiting: Booking) -> None:
    """In the history, the log and the letter, however its lines are broken."""
    reason = "Diabetes: your skin heals more slowly, so see the doctor who looks after it first, then book again."
    signed_in("clinician").post(page_of(waiting, "decline"), {"reason": reason})
    letter = OutgoingEmail.objects.get(booking=waiting, kind="declined")
    pages = [page_of(waiting), reverse("desk:message", args=[letter.pk])]

    for path in pages:
        assert "see the doctor who looks after it" in words_of(signed_in("clinician").get(path)), path
        assert "iabetes" not in words_of(signed_in("reception").get(path)), path
    assert "iabetes" not in words_of(signed_in("manager").get("/desk/log/"))
    assert "The clinician’s reason is left out here" in words_of(signed_in("reception").get(pages[1]))
    # Once the history has forgotten it, nobody can say where it stands in the letter.
    BookingEvent.objects.filter(booking=waiting, verb="declined").update(detail={})
    assert "iabetes" not in words_of(signed_in("reception").get(pages[1]))


def test_that_nobody_decided_in_time_is_no_secret(waiting: Booking, time_machine: Any) -> None:
    assert waiting.reply_by
    time_machine.move_to(waiting.starts_at, tick=False)
    lifecycle.expire_review(waiting, now=waiting.starts_at)
    why = waiting.events.get(verb="declined").detail["reason"]
    letter = OutgoingEmail.objects.get(booking=waiting, kind="declined")

    assert why in words_of(signed_in("reception").get(page_of(waiting)))
    assert why in words_of(signed_in("reception").get(reverse("desk:message", args=[letter.pk])))


@pytest.mark.parametrize("role", ["reception", "practitioner", "manager"])
@pytest.mark.parametrize("act", ["approve", "decline", "change_service"])
def test_nobody_but_a_clinician_decides(waiting: Booking, role: str, act: str) -> None:
    response = signed_in(role).post(page_of(waiting, act), REASON)

    assert response.status_code == 403
    assert Booking.objects.get(pk=waiting.pk).state == BookingState.PENDING


def test_a_superuser_does_not_decide_for_being_one(waiting: Booking) -> None:
    chief = signed_in("manager", is_superuser=True, is_staff=True)

    assert chief.post(page_of(waiting, "approve"), REASON).status_code == 403
    assert chief.get(page_of(waiting, "answers")).status_code == 403
    assert "diabetes" not in chief.get("/desk/review/").content.decode()


def test_a_second_press_changes_nothing(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    for _ in range(2):
        clinician.post(page_of(waiting, "approve"), REASON)

    assert events(waiting).count("approved") == 1
    assert mails(waiting) == ["pending", "confirmed"]


def test_new_answers_are_read_beside_the_reason_that_was_typed(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    read = clinician.get(page_of(waiting, "approve")).context["form"]["read"].value()
    lifecycle.answer_again(waiting, answers=DARK_MARKS, kind=RunKind.RECHECK, by=PATIENT, now=NOW)

    refused = clinician.post(page_of(waiting, "approve"), {**REASON, "read": read})

    form = refused.context["form"]
    assert refused.status_code == 409
    assert "There is a problem New answers came in while you read. Read them, then decide." in words_of(refused)
    assert "Healed well before" in words_of(refused)
    assert clinician.post(page_of(waiting, "approve"), {**REASON, "read": form["read"].value()}).status_code == 302


def test_what_was_declined_cannot_be_approved(waiting: Booking) -> None:
    clinician = signed_in("clinician")
    clinician.post(page_of(waiting, "decline"), REASON)

    response = clinician.post(page_of(waiting, "approve"), REASON)

    assert response.status_code == 409
    assert "can no longer be changed" in words_of(response)
    assert Booking.objects.get(pk=waiting.pk).state == BookingState.DECLINED


def test_a_clinician_is_not_told_to_phone_the_clinic(waiting: Booking, time_machine: Any) -> None:
    time_machine.move_to(waiting.starts_at, tick=False)

    response = signed_in("clinician").post(page_of(waiting, "approve"), REASON)

    assert response.status_code == 409
    assert "The start of this visit has passed. Book them another time." in words_of(response)
    assert "call us" not in words_of(response)


def test_an_age_that_a_service_does_not_take_is_said_to_staff(waiting: Booking) -> None:
    make_service(slug="face", name="Full-face extraction", minimum_age=50)
    start = {"start": local(TUESDAY, 11).isoformat(), "practitioner": "maya", **REASON}

    response = signed_in("clinician").post(f"{page_of(waiting, 'change_service')}?service=face", start)

    assert response.status_code == 422
    assert "Their age on that day does not fit this service. Choose another one." in words_of(response)


def test_something_new_before_the_visit_is_approved_once(world: World) -> None:
    booking = book_with(world, TEN)
    lifecycle.answer_again(booking, answers=DIABETES, kind=RunKind.RECHECK, by=PATIENT, now=NOW)
    clinician = signed_in("clinician")
    assert "Approve what is new" in words_of(clinician.get(page_of(booking)))

    for _ in range(2):
        clinician.post(page_of(booking, "approve"), REASON)

    booking.refresh_from_db()
    assert booking.approved_at == NOW
    assert not Task.objects.open().filter(kind=TaskKind.RECHECK).exists()
    assert events(booking).count("approved") == 1
    assert mails(booking) == ["confirmed", "confirmed"]


def test_approving_what_makes_a_visit_wait_bends_that_rule(world: World) -> None:
    booking = book_with(world, TEN)
    sore = cold_sore(dt.date(2026, 11, 22))
    lifecycle.answer_again(booking, answers=sore, kind=RunKind.RECHECK, by=PATIENT, now=NOW)

    signed_in("clinician").post(page_of(booking, "approve"), REASON)

    booking = Booking.objects.with_everything().get(pk=booking.pk)
    assert events(booking)[-2:] == ["rule bent", "approved"]
    assert booking.events.get(verb="rule bent").detail == {**REASON, "rules": ["q3-yes-1"]}
    assert lifecycle.standing(booking, lifecycle.outlook_for(booking, NOW)) == []


# Nobody bends a warning sign


def a_rule_became_a_warning_sign() -> None:
    """A clinician edited the rule after the visit was asked for."""
    Rule.objects.filter(code="q12-diabetes-1").update(verdict=Verdict.HELP)


@pytest.mark.parametrize("act", ["approve", "move", "change_service"])
def test_nobody_overrides_a_warning_sign(world: World, waiting: Booking, act: str) -> None:
    make_service(slug="face", name="Full-face extraction", short_name="Full face")
    a_rule_became_a_warning_sign()
    start = {"start": local(TUESDAY, 11).isoformat(), "practitioner": "maya", **REASON}
    was = (waiting.starts_at, waiting.service_name, waiting.state, waiting.sequence)

    response = signed_in("clinician").post(f"{page_of(waiting, act)}?service=face", start)

    waiting.refresh_from_db()
    assert response.status_code == 422
    assert "Get medical help first." in words_of(response)
    assert (waiting.starts_at, waiting.service_name, waiting.state, waiting.sequence) == was
    assert not {"rule bent", "approved", "moved", "service changed"} & set(events(waiting))


# Another service


@pytest.fixture
def stubborn(world: World):
    """Done by a doctor only, and longer."""
    doctor = make_practitioner("Dr Ada Stone", slug="ada", grade=Grade.DOCTOR)
    open_weekdays(world.location, doctor)
    make_room(world.location, kind="PROC")
    return make_service(
        slug="led", name="Clinician-led extraction", short_name="Clinician-led", minutes=45, grades=[Grade.DOCTOR],
        room_kind="PROC", price=120, price_kind="fixed",
    )  # fmt: skip


def test_a_clinician_changes_the_service_and_that_approves_it(waiting: Booking, stubborn: Any) -> None:
    clinician = signed_in("clinician")
    shown = clinician.get(f"{page_of(waiting, 'change_service')}?service=led")
    assert [who.name for who, _ in shown.context["people"]] == ["Dr Ada Stone"]

    response = clinician.post(
        f"{page_of(waiting, 'change_service')}?service=led&who=ada", {"start": TEN.isoformat(), **REASON}
    )

    waiting.refresh_from_db()
    assert response.status_code == 302
    assert (waiting.service, waiting.minutes, waiting.practitioner.slug) == (stubborn, 45, "ada")
    assert (waiting.state, waiting.approved_at) == (BookingState.CONFIRMED, NOW)
    assert mails(waiting) == ["pending", "changed"]
    said = words_of(clinician.get(page_of(waiting)))
    assert "From Nose and T-zone blackhead extraction to Clinician-led extraction" in said


def test_changing_the_service_needs_a_reason_and_keeps_the_search(waiting: Booking, stubborn: Any) -> None:
    address = f"{page_of(waiting, 'change_service')}?service=led&date=2026-12-01&who=ada"

    response = signed_in("clinician").post(address, {"start": local(TUESDAY, 10).isoformat(), "reason": " "})

    assert response.status_code == 422
    assert "Say why." in words_of(response)
    assert response.context["shown"] == TUESDAY
    assert Booking.objects.get(pk=waiting.pk).service.slug == "nose"


def test_a_clinic_with_one_service_has_no_other_to_change_to(waiting: Booking) -> None:
    assert signed_in("clinician").get(page_of(waiting, "change_service")).status_code == 404


# Move


def test_moving_with_a_reason_decides_too(waiting: Booking) -> None:
    clinician = signed_in("clinician")

    clinician.post(
        f"{page_of(waiting, 'move')}?who=maya", {"start": local(TUESDAY, 11).isoformat(), "notify": "on", **REASON}
    )

    waiting.refresh_from_db()
    assert (waiting.starts_at, waiting.state) == (local(TUESDAY, 11), BookingState.CONFIRMED)
    assert mails(waiting) == ["pending", "confirmed"]
    event = BookingEvent.objects.get(booking=waiting, verb="rule bent")
    assert event.detail == {"reason": "Healed well before", "rules": ["q12-diabetes-1"]}


def test_reception_moves_what_waits_and_it_waits_on(waiting: Booking) -> None:
    pressed = {"start": local(TUESDAY, 11).isoformat(), "notify": "on"}
    signed_in("reception").post(f"{page_of(waiting, 'move')}?who=maya", pressed)

    waiting.refresh_from_db()
    assert (waiting.starts_at, waiting.state) == (local(TUESDAY, 11), BookingState.PENDING)
    assert mails(waiting) == ["pending", "pending"]
