"""Where a visit is dropped, as its address says it, and the last look before it moves."""

import datetime as dt
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Layout, Submit
from django import forms

from bookings.desk.forms import MoveForm
from bookings.desk.moving_forms import WhyForm
from bookings.desk.obstacles import Found, Place
from bookings.forms.fields import refuse_hidden_characters
from bookings.lifecycle import Reasons
from bookings.models import Booking
from clinic.models import Resource, Room


class PlaceForm(MoveForm):
    """What a drop or a link names. Without a practitioner it stays with the present one; ``room`` is a wish."""

    room = forms.ModelChoiceField(Room.objects.all(), to_field_name="slug", required=False)

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.booking = booking

    @property
    def place(self) -> Place:
        start: dt.datetime = self.cleaned_data["start"]
        who: Resource | None = self.cleaned_data["practitioner"]
        return Place(start, who or self.booking.practitioner, self.cleaned_data["room"])


# Enter in a field presses the first button of a form, and that is not one of the usual reasons.
FIRST_BUTTON = '<button class="visually-hidden" type="submit" tabindex="-1" aria-hidden="true">Move</button>'


class ReviewForm(WhyForm):
    """``seen`` is the visit as the page showed it: its sequence. A reason is asked for where one can help.

    ``why`` is asked where a rule of time alone is bent; what bends any other rule is reason enough for both.
    """

    seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why may the rule be bent?",
        max_length=500,
        help_text="For the history. The patient does not see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
        validators=[refuse_hidden_characters],
        error_messages={"required": "Say why the rule may be bent"},
    )
    notify = forms.BooleanField(required=False)

    def __init__(self, *args: Any, booking: Booking, found: Found, bends: bool, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.question = "" if found.rule else found.question
        self.fields["seen"].initial = booking.sequence
        self.fields["notify"].label = f"Email {booking.reader[0].split()[0]}"
        self.fields["notify"].initial = not found.is_only_room
        self.fields["reason"].required = bool(found.rule)
        if bends and not found.rule:
            self.fields["reason"].label = "Why is it safe? With a reason it is approved"
        if not bends:
            del self.fields["reason"]
        why = self.fields["why"]
        why.label, why.required = self.question, not self.data.get("usual", "").strip()
        why.error_messages["required"] = f"{self.question.removesuffix('?')}: say it in a few words"
        if not self.question:
            del self.fields["why"], self.fields["usual"]
        self.helper = FormHelper()
        self.helper.form_method = "post"
        self.helper.form_action = action
        self.helper.attrs = {"novalidate": True}
        asked = [name for name in ("seen", "reason", "notify") if name in self.fields]
        with_why = [HTML(FIRST_BUTTON), *asked, "why", HTML('{% include "desk/usual_why.html" %}')]
        self.helper.layout = Layout(*(with_why if self.question else asked), Submit("act", "Move"))

    @property
    def reasons(self) -> Reasons:
        said = self.cleaned_data
        reason = said.get("reason", "")
        return Reasons(findings=reason, time=said.get("usual") or said.get("why") or reason)
