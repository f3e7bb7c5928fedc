"""Who comes: found by type-ahead or named, asked what comes first, and booked. Whatever was typed is kept."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from bookings import eligibility, lifecycle
from bookings.desk import reading
from bookings.desk.acting import form_page
from bookings.desk.asking import HELP_FLAGS
from bookings.desk.booking_in import held, keeping, knowing, refusing
from bookings.desk.booking_in.matches import matches
from bookings.desk.booking_in.person_forms import PersonForm
from bookings.desk.booking_in.refusing import Refusal
from bookings.desk.booking_in.taking import Taking
from bookings.desk.doors import books, notices, patient_for, sees_patients, user_of
from bookings.eligibility import Said
from bookings.forms import suggested_email
from bookings.models import Booking, Patient
from bookings.models.booking import REFERENCE_LENGTH, REFERENCE_LETTERS
from bookings.models.states import UNDER_WAY
from clinic import guidance, screening, words

# What a press does; anything else books.
LONGER, RELEASE, ANOTHER = "longer", "release", "another"


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
    return Taking(request, booking, patient_for(user_of(request), who), book, now)


def _start(taking: Taking) -> dict[str, Any]:
    """What is filled in before anybody types: the time, a name that was looked for in vain, and what was kept."""
    return {"name": _name_in(taking.request.GET.get("q", ""))} | keeping.kept(taking) | _time_fields(taking)


def _name_in(looked_for: str) -> str:
    """The name that was looked for; "" for an address, a number, and a word that may be a reference."""
    text = looked_for.strip()
    is_reference = len(text) == REFERENCE_LENGTH and set(text.upper()) <= set(REFERENCE_LETTERS)
    if is_reference or "@" in text or any(sign.isdigit() for sign in text) or not any(map(str.isalpha, text)):
        return ""
    return text.title() if text.islower() else text


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
    taking = _taking(request, about, request.POST.get("pick", request.POST.get("patient", "")), now)
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
        _forget(taking)
        messages.success(request, "The time is free again. Nothing is booked.")
        return redirect("desk:book")
    if act == ANOTHER:
        return _another_time(taking, form)
    if slot or taking.is_lost:
        return _held_anew(taking, form, slot)
    if act == LONGER:
        return _kept_longer(taking)
    if "pick" in request.POST or "new" in request.POST:
        return _chosen(taking)
    return _sent(taking, form, is_valid=is_valid)


def _sent(taking: Taking, form: PersonForm, *, is_valid: bool) -> HttpResponse:
    """To be booked."""
    if not is_valid:
        return _page(taking, form, status=422)
    alike = _alike(taking, form)
    return _page(taking, form, alike=alike, status=422) if alike else _booked(taking, form)


def _another_time(taking: Taking, form: PersonForm) -> HttpResponse:
    """The finder once more, for the same caller."""
    keeping.keep(taking, form)
    booking, patient = taking.booking, {"patient": str(taking.known.pk)} if taking.known else {}
    query = {"service": booking.service.slug, "location": booking.location.slug, "caller": held.caller_for(booking)}
    return redirect(f"{reverse('desk:book')}?{urlencode(query | patient)}")


def _chosen(taking: Taking) -> HttpResponse:
    """Somebody was picked, or is new, or somebody else: the same form goes on about them.

    What was typed of somebody new is kept: the pick may be a slip.
    """
    if taking.known:
        new = dataclasses.replace(taking, known=None)
        form = new.form(taking.request.POST)
        form.is_valid()
        keeping.keep(new, form)
    refusal = refusing.early(taking)
    is_clear = taking.known is not None or "new" in taking.request.POST
    form = _typed(taking, asks_reason=refusal is not None and refusal.may_bend, takes_focus=is_clear)
    return _page(taking, form, refusal=refusal)


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


def _typed(taking: Taking, *, asks_reason: bool = False, takes_focus: bool = False) -> PersonForm:
    """The form with what was typed so far, before somebody was picked too."""
    is_somebody_else = "pick" in taking.request.POST and taking.known is None
    typed = (keeping.kept(taking) if is_somebody_else else {}) | keeping.typed(taking)
    name = typed.get("name") or _name_in(taking.request.POST.get("new", ""))
    initial = typed | {"name": name} | _time_fields(taking)
    return taking.form(asks_reason=asks_reason, takes_focus=takes_focus, **initial)


def _booked(taking: Taking, form: PersonForm) -> HttpResponse:
    run = taking.run(form)
    try:
        booked = lifecycle.confirm(
            taking.booking,
            details=dataclasses.replace(form.details, is_somebody_else="somebody_else" in taking.request.POST),
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
    _forget(taking)
    _say(taking.request, booked)
    _ask_about_slips(taking, form)
    return redirect("desk:booking", booked.reference)


def _forget(taking: Taking) -> None:
    keeping.forget(taking.request, held.caller_for(taking.booking))


def _said(taking: Taking, form: PersonForm) -> Said:
    """All that is known of them by now."""
    return eligibility.said_of(taking.run(form), born=form.born, patient=taking.known)


def _say(request: HttpRequest, booked: Booking) -> None:
    when = words.when(booked.starts_at, booked.location.zone)
    reference = words.spoken_reference(booked.reference)
    done = "Held until a clinician has looked" if booked.reply_by else "Booked"
    messages.success(request, f"{done}: {when}, {booked.practitioner.name}. Reference {reference}.")


def _ask_about_slips(taking: Taking, form: PersonForm) -> None:
    """Of the addresses that were typed here."""
    guardian = form.details.guardian
    for address in (form.cleaned_data.get("email", ""), guardian.email if guardian else ""):
        if likelier := suggested_email(address):
            said = f"The address is {address}. Did you mean {likelier}? If so, correct it now."
            messages.warning(taking.request, said)


def _help(taking: Taking, form: PersonForm) -> HttpResponse:
    """Medical help comes first: the time is given back, no answer is kept, and staff read aloud what to do now."""
    booking = taking.booking
    if not taking.is_lost:
        lifecycle.call_off(booking, by=taking.user, now=taking.now)
    _forget(taking)
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
    if taking.known:
        reading.shown(taking.request, taking.known, now=taking.now)
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
        "is_new": taking.request.method == "POST" and taking.known is None and "pick" not in taking.request.POST,
        "likelier": suggested_email(str(form["email"].value() or "")) if "email" in form.fields else "",
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
