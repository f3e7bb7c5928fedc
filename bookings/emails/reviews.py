"""While a clinician looks, what they decide, and who else has to agree. No letter says which answer it was."""

import datetime as dt

from django.conf import settings
from django.urls import reverse

from bookings import availability, ical, links
from bookings.emails.letters import Draft, Letter, Note, event, facts, note, post, visit_link, write
from bookings.models import Booking, OutgoingEmail
from clinic import guidance, screening, words
from clinic.models import Question, Wording


def in_review(booking: Booking, *, now: dt.datetime) -> Letter:
    """Write that the time is held and a clinician replies. ``booking`` may be as it is about to be saved."""
    return write(review_draft(booking, now=now))


def pending(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The visit waits for a clinician, as it is arranged now."""
    return post(in_review(booking, now=now), booking, now=now)


def review_late(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """The reply takes longer than we said: once for a visit as it is arranged."""
    return post(write(late_draft(booking, now=now)), booking, sequence=booking.sequence, now=now)


def declined(booking: Booking, *, reason: str, now: dt.datetime) -> OutgoingEmail:
    """The visit is not booked; ``reason`` is what the clinician wrote for the patient."""
    return post(write(decline_draft(booking, reason=reason, now=now)), booking, now=now)


def suspended(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """After a warning sign: get medical help first; the visit is off, free of charge."""
    return post(write(help_draft(booking, now=now)), booking, now=now)


def guardian_request(booking: Booking, *, now: dt.datetime) -> OutgoingEmail:
    """To the parent or guardian: what the visit is, and their own link to agree."""
    return post(write(guardian_draft(booking, now=now)), booking, now=now)


def review_draft(booking: Booking, *, now: dt.datetime) -> Draft:
    assert booking.reply_by, "what is in review has a clock"
    said = Note(
        heading="We are holding your time",
        before=_after_review(booking),
        button=("See or change your visit", visit_link(booking)),
        after=["We write to you as soon as it is decided."],
        facts=facts(booking),
        # A visit that was booked before stands in a calendar: there it goes until it is booked again.
        calendar=ical.cancellation(event(booking, now)) if booking.confirmed_at else b"",
        method="CANCEL" if booking.confirmed_at else "",
    )
    return note("pending", booking, said, now=now)


def late_draft(booking: Booking, *, now: dt.datetime) -> Draft:
    said = Note(
        heading="Our reply takes longer than we said",
        button=("See or change your visit", visit_link(booking)),
        after=["If it cannot be decided in time, we tell you and the time is let go. You pay nothing."],
        facts=facts(booking),
    )
    return note("review_late", booking, said, now=now)


def decline_draft(booking: Booking, *, reason: str, now: dt.datetime) -> Draft:
    button, after = _instead(booking, now)
    said = Note(
        heading="We could not book this visit",
        before=[reason],
        button=button,
        after=[after],
        calendar=ical.cancellation(event(booking, now)) if booking.confirmed_at else b"",
        method="CANCEL" if booking.confirmed_at else "",
    )
    return note("declined", booking, said, now=now)


def help_draft(booking: Booking, *, now: dt.datetime) -> Draft:
    said = Note(
        heading="Please get medical help first",
        preheader="Your visit will not take place. Please open this message.",
        before=_help(booking),
        after=[
            "Your visit will not take place, and there is nothing to pay. One of our team will call you.",
            "Book again when you are well. If you chose the wrong answer, call us.",
        ],
        calendar=ical.cancellation(event(booking, now)),
        method="CANCEL",
    )
    return note("suspended", booking, said, now=now)


def guardian_draft(booking: Booking, *, now: dt.datetime) -> Draft:
    guardian = booking.guardian
    link = settings.SITE_URL + reverse("guardian:open", args=[links.make_guardian(guardian.pk, guardian.link_version)])
    said = Note(
        heading="Do you agree to this visit?",
        button=("Read it and agree", link),
        after=["You can also agree at the clinic, before the visit. If you did not expect this, call us."],
        facts=facts(booking),
        has_advice=False,
        known={"relation": guardian.relation},
    )
    return note("guardian", booking, said, to=(guardian.name, guardian.email), now=now)


def _instead(booking: Booking, now: dt.datetime) -> tuple[tuple[str, str], str]:
    """What to press instead, and the words after it: a skin check, or all visits where the house has none."""
    today = now.astimezone(booking.location.zone).date()
    consult = availability.skin_check(beside=booking.service, location=booking.location, on=today)
    if consult is None:
        address = settings.SITE_URL + reverse("services")
        return ("See our visits", address), "Call us, and we look for a way together."
    address = f"{settings.SITE_URL}{reverse('booking:times', args=[consult.slug])}?location={booking.location.slug}"
    after = "A clinician looks at your skin first and talks through what is safe. Or call us."
    return ("Book a skin check", address), after


def _after_review(booking: Booking) -> list[str]:
    """The fixed text after a review, without its first promise, which stands above with its date."""
    clinic = booking.location.clinic
    assert booking.reply_by
    try:
        text = guidance.wording("after-review", clinic, reply_by=words.when(booking.reply_by, booking.location.zone))
    except Wording.DoesNotExist:
        return []
    return [text.plain.partition("not confirmed. ")[2] or text.plain]


def _help(booking: Booking) -> list[str]:
    try:
        return [screening.question("Q1", booking.location.clinic).advice]
    except Question.DoesNotExist:
        return []
