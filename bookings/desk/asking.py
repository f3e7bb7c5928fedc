"""The health questions at the clinic: what is still open, or all of them once more."""

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import eligibility, lifecycle
from bookings.ages import needs_guardian
from bookings.desk.acting import after, booked, form_page, form_shown, head, today, typed
from bookings.desk.attending import is_open
from bookings.desk.doors import changes_bookings, rights, user_of
from bookings.desk.forms import AskForm, WarningForm
from bookings.eligibility import NOTHING_SAID
from bookings.forms import initial_of
from bookings.models import Booking, BookingState, RunKind
from clinic import guidance, screening
from clinic.screening import Answer, Asked, Rulebook

# What stands under the advice of a warning sign: call now, and call today.
HELP_FLAGS = ("FLAG-1", "FLAG-2")
# The question about warning signs.
FIRST_ASKED = "Q1"


@never_cache
@form_page
@changes_bookings
def ask(request: HttpRequest, reference: str) -> HttpResponse:
    """GET asks what is open, or everything with ``all=1``. POST keeps the answers; a warning sign stops the visit.

    Whoever runs the day asks and writes down. What was said before is shown to those who may see answers, and nobody
    else corrects it: what they hear adds to it.
    """
    now = timezone.now()
    booking = booked(request, reference)
    book = screening.rulebook(booking.location.clinic)
    form = _form(request, booking, book, now)
    is_valid = form.is_valid()
    signs = screening.warning_signs(book, form.answers) if form.is_bound else []
    if signs and _can_stop(booking):
        return _help(request, booking, signs, now)
    if not is_open(booking):
        return _over(request, booking, now)
    if not is_valid:
        more = {"is_all": _is_all(request), "sees_answers": rights(request).answers}
        return form_shown(request, "desk/ask.html", booking, form, now, **more)
    if not form.answers:
        messages.info(request, "Nothing was filled in, so nothing is saved.")
        return redirect(after(request, booking))
    lifecycle.answer_again(booking, answers=form.answers, kind=_kind(request), by=user_of(request), now=now)
    _say(request, booking)
    return redirect(after(request, booking))


@never_cache
@form_page
@changes_bookings
def warning(request: HttpRequest, reference: str) -> HttpResponse:
    """The patient tells of a warning sign: GET asks for it in the signed words, POST stops the visit after a yes."""
    now = timezone.now()
    booking = booked(request, reference)
    if not _can_stop(booking):
        return _over(request, booking, now)
    book = screening.rulebook(booking.location.clinic)
    form = WarningForm(typed(request), asked=[book.question(FIRST_ASKED)], today=today(booking, now))
    if not form.is_valid():
        is_draft = not all(each.is_signed for each in form.asked)
        return form_shown(request, "desk/warning.html", booking, form, now, is_draft=is_draft)
    signs = screening.warning_signs(book, form.answers)
    if signs:
        return _help(request, booking, signs, now)
    messages.info(request, "No warning sign. Nothing is changed.")
    return redirect("desk:booking", booking.reference)


def _can_stop(booking: Booking) -> bool:
    """A second press on a visit that was just stopped shows the same once more."""
    return is_open(booking) or booking.state == BookingState.SUSPENDED


def _is_all(request: HttpRequest) -> bool:
    return request.GET.get("all") == "1"


def _kind(request: HttpRequest) -> RunKind:
    """At the clinic's own round a no puts a wrong yes right; that takes somebody who sees what was said."""
    return RunKind.DESK if rights(request).answers or not _is_all(request) else RunKind.RECHECK


def _form(request: HttpRequest, booking: Booking, book: Rulebook, now: dt.datetime) -> AskForm:
    said, codes = eligibility.said_for(booking), booking.service.codes
    # A no is never filled in: who presses the button has asked.
    known = {code: answered for code, answered in said.answers.items() if answered.answer is not Answer.NO}
    shown = dataclasses.replace(said, answers=known) if rights(request).answers else NOTHING_SAID
    asked = book.asked(codes) if _is_all(request) else screening.unanswered(book, said.answers, codes)
    born = booking.patient.date_of_birth if booking.patient else None
    return AskForm(
        typed(request),
        asked=asked,
        today=today(booking, now),
        initial=initial_of(shown, asked),
        is_minor=needs_guardian(born, booking.local_date),
    )


def _help(request: HttpRequest, booking: Booking, signs: Sequence[Asked], now: dt.datetime) -> HttpResponse:
    """The visit is off, no answer is kept, and staff read what to do now."""
    stopped = lifecycle.suspend(booking, by=user_of(request), now=now)
    flags = [each for each in guidance.red_flags(booking.location.clinic) if each.code in HELP_FLAGS]
    return render(request, "desk/help.html", {**head(stopped, now), "signs": signs, "flags": flags})


def _say(request: HttpRequest, booking: Booking) -> None:
    """What it means stands on the booking's page, for those who may read it; a message lies in a cookie."""
    found = booked(request, booking.reference)
    if found.is_screening_outstanding:
        messages.info(request, "The answers are saved. A question is still open.")
    else:
        messages.success(request, "The answers are saved.")


def _over(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    context = {**head(booking, now), "refusal": str(lifecycle.NotUpcoming())}
    return render(request, "desk/refused.html", context, status=409)
