"""What is asked around a visit: after squeezing, and how the skin is afterwards."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from crispy_forms.layout import Div, Layout, Submit
from django import forms

from bookings.forms.questions import ANSWERS, PageField, QuestionsForm, grouped, tick_list, was_asked
from clinic import screening
from clinic.screening import Answer, Answered, Asked, Rulebook, RuleShown

SQUEEZED_ASKS = {"Q1", "Q2", "Q7"}
# Of Q7 only what squeezing itself may have done.
SKIN_NOW, BROKEN = "Q7", "q7-broken"
HOW = [("calmer", "Calmer"), ("same", "About the same"), ("worse", "Worse")]


class RecheckForm(QuestionsForm):
    """What may be new since the visit was booked, and whether that has healed which must.

    ``must_heal`` are the rules of the visit that ask for it, ``told`` those of them that an earlier answer set off.
    """

    form_id = "recheck-form"
    button = "Send my answers"

    def __init__(
        self,
        *args: Any,
        must_heal: Sequence[RuleShown] = (),
        told: Sequence[RuleShown] = (),
        visit_date: dt.date,
        **kwargs: Any,
    ) -> None:
        self.must_heal, self.visit_date = must_heal, visit_date
        self.healed = {_healed_name(rule): _healed(rule) for rule in told}
        super().__init__(*args, **kwargs)
        self.fields = {**self.healed, **self.fields}
        self.helper.layout = self.layout()

    def layout(self) -> Layout:
        asked = [name for name in self.fields if name not in self.healed]
        return Layout(*self.healing(), *grouped(asked, self.asked), Submit("", self.button, css_class="btn"))

    def healing(self) -> list[Div]:
        return [Div(was_asked(name), name, css_class="question") for name in self.healed]

    @property
    def answers(self) -> dict[str, Answered]:
        """What has not healed, or may not have, is there: a yes, whatever else was said of it."""
        answers = super().answers
        for rule in self.must_heal:
            healed = self.cleaned_data.get(_healed_name(rule), "")
            if is_there := _still_there(rule, answers.get(rule.question), healed, self.visit_date):
                answers[rule.question] = is_there
        return answers


class HealedForm(RecheckForm):
    """Has it healed? And nothing else is new."""

    form_id = "healed-form"
    button = "Nothing else is new"

    anything_new = forms.CharField(widget=forms.HiddenInput, initial="no")

    def layout(self) -> Layout:
        return Layout("anything_new", *self.healing(), Submit("", self.button, css_class="btn"))


def _healed_name(rule: RuleShown) -> str:
    return f"{rule.part}_healed"


def _healed(rule: RuleShown) -> PageField:
    missing = f"Select yes, no or not sure: has {rule.short} healed?"
    return PageField(
        absent=Answer.UNSURE,
        label=f"You told us about {rule.short}. Has it healed completely?",
        choices=ANSWERS,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
    )


def _still_there(rule: RuleShown, said: Answered | None, healed: str, visit_date: dt.date) -> Answered | None:
    """The yes that it is, without a date that is long enough ago: a clinician looks. None where it has healed."""
    is_told_now = screening.is_set_off(rule, said)
    if healed == Answer.YES or not (healed or is_told_now):
        return None
    if said is None or said.answer is Answer.NO:
        return Answered(Answer.YES, frozenset({rule.part}))
    is_long_ago = said.date is None or said.date + dt.timedelta(days=rule.days or 0) <= visit_date
    parts = said.parts | {rule.part} if said.parts else said.parts
    return dataclasses.replace(said, parts=parts, date=None if is_long_ago else said.date)


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
