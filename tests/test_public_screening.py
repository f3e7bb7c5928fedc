"""What the public pages say of the questions before a visit: on services, after squeezing, and about privacy."""

import datetime as dt
import re

import pytest
import time_machine
from django.urls import NoReverseMatch, reverse

from bookings.access import SCREENING_LIVES
from clinic import content
from clinic.models import Clinic, HistoryRule, Item, Rule, Service
from tests.factories import make_policy, make_staff
from tests.public import DRAFT, LOADED, main_of, make_public_clinic, read, sign_everything

# Noon in New York; the broken-skin rule as shipped waits seven days.
NOON = dt.datetime(2026, 11, 23, 17, 0, tzinfo=dt.UTC)


@pytest.fixture
def clinic(db) -> Clinic:
    return make_public_clinic()


def edited(row, **fields) -> None:
    """A clinic's edit that waits for its signature."""
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
    content.record_revision(row, by=None, now=LOADED)


def signed(row) -> None:
    by = make_staff("clinician")
    content.sign_off(
        row, reviewer="Dr Okafor", registration="NY 1", by=by, now=LOADED, next_review_on=dt.date(2027, 11, 23)
    )


def rules_on(client, slug: str) -> list[str]:
    return re.findall(r'data-rule="([^"]+)"', main_of(client, f"/services/{slug}/"))


@pytest.mark.parametrize(
    ("slug", "rules"),
    [
        ("consult", []),
        ("review", []),
        ("nose", ["gap-same-area"]),
        ("stubborn", ["gap-same-area", "stubborn-needs-consult"]),
    ],
)
def test_a_service_says_what_has_to_come_before_it(client, clinic, slug, rules):
    assert rules_on(client, slug) == rules


def test_a_visit_that_needs_a_skin_check_says_so_and_leads_there(client, clinic):
    html = main_of(client, "/services/stubborn/")

    need = html[html.index('data-rule="stubborn-needs-consult"') :].split("</p>")[0]
    assert "a skin check in the last 90 days" in need
    assert 'href="/services/consult/"' in need


def test_a_rule_is_told_in_the_words_that_were_signed(client, clinic):
    row = HistoryRule.objects.get(code="gap-same-area")
    signed(row)
    edited(row, advice="Wait a little.")

    text = read(client, "/services/nose/").text

    assert "Skin needs about four weeks before the next extraction on the same area." in text
    assert "Wait a little." not in text


@pytest.mark.parametrize("slug", ["nose", "consult"])
def test_a_service_says_that_answers_may_change_the_plan(client, clinic, slug):
    html = main_of(client, f"/services/{slug}/")

    card = html[html.index('class="service-card') : html.index('class="service-body"')]
    assert "Check what is safe for me first" in card
    assert "Some answers mean that we wait, or that a clinician looks first." in card


def test_an_unsigned_rule_marks_the_page_as_a_draft(client, clinic):
    sign_everything()
    assert DRAFT not in read(client, "/services/nose/").text

    HistoryRule.objects.filter(code="gap-same-area").update(signed_version=None)

    assert DRAFT in read(client, "/services/nose/").text


def test_squeezed_gives_first_aid_and_then_the_signs_to_watch_for(client, clinic):
    html = main_of(client, "/squeezed/")

    order = [html.index(f'"{code}"') for code in ("q1-spreading", "Q1", "WHY-6", "A24-3", "Q2", "Q7", "FLAG-1")]
    assert order == sorted(order)
    assert len(re.findall(r'class="care-card (?:urgent|emergency)"', html)) == 3


def test_squeezed_never_asks_for_money_and_never_tells_off(client, clinic):
    text = " ".join(read(client, "/squeezed/").text.split())

    assert "No fee, no telling-off." in text
    assert re.findall(r"should not have|your fault|\$\d+", text) == []


@time_machine.travel(NOON, tick=False)
def test_squeezed_counts_the_safe_day_by_the_rule_from_today(client, clinic):
    assert "at least until Monday 30 November" in read(client, "/squeezed/").text

    edited(Rule.objects.get(code="q7-broken-1"), days=10)

    assert "at least until Thursday 3 December" in read(client, "/squeezed/").text


@time_machine.travel(dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC), tick=False)
def test_squeezed_counts_from_today_where_the_clinic_is(client, clinic):
    """In London it is Tuesday already."""
    assert "at least until Monday 30 November" in read(client, "/squeezed/").text


@time_machine.travel(NOON, tick=False)
def test_squeezed_waits_with_a_new_number_until_it_is_signed(client, clinic):
    row = Rule.objects.get(code="q7-broken-1")
    signed(row)
    edited(row, days=3)

    assert "at least until Monday 30 November" in read(client, "/squeezed/").text


def test_squeezed_invents_no_day_where_a_clinician_decides(client, clinic):
    edited(Rule.objects.get(code="q7-broken-1"), verdict="REVIEW", days=None)

    text = read(client, "/squeezed/").text

    assert "at least until the date we give you" in text
    assert "The day counts from today" not in text


def test_who_has_a_visit_goes_by_the_link_in_the_email(client, clinic):
    html = main_of(client, "/squeezed/")

    assert "Use the link in our email" in html
    try:
        tell_us = reverse("visit:squeezed")
    except NoReverseMatch:
        return
    assert f'href="{tell_us}"' in html


def test_privacy_says_when_answers_go_by_the_clinics_own_number(client, clinic):
    make_policy(answers_kept_days=200)

    text = " ".join(read(client, "/privacy/").text.split())

    assert "We delete them 200 days after your visit." in text
    assert f"Answers without a booking go after {SCREENING_LIVES // dt.timedelta(hours=1)} hours." in text


@pytest.mark.parametrize(
    "said",
    [
        "“Not sure” counts as yes",
        "Only the people who need them for your care.",
        "Not in emails or their subjects, page addresses or logs.",
        "A parent or guardian",
        "name, relation, phone and email",
    ],
)
def test_privacy_says_how_health_answers_are_kept(client, clinic, said):
    assert said in " ".join(read(client, "/privacy/").text.split())


def test_a_signature_late_in_the_evening_counts_for_that_day(client, clinic):
    by = make_staff("clinician")
    evening = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)
    for row in Item.objects.filter(topic__code="five-tips"):
        content.sign_off(
            row, reviewer="Dr Okafor", registration="NY 1", by=by, now=evening, next_review_on=dt.date(2027, 11, 23)
        )

    text = read(client, "/guidance/five-tips/").text

    assert "Reviewed by Dr Okafor on Monday 23 November 2026, next on Tuesday 23 November 2027." in text


@pytest.mark.parametrize(("slug", "is_told"), [("nose", True), ("teen", True), ("adults", False)])
def test_a_visit_for_minors_says_that_a_guardian_books_with_them(client, clinic, slug, is_told):
    Service.objects.filter(slug="face").update(slug="adults", minimum_age=18)

    html = main_of(client, f"/services/{slug}/")

    assert html.count('data-wording="under-18"') == is_told
