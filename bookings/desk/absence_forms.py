"""What staff type about who is away and until when."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout, Submit
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from bookings.desk.board import EARLIEST, LATEST
from bookings.desk.forms import post_form
from bookings.forms.fields import refuse_hidden_characters
from clinic.intervals import instant_of, wall_minute, whole_days
from clinic.models import Absence, Location, Resource
from clinic.models.resources import ResourceKind

MIDNIGHT = dt.time(0)
GROUPS = {
    ResourceKind.PRACTITIONER: "People",
    ResourceKind.ROOM: "Rooms",
    ResourceKind.EQUIPMENT: "Equipment",
}
HOUSE = "house:"


def _day(label: str, *, required: bool = True, hint: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=hint,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        error_messages={"required": "Choose a day", "invalid": "Choose a day"},
    )


def _time(label: str) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": "Enter a time, like 09:30"},
    )


class AbsenceForm(forms.Form):
    """Who is away, from when until when. After ``is_valid()`` ``who`` and ``times`` are what the verb wants."""

    who = forms.ChoiceField(label="Who or what", error_messages={"required": "Choose who or what is away"})
    first = _day("First day")
    last = _day("Last day", required=False, hint="Empty: the same day.")
    all_day = forms.BooleanField(label="All day", required=False)
    begins = _time("From")
    ends = _time("Until")
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=120,
        help_text="Staff see it on the day. Patients never do.",
        validators=[refuse_hidden_characters],
    )

    def __init__(
        self, *args: Any, houses: Sequence[Location], things: Sequence[Resource], usual: dt.tzinfo, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.known: dict[str, Resource | Location] = {}
        self.usual = usual
        choices: list[tuple[str, Any]] = [("", "Choose"), ("The whole house", self._choices(houses))]
        by_kind = {kind: [each for each in things if each.kind == kind] for kind in GROUPS}
        choices += [(name, self._choices(by_kind[kind])) for kind, name in GROUPS.items()]
        field = self.fields["who"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [choice for choice in choices if choice[1]]
        when = Div("first", "last", "all_day", "begins", "ends", css_class="away-when")
        self.helper = post_form("See what it affects")
        self.helper.layout = Layout("who", when, "reason", Submit("act", "See what it affects"))

    def _choices(self, found: Iterable[Resource | Location]) -> list[tuple[str, str]]:
        named = {code_of(each): each for each in found}
        self.known |= named
        return [(code, each.name) for code, each in named.items()]

    @property
    def who_is_away(self) -> Resource | Location:
        return self.known[self.cleaned_data["who"]]

    @property
    def times(self) -> dict[str, dt.datetime]:
        return {"starts_at": self.cleaned_data["starts_at"], "ends_at": self.cleaned_data["ends_at"]}

    @property
    def zone(self) -> dt.tzinfo:
        """Of the house that is closed or in which the thing stands; people go by the ``usual`` one."""
        who = self.known.get(self.cleaned_data.get("who", ""))
        house = who if isinstance(who, Location) else who.location if who else None
        return house.zone if house else self.usual

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if not self.errors:
            said |= self._stretch(said)
        return said

    def _stretch(self, said: dict[str, Any]) -> dict[str, Any]:
        """From and until as instants, or the field in which something is wrong."""
        first, last = said["first"], said.get("last") or said["first"]
        begins, ends = said.get("begins"), said.get("ends")
        if last < first:
            self.add_error("last", "Choose a last day that is not before the first")
        elif said["all_day"] and (begins, ends) != (None, None):
            self.add_error("all_day", "Untick “All day”, or leave the times empty")
        elif said["all_day"]:
            starts_at, ends_at = whole_days(first, last, self.zone)
            return {"last": last, "starts_at": starts_at, "ends_at": ends_at}
        elif begins is not None and ends is not None:
            return self._timed(first, last, begins, ends)
        else:
            for name in ("begins", "ends"):
                if said.get(name) is None:
                    self.add_error(name, "Enter a time, or tick “All day”")
        return {}

    def _timed(self, first: dt.date, last: dt.date, begins: dt.time, ends: dt.time) -> dict[str, Any]:
        starts_at = instant_of(wall_minute(first, begins, self.zone))
        ends_at = instant_of(wall_minute(last, ends, self.zone, is_end=True))
        if ends == MIDNIGHT:
            ends_at = whole_days(last, last, self.zone)[1]
        if ends_at <= starts_at:
            self.add_error("ends", "Choose an end after the beginning")
            return {}
        return {"last": last, "starts_at": starts_at, "ends_at": ends_at}


class LeavingForm(forms.Form):
    """From which day on nothing is booked with somebody."""

    on = _day("First day without visits", hint="The last visits are on the day before.")

    helper = FormHelper()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = post_form("See what it affects", "on")


def code_of(who: Resource | Location) -> str:
    return who.slug if isinstance(who, Resource) else HOUSE + who.slug


def typed_of(absence: Absence, zone: dt.tzinfo) -> dict[str, Any]:
    """An absence as the form shows it."""
    who = absence.resource or absence.location
    assert who is not None, "an absence is somebody's, or a house's"
    starts, ends = absence.starts_at.astimezone(zone), absence.ends_at.astimezone(zone)
    ends_at_midnight = ends.time() == MIDNIGHT
    last = ends.date() - dt.timedelta(days=ends_at_midnight)
    is_all_day = starts.time() == MIDNIGHT and ends_at_midnight
    times = {} if is_all_day else {"begins": starts.time(), "ends": ends.time()}
    return {
        "who": code_of(who),
        "first": starts.date(),
        "last": last if last != starts.date() else None,
        "all_day": is_all_day,
        "reason": absence.reason,
        **times,
    }
