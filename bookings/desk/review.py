"""What waits for a clinician, by its clock; and their yes or no."""

import dataclasses
import datetime as dt

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import lifecycle
from bookings.desk import findings, rounds
from bookings.desk.acting import booked, done, form_again, form_page, form_shown, typed
from bookings.desk.doors import decides, notices, rights, sees_bookings, user_of, visits_for
from bookings.desk.findings import Line
from bookings.desk.forms import ApproveForm, DeclineForm
from bookings.desk.reading import read
from bookings.desk.rounds import Round
from bookings.models import Booking, BookingState, ScreeningRun
from clinic.models import Clinic

MOST_SHOWN = 100


@dataclasses.dataclass(frozen=True)
class Row:
    """One visit that waits: why, and what was answered, as far as this person may see it."""

    booking: Booking
    lines: tuple[Line, ...]
    rounds: tuple[Round, ...]
    is_late: bool


@never_cache
@require_safe
@sees_bookings
def review(request: HttpRequest) -> HttpResponse:
    """The next clock first. A practitioner sees their own patients only."""
    now = timezone.now()
    may = rights(request)
    runs = Prefetch("screenings", ScreeningRun.objects.order_by("-made_at", "-id"))
    waiting = list(visits_for(user_of(request)).in_review().with_everything().prefetch_related(runs)[:MOST_SHOWN])
    if may.answers:
        read(request, *waiting, now=now)
    context = {
        "rows": rows_of(waiting, now, sees_answers=may.answers),
        "may": may,
        "now": now,
        "desk_notices": notices(now),
    }
    return render(request, "desk/review.html", context)


@never_cache
@form_page
@decides
def approve(request: HttpRequest, reference: str) -> HttpResponse:
    """A clinician has looked: the visit is booked, and the patient is told; or who is here already may be treated."""
    now = timezone.now()
    booking = booked(request, reference)
    form = ApproveForm(typed(request), initial={"read": _newest_round(booking)})
    if not form.is_valid():
        return _decision(request, "desk/approve.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.approve(booking, **form.cleaned_data, by=user_of(request), now=now)

    def again(refused: lifecycle.Refused) -> HttpResponse:
        anew = ApproveForm({**form.cleaned_data, "read": _newest_round(booking)})
        anew.full_clean()
        return _decision(request, "desk/approve.html", booking, anew, now, refused)

    if booking.is_upcoming and not booking.has_started(now):
        said = "Approved. The patient gets a confirmation."
        return done(request, booking, verb, said, then="desk:review", again=again)
    return done(request, booking, verb, "Approved.", again=again)


@never_cache
@form_page
@decides
def decline(request: HttpRequest, reference: str) -> HttpResponse:
    """The visit is not booked; the patient reads why, and the time is free again."""
    now = timezone.now()
    booking = booked(request, reference)
    form = DeclineForm(typed(request), reader=booking.reader[0].split()[0])
    if not form.is_valid():
        return _decision(request, "desk/decline.html", booking, form, now)

    def verb() -> Booking:
        return lifecycle.decline(booking, reason=form.cleaned_data["reason"], by=user_of(request), now=now)

    def again(refused: lifecycle.Refused) -> HttpResponse:
        return _decision(request, "desk/decline.html", booking, form, now, refused)

    said = "Declined. The patient gets an email with your reason."
    return done(request, booking, verb, said, then="desk:review", again=again)


def rows_of(waiting: list[Booking], now: dt.datetime, *, sees_answers: bool) -> list[Row]:
    """As many queries for many visits as for one."""
    found = {booking.pk: findings.standing_of(booking) for booking in waiting}
    texts = findings.history_texts(each for of_one in found.values() for each in of_one)
    read = _read(waiting) if sees_answers else {}
    return [
        Row(
            booking,
            tuple(findings.lines(found[booking.pk], texts, sees_answers=sees_answers)),
            tuple(read.get(booking.pk, [])),
            is_late=booking.reply_by is not None and booking.reply_by <= now,
        )
        for booking in waiting
    ]


def _newest_round(booking: Booking) -> int:
    return booking.screenings.order_by("-pk").values_list("pk", flat=True).first() or 0


def _read(waiting: list[Booking]) -> dict[int, list[Round]]:
    """Every round of each visit, newest first."""
    runs = [run for booking in waiting for run in booking.screenings.all()]
    clinic = waiting[0].location.clinic if waiting else Clinic()
    by_visit: dict[int, list[Round]] = {}
    for each in rounds.read(runs, clinic):
        by_visit.setdefault(each.run.booking_id or 0, []).append(each)
    return by_visit


def _decision(
    request: HttpRequest,
    template: str,
    booking: Booking,
    form: ApproveForm | DeclineForm,
    now: dt.datetime,
    refused: lifecycle.Refused | None = None,
) -> HttpResponse:
    may = rights(request)
    [row] = rows_of([booking], now, sees_answers=may.answers)
    if booking.state != BookingState.PENDING:
        lines = findings.as_it_stands(booking, now, sees_answers=may.answers)
        row = dataclasses.replace(row, lines=tuple(lines))
    if refused:
        return form_again(request, template, booking, form, refused, now, row=row)
    return form_shown(request, template, booking, form, now, row=row, may=may)
