"""Clinical sign-off: everything that waits is read on one page, and signed by name."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.management.roles import make_groups
from clinic import content
from clinic.models import AuditEvent, HistoryRule, Item, Part, Question, Review, Reviewed, Rule, Source, Wording
from tests.admin_pages import edit, item, make_clinician, sign_by_hand, url
from tests.factories import NOW, make_policy, make_staff
from tests.online import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PAGE = "/admin/sign-off/"
SIGNATURE = {
    "reviewer": "Dr Ada Reader",
    "registration": "NY-123",
    "next_review_on": "2027-11-23",
    "is_checked": "on",
}


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinician() -> User:
    return make_clinician()


@pytest.fixture
def door(client: Client, clinician: User) -> Client:
    content.load(now=NOW)
    client.force_login(clinician)
    return client


def chosen(*rows: Reviewed) -> str:
    kinds = {row._meta.model_name for row in rows}
    asked = [f"{kind}={','.join(str(row.pk) for row in rows if row._meta.model_name == kind)}" for kind in kinds]
    return f"{PAGE}?{'&'.join(asked)}"


def press(client: Client, address: str = PAGE, **changed: Any) -> Any:
    """Open the page, and send back what stood on it."""
    page = client.get(address)
    return client.post(address, {**SIGNATURE, "read": page.context["read"], **changed})


def waiting() -> list[Reviewed]:
    return [row for model in content.SIGNED_MODELS for row in model.objects.all() if not row.is_signed]


# What stands on the page


def test_the_page_holds_everything_that_waits_in_the_order_of_reading(door: Client) -> None:
    groups = door.get(PAGE).context["groups"]

    assert [group.title for group in groups][:2] == [
        "Guidance: Please do not squeeze at home",
        "Guidance: What causes blocked pores",
    ]
    assert [group.title for group in groups][-3:] == ["Screening: Q12", "Rules about earlier visits", "Fixed texts"]
    rows = [each.row for group in groups for each in group.readings]
    assert sorted(str(row) for row in rows) == sorted(str(row) for row in waiting())


def test_a_question_is_read_with_its_parts_and_each_part_with_its_rules(door: Client) -> None:
    groups = {group.code: group for group in door.get(PAGE).context["groups"]}

    assert [each.row.code for each in groups["Q4"].readings] == ["Q4", "q4-yes", "q4-yes-1", "q4-yes-2"]


def test_a_row_shows_its_words_its_evidence_and_each_source_with_its_address(door: Client) -> None:
    Source.objects.filter(code="S31").update(last_checked_on=dt.date(2026, 11, 20))

    page = door.get(chosen(item()))

    text = text_of(page)
    assert "Please leave blackheads alone at home." in text
    assert "S31 [B], S1 [A], S6 [A]" in text
    assert "last checked on 20 November 2026" in text
    assert "not checked by this clinic yet" in text
    for source in item().sources.all():
        for address in source.addresses:
            assert f'href="{address}"' in text
    assert "opens each address below and confirms that it still says this" in text


def test_a_rule_shows_the_evidence_and_sources_of_its_question(door: Client) -> None:
    rule = Rule.objects.get(code="q4-yes-1")

    [reading] = door.get(chosen(rule)).context["groups"][0].readings

    assert "Mixed" in reading.evidence
    assert [source.code for source in reading.sources] == ["S5", "S7", "S8", "S9"]


def test_a_rule_about_earlier_visits_shows_the_sources_that_it_names(door: Client) -> None:
    [reading] = door.get(chosen(HistoryRule.objects.get(code="gap-same-area"))).context["groups"][0].readings

    assert [source.code for source in reading.sources] == ["S34", "S11"]


def test_what_changed_since_it_was_signed_stands_side_by_side(door: Client, clinician: User) -> None:
    old = item().text
    sign_by_hand(item(), clinician)
    edit(item(), text="Please leave them alone.", priority=2)

    page = door.get(chosen(item()))

    [reading] = page.context["groups"][0].readings
    assert [(line.label, line.was, line.words) for line in reading.changed] == [
        ("Text", old, "Please leave them alone."),
        ("Priority", "Always", "If there is room"),
    ]
    assert "Changed since version 1, which Dr Old Hand (NY-9) signed on 23 November 2026." in text_of(page)


def test_what_is_signed_does_not_wait_until_its_review_is_due(door: Client, clinician: User, time_machine: Any) -> None:
    sign_by_hand(item(), clinician, next_review_on=dt.date(2026, 12, 1))

    def is_on_the_page() -> bool:
        return f"item:{item().pk}:1" in door.get(PAGE).context["read"].split()

    before = is_on_the_page()
    time_machine.move_to(dt.datetime(2026, 12, 1, 14, tzinfo=dt.UTC))
    door.force_login(clinician)

    assert (before, is_on_the_page()) == (False, True)
    assert "Review due. Signed by Dr Old Hand" in text_of(door.get(chosen(item())))


@pytest.mark.parametrize("kinds", [[Item], [Item, Question, Part, Rule, HistoryRule, Wording]])
def test_the_page_asks_the_same_number_of_queries_for_any_number_of_rows(door: Client, kinds: list[Any]) -> None:
    counts = []
    for number in (1, 3):
        rows = [row for kind in kinds for row in kind.objects.all()[:number]]
        with CaptureQueriesContext(connection) as queries:
            door.get(chosen(*rows))
        counts.append(len(queries))

    assert counts[0] == counts[1]


# Signing


def test_one_press_signs_everything_that_waits(door: Client, clinician: User) -> None:
    count = len(waiting())

    with CaptureQueriesContext(connection) as queries:
        response = press(door)

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert waiting() == []
    assert Review.objects.count() == AuditEvent.objects.filter(act="signed", by=clinician).count() == count
    review = Review.objects.get(revision__kind="rule", revision__code="q4-yes-1")
    assert (review.reviewer, review.registration, review.signed_by) == ("Dr Ada Reader", "NY-123", clinician)
    assert (review.signed_at, review.next_review_on) == (NOW, dt.date(2027, 11, 23))
    assert len(queries) < 80
    assert "Nothing waits" in text_of(door.get(PAGE))


def test_what_is_left_out_still_waits(door: Client) -> None:
    press(door, leave=[f"item:{item().pk}:1"])

    assert waiting() == [item()]


def test_a_list_sends_its_choice_to_the_same_page_and_gets_the_signer_back(door: Client) -> None:
    rows = [item("WHY-1"), item("WHY-3")]

    sent = door.post(url(Item), {"action": "sign_off", "_selected_action": [row.pk for row in rows]})
    signed = press(door, sent["Location"])

    assert sent["Location"] == f"{PAGE}?item={rows[0].pk}%2C{rows[1].pk}"
    assert signed["Location"] == url(Item)
    assert [row.is_signed for row in (item("WHY-1"), item("WHY-2"), item("WHY-3"))] == [True, False, True]


def test_signing_again_renews_the_signature(door: Client, clinician: User) -> None:
    sign_by_hand(item(), clinician)

    press(door, chosen(item()))

    assert [(review.reviewer, review.signed_at) for review in Review.objects.all()] == [("Dr Ada Reader", NOW)]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"reviewer": " "}, "Enter the clinician’s name."),
        ({"registration": ""}, "Enter the registration number."),
        ({"next_review_on": "2026-11-23"}, "Choose a day after today."),
        ({"next_review_on": "soon"}, "Enter a day, such as"),
        ({"is_checked": ""}, "Read the texts and open the addresses first"),
        ({"read": ""}, "Nothing is left to sign."),
        ({"read": "item:1:2"}, "was changed while you read it"),
        ({"read": "user:1:1"}, "was changed while you read it"),
        ({"read": "item:one"}, "was changed while you read it"),
    ],
)
def test_a_signature_without_its_parts_is_none(door: Client, changed: dict[str, str], sentence: str) -> None:
    response = press(door, chosen(item()), **changed)

    assert response.status_code == 422
    assert sentence in text_of(response)
    assert not Review.objects.exists()


def test_words_that_changed_while_they_were_read_are_not_signed_and_nothing_else_is(door: Client) -> None:
    read = door.get(PAGE).context["read"]
    edit(item(), text="Changed meanwhile.")

    response = door.post(PAGE, {**SIGNATURE, "read": read})

    assert response.status_code == 422
    assert "was changed while you read it" in text_of(response)
    assert f"item:{item().pk}:2" in response.context["read"].split()
    assert not Review.objects.exists()


def test_the_form_knows_the_signer_and_the_number_they_signed_with_last(door: Client, clinician: User) -> None:
    first = door.get(PAGE).context["form"].initial
    press(door, chosen(item()), reviewer="Dr A. Windermoor")

    second = door.get(PAGE).context["form"].initial

    assert (first["reviewer"], first["registration"]) == ("Amara Windermoor", "")
    assert (second["reviewer"], second["registration"]) == ("Dr A. Windermoor", "NY-123")
    assert second["next_review_on"] == dt.date(2027, 11, 23)


def test_a_managers_own_name_is_not_taken_for_a_clinicians(client: Client) -> None:
    content.load(now=NOW)
    client.force_login(make_staff("manager", first_name="Mina", last_name="Ledgerwood"))

    assert client.get(PAGE).context["form"].initial["reviewer"] == ""


# Who


def test_only_people_with_the_clinicians_permission_sign(client: Client) -> None:
    content.load(now=NOW)
    editor = make_staff("editor", is_superuser=False)
    editor.user_permissions.set(make_groups()["clinician"].permissions.exclude(codename="sign_content"))
    client.force_login(editor)

    answers = [client.get(PAGE).status_code, client.post(PAGE, {**SIGNATURE, "read": "item:1:1"}).status_code]
    client.post(url(Item), {"action": "sign_off", "_selected_action": [item().pk]})

    assert answers == [403, 403]
    assert not Review.objects.exists()
    assert "Read and sign off the selected" not in client.get(url(Item)).content.decode()


def test_a_clinician_sees_the_content_in_the_admin_and_nothing_else(door: Client) -> None:
    make_policy()

    groups = door.get("/admin/").context["app_list"]

    assert {group["name"]: [model["object_name"] for model in group["models"]] for group in groups} == {
        "Content": ["Topic", "Item", "Wording", "Source"],
        "Screening": ["Question", "Part", "Rule", "HistoryRule"],
        "Records (to look up)": ["Review", "Revision"],
    }
    assert [door.get(f"/admin/bookings/{name}/").status_code for name in ("booking", "patient", "task")] == [403] * 3
