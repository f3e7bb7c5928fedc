"""A skin check in a visit's place: a clinician looks first, where answers stand in the way of a treatment."""

import datetime as dt

from django.db import transaction

from bookings import availability, claims, emails
from bookings.availability import CONSULT
from bookings.availability import NotOffered as Reason
from bookings.claims import Choice
from bookings.eligibility import Outlook
from bookings.lifecycle import safety
from bookings.lifecycle.confirming import keep_up
from bookings.lifecycle.guardians import keep_guarded
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.moving import place
from bookings.lifecycle.refusals import NotOffered, TooLate, refuse_age
from bookings.lifecycle.reviewing import become, refuse_over
from bookings.lifecycle.tasks import close_tasks
from bookings.models import Booking, BookingState, TaskKind
from bookings.models.event import Actor
from clinic.models import Service


def consult_for(booking: Booking, now: dt.datetime) -> Service | None:
    """The skin check that could take this visit's place; None for a house without one, and in place of its own."""
    today = now.astimezone(booking.location.zone).date()
    return availability.skin_check(beside=booking.service, location=booking.location, on=today)


def consult_instead(
    booking: Booking, *, start: dt.datetime, by: Who, is_known: bool = True, now: dt.datetime
) -> Booking:
    """Change the visit to a skin check at ``start``, at its own length and price, with whoever is free.

    A patient may until the cut-off; while answers given since the visit was arranged stand in its way until the start
    too, and free. Without ``is_known`` earlier visits do not count. A second call changes nothing. Raises NotUpcoming,
    TooLate, NeedsHelp, ReviewFirst, NotEligible, NotOffered, SlotTaken; then the visit stands as it was.
    """
    if _is_done(booking, start):
        return booking
    consult = consult_for(booking, now)
    if consult is None:
        raise NotOffered(Reason.CLOSED)
    with claims.refusing_overlap(), transaction.atomic():
        claims.lock(service=consult, location=booking.location, also=booking)
        booking = Booking.objects.locked(booking.pk)
        if _is_done(booking, start):
            return booking
        _refuse_too_late(booking, by, now, is_known=is_known)
        outlook = safety.outlook_for(booking, now, service=consult, is_known=is_known)
        safety.refuse_unsafe(outlook, consult.grades, start)
        choice = claims.pick_instead(
            booking,
            service=consult,
            practitioner=None,
            start=start,
            now=now,
            is_staff=not isinstance(by, Actor),
            opens_at=outlook.opens_at,
        )
        was = booking.service_name
        _change(booking, consult, choice, start, outlook, by=by, now=now)
        record(booking, "service changed", by=by, now=now, was=was, service=consult.name)
        close_tasks(booking, TaskKind.REVIEW_LATE, TaskKind.RECHECK, now=now)
    return booking


def _is_done(booking: Booking, start: dt.datetime) -> bool:
    return booking.service.slug == CONSULT and booking.starts_at == start


def _refuse_too_late(booking: Booking, by: Who, now: dt.datetime, *, is_known: bool) -> None:
    refuse_over(booking, now)
    is_past_cut_off = by is Actor.PATIENT and booking.is_late(now)
    if is_past_cut_off and not safety.stands_since_arranged(booking, now, is_known=is_known):
        raise TooLate


def _change(
    booking: Booking,
    consult: Service,
    choice: Choice,
    start: dt.datetime,
    outlook: Outlook,
    *,
    by: Who,
    now: dt.datetime,
) -> None:
    become(booking, consult)
    place(booking, choice, start, now)
    booking.asked_for_any = True
    born = booking.patient.date_of_birth if booking.patient else None
    refuse_age(booking, born, by_phone=not isinstance(by, Actor))
    if outlook.outcome(choice.practitioner.code, booking.local_date).needs_review:
        booking.state, booking.reply_by = BookingState.PENDING, outlook.reply_by
    else:
        booking.state, booking.reply_by = BookingState.CONFIRMED, None
        booking.confirmed_at = booking.confirmed_at or now
    booking.save()
    keep_up(booking, outlook)
    claims.replace(booking, choice)
    keep_guarded(booking, now=now)
    if booking.state == BookingState.PENDING:
        emails.pending(booking, now=now)
    else:
        emails.changed(booking, now=now)
    emails.staff_notice(booking, what="changed", now=now)
