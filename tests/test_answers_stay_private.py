"""Health answers stay with those who need them: no mail, log, address, task or history names one."""

import datetime as dt
import logging
import re

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client

from bookings import lifecycle, outbox
from bookings.desk import history
from bookings.lifecycle.history import record
from bookings.models import Booking, BookingEvent, OutgoingEmail, RunKind, ScreeningRun, Task
from bookings.models.event import Actor
from clinic.models import Part
from clinic.screening import Answer, Answered
from tests.desk import MONDAY, book_with
from tests.factories import NOW, World, local, make_staff
from tests.online import SKIN_NO, answered, details, form_of, hold, make_world

pytestmark = pytest.mark.django_db

# Stands in the words of every part, so that it is found wherever an answer would be written out.
CANARY = "zebrafinch"
CODE = re.compile(r"q\d+-[a-z]")
SIGNED = re.compile(r"(?<=/visit/)[^\s/\"]{20,}")
ALL_NO = {f"Q{number}": Answered(Answer.NO) for number in (1, 2, 3, 5, 6, 7)}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world() -> World:
    world = make_world(practitioners=2, rooms=2)
    Part.objects.update(short=CANARY, text=f"Do you have {CANARY}?")
    return world


class Browser(Client):
    """Writes down every address it was sent to."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def request(self, **asked):
        response = super().request(**asked)
        self.addresses += [asked["PATH_INFO"], asked.get("QUERY_STRING", ""), response.headers.get("Location", "")]
        return response


@pytest.fixture
def browser() -> Browser:
    return Browser()


def go_the_whole_way(browser: Browser) -> Booking:
    """A cold sore, diabetes and an easy bruise; a clinician approves; something is new; it got worse."""
    answered(browser, q3="yes", q3_date="2026-11-20", q7=[], q7_parts="q7-flare")
    hold(browser)
    said = {name: value for name, value in details(browser).items() if name not in {"q9", "q12"}}
    said |= {"q9_parts": "q9-thinner", "q12_parts": "q12-diabetes"}
    check = browser.post("/book/details/", {**said, "next": "check"})
    browser.post("/book/details/", form_of(check))
    booking = Booking.objects.get()
    clinician = make_staff("clinician")
    clinician.user_permissions.add(decides())
    lifecycle.approve(booking, by=clinician, reason="Fine by me.", now=NOW)
    again = ALL_NO | {"Q7": Answered(Answer.YES, frozenset({"q7-broken"}), NOW.date())}
    lifecycle.answer_again(booking, answers=again, kind=RunKind.RECHECK, by=Actor.PATIENT, now=NOW)
    lifecycle.answer_again(booking, answers=again, kind=RunKind.SQUEEZED, by=Actor.PATIENT, now=NOW)
    return booking


def decides():
    return Permission.objects.get(codename="decide_reviews")


def test_the_answers_are_stored_at_all(browser: Browser, world: World) -> None:
    """Without this the tests below would prove nothing."""
    go_the_whole_way(browser)

    first, *others = ScreeningRun.objects.order_by("made_at", "pk")
    assert first.answers["Q12"]["parts"] == ["q12-diabetes"]
    assert CANARY in str(first.findings)
    assert len(others) == 2


def test_no_e_mail_names_an_answer(browser: Browser, world: World) -> None:
    go_the_whole_way(browser)

    mails = list(OutgoingEmail.objects.all())
    # Signed links are letters drawn by lot.
    written = [SIGNED.sub("", f"{mail.subject}{mail.text}{mail.html}{mail.calendar}").lower() for mail in mails]
    assert {mail.kind for mail in mails} >= {"pending", "confirmed", outbox.STAFF_NOTICE}
    assert [text for text in written if CANARY in text or CODE.search(text)] == []


def test_no_address_names_an_answer(browser: Browser, world: World) -> None:
    go_the_whole_way(browser)

    assert "/book/done/" in browser.addresses
    assert [each for each in browser.addresses if CANARY in each or re.search(r"q\d", each)] == []


def test_no_log_names_an_answer_or_a_person(browser: Browser, world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="django.request"), caplog.at_level(logging.DEBUG, logger="bookings"):
        go_the_whole_way(browser)

    assert [each for each in caplog.messages if CANARY in each or "robin" in each.lower()] == []


def test_no_task_or_history_that_everybody_reads_names_an_answer(browser: Browser, world: World) -> None:
    go_the_whole_way(browser)

    told = [task.note for task in Task.objects.all()]
    told += [f"{event.verb} {event.detail}" for event in BookingEvent.objects.all()]
    assert Task.objects.exists()
    assert [each for each in told if CANARY in each or CODE.search(each)] == []


def test_the_session_holds_a_key_and_no_answer(browser: Browser, world: World) -> None:
    hold(browser)
    browser.post("/book/details/", {**details(browser, **SKIN_NO, q12_parts="q12-diabetes", name="")})

    kept = str(dict(browser.session.items()))
    assert "q12" not in kept
    assert ScreeningRun.objects.get().key in kept


def test_answers_are_deleted_on_their_day(browser: Browser, world: World) -> None:
    booking = go_the_whole_way(browser)
    run = booking.screenings.first()

    before = lifecycle.delete_answers(NOW)
    after = lifecycle.delete_answers(NOW.replace(year=2028))

    run.refresh_from_db()
    assert (before, after) == (0, 3)
    assert (run.answers, run.findings, run.not_before) == ({}, [], None)
    assert run.versions["q12-diabetes"] == 1
    assert run.verdict == "REVIEW"


def test_what_tells_an_answer_leaves_the_history_with_the_answers(browser: Browser, world: World) -> None:
    """Who did what, and when, stays: also which rule of time was bent, and why."""
    booking = go_the_whole_way(browser)
    clinician = User.objects.get(username="clinician")
    told = {"reason": "Fine with diabetes.", "rules": ["q12-diabetes-1", "minimum notice"]}
    record(booking, "rule bent", by=clinician, now=NOW, **told)
    record(booking, "rule bent", by=clinician, now=NOW, reason="A friend.", rules=["minimum notice"])
    record(booking, "declined", by=clinician, now=NOW, reason="See a doctor about the rash.")
    verbs = [(event.verb, event.at, event.by) for event in booking.events.all()]

    lifecycle.delete_answers(NOW)
    before = [event.detail for event in booking.events.filter(verb="approved")]
    lifecycle.delete_answers(NOW.replace(year=2028))

    assert before == [{"reason": "Fine by me."}]
    assert [(event.verb, event.at, event.by) for event in booking.events.all()] == verbs
    assert [event.detail for event in booking.events.filter(verb__in=["approved", "rule bent", "declined"])] == [
        {},
        {"rules": ["minimum notice"]},
        {"reason": "A friend.", "rules": ["minimum notice"]},
        {},
    ]
    assert [entry.what for entry in history.of(booking, sees_answers=True)].count("Rule bent") == 2


def test_answers_go_on_their_day_by_the_clinic_s_own_calendar(world: World) -> None:
    booking = book_with(world, local(MONDAY, 10))
    last = ScreeningRun.objects.get(booking=booking).delete_on
    assert last
    # Late on the evening before it is that day already by UTC.
    evening = local(last - dt.timedelta(days=1), 23)

    assert lifecycle.delete_answers(evening) == 0
    assert lifecycle.delete_answers(local(last, 0)) == 1
