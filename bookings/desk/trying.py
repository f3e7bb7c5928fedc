"""Answers in, verdict out: what the rules make of answers that nobody gave. Nothing of it is stored."""

import dataclasses
import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict

from bookings import eligibility
from bookings.eligibility import FROM_HISTORY, Outlook, Said
from bookings.forms import QuestionsForm
from clinic import screening, words
from clinic.intervals import day_start, instant_of
from clinic.models import Clinic, Grade, Location, Service
from clinic.models.shown import Versions, as_edited, shown
from clinic.screening import Finding, Outcome, Rulebook

SHOWN, EDITED = "shown", "edited"
VERSIONS: dict[str, Versions] = {SHOWN: shown, EDITED: as_edited}
SELECT = {"class": "form-select"}
NOON, FARTHEST = dt.timedelta(hours=12), dt.timedelta(days=731)


class Day(forms.DateField):
    """A day near enough to be counted from."""

    widget = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")


class VisitForm(forms.Form):
    """For which visit: it holds no answers, so it may stand in the address."""

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="slug", empty_label=None, widget=forms.Select(attrs=SELECT)
    )
    today = Day(label="Answered on")
    visit = Day(label="Day of the visit")
    words = forms.ChoiceField(
        label="Rules",
        choices=[(SHOWN, "As patients meet them"), (EDITED, "As edited, with what waits for a signature")],
        widget=forms.Select(attrs=SELECT),
    )

    def clean_today(self) -> dt.date:
        return self._near("today")

    def clean_visit(self) -> dt.date:
        return self._near("visit")

    def _near(self, name: str) -> dt.date:
        date: dt.date = self.cleaned_data[name]
        if abs(date - self.get_initial_for_field(self.fields["today"], "today")) > FARTHEST:
            raise forms.ValidationError("Choose a day within the next or last two years.")
        return date


class TryOutForm(QuestionsForm):
    """All questions of a service; what is left out counts as not answered."""

    form_id = "try-out-form"
    button = "Show the verdict"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False


@dataclasses.dataclass(frozen=True)
class Visit:
    """What is tried: a service at the first location, on a day, by the rules as they stand or as they were edited."""

    clinic: Clinic
    location: Location
    service: Service
    today: dt.date
    date: dt.date
    versions: Versions
    book: Rulebook


@dataclasses.dataclass(frozen=True)
class Row:
    """One rule that the answers set off, and with which grades."""

    rule: str
    version: int
    about: str
    verdict: str
    until: dt.date | None
    grades: str


@dataclasses.dataclass(frozen=True)
class Result:
    """By grade: the verdict on that day, and the first safe date whatever the day."""

    verdicts: list[tuple[str, str, dt.date | None]]
    rows: list[Row]
    reasons: list[str]
    texts: list[tuple[str, str]]


def visit_form(data: QueryDict, now: dt.datetime) -> VisitForm:
    """What the address asks for; where it asks for nothing, the first service today."""
    location, service = Location.objects.first(), Service.objects.first()
    today = now.astimezone(location.zone if location else dt.UTC).date()
    usual = {"service": service.slug if service else "", "today": today, "visit": today, "words": SHOWN}
    return VisitForm(data if "service" in data else usual, initial=usual)


def visit_of(form: VisitForm) -> Visit | None:
    """None where nothing can be tried: a clinic that is not set up, or an address that names no visit."""
    clinic, location = Clinic.objects.first(), Location.objects.first()
    if clinic is None or location is None or not form.is_valid():
        return None
    chosen, versions = form.cleaned_data, VERSIONS[form.cleaned_data["words"]]
    return Visit(
        clinic=clinic,
        location=location,
        service=chosen["service"],
        today=chosen["today"],
        date=chosen["visit"],
        versions=versions,
        book=screening.rulebook(clinic, versions),
    )


def form_for(visit: Visit, data: QueryDict | None) -> TryOutForm:
    history = eligibility.history_asked(visit.service, visit.versions)
    return TryOutForm(data, asked=visit.book.asked(visit.service.codes), history=history, today=visit.today)


def result(visit: Visit, form: TryOutForm) -> Result:
    """What ``form``'s answers mean for ``visit``."""
    said = Said(form.answers, **form.earlier_visits)
    outlook = _outlook(visit, said)
    by_grade = {grade: outlook.outcome(grade, visit.date) for grade in outlook.by_grade}
    return Result(
        verdicts=[
            (str(Grade(grade).label), found.verdict.label, _wait(outlook, grade)) for grade, found in by_grade.items()
        ],
        rows=_rows(by_grade, outlook),
        reasons=outlook.reasons,
        texts=_texts(form, outlook, by_grade),
    )


def _outlook(visit: Visit, said: Said) -> Outlook:
    return eligibility.outlook(
        service=visit.service,
        location=visit.location,
        clinic=visit.clinic,
        said=said,
        book=visit.book,
        versions=visit.versions,
        now=instant_of(day_start(visit.today, visit.location.zone)) + NOON,
    )


def _wait(outlook: Outlook, grade: str) -> dt.date | None:
    """The first safe date where the answers ask for a wait that is not over yet."""
    until = outlook.not_before(grade)
    return until if until and until > outlook.today else None


def _rows(by_grade: dict[str, Outcome], outlook: Outlook) -> list[Row]:
    """Each finding once, strictest first, with the grades it holds for."""
    grades: dict[Finding, list[str]] = {}
    for grade, outcome in by_grade.items():
        for found in outcome.findings:
            grades.setdefault(found, []).append(grade)
    everybody = len(by_grade)
    ordered = sorted(grades, key=lambda found: -screening.MILDEST_FIRST.index(found.verdict))
    return [
        Row(
            rule=found.rule,
            version=found.version,
            about=outlook.texts[found.rule] if found.question == FROM_HISTORY else f"{found.question}: {found.short}",
            verdict=found.verdict.label,
            until=found.until,
            grades="" if len(grades[found]) == everybody else ", ".join(str(Grade(g).label) for g in grades[found]),
        )
        for found in ordered
    ]


def _texts(form: TryOutForm, outlook: Outlook, by_grade: dict[str, Outcome]) -> list[tuple[str, str]]:
    """The advice a patient reads after these answers, by question."""
    set_off = {code for outcome in by_grade.values() for code in outcome.questions()} - {FROM_HISTORY}
    first = outlook.first_safe_date
    earliest = words.day(first) if first else "the date we give you"
    return [
        (asked.code, asked.advice.replace("{{earliest_date}}", earliest))
        for asked in form.asked
        if asked.code in set_off
    ]
