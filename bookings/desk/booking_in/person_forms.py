"""Who comes, asked at the desk: safety first, then a name and a phone number."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from crispy_forms.layout import HTML, Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from bookings.ages import AgeProblem, age_on, age_problem, needs_guardian
from bookings.forms import QuestionsForm
from bookings.forms.details import GUARDIAN_MISSING
from bookings.forms.fields import (
    GUARDIAN,
    PATIENT,
    BirthDateField,
    DependentCharField,
    DependentEmailField,
    DependentPhoneField,
    PhoneField,
    ReaderField,
    one_line,
    refuse_hidden_characters,
)
from bookings.forms.questions import EXTRACTION_DATE, HAD_CONSULTATION, LAST_EXTRACTION, grouped
from bookings.lifecycle import Details, GuardianDetails
from bookings.models import Booking, Patient
from clinic.models import Service
from clinic.screening import Asked

# Asked while the patient is on the phone; the rest may wait.
ASKED_FIRST = ("Q1", "Q2")
HIDDEN = ("hold", "caller", "service", "location", "slot", "why", "patient")
GUARDIAN_NAMES = ("guardian_name", "guardian_relation", "guardian_phone", "guardian_email")
OF_THE_YOUNG = (*GUARDIAN_NAMES, "mail_to")
OF_A_NEW_PERSON = ("name", "phone", "email")
# A likelier spelling of an address is asked about under its field.
ASKS_ABOUT_SLIPS = {"hx-get": reverse_lazy("desk:book_address"), "hx-trigger": "change", "hx-target": "#likelier"}
LIKELIER = "<div id='likelier' aria-live='polite'>{% include 'desk/likelier_address.html' %}</div>"


def _hidden() -> forms.CharField:
    return forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)


class FocusedRadios(forms.RadioSelect):
    """A page that opens at this question."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        if option["index"] == "0":
            option["attrs"]["autofocus"] = True
        return option


class PersonForm(QuestionsForm):
    """The questions that come first, and who comes: ``known``, or somebody new.

    The hidden fields name the time that is held, to hold it once more. ``asks_reason`` adds why a rule may be bent.
    """

    form_id = "person-form"

    hold = _hidden()
    caller = _hidden()
    service = _hidden()
    location = _hidden()
    slot = _hidden()
    why = _hidden()
    patient = _hidden()
    adult = forms.ChoiceField(
        label="18 or over?",
        choices=[("yes", "Yes"), ("no", "No")],
        widget=forms.RadioSelect,
        error_messages={"required": "Select whether they are 18 or over", "invalid_choice": "Select yes or no"},
    )
    name = forms.CharField(
        label="Full name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Enter the full name of the person who comes"},
    )
    phone = PhoneField(
        label="Phone",
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "inputmode": "tel"}),
        error_messages={"required": "Enter a phone number"},
    )
    email = forms.EmailField(
        label="Email",
        required=False,
        max_length=254,
        help_text="Without one, print the sheet for them.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false", **ASKS_ABOUT_SLIPS}),
        error_messages={"invalid": "Enter an email address, like name@example.com"},
    )
    date_of_birth = BirthDateField(
        label="Date of birth", required=False, help_text="In place of the first question. For example, 17 3 1990"
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
        help_text="They get a link of their own, to agree to the visit. Without it they agree here.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": GUARDIAN_MISSING["guardian_email"]},
    )
    mail_to = ReaderField(usual=PATIENT)
    override = forms.CharField(
        label="Why may the rule be bent?",
        required=False,
        max_length=500,
        help_text="For the history. The patient does not see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
        validators=[refuse_hidden_characters],
    )

    def __init__(
        self,
        *args: Any,
        visit: Booking,
        known: Patient | None,
        asks_reason: bool = False,
        takes_focus: bool = False,
        asked: Sequence[Asked],
        today: dt.date,
        **kwargs: Any,
    ) -> None:
        self.known, self.visit = known, visit
        super().__init__(*args, asked=asked, today=today, **kwargs)
        self._leave_out(asks_reason=asks_reason)
        for field in self.fields.values():
            if isinstance(field, PhoneField):
                field.country = visit.location.clinic.country
        self.order_fields([*HIDDEN, "adult", *self._asked_names(), *OF_A_NEW_PERSON, "date_of_birth", *OF_THE_YOUNG])
        if takes_focus:
            self._open_at_first_question()
        self.helper.layout = self.layout()

    @property
    def born(self) -> dt.date | None:
        """As it is known, or as it was typed."""
        known = self.known.date_of_birth if self.known else None
        typed: dt.date | None = self.cleaned_data.get("date_of_birth")
        return known or typed

    @property
    def is_under_age_open(self) -> bool:
        """Whether the part for the young is shown unfolded."""
        is_known = self.known is not None and needs_guardian(self.known.date_of_birth, self.visit.local_date)
        said_no = "adult" in self.fields and self["adult"].value() == "no"
        return is_known or said_no or any(name in self.errors for name in ("date_of_birth", *OF_THE_YOUNG))

    @property
    def names_of_answers(self) -> list[str]:
        """The fields that say something about somebody's skin."""
        return [*self._asked_names(), *self._history_names()]

    @property
    def details(self) -> Details:
        """What the verb wants to know of who comes."""
        said, guardian = self.cleaned_data, self._guardian()
        who = {name: getattr(self.known, name) if self.known else said[name] for name in OF_A_NEW_PERSON}
        if guardian and guardian.email and not who["email"]:
            guardian = GuardianDetails(**{**vars(guardian), "gets_mail": True})
        return Details(
            name=who["name"],
            phone=who["phone"],
            email=who["email"],
            date_of_birth=self.born,
            is_for_someone_else=guardian is not None,
            guardian=guardian,
        )

    def layout(self) -> Layout:
        health = [name for name in self._asked_names() if name in self.fields]
        history = [name for name in self._history_names() if name in self.fields]
        first = [*(["adult"] if "adult" in self.fields else []), *grouped(health, self.asked)]
        new = [] if self.known else [*OF_A_NEW_PERSON, HTML(LIKELIER)]
        who = [*new, *(["date_of_birth"] if "date_of_birth" in self.fields else [])]
        return Layout(
            *HIDDEN,
            Fieldset("Ask first", *first, css_class="part"),
            *([Fieldset("Who comes", *who, css_class="part")] if who else []),
            *self._part_of_the_young(),
            *([Fieldset("Earlier visits", *history, css_class="part")] if history else []),
            *(["override"] if "override" in self.fields else []),
            HTML('<button type="submit" name="act" value="book" class="btn">Book this visit</button>'),
        )

    def _part_of_the_young(self) -> list[Any]:
        if GUARDIAN_NAMES[0] not in self.fields:
            return []
        return [HTML("{% include 'desk/book_under_age.html' %}"), *OF_THE_YOUNG, HTML("</details>")]

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"])
        if not any(sign.isalpha() for sign in name):
            raise ValidationError("Enter the full name of the person who comes")
        return name

    def clean_date_of_birth(self) -> dt.date | None:
        born: dt.date | None = self.cleaned_data["date_of_birth"]
        if born and born > self.today:
            raise ValidationError("Date of birth must be in the past")
        return born

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "date_of_birth" in self.errors:
            return cleaned
        self._refuse_unknown_age(cleaned)
        if self.born is not None:
            self._refuse_age(self.born)
        if needs_guardian(self.born, self.visit.local_date):
            self._refuse_without_guardian(cleaned)
        return cleaned

    def _refuse_unknown_age(self, cleaned: Mapping[str, Any]) -> None:
        """Yes is enough for a grown-up; of the young the date counts, and of whoever a service is not for."""
        said = cleaned.get("adult")
        if self.born is None and not said and "adult" not in self.errors:
            self.add_error("adult", self.fields["adult"].error_messages["required"])
        elif self.born is None and said == "no":
            self.add_error("date_of_birth", "Enter the date of birth of anyone under 18")
        elif self.born is None and said and _has_other_limits(self.visit.service):
            self.add_error("date_of_birth", f"Enter the date of birth: {self.visit.service.title} has an age limit")
        elif self.born and said and (said == "no") != needs_guardian(self.born, self.visit.local_date):
            self.add_error("adult", "The date of birth says something else. Ask once more")

    def _refuse_age(self, born: dt.date) -> None:
        service, day = self.visit.service, self.visit.local_date
        problem = age_problem(clinic=self.visit.location.clinic, service=service, born=born, visit_date=day)
        limits = {
            AgeProblem.TOO_YOUNG: f"is for people aged {service.minimum_age} or over",
            AgeProblem.TOO_OLD: f"is for people up to the age of {service.maximum_age}",
        }
        if problem in limits:
            age = age_on(born, day)
            self.add_error(None, f"{service.title} {limits[problem]}. They are {age} on the day of the visit.")

    def _refuse_without_guardian(self, cleaned: Mapping[str, Any]) -> None:
        for name in GUARDIAN_NAMES:
            if name != "guardian_email" and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, GUARDIAN_MISSING[name])
        is_reader = cleaned.get("mail_to") == GUARDIAN and "guardian_email" not in self.errors
        if is_reader and not cleaned.get("guardian_email"):
            self.add_error("guardian_email", GUARDIAN_MISSING["guardian_email"])

    def _guardian(self) -> GuardianDetails | None:
        if not needs_guardian(self.born, self.visit.local_date):
            return None
        said = {name.removeprefix("guardian_"): one_line(self.cleaned_data[name]) for name in GUARDIAN_NAMES}
        return GuardianDetails(**said, gets_mail=self.cleaned_data["mail_to"] == GUARDIAN)

    def _leave_out(self, *, asks_reason: bool) -> None:
        """What is known of somebody is not asked; nothing else may be empty of the new."""
        adult: Any = self.fields["adult"]
        adult.required, adult.depends = False, True
        left_out = list(OF_A_NEW_PERSON) if self.known else []
        if self.known and self.known.date_of_birth:
            left_out += ["adult", "date_of_birth"]
            is_young = needs_guardian(self.known.date_of_birth, self.visit.local_date)
            left_out += [] if is_young else list(OF_THE_YOUNG)
        for name in [*left_out, *([] if asks_reason else ["override"])]:
            del self.fields[name]

    def _open_at_first_question(self) -> None:
        first = next(field for field in self.fields.values() if isinstance(field.widget, forms.RadioSelect))
        assert isinstance(first, forms.ChoiceField), "what is asked first is yes or no"
        first.widget = FocusedRadios(choices=first.widget.choices)

    def _asked_names(self) -> list[str]:
        return [name for each in self.asked for name in (each.code.lower(), f"{each.code.lower()}_date")]

    def _history_names(self) -> list[str]:
        return [LAST_EXTRACTION, EXTRACTION_DATE, HAD_CONSULTATION]


def _has_other_limits(service: Service) -> bool:
    """An age limit that 18 or over does not answer."""
    return service.maximum_age is not None or (service.minimum_age or 0) > 18
