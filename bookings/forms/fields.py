"""Fields that every form for patients may need: phone numbers, dates in boxes, text without hidden signs."""

import contextlib
import datetime as dt
import difflib
import re
import unicodedata
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
MAIL_DOMAINS = (
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "live.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "comcast.net",
)
FOR_ME, FOR_SOMEONE = "me", "someone"
GUARDIAN, PATIENT = "guardian", "patient"
DAY_NUMBER = re.compile(r"[0-9]{1,2}")
FULL_YEAR = re.compile(r"[0-9]{4}")
EARLIEST_YEAR = 1900
# Marks that turn the direction of the text after them: they can make a name read as another one.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def refuse_hidden_characters(text: str) -> None:
    """Refuse control characters and direction overrides; line breaks and right-to-left letters are fine."""
    if any(sign in DIRECTION_MARKS or (unicodedata.category(sign) == "Cc" and sign not in "\r\n\t") for sign in text):
        raise ValidationError("Remove the hidden characters and type this again", code="hidden")


def one_line(text: str) -> str:
    return " ".join(text.split())


def suggested_email(email: str) -> str:
    """A likelier spelling of the address, or "" when there is none to suggest."""
    name, _, domain = email.rpartition("@")
    if not name or domain.lower() in MAIL_DOMAINS:
        return ""
    close = difflib.get_close_matches(domain.lower(), MAIL_DOMAINS, n=1, cutoff=0.82)
    return f"{name}@{close[0]}" if close else ""


class PhoneField(forms.CharField):
    """Any way of writing a phone number; cleaned to E.164. ``country`` says which numbers are local."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})
    country = "US"

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        if not text:
            return text
        try:
            number = phonenumbers.parse(text, self.country)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_valid_number(number):
            raise ValidationError("Enter a phone number with its area code, like 212 555 0123", code="phone")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class DateBoxes(forms.Widget):
    """Three boxes: day, month, year. One ISO value under the field's own name is read too."""

    template_name = "booking/date_boxes.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> Any:
        whole = data.get(name)
        if whole:
            return whole
        return tuple(str(data.get(f"{name}_{part}", "")).strip() for part in ("day", "month", "year"))

    def value_omitted_from_data(self, data: Any, files: MultiValueDict[str, Any], name: str) -> bool:
        return not any(key == name or key.startswith(f"{name}_") for key in data)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["boxes"] = zip(("day", "month", "year"), ("Day", "Month", "Year"), boxes_of(value), strict=True)
        context["is_birthday"] = name == "date_of_birth"
        context["is_invalid"] = context["widget"]["attrs"].get("aria-invalid") == "true"
        return context

    def id_for_label(self, id_: str) -> str:
        return ""


def boxes_of(value: Any) -> tuple[str, str, str]:
    """Day, month and year as they stand in the boxes."""
    if isinstance(value, dt.date):
        return str(value.day), str(value.month), str(value.year)
    if isinstance(value, (tuple, list)):
        day, month, year = value
        return day, month, year
    year, _, rest = str(value or "").partition("-")
    month, _, day = rest.partition("-")
    return day, month, year


def month_number(text: str) -> int | None:
    """3, 03, "March" and "mar" are all March."""
    if DAY_NUMBER.fullmatch(text):
        return int(text)
    is_name = re.fullmatch(r"[a-z]{3,9}", text.lower())
    named = [number for number, name in enumerate(MONTHS, 1) if is_name and name.startswith(text.lower())]
    return named[0] if named else None


class DayField(forms.Field):
    """A date from three boxes or one ISO date. ``names`` it in messages, ``latest`` is the last day allowed."""

    widget = DateBoxes
    names = "The date"
    example = "5 12 2026"
    earliest = dt.date(EARLIEST_YEAR, 1, 1)
    latest: dt.date | None = None
    # Whether it is needed depends on another answer, so that it is not called optional.
    depends = False

    def to_python(self, value: Any) -> dt.date | None:
        day, month, year = boxes_of(value)
        if not (day or month or year):
            return None
        for part, text in (("day", day), ("month", month), ("year", year)):
            if not text:
                raise ValidationError(f"{self.names} must include a {part}", code="incomplete")
        found = self._date(day, month_number(month), year)
        if self.latest is not None and found > self.latest:
            raise ValidationError(f"{self.names} must not be later than today", code="late")
        return found

    def _date(self, day: str, month: int | None, year: str) -> dt.date:
        if month and FULL_YEAR.fullmatch(year) and DAY_NUMBER.fullmatch(day):
            with contextlib.suppress(ValueError):
                found = dt.date(int(year), month, int(day))
                if found >= self.earliest:
                    return found
        named = self.names.removeprefix("The ")
        raise ValidationError(f"Enter a real {named[0].lower()}{named[1:]}, like {self.example}", code="date")


class BirthDateField(DayField):
    """A date of birth; whether it lies in the past is for the form, which knows today."""

    names = "Date of birth"
    example = "17 3 1990"


class DependentCharField(forms.CharField):
    """Needed only because of another answer, so it is never called optional."""

    depends = True


class DependentEmailField(forms.EmailField):
    depends = True


class DependentPhoneField(PhoneField):
    depends = True


class PresetChoiceField(forms.ChoiceField):
    """A choice with a usual answer, which also stands when nothing was sent."""

    def clean(self, value: Any) -> Any:
        return super().clean(value or self.initial)


class ForWhomField(PresetChoiceField):
    """Whose visit it is."""

    widget = forms.RadioSelect

    def __init__(self, *, help_text: str = "") -> None:
        super().__init__(
            label="Who is the visit for?",
            help_text=help_text,
            choices=[(FOR_ME, "Me"), ("child", "My child"), (FOR_SOMEONE, "Someone I care for")],
            initial=FOR_ME,
            error_messages={"invalid_choice": "Select who the visit is for"},
        )


class ReaderField(PresetChoiceField):
    """Who gets the mail about a minor's visit."""

    widget = forms.RadioSelect

    def __init__(self, *, usual: str) -> None:
        super().__init__(
            label="Who gets the emails about this visit?",
            choices=[(GUARDIAN, "The parent or guardian"), (PATIENT, "The patient")],
            initial=usual,
            error_messages={"invalid_choice": "Select who gets the emails"},
        )
