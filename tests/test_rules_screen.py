"""The rules screen: what each rule says, how many answers it sends where, and answers tried out."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.desk import rules
from bookings.management.roles import make_groups
from bookings.models import ScreeningRun
from clinic import content
from clinic.models import HistoryRule, Rule, Verdict
from tests.factories import NOW, World, make_staff
from tests.online import make_world, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SCREEN, TRY = "/desk/rules/", "/desk/rules/try/"
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def clinician() -> User:
    user = make_staff("clinician", is_superuser=False, is_staff=False)
    user.groups.add(make_groups()["clinician"])
    return user


@pytest.fixture
def door(client: Client, clinician: User) -> Client:
    client.force_login(clinician)
    return client


def make_run(verdict: str = Verdict.OK, *, yes: dict[str, list[str]] | None = None, **fields: Any) -> ScreeningRun:
    """A round in which Q1 and Q3 were answered; ``yes`` maps questions to the rules that they set off."""
    set_off = yes or {}
    answers: dict[str, Any] = {
        code: {"answer": "yes" if code in set_off else "no", "parts": [], "date": None} for code in ("Q1", "Q3")
    }
    findings = [{"rule": rule} for rules in set_off.values() for rule in rules]
    defaults = {"made_at": NOW - DAY, "expires_at": NOW + DAY, "answers": answers, "findings": findings}
    return ScreeningRun.objects.create(**{**defaults, "verdict": verdict, **fields})


def line(response: Any, code: str) -> rules.Line:
    return next(each for each in [*response.context["lines"], *response.context["history"]] if each.code == code)


def sign(row: Any, by: User) -> None:
    content.sign_off(
        row, reviewer="Dr Ada Lin", registration="NY-1", by=by, now=NOW, next_review_on=dt.date(2027, 11, 23)
    )


# The shares


def test_each_rule_shows_how_many_answers_set_it_off(world: World, door: Client) -> None:
    make_run(Verdict.WAIT, yes={"Q3": ["q3-yes-1"]})
    make_run()
    make_run()
    make_run(answers={"Q1": {"answer": "no", "parts": [], "date": None}})

    page = door.get(SCREEN)

    assert (line(page, "q3-yes-1").share.some, line(page, "q3-yes-1").share.all) == (1, 3)
    assert line(page, "q3-yes-1").share.percent == 33
    assert (line(page, "q1-eye-1").share.some, line(page, "q1-eye-1").share.all) == (0, 4)
    totals = {label: (share.some, share.percent) for label, share in page.context["counted"].totals}
    assert (totals["Go ahead"], totals["Wait"], totals["Medical help first"]) == ((3, 75), (1, 25), (0, 0))


def test_a_rule_that_one_round_sets_off_twice_counts_once(world: World, door: Client) -> None:
    make_run(Verdict.WAIT, yes={"Q3": ["q3-yes-1", "q3-yes-1"]})

    assert line(door.get(SCREEN), "q3-yes-1").share.some == 1


def test_old_rounds_and_deleted_answers_are_not_counted(world: World, door: Client) -> None:
    make_run(made_at=NOW - 91 * DAY)
    make_run(deleted_at=NOW, answers={}, findings=[])
    make_run(made_at=NOW - 89 * DAY)

    assert door.get(SCREEN).context["counted"].rounds == 1


def test_rules_about_earlier_visits_count_among_all_rounds(world: World, door: Client) -> None:
    make_run(Verdict.WAIT, yes={"Q3": ["gap-same-area"]})
    make_run()

    share = line(door.get(SCREEN), "gap-same-area").share

    assert (share.some, share.all, share.percent) == (1, 2, 50)


def test_the_screen_works_before_anybody_answered(world: World, door: Client) -> None:
    page = door.get(SCREEN)

    assert page.status_code == 200
    assert line(page, "q3-yes-1").share.percent == 0
    assert "0 rounds of answers" in text_of(page)


def test_a_line_says_what_patients_meet_and_that_an_edit_waits(world: World, door: Client, clinician: User) -> None:
    rule = Rule.objects.get(code="q3-yes-1")
    sign(rule, clinician)
    rule.days = 21
    rule.save()
    content.record_revision(rule, by=clinician, now=NOW)

    found = line(door.get(SCREEN), "q3-yes-1")

    assert (found.question, found.verdict, found.version, found.signed_by, found.waits) == (
        "Q3",
        "Wait",
        1,
        "Dr Ada Lin",
        True,
    )
    assert found.days == "14, and healed, without a date: a clinician decides"
    assert found.evidence == rule.part.question.evidence_kind


def test_a_rule_for_some_grades_names_them(world: World, door: Client) -> None:
    assert line(door.get(SCREEN), "q4-yes-2").for_whom == "Aesthetician"


def test_the_screen_asks_the_same_number_of_queries_for_any_number_of_rounds(world: World, door: Client) -> None:
    counts = []
    for number in (1, 30):
        for _ in range(number):
            make_run(Verdict.WAIT, yes={"Q3": ["q3-yes-1"]})
        with CaptureQueriesContext(connection) as queries:
            door.get(SCREEN)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_screen_names_nobody_and_is_for_those_who_decide(world: World, client: Client) -> None:
    for role, status in (("reception", 403), ("practitioner", 403), ("clinician", 200)):
        user = make_staff(f"a-{role}", is_superuser=False, is_staff=False)
        user.groups.add(make_groups()[role])
        client.force_login(user)
        assert [client.get(SCREEN).status_code, client.get(TRY).status_code] == [status] * 2
    client.force_login(make_staff("manager"))
    assert client.get(SCREEN).status_code == 200


# Trying answers out


def ask(client: Client, *, visit: str = "2026-12-10", words: str = "shown", **said: Any) -> Any:
    return client.post(f"{TRY}?service=nose&today=2026-11-23&visit={visit}&words={words}", said)


COLD_SORE = {"q3": "yes", "q3_date_day": "20", "q3_date_month": "11", "q3_date_year": "2026"}


def test_answers_in_verdict_out_for_each_grade(world: World, door: Client) -> None:
    page = ask(door, q4="yes", q4_date="2026-08-01")

    assert page.context["result"].verdicts == [
        ("Aesthetician", "A clinician decides", dt.date(2027, 1, 28)),
        ("Nurse", "A clinician decides", None),
        ("Dermatologist or doctor", "A clinician decides", None),
    ]
    assert [(row.rule, row.grades) for row in page.context["result"].rows] == [
        ("q4-yes-1", ""),
        ("q4-yes-2", "Aesthetician"),
    ]


@pytest.mark.parametrize(("visit", "verdict"), [("2026-12-03", "Wait"), ("2026-12-04", "Tell the practitioner")])
def test_the_day_of_the_visit_decides_whether_a_wait_is_over(
    world: World, door: Client, visit: str, verdict: str
) -> None:
    result = ask(door, visit=visit, **COLD_SORE).context["result"]

    assert {found for _, found, _ in result.verdicts} == {verdict}
    assert result.reasons == ["We wait 14 days after a cold sore."]
    assert [(row.rule, row.until) for row in result.rows] == [("q3-yes-1", dt.date(2026, 12, 4))]
    [(code, text)] = result.texts
    assert code == "Q3"
    assert "Please choose a date from Friday 4 December" in text


def test_what_waits_for_a_signature_is_tried_only_when_asked_for(world: World, door: Client, clinician: User) -> None:
    for row, days in ((Rule.objects.get(code="q3-yes-1"), 21), (HistoryRule.objects.get(code="gap-same-area"), 40)):
        sign(row, clinician)
        row.days = days
        row.save()
        content.record_revision(row, by=clinician, now=NOW)
    said = {**COLD_SORE, "last_extraction_date": "2026-11-20"}

    shown = ask(door, words="shown", **said).context["result"]
    edited = ask(door, words="edited", **said).context["result"]

    assert {row.rule: (row.version, row.until) for row in shown.rows} == {
        "q3-yes-1": (1, dt.date(2026, 12, 4)),
        "gap-same-area": (1, dt.date(2026, 12, 18)),
    }
    assert {row.rule: (row.version, row.until) for row in edited.rows} == {
        "q3-yes-1": (2, dt.date(2026, 12, 11)),
        "gap-same-area": (2, dt.date(2026, 12, 30)),
    }


def test_what_is_left_out_means_nothing(world: World, door: Client) -> None:
    result = ask(door).context["result"]

    assert {verdict for _, verdict, _ in result.verdicts} == {"Go ahead"}
    assert result.rows == []


def test_nothing_of_a_try_is_kept_and_no_answer_stands_in_an_address(world: World, door: Client) -> None:
    before = dict(door.session)

    page = ask(door, **COLD_SORE)

    assert not ScreeningRun.objects.exists()
    assert dict(door.session) == before
    assert "Location" not in page
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_a_wrong_date_is_shown_again_with_what_was_typed(world: World, door: Client) -> None:
    page = ask(door, **{**COLD_SORE, "q3_date_month": "13"})

    assert page.status_code == 422
    assert "result" not in page.context or page.context["result"] is None
    assert 'value="13"' in page.content.decode()


@pytest.mark.parametrize("asked", ["service=cake", "service=nose&today=9999-12-31&visit=9999-12-31&words=shown"])
def test_an_address_that_names_no_visit_asks_again(world: World, door: Client, asked: str) -> None:
    page = door.get(f"{TRY}?{asked}")

    assert page.status_code == 200
    assert "Choose a service and both days first." in text_of(page)


def test_the_page_opens_with_today_and_before_the_clinic_is_set_up(door: Client) -> None:
    assert "Choose a service and both days first." in text_of(door.get(TRY))
    make_world()
    assert door.get(TRY).context["visit"].today == NOW.date()
