"""The advice on not squeezing was read at the clinic, on the phone or on paper: who wrote that down, and how it was."""

import datetime as dt

from django.db import transaction

from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming
from bookings.models import Booking, Consent, ConsentKind, ConsentWay, ShownItem
from bookings.models.event import Actor
from bookings.models.states import UNDER_WAY, UPCOMING
from clinic import guidance
from clinic.guidance import Advice
from clinic.models import Moment

# The words beside the two boxes, wherever they are ticked.
GUIDANCE_WORDS = "I have read the advice on not squeezing"
PRIVACY_WORDS = "You may keep these details to look after my visit"
PRIVACY_VERSION = "1"
NOT_SQUEEZING = "why-not-squeeze"


def record_guidance(booking: Booking, *, way: ConsentWay, by: Who, now: dt.datetime) -> Booking:
    """Write down that the patient knows the advice as it reads now, and agrees that we keep the details.

    What was ticked or written down before stays as it is; a second call changes nothing. Raises NotUpcoming.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.state not in UPCOMING | UNDER_WAY:
            raise NotUpcoming
        known = set(booking.consents.values_list("kind", flat=True))
        read = [each for each in advice_on_squeezing(booking) if ConsentKind.GUIDANCE_READ not in known]
        missing = {kind: said for kind, said in _said(read).items() if kind not in known}
        Consent.objects.bulk_create(_consent(booking, kind, said, way, by, now) for kind, said in missing.items())
        ShownItem.objects.bulk_create(
            [
                ShownItem(booking=booking, moment=Moment.BOOKING, code=each.code, version=each.version, shown_at=now)
                for each in read
            ],
            ignore_conflicts=True,
        )
        if missing:
            record(booking, "advice read", by=by, now=now, way=str(way))
    return booking


def advice_on_squeezing(booking: Booking) -> list[Advice]:
    """What is read before the box is ticked."""
    advice = guidance.items_for(booking.service, Moment.BOOKING, booking.location.clinic)
    return [each for each in advice if each.topic == NOT_SQUEEZING]


def versions_of(advice: list[Advice]) -> str:
    """Of everything that was read: item codes with their versions."""
    return ", ".join(f"{each.code} v{each.version}" for each in advice)


def _said(read: list[Advice]) -> dict[ConsentKind, tuple[str, str]]:
    """By kind: the version of what was read, and the words that were agreed to."""
    return {
        ConsentKind.GUIDANCE_READ: (versions_of(read), GUIDANCE_WORDS),
        ConsentKind.PRIVACY: (PRIVACY_VERSION, PRIVACY_WORDS),
    }


def _consent(
    booking: Booking, kind: ConsentKind, said: tuple[str, str], way: ConsentWay, by: Who, now: dt.datetime
) -> Consent:
    version, words = said
    staff = None if isinstance(by, Actor) else by
    return Consent(booking=booking, kind=kind, version=version, words=words, given_at=now, way=way, recorded_by=staff)
