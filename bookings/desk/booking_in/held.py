"""The times that one person at a desk keeps while people speak: one for each of them."""

import datetime as dt
import re
import secrets

from django.contrib.auth.models import User
from django.http import QueryDict

from bookings import lifecycle
from bookings.access import is_plain
from bookings.desk.booking_in.forms import ANYONE, PickForm
from bookings.models import Booking, BookingState
from bookings.models.booking import BookingQuerySet
from bookings.models.event import BENT
from clinic.models import Location

# One on the phone, one at the desk, one who waits.
MOST_HELD = 3
CALLER = re.compile(r"[0-9a-f]{8}")


class TooManyHeld(lifecycle.TooManyHolds):
    sentence = "You already hold three times. Finish one of them, or give it back."


def caller_of(text: str) -> str:
    """Who a page is about, before anybody has a name: as it says, or somebody new."""
    return text if CALLER.fullmatch(text) else secrets.token_hex(4)


def caller_for(booking: Booking) -> str:
    return booking.visitor.rpartition("-")[2]


def held_by(user: User, reference: str) -> Booking | None:
    """The time that a form names, held or booked by now."""
    return _mine(user).filter(reference=reference).first() if is_plain(reference) else None


def held_for(user: User, caller: str) -> Booking | None:
    """The time that is held for this caller; without one the newest."""
    mine = _mine(user).of_visitor(_visitor_of(user, caller)) if CALLER.fullmatch(caller) else _mine(user)
    return mine.filter(state=BookingState.HELD).order_by("-held_at", "-pk").first()


def all_held(user: User, now: dt.datetime) -> list[Booking]:
    """What this person holds, to go on with it."""
    return list(_mine(user).live_holds(now).order_by("held_at", "pk"))


def slot_of(booking: Booking) -> str:
    """The same time once more, as a button would send it."""
    who = ANYONE if booking.asked_for_any else booking.practitioner.slug
    return f"{booking.starts_at.isoformat()}|{who}"


def reason_for(booking: Booking) -> str:
    """Why a rule of time was bent for it, to hold it once more for the same reason."""
    bent = booking.events.filter(verb=BENT).last()
    return str(bent.detail.get("reason", "")) if bent else ""


def hold(form: PickForm, caller: str, *, user: User, now: dt.datetime) -> Booking:
    """Hold what was pressed. It takes the place of what was held for this caller, and of nobody else's.

    Raises TooManyHeld, and what ``lifecycle.hold`` raises.
    """
    visitor = _visitor_of(user, caller)
    if _mine(user).live_holds(now).exclude(visitor=visitor).count() >= MOST_HELD:
        raise TooManyHeld
    reason = form.cleaned_data["reason"]
    held = lifecycle.hold(form.chosen, visitor=visitor, override=reason, by=user, now=now)
    return _mine(user).get(pk=held.pk)


def named(data: QueryDict, slot: str = "") -> PickForm | None:
    """The time that a form is about, or the ``slot`` that was pressed in its place; None where it names none."""
    home = Location.objects.select_related("clinic").first()
    assert home, "a form about a held time stands in a clinic that has a place"
    slot = slot or data.get("slot", "")
    *_, other = slot.split("|") if slot.count("|") > 1 else ("",)
    pressed = {"service": other or data.get("service", ""), "location": data.get("location", ""), "slot": slot}
    form = PickForm({**pressed, "reason": data.get("why", "")}, home=home)
    return form if slot and form.is_valid() else None


def no_more(form: PickForm, data: QueryDict, user: User) -> Booking:
    """The time that a form is about and that is not held any more: never stored, to go on asking."""
    said = form.cleaned_data
    who = {"practitioner": said["practitioner"]} if said["practitioner"] else {"asked_for_any": True}
    return Booking(
        service=said["service"],
        location=said["location"],
        starts_at=said["start"],
        visitor=_visitor_of(user, caller_of(data.get("caller", ""))),
        **who,
    )


def _visitor_of(user: User, caller: str) -> str:
    """Whose holds these are: of one caller of one person at the desk, and no other desk can take them."""
    return f"desk-{user.pk}-{caller}"


def _mine(user: User) -> BookingQuerySet:
    return Booking.objects.with_everything().filter(visitor__startswith=f"desk-{user.pk}-")
