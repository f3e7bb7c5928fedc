"""The pages anyone may read: whole, honest about what is a draft, and safe before they sell."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import guidance
from clinic.models import Clinic, Item, Moment, Part, Service, Topic
from tests.factories import make_location, make_policy, make_practitioner, make_service, make_staff
from tests.public import DRAFT, Outline, make_public_clinic, read, sign_everything

SLUGS = ["consult", "nose", "face", "facial", "milia", "body", "stubborn", "teen", "review"]
TOPICS = [
    "why-not-squeeze",
    "causes",
    "know-your-spot",
    "what-can-go-wrong",
    "five-tips",
    "is-it-right-for-me",
    "prepare-72h",
    "day-of-visit",
    "what-happens",
    "aftercare-24h",
    "aftercare-week",
    "red-flags",
]
SPOTS = ["filament", "blackhead", "milia", "sore-lump", "changing-spot"]
PATHS = [
    "/",
    "/services/",
    *[f"/services/{slug}/" for slug in SLUGS],
    "/guidance/",
    *[f"/guidance/{code}/" for code in TOPICS],
    "/spot/",
    *[f"/spot/{code}/" for code in SPOTS],
    "/squeezed/",
    "/privacy/",
]
FORBIDDEN = ("never ignore", "toxins", "shocking", "detox", "dirty skin", "poor hygiene")


@pytest.fixture
def clinic(db) -> Clinic:
    return make_public_clinic()


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_whole_and_marked_as_a_draft_once(client, clinic, path):
    page = read(client, path)

    assert page.h1 == 1
    assert page.text.count(DRAFT) == 1
    assert "tel:911" in page.links
    assert "tel:+12125550111" in page.links
    assert not [phrase for phrase in FORBIDDEN if phrase in page.text.lower()]
    assert "{{" not in page.text
    assert "**" not in page.text


@pytest.mark.parametrize("path", PATHS)
def test_the_danger_triangle_is_never_named_without_the_word_rare(client, clinic, path):
    text = read(client, path).text.lower()

    assert [at for at in re.split("danger triangle", text)[1:] if "rare" not in at[:160]] == []


@pytest.mark.parametrize("path", ["/", "/guidance/five-tips/", "/privacy/", "/book/nose/", "/visit/", "/nowhere/"])
def test_every_footer_says_once_that_this_is_general_information(client, clinic, path):
    text = Outline(client.get(path).content.decode()).text

    assert text.count("This is general information, not medical advice.") == 1
    assert text.count(DRAFT) == 1


def test_no_page_is_a_draft_once_a_clinician_signed_everything(client, clinic):
    sign_everything()

    assert [path for path in PATHS if DRAFT in read(client, path).text] == []


@pytest.mark.parametrize("path", ["/", "/services/", "/services/nose/"])
def test_help_stands_before_booking(client, clinic, path):
    links = read(client, path).links
    main = links[links.index("#main") :]

    booking = [link for link in main if link.startswith("/book/") or (link == "/services/" and path == "/")]
    ways = booking or ["/services/nose/"]
    # The first link to the services stands in the header of every page.
    first = main.index(ways[0], main.index("/guidance/"))
    assert main.index("/squeezed/") < first


@pytest.mark.parametrize("slug", SLUGS)
def test_a_service_shows_exactly_its_booking_advice(client, clinic, slug):
    page = read(client, f"/services/{slug}/")

    meant = guidance.items_for(Service.objects.get(slug=slug), Moment.BOOKING, clinic)
    assert len(page.items) == len(set(page.items))
    assert set(page.items) == {item.code for item in meant}


def test_advice_of_a_topic_the_clinic_added_is_shown_on_services(client, clinic):
    topic = Topic.objects.create(code="our-own", title="Our own advice", position=99)
    Item.objects.create(
        code="OWN-1", topic=topic, text="Bring a friend.", priority=1, moments=["booking"], services=["nose"]
    )

    page = read(client, "/services/nose/")

    assert "OWN-1" in page.items
    assert "Our own advice" in page.text


@pytest.mark.parametrize("code", TOPICS)
def test_a_topic_shows_all_its_items_once(client, clinic, code):
    page = read(client, f"/guidance/{code}/")

    assert sorted(page.items) == sorted(Item.objects.filter(topic__code=code).values_list("code", flat=True))


@pytest.mark.parametrize("code", ["WHY-5", "RISK-6"])
def test_the_nose_to_mouth_warning_says_how_rare_it_is(client, clinic, code):
    item = Item.objects.get(code=code)
    html = client.get(f"/guidance/{item.topic.code}/").content.decode()

    shown = re.search(rf'data-item="{code}".*?</li>', html, re.DOTALL)
    assert shown is not None
    assert "rare" in shown.group(0)


def test_what_not_to_do_stands_under_its_own_heading(client, clinic):
    html = client.get("/guidance/prepare-72h/").content.decode()

    do, do_not = html.split('id="do-not"')
    assert re.findall(r'data-item="(PREP-\d)"', do) == ["PREP-5", "PREP-6", "PREP-7", "PREP-8"]
    assert re.findall(r'data-item="(PREP-\d)"', do_not) == ["PREP-1", "PREP-2", "PREP-3", "PREP-4"]


def test_warning_signs_stand_by_how_fast_to_act(client, clinic):
    html = client.get("/guidance/red-flags/").content.decode()
    main = html[html.index("<main") : html.index("</main>")]

    emergency, rest = main.split('class="care-card urgent"')
    assert re.findall(r'data-item="(FLAG-\d)"', emergency) == ["FLAG-1", "FLAG-4"]
    assert re.findall(r'data-item="(FLAG-\d)"', rest)[:2] == ["FLAG-2", "FLAG-3"]


def test_sources_say_where_and_when_they_were_checked(client, clinic):
    html = client.get("/guidance/why-not-squeeze/").content.decode()

    assert "https://www.nhsinform.scot/illnesses-and-conditions/skin-hair-and-nails/acne" in html
    assert "Not yet opened and checked by this clinic." in html


def test_a_signed_topic_says_who_reviewed_it_and_when_next(client, clinic):
    assert "Reviewed by" not in read(client, "/guidance/five-tips/").text
    sign_everything()

    text = read(client, "/guidance/five-tips/").text

    assert text.count("Reviewed by Dr Ines Okafor on Monday 23 November 2026, next on Tuesday 23 November 2027.") == 1


def test_squeezed_asks_for_warning_signs_first_and_never_blames(client, clinic):
    html = client.get("/squeezed/").content.decode()
    text = read(client, "/squeezed/").text

    assert html.index('data-part="') < html.index('data-item="WHY-6"') < html.index("/services/consult/")
    assert html.count('data-part="') == Part.objects.filter(question__code="Q1").count()
    assert "No fee, no telling-off." in text


def test_a_clinic_without_a_skin_check_offers_what_it_has(client, clinic):
    Service.objects.filter(slug="consult").update(retired_on=dt.date(2020, 1, 1))

    assert "/services/consult/" not in read(client, "/squeezed/").links
    assert "/services/consult/" not in read(client, "/guidance/know-your-spot/").links


def test_a_service_says_who_length_price_and_ages(client, clinic):
    nose, teen = read(client, "/services/nose/"), read(client, "/services/teen/")

    assert "30 minutes" in nose.text
    assert "From $45" in nose.text
    assert "Maya Ruiz" in nose.text
    assert "With an aesthetician, a nurse, or a dermatologist or doctor" in nose.text
    assert "For people aged 13 to 17" in teen.text


def test_a_visit_for_minors_is_booked_by_phone(client, clinic):
    page = read(client, "/services/teen/")

    assert "This visit is booked by phone." in page.text
    assert reverse("booking:skin", args=["teen"]) not in page.links


def test_a_booking_begins_with_what_is_safe(client, clinic):
    assert reverse("booking:skin", args=["nose"]) in read(client, "/services/nose/").links


def test_a_retired_service_and_unknown_names_are_not_found(client, clinic):
    Service.objects.filter(slug="face").update(retired_on=timezone.now().date() - dt.timedelta(days=2))

    assert client.get("/services/face/").status_code == 404
    assert client.get("/services/unknown/").status_code == 404
    assert client.get("/guidance/unknown/").status_code == 404
    assert "/services/face/" not in read(client, "/services/").links


def test_a_retired_practitioner_is_not_named(client, clinic):
    make_practitioner("Tomas Berg", retired_on=dt.date(2020, 1, 1))

    assert "Tomas Berg" not in read(client, "/services/nose/").text


@pytest.mark.parametrize("path", ["/", "/services/", "/services/nose/"])
def test_while_booking_is_paused_the_phone_stands_in_its_place(client, clinic, path):
    make_policy(is_online_paused=True, pause_message="We are moving house until Monday.")

    page = read(client, path)

    assert "We are moving house until Monday." in page.text
    assert [link for link in page.links if link.startswith("/book/")] == []
    assert "Book a visit" not in page.text


@pytest.mark.parametrize(
    "path", ["/", "/services/", "/services/nose/", "/guidance/", "/spot/", "/squeezed/", "/privacy/"]
)
def test_without_a_clinic_every_page_says_that_we_are_setting_up(client, db, path):
    assert "We are setting up" in read(client, path).text


@pytest.mark.parametrize("path", ["/", "/services/", "/guidance/", "/spot/", "/squeezed/"])
def test_without_content_the_page_gives_the_phone_number(client, db, path):
    make_policy()
    make_location()
    make_service()

    page = read(client, path)

    assert "We are setting up" in page.text
    assert "tel:+12125550100" in page.links


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 8),
        ("/services/", 7),
        ("/services/nose/", 12),
        ("/guidance/", 8),
        ("/guidance/prepare-72h/", 9),
        ("/squeezed/", 12),
        ("/privacy/", 4),
    ],
)
@pytest.mark.parametrize("more", [0, 6])
def test_pages_ask_the_same_few_queries_however_much_there_is(
    client, clinic, django_assert_num_queries, path, queries, more
):
    topic = Topic.objects.get(code="prepare-72h")
    for number in range(more):
        make_service(slug=f"extra-{number}")
        make_practitioner()
        Item.objects.create(
            code=f"MORE-{number}", topic=topic, text="Rest.", priority=1, moments=["booking"], services=["ALL"]
        )

    with django_assert_num_queries(queries):
        client.get(path)


def test_pages_name_their_one_address(client, clinic, settings):
    settings.SITE_URL = "https://clinic.example.org"

    html = client.get("/services/nose/?utm=1").content.decode()

    assert '<link rel="canonical" href="https://clinic.example.org/services/nose/">' in html


def test_light_or_dark_is_kept_in_a_cookie_and_can_be_forgotten(client, clinic):
    kept = client.post("/display/", {"theme": "dark", "next": "/services/?a=1"})

    assert (kept.status_code, kept["Location"]) == (302, "/services/?a=1")
    assert kept.cookies["theme"].value == "dark"
    assert 'data-theme="dark"' in client.get("/").content.decode()

    client.post("/display/", {"theme": "auto", "next": "/"})
    assert "data-theme" not in client.get("/").content.decode().split("<body", 1)[0]


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "", "services/"]
)
def test_the_way_back_never_leaves_the_clinic(client, clinic, next_page):
    assert client.post("/display/", {"theme": "light", "next": next_page})["Location"] == "/"


def test_display_is_changed_by_post_only(client, clinic):
    assert client.get("/display/?theme=dark").status_code == 405


def test_the_process_answers_without_a_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok")


def test_staff_sign_in_and_reach_the_day(client, clinic):
    make_staff("reception")

    answer = client.post("/accounts/login/", {"username": "reception", "password": "correct horse"})

    assert (answer.status_code, answer["Location"]) == (302, reverse("desk:day"))


def test_a_wrong_password_is_refused_and_keeps_the_name(client, clinic):
    make_staff("reception")

    answer = client.post("/accounts/login/", {"username": "reception", "password": "wrong"})

    page = answer.content.decode()
    assert "do not match" in page
    assert 'value="reception"' in page
    assert "_auth_user_id" not in client.session


def test_a_form_without_its_token_is_answered_kindly(clinic):
    answer = Client(enforce_csrf_checks=True).post("/display/", {"theme": "dark"})

    assert answer.status_code == 403
    assert "open too long" in answer.content.decode()
