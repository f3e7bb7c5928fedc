"""Preparing and aftercare on paper, for those without e-mail: the same signed advice that the mails bring."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk import reading
from bookings.desk.acting import booked, head, today
from bookings.desk.doors import sees_bookings
from clinic import guidance
from clinic.guidance import Advice
from clinic.models import Moment

BEFORE = (Moment.CONFIRM, Moment.R72H, Moment.R24H)
AFTER = (Moment.DAY0, Moment.DAY3, Moment.DAY7)
RED_FLAGS = "red-flags"


@never_cache
@require_safe
@sees_bookings
def handout(request: HttpRequest, reference: str) -> HttpResponse:
    """Time, place, advice and numbers; no answer and no date of birth."""
    now = timezone.now()
    booking = booked(request, reference)
    reading.read(request, booking, now=now)
    advice = guidance.by_moment(booking.service, [*BEFORE, *AFTER], booking.location.clinic)
    before = _once(advice, BEFORE)
    after = [each for each in _once(advice, AFTER) if each not in before]
    flags = guidance.red_flags(booking.location.clinic)
    context = {
        **head(booking, now),
        "before": guidance.grouped(before, visit_date=booking.local_date, today=today(booking, now)),
        "after": guidance.grouped(after),
        "flags": flags,
        "is_draft": guidance.is_draft([*before, *after, *flags]),
        "is_to_come": booking.is_upcoming and not booking.has_started(now),
    }
    return render(request, "desk/handout.html", context)


def _once(advice: dict[str, list[Advice]], moments: tuple[Moment, ...]) -> list[Advice]:
    """Each item once; the warning signs stand apart, at the end."""
    items = {each.code: each for moment in moments for each in advice[moment]}
    return [each for each in items.values() if each.topic != RED_FLAGS]
