"""What is asked around a visit: after squeezing, and how the skin is afterwards."""

import dataclasses
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from crispy_forms.layout import Div, Layout, Submit
from django import forms

from bookings.forms.questions import QuestionsForm, grouped, tick_list
from clinic.screening import Answer, Answered, Asked, Rulebook

SQUEEZED_ASKS = {"Q1", "Q2", "Q7"}
# Of Q7 only what squeezing itself may have done.
SKIN_NOW, BROKEN = "Q7", "q7-broken"
HOW = [("calmer", "Calmer"), ("same", "About the same"), ("worse", "Worse")]


class RecheckForm(QuestionsForm):
    """What may be new since the visit was booked."""

    form_id = "recheck-form"
    button = "Send my answers"


class SqueezedForm(QuestionsForm):
    """Warning signs, a sore spot, broken skin: as far as the service asks for them."""

    form_id = "squeezed-form"
    button = "Tell us"

    def __init__(self, *args: Any, asked: Sequence[Asked], **kwargs: Any) -> None:
        super().__init__(*args, asked=asked, **kwargs)
        for each in self.asked:
            if each.code == SKIN_NOW:
                self.fields["q7"] = tick_list(each)

    @property
    def answers(self) -> dict[str, Answered]:
        """A yes, or not sure, means broken skin: nothing else was asked."""
        answers = super().answers
        broken = answers.get(SKIN_NOW)
        if broken is not None and broken.answer is not Answer.NO:
            answers[SKIN_NOW] = Answered(Answer.YES, frozenset({BROKEN}), broken.date)
        return answers


def squeezed_questions(book: Rulebook, codes: AbstractSet[str]) -> list[Asked]:
    """Of a service with these codes, what matters after squeezing."""
    return [_about_breaks(each) for each in book.asked(codes) if each.code in SQUEEZED_ASKS]


def _about_breaks(asked: Asked) -> Asked:
    parts = tuple(part for part in asked.parts if part.code == BROKEN)
    return dataclasses.replace(asked, parts=parts) if parts else asked


class CheckInForm(QuestionsForm):
    """Warning signs first, then how the skin is."""

    form_id = "check-in-form"
    button = "Send"

    how = forms.ChoiceField(
        label="How is your skin now?",
        choices=HOW,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select calmer, about the same or worse",
            "invalid_choice": "Select calmer, about the same or worse",
        },
    )

    def layout(self) -> Layout:
        asked = [each for each in grouped(self.fields, self.asked) if each != "how"]
        return Layout(*asked, Div("how", css_class="question"), Submit("", self.button, css_class="btn"))
