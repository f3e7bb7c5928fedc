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
from bookings.availability import NotOffered, Start
from bookings.desk import findings
from bookings.desk.acting import head, status_of, today
from bookings.desk.booking_in.book import BENT_BY, NOBODY, USUAL_REASONS, WALK_IN
from bookings.desk.booking_in.finding import can_be_bent
from bookings.desk.doors import Rights, rights
from bookings.desk.forms import ANYONE, MoveForm, MoveSearch
from bookings.desk.moving_forms import TimeForm
from bookings.eligibility import FROM_HISTORY, Outlook
from bookings.models import Booking
from clinic.models import Resource, Service, Verdict

# The button that shows another day.
LOOK = "look"
# How many times near the present one are offered, and how many are looked at to find them.
NEAREST, LOOKED_AT = 3, 4
# How a reason is asked for; for the grid and opening hours "Why then?".
QUESTIONS = {NotOffered.TOO_SOON: "Why so soon?", NotOffered.BEYOND_HORIZON: "Why so far ahead?"}
WHY_THEN = "Why then?"
USUAL_WHY = tuple(each for each in USUAL_REASONS if each != WALK_IN)


@dataclasses.dataclass(frozen=True)
class Offered:
    """One free time. ``refusal`` is the rule in its way, in a sentence, or ""; ``asks_why`` a rule of time."""

    at: dt.datetime
    practitioner: Resource
    refusal: str
    asks_why: str = ""


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

    @property
    def today(self) -> dt.date:
        return today(self.booking, self.now)

    @property
    def has_event(self) -> bool:
        """Whether the patient wants calm skin on a day to come, and this service may leave it red."""
        event_on = self.booking.event_on
        return event_on is not None and event_on >= self.today and self.service.leaves_redness

    def told(self, refused: lifecycle.Refused) -> str:
        if isinstance(refused, lifecycle.NotOffered) and not self.is_change:
            return BENT_BY.get(refused.reason, str(refused))
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
    return MoveForm(_sent(request))


def pressed_to_move(request: HttpRequest) -> TimeForm:
    return TimeForm(_sent(request))


def _sent(request: HttpRequest) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(request.POST.dict())
    who = request.GET.get("who", "")
    if who:
        data["practitioner"] = who
    return data


def of_notice(start: dt.datetime, asked: availability.Asked) -> NotOffered | None:
    """Whether that is so soon, or so far ahead, that it takes a reason."""
    reason = availability.outside(start, {**asked, "is_staff": False})
    return reason if reason in QUESTIONS else None


def page(asking: Asking, *, refused: lifecycle.Refused | None = None, form: MoveForm | None = None) -> HttpResponse:
    """The times, again with all that was typed and the rule that stood in the way."""
    booking, typed = asking.booking, asking.request.POST
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
        "why": _why(asking, refused, form),
        "usual_why": USUAL_WHY,
        "reason": typed.get("reason", ""),
        "notify": asking.request.method != "POST" or "notify" in typed,
        "whom": booking.reader[0].split()[0],
        "has_errors": form is not None,
        "shown": day,
        "kept": _kept(asking, search, day),
        "closed": asking.told(closed) if (closed := _closed(asking, day)) else "",
        **_found(asking, who, day),
    }
    status = 200 if form is None else status_of(refused) if refused else 422
    return render(asking.request, "desk/move.html", context, status=status)


def _why(asking: Asking, refused: lifecycle.Refused | None, form: MoveForm | None) -> dict[str, Any] | None:
    """What was pressed, to ask why it has to be then; None where no reason would help."""
    if not isinstance(refused, lifecycle.NotOffered) or not can_be_bent(refused.reason):
        return None
    if not isinstance(form, TimeForm) or form.why_then:
        return None
    said = form.cleaned_data
    question = QUESTIONS.get(refused.reason, WHY_THEN)
    return {"start": said["start"], "practitioner": said["practitioner"], "question": question}


def _refusal(asking: Asking, refused: lifecycle.Refused | None, form: MoveForm | None) -> str:
    if isinstance(refused, lifecycle.NotOffered) and isinstance(form, TimeForm) and form.why_then:
        return NOBODY if refused.reason is NotOffered.CLOSED else str(refused)
    if refused:
        return asking.told(refused)
    return str(next(iter(form.errors.values()))[0]) if form else ""


def _search(asking: Asking, people: Iterable[Resource]) -> MoveSearch:
    booking = asking.booking
    usual = ANYONE if booking.asked_for_any or asking.is_change else booking.practitioner.slug
    start = {"date": _first_day(asking), "practitioner": usual, "service": asking.service.slug}
    asked = asking.request.POST if LOOK in asking.request.POST else asking.request.GET
    sent_with = "" if asking.is_change else "move-form"
    data = {**start, **asked.dict()}
    search = MoveSearch(data=data, people=people, services=asking.services, sent_with=sent_with)
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
        "flagged": list(dict.fromkeys(start.asks_why for start in starts if start.asks_why)),
        "nearest": [Offered(start.at, start.practitioner, "", _asks_why(asking, start)) for start in others[:NEAREST]],
        "people": [(each, list(theirs)) for each, theirs in groupby(starts, key=attrgetter("practitioner"))],
    }


def _is_present(asking: Asking, start: Start) -> bool:
    present = (asking.booking.starts_at, asking.booking.practitioner_id)
    return not asking.is_change and (start.at, start.practitioner.pk) == present


def _offered(asking: Asking, start: Start) -> Offered:
    stands = lifecycle.problem(asking.outlook, start.practitioner.code, start.at)
    return Offered(start.at, start.practitioner, asking.told(stands) if stands else "", _asks_why(asking, start))


def _asks_why(asking: Asking, start: Start) -> str:
    """A change of service is a clinician's decision, which has its reason."""
    location = asking.booking.location
    asked: availability.Asked = {"location": location, "clinic": location.clinic, "now": asking.now}
    reason = None if asking.is_change else of_notice(start.at, asked)
    return BENT_BY[reason] if reason else ""


def _closed(asking: Asking, date: dt.date) -> lifecycle.Unsafe | None:
    """What closes that whole day, whoever does the visit."""
    end = dt.datetime.combine(date, dt.time(23, 59), asking.booking.location.zone)
    found = [lifecycle.problem(asking.outlook, grade, end) for grade in asking.outlook.by_grade]
    return found[0] if found and all(found) else None
