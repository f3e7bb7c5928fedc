"""Which time: found by a phrase or its plain fields, here and now, in a gap of the board, or typed. Then it is held."""

import dataclasses
import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from bookings import lifecycle
from bookings.availability import NotOffered
from bookings.desk import reading
from bookings.desk.acting import form_page, status_of
from bookings.desk.booking_in import finding, held, knowing, phrases
from bookings.desk.booking_in.finding import Found, Free, Wish
from bookings.desk.booking_in.forms import ANYONE, FinderForm, PickForm, instant
from bookings.desk.booking_in.knowing import Known
from bookings.desk.doors import books, notices, patient_for, user_of
from clinic.models import Location, Resource, Service

SEARCHED = ("service", "location", "practitioner", "date", "after", "before")
WALK_IN = "Walk-in"
# What is mostly the reason, for one press.
USUAL_REASONS = (WALK_IN, "Asked for it on the phone", "The practitioner agreed")
BENT_BY = {
    NotOffered.TOO_SOON: "That is sooner than patients may book themselves.",
    NotOffered.BEYOND_HORIZON: "That is further ahead than patients may book themselves.",
    NotOffered.OFF_GRID: "No visit begins at that time as a rule.",
    NotOffered.CLOSED: "That is outside opening hours.",
}
NOBODY = "Nobody can do it then: they are away, retired, or the house is closed."


@dataclasses.dataclass(frozen=True)
class House:
    """What can be booked here today, and by whom."""

    locations: list[Location]
    services: list[Service]
    people: list[Resource]
    today: dt.date
    now: dt.datetime

    @property
    def home(self) -> Location:
        return self.locations[0]

    def location(self, slug: str) -> Location:
        return next((each for each in self.locations if each.slug == slug), self.home)

    def service(self, slug: str) -> Service | None:
        return next((each for each in self.services if each.slug == slug), None)

    def person(self, slug: str) -> Resource | None:
        return next((each for each in self.people if each.slug == slug), None)


@never_cache
@form_page
@books
def book(request: HttpRequest) -> HttpResponse:
    """GET finds times. POST holds the one that was pressed, or the first one for somebody who stands here."""
    now = timezone.now()
    house = _house(now)
    if house is None:
        return render(request, "desk/book_nowhere.html", {"desk_notices": notices(now)})
    if request.method != "POST":
        return _page(request, house)
    if request.POST.get("walk_in"):
        return _walk_in(request, house)
    form = PickForm(request.POST, home=house.home)
    return _hold(request, house, form) if form.is_valid() else _page(request, house, pick=form, status=422)


def _house(now: dt.datetime) -> House | None:
    """None for a clinic without a place or without services."""
    home = Location.objects.first()
    if home is None:
        return None
    today = now.astimezone(home.zone).date()
    locations = list(Location.objects.in_use(today).select_related("clinic"))
    services = list(Service.objects.in_use(today))
    people = list(Resource.objects.practitioners().in_use(today))
    return House(locations, services, people, today, now) if locations and services else None


def _walk_in(request: HttpRequest, house: House) -> HttpResponse:
    """The first start today with anyone, off the grid where that is sooner."""
    service, location = house.service(request.POST["walk_in"]), house.location(request.POST.get("location", ""))
    [soonest] = finding.for_walk_ins([service], location, house.now) if service else [None]
    if soonest is None or soonest.at is None:
        messages.info(request, "Nobody is free for that today. These times are next.")
        wanted = {"service": service.slug if service else "", "location": location.slug, **_carried(request)}
        return redirect(f"{reverse('desk:book')}?{urlencode(wanted)}")
    pressed = {"service": soonest.service.slug, "location": location.slug, "slot": f"{soonest.at.isoformat()}|{ANYONE}"}
    form = PickForm({**pressed, **_carried(request), "reason": WALK_IN}, home=house.home)
    return _hold(request, house, form) if form.is_valid() else _page(request, house, pick=form, status=422)


def _carried(request: HttpRequest) -> dict[str, str]:
    """Who the page was about."""
    return {name: said for name in ("patient", "caller") if (said := request.POST.get(name, ""))}


def _hold(request: HttpRequest, house: House, form: PickForm) -> HttpResponse:
    caller, patient = held.caller_of(form.cleaned_data["caller"]), form.cleaned_data["patient"]
    try:
        held.hold(form, caller, user=user_of(request), now=house.now)
    except lifecycle.NotOffered as refused:
        return _why(request, house, form, refused)
    except lifecycle.Refused as refused:
        return _page(request, house, pick=form, refusal=str(refused), status=status_of(refused))
    query = {"caller": caller} | ({"patient": patient} if patient else {})
    return redirect(f"{reverse('desk:book_patient')}?{urlencode(query)}")


def _why(request: HttpRequest, house: House, form: PickForm, refused: lifecycle.NotOffered) -> HttpResponse:
    """Ask for the reason that bends the rule; where no reason helps, say so over the free times."""
    if form.cleaned_data["reason"] or not finding.can_be_bent(refused.reason):
        refusal = NOBODY if refused.reason is NotOffered.CLOSED else str(refused)
        return _page(request, house, pick=form, refusal=refusal, status=422)
    said = form.cleaned_data
    who = said["practitioner"].slug if said["practitioner"] else ANYONE
    context = {
        "desk_notices": notices(house.now),
        "why": BENT_BY[refused.reason],
        "reasons": USUAL_REASONS,
        "said": said,
        "caller": held.caller_of(said["caller"]),
        "slot": f"{said['start'].isoformat()}|{who}",
        "zone": said["location"].zone,
    }
    return render(request, "desk/book_why.html", context, status=422)


def _page(
    request: HttpRequest, house: House, *, pick: PickForm | None = None, refusal: str = "", status: int = 200
) -> HttpResponse:
    """The finder with what it found; after a refusal near the time that was pressed."""
    phrase = request.GET.get("q", "").strip()[:200]
    wanted = phrases.understood(phrase, _names(house))
    data = _asked(request, house, wanted, phrase, pick)
    data["caller"] = held.caller_of(data.get("caller", ""))
    form = FinderForm(data, services=house.services, people=house.people, locations=house.locations)
    is_valid = form.is_valid()
    wish = _wish(house, form.cleaned_data, is_span=wanted.is_span) if is_valid else None
    known, wish = _narrowed(request, wish, data, house.now)
    found = _found(house, wish, pick) if wish else Found()
    location = house.location(data.get("location", ""))
    here_now = finding.for_walk_ins(house.services, location, house.now)
    context = {
        "desk_notices": notices(house.now),
        "now": house.now,
        "zone": location.zone,
        "form": form,
        "has_errors": not is_valid,
        "phrase": phrase,
        "wanted": wanted,
        "wish": wish,
        "found": found,
        "later_times": _later_times(data, phrase, found),
        "location": location,
        "here_now": here_now,
        "is_anyone_free": any(each.at for each in here_now),
        "gap": _gap(request, house),
        "refusal": refusal or _first_error(pick),
        "patient": data.get("patient", ""),
        "known": known,
        "caller": data["caller"],
        "all_held": held.all_held(user_of(request), house.now),
        "typed": pick.data if pick else {},
        "people": house.people,
        "services": house.services,
    }
    return render(request, "desk/book.html", context, status=status if is_valid else 422)


def _narrowed(
    request: HttpRequest, wish: Wish | None, data: dict[str, Any], now: dt.datetime
) -> tuple[Known | None, Wish | None]:
    """For whom it is, where staff know: then only times that are safe for them are looked for."""
    patient = patient_for(user_of(request), data.get("patient", ""))
    if patient is None:
        return None, wish
    reading.shown(request, patient, now=now)
    return knowing.known(patient, wish, now)


def _found(house: House, wish: Wish, pick: PickForm | None) -> Found:
    """The first that fit; in place of a time that was pressed and is gone, those closest to it."""
    pressed = pick.cleaned_data.get("start") if pick else None
    near = finding.instead(pressed, wish.asked(house.now)) if pressed else []
    return Found(others=near) if near else finding.nearest(wish, house.now)


def _later_times(data: dict[str, Any], phrase: str, found: Found) -> str:
    """The same search, to go on where the times that are shown end; "" where it ends."""
    if found.go_on is None:
        return ""
    about = {name: data.get(name, "") for name in ("patient", "caller")}
    asked = {"q": phrase} if phrase else {name: data.get(name, "") for name in SEARCHED}
    query = {name: said for name, said in {**asked, **about}.items() if said}
    return f"?{urlencode({**query, 'later': found.go_on.isoformat()})}#found"


def _names(house: House) -> phrases.Names:
    locations = house.locations if len(house.locations) > 1 else []
    return phrases.Names(house.services, house.people, locations, house.today)


def _asked(
    request: HttpRequest, house: House, wanted: phrases.Wanted, phrase: str, pick: PickForm | None
) -> dict[str, Any]:
    """What the plain fields show: as pressed, else what the phrase said, else what the address asks for."""
    if pick is not None:
        start = pick.cleaned_data.get("start")
        names = ("service", "location", "practitioner", "patient", "caller")
        day = {"date": start.astimezone(house.home.zone).date()} if start else {}
        return {"practitioner": ANYONE} | {name: pick.data[name] for name in names if pick.data.get(name)} | day
    asked = {"practitioner": ANYONE, **request.GET.dict()}
    if not phrase:
        return asked
    said = {
        "service": wanted.service.slug if wanted.service else "",
        "practitioner": wanted.practitioner.slug if wanted.practitioner else ANYONE,
        "date": house.today if wanted.is_now and wanted.date is None else wanted.date,
        "after": wanted.after,
        "before": wanted.before,
        **{name: asked.get(name, "") for name in ("patient", "caller", "later")},
    }
    return said | ({"location": wanted.location.slug} if wanted.location else {})


def _wish(house: House, said: dict[str, Any], *, is_span: bool) -> Wish | None:
    """None until a service is chosen."""
    service = house.service(said["service"])
    if service is None:
        return None
    return Wish(
        service=service,
        location=house.location(said.get("location") or ""),
        practitioner=house.person(said["practitioner"]),
        date=said["date"],
        after=said["after"],
        before=said["before"],
        is_day=said["date"] is not None and not is_span,
        later_than=instant(said["later"]),
    )


def _gap(request: HttpRequest, house: House) -> dict[str, Any] | None:
    """A place on the board that was pressed: only the service is still to choose."""
    start, who = instant(request.GET.get("start", "")), house.person(request.GET.get("practitioner", ""))
    if start is None or who is None:
        return None
    location = house.location(request.GET.get("location", ""))
    wanted = request.GET.get("service", "")
    services = sorted(house.services, key=lambda each: each.slug != wanted)
    fit, others = finding.fitting(services, location, who, start, house.now)
    return {"start": Free(start, who), "location": location, "fit": fit, "others": others}


def _first_error(pick: PickForm | None) -> str:
    return str(next(iter(pick.errors.values()))[0]) if pick and pick.errors else ""
