"""Hold a time for a few minutes, while a program asks the rest."""

import datetime as dt

from bookings import eligibility, lifecycle, limits
from bookings.api import answers, described, idempotency, refusals, tokens
from bookings.api.answers import FormData
from bookings.api.asked import (
    Wanted,
    location_of,
    open_clinic,
    practitioner_of,
    rulebook_of,
    service_of,
    start_of,
    today_at,
)
from bookings.api.bodies import Fields, invalid
from bookings.api.door import Reply, too_many
from bookings.api.idempotency import Call
from bookings.api.keyed import with_a_key
from bookings.claims import Refused
from bookings.eligibility import Said
from bookings.models import ApiKey, Booking
from bookings.models.event import Actor
from clinic import screening
from clinic.screening import Rulebook

NAMES = ("service", "start", "practitioner", "location", "answers", *answers.EARLIER_VISITS)
START = "Send a date and time with its offset, such as 2026-12-10T10:00:00-05:00."
# Of times that were really kept: no program empties a diary.
HOLDS_PER_KEY = 60
WINDOW = dt.timedelta(minutes=10)
TOO_MANY_HOLDS = "This key held too many times. Wait some minutes, and hold only what people are about to book."


@with_a_key
def holds(call: Call) -> Reply:
    """Keep a start. With answers, only one that is safe for this person; a warning sign comes before everything."""
    fields = Fields(call.body)
    fields.only(*NAMES)
    clinic = open_clinic(call.now)
    book = rulebook_of(clinic)
    data = answers.form_data(fields, book)
    said = answers.heard(data, book, call.now.date()).answers
    if signs := screening.warning_signs(book, said):
        raise refusals.help_first(signs, said, clinic)
    wanted = _wanted(call, fields, data, book)
    try:
        if call.is_repeat:
            wanted.refuse_unsafe()
            raise idempotency.outdated()
        return _held(call.caller, wanted)
    except Refused as refused:
        raise refusals.of(refused, wanted) from refused


def _wanted(call: Call, fields: Fields, data: FormData, book: Rulebook) -> Wanted:
    start = start_of(fields.text("start", is_needed=True), call.now)
    if start is None and "start" not in fields.errors:
        fields.wrong("start", START)
    service_slug = fields.text("service", is_needed=True)
    location_slug, who = fields.text("location"), fields.text("practitioner")
    if fields.errors or start is None:
        raise invalid(fields.errors)
    location = location_of(location_slug, call.now, is_needed=True)
    today = today_at(location, call.now)
    service = service_of(service_slug, today)
    form = answers.heard(data, book, today, history=eligibility.history_asked(service))
    if form.errors:
        raise invalid(answers.errors_of(form, book.questions))
    return Wanted(
        service=service,
        location=location,
        practitioner=practitioner_of(who, service, location, call.now),
        is_with_anyone=who in ("", "any"),
        start=start,
        said=Said(form.answers, **form.earlier_visits),
        book=book,
        now=call.now,
    )


def _held(caller: ApiKey, wanted: Wanted) -> Reply:
    who, now = str(caller.pk), wanted.now
    if limits.is_spent("api holds", who, limit=HOLDS_PER_KEY, window=WINDOW, now=now):
        raise too_many(TOO_MANY_HOLDS, int(WINDOW.total_seconds()))
    booking = _hold(caller, wanted)
    limits.allow("api holds", who, limit=HOLDS_PER_KEY, window=WINDOW, now=now)
    return Reply(201, described.held(booking, tokens.make(booking, caller)), booking)


def _hold(caller: ApiKey, wanted: Wanted) -> Booking:
    slot = lifecycle.Slot(
        service=wanted.service, location=wanted.location, practitioner=wanted.practitioner, start=wanted.start
    )
    return lifecycle.hold(
        slot,
        visitor=tokens.new_visitor(caller),
        said=wanted.said,
        by=Actor.PROGRAM,
        now=wanted.now,
    )
