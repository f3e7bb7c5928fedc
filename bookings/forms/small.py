"""The small forms: call me back, the right address, why I cancel."""

from typing import Any

from django import forms

from bookings.forms.base import PatientForm
from bookings.forms.fields import PhoneField, one_line, refuse_hidden_characters


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
