"""What is asked while a visit is booked at the desk: which time, and who comes."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dateparse import parse_datetime

from bookings import lifecycle
from bookings.desk.board import EARLIEST, LATEST
from bookings.forms.fields import one_line, refuse_hidden_characters
from clinic.intervals import instant_of, wall_minute
from clinic.models import Location, Resource, Service

ANYONE = "any"
CHOOSE = "Choose a time from the list."


def _day() -> forms.DateField:
    return forms.DateField(
        label="Day",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        error_messages={"invalid": "Choose a day"},
    )


def _clock(label: str) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": "Enter a time, like 16:00"},
    )


class FinderForm(forms.Form):
    """The plain twin of the phrase: which visit, on which day, at which hours, with whom."""

    date = _day()
    after = _clock("After")
    before = _clock("Before")

    def __init__(
        self,
        *args: Any,
        services: Sequence[Service],
        people: Sequence[Resource],
        locations: Sequence[Location],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        named = [(each.slug, f"{each.title}, {each.minutes} min") for each in services]
        self.fields["service"] = _choice("Service", [("", "Choose a service"), *named])
        self.fields["practitioner"] = _choice(
            "With", [(ANYONE, "Anyone"), *((each.slug, each.name) for each in people)]
        )
        names = ["service", "date", "after", "before", "practitioner"]
        if len(locations) > 1:
            self.fields["location"] = _choice("At", _named(locations))
            names.append("location")
        self.order_fields(names)
        fields: dict[str, Any] = self.fields
        for field in fields.values():
            # Empty means any: nothing here is an extra.
            field.depends = True
        self.fields["patient"] = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
        self.fields["caller"] = forms.CharField(required=False, widget=forms.HiddenInput)
        # Never in the form as it is shown: a new search begins at the beginning.
        self.fields["later"] = forms.CharField(required=False)
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.attrs = {"novalidate": True}
        self.helper.form_class = "move-search"
        self.helper.layout = Layout("patient", "caller", *names, Submit("", "Show times", css_class="quiet"))


class PickForm(forms.Form):
    """A time that was pressed, or typed. ``chosen`` is what the verb wants to know of it.

    ``slot`` is what a button of ours sends: the time and the person. ``reason`` is why a rule may be bent, ``caller``
    whom it is for before anybody has a name.
    """

    service = forms.ModelChoiceField(
        Service.objects.all(), to_field_name="slug", error_messages={"required": "Choose a service"}
    )
    location = forms.ModelChoiceField(Location.objects.all(), to_field_name="slug", required=False)
    slot = forms.CharField(required=False, max_length=120)
    practitioner = forms.ModelChoiceField(Resource.objects.practitioners(), to_field_name="slug", required=False)
    date = _day()
    time = _clock("Time")
    reason = forms.CharField(required=False, max_length=500, validators=[refuse_hidden_characters])
    own_reason = forms.CharField(required=False, max_length=500, validators=[refuse_hidden_characters])
    patient = forms.IntegerField(required=False, min_value=1)
    caller = forms.CharField(required=False, max_length=20)

    def __init__(self, data: Any, *, home: Location) -> None:
        self.home = home
        if data.get("practitioner") == ANYONE:
            data = data.copy()
            data["practitioner"] = ""
        super().__init__(data)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["location"] = cleaned.get("location") or self.home
        cleaned["reason"] = one_line(cleaned.get("own_reason") or cleaned.get("reason") or "")
        start = self._pressed(cleaned) if cleaned.get("slot") else self._typed(cleaned)
        if start is None:
            raise forms.ValidationError(CHOOSE if cleaned.get("slot") else "Choose a day and a time")
        cleaned["start"] = start
        return cleaned

    @property
    def chosen(self) -> lifecycle.Slot:
        said = self.cleaned_data
        return lifecycle.Slot(
            service=said["service"], location=said["location"], practitioner=said["practitioner"], start=said["start"]
        )

    def _pressed(self, cleaned: dict[str, Any]) -> dt.datetime | None:
        """An instant; wall time without an offset could mean two of them, so it is refused."""
        start, _, rest = cleaned["slot"].partition("|")
        who, _, _ = rest.partition("|")
        cleaned["practitioner"] = Resource.objects.practitioners().filter(slug=who).first()
        if who != ANYONE and cleaned["practitioner"] is None:
            return None
        return instant(start)

    def _typed(self, cleaned: dict[str, Any]) -> dt.datetime | None:
        if not (cleaned.get("date") and cleaned.get("time")):
            return None
        return instant_of(wall_minute(cleaned["date"], cleaned["time"], cleaned["location"].zone))


def instant(text: str) -> dt.datetime | None:
    """A moment as the addresses of the desk name it."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    is_near = found is not None and EARLIEST <= found.date() <= LATEST
    return found if found and is_near and found.tzinfo else None


def _named(rows: Sequence[Resource] | Sequence[Location]) -> list[tuple[str, str]]:
    return [(each.slug, each.name) for each in rows]


def _choice(label: str, choices: Iterable[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=list(choices), required=False, error_messages={"invalid_choice": "Choose from the list"}
    )
