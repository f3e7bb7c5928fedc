"""What each answer leads to, as a table that a clinician can read: tests/data/screening_cases.csv.

The table was written from the guidance, not from the rules. An empty "ticked part" answers the question as a whole;
"A N D" are the grades that do the service at all. "The patient reads" is the advice after that answer, with its date,
as the pages show it; a note is for the practitioner's eyes alone.
"""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bookings.eligibility import Outlook, Said
from bookings.online.answers import Meaning
from bookings.online.skin import help_context
from clinic import content, screening
from clinic.models import Clinic, Service, Undated, Verdict
from clinic.screening import Answer, Answered, Outcome, Rulebook, RuleShown
from tests.factories import NEW_YORK, NOW, make_policy

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).parent / "data" / "screening_cases.csv"
VISIT = dt.date(2026, 12, 10)
ANSWERS = {"yes": Answer.YES, "no": Answer.NO, "not sure": Answer.UNSURE}
WHY = {
    Verdict.OK: "",
    Verdict.NOTE: "The practitioner is told.",
    Verdict.REVIEW: "A clinician decides.",
    Verdict.CONSULT: "Only a skin check can be booked.",
    Verdict.HELP: "Medical help first.",
}


@dataclass(frozen=True)
class Case:
    """One row for one service and one grade."""

    line: int
    question: str
    part: str
    words: str
    answer: str
    event: dt.date | None
    today: dt.date
    service: str
    grade: str
    leads_to: tuple[str, str, str, str]
    reads: str

    @property
    def answers(self) -> dict[str, Answered]:
        parts = frozenset({self.part} if self.part else ())
        return {self.question: Answered(ANSWERS[self.answer], parts, self.event)}


@pytest.fixture
def clinic() -> Clinic:
    content.load(now=NOW)
    return make_policy()


@pytest.fixture
def book(clinic: Clinic) -> Rulebook:
    return screening.rulebook(clinic)


@pytest.fixture
def services() -> dict[str, Service]:
    content.load_services(now=NOW)
    return {service.slug: service for service in Service.objects.all()}


def days_before(text: str) -> dt.date | None:
    return VISIT - dt.timedelta(days=int(text)) if text else None


def cases(services: dict[str, Service]) -> Iterator[Case]:
    with TABLE.open(newline="", encoding="utf-8") as table:
        rows = list(csv.reader(table))[1:]
    for line, (question, part, words, answer, event, today, slugs, grades, *leads_to) in enumerate(rows, 2):
        for slug in slugs.split():
            for grade in services[slug].grades:
                if grade in grades.split():
                    yield Case(
                        line=line,
                        question=question,
                        part=part,
                        words=words,
                        answer=answer,
                        event=days_before(event),
                        today=days_before(today) or VISIT,
                        service=slug,
                        grade=grade,
                        leads_to=(leads_to[0], leads_to[1], leads_to[2], leads_to[3]),
                        reads=leads_to[4],
                    )


def as_written(outcome: Outcome) -> tuple[str, str, str, str]:
    """Verdict, first safe date, "must be healed" and the reason, as the table words them."""
    waits = [each for each in outcome.findings if each.until]
    reason = WHY.get(outcome.verdict, "")
    if waits and outcome.verdict in {Verdict.WAIT, Verdict.NOTE}:
        reason = f"We wait {waits[0].days} days after {waits[0].short}."
    healed = "yes" if any(each.must_be_healed for each in outcome.findings) else ""
    return outcome.verdict.value, outcome.not_before.isoformat() if outcome.not_before else "", healed, reason


def outcome_of(case: Case, book: Rulebook, services: dict[str, Service]) -> Outcome:
    codes = services[case.service].codes
    return screening.assess(book, case.answers, codes=codes, grade=case.grade, visit_date=VISIT, today=case.today)


def broken(table: Iterable[Case], book: Rulebook, services: dict[str, Service]) -> list[str]:
    """The cases that come out otherwise than written."""
    outcomes = ((case, as_written(outcome_of(case, book, services))) for case in table)
    return [
        f"line {case.line}, {case.service}, grade {case.grade}: {found}"
        for case, found in outcomes
        if found != case.leads_to
    ]


def test_every_case_comes_out_as_written(book: Rulebook, services: dict[str, Service]) -> None:
    assert broken(cases(services), book, services) == []


def advice_on_the_pages(case: Case, book: Rulebook, service: Service, clinic: Clinic) -> str:
    """What the pages that say no, or wait, or get help first, tell somebody who gave that answer alone."""
    if screening.warning_signs(book, case.answers):
        return " ".join(sign.advice for sign in help_context(clinic, book, case.answers)["signs"])
    outcome = screening.assess(
        book, case.answers, codes=service.codes, grade=case.grade, visit_date=None, today=case.today
    )
    outlook = Outlook(
        book=book,
        by_grade={case.grade: outcome},
        needs=(),
        said=Said(case.answers),
        today=case.today,
        zone=NEW_YORK,
        reply_by=NOW,
        review_opens=NOW,
        texts={},
    )
    return " ".join(Meaning(outlook, service, clinic).texts)


def test_the_table_shows_the_advice_that_patients_read_with_its_date(
    book: Rulebook, services: dict[str, Service], clinic: Clinic
) -> None:
    wrong = [
        f"line {case.line}, {case.service}, grade {case.grade}: {found}"
        for case in cases(services)
        if (found := advice_on_the_pages(case, book, services[case.service], clinic)) != case.reads
    ]

    assert wrong == []


def test_the_table_shows_the_words_that_patients_read(book: Rulebook, services: dict[str, Service]) -> None:
    for case in cases(services):
        asked = book.question(case.question)
        part = next((part.text for part in asked.parts if part.code == case.part), "")
        assert case.words == (part or ("" if len(asked.parts) > 1 else asked.lead))


def test_every_part_and_answer_is_in_the_table_for_every_service_and_grade(
    book: Rulebook, services: dict[str, Service]
) -> None:
    written = {(case.question, case.part, case.answer, case.service, case.grade) for case in cases(services)}
    wholes = {(asked.code, "", answer) for asked in book.questions for answer in ANSWERS}
    bullets = {
        (asked.code, part.code, "yes") for asked in book.questions if len(asked.parts) > 1 for part in asked.parts
    }
    everywhere = {(slug, grade) for slug, service in services.items() for grade in service.grades}

    missing = {
        (*answer, *where)
        for answer in wholes | bullets
        for where in everywhere
        if book.question(answer[0]).is_for(services[where[0]].codes)
    } - written

    assert missing == set()


def test_a_wait_is_in_the_table_on_the_day_before_it_ends_on_the_day_and_on_the_day_after(
    book: Rulebook, services: dict[str, Service]
) -> None:
    written = {(case.question, case.part, case.event, case.service, case.grade) for case in cases(services)}
    for rule in book.rules:
        asked = book.question(rule.question)
        part = rule.part if len(asked.parts) > 1 else ""
        for service in services.values():
            for grade in service.grades:
                if rule.verdict is Verdict.WAIT and asked.is_for(service.codes) and rule.is_for(service.codes, grade):
                    assert {
                        (rule.question, part, VISIT - dt.timedelta(days=(rule.days or 0) + n), service.slug, grade)
                        for n in (-1, 0, 1)
                    } <= written


def changes(rule: RuleShown) -> Iterator[RuleShown]:
    """Every way in which a single rule could be wrong."""
    for verdict in Verdict:
        if verdict is not rule.verdict:
            yield replace(rule, verdict=verdict, days=7 if verdict is Verdict.WAIT else rule.days)
    yield replace(rule, must_be_healed=not rule.must_be_healed)
    yield replace(rule, grades=frozenset() if rule.grades else frozenset({"A"}))
    yield replace(rule, applies_to=frozenset(sorted(rule.applies_to)[1:]) or frozenset({"review"}))
    if rule.days is not None:
        yield replace(rule, days=rule.days + 1)
        yield replace(rule, days=rule.days - 1)
        yield replace(rule, undated=Undated.TODAY if rule.undated is Undated.REVIEW else Undated.REVIEW)


def test_changing_or_losing_any_single_rule_breaks_a_case(book: Rulebook, services: dict[str, Service]) -> None:
    table = list(cases(services))
    unnoticed = []
    for rule in book.rules:
        about = [case for case in table if case.question == rule.question]
        others = tuple(each for each in book.rules if each.question == rule.question and each is not rule)
        for changed in [None, *changes(rule)]:
            rules = others if changed is None else (*others, changed)
            if not broken(about, Rulebook(book.questions, rules), services):
                unnoticed.append((rule.code, changed))

    assert [f"{code}: {changed}" for code, changed in unnoticed] == []
