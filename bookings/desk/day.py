"""The day and the week: who comes when, to whom, where, for what, and what needs a hand."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import displaced
from bookings.desk import chosen, counted, diary, live
from bookings.desk.board import BY_ROOM, WEEK, Asked, Board, board, week
from bookings.desk.doors import notices, sees_bookings, tasks_for, user_of, visits_for
from bookings.models import OutgoingEmail
from clinic.intervals import ONE_DAY
from clinic.models import Location, Resource


@never_cache
@require_safe
@sees_bookings
def day(request: HttpRequest) -> HttpResponse:
    """``date``, ``location``, ``by``, ``with`` and ``moving`` choose.

    What cannot be read means today, the first location, by practitioner, everyone, none.
    """
    now = timezone.now()
    locations = chosen.locations()
    location = chosen.location(request, locations)
    if location is None:
        return _set_up_first(request, now)
    today = now.astimezone(location.zone).date()
    shown = chosen.date(request, today)
    waiting = _attention(request, now)
    version = live.version(location, shown, shown, now, *waiting.values())
    if live.is_unchanged(request, version):
        return live.nothing_new()
    waiting["to_move"] = displaced.count(visits_for(user_of(request)), now=now)
    asked = chosen.asked_for(request, location, shown, now)
    found = board(asked)
    context = {**_page(now, locations, location, today), **waiting, **_days(asked, found, locations)}
    context |= {**live.context(request, version), "board": found, "asked": asked, "is_by_room": asked.by == BY_ROOM}
    return render(request, "desk/day_live.html" if live.is_refresh(request) else "desk/day.html", context)


@never_cache
@require_safe
@sees_bookings
def one_week(request: HttpRequest) -> HttpResponse:
    """Monday to Sunday of the practitioner ``with``, of the first, or of whoever sees only their own."""
    now = timezone.now()
    locations = chosen.locations()
    location = chosen.location(request, locations)
    if location is None:
        return _set_up_first(request, now)
    today = now.astimezone(location.zone).date()
    shown = chosen.date(request, today)
    monday = shown - ONE_DAY * shown.weekday()
    version = live.version(location, monday, monday + ONE_DAY * (WEEK - 1), now)
    if live.is_unchanged(request, version):
        return live.nothing_new()
    people = diary.people(location, monday, user_of(request))
    who = pick(request, people)
    asked = chosen.asked_for(request, location, monday, now)
    context = {**_page(now, locations, location, today), **_weeks(asked, who, locations, shown)}
    context |= {**live.context(request, version), "people": people, "who": who, "asked": asked}
    context |= {"board": week(asked, who) if who else None, "to_move": counted.to_move(user_of(request), now=now)}
    return render(request, "desk/week_live.html" if live.is_refresh(request) else "desk/week.html", context)


def _set_up_first(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    return render(request, "desk/day.html", {"now": now, "desk_notices": notices(now)})


def pick(request: HttpRequest, people: list[Resource]) -> Resource | None:
    """Whom ``with`` names, else oneself, else the first."""
    slug, user = request.GET.get("with", ""), user_of(request)
    named = [who for who in people if who.slug == slug] or [who for who in people if who.user_id == user.pk]
    return next(iter(named or people), None)


def _page(now: dt.datetime, locations: list[Location], location: Location, today: dt.date) -> dict[str, Any]:
    return {
        "now": now,
        "locations": locations,
        "location": location,
        "today": today,
        "desk_notices": notices(now),
    }


def _days(asked: Asked, found: Board, locations: list[Location]) -> dict[str, Any]:
    """The dates to go on to, and what the links carry along."""
    place = _place(asked, locations)
    by = {"by": asked.by} if asked.by == BY_ROOM else {}
    only = {"with": found.only}
    moving = {"moving": asked.moving.reference if asked.moving else ""}
    return {
        "date": asked.day,
        "before": asked.day - ONE_DAY,
        "after": asked.day + ONE_DAY,
        "kept": _query(place | by | only | moving),
        "kept_place": _query(place),
        "kept_still": _query(place | only),
    }


def _weeks(asked: Asked, who: Resource | None, locations: list[Location], shown: dt.date) -> dict[str, Any]:
    place = _place(asked, locations)
    return {
        "date": shown,
        "monday": asked.day,
        "sunday": asked.day + ONE_DAY * (WEEK - 1),
        "before": asked.day - WEEK * ONE_DAY,
        "after": asked.day + WEEK * ONE_DAY,
        "kept": _query(place | {"with": who.slug if who else ""}),
        "kept_place": _query(place),
    }


def _place(asked: Asked, locations: list[Location]) -> dict[str, str]:
    return {"location": asked.location.slug if len(locations) > 1 else ""}


def _query(chosen: dict[str, str]) -> str:
    """The rest of a query, after its date."""
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"&{query}" if query else ""


def _attention(request: HttpRequest, now: dt.datetime) -> dict[str, int]:
    """What waits for someone, whatever the day shown; as cheap as it is often asked for."""
    tasks = (
        tasks_for(user_of(request))
        .open()
        .aggregate(
            open_tasks=Count("pk"),
            urgent_tasks=Count("pk", filter=Q(is_urgent=True)),
            late_tasks=Count("pk", filter=Q(due_at__lte=now)),
        )
    )
    reviews = (
        visits_for(user_of(request))
        .in_review()
        .aggregate(to_review=Count("pk"), late_reviews=Count("pk", filter=Q(reply_by__lte=now)))
    )
    return {**tasks, **reviews, "failed_mails": OutgoingEmail.objects.worth_trying_again(now).count()}
