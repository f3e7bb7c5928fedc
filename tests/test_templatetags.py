"""Filters and tags of the templates."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template, TemplateDoesNotExist

from bookings.models import Booking
from clinic.models import Clinic, Service

NEW_YORK = ZoneInfo("America/New_York")
EARLY_IN_UTC = dt.datetime(2026, 12, 11, 2, 15, tzinfo=dt.UTC)


def rendered(source: str, **values: object) -> str:
    return Template(source).render(Context(values))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ at|when:zone }}", "Thursday 10 December, 9:15pm"),
        ("{{ at|day:zone }}", "Thursday 10 December"),
        ("{{ at|clock:zone }}", "9:15pm"),
        ("{{ date|day }}", "Friday 11 December"),
        ("{{ time|clock }}", "9:30am"),
    ],
)
def test_instants_are_written_by_the_clocks_of_the_clinic(source, expected):
    written = rendered(source, at=EARLY_IN_UTC, zone=NEW_YORK, date=dt.date(2026, 12, 11), time=dt.time(9, 30))

    assert written == expected


def test_lengths_and_references_are_written_as_people_say_them():
    assert rendered("{{ 75|duration }}, {{ 'K7M2QD'|ref }}") == "1 hour 15 minutes, K7M 2QD"


def test_a_service_costs_in_the_currency_of_the_clinic():
    service = Service(price=Decimal("45.00"), price_kind="from")

    assert rendered("{{ service|price:'GBP' }}", service=service) == "from £45"


def test_a_booking_costs_what_was_agreed_in_its_own_currency():
    booking = Booking(price=Decimal("45.50"), price_kind="fixed", currency="EUR")

    assert rendered("{{ booking|price }}, {{ fee|money:'USD' }}", booking=booking, fee=Decimal(20)) == "€45.50, $20"


def test_advice_shows_its_bold_and_nothing_else_as_markup():
    text = "**Call <b>911</b> now** & wait. 2 * 3 ** 4"

    assert rendered("{{ text|rich }}", text=text) == (
        "<strong>Call &lt;b&gt;911&lt;/b&gt; now</strong> &amp; wait. 2 * 3 ** 4"
    )


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("(555) 010-0100", '<a class="phone" href="tel:5550100100">(555) 010-0100</a>'),
        ("+44 20 7946 0000", '<a class="phone" href="tel:+442079460000">+44 20 7946 0000</a>'),
        ("your <own> doctor", "your &lt;own&gt; doctor"),
        ("", ""),
    ],
)
def test_a_number_dials_and_words_stay_words(number, expected):
    assert rendered("{% phone_link number %}", number=number) == expected


@pytest.mark.parametrize(
    ("number", "country", "shown", "dialled"),
    [
        ("+12125550100", "US", "212 555 0100", "+12125550100"),
        ("(212) 555-0100", "US", "212 555 0100", "+12125550100"),
        ("+12125550100", "GB", "+1 212 555 0100", "+12125550100"),
        ("02079460000", "GB", "020 7946 0000", "+442079460000"),
        ("911", "US", "911", "911"),
        ("112", "DE", "112", "112"),
        ("212 555 0100 ext. 7", "US", "212 555 0100 ext. 7", "21255501007"),
    ],
)
def test_a_number_is_written_as_its_country_does_and_dialled_in_full(number, country, shown, dialled):
    html = rendered("{% phone_link number %}", number=number, clinic=Clinic(country=country))

    assert html == f'<a class="phone" href="tel:{dialled}">{shown}</a>'
    assert rendered("{{ number|phone:country }}", number=number, country=country) == shown


def test_a_call_button_says_what_it_does():
    assert rendered("{% phone_link '911' 'Call' 'btn' %}") == '<a class="btn" href="tel:911">Call 911</a>'


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([0, 1, 2, 3, 4], "Monday to Friday, 9am to 6pm"),
        ([5, 0, 2, 1], "Monday to Wednesday, Saturday, 9am to 6pm"),
        ([], ""),
    ],
)
def test_phone_hours_name_days_in_a_row_by_first_and_last(days, expected):
    clinic = Clinic(phone_days=days)

    assert rendered("{{ clinic|phone_hours }}", clinic=clinic) == expected


def test_a_spot_is_described_in_words_for_those_who_cannot_see_it():
    drawing = rendered("{% picture 'blackhead' %}")

    assert 'role="img"' in drawing
    assert "<title>A few dark dots on three skin tones" in drawing
    assert "It does not hurt.</desc>" in drawing


def test_icons_and_small_drawings_are_for_the_eye_only():
    for source in ("{% icon 'check' %}", "{% picture 'calendar' %}"):
        assert 'aria-hidden="true"' in rendered(source)


def test_a_picture_we_do_not_have_is_named_as_missing():
    with pytest.raises(TemplateDoesNotExist, match="toad"):
        rendered("{% picture 'toad' %}")
