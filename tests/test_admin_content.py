"""The lists and pages of texts, rules and sources in the admin: what they show, find and refuse."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from clinic import content
from clinic.models import AuditEvent, Item, Rule, Source
from tests.admin_pages import edit, item, make_clinician, sign_by_hand, typed, url
from tests.factories import NOW
from tests.online import text_of

pytestmark = pytest.mark.django_db


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


def listed(client: Client, model: Any, **asked: str) -> list[str]:
    return [row.code for row in client.get(url(model), asked).context["cl"].result_list]


def test_lists_are_filtered_by_the_state_of_the_signature(door: Client, clinician: User) -> None:
    sign_by_hand(item("WHY-1"), clinician, next_review_on=dt.date(2026, 11, 23))
    sign_by_hand(item("WHY-2"), clinician)
    edit(item("WHY-2"), text="New.")

    assert listed(door, Item, signed="yes") == ["WHY-1"]
    assert listed(door, Item, signed="waits") == ["WHY-2"]
    assert listed(door, Item, signed="due") == ["WHY-1"]
    assert len(listed(door, Item, signed="never")) == Item.objects.count() - 2


def test_items_are_filtered_by_their_evidence(door: Client) -> None:
    general = [row.code for row in Item.objects.all() if "GK" in row.evidence]
    clinics = [row.code for row in Item.objects.all() if any("[C]" in each for each in row.evidence)]

    assert listed(door, Item, evidence="GK") == general
    assert listed(door, Item, evidence="C") == clinics


@pytest.mark.parametrize("model", content.SIGNED_MODELS, ids=lambda model: model._meta.model_name)
def test_every_list_is_sorted_by_reviewer_and_dates(door: Client, clinician: User, model: Any) -> None:
    first, last = model.objects.all()[0], list(model.objects.all())[-1]
    sign_by_hand(first, clinician, next_review_on=dt.date(2028, 1, 1))
    sign_by_hand(last, clinician, next_review_on=dt.date(2027, 1, 1))
    columns = ["action_checkbox", *door.get(url(model)).context["cl"].model_admin.list_display]

    found = listed(door, model, o=str(columns.index("next_review")), signed="yes")

    assert found == [last.code, first.code]


def test_a_page_shows_who_reviewed_it_when_and_its_sources_as_links(door: Client, clinician: User) -> None:
    sign_by_hand(item(), clinician)

    text = text_of(door.get(url(Item, "change", item().pk)))

    for words in ("Dr Old Hand", "NY-9", "23 November 2026", "23 November 2027", "not checked by this clinic yet"):
        assert words in text
    assert 'href="https://www.nhsinform.scot/' in text


@pytest.mark.parametrize("visits", [1, 3])
def test_the_lists_ask_the_same_number_of_queries_for_any_number_of_rows(
    door: Client, visits: int, django_assert_num_queries: Any
) -> None:
    keep = [row.pk for row in Rule.objects.all()[:visits]]
    Rule.objects.exclude(pk__in=keep).delete()

    with django_assert_num_queries(12):
        door.get(url(Rule))


def test_an_edit_says_what_patients_see_until_it_is_signed(door: Client, clinician: User) -> None:
    sign_by_hand(item(), clinician)
    address = url(Item, "change", item().pk)

    page = door.post(address, {**typed(door, address), "text": "New words."}, follow=True)

    assert "Version 2 is a draft. Patients see version 1 until it is signed off." in text_of(page)


def test_a_code_that_no_service_has_is_refused(door: Client) -> None:
    address = url(Rule, "change", Rule.objects.get(code="q4-yes-1").pk)

    response = door.post(address, {**typed(door, address), "applies_to": "noose"})

    assert "No service or group is called noose." in text_of(response)


def test_evidence_names_sources_that_exist_and_links_them(door: Client) -> None:
    address = url(Item, "change", item().pk)
    form = typed(door, address)

    refused = door.post(address, {**form, "evidence": "S1 [A]\nS999 [B]"})
    saved = door.post(address, {**form, "evidence": "S1 [A]\nS2 [A]"})

    assert "There is no source S999." in text_of(refused)
    assert saved.status_code == 302
    assert [source.code for source in item().sources.all()] == ["S1", "S2"]


def test_a_wait_without_days_is_explained(door: Client) -> None:
    address = url(Rule, "change", Rule.objects.get(code="q3-yes-1").pk)

    response = door.post(address, {**typed(door, address), "days": ""})

    assert "Say how many days to wait." in text_of(response)


# Sources


def test_sources_are_ticked_as_checked_today(door: Client, clinician: User) -> None:
    rows = list(Source.objects.all()[:2])

    door.post(url(Source), {"action": "checked_today", "_selected_action": [row.pk for row in rows]})

    assert set(Source.objects.filter(last_checked_on=dt.date(2026, 11, 23))) == set(rows)
    event = AuditEvent.objects.filter(kind="source").latest("id")
    assert (event.by, event.detail) == (clinician, {"last_checked_on": [None, "2026-11-23"]})


def test_the_day_of_a_check_is_typed_in_the_list(door: Client) -> None:
    first = Source.objects.all()[0]
    rows = door.get(url(Source)).context["cl"].formset
    sent = {f"form-{index}-id": str(form.instance.pk) for index, form in enumerate(rows.forms)}
    sent |= {"form-TOTAL_FORMS": str(len(rows.forms)), "form-INITIAL_FORMS": str(len(rows.forms)), "_save": "Save"}

    response = door.post(url(Source), {**sent, "form-0-last_checked_on": "2026-11-20"})

    first.refresh_from_db()
    assert response.status_code == 302
    assert first.last_checked_on == dt.date(2026, 11, 20)
    assert AuditEvent.objects.get(kind="source").detail == {"last_checked_on": [None, "2026-11-20"]}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [({"addresses": "javascript:alert(1)"}, "is no web address"), ({"code": "our-1"}, "Use S and a number")],
)
def test_a_source_is_a_web_page_that_evidence_can_name(door: Client, changed: dict[str, str], sentence: str) -> None:
    source = {"code": "S99", "title": "Ours", "tag": "A", "addresses": "https://example.org/"}

    refused = door.post(url(Source, "add"), {**source, **changed})
    saved = door.post(url(Source, "add"), source)

    assert sentence in text_of(refused)
    assert saved.status_code == 302
