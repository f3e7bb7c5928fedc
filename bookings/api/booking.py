"""Book a time that is held: who comes, every answer that the visit asks for, and what was read and agreed to."""

import datetime as dt
from typing import Any

from bookings import access, eligibility, lifecycle
from bookings.api import answers, described, idempotency, refusals, tokens
from bookings.api.answers import FormData
from bookings.api.asked import Wanted, open_clinic, rulebook_of, today_at
from bookings.api.bodies import Fields, invalid
from bookings.api.door import Reply
from bookings.api.idempotency import Call
from bookings.api.keyed import with_a_key
from bookings.api.tokens import Held
from bookings.claims import Refused
from bookings.eligibility import Said
from bookings.forms import DetailsForm, name_of
from bookings.forms.said import details_of
from bookings.models import Booking, ScreeningRun
from bookings.models.event import Actor
from clinic import guidance, screening
from clinic.models import Moment
from clinic.screening import Rulebook

TEXTS = ("name", "email", "phone", "date_of_birth", "for_whom", "event_date", "wishes")
FLAGS = ("guidance_read", "consent")
NAMES = ("hold", *TEXTS, *FLAGS, "guardian", "answers", *answers.EARLIER_VISITS)
GUARDIAN = ("name", "relation", "phone", "email")
PLACES = {f"guardian_{name}": f"guardian.{name}" for name in GUARDIAN} | {"mail_to": "guardian.gets_mail"}


@with_a_key
def bookings(call: Call) -> Reply:
    """Book the hold, or ask a clinician where the answers say so. A warning sign comes before everything."""
    fields = Fields(call.body)
    fields.only(*NAMES)
    clinic = open_clinic(call.now)
    book = rulebook_of(clinic)
    held = tokens.read(fields.text("hold", is_needed=True), call.caller)
    data = _form_data(fields, book)
    said = answers.heard(data, book, call.now.date()).answers
    if signs := screening.warning_signs(book, said):
        if held and held.booking and not call.is_repeat:
            lifecycle.call_off(held.booking, by=Actor.PROGRAM, now=call.now)
        raise refusals.help_first(signs, said, clinic)
    if held is None:
        raise invalid(fields.errors) if fields.errors else refusals.no_hold()
    form = _valid(fields, data, held, book, call.now)
    wanted = _wanted(held, form, book, call.now)
    try:
        if call.is_repeat:
            wanted.refuse_unsafe()
            raise idempotency.outdated()
        return _booked(call, held, form, wanted)
    except Refused as refused:
        raise refusals.of(refused, wanted) from refused


def _form_data(fields: Fields, book: Rulebook) -> FormData:
    """What the details page would send."""
    data: FormData = {name: fields.text(name) for name in TEXTS} | {name: fields.flag(name) for name in FLAGS}
    guardian = fields.object("guardian")
    if guardian is not None:
        guardian.only(*GUARDIAN, "gets_mail")
        data |= {f"guardian_{name}": guardian.text(name) for name in GUARDIAN}
        data["mail_to"] = "patient" if guardian.flag("gets_mail") is False else "guardian"
    return data | answers.form_data(fields, book)


def _valid(fields: Fields, data: FormData, held: Held, book: Rulebook, now: dt.datetime) -> DetailsForm:
    """Every question of this visit has to be answered: nobody else will ask."""
    asked = book.asked(held.service.codes)
    form = DetailsForm(
        data,
        clinic=held.location.clinic,
        visit_date=today_at(held.location, held.start),
        today=today_at(held.location, now),
        asked=asked,
        history=eligibility.history_asked(held.service),
    )
    errors = answers.errors_of(form, asked, PLACES) | fields.errors
    if errors:
        missing = [each.code for each in asked if name_of(each.code) in form.errors and name_of(each.code) not in data]
        raise invalid(errors, missing=missing)
    return form


def _wanted(held: Held, form: DetailsForm, book: Rulebook, now: dt.datetime) -> Wanted:
    born = form.cleaned_data["date_of_birth"]
    return Wanted(
        service=held.service,
        location=held.location,
        practitioner=held.practitioner,
        is_with_anyone=held.is_with_anyone,
        start=held.start,
        said=Said(form.answers, born=born, **form.earlier_visits),
        book=book,
        now=now,
    )


def _booked(call: Call, held: Held, form: DetailsForm, wanted: Wanted) -> Reply:
    if held.booking is None:
        raise lifecycle.HoldGone
    details = details_of(form, guidance.items_for(held.service, Moment.BOOKING, held.location.clinic))
    run = _run(form, wanted)
    try:
        program = lifecycle.Program(call.caller.name)
        booking = lifecycle.confirm(
            held.booking, details=details, visitor=held.visitor, run=run, by=program, now=call.now
        )
    except Refused:
        _forget(run)
        raise
    _forget(run)
    if not _is_theirs(booking, details):
        raise refusals.hold_used()
    if not booking.is_upcoming:
        raise lifecycle.HoldGone
    return Reply(201, described.booked(booking), booking)


def _run(form: DetailsForm, wanted: Wanted) -> ScreeningRun:
    said = form.answers
    return ScreeningRun.objects.create(
        answers={code: each.as_json() for code, each in said.items()},
        versions=wanted.book.words_of([each for each in form.asked if each.code in said]),
        **form.earlier_visits,
        made_at=wanted.now,
        expires_at=wanted.now + access.SCREENING_LIVES,
    )


def _forget(run: ScreeningRun) -> None:
    """A program sends all answers with each request, so those that led to no booking need not wait for another."""
    ScreeningRun.objects.filter(pk=run.pk, booking=None).delete()


def _is_theirs(booking: Booking, details: lifecycle.Details) -> bool:
    """Whether a hold that was booked before was booked for the same person."""
    who: Any = booking.patient
    known = (who.name, who.email, who.phone, who.date_of_birth)
    return known == (details.name, details.email, details.phone, details.date_of_birth)
