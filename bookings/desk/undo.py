"""One step back after a move: offered on the desk's pages until the next act."""

import dataclasses
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from bookings.models import Booking
from clinic import words

KEY = "undo_move"
# Pressing the same move twice is one act.
SAME_ACT = {"place", "move"}


@dataclasses.dataclass(frozen=True)
class Offered:
    """The move that may be taken back: it gave ``booking`` the ``sequence``."""

    booking: Booking
    sequence: int


def offer(request: HttpRequest, moved: Booking, said: str) -> None:
    """Keep in the session what was moved; ``said`` tells of it beside the button."""
    request.session[KEY] = {"reference": moved.reference, "sequence": moved.sequence, "said": said}


def offered(request: HttpRequest, reference: str) -> Offered | None:
    """What this session moved last, if it was that visit.

    Also for those who see only their own visits, and gave this one away with the move.
    """
    kept = request.session.get(KEY)
    if kept is None or kept["reference"] != reference:
        return None
    booking = Booking.objects.booked().with_everything().filter(reference=reference).first()
    return Offered(booking, kept["sequence"]) if booking else None


def standing(booking: Booking) -> str:
    """When, with whom and where the visit is now, in a sentence."""
    name = booking.patient.short_name if booking.patient else "The visit"
    when = words.when(booking.starts_at, booking.location.zone)
    room = f" in {booking.room.name}" if booking.room else ""
    return f"{name} now has {when}, with {booking.practitioner.name}{room}."


def forget(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def until_the_next_act(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whatever else is done at the desk ends the offer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_posted = request.method == "POST" and request.path.startswith(reverse("desk:day"))
        kept = request.session.get(KEY) if is_posted else None
        response = get_response(request)
        match = request.resolver_match
        is_act = match is not None and match.url_name not in SAME_ACT and response.status_code < 400
        if kept is not None and is_act and request.session.get(KEY) == kept:
            forget(request)
        return response

    return middleware
