"""What every e-mail is made of: who reads it, what the visit is, which advice belongs in it, and the two bodies."""

import dataclasses
import datetime as dt
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from bookings import ical, links, outbox
from bookings.emails import wordings
from bookings.emails.wordings import Text
from bookings.mime import Message
from bookings.models import Booking, OutgoingEmail, ShownItem
from bookings.models.states import CALLED_OFF
from clinic import guidance, words
from clinic.guidance import Advice
from clinic.models import Clinic, Grade, Moment, PriceKind, Wording

RED_FLAGS = "red-flags"
DISCLAIMER, INBOX = "disclaimer-short", "inbox-not-watched"
# Before these a patient may still squeeze.
BEFORE_THE_VISIT = frozenset({Moment.CONFIRM, Moment.R72H, Moment.R24H})
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draft:
    """A letter before ``write`` puts in the subject and the opening that the clinic has for its kind.

    ``known`` are the placeholders that only this kind knows; ``to`` is who gets it, None for whoever reads the visit's
    mail.
    """

    kind: str
    booking: Booking
    context: dict[str, Any]
    template: str = "note"
    known: dict[str, str] = dataclasses.field(default_factory=dict)
    to: tuple[str, str] | None = None
    calendar: bytes = b""
    method: str = ""
    shown: Shown = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Note:
    """What a short letter says beside its opening: a heading, paragraphs, one thing to press, and what follows it.

    ``facts`` are the rows about the visit to show, ``shown`` the advice by moment, ``known`` what only this letter can
    put in the place of a placeholder. ``preheader`` is what a mail program shows beside the subject, on a locked screen
    too: the heading, unless that tells of an answer.
    """

    heading: str
    preheader: str = ""
    before: Sequence[str] = ()
    button: tuple[str, str] | None = None
    after: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    shown: Shown = dataclasses.field(default_factory=dict)
    has_advice: bool = True
    known: dict[str, str] = dataclasses.field(default_factory=dict)
    calendar: bytes = b""
    method: str = ""


def post(
    letter: Letter,
    booking: Booking,
    *,
    sequence: int | None = None,
    due_at: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
    now: dt.datetime,
) -> OutgoingEmail:
    """Queue it in the caller's transaction, and remember which words this patient was sent.

    ``sequence`` names the one message of its kind for the visit as arranged; it goes at ``due_at``, at once without
    one, and ``not_after`` is when its moment passes.
    """
    email = outbox.enqueue(
        letter.message,
        booking=booking,
        kind=letter.kind,
        name=letter.name,
        address=letter.address,
        sequence=sequence,
        due_at=due_at,
        not_after=not_after,
        now=now,
    )
    _remember(booking, letter.shown, now)
    return email


def list_as_skipped(kind: str, booking: Booking, *, subject: str, now: dt.datetime) -> OutgoingEmail:
    """Write down that a message's moment passed while nobody could send it."""
    return outbox.list_as_skipped(booking, kind=kind, subject=subject, to=booking.reader, now=now)


def write(draft: Draft, text: Text | None = None) -> Letter:
    """Render the two bodies; ``text`` stands in for the clinic's own words, to see how it would read."""
    name, address = draft.to or draft.booking.reader
    text = text or wordings.text_of(draft.kind)
    known = {**wordings.values(draft.booking, name), **draft.known}
    context = {**draft.context, "reader": name, "opening": wordings.paragraphs(text, known)}
    message = Message(
        subject=wordings.subject(text, known),
        text=text_body(draft.template, context),
        html=html_body(draft.template, context),
        calendar=draft.calendar.decode(),
        calendar_method=draft.method,
    )
    return Letter(draft.kind, message, name, address, draft.shown)


def note(kind: str, booking: Booking, said: Note, *, to: tuple[str, str] | None = None, now: dt.datetime) -> Draft:
    """A short letter, with the advice of its moment under it."""
    return Draft(
        kind=kind,
        booking=booking,
        context={
            **visit(booking, now, to),
            **advice_context(booking, said.shown, now),
            "note": said,
            "facts": said.facts,
        },
        known=said.known,
        to=to,
        calendar=said.calendar,
        method=said.method,
        shown=said.shown,
    )


def visit_link(booking: Booking) -> str:
    """The whole address at which this patient sees, moves or cancels the visit."""
    token = links.make(booking.pk, booking.link_version)
    return settings.SITE_URL + reverse("visit:open", args=[token])


def when(booking: Booking) -> str:
    return words.when(booking.starts_at, booking.location.zone)


def visit(booking: Booking, now: dt.datetime, to: tuple[str, str] | None = None) -> dict[str, Any]:
    """What every e-mail about a visit says first."""
    zone = booking.location.zone
    name, _ = to or booking.reader
    patient = booking.patient.name if booking.patient else name
    return {
        "booking": booking,
        "clinic": booking.location.clinic,
        "location": booking.location,
        "when": when(booking),
        "facts": facts(booking),
        "link": visit_link(booking),
        "about": "" if name == patient else patient,
        "is_free_to_change": not booking.is_late(now),
        "cut_off": words.when(booking.cut_off_at, zone),
    }


def facts(booking: Booking) -> list[tuple[str, str]]:
    """When, where, with whom, for how much: as agreed."""
    price = words.price(booking.price, booking.currency, booking.price_kind)
    return [
        ("When", f"{when(booking)}, {words.duration(booking.minutes)}"),
        ("Where", place(booking)),
        ("With", f"{booking.practitioner.name}, {Grade(booking.practitioner.code).label}"),
        ("Visit", booking.service_name),
        ("Price", price if booking.price_kind == PriceKind.FREE else f"{price}, paid at the clinic"),
        ("Reference", f"{words.spoken_reference(booking.reference)}. Have it ready if you call."),
    ]


def place(booking: Booking) -> str:
    return ", ".join([booking.location.name, *booking.location.address.splitlines()])


def advice_context(booking: Booking, shown: Shown, now: dt.datetime) -> dict[str, Any]:
    """Each item once, under its heading with real dates; preparing first, then why."""
    clinic = booking.location.clinic
    items = list({advice.code: advice for advices in shown.values() for advice in advices}.values())
    today = now.astimezone(booking.location.zone).date()
    others = [advice for advice in items if advice.topic != RED_FLAGS]
    sections = guidance.grouped(others, visit_date=booking.local_date, today=today)
    due_flags = [advice for advice in items if advice.topic == RED_FLAGS]
    flags = due_flags or guidance.red_flags(clinic)
    fixed = _wordings(clinic)
    return {
        "sections": sorted(sections, key=lambda section: not section.is_dated),
        "squeezed": _page("squeezed") if BEFORE_THE_VISIT.intersection(shown) else "",
        "flags": flags,
        "flags_are_items": bool(due_flags),
        "all_flags": _page("topic", RED_FLAGS),
        "disclaimer": fixed.get(DISCLAIMER),
        "inbox": fixed.get(INBOX),
        "is_draft": guidance.is_draft([*items, *flags, *fixed.values()]),
    }


def _wordings(clinic: Clinic) -> dict[str, Advice]:
    """Those that there are: before the content is loaded a booking must not fail for want of a wording."""
    known = Wording.objects.filter(code__in=[DISCLAIMER, INBOX]).values_list("code", flat=True)
    return guidance.wordings(list(known), clinic)


def _page(name: str, *args: str) -> str:
    return settings.SITE_URL + reverse(name, args=args)


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


def event(booking: Booking, now: dt.datetime) -> ical.Event:
    clinic, (name, address) = booking.location.clinic, booking.reader
    is_off = booking.state in CALLED_OFF
    return ical.Event(
        uid=f"{booking.calendar_uid}@{outbox.host()}",
        sequence=booking.sequence,
        stamp=now,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        summary=f"Visit at {clinic.name}",
        location=place(booking),
        description=render_to_string(
            "email/calendar.txt", {"booking": booking, "clinic": clinic, "is_off": is_off}
        ).strip(),
        organizer_name=clinic.name,
        organizer_email=clinic.email,
        attendee_name=name,
        attendee_email=address,
        is_cancelled=is_off,
    )


def html_body(kind: str, context: dict[str, Any]) -> str:
    return render_to_string(f"email/{kind}.html", context)


def text_body(kind: str, context: dict[str, Any]) -> str:
    """The whole e-mail as text, wrapped; addresses of pages stay whole."""
    lines = render_to_string(f"email/{kind}.txt", context).splitlines()
    return MANY_EMPTY_LINES.sub("\n\n", "\n".join(_wrapped(line.rstrip()) for line in lines)).strip() + "\n"


def _wrapped(line: str) -> str:
    if len(line) <= TEXT_WIDTH:
        return line
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
