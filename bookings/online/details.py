"""The health questions that are still open, and details: one form, one address. POST checks it or books."""

import dataclasses
import datetime as dt
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from bookings import access, eligibility, lifecycle
from bookings.forms import DetailsForm, QuestionsForm, name_of
from bookings.forms.questions import LAST_EXTRACTION
from bookings.models import Booking, BookingState, ScreeningRun
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
# A browser sends one of them with our pages; a program, and who reads the hidden fields of the form alone, neither.
SENT_BY_PAGES = ("date_of_birth_day", "answered")


@dataclasses.dataclass(frozen=True)
class Heard:
    """What was posted, read against the ``visit`` that it names, while that can still be booked."""

    book: Rulebook
    visit: Booking | None = None
    form: DetailsForm | None = None


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
    heard = _heard(request, booking, now)
    if isinstance(heard, HttpResponse):
        return heard
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
    heard = _heard(request, booking, now)
    if isinstance(heard, HttpResponse):
        return heard
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
    booking = access.held(request, request.POST.get("hold", ""))
    heard = _heard(request, booking, now)
    if isinstance(heard, HttpResponse):
        return heard
    if doors.is_too_often(request, "confirm", now):
        return doors.too_often(request)
    if booking is not None and booking.booked_at is not None:
        access.remember_done(request, booking)
        return doors.see_other("booking:done")
    if heard.form is not None and not access.known_visitor(request):
        answers.keep(request, heard.form, heard.book, now)
    found = kept(request, booking, now, renews=request.POST.get("next") == "check")
    return _answered(request, found, heard, now) if isinstance(found, Kept) else found


def _heard(request: HttpRequest, booking: Booking | None, now: dt.datetime) -> Heard | HttpResponse:
    """Keep what was answered, whatever was pressed and whatever comes of it. A warning sign comes before everything.

    Of a browser that never held a time nothing is kept here: it has nothing to lose yet, and is counted first.
    """
    clinic = booking.location.clinic if booking else Clinic.objects.first()
    if clinic is None:
        return doors.closed(request)
    book = screening.rulebook(clinic)
    said = _answers_in(request.POST, book, now)
    if screening.warning_signs(book, said):
        if booking is not None:
            lifecycle.call_off(booking, by=Actor.PATIENT, now=now)
        return help_first(request, clinic, book, said)
    visit = booking or _named_visit(request, now)
    if visit is None or visit.booked_at is not None:
        return Heard(book)
    form = _bound_form(request, visit, book, now)
    if access.known_visitor(request):
        answers.keep(request, form, book, now)
    return Heard(book, visit, form)


def _named_visit(request: HttpRequest, now: dt.datetime) -> Booking | None:
    """The visit that a form names whose hold is gone, if the clinic still has such visits. Never saved."""
    with suppress(Http404):
        if found := named(request.POST, now):
            asked, start = found
            return Booking(service=asked.service, location=asked.location, starts_at=start)
    return None


def _answers_in(data: QueryDict, book: Rulebook, now: dt.datetime) -> screening.Answers:
    """Whatever of the questions was answered, before anything else is looked at."""
    form = QuestionsForm(data, asked=[each for each in book.questions if _is_in(data, each.code)], today=now.date())
    form.is_valid()
    return form.answers


def _answered(request: HttpRequest, found: Kept, heard: Heard, now: dt.datetime) -> HttpResponse:
    """The form against the hold: shown again with what is wrong, checked, or booked."""
    book, form, run = heard.book, heard.form, access.screening_run(request, now)
    # Another visit than the form was read for; or a second click took the answers along.
    if form is None or heard.visit != found.booking or run is None:
        form = _bound_form(request, found.booking, book, now)
        run = answers.keep(request, form, book, now)
    if form.errors:
        return _page(request, found, form, now, status=422)
    said = answers.digest(run)
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
    initial |= {"asks": ",".join(each.code for each in asked)}
    return _form(booking, now, asked, _open_history(request, booking, run), initial=initial)


def _bound_form(request: HttpRequest, booking: Booking, book: Rulebook, now: dt.datetime) -> DetailsForm:
    """Read, with the questions that stood on the page, those that came along, and those nobody answered yet."""
    data = request.POST.copy()
    data["hold"] = booking.reference
    run = access.screening_run(request, now)
    known = eligibility.said_of(run).answers
    stood = set(data.get("asks", "").split(","))
    asked = [
        each
        for each in book.asked(booking.service.codes)
        if each.code not in known or each.code in stood or _is_in(data, each.code)
    ]
    history = _open_history(request, booking, run, data)
    if any(name in data for name in SENT_BY_PAGES):
        # Though this page did not ask, it is due for who the form names now.
        data.setdefault(LAST_EXTRACTION, "")
    form = _form(booking, now, asked, history, data=data)
    form.is_valid()
    return form


def _is_in(data: QueryDict, code: str) -> bool:
    return name_of(code) in data or f"{name_of(code)}_parts" in data


def _form(
    booking: Booking,
    now: dt.datetime,
    asked: list[screening.Asked],
    history: list[tuple[str, str]],
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
        history=history,
        asks_event=booking.service.leaves_redness,
    )


def _open_history(
    request: HttpRequest, booking: Booking, run: ScreeningRun | None, data: QueryDict | None = None
) -> list[tuple[str, str]]:
    """Earlier visits are asked for once. Who came by a signed link is not asked, but whoever else they book for is."""
    if answers.own_patient(request, answers.for_whom(request)):
        return []
    return answers.open_history(run, booking.service, data)


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
