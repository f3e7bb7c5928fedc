"""The time that was pressed for a visit to move to, and why it has to be then."""

from typing import Any

from django import forms

from bookings.desk.forms import MoveForm
from bookings.forms.fields import refuse_hidden_characters

WHY_LENGTH = 500


class WhyForm(forms.Form):
    """Why a rule of time is bent: typed, or one of the usual reasons, pressed."""

    why = forms.CharField(required=False, max_length=WHY_LENGTH, validators=[refuse_hidden_characters])
    usual = forms.CharField(required=False, max_length=WHY_LENGTH, validators=[refuse_hidden_characters])


class TimeForm(WhyForm, MoveForm):
    """``seen`` is the visit as the page showed it: its sequence."""

    seen = forms.IntegerField(required=False, min_value=0)
    notify = forms.BooleanField(required=False)

    @property
    def why_then(self) -> str:
        """What bends any other rule is reason enough for a rule of time."""
        said: dict[str, Any] = self.cleaned_data
        return str(said["usual"] or said["why"] or said["reason"])
