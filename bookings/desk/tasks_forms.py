"""What staff type about tasks: who does them, what they found out, and what they must not forget."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator

from bookings.desk.board import EARLIEST, LATEST
from bookings.desk.forms import post_form
from bookings.desk.history import name_of
from bookings.forms.fields import PhoneField, one_line, refuse_hidden_characters
from clinic.intervals import instant_of, wall_minute

MISSING_NOTE = "Write what is to be done"


def _quiet(button: str, action: str, *fields: str) -> FormHelper:
    """One of several forms on a page, with its own address; the one filled button is another's."""
    helper = FormHelper()
    helper.form_method = "post"
    helper.form_action = action
    helper.attrs = {"novalidate": True}
    helper.layout = Layout(*fields, Submit("act", button, css_class="quiet"))
    return helper


def _staff(people: Iterable[User]) -> list[tuple[str, str]]:
    return [("", "Nobody yet"), *((str(each.pk), name_of(each)) for each in people)]


class AssignForm(forms.Form):
    """Who does it. After ``is_valid()`` ``chosen`` is that person, or None for nobody."""

    assignee = forms.ChoiceField(
        label="Who does it?",
        required=False,
        error_messages={"invalid_choice": "Choose somebody from the list"},
    )

    def __init__(self, *args: Any, people: Iterable[User], action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(each.pk): each for each in people}
        field = self.fields["assignee"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _staff(self.people.values())
        self.helper = _quiet("Save who does it", action, "assignee")

    @property
    def chosen(self) -> User | None:
        return self.people.get(self.cleaned_data["assignee"])


class NoteForm(forms.Form):
    """What somebody found out."""

    text = forms.CharField(
        label="Add a note",
        max_length=1000,
        help_text="Your name and the time are added.",
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Write the note"},
    )

    def __init__(self, *args: Any, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = _quiet("Add the note", action, "text")


class RemindForm(forms.Form):
    """Something to do, by whom and by when, about a visit or in general. ``said`` is what the verb wants to know."""

    note = forms.CharField(
        label="What is to be done?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[refuse_hidden_characters],
        error_messages={"required": MISSING_NOTE},
    )
    name = forms.CharField(
        label="Whom is it about?", max_length=120, required=False, validators=[refuse_hidden_characters]
    )
    phone = PhoneField(label="Phone to call", max_length=40, required=False)
    date = forms.DateField(
        label="By which day?",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        error_messages={"required": "Choose a day", "invalid": "Choose a day"},
    )
    time = forms.TimeField(
        label="By what time?",
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"required": "Choose a time", "invalid": "Choose a time, like 14:30"},
    )
    assignee = forms.ChoiceField(
        label="Who does it?",
        required=False,
        error_messages={"invalid_choice": "Choose somebody from the list"},
    )

    helper = post_form("Leave the task", "note", "name", "phone", "date", "time", "assignee")

    def __init__(self, *args: Any, people: Iterable[User], country: str, zone: dt.tzinfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.people = {str(each.pk): each for each in people}
        assignee, phone = self.fields["assignee"], self.fields["phone"]
        assert isinstance(assignee, forms.ChoiceField)
        assert isinstance(phone, PhoneField)
        assignee.choices = _staff(self.people.values())
        phone.country = country

    @property
    def said(self) -> dict[str, Any]:
        kept = self.cleaned_data
        return {
            "note": kept["note"].strip(),
            "name": one_line(kept["name"]),
            "phone": kept["phone"],
            "due_at": instant_of(wall_minute(kept["date"], kept["time"], self.zone)),
            "assigned_to": self.people.get(kept["assignee"]),
        }
