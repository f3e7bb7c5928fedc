"""The whole content as one file: out of one clinic, and into the next without loss."""

import datetime as dt
import json
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.models import User

from clinic import content
from clinic.content import Act, BadPack
from clinic.models import (
    AuditEvent,
    HistoryRule,
    Item,
    Part,
    Question,
    Review,
    Revision,
    Rule,
    Source,
    Topic,
    Wording,
)
from tests.admin_pages import edit, item
from tests.factories import NOW, make_staff

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(days=3, microseconds=7)
NEXT_REVIEW = dt.date(2027, 11, 23)
SIGNATURE: dict[str, Any] = {"reviewer": "Dr Ada Lin", "registration": "NY-123", "next_review_on": NEXT_REVIEW}


def sign(*rows: Any, by: User, now: dt.datetime = LATER) -> None:
    content.sign_all(rows, **SIGNATURE, by=by, now=now)


def forget_everything() -> None:
    """An empty clinic: only the people who sign in are there."""
    Review.objects.all().delete()
    for model in (Revision, Wording, HistoryRule, Rule, Part, Question, Item, Topic, Source, AuditEvent):
        model.objects.all().delete()


def make_a_lived_in_clinic(clinician: User) -> None:
    """Signed, changed, half signed again, with texts of its own."""
    content.load(now=NOW)
    sign(*(row for model in content.SIGNED_MODELS for row in model.objects.all()), by=clinician, now=NOW)
    edit(item(), text="Please leave them “alone”. Ganz ruhig.")
    edit(item("WHY-2"), text="Second.")
    sign(item("WHY-2"), by=clinician)
    edit(Rule.objects.get(code="q3-yes-1"), days=21)
    edit(HistoryRule.objects.get(code="gap-same-area"), days=35)
    content.record_revision(Wording.objects.create(code="ours", title="Ours", text="Hello."), by=clinician, now=LATER)
    Source.objects.filter(code="S1").update(last_checked_on=dt.date(2026, 11, 20))
    Topic.objects.filter(code="causes").update(title="What blocks pores", position=40)
    Question.objects.get(code="Q10").sources.add(Source.objects.get(code="S1"))


def test_a_file_brings_everything_into_an_empty_clinic_and_comes_out_the_same() -> None:
    clinician = make_staff()
    make_a_lived_in_clinic(clinician)
    before = content.export()
    signed = ("revision__kind", "revision__code", "revision__version", "reviewer", "signed_at", "next_review_on")
    signatures = set(Review.objects.values_list(*signed))
    forget_everything()

    content.bring_in(content.read(before), by=clinician, now=LATER)

    assert content.export() == before
    assert set(Review.objects.values_list(*signed)) == signatures
    assert (item().version, item().signed_version, item().is_signed) == (2, 1, False)


def test_the_order_in_the_file_is_the_same_on_every_database() -> None:
    content.load(now=NOW)
    codes = ["ours-2", "ours_1", "Ours", "ours 3", "oürs", "OURS-0"]
    for code in codes:
        content.record_revision(Wording.objects.create(code=code, title="x", text="x"), by=None, now=NOW)

    packed = json.loads(content.export())

    ours = [row["code"] for row in packed["wordings"] if row["code"] in codes]
    versions = [row["code"] for row in packed["revisions"] if row["code"] in codes]
    assert ours == versions == sorted(codes)


def test_a_lived_in_clinic_is_not_just_what_was_loaded() -> None:
    content.load(now=NOW)
    plain = content.export()

    forget_everything()
    make_a_lived_in_clinic(make_staff())

    assert content.export() != plain


def test_the_same_file_again_changes_nothing() -> None:
    clinician = make_staff()
    make_a_lived_in_clinic(clinician)
    before = content.export()

    done = content.bring_in(content.read(before), by=clinician, now=LATER)

    assert (done.changes, done.same) == ((), sum(len(rows) for rows in content.read(before).rows.values()))
    assert content.export() == before
    assert not AuditEvent.objects.filter(act="brought in").exists()


def packed_with(**words: str) -> str:
    """A file from a clinic that edited and signed these items, by code."""
    clinician = User.objects.filter(username="elsewhere").first() or make_staff("elsewhere")
    content.load(now=NOW)
    for code, text in words.items():
        edit(item(code.replace("_", "-")), text=text)
        sign(item(code.replace("_", "-")), by=clinician)
    text = content.export()
    forget_everything()
    return text


def test_words_signed_elsewhere_become_our_next_version_under_the_name_in_the_file() -> None:
    packed = packed_with(WHY_1="Signed elsewhere.")
    content.load(now=NOW)
    me = make_staff()

    done = content.bring_in(content.read(packed), by=me, now=LATER)

    assert [(change.act, change.code, change.is_draft) for change in done.changes] == [(Act.CHANGE, "WHY-1", False)]
    assert (item().text, item().version, item().signed_version) == ("Signed elsewhere.", 2, 2)
    review = Review.objects.get()
    assert (review.reviewer, review.signed_by, review.revision.written_by) == ("Dr Ada Lin", me, me)
    assert AuditEvent.objects.get(act="brought in").key == "WHY-1"


def test_unsigned_words_wait_as_a_draft_and_patients_keep_what_was_signed_here() -> None:
    clinician = make_staff()
    content.load(now=NOW)
    edit(item(), text="A draft from elsewhere.")
    packed = content.export()
    forget_everything()
    content.load(now=NOW)
    sign(item(), by=clinician)

    done = content.bring_in(content.read(packed), by=clinician, now=LATER)

    assert [(change.act, change.is_draft) for change in done.changes] == [(Act.CHANGE, True)]
    assert (item().text, item().version, item().signed_version) == ("A draft from elsewhere.", 2, 1)


def test_an_old_file_does_not_bring_back_what_we_moved_on_from() -> None:
    clinician = make_staff()
    content.load(now=NOW)
    sign(item(), by=clinician)
    old = content.export()
    edit(item(), text="Ours, and newer.")

    done = content.bring_in(content.read(old), by=clinician, now=LATER)

    assert [(change.act, change.code) for change in done.changes] == [(Act.KEEP, "WHY-1")]
    assert (item().text, item().version, item().signed_version) == ("Ours, and newer.", 2, 1)


def test_a_file_that_went_back_to_older_words_brings_them() -> None:
    clinician = make_staff()
    content.load(now=NOW)
    first = item().text
    edit(item(), text="A mistake.")
    with_mistake = content.export()
    edit(item(), text=first)
    mended = content.export()
    forget_everything()
    content.bring_in(content.read(with_mistake), by=clinician, now=NOW)

    content.bring_in(content.read(mended), by=clinician, now=LATER)

    assert (item().text, item().version) == (first, 3)


def test_a_file_from_before_we_went_back_to_older_words_does_not_undo_that() -> None:
    content.load(now=NOW)
    first = item().text
    edit(item(), text="A mistake.")
    with_mistake = content.export()
    edit(item(), text=first)

    done = content.bring_in(content.read(with_mistake), by=None, now=LATER)

    assert [change.act for change in done.changes] == [Act.KEEP]
    assert (item().text, item().version) == (first, 3)


def test_the_same_words_take_over_a_signature() -> None:
    clinician = make_staff()
    content.load(now=NOW)
    sign(item(), by=clinician)
    packed = content.export()
    forget_everything()
    content.load(now=NOW)

    done = content.bring_in(content.read(packed), by=clinician, now=LATER)

    assert [change.act for change in done.changes] == [Act.SIGN]
    assert (item().version, item().is_signed) == (1, True)


def test_a_draft_that_follows_signed_words_arrives_as_both() -> None:
    clinician = make_staff()
    content.load(now=NOW)
    edit(item(), text="Signed.")
    sign(item(), by=clinician)
    edit(item(), text="The next draft.")
    packed = content.export()
    forget_everything()
    content.load(now=NOW)

    content.bring_in(content.read(packed), by=clinician, now=LATER)

    assert (item().version, item().signed_version) == (3, 2)
    assert Revision.objects.get(kind="item", code="WHY-1", version=2).fields["text"] == "Signed."


def test_what_is_only_here_stays_and_the_later_check_of_a_source_counts() -> None:
    packed = packed_with()
    content.load(now=NOW)
    Source.objects.filter(code="S1").update(last_checked_on=dt.date(2026, 11, 20))
    Wording.objects.create(code="ours", title="Ours", text="Hello.")

    content.bring_in(content.read(packed), by=None, now=LATER)

    assert Wording.objects.filter(code="ours").exists()
    assert Source.objects.get(code="S1").last_checked_on == dt.date(2026, 11, 20)


def test_titles_and_order_follow_the_file_and_are_told() -> None:
    content.load(now=NOW)
    Topic.objects.filter(code="causes").update(title="What blocks pores")
    packed = content.export()
    forget_everything()
    content.load(now=NOW)
    before = Topic.objects.get(code="causes").title

    done = content.bring_in(content.read(packed), by=None, now=LATER)

    assert [change.lines for change in done.changes] == [(("title", before, "What blocks pores"),)]
    assert Topic.objects.get(code="causes").title == "What blocks pores"


def test_signatures_need_somebody_who_answers_for_them() -> None:
    packed = packed_with(WHY_1="Signed elsewhere.")

    with pytest.raises(BadPack, match="has to answer for them"):
        content.bring_in(content.read(packed), by=None, now=LATER)
    assert not Item.objects.exists()


def test_words_saved_without_a_version_are_not_taken_for_the_version_below_them() -> None:
    clinician = make_staff()
    content.load(now=NOW)
    edit(item(), text="Signed.")
    sign(item(), by=clinician)
    packed = content.export()
    forget_everything()
    content.load(now=NOW)
    Item.objects.filter(code="WHY-1").update(text="Signed.")

    content.bring_in(content.read(packed), by=clinician, now=LATER)

    revision = Review.objects.get().revision
    assert (revision.version, revision.fields["text"], item().signed_version) == (2, "Signed.", 2)


@cache
def loaded() -> str:
    """The file of a clinic that has just loaded its content; made once, in the transaction of whichever test asks."""
    content.load(now=NOW)
    return content.export()


def change_in(packed: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split("/")
    found: Any = packed
    for step in way:
        found = found[int(step) if step.isdigit() else step]
    if value is None:
        del found[last]
    else:
        found[last] = value


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("format", "cake", "not a content file of this program"),
        ("format_version", 2, "another format version"),
        ("items", {"0": {}}, "“items” is not a list of rows"),
        ("items/0/text", None, "text is missing"),
        ("items/0/colour", "red", "colour is not known here"),
        ("items/0/text", 7, "“text” has a value of the wrong kind"),
        ("items/0/priority", 9, "priority"),
        ("items/0/priority", "1", "“priority” has a value of the wrong kind"),
        ("items/0/services", "ALL", "a list of texts is missing"),
        ("items/0/topic", "nowhere", "its topic “nowhere” is not in the file"),
        ("items/0/sources", ["S999"], "the source S999 is not in the file"),
        ("items/0/text", "Other words under the same version.", "its words are not those of its version 1"),
        ("items/0/version", 2, "its words are not those of its version 2"),
        ("items/0/signed_version", 1, "the signature under version 1 is not in the file"),
        ("items/1/code", "WHY-1", "WHY-1 is there twice"),
        ("questions/0/is_private", "yes", "“is_private” has a value of the wrong kind"),
        ("rules/0/verdict", "MAYBE", "verdict"),
        ("rules/0/verdict", "WAIT", "a wait says how many days"),
        ("rules/0/part", "q99", "its part “q99” is not in the file"),
        ("sources/0/addresses", ["javascript:alert(1)"], "is no web address"),
        ("sources/0/last_checked_on", "soon", "“soon” is no date"),
        ("revisions/0/written_at", "2026-11-23T14:00:00", "no date with a time and an offset"),
        ("revisions/0/kind", "user", "no text or rule has such a version"),
        ("revisions/0/review", {"reviewer": "Dr X"}, "is missing"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused_with_a_sentence(path: str, value: Any, sentence: str) -> None:
    packed = json.loads(loaded())
    change_in(packed, path, value)

    with pytest.raises(BadPack, match=sentence):
        content.read(json.dumps(packed))


@pytest.mark.parametrize("text", ["", "[]", "{", "NaN", '{"a": "\\ud800"}', "[" * 100_000, "1" * 5000, '"\\u0000"'])
def test_what_is_no_content_file_is_refused(text: str) -> None:
    with pytest.raises(BadPack):
        content.read(text)


def test_an_untouched_file_is_read() -> None:
    assert len(content.read(loaded()).rows["items"]) == 84


def test_a_part_that_moved_to_another_question_is_refused() -> None:
    content.load(now=NOW)
    packed = json.loads(content.export())
    packed["parts"][0]["question"] = "Q2"

    with pytest.raises(BadPack, match="here it belongs to Q1, in the file to Q2"):
        content.plan(content.read(json.dumps(packed)))


def test_a_plan_only_reads() -> None:
    packed = packed_with(WHY_1="Signed elsewhere.")
    content.load(now=NOW)
    before = content.export()

    planned = content.plan(content.read(packed))

    assert content.export() == before
    assert planned.digest == content.plan(content.read(packed)).digest
    assert planned.digest != content.plan(content.read(before)).digest
