"""The loader: what it writes, what it keeps, and how versions and signatures move."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import content
from clinic.content import Report
from clinic.models import (
    AuditEvent,
    HistoryRule,
    Item,
    Part,
    Question,
    Review,
    Revision,
    Rule,
    Service,
    Source,
    Topic,
    Wording,
)
from tests.factories import NOW, make_staff

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(days=1)
MODELS = (Source, Topic, Item, Question, Part, Rule, HistoryRule, Wording)
NEXT_REVIEW = dt.date(2027, 11, 23)


def sign(row: Any, **fields: Any) -> Review:
    signature = {"reviewer": "Dr Ada Lin", "registration": "NY-123", "now": NOW, "next_review_on": NEXT_REVIEW}
    return content.sign_off(row, **{**signature, **fields})


def changed_data(folder: Path, code: str, text: str) -> Path:
    """A copy of the data files in which one item says something else."""
    data = Path(shutil.copytree(content.DATA, folder / "data"))
    rows = json.loads((data / "items.json").read_text())
    next(row for row in rows if row["code"] == code)["text"] = text
    (data / "items.json").write_text(json.dumps(rows))
    return data


def rows_in_the_files() -> dict[Any, int]:
    names = {Source: "sources", Topic: "topics", Item: "items", HistoryRule: "history", Wording: "wordings"}
    rows = {model: json.loads((content.DATA / f"{name}.json").read_text()) for model, name in names.items()}
    questions = json.loads((content.DATA / "questions.json").read_text())
    parts = [part for question in questions for part in question["parts"]]
    rules = [rule for part in parts for rule in part["rules"]]
    nested = {Question: len(questions), Part: len(parts), Rule: len(rules)}
    return {model: len(found) for model, found in rows.items()} | nested


def test_the_loader_writes_every_row_of_the_files() -> None:
    report = content.load(now=NOW)

    counts = [model.objects.count() for model in MODELS]
    assert counts == [63, 12, 84, 12, 41, 49, 2, 37]
    assert report == Report(created=sum(counts))


def test_every_loaded_row_is_a_first_version_that_nobody_has_signed() -> None:
    content.load(now=NOW)

    rows = [row for model in content.SIGNED_MODELS for row in model.objects.all()]
    assert {(row.version, row.signed_version) for row in rows} == {(1, None)}
    assert Revision.objects.filter(version=1).count() == len(rows)


def test_a_second_load_changes_nothing() -> None:
    content.load(now=NOW)
    before = list(Revision.objects.values())

    assert content.load(now=LATER) == Report()
    assert list(Revision.objects.values()) == before


def test_a_second_load_reads_each_table_at_most_twice_and_writes_nothing() -> None:
    content.load(now=NOW)

    with CaptureQueriesContext(connection) as queries:
        content.load(now=LATER)

    read = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(read) == 11
    assert len(queries) == len(read) + len(("SAVEPOINT", "RELEASE"))


def test_a_clinics_edit_is_kept() -> None:
    content.load(now=NOW)
    Item.objects.filter(code="WHY-1").update(text="Our own words.")

    assert content.load(now=LATER) == Report(kept=1)
    assert Item.objects.get(code="WHY-1").text == "Our own words."


def test_a_changed_file_gives_an_untouched_row_a_new_version(tmp_path: Path) -> None:
    content.load(now=NOW)

    report = content.load(now=LATER, data=changed_data(tmp_path, "WHY-1", "Better words."))

    item = Item.objects.get(code="WHY-1")
    assert report == Report(updated=1)
    assert (item.text, item.version) == ("Better words.", 2)
    assert Revision.objects.get(kind="item", code="WHY-1", version=2).fields["text"] == "Better words."
    assert [source.code for source in item.sources.all()] == ["S1", "S6", "S31"]


def test_a_changed_file_does_not_overwrite_a_clinics_edit(tmp_path: Path) -> None:
    content.load(now=NOW)
    Item.objects.filter(code="WHY-1").update(priority=2)

    report = content.load(now=LATER, data=changed_data(tmp_path, "WHY-1", "Better words."))

    item = Item.objects.get(code="WHY-1")
    assert report == Report(kept=1)
    assert (item.priority, item.version) == (2, 1)
    assert item.text != "Better words."


def test_an_update_leaves_the_signature_on_the_old_version(tmp_path: Path) -> None:
    content.load(now=NOW)
    sign(Item.objects.get(code="WHY-1"), by=make_staff())

    content.load(now=LATER, data=changed_data(tmp_path, "WHY-1", "Better words."))

    item = Item.objects.get(code="WHY-1")
    assert (item.version, item.signed_version, item.is_signed) == (2, 1, False)


def test_a_failed_load_leaves_nothing_behind(tmp_path: Path) -> None:
    data = Path(shutil.copytree(content.DATA, tmp_path / "data"))
    (data / "wordings.json").write_text("[")

    with pytest.raises(json.JSONDecodeError):
        content.load(now=NOW, data=data)
    assert Source.objects.count() == 0


def test_an_item_links_the_sources_its_evidence_names() -> None:
    content.load(now=NOW)

    for item in Item.objects.prefetch_related("sources"):
        named = {entry.split()[0] for entry in item.evidence if entry != "GK"}
        assert {source.code for source in item.sources.all()} == named


def test_a_question_links_the_sources_its_evidence_names() -> None:
    content.load(now=NOW)

    sources = Question.objects.get(code="Q10").sources.values_list("code", flat=True)
    assert list(sources) == ["S21", "S22a", "S22b", "S22c", "S23"]


def test_an_edit_becomes_the_next_version_with_its_writer() -> None:
    content.load(now=NOW)
    item = Item.objects.get(code="WHY-1")
    item.text = "Our own words."
    item.save()
    writer = make_staff()

    revision = content.record_revision(item, by=writer, now=LATER)

    item.refresh_from_db()
    assert item.version == 2
    assert (revision.version, revision.fields["text"]) == (2, "Our own words.")
    assert (revision.written_by, revision.written_at) == (writer, LATER)


def test_saving_without_a_change_makes_no_version() -> None:
    content.load(now=NOW)
    item = Item.objects.get(code="WHY-1")

    assert content.record_revision(item, by=make_staff(), now=LATER).version == 1
    assert Revision.objects.filter(kind="item", code="WHY-1").count() == 1


def test_a_row_made_by_the_clinic_gets_its_first_revision() -> None:
    row = Wording.objects.create(code="ours", title="Ours", text="Hello.")

    assert content.record_revision(row, by=make_staff(), now=NOW).version == 1


def test_a_signature_covers_the_version_that_was_read() -> None:
    content.load(now=NOW)
    item = Item.objects.get(code="WHY-1")

    review = sign(item, by=make_staff())

    item.refresh_from_db()
    assert item.is_signed
    assert (review.revision.code, review.revision.version, review.next_review_on) == ("WHY-1", 1, NEXT_REVIEW)


def test_a_text_that_changed_while_it_was_read_is_not_signed() -> None:
    content.load(now=NOW)
    clinician = make_staff()
    read = Item.objects.get(code="WHY-1")
    edited = Item.objects.get(code="WHY-1")
    edited.text = "Our own words."
    edited.save()
    content.record_revision(edited, by=clinician, now=NOW)

    with pytest.raises(content.ChangedMeanwhile):
        sign(read, by=clinician)
    assert Review.objects.count() == 0
    assert Item.objects.get(code="WHY-1").signed_version is None


def test_signing_again_renews_the_signature() -> None:
    content.load(now=NOW)
    item = Item.objects.get(code="WHY-1")
    clinician = make_staff()
    sign(item, by=clinician)

    sign(item, by=clinician, now=LATER)

    assert [review.signed_at for review in Review.objects.all()] == [LATER]


def test_the_catalogue_has_nine_services() -> None:
    assert content.load_services(now=NOW) == Report(created=9)

    rows = Service.objects.values_list("slug", "minutes", "clean_up_minutes", "room_kind", "price_kind", "price")
    assert [(*facts, int(price)) for *facts, price in rows] == [
        ("consult", 30, 10, "CONS", "from", 60),
        ("nose", 30, 15, "TREAT", "from", 45),
        ("face", 45, 15, "TREAT", "from", 80),
        ("facial", 75, 20, "TREAT", "from", 100),
        ("milia", 30, 15, "PROC", "from", 70),
        ("stubborn", 45, 20, "PROC", "from", 150),
        ("teen", 45, 15, "TREAT", "from", 70),
        ("body", 60, 20, "TREAT", "from", 100),
        ("review", 15, 5, "CONS", "free", 0),
    ]


def test_each_service_names_the_grades_that_may_do_it() -> None:
    content.load_services(now=NOW)

    assert {service.slug: "".join(service.grades) for service in Service.objects.all()} == {
        "consult": "DN",
        "nose": "AND",
        "face": "AND",
        "facial": "A",
        "milia": "ND",
        "stubborn": "DN",
        "teen": "ND",
        "body": "AN",
        "review": "ND",
    }


def test_every_service_passes_its_own_validation() -> None:
    content.load_services(now=NOW)

    for service in Service.objects.all():
        service.full_clean()
    assert (Service.objects.get(slug="teen").minimum_age, Service.objects.get(slug="teen").maximum_age) == (13, 17)


def test_services_that_are_there_stay_as_the_clinic_set_them() -> None:
    content.load_services(now=NOW)
    Service.objects.filter(slug="nose").update(price=99)

    assert content.load_services(now=LATER) == Report()
    assert Service.objects.get(slug="nose").price == 99
    assert AuditEvent.objects.filter(act="loaded", kind="service").count() == 9
