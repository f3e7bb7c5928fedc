"""What happens to a visit: booked, moved, changed, cancelled. And the notice that tells the clinic."""

import datetime as dt

from django.conf import settings
from django.urls import reverse

from bookings import ical, outbox
from bookings.emails.letters import (
    Draft,
    Letter,
    Shown,
    advice_context,
    event,
    html_body,
    post,
    text_body,
    visit,
    when,
    write,
)
from bookings.emails.questions import recheck
from bookings.mime import Message
from bookings.models import Booking, BookingEvent, OutgoingEmail
from bookings.models.event import Actor
from clinic import guidance, words
from clinic.models import Moment

# A reminder that would come too late is part of the confirmation.
REMINDERS = ((Moment.R72H, dt.timedelta(hours=72)), (Moment.R24H, dt.timedelta(hours=24)))


def confirmed(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit is booked. An earlier copy that still waits for another address is taken back."""
    email = post(confirmation(booking, now=now), booking, now=now)
    outbox.skip_others(email)
    return email


def confirmation(booking: Booking, *, now: dt.datetime) -> Letter:
    """Write that the visit is booked. ``booking`` and its patient may be as they are about to be saved."""
    return write(invitation("confirmed", booking, now=now))


def moved(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit has another time: the new calendar file and the new dates for preparing."""
    draft = move_draft(booking, was=_time_before(booking), now=now)
    return post(write(draft), booking, now=now)


def changed(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit is for another service now: its time, its price and the new dates for preparing."""
    return post(write(invitation("changed", booking, now=now)), booking, now=now)


def cancelled(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit is off, and its calendar entry with it."""
    return post(write(cancel_draft(booking, now=now)), booking, now=now)


def invitation(kind: str, booking: Booking, *, now: dt.datetime, **more: object) -> Draft:
    """A visit that stands: the calendar file, the terms and the advice, and the question it comes too late for."""
    shown = _advice(booking, now)
    return Draft(
        kind=kind,
        booking=booking,
        template=kind,
        context={
            **visit(booking, now),
            **advice_context(booking, shown, now),
            "recheck": recheck(booking, now),
            **more,
        },
        calendar=ical.request(event(booking, now)),
        method="REQUEST",
        shown=shown,
    )


def move_draft(booking: Booking, *, was: dt.datetime | None, now: dt.datetime) -> Draft:
    """``was`` is the time before, None if nobody knows it any more."""
    return invitation("moved", booking, was=was, now=now)


def cancel_draft(booking: Booking, *, now: dt.datetime) -> Draft:
    return Draft(
        kind="cancelled",
        booking=booking,
        template="cancelled",
        context={**visit(booking, now), **_cancelled(booking), "again": _again(booking)},
        calendar=ical.cancellation(event(booking, now)),
        method="CANCEL",
    )


def staff_notice(booking: Booking, *, what: str, now: dt.datetime) -> OutgoingEmail:
    """Tell the clinic that a visit was booked, moved or cancelled: ``what``."""
    return post(notice(booking, what=what), booking, now=now)


def notice(booking: Booking, *, what: str) -> Letter:
    """Write to the clinic what happened to a visit."""
    clinic = booking.location.clinic
    heading = f"{what.capitalize()}: {when(booking)}, {words.spoken_reference(booking.reference)}"
    context = {
        "booking": booking,
        "clinic": clinic,
        "heading": heading,
        "when": when(booking),
        "facts": _staff_facts(booking),
        "link": settings.SITE_URL + reverse("desk:booking", args=[booking.reference]),
    }
    message = Message(
        subject=heading, text=text_body(outbox.STAFF_NOTICE, context), html=html_body(outbox.STAFF_NOTICE, context)
    )
    return Letter(outbox.STAFF_NOTICE, message, clinic.name, clinic.email)


def calendar_file(booking: Booking, *, now: dt.datetime) -> bytes:
    """The calendar file to download; it replaces the entry of an earlier one."""
    return ical.published(event(booking, now))


def _staff_facts(booking: Booking) -> list[tuple[str, str]]:
    """Enough to know the visit; the rest stands on the desk, behind a sign-in."""
    return [
        ("When", f"{when(booking)}, {words.duration(booking.minutes)}"),
        ("Visit", booking.service_name),
        ("With", booking.practitioner.name),
        ("Where", ", ".join(part.name for part in (booking.room, booking.location) if part)),
        ("Patient", booking.patient.short_name if booking.patient else ""),
    ]


def _advice(booking: Booking, now: dt.datetime) -> Shown:
    """By moment: what belongs into a confirmation sent now."""
    moments = [Moment.CONFIRM, *(moment for moment, ahead in REMINDERS if booking.starts_at - now < ahead)]
    return guidance.by_moment(booking.service, moments, booking.location.clinic)


def _time_before(booking: Booking) -> dt.datetime | None:
    move = BookingEvent.objects.filter(booking=booking, verb="moved").last()
    return dt.datetime.fromisoformat(move.detail["was"]) if move else None


def _cancelled(booking: Booking) -> dict[str, bool]:
    """Who cancelled: a fee is only for the patient's own late cancelling, and what was ours says so."""
    act = BookingEvent.objects.filter(booking=booking, verb="cancelled").last()
    is_theirs = act is not None and act.actor == Actor.PATIENT
    return {
        "fee_is_due": booking.is_late_cancellation and booking.late_fee > 0 and is_theirs,
        "is_ours": act is not None and bool(act.detail.get("ours")),
    }


def _again(booking: Booking) -> str:
    return settings.SITE_URL + reverse("booking:skin", args=[booking.service.slug])
