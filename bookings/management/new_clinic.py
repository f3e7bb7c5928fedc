"""A real clinic's first rows, from what its manager answered."""

import dataclasses
import datetime as dt
from collections.abc import Callable

import phonenumbers
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction
from django.utils.text import slugify

from bookings.management.roles import make_groups
from clinic import content, public_holidays
from clinic.models import Clinic, Location
from clinic.models.places import is_time_zone

PAUSED = "Online booking is not open yet. Call us."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answers:
    """As typed; ``address`` has a semicolon between its lines."""

    name: str
    email: str
    country: str
    phone: str
    emergency_number: str
    urgent_line: str
    currency: str
    time_zone: str
    address: str
    manager_username: str
    manager_email: str


def problem_with(field: str, typed: str, *, country: str = "") -> str:
    """What is wrong with this answer, or "". A phone number is read as one of ``country``."""
    try:
        _check(field, typed, country)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def problem_with_password(password: str, *, username: str, email: str) -> str:
    try:
        validate_password(password, User(username=username, email=email))
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def make(answers: Answers, *, password: str, now: dt.datetime) -> Clinic:
    """Content, policy, first location, groups and the first manager; online booking stays paused. All or nothing."""
    with transaction.atomic():
        content.load(now=now)
        content.load_services(now=now)
        clinic = _make_policy(answers)
        public_holidays.keep(_make_location(answers), now)
        manager = User.objects.create_user(answers.manager_username, answers.manager_email, password, is_staff=True)
        manager.groups.add(make_groups()["manager"])
    return clinic


def _make_policy(answers: Answers) -> Clinic:
    return Clinic.objects.create(
        pk=1,
        name=answers.name,
        email=answers.email,
        country=answers.country.upper(),
        phone=_e164(answers.phone, answers.country),
        emergency_number=answers.emergency_number,
        urgent_line=answers.urgent_line,
        currency=answers.currency.upper(),
        is_online_paused=True,
        pause_message=PAUSED,
    )


def _make_location(answers: Answers) -> Location:
    lines = [line.strip() for line in answers.address.split(";") if line.strip()]
    return Location.objects.create(
        name=answers.name,
        slug=slugify(answers.name)[:50] or "main",
        time_zone=answers.time_zone,
        address="\n".join(lines),
        is_closed_on_holidays=True,
    )


def _check(field: str, typed: str, country: str) -> None:
    if field == "phone":
        _e164(typed, country)
    for rule in RULES.get(field, ()):
        rule(typed)


def _is_given(typed: str) -> None:
    if not typed.strip(" ;"):
        raise ValidationError("Patients need it, so it cannot be empty.")


def _check_country(typed: str) -> None:
    if typed.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError("Use two letters, such as US, GB or AU.")


def _check_currency(typed: str) -> None:
    if len(typed) != len("USD") or not typed.isalpha():
        raise ValidationError("Use three letters, such as USD, GBP or EUR.")


def _e164(typed: str, country: str) -> str:
    try:
        number = phonenumbers.parse(typed, country.upper())
    except phonenumbers.NumberParseException as error:
        raise ValidationError("That is not a phone number.") from error
    if not phonenumbers.is_valid_number(number):
        raise ValidationError(f"That is not a phone number in use in {country.upper()}.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


RULES: dict[str, tuple[Callable[[str], object], ...]] = {
    "name": (_is_given, MaxLengthValidator(120)),
    "email": (validate_email,),
    "country": (_check_country,),
    "emergency_number": (_is_given, MaxLengthValidator(20)),
    "urgent_line": (MaxLengthValidator(60),),
    "currency": (_check_currency,),
    "time_zone": (is_time_zone,),
    "address": (_is_given,),
    "manager_username": (UnicodeUsernameValidator(), MaxLengthValidator(150)),
    "manager_email": (validate_email,),
}
