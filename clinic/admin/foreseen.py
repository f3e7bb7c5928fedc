"""Before hours get shorter or somebody is retired: which visits that touches, and how next week would look.

Both are found by saving, looking, and taking the save back: what is shown is exactly what would be.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic import words
from clinic.intervals import ONE_DAY, instant_of
from clinic.models import Location, Resource
from clinic.models.resources import ResourceKind
from clinic.opening import Opening, openings

# Field names of the form that are about the page and not about the row.
PREVIEW, SEEN = "_preview", "_seen"
# Where a request keeps the visits that could not stay even before the change.
BEFORE = "clinic.touched_before"
MOST_SHOWN = 20
DAYS = 7


@dataclass(frozen=True)
class Touched:
    """A visit that could not stay as it is: in words, why, and where it is looked at."""

    title: str
    reason: str
    address: str


# Which visits cannot stay as things are now, by an id of theirs. What knows visits stands higher and comes in here.
Find = Callable[[dt.datetime], Mapping[int, Touched]]
finders: list[Find] = []


@dataclass(frozen=True)
class OpenDay:
    date: dt.date
    times: tuple[str, ...]


@dataclass(frozen=True)
class OpenWeek:
    """The next seven days of one person, or of the house, at one place; a day's ``times`` are empty when closed."""

    title: str
    days: tuple[OpenDay, ...]


class Foreseen(Exception):
    """What a save would do; raising it takes the save back."""

    def __init__(self, subject: Any, *, weeks: Sequence[OpenWeek] = (), touched: Sequence[Touched] = ()) -> None:
        super().__init__()
        self.subject, self.weeks, self.touched = subject, weeks, touched


class ForeseeingAdmin(admin.ModelAdmin):
    """Shows what a change would do before it is done. Subclasses say whose weeks to show."""

    change_form_template = "admin/foreseen_form.html"

    def people(self, obj: Any) -> Q | None:
        """Whose open times a preview shows; None for a screen without one."""
        return None

    def get_actions(self, request: HttpRequest) -> Any:
        """Many at once would pass by what is foreseen: rows are deleted one by one."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {"has_preview": self._has_preview(), **(extra_context or {})}
        if request.method != "POST":
            shown = self.get_object(request, object_id) if object_id else None
            context["weeks"] = self._weeks(shown) if shown is not None else []
        return self._looking_ahead(request, super().changeform_view, object_id, form_url, context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        return self._looking_ahead(request, super().delete_view, object_id, extra_context)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self._look(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self._look(request, obj)
        return super().response_change(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        self._look(request, None)
        return super().response_delete(request, obj_display, obj_id)

    def _looking_ahead(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> Any:
        """Run Django's view, which saves inside a transaction; when the change only was to be looked at, show it."""
        request.META[BEFORE] = set(_touched(timezone.now())) if request.method == "POST" else set()
        try:
            return view(request, *args)
        except Foreseen as foreseen:
            return self._shown(request, foreseen)

    def _look(self, request: HttpRequest, obj: Any) -> None:
        """Raises Foreseen, which takes the save back, for a preview and for a change that touches visits."""
        if PREVIEW in request.POST:
            raise Foreseen(obj, weeks=self._weeks(obj))
        if SEEN in request.POST:
            return
        before: set[int] = request.META[BEFORE]
        added = [each for pk, each in _touched(timezone.now()).items() if pk not in before]
        if added:
            raise Foreseen(obj, touched=added)

    def _shown(self, request: HttpRequest, foreseen: Foreseen) -> HttpResponse:
        """All that was typed goes along, so that one more press saves it."""
        typed = [(name, value) for name, values in request.POST.lists() for value in values if not _is_ours(name)]
        context = {
            **self.admin_site.each_context(request),
            "title": "What this change would do",
            "opts": self.opts,
            "original": foreseen.subject,
            "typed": typed,
            "weeks": foreseen.weeks,
            "touched": foreseen.touched[:MOST_SHOWN],
            "count": len(foreseen.touched),
            "more": len(foreseen.touched) - MOST_SHOWN,
            "seen": SEEN,
        }
        return render(request, "admin/foreseen.html", context)

    def _has_preview(self) -> bool:
        return type(self).people is not ForeseeingAdmin.people

    def _weeks(self, obj: Any) -> list[OpenWeek]:
        whose = self.people(obj)
        return open_weeks(whose, timezone.now()) if whose is not None else []


def open_weeks(whose: Q, now: dt.datetime) -> list[OpenWeek]:
    """The coming week at each place, for the house and for those of ``whose`` who ever work there."""
    found = []
    for location in Location.objects.all():
        first = now.astimezone(location.zone).date()
        here = Q(kind=ResourceKind.PRACTITIONER, opening_hours__location=location)
        people = list(Resource.objects.filter(whose & here).distinct())
        house = Resource(kind=ResourceKind.ROOM, location=location)
        opening = openings(location=location, resources=[house, *people], first=first, until=first + DAYS * ONE_DAY)
        named = [(f"{location.name}, the house", opening[house.pk])]
        named += [(f"{each.name}, {location.name}", opening[each.pk]) for each in people]
        found += [OpenWeek(title, _days(of, first, location)) for title, of in named]
    return found


def _days(opening: Opening, first: dt.date, location: Location) -> tuple[OpenDay, ...]:
    spans = [(instant_of(start), instant_of(end)) for start, end in opening.free]
    local = [(start.astimezone(location.zone), end.astimezone(location.zone)) for start, end in spans]
    dates = (first + ONE_DAY * number for number in range(DAYS))
    return tuple(OpenDay(date, tuple(_said(local, date))) for date in dates)


def _said(local: Iterable[tuple[dt.datetime, dt.datetime]], date: dt.date) -> Iterable[str]:
    return (f"{words.clock(start)} to {words.clock(end)}" for start, end in local if start.date() == date)


def _touched(now: dt.datetime) -> dict[int, Touched]:
    found: dict[int, Touched] = {}
    for find in finders:
        found |= find(now)
    return found


def _is_ours(name: str) -> bool:
    return name in {PREVIEW, SEEN, "csrfmiddlewaretoken"}
