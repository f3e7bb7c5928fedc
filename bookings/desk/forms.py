"""What staff type about one booking."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dateparse import parse_datetime

from bookings.desk.board import EARLIEST, LATEST
from clinic.models import Resource

ANYONE = "any"


def post_form(button: str, *fields: str) -> FormHelper:
    """A crispy form that posts to its own page, with one button that names the act."""
    helper = FormHelper()
    helper.form_method = "post"
    helper.attrs = {"novalidate": True}
    helper.layout = Layout(*fields, Submit("act", button))
    return helper


class EmailForm(forms.Form):
    """The right address of a patient."""

    email = forms.EmailField(
        label="Email address",
        max_length=254,
        help_text="The confirmation goes there again. Links sent to the old address stop working.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": "Enter an email address, like name@example.com",
            "invalid": "Enter an email address, like name@example.com",
        },
    )

    helper = post_form("Save and send again", "email")


class CancelForm(forms.Form):
    """Why a visit is cancelled."""

    reason = forms.CharField(
        label="Why is it cancelled?",
        max_length=300,
        help_text="For the history. The patient does not see it.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why the visit is cancelled"},
    )

    helper = post_form("Cancel this visit", "reason")


class MoveForm(forms.Form):
    """The time somebody pressed. ``practitioner`` is a slug; empty leaves the choice to us."""

    start = forms.CharField(max_length=40, error_messages={"required": "Choose a time from the list."})
    practitioner = forms.ModelChoiceField(
        Resource.objects.practitioners(),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": "Choose a time from the list."},
    )

    def clean_start(self) -> dt.datetime:
        """An instant; wall time without an offset could mean two of them, so it is refused."""
        try:
            start = parse_datetime(self.cleaned_data["start"])
        except ValueError:
            start = None
        if start is None or start.tzinfo is None:
            raise forms.ValidationError("Choose a time from the list.")
        return start


class MoveSearch(forms.Form):
    """Which day, and with whom, to look for a new time."""

    date = forms.DateField(
        label="Day",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        error_messages={"required": "Choose a day", "invalid": "Choose a day"},
    )

    def __init__(self, *, people: Iterable[Resource], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        named = [(each.slug, each.name) for each in people]
        self.fields["practitioner"] = forms.ChoiceField(label="With", choices=[(ANYONE, "Anyone"), *named])
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.attrs = {"novalidate": True}
        self.helper.form_class = "move-search"
        self.helper.layout = Layout("date", "practitioner", Submit("", "Show times", css_class="quiet"))
