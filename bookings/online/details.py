"""The health questions that are still open, and details: one form, one address. POST checks it or books."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from bookings import access, eligibility, lifecycle
from bookings.forms import DetailsForm, QuestionsForm, name_of
from bookings.models import Booking, BookingState
from bookings.models.event import Actor
from bookings.online import answers, checking, doors, refusals
from bookings.online.answers import SKIN
from bookings.online.asked import ANYONE
from bookings.online.kept import Kept, kept, named
from bookings.online.skin import above_questions, help_first
from clinic import guidance, screening
from clinic.models import Clinic
from clinic.screening import Rulebook

# What a draft keeps: the form's own fields but for answers, cut off far beyond anything a person types.
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
    "event_date",
    "event_date_day",
    "event_date_month",
    "event_date_year",
    "guardian_name",
    "guardian_relation",
    "guardian_phone",
    "guardian_email",
    "mail_to",
    "wishes",
    "guidance_read",
    "consent",
)
DATES = ("date_of_birth", "event_date")
LONGEST = 2000


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
    return _page(request, Kept(booking), _empty_form(request, booking, now), now)


@doors.patient_page
@require_POST
def extend(request: HttpRequest) -> HttpResponse:
    """Keep the time longer, and everything typed with it."""
    now = timezone.now()
    _keep_draft(request)
    booking = access.held(request, request.POST.get("hold", ""))
    try:
        found = kept(request, booking, now, renews=True)
    except lifecycle.HoldLimit as refused:
        messages.warning(request, str(refused))
        return doors.see_other("booking:details")
    return doors.see_other("booking:details") if isinstance(found, Kept) else found


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
    found = named(access.draft(request), now)
    if found is None:
        return refusals.nothing_held(request, status=200)
    return refusals.hold_gone(request, *found)


def _posted(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    _keep_draft(request)
    if doors.is_too_often(request, "confirm", now):
        return doors.too_often(request)
    booking = access.held(request, request.POST.get("hold", ""))
    clinic = booking.location.clinic if booking else Clinic.objects.get()
    book = screening.rulebook(clinic)
    said = _answers_in(request.POST, book, now)
    if screening.warning_signs(book, said):
        if booking is not None:
            lifecycle.call_off(booking, by=Actor.PATIENT, now=now)
        return help_first(request, clinic, book, said)
    if booking is not None and booking.booked_at is not None:
        access.remember_done(request, booking)
        return doors.see_other("booking:done")
    found = kept(request, booking, now, renews=request.POST.get("next") == "check")
    return _answered(request, found, book, now) if isinstance(found, Kept) else found


def _answers_in(data: QueryDict, book: Rulebook, now: dt.datetime) -> screening.Answers:
    """Whatever of the questions was answered, before anything else is looked at."""
    form = QuestionsForm(data, asked=[each for each in book.questions if _is_in(data, each.code)], today=now.date())
    form.is_valid()
    return form.answers


def _answered(request: HttpRequest, found: Kept, book: Rulebook, now: dt.datetime) -> HttpResponse:
    """The form against the hold: shown again with what is wrong, checked, or booked."""
    form = _bound_form(request, found.booking, book, now)
    is_valid = form.is_valid()
    said = answers.digest(answers.keep(request, form, book, now))
    if not is_valid:
        return _page(request, found, form, now, status=422)
    is_another_time = found.booking.reference != request.POST.get("hold", found.booking.reference)
    if "next" in request.POST or is_another_time or request.POST.get("answered", said) != said:
        return checking.check(request, found, form, book, now)
    return checking.book(request, found, form, book, now)


def _empty_form(request: HttpRequest, booking: Booking, now: dt.datetime) -> DetailsForm:
    """What is still open, and what belongs to this step anyway; filled with what was said and typed before."""
    book = screening.rulebook(booking.location.clinic)
    run = access.screening_run(request, now)
    known = eligibility.said_of(run).answers
    asked = [each for each in book.asked(booking.service.codes) if each.stage != SKIN or each.code not in known]
    initial = answers.initial_of(run, asked) | _typed(request) | checking.held_fields(booking)
    return _form(request, booking, now, asked, initial=initial | {"asks": ",".join(each.code for each in asked)})


def _bound_form(request: HttpRequest, booking: Booking, book: Rulebook, now: dt.datetime) -> DetailsForm:
    """With the questions that stood on the page, those that came along, and those that nobody answered yet."""
    data = request.POST.copy()
    data["hold"] = booking.reference
    known = eligibility.said_of(access.screening_run(request, now)).answers
    stood = set(data.get("asks", "").split(","))
    asked = [
        each
        for each in book.asked(booking.service.codes)
        if each.code not in known or each.code in stood or _is_in(data, each.code)
    ]
    return _form(request, booking, now, asked, data=data)


def _is_in(data: QueryDict, code: str) -> bool:
    return name_of(code) in data or f"{name_of(code)}_parts" in data


def _form(
    request: HttpRequest,
    booking: Booking,
    now: dt.datetime,
    asked: list[screening.Asked],
    *,
    data: QueryDict | None = None,
    initial: dict[str, Any] | None = None,
) -> DetailsForm:
    return DetailsForm(
        data,
        initial=initial,
        clinic=booking.location.clinic,
        visit_date=booking.local_date,
        today=now.astimezone(booking.location.zone).date(),
        asked=asked,
        history=_open_history(request, booking, now, data),
        asks_event=checking.shows_redness(booking),
    )


def _open_history(
    request: HttpRequest, booking: Booking, now: dt.datetime, data: QueryDict | None
) -> list[tuple[str, str]]:
    """Earlier visits are asked for once. Who came by a signed link is not asked, but whoever else they book for is."""
    known = access.known_patient(request)
    if known and (data is None or (data.get("for_whom", "me") == "me" and data.get("name", "") == known.name)):
        return []
    return answers.open_history(request, booking.service, now, data)


def _typed(request: HttpRequest) -> dict[str, Any]:
    draft = access.draft(request)
    boxes = {name: tuple(draft.get(f"{name}_{part}", "") for part in ("day", "month", "year")) for name in DATES}
    return draft | {name: draft.get(name) or box for name, box in boxes.items()}


def _page(request: HttpRequest, found: Kept, form: DetailsForm, now: dt.datetime, *, status: int = 200) -> HttpResponse:
    advice = checking.advice_while_booking(found.booking)
    why, others = checking.split(advice)
    context = checking.context(found, now) | {
        "form": form,
        "has_errors": bool(form.errors),
        "above": above_questions(found.booking.location.clinic) if form.asked else None,
        "has_answered": access.screening_run(request, now) is not None,
        "advice": why,
        "sections": guidance.grouped(others),
        "is_draft": guidance.is_draft(advice) or not all(each.is_signed for each in form.asked),
    }
    return render(request, "booking/details.html", context, status=status)
