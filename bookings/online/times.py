"""Choose a time, hold it, or ask to be called."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings import access, lifecycle
from bookings.eligibility import NOTHING_SAID
from bookings.forms import CallMeForm
from bookings.forms.fields import FOR_SOMEONE
from bookings.models import Booking
from bookings.online import doors, refusals, skin
from bookings.online.answers import Meaning, meaning_of, open_skin_check, said_by, with_outlook
from bookings.online.asked import Asked, asked_for, date_of, location_of, locations_of, service_of, start_of
from bookings.online.month import choices
from clinic.models import Clinic

ALL_NO = "after-all-no"


@doors.patient_page
@require_safe
@doors.booking_open
def times(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    """The soonest times, a month, and the times of one day. Changes nothing."""
    now = timezone.now()
    service, locations = service_of(slug, now), locations_of(clinic, now)
    location = location_of(locations, request.GET)
    if location is None:
        context = {"service": service, "locations": locations, "hide_nav": True}
        return render(request, "booking/locations.html", context)
    asked = with_outlook(asked_for(clinic, service, location, request.GET, now), said_by(request, now))
    meaning = meaning_of(asked)
    if meaning is not None and meaning.outlook.is_consult_only:
        return refusals.consult_only(request, asked, meaning)
    about = {"meaning": meaning, "skin_check": open_skin_check(asked), **_all_clear(meaning)}
    return render(request, "booking/times.html", _context(request, asked) | about)


def _all_clear(meaning: Meaning | None) -> dict[str, object]:
    """What somebody reads whose answers were all no."""
    is_clear = meaning is not None and meaning.is_all_clear
    return {"all_clear": skin.wording(ALL_NO, meaning.clinic) if meaning and is_clear else None}


def _context(request: HttpRequest, asked: Asked) -> dict[str, object]:
    wanted = request.GET
    search = asked.search(visitor=access.known_visitor(request))
    month, date = date_of(f"{wanted.get('month', '')}-01"), date_of(wanted.get("date", ""))
    found = choices(search, month=month, date=date, outlook=asked.outlook)
    same = {"practitioner": asked.practitioner_slug, "location": asked.location.slug}
    is_list = wanted.get("view") == "list"
    query = urlencode(same | ({"view": "list"} if is_list else {}))
    return {
        "asked": asked,
        "service": asked.service,
        "location": asked.location,
        "choices": found,
        "query": query,
        "other_view": urlencode(same | ({} if is_list else {"view": "list"}) | {"month": f"{found.month:%Y-%m}"}),
        "is_list": is_list,
        "use_htmx": True,
        "call_form": None if found.soonest else CallMeForm(country=asked.clinic.country),
        "hide_nav": True,
    }


@doors.patient_page
@require_POST
@doors.booking_open
def hold(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    """Keep a time while the form is filled in."""
    now = timezone.now()
    if doors.is_too_often(request, "hold", now) or doors.holds_too_much(request, now):
        return doors.too_often(request)
    service, locations = service_of(slug, now), locations_of(clinic, now)
    location = location_of(locations, request.POST)
    if location is None:
        context = {"service": service, "locations": locations, "hide_nav": True}
        return render(request, "booking/locations.html", context, status=422)
    is_another = request.POST.get("another") == "1"
    if is_another:
        # The next person is asked anew, and has a history of their own.
        access.forget_answers(request)
        access.keep_draft(request, {"for_whom": FOR_SOMEONE})
    asked = with_outlook(asked_for(clinic, service, location, request.POST, now), said_by(request, now))
    start = start_of(request.POST, now)
    if start is None:
        return refusals.no_such_start(request, asked)
    return _held(request, asked, start, is_another=is_another)


def _held(request: HttpRequest, asked: Asked, start: dt.datetime, *, is_another: bool) -> HttpResponse:
    try:
        hold_again(request, asked, start, another=is_another)
    except lifecycle.Refused as refused:
        return refusals.hold_refused(request, asked, refused, start)
    doors.count_hold(request, asked.now)
    return doors.see_other("booking:details")


def hold_again(request: HttpRequest, asked: Asked, start: dt.datetime, *, another: bool) -> Booking:
    """Hold ``start`` for this browser, as far as its answers allow. Raises what ``lifecycle.hold`` raises."""
    slot = lifecycle.Slot(service=asked.service, location=asked.location, practitioner=asked.practitioner, start=start)
    return lifecycle.hold(
        slot,
        visitor=access.visitor(request),
        another=another,
        said=asked.outlook.said if asked.outlook else NOTHING_SAID,
        now=asked.now,
    )


@doors.patient_page
@require_http_methods(["GET", "HEAD", "POST"])
@doors.booking_open
def call_me(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    """Leave a name and a number; a person of the clinic calls back."""
    now = timezone.now()
    service = service_of(slug, now)
    context = {"service": service, "is_sent": "sent" in request.GET, "hide_nav": True}
    if request.method != "POST":
        form = CallMeForm(country=clinic.country)
        return render(request, "booking/call_me.html", context | {"call_form": form})
    if doors.is_too_often(request, "call", now):
        return doors.too_often(request)
    form = CallMeForm(request.POST, country=clinic.country)
    if not form.is_valid():
        return render(request, "booking/call_me.html", context | {"call_form": form, "has_errors": True}, status=422)
    said = form.cleaned_data
    note = f"Wants to book: {service.name}"
    lifecycle.ask_us_to_call(clinic=clinic, name=said["name"], phone=said["phone"], note=note, now=now)
    return doors.SeeOther(f"{request.path}?sent")
