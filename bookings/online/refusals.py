"""Pages that say no: what happened, that nothing typed is lost, and what to do next."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bookings import access, availability
from bookings.ages import AgeProblem
from bookings.availability import NotOffered as Reason
from bookings.lifecycle import (
    ConsultOnly,
    NotOffered,
    NotSafeYet,
    Paused,
    PhoneOnly,
    Refused,
    ReviewFirst,
    SlotTaken,
    TooManyHolds,
    Unsafe,
)
from bookings.models import Booking
from bookings.online import doors
from bookings.online.answers import Meaning, meaning_of, open_skin_check, skin_check
from bookings.online.asked import Asked
from clinic import words
from clinic.models import Service

REASONS = {
    Reason.PAST: "It is in the past.",
    Reason.TOO_SOON: "It starts too soon to book online. Call us: we may still find a way.",
    Reason.BEYOND_HORIZON: "It is too far ahead.",
    Reason.CLOSED: "Nobody works then.",
    Reason.OFF_GRID: "No visit starts then.",
}


def hold_refused(request: HttpRequest, asked: Asked, refused: Refused, start: dt.datetime) -> HttpResponse:
    """Why the time could not be held, with the nearest free ones."""
    if isinstance(refused, Paused):
        return doors.closed(request)
    if isinstance(refused, TooManyHolds):
        return render(request, "booking/too_many_holds.html", {"hide_nav": True}, status=422)
    if isinstance(refused, PhoneOnly):
        return by_phone(request, asked.service)
    if isinstance(refused, Unsafe):
        return unsafe(request, asked, refused, start)
    if isinstance(refused, SlotTaken):
        clock = words.clock(start.astimezone(asked.location.zone))
        text = f"Someone booked {clock} a moment ago."
        return nearest(request, asked, start, title="That time has just been taken", text=text, status=409)
    reason = REASONS[refused.reason] if isinstance(refused, NotOffered) else str(refused)
    return nearest(request, asked, start, title="That time is not on offer", text=reason, status=422)


def unsafe(request: HttpRequest, asked: Asked, refused: Unsafe, start: dt.datetime | None) -> HttpResponse:
    """Answers, history or age stand in the way of that time: why, and what is safe. Everything typed is kept."""
    meaning = meaning_of(asked)
    if isinstance(refused, ConsultOnly) and meaning is not None:
        return consult_only(request, asked, meaning, status=422)
    title = "Your skin needs a little longer"
    if isinstance(refused, ReviewFirst):
        title = "A clinician needs to look first"
    elif isinstance(refused, NotSafeYet) and refused.first is None:
        title = "Somebody else needs to do this visit"
    return nearest(request, asked, start, title=title, text=str(refused), status=422, meaning=meaning)


def consult_only(request: HttpRequest, asked: Asked, meaning: Meaning, *, status: int = 200) -> HttpResponse:
    """No extraction now: why, and the earliest times of a skin check, one tap away."""
    check = skin_check(asked)
    times = near(check.search(visitor=access.known_visitor(request)), None) if check else []
    consult = check.service if check else None
    context = {"asked": asked, "meaning": meaning, "consult": consult, "times": times, "hide_nav": True}
    return render(request, "booking/consult_only.html", context, status=status)


def no_such_start(request: HttpRequest, asked: Asked) -> HttpResponse:
    """What was sent is no time of ours at all."""
    return nearest(request, asked, None, title="That time is not on offer", text="No visit starts then.", status=422)


def hold_gone(request: HttpRequest, asked: Asked, start: dt.datetime) -> HttpResponse:
    """The hold ran out; most often somebody else has the time by now."""
    clock = words.clock(start.astimezone(asked.location.zone))
    is_free = start in near(asked.search(visitor=access.known_visitor(request)), start)
    text = f"{clock} is still free. Choose it again." if is_free else f"Someone else has taken {clock}."
    return nearest(request, asked, start, title="Your hold ran out", text=text, status=410)


def nothing_held(request: HttpRequest, *, status: int = 410) -> HttpResponse:
    """No time is held and none is named."""
    return render(request, "booking/nothing_held.html", {"hide_nav": True}, status=status)


def nearest(
    request: HttpRequest,
    asked: Asked,
    start: dt.datetime | None,
    *,
    title: str,
    text: str,
    status: int,
    meaning: Meaning | None = None,
) -> HttpResponse:
    search = asked.search(visitor=access.known_visitor(request))
    times = near(search, start)
    context = {
        "asked": asked,
        "title": title,
        "text": text,
        "times": times,
        "has_draft": bool(access.draft(request)),
        "meaning": meaning,
        "skin_check": open_skin_check(asked) if meaning else None,
        "hide_nav": True,
    }
    return render(request, "booking/refusal.html", context, status=status)


def near(search: availability.Asked, start: dt.datetime | None) -> list[dt.datetime]:
    """The three closest free times, or the soonest ones."""
    found = availability.nearest(to=start, count=3, **search) if start else availability.soonest(count=3, **search)
    return [each.at for each in found]


def age(request: HttpRequest, booking: Booking, problem: AgeProblem) -> HttpResponse:
    """Someone whose age on the day means that we should talk first."""
    context = {"booking": booking, "problem": problem.value, "hide_nav": True}
    return render(request, "booking/age.html", context, status=422)


def by_phone(request: HttpRequest, service: Service) -> HttpResponse:
    """Somebody whom a signed link names, and whose visits the clinic books by phone."""
    context = {"service": service, "has_draft": bool(access.draft(request)), "hide_nav": True}
    return render(request, "booking/by_phone.html", context, status=422)
