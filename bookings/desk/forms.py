"""What staff type about one booking."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dateparse import parse_datetime

from bookings.desk.board import EARLIEST, LATEST
from bookings.forms import QuestionsForm, name_of
from bookings.forms.fields import refuse_hidden_characters
from bookings.models import Booking, Outcome
from clinic.models import Resource, Service

ANYONE = "any"
# Who cancels.
PATIENT, CLINIC = "patient", "clinic"
OUR_DOING = (CLINIC, "The clinic: we cannot keep this time")


def post_form(button: str, *fields: str) -> FormHelper:
    """A crispy form that posts to its own page, with one button that names the act."""
    helper = FormHelper()
    helper.form_method = "post"
    helper.attrs = {"novalidate": True}
    helper.layout = Layout(*fields, Submit("act", button))
    return helper


def _reason(label: str, *, hint: str, missing: str, longest: int = 500) -> forms.CharField:
    """Why: a decision about a visit stands in its history with a reason."""
    return forms.CharField(
        label=label,
        max_length=longest,
        help_text=hint,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[refuse_hidden_characters],
        error_messages={"required": missing},
    )


class EmailForm(forms.Form):
    """The right address of a patient."""

    email = forms.EmailField(
        label="Email address",
        max_length=254,
        help_text="What is still to come is confirmed again. Links sent to the old address stop working.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": "Enter an email address, like name@example.com",
            "invalid": "Enter an email address, like name@example.com",
        },
    )

    helper = post_form("Save and send again", "email")


class CancelForm(forms.Form):
    """Who cancels a visit, why, and whether the patient is told. Once it should have begun it can only be the clinic.

    After ``is_valid()`` ``said`` is what the verb wants to know.
    """

    who = forms.ChoiceField(
        label="Who cancels?",
        choices=[(PATIENT, "The patient"), OUR_DOING],
        initial=PATIENT,
        widget=forms.RadioSelect,
        error_messages={"required": "Select who cancels", "invalid_choice": "Select who cancels"},
    )
    reason = _reason(
        "Why is it cancelled?",
        hint="For the history. The patient does not see it.",
        missing="Say why the visit is cancelled",
        longest=300,
    )

    notify = forms.BooleanField(required=False, initial=True)

    helper = post_form("Cancel this visit", "who", "reason", "notify")

    def __init__(self, *args: Any, booking: Booking, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        who, notify = self.fields["who"], self.fields["notify"]
        assert isinstance(who, forms.ChoiceField)
        notify.label = f"Email {booking.reader[0].split()[0]}"
        who.help_text = "For the clinic it is never late: there is nothing to pay, and the email says it is our doing."
        if not booking.is_upcoming or booking.has_started(now):
            who.choices = [OUR_DOING]
            who.initial = CLINIC

    @property
    def said(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"reason": said["reason"], "is_ours": said["who"] == CLINIC, "notify": said["notify"]}


class ApproveForm(forms.Form):
    """Why a clinician says yes, to the answers that they have ``read``: the id of the newest round."""

    read = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    reason = _reason(
        "Why is it safe?",
        hint="For the history. The patient does not see it.",
        missing="Say why the visit is safe",
    )

    helper = post_form("Approve", "read", "reason")


class DeclineForm(forms.Form):
    """Why a clinician says no, in words for the patient."""

    reason = _reason("Why can it not be booked?", hint="", missing="Say why the visit cannot be booked")

    helper = post_form("Decline this visit", "reason")

    def __init__(self, *args: Any, reader: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = f"{reader} will see this reason, in an email."


class MissForm(forms.Form):
    """Nothing to type, only to press."""

    helper = post_form("Mark as a no-show")


class CloseForm(forms.Form):
    """How a visit ended. After ``is_valid()`` ``closed`` is what the verb wants to know."""

    outcome = forms.ChoiceField(
        label="How did it end?",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        help_text="Aftercare, and the wait before the next extraction, start only from “Treated”.",
        error_messages={"required": "Select how the visit ended", "invalid_choice": "Select how the visit ended"},
    )
    areas = forms.MultipleChoiceField(
        label="Which areas were treated?",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick the areas that were treated", "invalid_choice": "Tick areas from the list"},
    )

    helper = post_form("Close the visit", "outcome", "areas")

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        usual = list(booking.service.body_areas)
        super().__init__(*args, **kwargs)
        areas = self.fields["areas"]
        assert isinstance(areas, forms.MultipleChoiceField)
        areas.choices = [(area, area.capitalize()) for area in usual]
        areas.initial = usual
        areas.required = self.data.get("outcome", Outcome.TREATED) == Outcome.TREATED
        if not usual:
            del self.fields["areas"]
            self.helper = post_form("Close the visit", "outcome")

    @property
    def closed(self) -> dict[str, Any]:
        return {"outcome": Outcome(self.cleaned_data["outcome"]), "areas": self.cleaned_data.get("areas", [])}


class AskForm(QuestionsForm):
    """The questions at the desk. What is private is asked of a minor in the room, so it may stay open here."""

    button = "Save the answers"

    def __init__(self, *args: Any, is_minor: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for asked in self.asked:
            if asked.is_private and is_minor:
                field = self.fields[name_of(asked.code)]
                field.required = False
                field.help_text = "Ask this in the room, with the patient alone. Leave it empty until then."


class WarningForm(QuestionsForm):
    """The first question alone."""

    button = "Go on"


class MoveForm(forms.Form):
    """The time somebody pressed. ``practitioner`` is a slug; empty leaves the choice to us.

    ``reason`` is why a rule that stands in the way may be bent.
    """

    start = forms.CharField(max_length=40, error_messages={"required": "Choose a time from the list."})
    practitioner = forms.ModelChoiceField(
        Resource.objects.practitioners(),
        to_field_name="slug",
        required=False,
        error_messages={"invalid_choice": "Choose a time from the list."},
    )
    reason = forms.CharField(required=False, max_length=500, validators=[refuse_hidden_characters])

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
    """Which day, and with whom, to look for a new time; with ``services`` also for which of them.

    ``sent_with`` is the form on the page whose fields go along, or "".
    """

    date = forms.DateField(
        label="Day",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        error_messages={"required": "Choose a day", "invalid": "Choose a day"},
    )

    def __init__(
        self, *, people: Iterable[Resource], services: Sequence[Service] = (), sent_with: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        named = [(each.slug, each.name) for each in people]
        self.fields["practitioner"] = forms.ChoiceField(label="With", choices=[(ANYONE, "Anyone"), *named])
        fields = ["date", "practitioner"]
        if services:
            choices = [(each.slug, f"{each.title}, {each.minutes} min") for each in services]
            self.fields["service"] = forms.ChoiceField(label="Change it to", choices=choices)
            fields = ["service", *fields]
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.attrs = {"novalidate": True}
        self.helper.form_class = "move-search"
        self.helper.form_tag = not sent_with
        belongs = {"form": sent_with} if sent_with else {}
        for name in fields:
            self.fields[name].widget.attrs.update(belongs)
        show = Submit("look" if sent_with else "", "Show times", css_class="quiet", **belongs)
        self.helper.layout = Layout(*fields, show)
