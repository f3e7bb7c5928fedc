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
from bookings.desk.acting import booked, form_page, form_shown, head, today, typed
from bookings.desk.attending import is_open
from bookings.desk.doors import changes_bookings, sees_answers, user_of
from bookings.desk.forms import AskForm
from bookings.eligibility import needs_guardian
from bookings.forms import initial_of
from bookings.models import Booking, RunKind
from clinic import guidance, screening
from clinic.screening import Answer, Asked, Rulebook

# What stands under the advice of a warning sign: call now, and call today.
HELP_FLAGS = ("FLAG-1", "FLAG-2")


@never_cache
@form_page
@changes_bookings
@sees_answers
def ask(request: HttpRequest, reference: str) -> HttpResponse:
    """GET asks what is open, or everything with ``all=1``. POST keeps the answers; a warning sign stops the visit."""
    now = timezone.now()
    booking = booked(request, reference)
    if not is_open(booking):
        return render(request, "desk/refused.html", {**head(booking, now), "refusal": _over()}, status=409)
    book = screening.rulebook(booking.location.clinic)
    form = _form(request, booking, book, now)
    is_valid = form.is_valid()
    if form.is_bound and screening.warning_signs(book, form.answers):
        return _help(request, booking, screening.warning_signs(book, form.answers), now)
    if not is_valid:
        return form_shown(request, "desk/ask.html", booking, form, now, is_all=_is_all(request))
    if not form.answers:
        messages.info(request, "Nothing was filled in, so nothing is saved.")
        return redirect("desk:booking", booking.reference)
    lifecycle.answer_again(booking, answers=form.answers, kind=RunKind.DESK, by=user_of(request), now=now)
    _say(request, booking)
    return redirect("desk:booking", booking.reference)


def _is_all(request: HttpRequest) -> bool:
    return request.GET.get("all") == "1"


def _form(request: HttpRequest, booking: Booking, book: Rulebook, now: dt.datetime) -> AskForm:
    said, codes = eligibility.said_for(booking), booking.service.codes
    # A no is never filled in: who presses the button has asked.
    known = {code: answered for code, answered in said.answers.items() if answered.answer is not Answer.NO}
    asked = book.asked(codes) if _is_all(request) else screening.unanswered(book, said.answers, codes)
    born = booking.patient.date_of_birth if booking.patient else None
    return AskForm(
        typed(request),
        asked=asked,
        today=today(booking, now),
        initial=initial_of(dataclasses.replace(said, answers=known), asked),
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


def _over() -> str:
    return str(lifecycle.NotUpcoming())
