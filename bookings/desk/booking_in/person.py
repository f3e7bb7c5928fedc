"""Who comes: found by type-ahead or named, asked what comes first, and booked. Whatever was typed is kept."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from bookings import eligibility, lifecycle
from bookings.desk import reading
from bookings.desk.acting import form_page
from bookings.desk.asking import HELP_FLAGS
from bookings.desk.booking_in import held, knowing, refusing
from bookings.desk.booking_in.matches import matches
from bookings.desk.booking_in.person_forms import HIDDEN, PersonForm
from bookings.desk.booking_in.refusing import Refusal
from bookings.desk.booking_in.taking import Taking
from bookings.desk.doors import books, notices, sees_patients, user_of
from bookings.eligibility import Said
from bookings.forms.fields import boxes_of
from bookings.models import Booking, Patient, RunKind, ScreeningRun
from bookings.models.states import UNDER_WAY
from clinic import guidance, screening, words

# What a press does; anything else books.
LONGER, RELEASE = "longer", "release"


@never_cache
@form_page
@books
@sees_patients
def patient(request: HttpRequest) -> HttpResponse:
    """GET finds people, and asks. POST books, unless another button was pressed."""
    now = timezone.now()
    user = user_of(request)
    if request.method == "POST":
        return _posted(request, now)
    booking = held.held_for(user, request.GET.get("caller", ""))
    if booking is None:
        return _nothing_held(request)
    taking = _taking(request, booking, request.GET.get("patient", ""), now)
    if taking.known:
        reading.read(request, taking.known, now=now)
    refusal = refusing.early(taking)
    form = taking.form(
        asks_reason=refusal is not None and refusal.may_bend,
        takes_focus=taking.known is not None or bool(request.GET.get("q")),
        **_start(taking),
    )
    return _page(taking, form, refusal=refusal)


def _nothing_held(request: HttpRequest) -> HttpResponse:
    messages.info(request, "No time is held. Choose one first.")
    return redirect("desk:book")


def _taking(request: HttpRequest, booking: Booking, who: str, now: dt.datetime) -> Taking:
    book = screening.rulebook(booking.location.clinic)
    return Taking(request, booking, knowing.whom(user_of(request), who), book, now)


def _start(taking: Taking) -> dict[str, Any]:
    """What is filled in before anybody types: the time, and a name that was looked for in vain."""
    typed = taking.request.GET.get("q", "").strip()
    is_name = any(sign.isalpha() for sign in typed) and "@" not in typed and not any(s.isdigit() for s in typed)
    return _time_fields(taking) | {"name": typed.title() if typed.islower() else typed if is_name else ""}


def _time_fields(taking: Taking) -> dict[str, Any]:
    booking = taking.booking
    return {
        "hold": booking.reference,
        "caller": held.caller_for(booking),
        "service": booking.service.slug,
        "location": booking.location.slug,
        "slot": held.slot_of(booking),
        "why": held.reason_for(booking) if booking.pk else taking.request.POST.get("why", ""),
        "patient": str(taking.known.pk) if taking.known else "",
    }


def _posted(request: HttpRequest, now: dt.datetime) -> HttpResponse:
    """A warning sign counts before anything else, whichever button was pressed and whatever became of the time."""
    user, pick = user_of(request), held.named(request.POST)
    about = held.held_by(user, request.POST.get("hold", "")) or (
        held.no_more(pick, request.POST, user) if pick else None
    )
    if about is None:
        return _nothing_held(request)
    taking = _taking(request, about, request.POST.get("pick") or request.POST.get("patient", ""), now)
    form = taking.form(request.POST, asks_reason="override" in request.POST)
    is_valid = form.is_valid()
    if screening.warning_signs(taking.book, form.answers):
        return _help(taking, form)
    if about.booked_at is not None:
        return redirect("desk:booking", about.reference)
    return _pressed(taking, form, is_valid=is_valid)


def _pressed(taking: Taking, form: PersonForm, *, is_valid: bool) -> HttpResponse:
    request, act, slot = taking.request, taking.request.POST.get("act", ""), taking.request.POST.get("instead", "")
    if act == RELEASE:
        lifecycle.release(taking.booking, now=taking.now)
        messages.success(request, "The time is free again. Nothing is booked.")
        return redirect("desk:book")
    if slot or taking.is_lost:
        return _held_anew(taking, form, slot)
    if act == LONGER:
        return _kept_longer(taking)
    if "pick" in request.POST:
        return _page(taking, _typed(taking), refusal=refusing.early(taking))
    if not is_valid:
        return _page(taking, form, status=422)
    alike = _alike(taking, form)
    return _page(taking, form, alike=alike, status=422) if alike else _booked(taking, form)


def _alike(taking: Taking, form: PersonForm) -> list[Patient]:
    """Whom a new person may be; nobody once staff have said that it is somebody else."""
    if taking.known is not None or taking.request.POST.get("somebody_else"):
        return []
    said = {name: form.cleaned_data.get(name, "") for name in ("name", "phone", "email")}
    return knowing.alike(taking.user, **said)


def _held_anew(taking: Taking, form: PersonForm, slot: str) -> HttpResponse:
    """Another time for the same form, or the same once more where the hold is gone. If it cannot be, the closest."""
    data, user = taking.request.POST, taking.user
    pick = held.named(data, slot)
    if pick is None:
        return _nothing_held(taking.request)
    try:
        booking = held.hold(pick, held.caller_for(taking.booking), user=user, now=taking.now)
    except lifecycle.Refused as refused:
        still = held.held_by(user, taking.booking.reference) or held.no_more(pick, data, user)
        taking = dataclasses.replace(taking, booking=still)
        refusal = refusing.taken(taking, _said(taking, form), refused)
        return _page(taking, _typed(taking), refusal=refusal, status=refusal.status)
    taking = dataclasses.replace(taking, booking=booking)
    return _page(taking, _typed(taking))


def _kept_longer(taking: Taking) -> HttpResponse:
    try:
        lifecycle.extend(taking.booking, now=taking.now)
    except lifecycle.HoldLimit as refused:
        messages.warning(taking.request, str(refused))
    return _page(taking, _typed(taking))


def _typed(taking: Taking) -> PersonForm:
    """What was typed so far, without judging it."""
    data = taking.request.POST
    empty = taking.form()
    typed = {
        name: field.widget.value_from_datadict(data, taking.request.FILES, name)
        for name, field in empty.fields.items()
        if name not in HIDDEN
    }
    dates = {name: boxes_of(value) for name, value in typed.items() if name.endswith(("_date", "date_of_birth"))}
    return taking.form(**(typed | dates | _time_fields(taking)))


def _booked(taking: Taking, form: PersonForm) -> HttpResponse:
    run = _run(taking, form)
    try:
        booked = lifecycle.confirm(
            taking.booking,
            details=form.details,
            visitor=taking.booking.visitor,
            run=run,
            known=taking.known,
            book=taking.book,
            by=taking.user,
            override=form.cleaned_data.get("override", ""),
            now=taking.now,
        )
    except lifecycle.HoldGone:
        return _held_anew(taking, form, "")
    except lifecycle.Refused as refused:
        return _refused(taking, form, refused)
    _say(taking.request, booked)
    return redirect("desk:booking", booked.reference)


def _run(taking: Taking, form: PersonForm) -> ScreeningRun:
    """Not stored: it becomes the booking's, or nothing stays of it."""
    return ScreeningRun(
        kind=RunKind.DESK,
        answers={code: each.as_json() for code, each in form.answers.items()},
        last_extraction_on=form.last_extraction_on,
        had_consultation=form.had_consultation,
        taken_by=taking.user,
        made_at=taking.now,
    )


def _said(taking: Taking, form: PersonForm) -> Said:
    """All that is known of them by now."""
    return eligibility.said_of(_run(taking, form), born=form.born, patient=taking.known)


def _say(request: HttpRequest, booked: Booking) -> None:
    when = words.when(booked.starts_at, booked.location.zone)
    reference = words.spoken_reference(booked.reference)
    done = "Held until a clinician has looked" if booked.reply_by else "Booked"
    messages.success(request, f"{done}: {when}, {booked.practitioner.name}. Reference {reference}.")


def _help(taking: Taking, form: PersonForm) -> HttpResponse:
    """Medical help comes first: the time is given back, no answer is kept, and staff read aloud what to do now."""
    booking = taking.booking
    if not taking.is_lost:
        lifecycle.call_off(booking, by=taking.user, now=taking.now)
    context = {
        "desk_notices": notices(taking.now),
        "signs": screening.warning_signs(taking.book, form.answers),
        "flags": [each for each in guidance.red_flags(booking.location.clinic) if each.code in HELP_FLAGS],
        "stopped": _stopped(taking),
        "zone": booking.location.zone,
    }
    return render(taking.request, "desk/book_help.html", context)


def _stopped(taking: Taking) -> list[Booking]:
    """The other visits of whom staff picked are off too, the one under way with those to come."""
    if taking.known is None:
        return []
    theirs = list(Booking.objects.open().filter(patient=taking.known).order_by("starts_at", "pk"))
    if theirs:
        here = next((visit for visit in theirs if visit.state in UNDER_WAY), theirs[0])
        lifecycle.suspend(here, by=taking.user, now=taking.now)
    return theirs


def _refused(taking: Taking, form: PersonForm, refused: lifecycle.Refused) -> HttpResponse:
    refusal = refusing.refused_after(taking, _said(taking, form), refused)
    # The same form once more, with room for the reason.
    again = taking.form(taking.request.POST, asks_reason=refusal.may_bend)
    again.is_valid()
    return _page(taking, again, refusal=refusal, status=refusal.status)


def _page(
    taking: Taking,
    form: PersonForm,
    *,
    refusal: Refusal | None = None,
    alike: Sequence[Patient] = (),
    status: int = 200,
) -> HttpResponse:
    booking = taking.booking
    limit = booking.held_at + booking.location.clinic.hold_limit if booking.held_at else None
    typed = taking.request.GET.get("q", "")
    context = {
        "desk_notices": notices(taking.now),
        "use_htmx": True,
        "booking": booking,
        "zone": booking.location.zone,
        "now": taking.now,
        "form": form,
        "has_errors": bool(form.errors),
        "known": taking.known,
        "q": typed,
        "is_new": taking.request.method == "POST" and taking.known is None,
        "matches": matches(typed, taking.user) if typed and not taking.known else None,
        "refusal": refusal,
        "alike": alike,
        "caller": held.caller_for(booking),
        "is_lost": taking.is_lost,
        "has_run_out": booking.expires_at is not None and booking.expires_at <= taking.now,
        "can_be_longer": limit is not None and booking.expires_at is not None and limit > booking.expires_at,
        "is_draft": not all(each.is_signed for each in form.asked),
    }
    return render(taking.request, "desk/book_patient.html", context, status=status)
