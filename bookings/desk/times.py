"""Which times staff may choose for a booked visit, and which of them a rule stands in the way of."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from bookings import availability, lifecycle
from bookings.availability import Start
from bookings.desk import findings
from bookings.desk.acting import head, status_of, today
from bookings.desk.doors import Rights, rights
from bookings.desk.forms import ANYONE, MoveForm, MoveSearch
from bookings.eligibility import FROM_HISTORY, Outlook
from bookings.models import Booking
from clinic.models import Resource, Service, Verdict

# How many times near the present one are offered, and how many are looked at to find them.
NEAREST, LOOKED_AT = 3, 4


@dataclasses.dataclass(frozen=True)
class Offered:
    """One free time. ``refusal`` is the rule in its way, in a sentence, or ""."""

    at: dt.datetime
    practitioner: Resource
    refusal: str


@dataclasses.dataclass(frozen=True)
class Asking:
    """Whose visit moves, to which service, and who looks."""

    request: HttpRequest
    booking: Booking
    service: Service
    outlook: Outlook
    may: Rights
    now: dt.datetime
    services: tuple[Service, ...] = ()

    @property
    def is_change(self) -> bool:
        return bool(self.services)

    @property
    def may_bend(self) -> bool:
        """Whether a reason of this person could help at all: the rules of earlier visits anybody bends."""
        found = [each for grade in self.outlook.by_grade for each in self.outlook.outcome(grade).findings]
        stands = [each for each in found if each.verdict not in {Verdict.OK, Verdict.NOTE}]
        of_history = [each for each in stands if each.question == FROM_HISTORY and each.verdict is Verdict.WAIT]
        return bool(stands) and (self.may.decide or bool(of_history))

    def told(self, refused: lifecycle.Refused) -> str:
        return findings.sentence(refused, self.outlook, sees_answers=self.may.answers)


def asking_for(request: HttpRequest, booking: Booking, now: dt.datetime) -> Asking:
    """To another time for the same service, at its agreed length."""
    outlook = lifecycle.outlook_for(booking, now)
    return Asking(request, booking, booking.agreed_service(), outlook, rights(request), now)


def asking_for_change(request: HttpRequest, booking: Booking, services: list[Service], now: dt.datetime) -> Asking:
    """For another service: the one the address names, else the first."""
    slug = request.GET.get("service", "")
    service = next((each for each in services if each.slug == slug), services[0])
    outlook = lifecycle.outlook_for(booking, now, service=service)
    return Asking(request, booking, service, outlook, rights(request), now, tuple(services))


def pressed(request: HttpRequest) -> MoveForm:
    """What was pressed; a button names its practitioner in the address it posts to."""
    data = QueryDict(mutable=True)
    data.update(request.POST.dict())
    who = request.GET.get("who", "")
    if "practitioner" not in data and who:
        data["practitioner"] = who
    return MoveForm(data)


def page(asking: Asking, *, refused: lifecycle.Refused | None = None, form: MoveForm | None = None) -> HttpResponse:
    """The times, again with the reason that was typed and the rule that stood in the way."""
    booking = asking.booking
    people = availability.practitioners(
        service=asking.service, location=booking.location, on=today(booking, asking.now)
    )
    search = _search(asking, people)
    day = search.cleaned_data.get("date", _first_day(asking))
    who = next((each for each in people if each.slug == search.cleaned_data.get("practitioner")), None)
    context = {
        **head(booking, asking.now),
        "asking": asking,
        "may": asking.may,
        "search": search,
        "form": search,
        "refusal": _refusal(asking, refused, form),
        "reason": form.data.get("reason", "") if form else "",
        "has_errors": form is not None,
        "shown": day,
        "kept": _kept(asking, search, day),
        "closed": asking.told(closed) if (closed := _closed(asking, day)) else "",
        **_found(asking, who, day),
    }
    status = 200 if form is None else status_of(refused) if refused else 422
    return render(asking.request, "desk/move.html", context, status=status)


def _refusal(asking: Asking, refused: lifecycle.Refused | None, form: MoveForm | None) -> str:
    if refused:
        return asking.told(refused)
    return str(next(iter(form.errors.values()))[0]) if form else ""


def _search(asking: Asking, people: Iterable[Resource]) -> MoveSearch:
    booking = asking.booking
    usual = ANYONE if booking.asked_for_any or asking.is_change else booking.practitioner.slug
    start = {"date": _first_day(asking), "practitioner": usual, "service": asking.service.slug}
    search = MoveSearch(data={**start, **asking.request.GET.dict()}, people=people, services=asking.services)
    search.is_valid()
    return search


def _kept(asking: Asking, search: MoveSearch, day: dt.date) -> str:
    """The search, for the address that a time is posted to: a refusal shows the same day again."""
    query = {"date": day.isoformat(), "practitioner": search.cleaned_data.get("practitioner", ANYONE)}
    return urlencode({**query, "service": asking.service.slug} if asking.is_change else query)


def _first_day(asking: Asking) -> dt.date:
    return max(asking.booking.local_date, today(asking.booking, asking.now))


def _found(asking: Asking, who: Resource | None, date: dt.date) -> dict[str, Any]:
    """The nearest free and safe times, and all free ones of one day, by practitioner."""
    booking = asking.booking
    wanted: availability.Asked = {
        "service": asking.service,
        "location": booking.location,
        "clinic": booking.location.clinic,
        "practitioner": who,
        "now": asking.now,
        "ignoring": booking,
        "is_staff": True,
    }
    safe: availability.Asked = {**wanted, "opens_at": asking.outlook.opens_at}
    nearest = availability.nearest(to=booking.starts_at, count=LOOKED_AT, **safe)
    found = availability.search(first=date, until=date + dt.timedelta(days=1), **wanted)
    starts = [_offered(asking, start) for start in found if not _is_present(asking, start)]
    starts.sort(key=lambda start: (start.practitioner.position, start.practitioner.pk))
    others = [start for start in nearest if asking.is_change or start.at != booking.starts_at]
    return {
        "nearest": [Offered(start.at, start.practitioner, "") for start in others[:NEAREST]],
        "people": [(each, list(theirs)) for each, theirs in groupby(starts, key=attrgetter("practitioner"))],
    }


def _is_present(asking: Asking, start: Start) -> bool:
    present = (asking.booking.starts_at, asking.booking.practitioner_id)
    return not asking.is_change and (start.at, start.practitioner.pk) == present


def _offered(asking: Asking, start: Start) -> Offered:
    stands = lifecycle.problem(asking.outlook, start.practitioner.code, start.at)
    return Offered(start.at, start.practitioner, asking.told(stands) if stands else "")


def _closed(asking: Asking, date: dt.date) -> lifecycle.Unsafe | None:
    """What closes that whole day, whoever does the visit."""
    end = dt.datetime.combine(date, dt.time(23, 59), asking.booking.location.zone)
    found = [lifecycle.problem(asking.outlook, grade, end) for grade in asking.outlook.by_grade]
    return found[0] if found and all(found) else None
