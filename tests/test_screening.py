"""The questions, their parts and rules, and what a bare answer means."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import content, screening
from clinic.models import Clinic, Part, Question, Rule, Verdict
from clinic.screening import Answer, Answered
from tests.factories import NOW, make_policy, make_staff

pytestmark = pytest.mark.django_db

VISIT = dt.date(2026, 12, 10)


@pytest.fixture
def clinic() -> Clinic:
    content.load(now=NOW)
    return make_policy()


def test_the_first_question_asks_its_six_signs(clinic: Clinic) -> None:
    asked = screening.question("Q1", clinic)

    assert asked.lead == "Right now, do you have any of these?"
    assert tuple((part.code, part.text) for part in asked.parts) == (
        ("q1-spreading", "Redness or heat in your skin that is spreading."),
        ("q1-fever", "A fever or shivers with a sore face."),
        ("q1-eye", "Swelling or pain around an eye."),
        ("q1-sight", "Changes in your sight."),
        ("q1-face-pain", "Very bad face pain."),
        ("q1-headache", "A very bad headache."),
    )


def test_the_advice_names_the_clinics_numbers(clinic: Clinic) -> None:
    advice = screening.question("Q1", clinic).advice

    assert advice.startswith("Please do not book with us now. Get medical help first.")
    assert "call 911." in advice
    assert "call 212 555 0111 or see a doctor today" in advice


def test_a_question_costs_two_queries(clinic: Clinic) -> None:
    with CaptureQueriesContext(connection) as queries:
        screening.question("Q1", clinic)

    assert len(queries) == 2


def test_a_question_is_signed_when_all_its_parts_are(clinic: Clinic) -> None:
    by = make_staff()
    signature: dict[str, Any] = {
        "reviewer": "Dr Ada Lin",
        "registration": "NY-123",
        "by": by,
        "now": NOW,
        "next_review_on": NOW.date(),
    }
    content.sign_off(Question.objects.get(code="Q1"), **signature)
    before = screening.question("Q1", clinic).is_signed

    for part in Part.objects.filter(question__code="Q1"):
        content.sign_off(part, **signature)

    assert (before, screening.question("Q1", clinic).is_signed) == (False, True)


def test_the_signed_words_of_a_question_stay_while_an_edit_waits(clinic: Clinic) -> None:
    by = make_staff()
    row = Question.objects.get(code="Q1")
    content.sign_off(row, reviewer="Dr Ada Lin", registration="NY-123", by=by, now=NOW, next_review_on=NOW.date())
    row.lead = "Do you?"
    row.save()
    content.record_revision(row, by=by, now=NOW)

    asked = screening.question("Q1", clinic)
    assert (asked.lead, asked.version) == ("Right now, do you have any of these?", 1)


@pytest.mark.parametrize(("answer", "signs"), [(Answer.YES, ["Q1"]), (Answer.UNSURE, ["Q1"]), (Answer.NO, [])])
def test_the_first_question_means_help_unless_the_answer_is_no(
    clinic: Clinic, answer: Answer, signs: list[str]
) -> None:
    found = screening.warning_signs(screening.rulebook(clinic), {"Q1": Answered(answer), "Q2": Answered(Answer.YES)})

    assert [asked.code for asked in found] == signs


def test_every_sign_of_the_first_question_means_help(clinic: Clinic) -> None:
    rules = Rule.objects.filter(part__question__code="Q1").values_list("part__code", "verdict")

    assert len(rules) == 6
    assert {verdict for _, verdict in rules} == {Verdict.HELP}


@pytest.mark.parametrize("answer", ["", "YES", "maybe", "\0"])
def test_anything_else_is_not_an_answer(answer: str) -> None:
    with pytest.raises(ValueError, match="not a valid Answer"):
        Answered.from_json({"answer": answer})


def test_a_bare_yes_counts_as_the_strictest_part(clinic: Clinic) -> None:
    book = screening.rulebook(clinic)
    codes = {"ALL", "EXTRACT", "FACEAREA", "nose"}
    verdicts = {
        asked.code: screening.assess(
            book, {asked.code: Answered(Answer.YES, date=VISIT)}, codes=codes, grade="A", visit_date=VISIT, today=VISIT
        ).verdict
        for asked in book.questions
    }

    assert verdicts == {
        "Q1": Verdict.HELP,
        "Q2": Verdict.CONSULT,
        "Q3": Verdict.WAIT,
        "Q4": Verdict.REVIEW,
        "Q5": Verdict.REVIEW,
        "Q6": Verdict.REVIEW,
        "Q7": Verdict.REVIEW,
        "Q8": Verdict.CONSULT,
        "Q9": Verdict.REVIEW,
        "Q10": Verdict.CONSULT,
        "Q11": Verdict.REVIEW,
        "Q12": Verdict.REVIEW,
    }


def test_the_waits_are_the_days_of_the_guidance(clinic: Clinic) -> None:
    rules = Rule.objects.filter(verdict=Verdict.WAIT)
    waits = {
        (rule.part.question.code, rule.days, rule.must_be_healed) for rule in rules.select_related("part__question")
    }

    assert waits == {("Q3", 14, True), ("Q4", 180, False), ("Q5", 3, False), ("Q6", 14, False), ("Q7", 7, True)}


def test_a_part_with_a_wait_asks_for_its_date_and_no_other_part_does(clinic: Clinic) -> None:
    dated = set(Part.objects.filter(asks_date=True).values_list("code", flat=True))

    assert dated == set(Part.objects.filter(rules__verdict=Verdict.WAIT).values_list("code", flat=True))


@pytest.mark.parametrize("code", ["q9-aspirin", "q10-plasters", "q10-products", "q12-dark-marks"])
def test_mild_parts_only_tell_the_practitioner(clinic: Clinic, code: str) -> None:
    verdicts = Rule.objects.filter(part__code=code).values_list("verdict", flat=True)

    assert list(verdicts) == [Verdict.NOTE]


def test_a_severe_reaction_keeps_aestheticians_out(clinic: Clinic) -> None:
    rule = Rule.objects.get(part__code="q10-severe", verdict=Verdict.CONSULT)

    assert (rule.grades, rule.applies_to) == (["A"], ["EXTRACT"])


def test_for_a_consultation_an_answer_is_never_more_than_a_note_but_for_the_first_question(clinic: Clinic) -> None:
    asked = [row for row in Question.objects.exclude(code="Q1") if {"ALL", "consult"} & set(row.applies_to)]
    rules = Rule.objects.filter(part__question__in=asked)
    meant = [rule.verdict for rule in rules if not rule.applies_to or "consult" in rule.applies_to]

    assert [row.code for row in asked] == ["Q8", "Q10"]
    assert set(meant) == {Verdict.NOTE}


def test_all_questions_and_rules_cost_three_queries(clinic: Clinic) -> None:
    with CaptureQueriesContext(connection) as queries:
        screening.rulebook(clinic)

    assert len(queries) == 3


def test_a_changed_rule_changes_nothing_until_it_is_signed(clinic: Clinic) -> None:
    by = make_staff()
    signature: dict[str, Any] = {"reviewer": "Dr Ada Lin", "registration": "NY-123", "by": by, "now": NOW}
    rule = Rule.objects.get(code="q3-yes-1")
    content.sign_off(rule, **signature, next_review_on=NOW.date())
    rule.days = 10
    rule.save()
    content.record_revision(rule, by=by, now=NOW)
    before = _days_of("q3-yes-1", clinic)
    content.sign_off(rule, **signature, next_review_on=NOW.date())

    assert (before, _days_of("q3-yes-1", clinic)) == ((14, 1), (10, 2))


def _days_of(code: str, clinic: Clinic) -> tuple[int | None, int]:
    [rule] = [rule for rule in screening.rulebook(clinic).rules if rule.code == code]
    return rule.days, rule.version


def test_a_service_is_asked_only_what_applies_to_it(clinic: Clinic) -> None:
    book = screening.rulebook(clinic)
    extraction = [asked.code for asked in book.asked({"ALL", "EXTRACT", "FACEAREA", "nose"})]
    talk = [asked.code for asked in book.asked({"ALL", "consult"})]
    skin = [asked.code for asked in book.asked({"ALL", "EXTRACT", "FACEAREA", "nose"}, "skin")]

    assert extraction == [f"Q{number}" for number in range(1, 13)]
    assert talk == ["Q1", "Q8", "Q10"]
    assert skin == ["Q1", "Q2", "Q3", "Q5", "Q6", "Q7", "Q8"]


def test_six_questions_are_asked_once_more_the_day_before(clinic: Clinic) -> None:
    again = screening.rulebook(clinic).asked_again({"ALL", "EXTRACT", "FACEAREA", "nose"})

    assert [asked.code for asked in again] == ["Q1", "Q2", "Q3", "Q5", "Q6", "Q7"]


def test_only_tick_lists_are_answered_bullet_by_bullet(clinic: Clinic) -> None:
    questions = screening.rulebook(clinic).questions

    assert [asked.code for asked in questions if asked.is_tick_list] == ["Q5", "Q6", "Q7", "Q9", "Q10", "Q12"]


def test_every_part_says_what_it_is_within_a_sentence(clinic: Clinic) -> None:
    assert not Part.objects.filter(short="").exists()


def test_a_wait_and_a_review_both_apply(clinic: Clinic) -> None:
    answers = {
        "Q3": Answered(Answer.YES, date=dt.date(2026, 12, 1)),
        "Q12": Answered(Answer.YES, frozenset({"q12-diabetes"})),
        "Q9": Answered(Answer.YES, frozenset({"q9-aspirin"})),
    }
    outcome = screening.assess(
        screening.rulebook(clinic),
        answers,
        codes={"ALL", "EXTRACT", "FACEAREA", "nose"},
        grade="N",
        visit_date=None,
        today=dt.date(2026, 12, 4),
    )

    assert (outcome.verdict, outcome.needs_review, outcome.not_before) == (Verdict.REVIEW, True, dt.date(2026, 12, 15))
    assert outcome.on(dt.date(2026, 12, 15)).questions(Verdict.NOTE) == ["Q3", "Q9"]


def test_the_latest_wait_counts(clinic: Clinic) -> None:
    answers = {
        "Q3": Answered(Answer.YES, date=dt.date(2026, 12, 1)),
        "Q6": Answered(Answer.YES, frozenset({"q6-peel"}), dt.date(2026, 12, 3)),
    }
    outcome = screening.assess(
        screening.rulebook(clinic),
        answers,
        codes={"ALL", "EXTRACT", "FACEAREA", "nose"},
        grade="A",
        visit_date=dt.date(2026, 12, 16),
        today=dt.date(2026, 12, 4),
    )

    assert (outcome.verdict, outcome.not_before) == (Verdict.WAIT, dt.date(2026, 12, 17))


def test_what_a_clinician_approved_is_a_note_from_then_on(clinic: Clinic) -> None:
    answers = {"Q12": Answered(Answer.YES, frozenset({"q12-diabetes", "q12-keloids"}))}
    outcome = screening.assess(
        screening.rulebook(clinic),
        answers,
        codes={"ALL", "EXTRACT", "nose"},
        grade="A",
        visit_date=None,
        today=dt.date(2026, 12, 4),
    )

    assert outcome.without_review({"q12-diabetes-1"}).verdict is Verdict.REVIEW
    assert outcome.without_review({"q12-diabetes-1", "q12-keloids-1"}).verdict is Verdict.NOTE
