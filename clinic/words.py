"""How the clinic writes dates, times, money, lengths and phone numbers: "Thursday 10 December, 10:15am", "$45".

Pure functions; pages use them as template filters, e-mails and calendar files call them.
"""

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

NOT_DIALLED = re.compile(r"[^0-9+*#]")
NUMBER_GROUP = re.compile(r"[0-9+]+")
SYMBOLS = {"USD": "$", "GBP": "£", "EUR": "€", "AUD": "$", "CAD": "$", "NZD": "$"}


def day(date: dt.date) -> str:
    """Such as: Thursday 10 December."""
    return f"{date:%A} {date.day} {date:%B}"


def clock(time: dt.datetime | dt.time) -> str:
    """Such as 9am, 9:30am, midday, midnight, by the wall clock it is given."""
    hour, minute = time.hour, time.minute
    if minute == 0 and hour in (0, 12):
        return "midday" if hour else "midnight"
    minutes = f":{minute:02}" if minute else ""
    return f"{hour % 12 or 12}{minutes}{'am' if hour < 12 else 'pm'}"


def when(instant: dt.datetime, zone: dt.tzinfo) -> str:
    """Such as: Thursday 10 December, 10:15am, as the clocks at the clinic show it."""
    local = instant.astimezone(zone)
    return f"{day(local)}, {clock(local)}"


def due(instant: dt.datetime, now: dt.datetime, zone: dt.tzinfo) -> str:
    """Such as: 5pm, 3 hours left; or Friday 4 December, 5pm, 2 days late. A time of today needs no date."""
    local = instant.astimezone(zone)
    time = clock(local) if local.date() == now.astimezone(zone).date() else when(instant, zone)
    return f"{time}, {_length(abs(instant - now))} {'left' if instant > now else 'late'}"


def money(amount: Decimal, currency: str) -> str:
    """Such as $45, $45.50 or $1,200; a currency without a known sign is named: 45 CHF."""
    number = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
    sign = SYMBOLS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency}"


def price(amount: Decimal, currency: str, kind: str) -> str:
    """Such as $45, from $45, or free; ``kind`` is a ``PriceKind``."""
    if kind == "free":
        return "free"
    return f"from {money(amount, currency)}" if kind == "from" else money(amount, currency)


def duration(minutes: int) -> str:
    """Such as 30 minutes, 1 hour, 1 hour 15 minutes."""
    hours, rest = divmod(minutes, 60)
    parts = [_count(hours, "hour")] if hours else []
    if rest or not hours:
        parts.append(_count(rest, "minute"))
    return " ".join(parts)


def spoken_reference(reference: str) -> str:
    """Such as K7M 2QD: two groups are easier to say over the phone."""
    half = len(reference) // 2
    return f"{reference[:half]} {reference[half:]}"


# A letter writes the same few numbers many times, and to read one takes long.
@lru_cache(maxsize=512)
def phone(number: str, country: str) -> str:
    """Such as 212 555 0100 in its own ``country``, +1 212 555 0100 elsewhere; what is no full number stays as it is."""
    found = _phone_number(number, country)
    if found is None:
        return number
    is_local = found.country_code == phonenumbers.country_code_for_region(country)
    style = PhoneNumberFormat.NATIONAL if is_local else PhoneNumberFormat.INTERNATIONAL
    return " ".join(NUMBER_GROUP.findall(phonenumbers.format_number(found, style)))


@lru_cache(maxsize=512)
def dialled(number: str, country: str) -> str:
    """What a telephone is given: +12125550100, or the bare digits of a short number. Words dial nothing: ""."""
    found = _phone_number(number, country)
    return phonenumbers.format_number(found, PhoneNumberFormat.E164) if found else NOT_DIALLED.sub("", number)


def _phone_number(number: str, country: str) -> PhoneNumber | None:
    """None for short numbers such as 911, for words, and for a number with an extension, which must stay in sight."""
    try:
        found = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
        return None
    return found if phonenumbers.is_valid_number(found) and not found.extension else None


def _length(time: dt.timedelta) -> str:
    """In the largest unit that is not too rough: minutes to an hour, hours to two days, then days; rounded down."""
    minutes = int(time.total_seconds()) // 60
    if minutes < 60:
        return _count(max(minutes, 1), "minute")
    return _count(minutes // 60, "hour") if minutes < 48 * 60 else _count(minutes // (24 * 60), "day")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
