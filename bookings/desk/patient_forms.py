"""What staff type about a patient: the right details, and which of two records' details to keep."""

import datetime as dt
from typing import Any

from django import forms

from bookings.desk.forms import post_form
from bookings.forms.fields import BirthDateField, PhoneField, one_line, refuse_hidden_characters
from bookings.lifecycle import looks_like_two
from bookings.models import Patient
from clinic import words

EMAIL_HINT = "A new address gets the confirmations again. Links sent to the old one stop working."
LABELS = {"name": "Name", "email": "Email", "phone": "Phone", "date_of_birth": "Date of birth"}
OURS, THEIRS = "kept", "other"


class PatientForm(forms.Form):
    """Who somebody is. After ``is_valid()`` ``said`` is what the verb wants to know."""

    name = forms.CharField(
        label="Full name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Enter their name"},
    )
    email = forms.EmailField(
        label="Email",
        required=False,
        max_length=254,
        help_text=EMAIL_HINT,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": "Enter an email address, like name@example.com"},
    )
    phone = PhoneField(
        label="Phone",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "inputmode": "tel"}),
    )
    date_of_birth = BirthDateField(label="Date of birth", required=False, help_text="For example, 17 3 1990")

    helper = post_form("Save", "name", "email", "phone", "date_of_birth")

    def __init__(self, *args: Any, country: str, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        phone, born = self.fields["phone"], self.fields["date_of_birth"]
        assert isinstance(phone, PhoneField)
        assert isinstance(born, BirthDateField)
        phone.country, born.latest = country, today

    @staticmethod
    def said_by(patient: Patient) -> dict[str, Any]:
        return {name: getattr(patient, name) for name in LABELS}

    @property
    def said(self) -> dict[str, Any]:
        return {**self.cleaned_data, "name": one_line(self.cleaned_data["name"])}


class MergeForm(forms.Form):
    """Which details to keep, where both records have one and they differ.

    ``values`` are those to take over from the other record. Two that look like two people are merged only by somebody
    who says that they are one.
    """

    def __init__(self, *args: Any, kept: Patient, other: Patient, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = [name for name in LABELS if _both_say(name, kept, other)]
        for name in self.asked:
            self.fields[name] = forms.ChoiceField(
                label=LABELS[name],
                choices=[(OURS, text_of(name, kept, country)), (THEIRS, text_of(name, other, country))],
                initial=OURS,
                widget=forms.RadioSelect,
                error_messages={"required": f"Choose which {LABELS[name].lower()} to keep"},
            )
        if looks_like_two(kept, other):
            self.fields["is_same_person"] = forms.BooleanField(
                label="They are the same person",
                error_messages={"required": "Tick that they are the same person, or keep them apart"},
            )
        self.helper = post_form("Merge the two", *self.fields)

    @property
    def values(self) -> list[str]:
        return [name for name in self.asked if self.cleaned_data[name] == THEIRS]

    @property
    def is_same_person(self) -> bool:
        return bool(self.cleaned_data.get("is_same_person"))


def text_of(name: str, patient: Patient, country: str) -> str:
    """What a record says, as people write it."""
    value = getattr(patient, name)
    if not value:
        return "None"
    if name == "phone":
        return words.phone(value, country)
    return f"{words.day(value)} {value.year}" if isinstance(value, dt.date) else str(value)


def _both_say(name: str, kept: Patient, other: Patient) -> bool:
    ours, theirs = getattr(kept, name), getattr(other, name)
    return bool(ours) and bool(theirs) and ours != theirs
