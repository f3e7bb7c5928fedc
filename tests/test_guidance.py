"""Which items show where, in which words."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import content, guidance
from clinic.models import Clinic, Item, Moment, Revision, Service, Source, Topic, Wording
from clinic.models.placeholders import FALLBACKS, fill
from tests.factories import NOW, make_policy, make_staff

pytestmark = pytest.mark.django_db
ROWS: list[dict[str, Any]] = json.loads((content.DATA / "items.json").read_text())
# Written out again, so that a slip in the services' own groups shows.
EXTRACT = {"nose", "face", "facial", "milia", "body", "stubborn", "teen"}
FACEAREA = {"nose", "face", "facial", "milia", "stubborn", "teen"}
SERVICES = sorted(EXTRACT | {"consult", "review"})


@pytest.fixture
def clinic() -> Clinic:
    content.load(now=NOW)
    content.load_services(now=NOW)
    return make_policy(is_demo=True)


def expected(slug: str, moment: str) -> list[str]:
    groups = {"ALL", slug} | ({"EXTRACT"} if slug in EXTRACT else set()) | ({"FACEAREA"} if slug in FACEAREA else set())
    return [row["code"] for row in ROWS if moment in row["moments"] and groups & set(row["services"])]


def edit(code: str, **fields: Any) -> Item:
    """What an editor does: save, then record the version."""
    item = Item.objects.get(code=code)
    for name, value in fields.items():
        setattr(item, name, value)
    item.save()
    content.record_revision(item, by=None, now=NOW)
    return item


def sign(row: Any) -> None:
    content.sign_off(
        row,
        reviewer="Dr Ada Lin",
        registration="NY-123",
        by=make_staff(f"clinician-{row.code}-{row.version}"),
        now=NOW,
        next_review_on=dt.date(2027, 11, 23),
    )


def codes(advice: list[guidance.Advice]) -> list[str]:
    return [item.code for item in advice]


@pytest.mark.parametrize("moment", Moment.values)
def test_each_service_gets_the_items_of_the_data_at_each_moment(clinic: Clinic, moment: str) -> None:
    shown = {service.slug: codes(guidance.items_for(service, moment, clinic)) for service in Service.objects.all()}

    assert shown == {slug: expected(slug, moment) for slug in SERVICES}


@pytest.mark.parametrize(
    ("moment", "in_all", "always", "for_nose"),
    [
        ("browse", 49, 32, 48),
        ("booking", 20, 18, 19),
        ("confirm", 19, 19, 19),
        ("r72h", 11, 11, 11),
        ("r24h", 17, 13, 16),
        ("day0", 20, 16, 20),
        ("day3", 22, 15, 22),
        ("day7", 9, 8, 9),
    ],
)
def test_each_message_carries_what_was_counted_for_it(
    clinic: Clinic, moment: str, in_all: int, always: int, for_nose: int
) -> None:
    everything = guidance.items_for(None, moment, clinic)
    nose = guidance.items_for(Service.objects.get(slug="nose"), moment, clinic)

    assert (len(everything), sum(item.priority == 1 for item in everything), len(nose)) == (in_all, always, for_nose)


def test_a_week_after_the_visit_the_flags_and_the_check_up_are_shown(clinic: Clinic) -> None:
    shown = codes(guidance.items_for(None, Moment.DAY7, clinic))

    assert shown == ["WHY-7", "KNOW-4", "AWK-7", "FLAG-1", "FLAG-2", "FLAG-3", "FLAG-4", "FLAG-5", "FLAG-6"]


def test_items_cost_one_query_and_one_more_while_edits_wait(clinic: Clinic) -> None:
    service = Service.objects.get(slug="nose")
    with CaptureQueriesContext(connection) as unsigned:
        guidance.items_for(service, Moment.BOOKING, clinic)
    for code in ("WHY-1", "WHY-3", "WHY-5"):
        sign(Item.objects.get(code=code))
        edit(code, text="New words.")

    with CaptureQueriesContext(connection) as waiting:
        guidance.items_for(service, Moment.BOOKING, clinic)

    assert (len(unsigned), len(waiting)) == (1, 2)


def test_unsigned_text_is_a_draft(clinic: Clinic) -> None:
    advice = guidance.advice("WHY-1", clinic)

    assert (advice.version, advice.is_signed) == (1, False)
    assert guidance.is_draft([advice])


def test_an_edit_of_a_text_nobody_signed_shows_at_once_as_a_draft(clinic: Clinic) -> None:
    edit("WHY-1", text="New words.")

    advice = guidance.advice("WHY-1", clinic)
    assert (advice.text, advice.version, advice.is_signed) == ("New words.", 2, False)


def test_the_signed_text_stays_while_an_edit_waits(clinic: Clinic) -> None:
    signed = Item.objects.get(code="WHY-1")
    sign(signed)
    edit("WHY-1", text="New words.", moments=["day7"], priority=3)

    advice = guidance.advice("WHY-1", clinic)
    assert (advice.text, advice.version, advice.priority, advice.is_signed) == (signed.text, 1, 1, True)
    assert "WHY-1" in codes(guidance.items_for(None, Moment.CONFIRM, clinic))
    assert "WHY-1" not in codes(guidance.items_for(None, Moment.DAY7, clinic))


def test_the_last_of_several_signed_versions_is_shown(clinic: Clinic) -> None:
    sign(Item.objects.get(code="WHY-1"))
    sign(edit("WHY-1", text="Second words."))
    edit("WHY-1", text="Third words.")

    advice = guidance.advice("WHY-1", clinic)
    assert (advice.text, advice.version) == ("Second words.", 2)


def test_the_signature_brings_the_edit_to_patients(clinic: Clinic) -> None:
    sign(Item.objects.get(code="WHY-1"))
    sign(edit("WHY-1", text="New words."))

    advice = guidance.advice("WHY-1", clinic)
    assert (advice.text, advice.version, advice.is_signed) == ("New words.", 2, True)
    assert not guidance.is_draft([advice])


def test_one_unsigned_text_among_signed_ones_needs_the_banner(clinic: Clinic) -> None:
    sign(Item.objects.get(code="WHY-1"))

    signed, unsigned = guidance.advice("WHY-1", clinic), guidance.advice("WHY-2", clinic)
    assert [guidance.is_draft([signed]), guidance.is_draft([signed, unsigned])] == [False, True]


def test_what_a_patient_was_shown_can_be_read_back(clinic: Clinic) -> None:
    before = guidance.advice("WHY-1", clinic)
    edit("WHY-1", text="New words.")

    revision = Revision.objects.get(kind="item", code="WHY-1", version=before.version)
    assert revision.fields["text"] == before.text


def test_placeholders_are_filled_from_the_clinic(clinic: Clinic) -> None:
    assert guidance.advice("FLAG-1", clinic).text.startswith("**Call 911 now** if you have:")
    assert "(212 555 0111)" in guidance.advice("FLAG-2", clinic).text
    assert "Tell us too: 212 555 0100." in guidance.advice("FLAG-3", clinic).text


def test_an_unset_number_still_reads_as_a_sentence(clinic: Clinic) -> None:
    unset = make_policy(phone="", emergency_number="", urgent_line="")

    assert guidance.advice("FLAG-1", unset).text.startswith("**Call your local emergency number now** if")
    assert "today (your local urgent line or doctor)" in guidance.advice("FLAG-2", unset).text
    assert "Tell us too: phone the clinic." in guidance.advice("FLAG-3", unset).text


def test_every_placeholder_of_the_content_is_known() -> None:
    texts = "".join(path.read_text() for path in sorted(content.DATA.glob("*.json")))
    used = set(re.findall(r"\{\{(.*?)\}\}", texts))

    assert {"emergency_number", "urgent_line", "clinic_phone", "earliest_date"} <= used <= set(FALLBACKS)


def test_a_placeholder_nobody_knows_stays_visible(clinic: Clinic) -> None:
    assert fill("Ask {{who}}.", clinic) == "Ask {{who}}."


def test_bold_is_marked_up_for_pages_and_dropped_for_plain_mail(clinic: Clinic) -> None:
    edit("FLAG-1", text="**Call {{emergency_number}} now** if <it hurts>.")

    advice = guidance.advice("FLAG-1", clinic)
    assert advice.html == "<strong>Call 911 now</strong> if &lt;it hurts&gt;."
    assert advice.plain == "Call 911 now if <it hurts>."


def test_a_clinics_name_cannot_smuggle_markup_in() -> None:
    content.load(now=NOW)
    clinic = make_policy(name="<script>x</script>")

    assert "&lt;script&gt;" in guidance.wording("disclaimer-long", clinic).html


def test_the_footer_has_the_three_red_flags(clinic: Clinic) -> None:
    with CaptureQueriesContext(connection) as queries:
        flags = guidance.red_flags(clinic)

    assert (codes(flags), len(queries)) == (["FLAG-1", "FLAG-2", "FLAG-3"], 1)


def test_a_topic_page_has_all_items_of_its_topic(clinic: Clinic) -> None:
    shown = {topic.code: codes(guidance.page(topic, clinic)) for topic in guidance.topics()}

    assert next(iter(shown)) == "why-not-squeeze"
    assert shown == {
        topic: [row["code"] for row in ROWS if row["topic"] == topic] for topic in {row["topic"]: None for row in ROWS}
    }


def test_sources_of_a_topic_are_listed_once_in_the_order_of_the_list(clinic: Clinic) -> None:
    sources = guidance.sources_of(Topic.objects.get(code="five-tips"))

    assert [source.code for source in sources] == ["S1", "S16a", "S31", "S38"]
    assert Source.objects.get(code="S4").addresses[1].startswith("https://111.wales.nhs.uk/")


def test_sections_before_the_visit_carry_real_dates(clinic: Clinic) -> None:
    advice = guidance.items_for(Service.objects.get(slug="nose"), Moment.CONFIRM, clinic)

    sections = guidance.grouped(advice, visit_date=dt.date(2026, 12, 3))

    assert [(section.title, len(section.items)) for section in sections] == [
        ("Please do not squeeze at home", 2),
        ("What can go wrong", 1),
        ("Five tips for calmer pores", 5),
        ("From Monday 30 November", 8),
        ("On the day, Thursday 3 December", 3),
    ]


def test_without_a_date_sections_have_their_topics_titles(clinic: Clinic) -> None:
    sections = guidance.grouped([guidance.advice("PREP-1", clinic), guidance.advice("DAY-1", clinic)])

    assert [section.title for section in sections] == ["From three days before", "On the day"]


@pytest.mark.parametrize(
    ("today", "title"),
    [(dt.date(2026, 11, 29), "From Monday 30 November"), (dt.date(2026, 12, 2), "From today")],
)
def test_a_start_gone_by_is_today(clinic: Clinic, today: dt.date, title: str) -> None:
    advice = [guidance.advice("PREP-1", clinic)]

    sections = guidance.grouped(advice, visit_date=dt.date(2026, 12, 3), today=today)

    assert [section.title for section in sections] == [title]


def test_grouping_keeps_every_item_once(clinic: Clinic) -> None:
    advice = guidance.items_for(None, Moment.BROWSE, clinic)

    assert [item for section in guidance.grouped(advice) for item in section.items] == advice


def test_a_topics_reviews_are_its_own_and_the_newest_comes_first(clinic: Clinic) -> None:
    sign(Item.objects.get(code="WHY-1"))
    sign(Item.objects.get(code="TIP-1"))

    reviews = guidance.reviews_of(Topic.objects.get(code="why-not-squeeze"))

    assert [(review.reviewer, review.revision.code) for review in reviews] == [("Dr Ada Lin", "WHY-1")]


def test_without_a_signature_there_is_no_last_review(clinic: Clinic) -> None:
    assert guidance.last_review() is None


def test_the_line_on_who_checked_a_page_names_them(clinic: Clinic) -> None:
    sign(Wording.objects.get(code="checked-by"))

    text = guidance.wording("checked-by", clinic).text
    assert text == "Our clinician checked this page on Monday 23 November (Dr Ada Lin)."


def test_a_wording_takes_what_only_the_caller_knows(clinic: Clinic) -> None:
    text = guidance.wording("after-review", clinic, reply_by="5pm tomorrow").text

    assert "reply by 5pm tomorrow." in text
    assert "call 212 555 0111, or 911 in an emergency" in text


def test_the_short_disclaimer_reads_as_written(clinic: Clinic) -> None:
    assert guidance.wording("disclaimer-short", clinic).text == (
        "This is general information, not medical advice. It cannot tell you what your spot is. "
        "If you are worried, see a doctor. In an emergency call 911."
    )
