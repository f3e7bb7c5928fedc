"""The check page, and the booking itself."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bookings import access, availability, eligibility, lifecycle
from bookings.eligibility import Outlook
from bookings.forms import DetailsForm, suggested_email
from bookings.forms.said import details_of
from bookings.lifecycle.guidance import NOT_SQUEEZING
from bookings.models import Booking, Patient
from bookings.online import doors, refusals
from bookings.online.answers import Meaning, digest, with_outlook
from bookings.online.asked import ANYONE, LOOKED_AT, asked_for
from bookings.online.kept import Kept, taken_again
from bookings.online.skin import help_first
from clinic import guidance, screening
from clinic.guidance import Advice
from clinic.models import Clinic, Moment
from clinic.screening import Answer, Answers, Rulebook

SAFER_TIMES = 3
WORDS = {Answer.NO: "no", Answer.YES: "yes", Answer.UNSURE: "not sure"}
# What the check page carries along as it was typed; dates are carried by their ISO form.
CARRIED = ("for_whom", "name", "email", "phone", "wishes")


def check(request: HttpRequest, found: Kept, form: DetailsForm, book: Rulebook, now: dt.datetime) -> HttpResponse:
    """Everything on one page before it counts; or why this time is not safe, and which ones are."""
    try:
        outlook = lifecycle.check(
            found.booking,
            born=form.cleaned_data["date_of_birth"],
            visitor=access.known_visitor(request),
            run=access.screening_run(request, now),
            known=_known(request, form),
            book=book,
            now=now,
        )
    except lifecycle.Refused as refused:
        return _refused(request, found, form, book, refused, now)
    return _page(request, found, form, book, outlook, now)


def _page(
    request: HttpRequest, found: Kept, form: DetailsForm, book: Rulebook, outlook: Outlook, now: dt.datetime
) -> HttpResponse:
    booking, said = found.booking, form.cleaned_data
    page = context(found, now) | {
        "said": said,
        "carried": held_fields(booking) | _carried(form) | {"answered": digest(access.screening_run(request, now))},
        "suggested": suggested_email(said["email"]),
        "answers": answers_line(book, outlook.said.answers, booking),
        "needs_review": outlook.outcome(booking.practitioner.code, booking.local_date).needs_review,
        "outlook": outlook,
        "meaning": Meaning(outlook.with_grade(booking.practitioner.code), booking.service, booking.location.clinic),
        "guardian": form.guardian,
        **_event(booking, said.get("event_date"), outlook, now),
    }
    return render(request, "booking/check.html", page)


def book(request: HttpRequest, found: Kept, form: DetailsForm, book: Rulebook, now: dt.datetime) -> HttpResponse:
    """Book the time, or ask for it where a clinician looks first."""
    booking = found.booking
    try:
        booked = lifecycle.confirm(
            booking,
            details=details_of(form, advice_while_booking(booking)),
            visitor=access.known_visitor(request),
            run=access.screening_run(request, now),
            known=_known(request, form),
            book=book,
            now=now,
        )
    except lifecycle.Refused as refused:
        return _refused(request, found, form, book, refused, now)
    access.remember_done(request, booked)
    return doors.see_other("booking:done")


def _refused(
    request: HttpRequest, found: Kept, form: DetailsForm, book: Rulebook, refused: lifecycle.Refused, now: dt.datetime
) -> HttpResponse:
    booking = found.booking
    if isinstance(refused, lifecycle.NeedsHelp):
        said = eligibility.said_of(access.screening_run(request, now)).answers
        return help_first(request, booking.location.clinic, book, {**said, **form.answers})
    if isinstance(refused, lifecycle.NotEligible):
        return refusals.age(request, booking, refused.problem)
    if isinstance(refused, lifecycle.PhoneOnly):
        return refusals.by_phone(request, booking.service)
    if isinstance(refused, lifecycle.Unsafe):
        return _unsafe(request, booking, form, refused, now)
    again = taken_again(request, now)
    return check(request, again, form, book, now) if isinstance(again, Kept) else again


def _unsafe(
    request: HttpRequest, booking: Booking, form: DetailsForm, refused: lifecycle.Unsafe, now: dt.datetime
) -> HttpResponse:
    clinic, who = booking.location.clinic, ANYONE if booking.asked_for_any else booking.practitioner.slug
    run = access.screening_run(request, now)
    said = eligibility.said_of(run, born=form.cleaned_data["date_of_birth"], patient=_known(request, form))
    asked = asked_for(clinic, booking.service, booking.location, {"practitioner": who}, now)
    return refusals.unsafe(request, with_outlook(asked, said), refused, booking.starts_at)


def _known(request: HttpRequest, form: DetailsForm) -> Patient | None:
    """Who came by a signed link, if it is they who are coming: their earlier visits count."""
    known, said = access.known_patient(request), form.cleaned_data
    is_same = known and known.name == said["name"] and known.date_of_birth in (None, said["date_of_birth"])
    return known if is_same else None


def advice_while_booking(booking: Booking) -> list[Advice]:
    return guidance.items_for(booking.service, Moment.BOOKING, booking.location.clinic)


def split(advice: list[Advice]) -> tuple[list[Advice], list[Advice]]:
    """Why not to squeeze, which is read and ticked; and the rest."""
    why = [each for each in advice if each.topic == NOT_SQUEEZING]
    return why, [each for each in advice if each.topic != NOT_SQUEEZING]


def held_fields(booking: Booking) -> dict[str, str]:
    """The hidden fields that name the time, so that it can be held again."""
    return {
        "hold": booking.reference,
        "service": booking.service.slug,
        "start": booking.starts_at.astimezone(booking.location.zone).isoformat(),
        "practitioner": ANYONE if booking.asked_for_any else booking.practitioner.slug,
        "location": booking.location.slug,
    }


def _carried(form: DetailsForm) -> dict[str, str]:
    said, guardian = form.cleaned_data, form.guardian or {}
    carried = {name: said[name] for name in CARRIED}
    carried |= {f"guardian_{name}": guardian[name] for name in ("name", "relation", "phone", "email") if guardian}
    carried |= {"mail_to": said["mail_to"]} if guardian else {}
    dates = {name: said[name].isoformat() for name in ("date_of_birth", "event_date") if said.get(name)}
    return carried | dates | {"guidance_read": "on", "consent": "on"}


def answers_line(book: Rulebook, answers: Answers, booking: Booking) -> str:
    """Such as: 10 no; 1 yes: a cold sore. Only for the eyes of who answered."""
    asked = [each for each in book.asked(booking.service.codes) if each.code in answers]
    told = []
    for answer, word in WORDS.items():
        same = [each for each in asked if answers[each.code].answer is answer]
        shorts = [short for each in same for short in _shorts(each, answers)] if answer is not Answer.NO else []
        told += [f"{len(same)} {word}" + (f": {', '.join(shorts)}" if shorts else "")] if same else []
    return "; ".join(told)


def _shorts(asked: screening.Asked, answers: Answers) -> list[str]:
    ticked = answers[asked.code].parts
    parts = [part.short for part in asked.parts if part.code in ticked or not ticked]
    return parts if asked.is_tick_list or len(parts) == 1 else []


def _event(booking: Booking, event_on: dt.date | None, outlook: Outlook, now: dt.datetime) -> dict[str, Any]:
    """When redness could still show on the day of the event: that it could, and safe times after which it could not."""
    if not booking.is_red_on(event_on, after=booking.local_date):
        return {}
    clinic = booking.location.clinic
    search = _search(booking, clinic, outlook, now)
    near = availability.nearest(to=booking.starts_at, count=LOOKED_AT, **search)
    days = [(each.at, each.at.astimezone(booking.location.zone).date()) for each in near]
    safer = [at for at, day in days if not booking.is_red_on(event_on, after=day)]
    return {"event_on": event_on, "redness": guidance.redness(clinic), "safer_times": safer[:SAFER_TIMES]}


def _search(booking: Booking, clinic: Clinic, outlook: Outlook, now: dt.datetime) -> availability.Asked:
    return {
        "service": booking.service,
        "location": booking.location,
        "clinic": clinic,
        "practitioner": None if booking.asked_for_any else booking.practitioner,
        "now": now,
        "ignoring": booking,
        "opens_at": outlook.opens_at,
    }


def context(found: Kept, now: dt.datetime) -> dict[str, Any]:
    """What every page about a held time says of it."""
    booking = found.booking
    assert booking.expires_at, "a hold has an expiry"
    clinic, zone = booking.location.clinic, booking.location.zone
    return {
        "booking": booking,
        "is_held_again": found.is_held_again,
        "has_run_out": booking.expires_at <= now,
        "is_today": booking.expires_at.astimezone(zone).date() == now.astimezone(zone).date(),
        "can_be_longer": booking.held_at + clinic.hold_limit > booking.expires_at,
        "is_free_to_cancel": booking.cut_off_at > now,
        "hide_nav": True,
    }
