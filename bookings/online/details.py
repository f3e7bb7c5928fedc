"""Health question and details, the check page, and the booking itself. One form, one address."""

import dataclasses
import datetime as dt
import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from bookings import access, lifecycle
from bookings.eligibility import age_problem
from bookings.forms import GUIDANCE_WORDS, PRIVACY_WORDS, DetailsForm, suggested_email
from bookings.models import Booking, BookingState, ConsentKind
from bookings.online import doors, refusals
from bookings.online.asked import ANYONE, Asked, asked_for, location_of, locations_of, service_of, start_of
from bookings.online.skin import help_first, needs_help
from bookings.online.times import hold_again
from clinic import guidance, screening
from clinic.models import Clinic, Moment

NOT_SQUEEZING = "why-not-squeeze"
PRIVACY_VERSION = "1"
# What a draft keeps: the form's own fields, cut off far beyond anything a person types.
TYPED = (
    "service",
    "start",
    "practitioner",
    "location",
    "for_whom",
    "name",
    "email",
    "phone",
    "date_of_birth",
    "date_of_birth_day",
    "date_of_birth_month",
    "date_of_birth_year",
    "wishes",
    "guidance_read",
    "consent",
)
LONGEST = 2000
SLUG = re.compile(r"[-\w]+", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Kept:
    """A hold that stands. ``is_held_again`` says that it had run out and the time was still free."""

    booking: Booking
    is_held_again: bool = False


@doors.patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """GET shows the form for the time this browser holds. POST with ``next=check`` shows it all; without, it books."""
    now = timezone.now()
    if not doors.is_set_up():
        return doors.closed(request)
    if request.method == "POST":
        return _posted(request, now)
    booking = access.held(request)
    if booking is None:
        return _without_a_hold(request, now)
    return _page(request, Kept(booking), _form(request, booking, now), now)


@doors.patient_page
@require_POST
def extend(request: HttpRequest) -> HttpResponse:
    """Keep the time longer, and everything typed with it."""
    now = timezone.now()
    _keep_draft(request)
    booking = access.held(request, request.POST.get("hold", ""))
    try:
        kept = _kept(request, booking, now, renews=True)
    except lifecycle.HoldLimit as refused:
        messages.warning(request, str(refused))
        return doors.see_other("booking:details")
    return doors.see_other("booking:details") if isinstance(kept, Kept) else kept


@doors.patient_page
@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """Give the time back; ``to`` goes on to choose another one of the "times", or another of the "services"."""
    now = timezone.now()
    _keep_draft(request)
    booking = access.held(request, request.POST.get("hold", ""))
    if booking is None:
        return doors.see_other("services")
    if booking.state != BookingState.HELD:
        return doors.see_other("booking:done")
    lifecycle.release(booking, now=now)
    if request.POST.get("to") == "times":
        return doors.SeeOther(_times_of(booking))
    if request.POST.get("to") == "services":
        return doors.see_other("services")
    messages.success(request, "We have let the time go. Nothing is booked.")
    return doors.see_other("service", booking.service.slug)


def _times_of(booking: Booking) -> str:
    who = ANYONE if booking.asked_for_any else booking.practitioner.slug
    query = urlencode({"practitioner": who, "location": booking.location.slug, "date": booking.local_date.isoformat()})
    return f"{reverse('booking:times', args=[booking.service.slug])}?{query}"


def _keep_draft(request: HttpRequest) -> None:
    typed = {name: request.POST[name][:LONGEST].replace("\0", "") for name in TYPED if request.POST.get(name)}
    access.keep_draft(request, access.draft(request) | typed if "name" not in request.POST else typed)


def _without_a_hold(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """The hold was swept, or there never was one."""
    draft = access.draft(request)
    named = _named(draft, now)
    if named is None:
        return refusals.nothing_held(request, status=200)
    asked, start = named
    return refusals.hold_gone(request, asked, start)


def _named(data: Any, now: dt.datetime) -> tuple[Asked, dt.datetime] | None:
    """The time a form names beside its hold, to hold it again."""
    clinic, start = Clinic.objects.first(), start_of(data, now)
    if clinic is None or start is None or not SLUG.fullmatch(str(data.get("service", ""))):
        return None
    service = service_of(data["service"], now)
    location = location_of(locations_of(clinic, now), data)
    return (asked_for(clinic, service, location, data, now), start) if location else None


def _posted(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    _keep_draft(request)
    if doors.is_too_often(request, "confirm", now):
        return doors.too_often(request)
    booking = access.held(request, request.POST.get("hold", ""))
    if booking is not None and booking.confirmed_at is not None:
        access.remember_done(request, booking)
        return doors.see_other("booking:done")
    if "q1" in request.POST and needs_help(request.POST["q1"]):
        return help_first(request, _clinic_of(booking))
    kept = _kept(request, booking, now, renews=request.POST.get("next") == "check")
    return _answered(request, kept, now) if isinstance(kept, Kept) else kept


def _clinic_of(booking: Booking | None) -> Clinic:
    return booking.location.clinic if booking else Clinic.objects.get()


def _kept(request: HttpRequest, booking: Booking | None, now: dt.datetime, *, renews: bool) -> Kept | HttpResponse:
    """The hold, renewed if it may be; a hold that is gone is taken again while the time is free, or refused."""
    if booking is None or booking.expires_at is None:
        return _taken_again(request, now)
    had_run_out = booking.expires_at <= now
    if not (renews or had_run_out):
        return Kept(booking)
    try:
        lifecycle.extend(booking, now=now)
    except lifecycle.HoldGone:
        return _taken_again(request, now)
    except lifecycle.HoldLimit:
        # The time stays theirs while nobody else takes it.
        if request.path == reverse("booking:extend"):
            raise
        return Kept(booking)
    return Kept(booking, is_held_again=had_run_out)


def _taken_again(request: HttpRequest, now: dt.datetime) -> Kept | HttpResponse:
    named = _named(request.POST, now)
    if named is None:
        return refusals.nothing_held(request)
    asked, start = named
    try:
        booking = hold_again(request, asked, start, another=True)
    except (lifecycle.SlotTaken, lifecycle.NotOffered):
        return refusals.hold_gone(request, asked, start)
    except lifecycle.Refused as refused:
        return refusals.hold_refused(request, asked, refused, start)
    found = access.held(request, booking.reference)
    assert found, "a time just held is this visitor's"
    return Kept(found, is_held_again=True)


def _answered(request: HttpRequest, kept: Kept, now: dt.datetime) -> HttpResponse:
    """The form against the hold: shown again with what is wrong, checked, or booked."""
    data = request.POST.copy()
    data["hold"] = kept.booking.reference
    form = _form(request, kept.booking, now, data=data)
    if not form.is_valid():
        return _page(request, kept, form, now, status=422)
    if "q1" in form.cleaned_data:
        access.set_no_flags(request)
    problem = _age_problem(kept.booking, form)
    if problem:
        return refusals.age(request, kept.booking, problem)
    if "next" in request.POST or kept.booking.reference != request.POST.get("hold", kept.booking.reference):
        return _check(request, kept, form, now)
    return _booked(request, kept, form, now)


def _age_problem(booking: Booking, form: DetailsForm) -> Any:
    return age_problem(
        clinic=booking.location.clinic,
        service=booking.service,
        born=form.cleaned_data["date_of_birth"],
        visit_date=booking.local_date,
    )


def _booked(request: HttpRequest, kept: Kept, form: DetailsForm, now: dt.datetime) -> HttpResponse:
    booking = kept.booking
    said = _details(booking, form)
    try:
        booked = lifecycle.confirm(booking, details=said, visitor=access.known_visitor(request), now=now)
    except lifecycle.NotEligible as refused:
        return refusals.age(request, booking, refused.problem)
    except lifecycle.HoldGone:
        again = _taken_again(request, now)
        return _check(request, again, form, now) if isinstance(again, Kept) else again
    access.remember_done(request, booked)
    return doors.see_other("booking:done")


def _details(booking: Booking, form: DetailsForm) -> lifecycle.Details:
    said, advice = form.cleaned_data, _advice(booking)
    read = ", ".join(f"{each.code} v{each.version}" for each in advice if each.topic == NOT_SQUEEZING)
    return lifecycle.Details(
        name=said["name"],
        email=said["email"],
        phone=said["phone"],
        date_of_birth=said["date_of_birth"],
        is_for_someone_else=said["for_whom"] == "someone",
        wishes=said["wishes"],
        consents=(
            (ConsentKind.GUIDANCE_READ, read, GUIDANCE_WORDS),
            (ConsentKind.PRIVACY, PRIVACY_VERSION, PRIVACY_WORDS),
        ),
        shown=tuple((Moment.BOOKING.value, each.code, each.version) for each in advice),
    )


def _advice(booking: Booking) -> list[guidance.Advice]:
    return guidance.items_for(booking.service, Moment.BOOKING, booking.location.clinic)


def _form(request: HttpRequest, booking: Booking, now: dt.datetime, *, data: QueryDict | None = None) -> DetailsForm:
    today = now.astimezone(booking.location.zone).date()
    initial = {} if data is not None else _initial(request, booking)
    return DetailsForm(
        data,
        initial=initial,
        country=booking.location.clinic.country,
        today=today,
        asks_q1=not access.has_no_flags(request) or (data is not None and "q1" in data),
    )


def _initial(request: HttpRequest, booking: Booking) -> dict[str, Any]:
    draft = access.draft(request)
    boxes = tuple(draft.get(f"date_of_birth_{part}", "") for part in ("day", "month", "year"))
    return draft | _held_fields(booking) | {"date_of_birth": draft.get("date_of_birth") or boxes}


def _held_fields(booking: Booking) -> dict[str, str]:
    """The hidden fields that name the time, so that it can be held again."""
    return {
        "hold": booking.reference,
        "service": booking.service.slug,
        "start": booking.starts_at.astimezone(booking.location.zone).isoformat(),
        "practitioner": ANYONE if booking.asked_for_any else booking.practitioner.slug,
        "location": booking.location.slug,
    }


def _page(request: HttpRequest, kept: Kept, form: DetailsForm, now: dt.datetime, *, status: int = 200) -> HttpResponse:
    advice = _advice(kept.booking)
    asked = screening.question("Q1", kept.booking.location.clinic)
    context = _context(kept, now) | {
        "form": form,
        "has_errors": bool(form.errors),
        "asked": asked,
        "advice": [each for each in advice if each.topic == NOT_SQUEEZING],
        "sections": guidance.grouped(each for each in advice if each.topic != NOT_SQUEEZING),
        "is_draft": guidance.is_draft(advice),
    }
    return render(request, "booking/details.html", context, status=status)


def _check(request: HttpRequest, kept: Kept, form: DetailsForm, now: dt.datetime) -> HttpResponse:
    said = form.cleaned_data
    carried = _held_fields(kept.booking) | {
        "for_whom": said["for_whom"],
        "name": said["name"],
        "email": said["email"],
        "phone": said["phone"],
        "date_of_birth": said["date_of_birth"].isoformat(),
        "wishes": said["wishes"],
        "guidance_read": "on",
        "consent": "on",
    }
    context = _context(kept, now) | {"said": said, "carried": carried, "suggested": suggested_email(said["email"])}
    return render(request, "booking/check.html", context)


def _context(kept: Kept, now: dt.datetime) -> dict[str, Any]:
    booking = kept.booking
    assert booking.expires_at, "a hold has an expiry"
    clinic = booking.location.clinic
    longer = booking.held_at + clinic.hold_limit > booking.expires_at
    return {
        "booking": booking,
        "is_held_again": kept.is_held_again,
        "has_run_out": booking.expires_at <= now,
        "is_today": booking.expires_at.astimezone(booking.location.zone).date()
        == now.astimezone(booking.location.zone).date(),
        "can_be_longer": longer,
        "is_free_to_cancel": booking.cut_off_at > now,
        "hide_nav": True,
    }
