"""How pages write dates, money and advice, and place our pictures; a builtin of every template."""

import datetime as dt
import re
from decimal import Decimal
from typing import Protocol

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

from clinic import words
from clinic.models import Clinic
from clinic.models.places import WEEKDAYS

register = template.Library()

BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


class Priced(Protocol):
    """A service, or a booking that keeps the price it was made at."""

    price: Decimal
    price_kind: str


class Advised(Protocol):
    """A piece of advice; its text may carry **bold**."""

    @property
    def text(self) -> str: ...


@register.filter
def day(value: dt.date, zone: dt.tzinfo | None = None) -> str:
    """Thursday 10 December; an instant needs the zone whose wall calendar counts."""
    if isinstance(value, dt.datetime):
        return words.day(value.astimezone(zone) if zone else value)
    return words.day(value)


@register.filter
def clock(value: dt.datetime | dt.time, zone: dt.tzinfo | None = None) -> str:
    """9:30am; an instant needs the zone whose wall clock counts."""
    if isinstance(value, dt.datetime) and zone:
        return words.clock(value.astimezone(zone))
    return words.clock(value)


@register.filter
def when(value: dt.datetime, zone: dt.tzinfo) -> str:
    """Thursday 10 December, 10:15am, by the wall clock of the zone."""
    return words.when(value, zone)


@register.simple_tag
def due(instant: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """5pm, 3 hours left."""
    return words.due(instant, now, zone)


@register.filter
def duration(minutes: int) -> str:
    return words.duration(minutes)


@register.filter
def ref(reference: str) -> str:
    return words.spoken_reference(reference)


@register.filter
def price(priced: Priced, currency: str = "") -> str:
    """$45, from $45 or free. A booking brings the currency it was made in; a service is given the clinic's."""
    return words.price(priced.price, currency or str(getattr(priced, "currency", "")), priced.price_kind)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    return words.money(amount, currency)


@register.filter
def phone_hours(clinic: Clinic) -> str:
    """Monday to Friday, 9am to 6pm; days in a row are named by their first and last."""
    runs: list[list[int]] = []
    for number in sorted(clinic.phone_days):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    days = ", ".join(WEEKDAYS[run[0]] + (f" to {WEEKDAYS[run[-1]]}" if len(run) > 1 else "") for run in runs)
    return f"{days}, {words.clock(clinic.phone_opens_at)} to {words.clock(clinic.phone_closes_at)}" if days else ""


@register.filter
def rich(advice: Advised | str) -> SafeString:
    """The text as HTML: escaped, with **bold** as <strong>."""
    text = advice if isinstance(advice, str) else advice.text
    # Safe: escaped first, and the only tag that is added takes no attribute.
    return mark_safe(BOLD.sub(r"<strong>\1</strong>", conditional_escape(text)))


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of our line icons, for the eye only: the words beside it say the same."""
    return render_to_string(f"svg/icon/{name}.svg")


@register.simple_tag
def picture(name: str) -> SafeString:
    """One of our drawings: spots are described in words, those about preparing are for the eye only."""
    return render_to_string([f"svg/spot/{name}.svg", f"svg/prep/{name}.svg"])


@register.filter
def phone(number: str, country: str) -> str:
    """212 555 0100, as people of the country write it."""
    return words.phone(number, country)


@register.simple_tag(takes_context=True)
def phone_link(context: Context, number: str, before: str = "", css_class: str = "phone") -> SafeString:
    """A link that dials, such as: Call 911. Plain text when the "number" is words, such as: your doctor."""
    country = str(getattr(context.get("clinic"), "country", ""))
    text = f"{before} {words.phone(number, country)}".strip()
    to_dial = words.dialled(number, country)
    return format_html('<a class="{}" href="tel:{}">{}</a>', css_class, to_dial, text) if to_dial else escape(text)
