"""What must hold for any answers whatever: a yes is never mild, and forgetting something never costs time."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic import content, screening
from clinic.models import Service, Verdict
from clinic.screening import Answer, Answered, Outcome, Rulebook
from tests.factories import NOW, make_policy

pytestmark = pytest.mark.django_db

# The rules are read once for each test and never change.
read_only = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100
)
TODAY = dt.date(2026, 12, 1)
near = st.dates(TODAY - dt.timedelta(days=200), TODAY + dt.timedelta(days=5))
ahead = st.none() | st.dates(TODAY, TODAY + dt.timedelta(days=200))


@pytest.fixture
def book() -> Rulebook:
    content.load(now=NOW)
    return screening.rulebook(make_policy())


@pytest.fixture
def visits() -> list[tuple[frozenset[str], str]]:
    """Every service with every grade that does it."""
    content.load_services(now=NOW)
    return [(frozenset(service.codes), grade) for service in Service.objects.all() for grade in service.grades]


@cache
def answered(parts: tuple[str, ...]) -> st.SearchStrategy[Answered]:
    ticked = st.frozensets(st.sampled_from(parts)) if len(parts) > 1 else st.just(frozenset[str]())
    return st.builds(Answered, st.sampled_from(Answer), ticked, st.none() | near)


def answers_to(book: Rulebook) -> st.SearchStrategy[dict[str, Answered]]:
    each = {asked.code: answered(tuple(part.code for part in asked.parts)) for asked in book.questions}
    return st.fixed_dictionaries({}, optional=each)


def severity(outcome: Outcome) -> int:
    return screening.MILDEST_FIRST.index(outcome.verdict)


def first_date(outcome: Outcome) -> dt.date:
    return outcome.not_before or dt.date.min


Assess = Callable[[dict[str, Answered]], Outcome]


def any_visit(data: st.DataObject, book: Rulebook, visits: list[tuple[frozenset[str], str]]) -> Assess:
    codes, grade = data.draw(st.sampled_from(visits))
    visit_date = data.draw(ahead)
    return lambda answers: screening.assess(book, answers, codes=codes, grade=grade, visit_date=visit_date, today=TODAY)


@read_only
@given(st.data())
def test_adding_a_yes_never_makes_a_verdict_milder(
    book: Rulebook, visits: list[tuple[frozenset[str], str]], data: st.DataObject
) -> None:
    assess = any_visit(data, book, visits)
    before = data.draw(answers_to(book))
    code = data.draw(st.sampled_from([asked.code for asked in book.questions]))
    old = before.get(code, Answered(Answer.NO))
    parts = [part.code for part in book.question(code).parts]
    if old.answer is Answer.NO or not old.parts:
        new = replace(old, answer=data.draw(st.sampled_from([Answer.YES, Answer.UNSURE])), parts=frozenset())
    else:
        new = replace(old, parts=old.parts | {data.draw(st.sampled_from(parts))})

    assert severity(assess({**before, code: new})) >= severity(assess(before))
    assert first_date(assess({**before, code: new})) >= first_date(assess(before))


@read_only
@given(st.data())
def test_not_sure_counts_as_yes(book: Rulebook, visits: list[tuple[frozenset[str], str]], data: st.DataObject) -> None:
    assess = any_visit(data, book, visits)
    answers = data.draw(answers_to(book))
    unsure = {
        code: replace(each, answer=Answer.UNSURE) if each.answer is Answer.YES else each
        for code, each in answers.items()
    }

    assert severity(assess(unsure)) >= severity(assess(answers))


@read_only
@given(st.data())
def test_removing_an_answer_never_makes_the_first_safe_date_later(
    book: Rulebook, visits: list[tuple[frozenset[str], str]], data: st.DataObject
) -> None:
    assess = any_visit(data, book, visits)
    answers = data.draw(answers_to(book))
    kept = {code: each for code, each in answers.items() if data.draw(st.booleans())}

    assert first_date(assess(kept)) <= first_date(assess(answers))
    assert severity(assess(kept)) <= severity(assess(answers))


@read_only
@given(st.data())
def test_on_the_first_safe_date_nobody_waits_any_more(
    book: Rulebook, visits: list[tuple[frozenset[str], str]], data: st.DataObject
) -> None:
    codes, grade = data.draw(st.sampled_from(visits))
    answers = data.draw(answers_to(book))

    def on(date: dt.date | None) -> Outcome:
        return screening.assess(book, answers, codes=codes, grade=grade, visit_date=date, today=TODAY)

    first = on(None).not_before
    if first is not None:
        assert not on(first).has(Verdict.WAIT)
        assert on(first - dt.timedelta(days=1)).has(Verdict.WAIT)


@read_only
@given(st.data())
def test_help_beats_everything(book: Rulebook, visits: list[tuple[frozenset[str], str]], data: st.DataObject) -> None:
    assess = any_visit(data, book, visits)
    answers = data.draw(answers_to(book))
    sign = data.draw(st.sampled_from([Answered(Answer.YES), Answered(Answer.UNSURE)]))

    assert assess({**answers, "Q1": sign}).verdict is Verdict.HELP


@read_only
@given(st.data())
def test_answers_survive_being_stored(book: Rulebook, data: st.DataObject) -> None:
    answers = data.draw(answers_to(book))

    assert {code: Answered.from_json(each.as_json()) for code, each in answers.items()} == answers


@read_only
@given(st.data())
def test_a_later_round_forgets_no_yes(
    book: Rulebook, visits: list[tuple[frozenset[str], str]], data: st.DataObject
) -> None:
    assess = any_visit(data, book, visits)
    first, second = data.draw(answers_to(book)), data.draw(answers_to(book))
    undated = {code for code, each in first.items() if each.answer is not Answer.NO and each.date is None}
    both = screening.merged([first, second])
    known = {code: each for code, each in first.items() if code not in undated}

    assert first_date(assess(both)) >= first_date(assess(known))
