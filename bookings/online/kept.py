"""The time that a form stands on: renewed while the form is filled in, and taken again where it ran out."""

import dataclasses
import datetime as dt
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from bookings import access, lifecycle
from bookings.models import Booking
from bookings.online import refusals
from bookings.online.answers import said_by, with_outlook
from bookings.online.asked import Asked, asked_for, location_of, locations_of, service_of, start_of
from bookings.online.times import hold_again
from clinic.models import Clinic

SLUG = re.compile(r"[-\w]+", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Kept:
    """A hold that stands. ``is_held_again`` says that it had run out and the time was still free."""

    booking: Booking
    is_held_again: bool = False


def kept(request: HttpRequest, booking: Booking | None, now: dt.datetime, *, renews: bool) -> Kept | HttpResponse:
    """The hold, renewed if it may be; a hold that is gone is taken again while the time is free, or refused."""
    if booking is None or booking.expires_at is None:
        return taken_again(request, now)
    had_run_out = booking.expires_at <= now
    if not (renews or had_run_out):
        return Kept(booking)
    try:
        lifecycle.extend(booking, now=now)
    except lifecycle.HoldGone:
        return taken_again(request, now)
    except lifecycle.HoldLimit:
        # The time stays theirs while nobody else takes it.
        if request.path == reverse("booking:extend"):
            raise
        return Kept(booking)
    return Kept(booking, is_held_again=had_run_out)


def taken_again(request: HttpRequest, now: dt.datetime) -> Kept | HttpResponse:
    """Hold the time that the form names once more, as far as its answers still allow."""
    found = named(request.POST, now)
    if found is None:
        return refusals.nothing_held(request)
    asked, start = with_outlook(found[0], said_by(request, now)), found[1]
    try:
        booking = hold_again(request, asked, start, another=True)
    except (lifecycle.SlotTaken, lifecycle.NotOffered):
        return refusals.hold_gone(request, asked, start)
    except lifecycle.Refused as refused:
        return refusals.hold_refused(request, asked, refused, start)
    again = access.held(request, booking.reference)
    assert again, "a time just held is this visitor's"
    return Kept(again, is_held_again=True)


def named(data: Any, now: dt.datetime) -> tuple[Asked, dt.datetime] | None:
    """The time a form names beside its hold, to hold it again."""
    clinic, start = Clinic.objects.first(), start_of(data, now)
    if clinic is None or start is None or not SLUG.fullmatch(str(data.get("service", ""))):
        return None
    service = service_of(data["service"], now)
    location = location_of(locations_of(clinic, now), data)
    return (asked_for(clinic, service, location, data, now), start) if location else None
