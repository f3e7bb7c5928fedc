"""What programs are told to ask: the clinic's own questions, for one service, as last signed."""

import pytest
import time_machine
from django.core.cache import cache

from clinic.models import Part, Question, Rule
from tests.factories import NOW, make_service
from tests.programs import open_world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield open_world()


def ask(client, **asked: str):
    return client.get("/api/v1/questions", asked)


def question(client, code: str, service: str = "nose"):
    return next(each for each in ask(client, service=service).json()["questions"] if each["code"] == code)


def test_every_question_that_the_service_asks_is_there_in_order(client):
    make_service(slug="consult", groups=[])

    nose = [each["code"] for each in ask(client, service="nose").json()["questions"]]
    consult = [each["code"] for each in ask(client, service="consult").json()["questions"]]

    assert nose == [f"Q{number}" for number in range(1, 13)]
    assert consult == [each.code for each in Question.objects.all() if "ALL" in each.applies_to]


def test_a_question_has_all_that_asking_it_takes(client):
    found = question(client, "Q3")
    part = Part.objects.get(question__code="Q3")
    row = Question.objects.get(code="Q3")

    assert found == {
        "code": "Q3",
        "version": 1,
        "stage": "skin",
        "lead": row.lead,
        "answers": ["yes", "no", "unsure"],
        "parts": [{"code": part.code, "version": 1, "text": part.text, "asks_date": True}],
        "takes_parts": False,
        "date_label": row.date_label,
        "date_may_be_ahead": False,
        "advice": row.advice,
        "is_private": False,
        "is_signed": True,
    }


def test_parts_dates_and_privacy_are_told(client):
    five, nine, eleven = (question(client, code) for code in ("Q5", "Q9", "Q11"))

    assert five["takes_parts"]
    assert five["date_may_be_ahead"]
    assert nine["date_label"] is None
    assert eleven["is_private"]
    assert not question(client, "Q1")["takes_parts"]


EXTRACTION = [("last_extraction", "answer"), ("last_extraction_date", "date")]


def test_earlier_visits_are_asked_for_where_they_matter(client):
    make_service(slug="stubborn", groups=["EXTRACT", "FACEAREA"], position=2)
    make_service(slug="consult", groups=[], position=3)

    fields = {
        slug: [(each["field"], each["answer"]) for each in ask(client, service=slug).json()["history"]]
        for slug in ("nose", "stubborn", "consult")
    }

    assert fields == {
        "nose": EXTRACTION,
        "stubborn": [*EXTRACTION, ("had_consultation", "boolean")],
        "consult": [],
    }


def test_the_advice_and_the_words_to_agree_to_come_along(client):
    told = ask(client, service="nose").json()

    assert told["consents"] == {
        "guidance_read": "I have read the advice on not squeezing",
        "consent": "You may keep these details to look after my visit",
    }
    assert "why-not-squeeze" in {each["topic"] for each in told["advice"]}
    assert not any("**" in each["text"] or "{{" in each["text"] for each in told["advice"])


@pytest.mark.parametrize(("asked", "status"), [({}, 400), ({"service": "tattoo"}, 404), ({"service": "no\0se"}, 404)])
def test_an_unknown_service_is_refused_with_a_sentence(client, asked, status):
    answer = ask(client, **asked)

    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


def test_any_site_may_read_it_and_only_reading_is_understood(client):
    answer = ask(client, service="nose")

    assert (answer["Access-Control-Allow-Origin"], answer["Cache-Control"]) == ("*", "no-store")
    assert client.post("/api/v1/questions").status_code == 405


def test_a_clinic_without_questions_says_that_it_is_not_set_up(client):
    for model in (Rule, Part, Question):
        model.objects.all().delete()

    answer = ask(client, service="nose")

    assert (answer.status_code, answer.json()) == (503, {"error": "This clinic is not set up yet."})
