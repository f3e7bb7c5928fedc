"""What one patient answered, and which words this patient was shown: read back exactly, whatever was edited since."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk import rounds
from bookings.desk.acting import booked, head
from bookings.desk.doors import rights, sees_answers, sees_bookings
from bookings.models import Booking, ShownItem
from clinic.models import Item, Moment, Question, Review, Wording
from clinic.models.placeholders import fill
from clinic.models.shown import read_back


@dataclasses.dataclass(frozen=True)
class Told:
    """One text as this patient read it; ``review`` is the signature that version had, if any."""

    code: str
    version: int
    text: str
    review: Review | None


@dataclasses.dataclass(frozen=True)
class Showing:
    """What was shown at one moment."""

    moment: str
    at: dt.datetime
    told: tuple[Told, ...]


@never_cache
@require_safe
@sees_bookings
@sees_answers
def answers(request: HttpRequest, reference: str) -> HttpResponse:
    """Every round, newest first."""
    now = timezone.now()
    booking = booked(request, reference)
    runs = booking.screenings.select_related("taken_by").order_by("-made_at", "-id")
    found = rounds.read(list(runs), booking.location.clinic)
    context = {**head(booking, now), "rounds": found, "may": rights(request)}
    return render(request, "desk/answers.html", context)


@never_cache
@require_safe
@sees_bookings
def shown(request: HttpRequest, reference: str) -> HttpResponse:
    """By moment, in the order in which it was shown."""
    now = timezone.now()
    booking = booked(request, reference)
    context = {**head(booking, now), "showings": _showings(booking), "consents": booking.consents.order_by("id")}
    return render(request, "desk/shown.html", context)


def _showings(booking: Booking) -> list[Showing]:
    items = list(booking.shown_items.order_by("shown_at", "moment", "id"))
    told = _told(items, booking)
    return [
        Showing(_moment(moment), at, tuple(told[each.pk] for each in group))
        for (at, moment), group in groupby(items, key=attrgetter("shown_at", "moment"))
    ]


def _told(items: Iterable[ShownItem], booking: Booking) -> dict[int, Told]:
    """By the row's id; its words are those of the version, with the clinic's names and numbers of today."""
    rows = read_back([(each.code, each.version) for each in items], Item, Wording, Question)
    found = {}
    for each in items:
        row = rows.get((each.code, each.version))
        text = fill(row.fields["text"], booking.location.clinic) if row else ""
        found[each.pk] = Told(each.code, each.version, text, getattr(row, "review", None))
    return found


def _moment(code: str) -> str:
    return Moment(code).label if code in Moment.values else code.replace("_", " ").capitalize()
