"""Services and free starts, as JSON. GET only: programs read the same search as the pages."""

import datetime as dt
import json
import re
from http import HTTPStatus

from django.db.models import Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse

from bookings import availability
from bookings.api.door import Problem, open_to_programs
from clinic.intervals import instant_of
from clinic.models import Location, Resource, Service

LONGEST_RANGE = dt.timedelta(days=62)
# Practitioners, and (minute since the epoch, index into them) for each start.
Found = tuple[list[Resource], list[tuple[int, int]]]
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@open_to_programs
def services(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """All that can be booked, in the clinic's own order."""
    location = _location(request.GET.get("location", ""), now)
    offered = Service.objects.in_use(_today(location, now))
    return JsonResponse({"services": [_described(service, location.clinic.currency) for service in offered]})


@open_to_programs
def free_starts(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Each start with each practitioner who is free then; an absent practitioner, or "any", asks for all."""
    first, until = _range(request)
    location = _location(request.GET.get("location", ""), now, is_needed=True)
    if location.clinic.is_online_paused:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            location.clinic.pause_message or "Online booking is paused. Please call the clinic.",
        )
    service, practitioner = _asked(request, location, now)
    found = _search(service, practitioner, location, (first, until), now)
    return HttpResponse(_body(service, location, found), content_type="application/json")


def _described(service: Service, currency: str) -> dict[str, object]:
    return {
        "id": service.pk,
        "slug": service.slug,
        "name": service.name,
        "minutes": service.minutes,
        "price": {"kind": service.price_kind, "amount": str(service.price), "currency": currency},
    }


def _body(service: Service, location: Location, found: Found) -> str:
    """Thousands of rows hold few different texts: each is written once, then put together."""
    people, rows = found
    zone = location.zone
    who = [f"{json.dumps(each.slug)}}}" for each in people]
    at = {minute: f'{{"start":"{_local(minute, zone)}","practitioner":' for minute in {row[0] for row in rows}}
    head = f'"service":{json.dumps(service.slug)},"time_zone":{json.dumps(location.time_zone)}'
    return f'{{{head},"starts":[{",".join([at[minute] + who[index] for minute, index in rows])}]}}'


def _location(slug: str, now: dt.datetime, *, is_needed: bool = False) -> Location:
    """The one asked for, or the only one. Without ``is_needed`` the first of several will do."""
    found = [
        location
        for location in Location.objects.select_related("clinic")
        if location.retired_on is None or location.retired_on > _today(location, now)
    ]
    if not found:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "This clinic is not set up yet.")
    chosen = [location for location in found if location.slug == slug] if slug else found
    if not chosen:
        raise Problem(HTTPStatus.NOT_FOUND, "No location has that slug.")
    if len(chosen) > 1 and is_needed:
        raise Problem(HTTPStatus.BAD_REQUEST, f"Say which location: {', '.join(location.slug for location in found)}.")
    return chosen[0]


def _asked(request: HttpRequest, location: Location, now: dt.datetime) -> tuple[Service, Resource | None]:
    """The service and the practitioner, both in one query; None for any practitioner."""
    slug, who = _text(request, "service"), _text(request, "practitioner") or "any"
    if not slug:
        raise Problem(HTTPStatus.BAD_REQUEST, "Say which service, by its slug.")
    today = _today(location, now)
    known = Resource.objects.practitioners().in_use(today).filter(slug=who)
    services = Service.objects.in_use(today).annotate(practitioner_id=Subquery(known.values("pk")))
    service = services.filter(slug=slug).first()
    if service is None:
        raise Problem(HTTPStatus.NOT_FOUND, "No service has that slug.")
    if who == "any":
        return service, None
    practitioner_id = vars(service)["practitioner_id"]
    if practitioner_id is None:
        raise Problem(HTTPStatus.NOT_FOUND, "No practitioner has that slug.")
    return service, Resource(pk=practitioner_id)


def _range(request: HttpRequest) -> tuple[dt.date, dt.date]:
    first, until = _date(request, "from"), _date(request, "to")
    if until <= first:
        raise Problem(HTTPStatus.BAD_REQUEST, "“to” is the day after the last one, so it must be later than “from”.")
    if until - first > LONGEST_RANGE:
        raise Problem(HTTPStatus.BAD_REQUEST, f"Ask for at most {LONGEST_RANGE.days} days.")
    return first, until


def _date(request: HttpRequest, name: str) -> dt.date:
    text = request.GET.get(name, "")
    try:
        if DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise Problem(HTTPStatus.BAD_REQUEST, f"“{name}” must be a date such as 2026-12-01.")


def _search(
    service: Service,
    practitioner: Resource | None,
    location: Location,
    dates: tuple[dt.date, dt.date],
    now: dt.datetime,
) -> Found:
    """Only as far as anything can be on offer, so that far dates never reach the calendar's edge."""
    first = max(dates[0], _today(location, now))
    until = min(dates[1], availability.horizon(clinic=location.clinic, location=location, now=now))
    if first >= until:
        return [], []
    diary, rows = availability.search_minutes(
        service=service,
        location=location,
        clinic=location.clinic,
        practitioner=practitioner,
        first=first,
        until=until,
        now=now,
    )
    return diary.practitioners, rows


def _today(location: Location, now: dt.datetime) -> dt.date:
    return now.astimezone(location.zone).date()


def _text(request: HttpRequest, name: str) -> str:
    """PostgreSQL refuses NUL in a parameter; no slug of ours has one."""
    return request.GET.get(name, "").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _local(minute: int, zone: dt.tzinfo) -> str:
    return instant_of(minute).astimezone(zone).isoformat()
