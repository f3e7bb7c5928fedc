"""One function for each e-mail: render it, then queue it in the caller's transaction.

Subjects, preheaders, calendar titles and file names never name the treatment. No e-mail shows an answer or a date of
birth.
"""

import dataclasses
import datetime as dt
import re
import textwrap
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from bookings import ical, links, outbox
from bookings.mime import Message
from bookings.models import Booking, BookingEvent, BookingState, OutgoingEmail, Patient, ShownItem
from bookings.models.event import Actor
from clinic import guidance, words
from clinic.guidance import Advice
from clinic.models import Clinic, Grade, Moment, PriceKind, Wording

# A reminder that would come too late is part of the confirmation: guidance.md, 2a and 3a.
REMINDERS = ((Moment.R72H, dt.timedelta(hours=72)), (Moment.R24H, dt.timedelta(hours=24)))
RED_FLAGS = "red-flags"
TEXT_WIDTH = 78
MANY_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n+")

Shown = dict[str, list[Advice]]


@dataclasses.dataclass(frozen=True)
class Letter:
    """An e-mail that is written but not yet in the outbox: rendering needs no lock, so it comes before one."""

    kind: str
    message: Message
    name: str
    address: str
    shown: Shown = dataclasses.field(default_factory=dict)


def post(letter: Letter, booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """Queue it in the caller's transaction, and remember which words this patient was sent."""
    email = outbox.enqueue(
        letter.message, booking=booking, kind=letter.kind, name=letter.name, address=letter.address, now=now
    )
    _remember(booking, letter.shown, now)
    return email


def confirmed(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit is booked. An earlier copy that still waits for another address is taken back."""
    email = post(confirmation(booking, now=now), booking, now=now)
    outbox.skip_others(email)
    return email


def confirmation(booking: Booking, *, now: dt.datetime) -> Letter:
    """Write that the visit is booked. ``booking`` and its patient may be as they are about to be saved."""
    return _invitation("confirmed", booking, now=now)


def moved(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit has another time: the new calendar file and the new dates for preparing."""
    return post(_invitation("moved", booking, was=_time_before(booking), now=now), booking, now=now)


def cancelled(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit is off, and its calendar entry with it."""
    calendar = ical.cancellation(_event(booking, now))
    context = {**_visit(booking, now), "fee_is_due": _fee_is_due(booking), "again": _again(booking)}
    return post(_letter("cancelled", booking, context, calendar=calendar, method="CANCEL"), booking, now=now)


def staff_notice(booking: Booking, *, what: str, now: dt.datetime) -> OutgoingEmail:
    """Tell the clinic that a visit was booked, moved or cancelled: ``what``."""
    return post(notice(booking, what=what), booking, now=now)


def notice(booking: Booking, *, what: str) -> Letter:
    """Write to the clinic what happened to a visit."""
    clinic = booking.location.clinic
    heading = f"{what.capitalize()}: {_when(booking)}, {words.spoken_reference(booking.reference)}"
    context = {
        "booking": booking,
        "clinic": clinic,
        "heading": heading,
        "when": _when(booking),
        "facts": _staff_facts(booking),
        "link": settings.SITE_URL + reverse("desk:booking", args=[booking.reference]),
    }
    message = Message(
        subject=heading, text=_text(outbox.STAFF_NOTICE, context), html=_html(outbox.STAFF_NOTICE, context)
    )
    return Letter(outbox.STAFF_NOTICE, message, clinic.name, clinic.email)


def calendar_file(booking: Booking, *, now: dt.datetime) -> bytes:
    """The calendar file to download; it replaces the entry of an earlier one."""
    return ical.published(_event(booking, now))


def visit_link(booking: Booking) -> str:
    """The whole address at which this patient sees, moves or cancels the visit."""
    token = links.make(booking.pk, booking.link_version)
    return settings.SITE_URL + reverse("visit:open", args=[token])


def _invitation(kind: str, booking: Booking, *, was: dt.datetime | None = None, now: dt.datetime) -> Letter:
    shown = _advice(booking, now)
    context = {**_visit(booking, now), **_guidance(booking, shown, now), "was": was}
    calendar = ical.request(_event(booking, now))
    return dataclasses.replace(_letter(kind, booking, context, calendar=calendar, method="REQUEST"), shown=shown)


def _letter(kind: str, booking: Booking, context: dict[str, Any], *, calendar: bytes, method: str) -> Letter:
    message = Message(
        subject=_subject(kind, booking),
        text=_text(kind, context),
        html=_html(kind, context),
        calendar=calendar.decode(),
        calendar_method=method,
    )
    patient = _patient(booking)
    return Letter(kind, message, patient.name, patient.email)


def _subject(kind: str, booking: Booking) -> str:
    subjects = {
        "confirmed": "Your visit on {}",
        "moved": "Your visit has moved to {}",
        "cancelled": "Cancelled: your visit on {}",
    }
    return subjects[kind].format(_when(booking))


def _patient(booking: Booking) -> Patient:
    assert booking.patient, "only a booked visit has somebody to write to"
    return booking.patient


def _when(booking: Booking) -> str:
    return words.when(booking.starts_at, booking.location.zone)


def _visit(booking: Booking, now: dt.datetime) -> dict[str, Any]:
    """What every e-mail about a visit says first."""
    zone = booking.location.zone
    return {
        "booking": booking,
        "clinic": booking.location.clinic,
        "location": booking.location,
        "when": _when(booking),
        "facts": _facts(booking),
        "link": visit_link(booking),
        "is_free_to_change": not booking.is_late(now),
        "cut_off": words.when(booking.cut_off_at, zone),
        "squeezed": settings.SITE_URL + reverse("squeezed"),
    }


def _facts(booking: Booking) -> list[tuple[str, str]]:
    """When, where, with whom, for how much: as agreed."""
    price = words.price(booking.price, booking.currency, booking.price_kind)
    return [
        ("When", f"{_when(booking)}, {words.duration(booking.minutes)}"),
        ("Where", _place(booking)),
        ("With", f"{booking.practitioner.name}, {Grade(booking.practitioner.code).label}"),
        ("Visit", booking.service_name),
        ("Price", price if booking.price_kind == PriceKind.FREE else f"{price}, paid at the clinic"),
        ("Reference", f"{words.spoken_reference(booking.reference)}. Have it ready if you call."),
    ]


def _staff_facts(booking: Booking) -> list[tuple[str, str]]:
    """Enough to know the visit; the rest stands on the desk, behind a sign-in."""
    return [
        ("When", f"{_when(booking)}, {words.duration(booking.minutes)}"),
        ("Visit", booking.service_name),
        ("With", booking.practitioner.name),
        ("Where", ", ".join(part.name for part in (booking.room, booking.location) if part)),
        ("Patient", _patient(booking).short_name),
    ]


def _place(booking: Booking) -> str:
    return ", ".join([booking.location.name, *booking.location.address.splitlines()])


def _advice(booking: Booking, now: dt.datetime) -> Shown:
    """By moment: what belongs into a confirmation sent now."""
    moments = [Moment.CONFIRM, *(moment for moment, ahead in REMINDERS if booking.starts_at - now < ahead)]
    return guidance.by_moment(booking.service, moments, booking.location.clinic)


def _guidance(booking: Booking, shown: Shown, now: dt.datetime) -> dict[str, Any]:
    """Each item once, under its heading with real dates; preparing first, then why."""
    clinic = booking.location.clinic
    items = list({advice.code: advice for advices in shown.values() for advice in advices}.values())
    today = now.astimezone(booking.location.zone).date()
    others = [advice for advice in items if advice.topic != RED_FLAGS]
    sections = guidance.grouped(others, visit_date=booking.local_date, today=today)
    due_flags = [advice for advice in items if advice.topic == RED_FLAGS]
    flags = due_flags or guidance.red_flags(clinic)
    disclaimer = _disclaimer(clinic)
    return {
        "sections": sorted(sections, key=lambda section: not section.is_dated),
        "flags": flags,
        "flags_are_items": bool(due_flags),
        "disclaimer": disclaimer,
        "is_draft": guidance.is_draft([*items, *flags, *([disclaimer] if disclaimer else [])]),
    }


def _disclaimer(clinic: Clinic) -> Advice | None:
    """None before the content is loaded: a booking never fails for want of a wording."""
    try:
        return guidance.wording("disclaimer-short", clinic)
    except Wording.DoesNotExist:
        return None


def _remember(booking: Booking, shown: Shown, now: dt.datetime) -> None:
    """Which words this patient was sent; a second copy of the same words adds nothing."""
    if not shown:
        return
    ShownItem.objects.bulk_create(
        [
            ShownItem(booking=booking, moment=moment, code=advice.code, version=advice.version, shown_at=now)
            for moment, advices in shown.items()
            for advice in advices
        ],
        ignore_conflicts=True,
    )


def _time_before(booking: Booking) -> dt.datetime | None:
    move = BookingEvent.objects.filter(booking=booking, verb="moved").last()
    return dt.datetime.fromisoformat(move.detail["was"]) if move else None


def _fee_is_due(booking: Booking) -> bool:
    """Only for the patient's own late cancelling: when the clinic cancels, a person tells them."""
    act = BookingEvent.objects.filter(booking=booking, verb="cancelled").last()
    return booking.is_late_cancellation and booking.late_fee > 0 and act is not None and act.actor == Actor.PATIENT


def _again(booking: Booking) -> str:
    return settings.SITE_URL + reverse("booking:skin", args=[booking.service.slug])


def _event(booking: Booking, now: dt.datetime) -> ical.Event:
    clinic, patient = booking.location.clinic, _patient(booking)
    return ical.Event(
        uid=f"{booking.calendar_uid}@{outbox.host()}",
        sequence=booking.sequence,
        stamp=now,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        summary=f"Visit at {clinic.name}",
        location=_place(booking),
        description=render_to_string("email/calendar.txt", {"booking": booking, "clinic": clinic}).strip(),
        organizer_name=clinic.name,
        organizer_email=clinic.email,
        attendee_name=patient.name,
        attendee_email=patient.email,
        is_cancelled=booking.state == BookingState.CANCELLED,
    )


def _html(kind: str, context: dict[str, Any]) -> str:
    return render_to_string(f"email/{kind}.html", context)


def _text(kind: str, context: dict[str, Any]) -> str:
    """The whole e-mail as text, wrapped; addresses of pages stay whole."""
    lines = render_to_string(f"email/{kind}.txt", context).splitlines()
    return MANY_EMPTY_LINES.sub("\n\n", "\n".join(_wrapped(line.rstrip()) for line in lines)).strip() + "\n"


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
