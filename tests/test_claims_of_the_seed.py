"""The article this product began with made 27 claims: each is answered by our items, none of its scares is repeated."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clinic import content, guidance
from clinic.models import Item, Moment, Service
from tests.factories import NOW, make_policy

CLAIMS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "claims.json").read_text())
# Source titles are other people's words, kept as they are.
OUR_FILES = [path for path in sorted(content.DATA.glob("*.json")) if path.stem != "sources"]
FORBIDDEN = ["never ignore", "toxin", "shocking", "detox", "poor hygiene", "skin hygiene", "unclean", "filthy"]
RISKY_PLACE = re.compile(r"danger triangle|top of your nose to the corners|nose or near the mouth", re.IGNORECASE)


def texts(value: object) -> list[str]:
    """Every text anywhere in a data file."""
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for child in children for text in texts(child)]


ALL_TEXTS = [text for path in OUR_FILES for text in texts(json.loads(path.read_text()))]


def test_there_are_27_claims() -> None:
    assert len({claim["code"] for claim in CLAIMS}) == len(CLAIMS) == 27


@pytest.mark.django_db
def test_each_claim_is_answered_by_items_that_patients_meet() -> None:
    content.load(now=NOW)
    clinic = make_policy(is_demo=True)
    met = {item.code for moment in Moment.values for item in guidance.items_for(None, moment, clinic)}

    named = {claim["code"]: set(claim["items"]) for claim in CLAIMS}
    assert all(named.values())
    assert {code: items - met for code, items in named.items() if items - met} == {}


@pytest.mark.django_db
def test_each_claim_is_answered_on_the_public_pages() -> None:
    content.load(now=NOW)
    browse = {item.code for item in guidance.items_for(None, Moment.BROWSE, make_policy(is_demo=True))}

    assert [claim["code"] for claim in CLAIMS if browse.isdisjoint(claim["items"])] == []


@pytest.mark.django_db
def test_every_item_is_met_by_someone_who_books_something() -> None:
    content.load(now=NOW)
    content.load_services(now=NOW)
    clinic = make_policy(is_demo=True)

    met = {
        item.code
        for service in Service.objects.all()
        for moment in Moment.values
        for item in guidance.items_for(service, moment, clinic)
    }
    assert met == set(Item.objects.values_list("code", flat=True))


@pytest.mark.parametrize("phrase", FORBIDDEN)
def test_the_article_s_scares_stand_in_no_content_file(phrase: str) -> None:
    assert len(ALL_TEXTS) > 500
    assert [text for text in ALL_TEXTS if phrase in text.lower()] == []


def test_every_word_on_dirt_says_that_it_is_not_the_cause() -> None:
    sentences = [sentence for text in ALL_TEXTS for sentence in re.split(r"(?<=[.?!]) ", text)]
    about_dirt = [sentence for sentence in sentences if re.search(r"\bdirt", sentence, re.IGNORECASE)]

    assert len(about_dirt) >= 2
    assert [sentence for sentence in about_dirt if " not " not in sentence] == []


def test_every_mention_of_the_risky_place_on_the_face_says_rare() -> None:
    mentions = [text for text in ALL_TEXTS if RISKY_PLACE.search(text)]

    assert len(mentions) == 2
    assert [text for text in mentions if "rare" not in text.lower()] == []


def test_no_text_promises_to_prevent_scars_or_infection() -> None:
    promises = re.compile(r"\b(prevents?|guarantees?|cures?)\b", re.IGNORECASE)

    assert [text for text in ALL_TEXTS if promises.search(text)] == []


def test_services_and_topics_are_described_in_short_sentences() -> None:
    files = [json.loads((content.DATA / name).read_text()) for name in ("services.json", "topics.json")]
    sentences = [sentence for text in texts(files) for sentence in re.split(r"(?<=[.?!]) ", text)]

    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []
