"""Who comes, who answers for them, what was asked and read: one form, one address."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from crispy_forms.layout import HTML, Div, Field, Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError

from bookings.ages import ADULT_FROM, age_on, needs_guardian
from bookings.forms.base import PatientForm
from bookings.forms.fields import (
    GUARDIAN,
    BirthDateField,
    DayField,
    DependentCharField,
    DependentEmailField,
    DependentPhoneField,
    ForWhomField,
    PhoneField,
    ReaderField,
    one_line,
    refuse_hidden_characters,
)
from bookings.forms.questions import (
    answers_in,
    earlier_visits,
    grouped,
    history_fields,
    name_of,
    question_fields,
)
from bookings.lifecycle.guidance import GUIDANCE_WORDS, PRIVACY_WORDS
from clinic.models import Clinic
from clinic.screening import Answered, Asked

GUARDIAN_FIELDS = ("guardian_name", "guardian_relation", "guardian_phone", "guardian_email", "mail_to")
GUARDIAN_MISSING = {
    "guardian_name": "Enter the full name of the parent or guardian",
    "guardian_relation": "Say who they are, such as mother, father or legal guardian",
    "guardian_phone": "Enter the phone number of the parent or guardian",
    "guardian_email": "Enter the email address of the parent or guardian",
}


class DetailsForm(PatientForm):
    """Who comes, how to reach them, and what they have read. The hidden fields name the time that is held.

    ``asked`` are the questions that are still open, ``history`` what of earlier visits we do not know.
    """

    form_id = "details-form"

    hold = forms.CharField(required=False, max_length=8, widget=forms.HiddenInput)
    service = forms.SlugField(required=False, widget=forms.HiddenInput)
    start = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    practitioner = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    location = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    # Which questions stood on the page: of a tick list without a tick a browser sends nothing.
    asks = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    for_whom = ForWhomField()
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
    event_date = DayField(
        label="Do you have an event soon?",
        required=False,
        help_text="Such as a wedding. Skin may look red for a few days, so we look for a better time.",
    )
    guardian_name = DependentCharField(
        label="Full name of the parent or guardian",
        required=False,
        max_length=120,
        validators=[refuse_hidden_characters],
    )
    guardian_relation = DependentCharField(
        label="Who are they to the patient?",
        required=False,
        max_length=60,
        help_text="Such as mother, father or legal guardian",
        validators=[refuse_hidden_characters],
    )
    guardian_phone = DependentPhoneField(label="Their phone", required=False, max_length=40)
    guardian_email = DependentEmailField(
        label="Their email",
        required=False,
        max_length=254,
        help_text="They get a link of their own, to agree to the visit",
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
        error_messages={"invalid": GUARDIAN_MISSING["guardian_email"]},
    )
    mail_to = ReaderField(usual=GUARDIAN)

    def __init__(
        self,
        *args: Any,
        clinic: Clinic,
        visit_date: dt.date,
        today: dt.date,
        asked: Sequence[Asked] = (),
        history: Sequence[tuple[str, str]] = (),
        asks_event: bool = True,
        **kwargs: Any,
    ) -> None:
        self.clinic, self.visit_date, self.today = clinic, visit_date, today
        self.asked, self.history = list(asked), list(history)
        super().__init__(*args, **kwargs)
        self._read_phones_as_local()
        self.fields.update(self._open_questions())
        left_out = [*(() if self.asks_guardian else GUARDIAN_FIELDS), *(() if asks_event else ("event_date",))]
        for name in left_out:
            del self.fields[name]
        # The summary of errors lists them as they stand on the page.
        self.order_fields(["for_whom", *self._health_names()])
        self.helper.layout = self.layout()

    @property
    def asks_guardian(self) -> bool:
        """Whether anybody under 18 may book online here at all."""
        return self.clinic.online_from_age < ADULT_FROM

    @property
    def is_for_minor(self) -> bool:
        """Whether somebody must answer for the patient, who is old enough to book online."""
        born = self.cleaned_data.get("date_of_birth")
        old_enough = born is not None and age_on(born, self.visit_date) >= self.clinic.online_from_age
        return old_enough and needs_guardian(born, self.visit_date)

    @property
    def left_for_the_room(self) -> set[str]:
        """What is private is not kept of a minor, who is asked in the room."""
        return {each.code for each in self.asked if each.is_private and self.is_for_minor}

    @property
    def answers(self) -> dict[str, Answered]:
        """What was asked here."""
        return answers_in(self.cleaned_data, [each for each in self.asked if each.code not in self.left_for_the_room])

    @property
    def guardian(self) -> dict[str, Any] | None:
        """Who answers for a minor, by the names of ``lifecycle.GuardianDetails``; None for everybody else."""
        if not self.is_for_minor:
            return None
        said = self.cleaned_data
        named = {name.removeprefix("guardian_"): said[name] for name in GUARDIAN_FIELDS if name.startswith("guardian_")}
        return named | {"gets_mail": said["mail_to"] == GUARDIAN}

    @property
    def earlier_visits(self) -> dict[str, Any]:
        return earlier_visits(self.cleaned_data)

    @property
    def is_guardian_open(self) -> bool:
        """Whether the part about a guardian is shown unfolded."""
        return self["for_whom"].value() == "child" or any(name in self.errors for name in GUARDIAN_FIELDS)

    def layout(self) -> Layout:
        hidden = [name for name, field in self.fields.items() if isinstance(field.widget, forms.HiddenInput)]
        event = ["event_date"] if "event_date" in self.fields else []
        you = ["name", Field("email"), "phone", "date_of_birth", *self._guardian(), *event, "wishes"]
        health = self._health_names()
        part = Fieldset("Your details", *you, css_class="part") if health else Div(*you, css_class="part")
        return Layout(
            *hidden,
            "for_whom",
            *([Fieldset("Health questions", *grouped(health, self.asked), css_class="part")] if health else []),
            part,
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

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.is_for_minor:
            self._refuse_without_guardian(cleaned)
        else:
            self._refuse_without_private_answers(cleaned)
        return cleaned

    def _refuse_without_guardian(self, cleaned: dict[str, Any]) -> None:
        for name, words in GUARDIAN_MISSING.items():
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, words)

    def _refuse_without_private_answers(self, cleaned: dict[str, Any]) -> None:
        for each in self.asked:
            name = name_of(each.code)
            if each.is_private and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])

    def _open_questions(self) -> dict[str, forms.Field]:
        fields = question_fields(self.asked, self.today)
        for each in self.asked:
            # Whether the patient is a minor is known only with the date of birth.
            fields[name_of(each.code)].required = not each.is_private
        return fields | history_fields(self.history, self.today, is_needed=True)

    def _health_names(self) -> list[str]:
        names = [*question_fields(self.asked, self.today), *history_fields(self.history, self.today, is_needed=True)]
        return [name for name in names if name in self.fields]

    def _guardian(self) -> list[Any]:
        if not self.asks_guardian:
            return []
        opening = HTML("{% include 'booking/guardian_open.html' %}")
        return [opening, *GUARDIAN_FIELDS, HTML("</details>")]

    def _read_phones_as_local(self) -> None:
        for field in self.fields.values():
            if isinstance(field, PhoneField):
                field.country = self.clinic.country
