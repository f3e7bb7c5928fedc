"""The look that every page shares: colours that can be read, templates that compile, fields in reading order."""

import re
from pathlib import Path

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.conf import settings
from django.template.loader import get_template, render_to_string

from clinic.models import Clinic

TEMPLATES = Path(settings.BASE_DIR) / "templates"
THEME = Path(settings.BASE_DIR) / "clinic/static/clinic/theme.css"
PALETTE = re.compile(r"--([\w-]+): (#[0-9A-F]{6});")
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file())

READ_TOGETHER = [
    *[(text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "surface", "sunken")],
    *[(text, ground) for text in ("warn", "help") for ground in ("paper", "surface")],
    ("accent-strong", "paper"), ("accent-strong", "wash"), ("ink", "wash"), ("accent", "wash"), ("on-accent", "accent"),
    ("ink", "ok-wash"), ("ok", "ok-wash"), ("ink", "warn-wash"), ("warn", "warn-wash"),
    ("ink", "help-wash"), ("help", "help-wash"), ("on-alarm", "alarm"), ("on-accent", "accent-strong"),
]  # fmt: skip
SEEN_TOGETHER = [
    *[(edge, ground) for edge in ("edge", "accent", "help") for ground in ("paper", "surface", "sunken")],
    *[(bar, "surface") for bar in ("held", "pending", "confirmed", "arrived", "in-room", "completed", "missed")],
    ("focus-out", "paper"), ("focus-out", "surface"), ("focus-out", "focus-in"), ("warn-edge", "warn-wash"),
    ("alarm-edge", "paper"),
]  # fmt: skip


def palettes() -> list[dict[str, str]]:
    """Light, dark as the device asks, dark as chosen: the colours of the three blocks, in the order of the file."""
    blocks = re.findall(r":root[^{]*\{([^}]*--paper[^}]*)\}", THEME.read_text())
    return [dict(PALETTE.findall(block)) for block in blocks][:3]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


class Asked(forms.Form):
    email = forms.EmailField(label="Email address", help_text="We write there.")
    better = forms.ChoiceField(
        label="Is it better?", help_text="Look at it.", choices=[("y", "Yes")], widget=forms.RadioSelect
    )
    wishes = forms.CharField(label="Wishes", required=False)
    read = forms.BooleanField(label="I have read it")


def answered() -> forms.Form:
    form = Asked({"email": "x"})
    form.is_valid()
    return form


def test_contrast_is_computed_as_wcag_says():
    assert contrast("#000000", "#FFFFFF") == 21
    assert round(contrast("#777777", "#FFFFFF"), 2) == 4.48


@pytest.mark.parametrize("palette", [0, 1])
def test_text_can_be_read_on_its_ground(palette):
    colours = palettes()[palette]

    faint = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in READ_TOGETHER}

    assert {pair: ratio for pair, ratio in faint.items() if ratio < 7} == {}


@pytest.mark.parametrize("palette", [0, 1])
def test_edges_can_be_seen(palette):
    colours = palettes()[palette]

    faint = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in SEEN_TOGETHER}

    assert {pair: ratio for pair, ratio in faint.items() if ratio < 3} == {}


def test_dark_is_the_same_whether_the_device_or_the_person_asks():
    light, asked_by_device, chosen = palettes()

    assert asked_by_device == chosen
    assert light.keys() == chosen.keys()


def test_every_colour_and_size_that_is_used_has_a_token():
    for sheet in THEME.parent.glob("*.css"):
        used = set(re.findall(r"var\(--([\w-]+)", sheet.read_text()))
        known = set(re.findall(r"--([\w-]+):", THEME.read_text() + sheet.read_text()))
        assert used - known == set(), sheet.name


def test_the_style_sheet_stays_small_and_asks_no_other_address():
    text = THEME.read_text()

    assert len(text.encode()) < 40_000
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("name", NAMES)
def test_templates_compile(name):
    assert get_template(name).template.name == name


def test_no_page_carries_inline_style_or_script():
    found = {
        name: match.group()
        for name in NAMES
        if not name.startswith("email/")
        and (
            match := re.search(r"<[^>{]*\s(style|on\w+)=|<style|<script(?![^>]*\ssrc=)", (TEMPLATES / name).read_text())
        )
    }

    assert found == {}


def test_a_field_reads_label_hint_error_input():
    html = render_crispy_form(answered())

    at = [
        html.index(part)
        for part in ("Email address</label>", "We write there.", "Enter a valid email", '<input type="email"')
    ]

    assert at == sorted(at)
    assert 'aria-describedby="id_email_helptext id_email_error"' in html
    assert html.count('id="id_email_helptext"') == html.count('id="id_email_error"') == 1


def test_choices_read_question_hint_error_answers_as_one_group():
    html = render_crispy_form(answered())
    group = html[html.index('<fieldset id="div_id_better"') :]
    group = group[: group.index("</fieldset>")]

    at = [
        group.index(part)
        for part in ("<legend", "Is it better?", "Look at it.", "This field is required", 'type="radio"')
    ]

    assert at == sorted(at)
    assert 'aria-describedby="id_better_helptext id_better_error"' in group
    assert "checked" not in group


def test_a_tick_box_has_its_error_above_and_its_label_beside_it():
    html = render_crispy_form(answered())
    row = html[html.index('id="div_id_read"') :]

    at = [row.index(part) for part in ("This field is required", 'type="checkbox"', "I have read it</label>")]

    assert at == sorted(at)


def test_fields_are_marked_optional_and_never_with_an_asterisk():
    html = render_crispy_form(answered())

    assert html.count("(optional)") == 1
    assert re.search(r"Wishes\s*<span class=\"optional\">", html)
    assert "*" not in html
    assert "novalidate" in html


def test_the_error_summary_leads_to_each_field():
    summary = render_to_string("partials/error_summary.html", {"form": answered()})

    assert re.findall(r'href="#(\w+)"', summary) == ["id_email", "id_better_0", "id_read"]
    assert all(f'id="{target}"' in render_crispy_form(answered()) for target in ("id_email", "id_better_0", "id_read"))
    assert 'tabindex="-1"' in summary


def test_a_form_without_errors_has_no_summary():
    assert render_to_string("partials/error_summary.html", {"form": Asked()}).strip() == ""


def test_a_page_renders_before_the_clinic_is_set_up():
    html = render_to_string("404.html", {"clinic": None})

    assert "<title>Page not found · Skin clinic</title>" in html
    assert "your local emergency number" in html
    assert "Demo clinic" not in html


def test_every_page_tells_where_to_get_help():
    clinic = Clinic(name="Example", phone="555 0100", emergency_number="911", urgent_line="555 0111")

    html = render_to_string("404.html", {"clinic": clinic})

    assert [f'href="tel:{number}"' in html for number in ("5550100", "911", "5550111")] == [True, True, True]


def test_the_demo_bar_offers_every_role_and_only_in_a_demo():
    roles = ("patient", "manager")

    demo, real = (
        render_to_string("404.html", {"clinic": Clinic(name="Example", is_demo=is_demo), "demo_roles": roles})
        for is_demo in (True, False)
    )

    assert re.findall(r'name="role" value="(\w+)"', demo) == ["patient", "manager"]
    assert 'name="role"' not in real


def test_booking_steps_drop_the_navigation_and_keep_the_help():
    html = render_to_string("404.html", {"hide_nav": True})

    assert "<nav" not in html
    assert "When to get medical help" in html


def test_a_draft_says_so_once():
    html = render_to_string("404.html", {"is_draft": True})

    assert html.count("A clinician has not approved this page yet.") == 1
    assert html.index("A clinician has not") < html.index("<h1>")


def test_the_page_for_our_own_failures_needs_nothing():
    html = get_template("500.html").render()

    assert "<h1>Something went wrong on our side</h1>" in html
