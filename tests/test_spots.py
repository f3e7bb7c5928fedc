"""Which spot is it? Each picture leads to nothing, a visit, a clinician or a doctor, as a clinician signed it."""

import datetime as dt
import re

import pytest
from django.template.loader import render_to_string

from clinic import content
from clinic.models import Clinic, Item, Question, Service, Wording
from clinic.views.spots import Answer, spots
from tests.factories import make_policy, make_staff
from tests.public import DRAFT, LOADED, main_of, make_public_clinic, read, sign_everything

CODES = ["filament", "blackhead", "milia", "sore-lump", "changing-spot"]
ANSWERS = {
    "filament": "You can leave these alone",
    "blackhead": "We can help with this",
    "milia": "We can help with this",
    "sore-lump": "Let a clinician look first",
    "changing-spot": "See a doctor about this",
}
# Skin in three tones, plugs and pearls, and pale and dark edges that set them off: nothing red.
REAL_COLOURS = {
    *("#F0D3BF", "#B98560", "#6A4431", "#8A5F45", "#241915", "#F7F1E6", "#FFFDF8", "#F3EEE6", "#D9C9BD"),
    *("#2A302E", "#1B2726", "#44504C", "#FFFFFF"),
}
EXTRACTIONS = ["nose", "face", "facial", "milia", "body", "stubborn", "teen"]


@pytest.fixture
def clinic(db) -> Clinic:
    return make_public_clinic()


def services_on(client, code: str) -> list[str]:
    """The slugs of the visits that the answer leads to, in order, each once."""
    slugs = re.findall(r'href="/services/([a-z]+)/(?:#book)?"', main_of(client, f"/spot/{code}/"))
    return list(dict.fromkeys(slugs))


def resigned(row: Wording, text: str) -> None:
    """A clinician changes the words and signs them."""
    by = make_staff("clinician")
    row.text = text
    row.save(update_fields=["text"])
    content.record_revision(row, by=by, now=LOADED)
    content.sign_off(
        row, reviewer="Dr Okafor", registration="NY 1", by=by, now=LOADED, next_review_on=dt.date(2027, 11, 23)
    )


def test_there_is_one_row_for_each_spot_and_a_last_one_for_all_others(client, clinic):
    html = main_of(client, "/spot/")

    rows = re.findall(r'<h2 class="h3"><a href="([^"]+)"', html)
    assert rows == [*(f"/spot/{code}/" for code in CODES), "/services/consult/"]
    assert html.count('role="img"') == len(rows)


@pytest.mark.parametrize("code", CODES)
def test_each_spot_has_the_answer_a_clinician_signs(client, clinic, code):
    html = main_of(client, f"/spot/{code}/")

    assert re.findall(r"<h1[^>]*>([^<]+)</h1>", html) == [ANSWERS[code]]


@pytest.mark.parametrize("code", CODES)
def test_each_answer_shows_exactly_the_advice_of_its_data(client, clinic, code):
    meant = next(spot for spot in spots() if spot.code == code)

    shown = read(client, f"/spot/{code}/").items

    assert sorted(shown) == sorted(meant.items)


def test_every_code_in_the_data_is_known(clinic):
    items = {code for spot in spots() for code in spot.items}
    questions = {spot.question for spot in spots()} - {""}
    services = {slug for spot in spots() for slug in spot.services}

    assert items - set(Item.objects.values_list("code", flat=True)) == set()
    assert questions - set(Question.objects.values_list("code", flat=True)) == set()
    assert services - set(Service.objects.values_list("slug", flat=True)) == set()


def test_grey_dots_are_left_alone_and_nothing_is_sold(client, clinic):
    html = main_of(client, "/spot/filament/")

    assert "Your skin needs nothing here." in html
    assert services_on(client, "filament") == []
    assert 'class="btn"' not in html


def test_a_blackhead_leads_to_the_visits_by_where_it_is(client, clinic):
    assert services_on(client, "blackhead") == ["nose", "face", "body", "teen"]


def test_milia_lead_to_the_one_visit_with_a_button(client, clinic):
    html = main_of(client, "/spot/milia/")

    assert services_on(client, "milia") == ["milia"]
    assert html.count('class="btn"') == 1


def test_a_visit_that_is_no_longer_offered_is_left_out(client, clinic):
    Service.objects.filter(slug="face").update(retired_on=dt.date(2020, 1, 1))

    assert services_on(client, "blackhead") == ["nose", "body", "teen"]


def test_a_sore_lump_shows_the_warning_signs_before_a_clinician(client, clinic):
    html = main_of(client, "/spot/sore-lump/")

    order = [html.index(each) for each in ('"FLAG-1"', '"FLAG-2"', '"FLAG-3"', '"KNOW-3"', "/services/consult/")]
    assert order == sorted(order)
    assert "tel:911" in html
    assert services_on(client, "sore-lump") == ["consult"]


def test_a_changing_spot_leads_to_a_doctor_and_never_to_an_extraction(client, clinic):
    html = main_of(client, "/spot/changing-spot/")

    assert '<section class="care-card"' in html
    assert "See a doctor about any spot, sore or mole that bleeds" in html
    assert services_on(client, "changing-spot") == ["consult"]
    assert 'class="btn"' not in html


@pytest.mark.parametrize("code", ["sore-lump", "changing-spot"])
@pytest.mark.parametrize("answer", list(Answer))
def test_no_signed_answer_sends_a_dangerous_spot_to_an_extraction(client, clinic, code, answer):
    resigned(Wording.objects.get(code=f"spot-{code}-answer"), answer)

    assert set(services_on(client, code)) & set(EXTRACTIONS) == set()


def test_a_clinician_changes_an_answer_by_signing_it(client, clinic):
    resigned(Wording.objects.get(code="spot-milia-answer"), "Let a clinician look first")

    assert services_on(client, "milia") == ["consult"]


def test_an_answer_in_the_clinics_own_words_offers_a_look_and_nothing_else(client, clinic):
    resigned(Wording.objects.get(code="spot-blackhead-answer"), "Ask us about these")

    assert "Ask us about these" in read(client, "/spot/blackhead/").text
    assert services_on(client, "blackhead") == ["consult"]


def test_an_edit_waits_for_its_signature(client, clinic):
    sign_everything()
    row = Wording.objects.get(code="spot-milia-answer")
    row.text = "You can leave these alone"
    row.save(update_fields=["text"])
    content.record_revision(row, by=None, now=LOADED)

    assert services_on(client, "milia") == ["milia"]
    assert DRAFT not in read(client, "/spot/milia/").text


def test_without_a_skin_check_nothing_else_takes_its_place(client, clinic):
    Service.objects.filter(slug="consult").update(retired_on=dt.date(2020, 1, 1))

    assert [services_on(client, code) for code in ("sore-lump", "changing-spot")] == [[], []]
    assert "/services/consult/" not in main_of(client, "/spot/")
    assert "tel:+12125550100" in main_of(client, "/spot/")


def test_while_booking_is_paused_no_button_books(client, clinic):
    make_policy(is_online_paused=True, pause_message="We are moving house until Monday.")

    for code in ("milia", "sore-lump"):
        html = main_of(client, f"/spot/{code}/")
        assert "We are moving house until Monday." in html
        assert re.findall(r'class="btn" href="(/[^"]*)"', html) == []


@pytest.mark.parametrize("path", ["/", "/services/", "/services/nose/", "/guidance/know-your-spot/"])
def test_who_is_not_sure_finds_the_step(client, clinic, path):
    assert 'href="/spot/"' in main_of(client, path)


def test_an_unknown_spot_is_not_found(client, clinic):
    assert client.get("/spot/freckle/").status_code == 404


@pytest.mark.parametrize("code", [*CODES, "not-sure", "skin"])
def test_every_drawing_is_told_in_words(code):
    svg = render_to_string(f"svg/spot/{code}.svg")

    told = re.findall(r"<(title|desc)>([^<]+)</", svg)
    assert [name for name, _ in told] == ["title", "desc"]
    assert 'role="img"' in svg
    assert set(re.findall(r"#[0-9A-Fa-f]{3,6}\b", svg)) - REAL_COLOURS == set()


@pytest.mark.parametrize("code", [*CODES, "not-sure"])
def test_every_drawing_shows_three_skin_tones_and_says_how_it_feels(code):
    svg = render_to_string(f"svg/spot/{code}.svg")

    assert [tone in svg for tone in ("#F0D3BF", "#B98560", "#6A4431")] == [True, True, True]
    desc = re.findall(r"<desc>([^<]+)</desc>", svg)[0]
    assert desc.count(". ") + desc.endswith(".") == 2
    assert re.search(r"feel|touch|hurt", desc)


@pytest.mark.parametrize(("path", "queries"), [("/spot/", 7), ("/spot/milia/", 12), ("/spot/sore-lump/", 13)])
def test_the_step_asks_few_queries(client, clinic, django_assert_num_queries, path, queries):
    with django_assert_num_queries(queries):
        client.get(path)
