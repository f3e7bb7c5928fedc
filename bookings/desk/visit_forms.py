"""What staff type on the day of a visit: how late, a note, a payment."""

from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms

from bookings.desk.forms import post_form
from bookings.forms.fields import refuse_hidden_characters
from bookings.lifecycle import STEPS_BACK
from bookings.models import Booking, BookingState, PaidBy, Payment
from clinic.models import PriceKind

NOT_LATE = "0"
LATE_BY = (5, 10, 15, 20, 30, 45, 60)
LONGEST_NOTE = 2000


def quiet_form(button: str, *fields: str, to: str) -> FormHelper:
    """A form that stands on the booking's page beside others, and posts to the address ``to`` of its own."""
    helper = FormHelper()
    helper.form_method = "post"
    helper.form_action = to
    helper.attrs = {"novalidate": True}
    helper.layout = Layout(*fields, Submit("act", button, css_class="quiet"))
    return helper


class StepBackForm(forms.Form):
    """The state that somebody looked at when they pressed."""

    seen = forms.TypedChoiceField(
        choices=[(state, state.label) for state in STEPS_BACK],
        coerce=BookingState,
        widget=forms.HiddenInput,
    )


class LateForm(forms.Form):
    """By how much a patient will be late. ``minutes`` is None when they will not be."""

    late = forms.ChoiceField(
        label="Running late",
        choices=[(NOT_LATE, "No"), *((str(minutes), f"{minutes} min") for minutes in LATE_BY)],
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose how late from the list"),
    )

    helper = post_form("Save", "late")

    @property
    def minutes(self) -> int | None:
        return int(self.cleaned_data["late"]) or None


class NoteForm(forms.Form):
    """A note for whoever sees the visit. Patients never read it."""

    text = forms.CharField(
        label="New note",
        max_length=LONGEST_NOTE,
        help_text="For staff. The patient does not see it.",
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Write the note", "max_length": f"Shorten the note to {LONGEST_NOTE} characters"},
    )

    helper = post_form("Add the note", "text")


# Beyond so many times the agreed price, and this much, an amount is asked about.
FAR_ABOVE, ALWAYS_ASKED = 3, Decimal(500)


class PayForm(forms.Form):
    """What was paid, and how; the agreed price stands there already."""

    amount = forms.DecimalField(
        max_digits=8,
        decimal_places=2,
        min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "required": "Enter the amount, like 45 or 45.50",
            "invalid": "Enter the amount, like 45 or 45.50",
            "min_value": "The amount must be more than 0",
            "max_digits": "The amount is too large",
            "max_whole_digits": "The amount is too large",
            "max_decimal_places": "Enter the amount with at most two decimals",
        },
    )
    method = forms.ChoiceField(
        label="How was it paid?",
        choices=PaidBy.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Select how it was paid", "invalid_choice": "Select how it was paid"},
    )

    is_right = forms.BooleanField(label="The amount is right", required=False)

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agreed = booking.price
        self.helper = post_form("Mark as paid", "amount", "method")
        self.fields["amount"].initial = None if booking.price_kind == PriceKind.FREE else booking.price
        self.fields["amount"].label = f"Amount in {booking.currency}"

    def clean_amount(self) -> Any:
        amount = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError("The amount must be more than 0")
        return amount

    def clean(self) -> dict[str, Any]:
        """A slip of the keyboard is asked about; what is far from the agreed price may still be right."""
        said: dict[str, Any] = super().clean() or {}
        amount = said.get("amount")
        if amount and amount > max(self.agreed * FAR_ABOVE, ALWAYS_ASKED) and not said.get("is_right"):
            self.helper = post_form("Mark as paid", "amount", "is_right", "method")
            agreed = f"The agreed price is {self.agreed:,.2f}"
            self.add_error("amount", f"{agreed}. Correct the amount, or tick that it is right")
        return said


class VoidForm(forms.Form):
    """Why a payment is struck out."""

    reason = forms.CharField(
        label="Why is it void?",
        max_length=Payment._meta.get_field("void_reason").max_length,
        help_text="For the history. The payment stays, struck out, and the visit can be paid again.",
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Say why the payment is void"},
    )

    helper = post_form("Void this payment", "reason")
