"""Parse and validate what people type. Forms parse; the verbs decide."""

import contextlib
import datetime as dt
import difflib
import re
import unicodedata
from typing import Any

import phonenumbers
from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.datastructures import MultiValueDict

ANSWERS = [("yes", "Yes"), ("no", "No"), ("unsure", "Not sure")]
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
DAY_NUMBER = re.compile(r"[0-9]{1,2}")
FULL_YEAR = re.compile(r"[0-9]{4}")
EARLIEST_YEAR = 1900
# Marks that turn the direction of the text after them: they can make a name read as another one.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
GUIDANCE_WORDS = "I have read the advice on not squeezing"
PRIVACY_WORDS = "You may keep these details to look after my visit"


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


class BirthDateField(forms.Field):
    """A date of birth from three boxes or one ISO date."""

    widget = DateBoxes

    def to_python(self, value: Any) -> dt.date | None:
        day, month, year = boxes_of(value)
        if not (day or month or year):
            return None
        for part, text in (("day", day), ("month", month), ("year", year)):
            if not text:
                raise ValidationError(f"Date of birth must include a {part}", code="incomplete")
        return self._date(day, month_number(month), year)

    def _date(self, day: str, month: int | None, year: str) -> dt.date:
        if month and FULL_YEAR.fullmatch(year) and DAY_NUMBER.fullmatch(day):
            with contextlib.suppress(ValueError):
                born = dt.date(int(year), month, int(day))
                if born.year >= EARLIEST_YEAR:
                    return born
        raise ValidationError("Enter a real date of birth, like 17 3 1990", code="date")


class PresetChoiceField(forms.ChoiceField):
    """A choice with a usual answer, which also stands when nothing was sent."""

    def clean(self, value: Any) -> Any:
        return super().clean(value or self.initial)


class PatientForm(forms.Form):
    """What every form for patients shares."""

    form_id = ""
    button = "Continue"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages.setdefault("max_length", "Use %(limit_value)d characters or fewer")
            if refuse_hidden_characters in field.validators:
                # It asks the same in other words.
                field.validators = [v for v in field.validators if not isinstance(v, ProhibitNullCharactersValidator)]
        self.helper = FormHelper(self)
        self.helper.form_id = self.form_id
        self.helper.attrs = {"novalidate": ""}
        self.helper.layout = self.layout()

    def layout(self) -> Layout:
        return Layout(*self.fields, Submit("", self.button, css_class="btn"))


class SkinForm(PatientForm):
    """Q1, alone: an answer that needs help stops everything else."""

    q1 = forms.ChoiceField(
        label="Do you have any of these right now?",
        choices=ANSWERS,
        widget=forms.RadioSelect,
        error_messages={"required": "Select yes, no or not sure", "invalid_choice": "Select yes, no or not sure"},
    )


class DetailsForm(PatientForm):
    """Who comes, how to reach them, and what they have read. The hidden fields name the time that is held."""

    form_id = "details-form"

    hold = forms.CharField(required=False, max_length=8, widget=forms.HiddenInput)
    service = forms.SlugField(required=False, widget=forms.HiddenInput)
    start = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    practitioner = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    location = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    q1 = forms.ChoiceField(
        label="Do you have any of these right now?",
        choices=ANSWERS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select yes, no or not sure for the signs above",
            "invalid_choice": "Select yes, no or not sure for the signs above",
        },
    )
    for_whom = PresetChoiceField(
        label="Who is the visit for?",
        choices=[("me", "Me"), ("someone", "Someone I care for")],
        widget=forms.RadioSelect,
        initial="me",
        error_messages={"invalid_choice": "Select who the visit is for"},
    )
    name = forms.CharField(
        label="Full name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Enter the full name of the person who comes"},
    )
    email = forms.EmailField(
        label="Email",
        max_length=254,
        help_text="We send your visit details here",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={
            "required": "Enter an email address, like name@example.com",
            "invalid": "Enter an email address, like name@example.com",
        },
    )
    phone = PhoneField(
        label="Phone",
        max_length=40,
        help_text="Only if we need to change your visit",
        error_messages={"required": "Enter a phone number"},
    )
    date_of_birth = BirthDateField(
        label="Date of birth",
        help_text="For example, 17 3 1990",
        error_messages={"required": "Enter the date of birth"},
    )
    wishes = forms.CharField(
        label="What would make your visit easier?",
        required=False,
        max_length=1000,
        help_text="Such as a language, a quiet room, or help with steps",
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[refuse_hidden_characters],
    )
    guidance_read = forms.BooleanField(
        label=GUIDANCE_WORDS,
        help_text="If you do squeeze, tell us. No fee, no telling-off.",
        error_messages={"required": "Tick the box when you have read the advice on not squeezing"},
    )
    consent = forms.BooleanField(
        label=PRIVACY_WORDS,
        error_messages={"required": "Tick the box so that we may keep these details for your visit"},
    )

    def __init__(self, *args: Any, country: str, today: dt.date, asks_q1: bool, **kwargs: Any) -> None:
        self.today = today
        super().__init__(*args, **kwargs)
        phone = self.fields["phone"]
        assert isinstance(phone, PhoneField)
        phone.country = country
        if not asks_q1:
            del self.fields["q1"]
        self.helper.layout = self.layout()

    def layout(self) -> Layout:
        hidden = [name for name, field in self.fields.items() if isinstance(field.widget, forms.HiddenInput)]
        health = [Div(HTML("{% include 'booking/q1.html' %}"), "q1")] if "q1" in self.fields else []
        you = ["for_whom", "name", Field("email"), "phone", "date_of_birth", "wishes"]
        return Layout(
            *hidden,
            *health,
            Fieldset("Your details", *you, css_class="part") if health else Div(*you, css_class="part"),
            HTML("{% include 'booking/advice.html' %}"),
            "guidance_read",
            "consent",
            HTML("{% include 'booking/privacy_link.html' %}"),
            HTML('<button type="submit" name="next" value="check" class="btn">Continue</button>'),
        )

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"])
        if not any(sign.isalpha() for sign in name):
            raise ValidationError("Enter the full name of the person who comes")
        return name

    def clean_date_of_birth(self) -> dt.date:
        born: dt.date = self.cleaned_data["date_of_birth"]
        if born > self.today:
            raise ValidationError("Date of birth must be in the past")
        return born


class CallMeForm(PatientForm):
    """Whom to call back."""

    button = "Ask us to call"

    name = forms.CharField(
        label="Full name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Enter your name"},
    )
    phone = PhoneField(label="Phone", max_length=40, error_messages={"required": "Enter a phone number"})

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        phone = self.fields["phone"]
        assert isinstance(phone, PhoneField)
        phone.country = country

    def clean_name(self) -> str:
        return one_line(self.cleaned_data["name"])


class AddressForm(PatientForm):
    """Where the confirmation should have gone."""

    button = "Send it again"

    email = forms.EmailField(
        label="Email",
        max_length=254,
        help_text="We send your visit details to this address. Links in the earlier message stop working.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        error_messages={
            "required": "Enter an email address, like name@example.com",
            "invalid": "Enter an email address, like name@example.com",
        },
    )


class CancelForm(PatientForm):
    button = "Cancel this visit"

    reason = forms.CharField(
        label="Why are you cancelling?",
        required=False,
        max_length=300,
        help_text="It helps us plan. You can leave it empty.",
        validators=[refuse_hidden_characters],
    )
