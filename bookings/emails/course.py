"""The course that goes with a visit: two reminders before it, and care for the skin after it.

What a letter says of skin is data; the words here only lead to it. They hold whenever the letter arrives: none says
"tomorrow".
"""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.urls import reverse

from bookings.emails import wordings
from bookings.emails.letters import Draft, Letter, Note, Shown, facts, list_as_skipped, note, visit_link, write
from bookings.emails.questions import is_anything_new
from bookings.models import Booking, MailState, OutgoingEmail
from clinic import guidance, words
from clinic.models import Moment, PriceKind


def letter_of(kind: str, booking: Booking, *, now: dt.datetime) -> Letter:
    """Write the message ``kind``, one of ``bookings.models.mail.COURSE``."""
    return write(draft_of(kind, booking, now=now))


def draft_of(kind: str, booking: Booking, *, now: dt.datetime) -> Draft:
    return note(kind, booking, NOTES[kind](booking, now), now=now)


def subject_of(kind: str, booking: Booking) -> str:
    """What the message is called, also in the list of those that were skipped."""
    name, _ = booking.reader
    return wordings.subject(wordings.text_of(kind), wordings.values(booking, name))


def skip(kind: str, booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """Write down that the moment of ``kind`` passed while nobody could send it."""
    return list_as_skipped(kind, booking, subject=subject_of(kind, booking), now=now)


def _three_days_before(booking: Booking, now: dt.datetime) -> Note:
    return Note(
        heading="Get ready for your visit",
        button=("See or change your visit", visit_link(booking)),
        after=_cost_of_missing(booking),
        facts=facts(booking),
        shown=_items(booking, Moment.R72H),
    )


def _day_before(booking: Booking, now: dt.datetime) -> Note:
    return Note(
        heading="One question before your visit",
        button=("Answer now", visit_link(booking)),
        after=[_other_uses_of_the_link(booking, now), *_cost_of_missing(booking)],
        facts=facts(booking),
        known={"question": is_anything_new(booking)},
        shown=_items(booking, Moment.R24H),
    )


def _other_uses_of_the_link(booking: Booking, now: dt.datetime) -> str:
    if booking.is_late(now):
        return "The same link shows or cancels your visit. To move it, call us."
    return "The same link shows, moves or cancels your visit."


def _same_day(booking: Booking, now: dt.datetime) -> Note:
    """Also after a plain one: that was the safe part of it, and this is the whole."""
    had_plain = booking.emails.filter(kind="day0_plain", state=MailState.SENT).exists()
    return Note(
        heading="How to look after your skin",
        before=["You already have a short message from us. This is the full advice."] if had_plain else [],
        button=("How is your skin? Tell us", visit_link(booking)),
        shown=_items(booking, Moment.DAY0),
    )


def _same_day_plain(booking: Booking, now: dt.datetime) -> Note:
    return Note(
        heading="After your visit",
        button=("How is your skin? Tell us", visit_link(booking)),
        shown=_items(booking, Moment.DAY0_PLAIN),
    )


def _third_day(booking: Booking, now: dt.datetime) -> Note:
    return Note(
        heading="How is your skin?",
        button=("Calmer, or worse? Tell us", visit_link(booking)),
        shown=_items(booking, Moment.DAY3),
    )


def _seventh_day(booking: Booking, now: dt.datetime) -> Note:
    return Note(
        heading="A week later: how is your skin?",
        button=("Calmer, or worse? Tell us", visit_link(booking)),
        after=[f"If you would like to come again: {settings.SITE_URL}{reverse('services')}"],
        shown=_items(booking, Moment.DAY7),
    )


def _items(booking: Booking, moment: Moment) -> Shown:
    return guidance.by_moment(booking.service, [moment.value], booking.location.clinic)


def _cost_of_missing(booking: Booking) -> list[str]:
    """What a missed visit costs, gently. Naming it in a reminder cut no-shows from 11.1 to 8.4 % (PLOS ONE 0137306)."""
    if booking.price_kind == PriceKind.FREE:
        return []
    cost = words.money(booking.price, booking.currency)
    return [f"A missed visit costs us about {cost} and leaves someone waiting. If you cannot come, please tell us."]


NOTES: dict[str, Callable[[Booking, dt.datetime], Note]] = {
    "r72h": _three_days_before,
    "r24h": _day_before,
    "day0": _same_day,
    "day0_plain": _same_day_plain,
    "day3": _third_day,
    "day7": _seventh_day,
}
