"""The questions before a visit as fields of a form, and what was ticked as answers.

The names are stable, programs rely on them: ``q3`` is yes, no or unsure; ``q5_parts`` are the codes of ticked bullets,
beside ``q5`` for "None of these" (no) and "Not sure" (unsure); ``q3_date`` is a date in one field or three boxes.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from crispy_forms.layout import HTML, Div, Layout, Submit
from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html, format_html_join

from bookings.eligibility import Said
from bookings.forms.base import PatientForm
from bookings.forms.fields import DateBoxes, DayField, ForWhomField
from clinic.models import History
from clinic.screening import Answer, Answered, Asked

ANSWERS = [("yes", "Yes"), ("no", "No"), ("unsure", "Not sure")]
PRIVATE_ANSWERS = [("yes", "Yes"), ("no", "No"), ("unsure", "Not sure, or would rather not say")]
NONE, NOT_SURE = ("no", "None of these"), ("unsure", "Not sure")
YES_OR_NO = [("yes", "Yes"), ("no", "No")]
LAST_EXTRACTION, HAD_CONSULTATION = "last_extraction", "had_consultation"
EXTRACTION_DATE, EXTRACTION_WHEN = f"{LAST_EXTRACTION}_date", "If yes, on which day?"
# Nobody plans a cream further ahead than a visit can be booked.
LONGEST_AHEAD = dt.timedelta(days=400)
LONGEST_AGO = dt.timedelta(days=3660)
# So many parts name a question in a message.
NAMED = 2
Ticked = tuple[list[str], list[str]]


class TickList(forms.Widget):
    """Bullets as boxes, then "None of these" and "Not sure". Its value is (ticked codes, other words)."""

    template_name = "booking/tick_list.html"
    use_fieldset = True
    parts: Sequence[tuple[str, str]] = ()

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> Ticked:
        return _all(data, f"{name}_parts"), _all(data, name)

    def value_omitted_from_data(self, data: Any, files: MultiValueDict[str, Any], name: str) -> bool:
        return name not in data and f"{name}_parts" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        codes, said = value if isinstance(value, tuple) else ([], [])
        context["boxes"] = [(f"{name}_parts", code, text, code in codes) for code, text in self.parts]
        context["others"] = [(name, word, text, word in said) for word, text in (NONE, NOT_SURE)]
        context["is_invalid"] = context["widget"]["attrs"].get("aria-invalid") == "true"
        return context

    def id_for_label(self, id_: str) -> str:
        return ""


class TickListField(forms.Field):
    """Cleaned to ``Answered``, without its date."""

    # A class here, an instance of it in each field.
    widget: Any = TickList

    def __init__(self, *, parts: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = parts
        self.widget.parts = parts

    def clean(self, value: Ticked) -> Answered | None:
        codes, said = value
        if not codes and not said:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        known = {code for code, _ in self.parts}
        if not set(codes) <= known or not set(said) <= set(Answer):
            raise ValidationError("Tick boxes from the list", code="invalid_choice")
        if Answer.NO in said and (codes or len(set(said)) > 1):
            raise ValidationError("You ticked something and “None of these”. Untick one", code="both")
        answer = Answer.UNSURE if Answer.UNSURE in said else Answer.NO if Answer.NO in said else Answer.YES
        return Answered(answer, frozenset(codes))


class AnswerField(forms.ChoiceField):
    """Yes, no or not sure. Whether it is needed may depend on who answers, so it is never called optional."""

    depends = True


class PageField(AnswerField):
    """An answer that the pages need. A program that never heard of it sends no such field: it has said ``absent``."""

    def __init__(self, *, absent: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.absent = absent

    def clean(self, value: Any) -> Any:
        return self.absent if value is None else super().clean(value)


class DatedRadios(forms.RadioSelect):
    """Yes, no or not sure, with a date beside it. Who gives the date alone has said yes.

    A browser sends the boxes of the date, though nothing was chosen; a program that knows neither has said nothing.
    """

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> Any:
        boxes, date = DateBoxes(), f"{name}_date"
        if any(boxes.value_from_datadict(data, files, date)) and not data.get(name):
            return Answer.YES.value
        return data.get(name, None if boxes.value_omitted_from_data(data, files, date) else "")


class QuestionsForm(PatientForm):
    """The questions in ``asked``, and what of someone's ``history`` we do not know (pairs of kind and question).

    After ``is_valid()`` the answers are in ``answers``; ``initial`` may be ``initial_of`` what was said earlier.
    """

    form_id = "questions-form"
    # The codes of questions that are asked in private, and so not kept of what was said here.
    left_for_the_room: AbstractSet[str] = frozenset()
    # Whether nobody goes on without having told of earlier visits.
    needs_history = False

    def __init__(
        self,
        *args: Any,
        asked: Sequence[Asked],
        today: dt.date,
        history: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        self.asked = list(asked)
        self.today = today
        self.history = list(history)
        super().__init__(*args, **kwargs)
        self.fields.update(question_fields(self.asked, today))
        self.fields.update(history_fields(self.history, today, is_needed=self.needs_history))
        self.helper.layout = self.layout()

    def layout(self) -> Layout:
        return Layout(*grouped(self.fields, self.asked), Submit("", self.button, css_class="btn"))

    @property
    def answers(self) -> dict[str, Answered]:
        return answers_in(self.cleaned_data, self.asked)

    @property
    def earlier_visits(self) -> dict[str, Any]:
        return earlier_visits(self.cleaned_data)


class SkinForm(QuestionsForm):
    """The questions before any time is shown, and first of all who they are about."""

    needs_history = True

    for_whom = ForWhomField(help_text="Answer for the person who comes.")


def question_fields(asked: Sequence[Asked], today: dt.date) -> dict[str, forms.Field]:
    """By field name, in the order of the questions; a date stands after the question it belongs to."""
    fields: dict[str, forms.Field] = {}
    for each in asked:
        name = name_of(each.code)
        fields[name] = tick_list(each) if each.is_tick_list else _choice(each)
        if each.asks_date:
            fields[f"{name}_date"] = _date(each, today)
    return fields


def history_fields(history: Sequence[tuple[str, str]], today: dt.date, *, is_needed: bool) -> dict[str, forms.Field]:
    """What somebody is asked whose earlier visits we do not know."""
    fields: dict[str, forms.Field] = {}
    for kind, text in history:
        if kind == History.GAP:
            fields[LAST_EXTRACTION] = _extraction(text, is_needed=is_needed)
            fields[EXTRACTION_DATE] = _day(EXTRACTION_WHEN, "the last extraction", latest=today, today=today)
        else:
            fields[HAD_CONSULTATION] = forms.ChoiceField(
                label=text,
                choices=YES_OR_NO,
                widget=forms.RadioSelect,
                required=False,
                error_messages={"invalid_choice": "Select yes or no"},
            )
    return fields


def grouped(names: Iterable[str], asked: Sequence[Asked]) -> list[Any]:
    """The fields of a layout, each question in a card of its own with the date that belongs to it."""
    named = list(names)
    dates = {f"{name_of(each.code)}_date" for each in asked} | {EXTRACTION_DATE}
    questions = {name_of(each.code) for each in asked} | {"for_whom", LAST_EXTRACTION, HAD_CONSULTATION}
    return [
        Div(*(each for each in (name, f"{name}_date") if each in named), css_class="question")
        if name in questions
        else name
        for name in named
        if name not in dates
    ]


def was_asked(name: str) -> HTML:
    """So that a browser says that the question was on the page, though nothing was chosen."""
    return HTML(f'<input type="hidden" name="{name}" value="">')


def answers_in(cleaned: Mapping[str, Any], asked: Sequence[Asked]) -> dict[str, Answered]:
    """What was answered, by question code; what was left out, as it may be for some, is not there."""
    found: dict[str, Answered] = {}
    for each in asked:
        name = name_of(each.code)
        said = cleaned.get(name)
        if not said:
            continue
        answered = said if isinstance(said, Answered) else Answered(Answer(said))
        found[each.code] = _dated(answered, each, cleaned.get(f"{name}_date"))
    return found


def earlier_visits(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of them, by the names that a ``ScreeningRun`` and a ``Said`` have for it."""
    extraction, consultation = cleaned.get(LAST_EXTRACTION) or "", cleaned.get(HAD_CONSULTATION)
    return {
        "had_extraction": extraction,
        "last_extraction_on": None if extraction == Answer.NO else cleaned.get(EXTRACTION_DATE),
        "had_consultation": consultation == "yes" if consultation else None,
    }


def initial_of(said: Said, asked: Sequence[Asked]) -> dict[str, Any]:
    """What was said before as the fields show it."""
    initial: dict[str, Any] = {LAST_EXTRACTION: said.had_extraction, EXTRACTION_DATE: said.last_extraction_on}
    if said.had_consultation is not None:
        initial[HAD_CONSULTATION] = "yes" if said.had_consultation else "no"
    for each in asked:
        answered = said.answers.get(each.code)
        if answered is None:
            continue
        name, word = name_of(each.code), answered.answer.value
        is_bare = answered.answer is not Answer.YES or not answered.parts
        initial[name] = (sorted(answered.parts), [word] if is_bare else []) if each.is_tick_list else word
        initial[f"{name}_date"] = answered.date
    return initial


def name_of(code: str) -> str:
    """The field of a question: q5 for Q5."""
    return code.lower()


def _dated(answered: Answered, asked: Asked, date: dt.date | None) -> Answered:
    """With its date, where what was said has one."""
    dated = {part.code for part in asked.parts if part.asks_date}
    means_all = answered.answer is Answer.UNSURE or not answered.parts
    has_date = answered.answer is not Answer.NO and bool(dated) and (means_all or bool(dated & answered.parts))
    return Answered(answered.answer, answered.parts, date) if has_date else answered


def about(asked: Asked) -> str:
    """What a question is about, for a message: its first parts."""
    shorts = [part.short for part in asked.parts]
    return ", ".join(shorts[:NAMED]) + (" …" if len(shorts) > NAMED else "")


def _choice(asked: Asked) -> AnswerField:
    missing = f"Select yes, no or not sure: {about(asked) if len(asked.parts) == 1 else 'the signs above'}"
    return AnswerField(
        label=asked.lead,
        help_text=_bullets(asked) if len(asked.parts) > 1 else "",
        choices=PRIVATE_ANSWERS if asked.is_private else ANSWERS,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
    )


def _extraction(text: str, *, is_needed: bool) -> AnswerField:
    missing = "Select yes, no or not sure: an earlier extraction"
    messages = {"required": missing, "invalid_choice": missing}
    return PageField(label=text, choices=ANSWERS, widget=DatedRadios, required=is_needed, error_messages=messages)


def tick_list(asked: Asked) -> TickListField:
    return TickListField(
        label=asked.lead,
        parts=[(part.code, part.text) for part in asked.parts],
        error_messages={"required": f"Tick what is true, or “None of these”: {about(asked)}"},
    )


def _date(asked: Asked, today: dt.date) -> DayField:
    latest = today + LONGEST_AHEAD if asked.may_be_ahead else today
    return _day(asked.date_label, about(asked), latest=latest, today=today)


def _day(label: str, of: str, *, latest: dt.date, today: dt.date) -> DayField:
    field = DayField(label=label, required=False, help_text=f"For example, {today.day} {today.month} {today.year}")
    field.latest, field.earliest, field.depends = latest, today - LONGEST_AGO, True
    field.example = f"{today.day} {today.month} {today.year}"
    field.names = f"The date for {of}"
    return field


def _bullets(asked: Asked) -> str:
    items = format_html_join("", "<li>{}</li>", ((part.text,) for part in asked.parts))
    return format_html("<ul>{}</ul>", items)


def _all(data: Any, name: str) -> list[str]:
    """Every value of a name; a plain mapping may hold a list, or one value."""
    if hasattr(data, "getlist"):
        return [str(value) for value in data.getlist(name)]
    value = data.get(name)
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
