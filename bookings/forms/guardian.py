"""Who answers for a young patient, named after the booking."""

from typing import Any

from django import forms

from bookings.forms.base import PatientForm
from bookings.forms.details import GUARDIAN_MISSING
from bookings.forms.fields import GUARDIAN, PATIENT, PhoneField, ReaderField, one_line, refuse_hidden_characters
from bookings.lifecycle import GuardianDetails
from bookings.models import Booking, Guardian

THEIRS = ("name", "relation", "phone", "email")
THEIR_LINK = "They get a link of their own, to agree to the visit"


class GuardianForm(PatientForm):
    """For somebody new, or whoever is named for ``booking``. ``details`` is what the verb wants to know.

    Without an address of the patient the guardian gets the visit's mail, so nobody is asked who does. ``is_by_staff``
    they may have no address: then they agree at the desk, and the patient gets the mail; and ``seen`` is the mark of
    whom the page showed, "" for nobody.
    """

    form_id = "guardian-form"
    button = "Save"

    name = forms.CharField(
        label="Full name of the parent or guardian",
        max_length=120,
        validators=[refuse_hidden_characters],
        error_messages={"required": GUARDIAN_MISSING["guardian_name"]},
    )
    relation = forms.CharField(
        label="Who are they to the patient?",
        max_length=60,
        help_text="Such as mother, father or legal guardian",
        validators=[refuse_hidden_characters],
        error_messages={"required": GUARDIAN_MISSING["guardian_relation"]},
    )
    phone = PhoneField(
        label="Their phone", max_length=40, error_messages={"required": GUARDIAN_MISSING["guardian_phone"]}
    )
    email = forms.EmailField(
        label="Their email",
        max_length=254,
        help_text=THEIR_LINK,
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
        error_messages=dict.fromkeys(("required", "invalid"), GUARDIAN_MISSING["guardian_email"]),
    )
    mail_to = ReaderField(usual=GUARDIAN)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, booking: Booking, is_by_staff: bool = False, **kwargs: Any) -> None:
        guardian: Guardian | None = getattr(booking, "guardian", None)
        named = {name: getattr(guardian, name) for name in THEIRS} if guardian else {}
        super().__init__(*args, initial=named, **kwargs)
        phone = self.fields["phone"]
        assert isinstance(phone, PhoneField)
        phone.country = booking.location.clinic.country
        self.fields["mail_to"].initial = _reader(guardian) if guardian else PATIENT if is_by_staff else GUARDIAN
        self.fields["seen"].initial = guardian.mark if guardian else ""
        if is_by_staff:
            for name in THEIRS:
                self.fields[name].widget.attrs["autocomplete"] = "off"
            self.fields["email"].required = False
            self.fields["email"].help_text = f"{THEIR_LINK}. Without it they agree here."
        else:
            del self.fields["seen"]
        if booking.patient is None or not booking.patient.email:
            del self.fields["mail_to"]
        self.helper.layout = self.layout()

    @property
    def details(self) -> GuardianDetails:
        typed = {name: one_line(self.cleaned_data[name]) for name in THEIRS}
        reader = self.cleaned_data.get("mail_to", GUARDIAN if typed["email"] else PATIENT)
        return GuardianDetails(**typed, gets_mail=reader == GUARDIAN)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("mail_to") == GUARDIAN and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("email", GUARDIAN_MISSING["guardian_email"])
        return cleaned


def _reader(guardian: Guardian) -> str:
    return GUARDIAN if guardian.gets_mail else PATIENT
