"""What a real clinic lacks before online booking opens, what it hides until then, and what is due again."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings import followup
from bookings.management.roles import make_groups
from bookings.models import Task, TaskKind
from clinic import content, guidance, readiness
from clinic.models import Clinic, HistoryRule, Item, Moment, Part, Question, Review, Rule, Service, Topic, Wording
from tests.admin_pages import typed, url
from tests.factories import NOW, make_location, make_policy, make_staff
from tests.online import text_of

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinician() -> User:
    return make_staff("clinician")


@pytest.fixture
def loaded() -> None:
    content.load(now=NOW)
    content.load_services(now=NOW)


def sign(*rows: Any, by: User, next_review_on: dt.date = dt.date(2027, 11, 23)) -> None:
    content.sign_all(rows, reviewer="Dr Ada Lin", registration="N1", by=by, now=NOW, next_review_on=next_review_on)


def essential() -> list[Any]:
    """All that must be signed before booking opens."""
    others = [row for model in (Question, Part, Rule, HistoryRule, Wording) for row in model.objects.all()]
    return [*Item.objects.filter(priority=1), *others]


# What is missing


def test_a_new_clinic_is_told_all_that_it_lacks(loaded: None) -> None:
    clinic = make_policy(phone="", emergency_number="", urgent_line="")
    count = {model: model.objects.count() for model in (Question, Part, Rule, Wording)}
    always = Item.objects.filter(priority=1).count()

    assert [str(lack) for lack in readiness.lacking(clinic)] == [
        "The clinic’s phone number: missing",
        "The emergency number: missing",
        "The urgent line or doctor’s number: missing",
        f"Guidance that is always shown: {always} to sign off",
        f"Screening questions: {count[Question]} to sign off",
        f"Parts of questions: {count[Part]} to sign off",
        f"Screening rules: {count[Rule]} to sign off",
        "Rules about earlier visits: 2 to sign off",
        f"Fixed texts: {count[Wording]} to sign off",
    ]


def test_a_clinic_without_its_questions_is_not_ready() -> None:
    clinic = make_policy()
    Wording.objects.all().delete()

    assert [str(lack) for lack in readiness.lacking(clinic)] == ["Screening questions: missing"]


def test_a_clinic_that_has_signed_what_counts_lacks_nothing(loaded: None, clinician: User) -> None:
    clinic = make_policy()
    sign(*essential(), by=clinician)

    assert readiness.lacking(clinic) == []
    assert readiness.is_open_for_booking(clinic)


@pytest.mark.parametrize("model", [Item, Question, Part, Rule, HistoryRule, Wording])
def test_one_unsigned_row_of_any_kind_keeps_booking_closed(loaded: None, clinician: User, model: Any) -> None:
    clinic = make_policy()
    rows = essential()
    left_out = next(row for row in rows if isinstance(row, model))
    sign(*(row for row in rows if row is not left_out), by=clinician)

    assert not readiness.is_open_for_booking(clinic)
    assert [lack.unsigned for lack in readiness.lacking(clinic)] == [1]


@pytest.mark.parametrize("number", ["phone", "emergency_number", "urgent_line"])
def test_a_missing_number_keeps_booking_closed(loaded: None, clinician: User, number: str) -> None:
    sign(*essential(), by=clinician)

    assert not readiness.is_open_for_booking(make_policy(**{number: ""}))


def test_an_edit_that_waits_leaves_booking_open(loaded: None, clinician: User) -> None:
    clinic = make_policy()
    sign(*essential(), by=clinician)
    rule = Rule.objects.get(code="q3-yes-1")
    rule.days = 21
    rule.save()
    content.record_revision(rule, by=clinician, now=NOW)

    assert readiness.is_open_for_booking(clinic)


def test_optional_guidance_may_wait(loaded: None, clinician: User) -> None:
    sign(*essential(), by=clinician)

    assert Item.objects.filter(signed_version=None).exists()
    assert readiness.is_open_for_booking(make_policy())


def test_a_pause_closes_booking_and_a_demo_needs_no_signature(loaded: None) -> None:
    assert readiness.is_open_for_booking(make_policy(is_demo=True))
    assert readiness.lacking(make_policy(is_demo=True)) == []
    assert not readiness.is_open_for_booking(make_policy(is_demo=True, is_online_paused=True))


def test_the_gate_costs_one_query_and_none_for_a_demo(
    loaded: None, clinician: User, django_assert_num_queries: Any
) -> None:
    sign(*essential(), by=clinician)

    for clinic, queries in ((make_policy(), 1), (make_policy(is_demo=True), 0)):
        with django_assert_num_queries(queries):
            readiness.is_open_for_booking(clinic)


# The gate in the admin


def try_to_open(client: Client, **changed: Any) -> Any:
    form = typed(client, url(Clinic, "change", 1))
    form.pop("is_online_paused", None)
    return client.post(url(Clinic, "change", 1), {**form, **changed})


def test_a_real_clinic_cannot_open_before_all_is_signed(loaded: None, client: Client, clinician: User) -> None:
    make_policy(is_online_paused=True)
    client.force_login(clinician)

    refused = try_to_open(client)
    sign(*essential(), by=clinician)
    opened = try_to_open(client)

    assert "Before patients can book: Guidance that is always shown" in text_of(refused)
    assert (refused.status_code, opened.status_code) == (200, 302)
    assert not Clinic.objects.get().is_online_paused


@pytest.mark.parametrize("number", ["phone", "emergency_number", "urgent_line"])
def test_a_clinic_opens_only_once_patients_can_be_told_whom_to_call(
    loaded: None, client: Client, clinician: User, number: str
) -> None:
    sign(*essential(), by=clinician)
    make_policy(is_online_paused=True, **{number: ""})
    client.force_login(clinician)

    refused = try_to_open(client)
    opened = try_to_open(client, **{number: "911"})

    assert "Before patients can book:" in text_of(refused)
    assert opened.status_code == 302


def test_the_rest_of_the_policy_is_saved_while_a_signature_is_missing(
    loaded: None, client: Client, clinician: User
) -> None:
    make_policy(is_online_paused=False)
    client.force_login(clinician)

    assert try_to_open(client, horizon_days="60").status_code == 302
    assert try_to_open(client, phone="").status_code == 200
    assert Clinic.objects.get().horizon_days == 60


def test_a_demo_opens_without_any_signature(loaded: None, client: Client, clinician: User) -> None:
    make_policy(is_demo=True, is_online_paused=True, urgent_line="")
    client.force_login(clinician)

    assert try_to_open(client).status_code == 302


def test_the_index_lists_what_is_missing_with_the_way_there(loaded: None, client: Client, clinician: User) -> None:
    make_policy(phone="", is_online_paused=True)
    client.force_login(clinician)

    page = text_of(client.get("/admin/"))

    assert "Before patients can book online" in page
    assert '<a href="/admin/clinic/clinic/">The clinic’s phone number: missing</a>' in page
    assert '<a href="/admin/sign-off/">Rules about earlier visits: 2 to sign off</a>' in page


def test_the_index_of_a_signed_clinic_and_of_a_demo_lacks_nothing(
    loaded: None, client: Client, clinician: User
) -> None:
    make_policy(is_demo=True)
    client.force_login(clinician)

    assert client.get("/admin/").context["lacks"] == []
    sign(*essential(), by=clinician)
    make_policy(is_demo=False)
    assert client.get("/admin/").context["lacks"] == []


def test_an_essential_draft_is_not_added_to_a_running_clinic(loaded: None, client: Client, clinician: User) -> None:
    make_policy()
    sign(*essential(), by=clinician)
    client.force_login(clinician)
    new = {
        "code": "OURS-1",
        "topic": str(Topic.objects.all()[0].pk),
        "position": "9",
        "text": "Ours.",
        "services": "ALL",
    }

    refused = client.post(url(Item, "add"), {**new, "priority": "1"})
    saved = client.post(url(Item, "add"), {**new, "priority": "2"})

    assert "Have it signed with another priority first" in text_of(refused)
    assert saved.status_code == 302
    assert readiness.is_open_for_booking(Clinic.objects.get())


def test_whoever_adds_a_rule_to_a_running_clinic_learns_that_booking_is_closed(
    loaded: None, client: Client, clinician: User
) -> None:
    make_policy()
    sign(*essential(), by=clinician)
    client.force_login(clinician)
    new = {"code": "ours-1", "part": str(Part.objects.all()[0].pk), "verdict": "NOTE", "undated": "review"}

    page = client.post(url(Rule, "add"), new, follow=True)

    assert "Online booking is closed until it is signed off." in text_of(page)
    assert not readiness.is_open_for_booking(Clinic.objects.get())


# What a real clinic hides


def codes(advice: list[guidance.Advice]) -> set[str]:
    return {item.code for item in advice}


def test_a_real_clinic_hides_optional_advice_that_nobody_signed(loaded: None, clinician: User) -> None:
    nose, topic = Service.objects.get(slug="nose"), Topic.objects.get(code="causes")
    demo = make_policy(is_demo=True)
    in_the_demo = [codes(guidance.page(topic, demo)), codes(guidance.items_for(nose, Moment.BROWSE, demo))]
    real = make_policy(is_demo=False)
    optional = set(Item.objects.exclude(priority=1).values_list("code", flat=True))

    in_a_clinic = [codes(guidance.page(topic, real)), codes(guidance.items_for(nose, Moment.BROWSE, real))]

    assert in_a_clinic == [shown - optional for shown in in_the_demo]
    assert all(len(real) < len(demo) for real, demo in zip(in_a_clinic, in_the_demo, strict=True))


def test_a_signature_brings_optional_advice_out_and_an_edit_does_not_take_it_back(
    loaded: None, clinician: User
) -> None:
    real, topic = make_policy(), Topic.objects.get(code="causes")
    item = Item.objects.get(code="UND-6")
    sign(item, by=clinician)
    item.text = "A draft."
    item.save()
    content.record_revision(item, by=clinician, now=NOW)

    [shown] = [advice for advice in guidance.page(topic, real) if advice.code == "UND-6"]

    assert (shown.version, shown.is_signed, shown.text == "A draft.") == (1, True, False)


def test_essential_advice_is_shown_as_a_draft_before_opening(loaded: None) -> None:
    real = make_policy(is_online_paused=True)

    advice = guidance.advice("WHY-1", real)

    assert not advice.is_signed
    assert codes(guidance.red_flags(real)) == {"FLAG-1", "FLAG-2", "FLAG-3"}


def test_hidden_advice_is_not_found_by_its_code(loaded: None) -> None:
    with pytest.raises(Item.DoesNotExist):
        guidance.advice("UND-6", make_policy())


def test_the_public_page_of_a_real_clinic_is_without_them(loaded: None, client: Client) -> None:
    make_policy()
    make_location()

    page = text_of(client.get("/guidance/causes/"))

    assert 'data-item="UND-1"' in page
    assert 'data-item="UND-6"' not in page


# What is due again


def test_an_overdue_review_is_one_task_and_no_banner(loaded: None, client: Client, clinician: User) -> None:
    real = make_policy()
    make_location()
    sign(*essential(), by=clinician, next_review_on=TODAY)

    for _ in range(2):
        followup.run(NOW)

    task = Task.objects.get(kind=TaskKind.CONTENT)
    assert (task.booking, task.due_at) == (None, NOW + dt.timedelta(days=14))
    assert not guidance.is_draft([guidance.advice("WHY-1", real)])
    assert 'class="draft"' not in text_of(client.get("/guidance/why-not-squeeze/"))
    assert readiness.is_open_for_booking(real)


def test_a_review_that_is_not_due_yet_is_no_task(loaded: None, clinician: User) -> None:
    make_policy()
    sign(*essential(), by=clinician, next_review_on=TODAY + dt.timedelta(days=1))

    followup.run(NOW)

    assert not Task.objects.filter(kind=TaskKind.CONTENT).exists()


def test_a_new_signature_ends_what_was_overdue(loaded: None, clinician: User) -> None:
    item = Item.objects.get(code="WHY-1")
    sign(item, by=clinician, next_review_on=TODAY)
    before = readiness.overdue(TODAY)

    sign(item, by=clinician)

    assert [review.revision.code for review in before] == ["WHY-1"]
    assert readiness.overdue(TODAY) == []


def test_every_kind_that_is_signed_first_has_its_permissions(loaded: None) -> None:
    """A clinician of a new clinic may read and change all that they sign."""
    held = set(make_groups()["clinician"].permissions.values_list("codename", flat=True))

    kinds = [model._meta.model_name for model in content.SIGNED_MODELS]
    assert {f"{act}_{kind}" for act in ("view", "change") for kind in kinds} | {"sign_content"} <= held


def test_signing_two_hundred_rows_takes_few_queries(loaded: None, clinician: User) -> None:
    rows = essential()

    with CaptureQueriesContext(connection) as queries:
        sign(*rows, by=clinician)

    assert Review.objects.count() == len(rows) > 150
    assert len(queries) < 30


def test_the_task_leads_whoever_may_sign_to_what_is_due(loaded: None, client: Client, clinician: User) -> None:
    make_policy()
    make_location()
    sign(Item.objects.get(code="WHY-1"), by=clinician, next_review_on=TODAY)
    followup.run(NOW)
    client.force_login(clinician)

    tasks = text_of(client.get("/desk/tasks/"))
    due = [each.row.code for group in client.get("/admin/sign-off/").context["groups"] for each in group.readings]

    assert '<a href="/admin/sign-off/">Read and sign off</a>' in tasks
    assert "WHY-1" in due
