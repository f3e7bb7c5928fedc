"""What every form for patients shares."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from bookings.forms.fields import refuse_hidden_characters


class PatientForm(forms.Form):
    """What every form for patients shares."""

    form_id = ""
    button = "Continue"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages.setdefault("max_length", "Use %(limit_value)d characters or fewer")
            if refuse_hidden_characters in field.validators:
                # It asks the same in other words.
                field.validators = [v for v in field.validators if not isinstance(v, ProhibitNullCharactersValidator)]
        self.helper = FormHelper(self)
        self.helper.form_id = self.form_id
        self.helper.attrs = {"novalidate": ""}
        self.helper.layout = self.layout()

    def layout(self) -> Layout:
        return Layout(*self.fields, Submit("", self.button, css_class="btn"))
