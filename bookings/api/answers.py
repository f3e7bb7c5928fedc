"""The questions as JSON, and JSON answers as the form fields that the pages send: one set of rules for both."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from bookings.api.bodies import Errors, Fields
from bookings.forms import QuestionsForm, name_of
from bookings.forms.base import PatientForm
from clinic.screening import Answer, Asked, Rulebook

BY_CODE = "Name each question once, by its code, such as Q1."
BOTH = "Send either ticked parts or “no”, not both."
SHAPE = "Send “yes”, “no” or “unsure”, or an object with answer, parts and date."

# What is said of them, by the names of the pages' fields.
EARLIER_VISITS = ("last_extraction", "last_extraction_date", "had_consultation")

FormData = dict[str, Any]


def form_data(fields: Fields, book: Rulebook) -> FormData:
    """``answers`` and what is said of earlier visits, as the pages would send it; ``fields`` gathers what is wrong.

    Answers to questions that are not asked for this service do no harm: the form does not look at them.
    """
    data: FormData = {name: fields.text(name) for name in ("last_extraction", "last_extraction_date")}
    had = fields.flag("had_consultation")
    if had is not None:
        data["had_consultation"] = "yes" if had else "no"
    said = fields.object("answers")
    return data if said is None else data | _questions(said, book)


def heard(data: FormData, book: Rulebook, today: dt.date, *, history: Iterable[tuple[str, str]] = ()) -> QuestionsForm:
    """Whatever was answered, of all questions that there are; validated."""
    said = [each for each in book.questions if name_of(each.code) in data]
    form = QuestionsForm(data, asked=said, history=list(history), today=today)
    form.is_valid()
    return form


def errors_of(form: PatientForm, asked: Iterable[Asked], places: dict[str, str] | None = None) -> Errors:
    """What is wrong, by where in the JSON it stands. ``places`` are those of fields that stand elsewhere."""
    paths = dict(places or {})
    for each in asked:
        name = name_of(each.code)
        paths |= {name: f"answers.{each.code}", f"{name}_date": f"answers.{each.code}.date"}
    return {paths.get(name, name): [str(message) for message in messages] for name, messages in form.errors.items()}


def _questions(said: Fields, book: Rulebook) -> FormData:
    known = {each.code: each for each in book.questions}
    data: FormData = {}
    for name in said.body:
        asked = known.get(name.upper())
        if asked is None or name_of(asked.code) in data:
            said.errors.setdefault("answers", []).append(BY_CODE)
        else:
            data |= _one(said, name, asked)
    return data


def _one(said: Fields, name: str, asked: Asked) -> FormData:
    field, value = name_of(asked.code), said.body[name]
    if isinstance(value, str):
        return {field: value}
    if not isinstance(value, dict):
        said.wrong(name, SHAPE)
        return {}
    answered = Fields(value, f"answers.{asked.code}.", said.errors)
    answered.only("answer", "parts", "date")
    answer, parts, date = answered.text("answer"), answered.texts("parts"), answered.text("date")
    return {field: _word(said, name, asked, answer, parts), f"{field}_parts": parts, f"{field}_date": date}


def _word(said: Fields, name: str, asked: Asked, answer: str, parts: list[str]) -> Any:
    """Any bullet of a question that is answered as a whole means yes. Both at once is nobody's answer."""
    if asked.is_tick_list:
        return [answer] if answer else []
    if parts and answer == Answer.NO:
        said.wrong(name, BOTH)
    return Answer.YES.value if parts and not answer else answer
