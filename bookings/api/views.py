"""Services, free starts and what is asked, as JSON. GET only: programs read the same search as the pages."""

import datetime as dt
import json
import re
from http import HTTPStatus

from django.db.models import Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse

from bookings import availability, eligibility
from bookings.api import described
from bookings.api.asked import location_of, rulebook_of, service_of, today_at
from bookings.api.door import Problem, open_to_programs
from bookings.forms import GUIDANCE_WORDS, PRIVACY_WORDS
from clinic import guidance
from clinic.intervals import instant_of
from clinic.models import Location, Moment, Resource, Service

LONGEST_RANGE = dt.timedelta(days=62)
# Practitioners, and (minute since the epoch, index into them) for each start.
Found = tuple[list[Resource], list[tuple[int, int]]]
NO_SERVICE = "Say which service, by its slug."
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@open_to_programs
def services(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """All that can be booked, in the clinic's own order."""
    location = location_of(request.GET.get("location", ""), now)
    offered = Service.objects.in_use(today_at(location, now))
    return JsonResponse({"services": [described.service(service, location.clinic.currency) for service in offered]})


@open_to_programs
def questions(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """What to ask, to show and to have agreed to before this service is booked, in the clinic's own words."""
    location = location_of(request.GET.get("location", ""), now)
    slug = _text(request, "service")
    if not slug:
        raise Problem(HTTPStatus.BAD_REQUEST, NO_SERVICE)
    service, clinic = service_of(slug, today_at(location, now)), location.clinic
    asked = rulebook_of(clinic).asked(service.codes)
    return JsonResponse(
        {
            "service": service.slug,
            "questions": [described.question(each) for each in asked],
            "history": [
                row for kind, words in eligibility.history_asked(service) for row in described.history(kind, words)
            ],
            "advice": [described.advice(item) for item in guidance.items_for(service, Moment.BOOKING, clinic)],
            "consents": {"guidance_read": GUIDANCE_WORDS, "consent": PRIVACY_WORDS},
        }
    )


@open_to_programs
def free_starts(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """Each start with each practitioner who is free then; an absent practitioner, or "any", asks for all."""
    first, until = _range(request)
    location = location_of(request.GET.get("location", ""), now, is_needed=True)
    if location.clinic.is_online_paused:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            location.clinic.pause_message or "Online booking is paused. Call the clinic.",
        )
    service, practitioner = _asked(request, location, now)
    found = _search(service, practitioner, location, (first, until), now)
    return HttpResponse(_body(service, location, found), content_type="application/json")


def _body(service: Service, location: Location, found: Found) -> str:
    """Thousands of rows hold few different texts: each is written once, then put together."""
    people, rows = found
    zone = location.zone
    who = [f"{json.dumps(each.slug)}}}" for each in people]
    at = {minute: f'{{"start":"{_local(minute, zone)}","practitioner":' for minute in {row[0] for row in rows}}
    head = f'"service":{json.dumps(service.slug)},"time_zone":{json.dumps(location.time_zone)}'
    return f'{{{head},"starts":[{",".join([at[minute] + who[index] for minute, index in rows])}]}}'


def _asked(request: HttpRequest, location: Location, now: dt.datetime) -> tuple[Service, Resource | None]:
    """The service and the practitioner, both in one query; None for any practitioner."""
    slug, who = _text(request, "service"), _text(request, "practitioner") or "any"
    if not slug:
        raise Problem(HTTPStatus.BAD_REQUEST, NO_SERVICE)
    today = today_at(location, now)
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
    first = max(dates[0], today_at(location, now))
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


def _text(request: HttpRequest, name: str) -> str:
    """PostgreSQL refuses NUL in a parameter; no slug of ours has one."""
    return request.GET.get(name, "").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _local(minute: int, zone: dt.tzinfo) -> str:
    return instant_of(minute).astimezone(zone).isoformat()
