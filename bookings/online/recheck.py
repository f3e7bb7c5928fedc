"""Is anything new? The change-only questions before a visit, and what follows from them."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from bookings import access, lifecycle
from bookings.eligibility import Outlook
from bookings.forms import HealedForm, QuestionsForm, RecheckForm
from bookings.models import Booking, BookingState, RunKind
from bookings.models.event import Actor
from bookings.online import doors, visit
from bookings.online.again import Again, again_for, since
from clinic import screening, words
from clinic.screening import Answer, Answers

# The one press that says no to everything: its name and value.
ANYTHING_NEW = "anything_new"


@require_http_methods(["GET", "HEAD", "POST"])
@visit.upcoming_page
def recheck(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET asks; POST keeps the answers, or stops for medical help."""
    again = again_for(booking, now)
    if request.method != "POST":
        return _page(request, booking, again, _form(request, booking, again, now), now)
    if doors.is_too_often(request, "answers", now):
        return doors.too_often(request)
    if request.POST.get(ANYTHING_NEW) == "no" and not again.is_open:
        form: RecheckForm = HealedForm(request.POST, asked=[], **_about(booking, again, now))
        before = again.nothing_new
    else:
        form, before = _form(request, booking, again, now), {}
    said = answers_of(form, again.book)
    if said is None:
        return _page(request, booking, again, form, now)
    return _answered(request, booking, {**before, **said}, now)


def _form(request: HttpRequest, booking: Booking, again: Again, now: dt.datetime) -> RecheckForm:
    """First only whether it has healed, where that is asked; all of it with ``all`` in the address."""
    data, about = request.POST if request.method == "POST" else None, _about(booking, again, now)
    if data is None and again.told and not again.is_open and "all" not in request.GET:
        return HealedForm(asked=[], **about)
    return RecheckForm(data, asked=again.asked, **about)


def _about(booking: Booking, again: Again, now: dt.datetime) -> dict[str, Any]:
    return {
        "today": now.astimezone(booking.location.zone).date(),
        "visit_date": booking.local_date,
        "must_heal": again.must_heal,
        "told": again.told,
    }


def answers_of(form: QuestionsForm, book: screening.Rulebook) -> Answers | None:
    """What was answered; None while something is missing. A warning sign waits for no other answer."""
    is_valid = form.is_valid()
    said = form.answers
    return said if is_valid or screening.warning_signs(book, said) else None


def answer(request: HttpRequest, booking: Booking, said: Answers, kind: RunKind, now: dt.datetime) -> Outlook:
    """Keep a round of answers of this visit's patient. Raises NeedsHelp."""
    outlook, _ = lifecycle.answer_again(
        booking, answers=said, kind=kind, by=Actor.PATIENT, is_known=access.came_by_link(request), now=now
    )
    return outlook


def _answered(request: HttpRequest, booking: Booking, said: Answers, now: dt.datetime) -> HttpResponse:
    try:
        outlook = lifecycle.told(booking, answer(request, booking, said, RunKind.RECHECK, now))
    except lifecycle.NeedsHelp:
        return doors.see_other("visit:help")
    if lifecycle.standing(booking, outlook):
        return doors.see_other("visit:longer")
    messages.success(request, _thanks(booking, said))
    return doors.see_other("visit:show")


def _thanks(booking: Booking, said: Answers) -> str:
    if booking.state == BookingState.PENDING:
        return "Thank you. A clinician looks at all your answers."
    told = "We told your practitioner. " if any(each.answer is not Answer.NO for each in said.values()) else ""
    return f"Thank you. {told}See you on {words.when(booking.starts_at, booking.location.zone)}."


def _page(request: HttpRequest, booking: Booking, again: Again, form: RecheckForm, now: dt.datetime) -> HttpResponse:
    data = visit.context(booking, now) | {
        "again": again,
        "since": since(booking),
        "form": form,
        "is_short": isinstance(form, HealedForm),
        "has_errors": form.is_bound,
        "is_draft": not all(each.is_signed for each in again.asked),
    }
    return render(request, "visit/recheck.html", data, status=422 if form.is_bound else 200)
