"""Move a visit: only to times that are safe for this person, with the reason where a day is closed."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from bookings import access, lifecycle
from bookings.models import Booking, BookingState
from bookings.models.event import Actor
from bookings.online import doors, longer, refusals, visit
from bookings.online.asked import Asked, asked_for, date_of, start_of
from bookings.online.month import choices
from clinic import guidance, words


@require_http_methods(["GET", "HEAD", "POST"])
@visit.upcoming_page
def move(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET shows the nearest times and the month; POST moves the visit.

    After the cut-off only while answers since it was booked stand in its way, as the server itself sees.
    """
    is_known = access.came_by_link(request)
    is_free = lifecycle.stands_since_arranged(booking, now, is_known=is_known)
    if booking.is_late(now) and not is_free:
        return visit.too_late(request, booking, now)
    data = request.POST if request.method == "POST" else request.GET
    outlook = lifecycle.told(booking, lifecycle.outlook_for(booking, now, is_known=is_known))
    clinic, service = booking.location.clinic, booking.agreed_service()
    asked = asked_for(clinic, service, booking.location, data, now, outlook=outlook)
    if request.method != "POST":
        return _choose(request, booking, asked, is_free=is_free)
    start = start_of(request.POST, now)
    if start is None:
        return _refused(request, booking, asked, None, title="That time is not on offer", status=422)
    return _moved(request, booking, asked, start)


def _choose(request: HttpRequest, booking: Booking, asked: Asked, *, is_free: bool) -> HttpResponse:
    near = longer.nearest(asked, booking)
    date, month = date_of(request.GET.get("date", "")), date_of(f"{request.GET.get('month', '')}-01")
    if not (date or month) and near:
        closest = min(near, key=lambda at: abs(at - booking.starts_at))
        date = closest.astimezone(booking.location.zone).date()
    data = visit.context(booking, asked.now) | {
        "asked": asked,
        "outlook": asked.outlook,
        "choices": choices(asked.search(ignoring=booking), month=month, date=date, outlook=asked.outlook),
        "times": near,
        "query": urlencode({"practitioner": asked.practitioner_slug}),
        "is_free": is_free,
        "may_need_guardian": lifecycle.lacks_guardian(booking, on=asked.now.astimezone(booking.location.zone).date()),
        "will_be_looked_at": bool(asked.outlook and asked.outlook.needs_review),
        **_event(booking, asked),
    }
    return render(request, "visit/move.html", data)


def _event(booking: Booking, asked: Asked) -> dict[str, Any]:
    """An event to come, and which days are too close before it."""
    if booking.event_on is None or booking.event_on < asked.today or not booking.service.leaves_redness:
        return {}
    return {"event_on": booking.event_on, "redness": guidance.redness(asked.clinic), "today": asked.today}


def _moved(request: HttpRequest, booking: Booking, asked: Asked, start: dt.datetime) -> HttpResponse:
    try:
        moved = lifecycle.reschedule(
            booking,
            practitioner=asked.practitioner,
            start=start,
            by=Actor.PATIENT,
            is_known=access.came_by_link(request),
            now=asked.now,
        )
    except lifecycle.TooLate:
        return visit.too_late(request, booking, asked.now)
    except lifecycle.NotUpcoming:
        return visit.over(request, booking, asked.now)
    except lifecycle.Refused as refused:
        return _not_there(request, booking, asked, start, refused)
    messages.success(request, _what_happened(moved))
    return doors.see_other("visit:guardian" if lifecycle.lacks_guardian(moved) else "visit:show")


def _what_happened(moved: Booking) -> str:
    if moved.state == BookingState.PENDING and moved.reply_by:
        by = words.when(moved.reply_by, moved.location.zone)
        return f"We are holding your new time. A clinician looks at your answers by {by}. You are not booked yet."
    said = "Your visit has moved. We have sent you the new time."
    if moved.event_on and moved.spoils_event:
        return f"{said} Redness could still show on {words.day(moved.event_on)}."
    return said


def _not_there(
    request: HttpRequest, booking: Booking, asked: Asked, start: dt.datetime, refused: lifecycle.Refused
) -> HttpResponse:
    """Why not, and what is possible instead. The visit stays where it is."""
    if isinstance(refused, lifecycle.NotEligible):
        return refusals.age(request, booking, refused.problem)
    if isinstance(refused, lifecycle.NeedsHelp):
        return doors.see_other("visit:help")
    if isinstance(refused, lifecycle.ConsultOnly) and asked.outlook:
        ways = longer.ways_without(booking, asked.outlook, asked.now)
        return longer.page(request, booking, ways, asked.now, status=422)
    title, text, status = _words_for(refused)
    return _refused(request, booking, asked, start, title=title, text=text, status=status)


def _words_for(refused: lifecycle.Refused) -> tuple[str, str, int]:
    if isinstance(refused, lifecycle.SlotTaken):
        return "That time has just been taken", "", 409
    if isinstance(refused, lifecycle.NotSafeYet):
        return longer.TITLES["wait"], str(refused), 422
    if isinstance(refused, lifecycle.ReviewFirst):
        return "A clinician needs to look first", str(refused), 422
    return "That time is not on offer", "", 422


def _refused(
    request: HttpRequest,
    booking: Booking,
    asked: Asked,
    start: dt.datetime | None,
    *,
    title: str,
    text: str = "",
    status: int,
) -> HttpResponse:
    times = refusals.near(asked.search(ignoring=booking), start or booking.starts_at)
    data = visit.context(booking, asked.now) | {
        "asked": asked,
        "title": title,
        "text": text,
        "times": [each for each in times if each != booking.starts_at],
    }
    return render(request, "visit/refusal.html", data, status=status)
