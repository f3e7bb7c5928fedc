"""Who and what is away, and when the house is closed: looked up, entered, changed and taken back."""

import dataclasses
import datetime as dt
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bookings import displaced
from bookings.desk import counted
from bookings.desk.absence_forms import GROUPS, MIDNIGHT, AbsenceForm, typed_of
from bookings.desk.acting import form_page, typed
from bookings.desk.doors import adds_absences, changes_absences, notices, sees_absences, user_of
from clinic import absences as verbs
from clinic import words
from clinic.intervals import whole_days
from clinic.models import Absence, Location, OpeningHours, Resource

MOST_SHOWN = 300
# As many of the visits that an absence affects are named before it is saved.
NAMED = 20
KINDS: list[str] = list(GROUPS)


@dataclasses.dataclass(frozen=True)
class Row:
    """One absence, or one closure of a house, as the list shows it."""

    absence: Absence
    has_begun: bool

    @property
    def who(self) -> Resource | Location | None:
        return self.absence.resource or self.absence.location

    @property
    def when(self) -> str:
        return stretch_words(self.absence.starts_at, self.absence.ends_at, _zone_of(self.absence))


@never_cache
@require_safe
@sees_absences
def absences(request: HttpRequest) -> HttpResponse:
    """What is coming, by person, room and house; and one press for who is ill today."""
    now = timezone.now()
    found = sorted(_coming(now)[:MOST_SHOWN], key=_place)
    rows = [Row(each, each.starts_at <= now) for each in found]
    groups = [(who, list(theirs)) for who, theirs in groupby(rows, key=lambda row: row.who)]
    context = {
        **_head(now),
        "groups": groups,
        "working": _working_today(now, found),
        "to_move": displaced.count(displaced.everybody(), now=now),
        "people": Resource.objects.practitioners().in_use(timezone.localdate(now)),
    }
    return render(request, "desk/absences.html", context)


@never_cache
@form_page
@adds_absences
def add(request: HttpRequest) -> HttpResponse:
    """The form, then the visits that it affects, then saved. ``who``, ``date``, ``from`` and ``to`` fill it in."""
    now = timezone.now()
    form = _form(request, initial=_asked(request, now))

    def save() -> Absence:
        return verbs.enter(
            form.who_is_away, **form.times, reason=form.cleaned_data["reason"], by=user_of(request), now=now
        )

    return _in_two_steps(request, form, save, now, {"heading": "Block time"})


@never_cache
@form_page
@changes_absences
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Other times or another reason, in the same two steps. A public holiday is opened and closed on its own page."""
    now = timezone.now()
    absence = get_object_or_404(_coming(now).filter(holiday_on=None), pk=pk)
    zone = _zone_of(absence)
    form = _form(request, initial=typed_of(absence, zone), only=absence.resource or absence.location)

    def save() -> Absence:
        reason = form.cleaned_data["reason"]
        return verbs.change(absence, **form.times, reason=reason, by=user_of(request), now=now)

    return _in_two_steps(request, form, save, now, {"heading": "Change the time away", "absence": absence})


@never_cache
@require_POST
@changes_absences
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """End it now, or take it back. A second press changes nothing."""
    absence = Absence.objects.select_related("resource", "location").filter(pk=pk).first()
    if absence is not None and verbs.lift(absence, by=user_of(request), now=timezone.now()):
        messages.success(request, f"{absence.resource or absence.location} is back in the diary.")
        counted.forget()
    return redirect("desk:absences")


@never_cache
@require_POST
@adds_absences
def ill(request: HttpRequest) -> HttpResponse:
    """Somebody is ill: away for the whole of today. On to the visits that have to move."""
    now = timezone.now()
    who = get_object_or_404(Resource.objects.practitioners(), slug=request.POST.get("who", ""))
    today = timezone.localdate(now)
    starts_at, ends_at = whole_days(today, today, timezone.get_current_timezone())
    absence = verbs.enter(who, starts_at=starts_at, ends_at=ends_at, reason="Ill", by=user_of(request), now=now)
    messages.success(request, f"{who.first_name} is away today.")
    counted.forget()
    return _on_to_what_moves(absence, now)


def _in_two_steps(
    request: HttpRequest, form: AbsenceForm, save: Any, now: dt.datetime, context: dict[str, Any]
) -> HttpResponse:
    """First what it affects, then, pressed once more, saved."""
    context = {**_head(now), **context, "form": form, "has_errors": form.is_bound, "presets": _presets(now)}
    if not form.is_valid():
        return render(request, "desk/absence.html", context, status=422 if form.is_bound else 200)
    if "again" in request.POST:
        return render(request, "desk/absence.html", context)
    if "save" not in request.POST:
        affected = displaced.during(form.who_is_away, **form.times, now=now).with_everything().order_by("starts_at")
        count = affected.count()
        shown = {"affected": list(affected[:NAMED]), "count": count, "more": max(0, count - NAMED)}
        when = stretch_words(form.times["starts_at"], form.times["ends_at"], form.zone)
        return render(request, "desk/absence_check.html", {**context, **shown, "when": when})
    absence = save()
    messages.success(request, "Saved.")
    counted.forget()
    return _on_to_what_moves(absence, now)


def _on_to_what_moves(absence: Absence, now: dt.datetime) -> HttpResponse:
    if not displaced.of_absence(absence, now=now).exists():
        return redirect("desk:absences")
    return redirect(f"{reverse('desk:to_move')}?absence={absence.pk}")


def _form(request: HttpRequest, *, initial: dict[str, Any], only: Resource | Location | None = None) -> AbsenceForm:
    houses: list[Location] = list(Location.objects.all())
    things = list(Resource.objects.in_use(timezone.localdate()).select_related("location"))
    if only is not None:
        houses = [each for each in houses if each == only]
        things = [only] if isinstance(only, Resource) else []
    return AbsenceForm(
        typed(request), initial=initial, houses=houses, things=things, usual=timezone.get_current_timezone()
    )


def _asked(request: HttpRequest, now: dt.datetime) -> dict[str, Any]:
    """What a link fills in. A stretch of time is told by ``from`` and ``to``; without both it is the whole day."""
    asked = request.GET
    begins, ends = (_time(asked.get(name, "")) for name in ("from", "to"))
    try:
        first = dt.date.fromisoformat(asked.get("date", ""))
    except ValueError:
        first = timezone.localdate(now)
    times = {"all_day": not (begins and ends), "begins": begins, "ends": ends}
    return {"who": asked.get("who", ""), "first": first, **times}


def _time(text: str) -> dt.time | None:
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        return None


def _presets(now: dt.datetime) -> list[tuple[str, str]]:
    """What is asked for most, as links: what they say, and what they fill in."""
    local = timezone.localtime(now)
    quarter = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
    days = [("Today", local.date()), ("Tomorrow", local.date() + dt.timedelta(days=1))]
    found = [(f"{name}, all day", f"date={date.isoformat()}") for name, date in days]
    end = quarter + dt.timedelta(hours=1)
    if end.date() == quarter.date():
        hour = f"date={quarter.date().isoformat()}&from={quarter:%H:%M}&to={end:%H:%M}"
        found.append((f"Now, for an hour: {words.clock(quarter)} to {words.clock(end)}", hour))
    return found


def _coming(now: dt.datetime) -> QuerySet[Absence]:
    found = Absence.objects.in_force().filter(ends_at__gt=now).select_related("resource__location", "location")
    return found.order_by("starts_at", "pk")


def _place(absence: Absence) -> tuple[int, int, str, int]:
    """Houses first, then people, rooms and equipment, each as it stands everywhere else."""
    who = absence.resource or absence.location
    assert who is not None, "an absence is somebody's, or a house's"
    kind = KINDS.index(absence.resource.kind) if absence.resource else -1
    return kind, who.position, who.name, who.pk


def _working_today(now: dt.datetime, coming: list[Absence]) -> list[Resource]:
    """Who has hours today, and is not away already until its end."""
    today = timezone.localdate(now)
    end = whole_days(today, today, timezone.get_current_timezone())[1]
    gone = {each.resource_id for each in coming if each.starts_at <= now and each.ends_at >= end}
    at_work = OpeningHours.objects.on(today).values("practitioner")
    working = Resource.objects.practitioners().in_use(today).filter(pk__in=at_work)
    return [each for each in working if each.pk not in gone]


def stretch_words(starts_at: dt.datetime, ends_at: dt.datetime, zone: dt.tzinfo) -> str:
    """Such as: Thursday 3 December, all day; or Thursday 3 December, 9am to 11am; or from one time to another."""
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    last = (ends - dt.timedelta(minutes=1)).date()
    is_whole = starts.time() == MIDNIGHT and ends.time() == MIDNIGHT
    if last == starts.date():
        times = "all day" if is_whole else f"{words.clock(starts)} to {words.clock(ends)}"
        return f"{words.day(starts)}, {times}"
    if is_whole:
        return f"{words.day(starts)} to {words.day(last)}"
    return f"{words.when(starts_at, zone)} to {words.when(ends_at, zone)}"


def _zone_of(absence: Absence) -> dt.tzinfo:
    house = absence.location or (absence.resource.location if absence.resource else None)
    return house.zone if house else timezone.get_current_timezone()


def _head(now: dt.datetime) -> dict[str, Any]:
    return {"now": now, "zone": timezone.get_current_timezone(), "desk_notices": notices(now)}
