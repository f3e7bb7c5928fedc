""" "I have squeezed it": first aid, three questions, and no telling-off."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from bookings import lifecycle
from bookings.forms import SqueezedForm, squeezed_questions
from bookings.models import Booking, RunKind
from bookings.online import doors, longer, visit
from bookings.online.recheck import answer, answers_of
from bookings.online.skin import wording
from clinic import guidance, screening
from clinic.models import Clinic
from clinic.views.pages import cards

# Written for other moments, and true of squeezed skin too: hands off, wash gently, stop the bleeding.
FIRST_AID = ("WHY-6", "A24-2", "A24-3", "A24-8")


@require_http_methods(["GET", "HEAD", "POST"])
@visit.upcoming_page
def squeezed(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """GET says what to do now, and asks; POST tells the practitioner, or stops for medical help."""
    book = screening.rulebook(booking.location.clinic)
    asked = squeezed_questions(book, booking.service.codes)
    today = now.astimezone(booking.location.zone).date()
    if request.method != "POST":
        return _page(request, booking, SqueezedForm(asked=asked, today=today), now)
    if doors.is_too_often(request, "answers", now):
        return doors.too_often(request)
    form = SqueezedForm(request.POST, asked=asked, today=today)
    said = answers_of(form, book)
    if said is None:
        return _page(request, booking, form, now)
    try:
        answer(request, booking, said, RunKind.SQUEEZED, now)
    except lifecycle.NeedsHelp:
        return doors.see_other("visit:help")
    return doors.see_other("visit:told")


@require_safe
@visit.upcoming_page
def told(request: HttpRequest, booking: Booking, now: dt.datetime) -> HttpResponse:
    """Thank you: who knows of it now, and safe times where the skin needs them."""
    data = visit.context(booking, now) | _first_aid(booking.location.clinic)
    ways = longer.ways_for(request, booking, now)
    data["is_draft"] = data["is_draft"] or bool(ways and ways.is_draft)
    return render(request, "visit/told.html", data | {"ways": ways})


def _page(request: HttpRequest, booking: Booking, form: SqueezedForm, now: dt.datetime) -> HttpResponse:
    aid = _first_aid(booking.location.clinic)
    are_signed = all(each.is_signed for each in form.asked)
    data = visit.context(booking, now) | aid | {"form": form, "has_errors": form.is_bound}
    data["is_draft"] = data["is_draft"] or not are_signed
    return render(request, "visit/squeezed.html", data, status=422 if form.is_bound else 200)


def _first_aid(clinic: Clinic) -> dict[str, object]:
    aid, flags = guidance.by_code(FIRST_AID, clinic), guidance.red_flags(clinic)
    return {
        "aid": aid,
        "cards": cards(flags),
        "tell_us": wording("tell-us", clinic),
        "is_draft": guidance.is_draft([*aid, *flags]),
    }
