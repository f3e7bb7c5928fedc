"""Who answers for a young patient: named, or heard, at the desk."""

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from bookings import lifecycle
from bookings.desk.acting import after, booked, done, form_again, form_page, form_shown, typed
from bookings.desk.doors import changes_bookings, key_of, user_of
from bookings.forms.guardian import GuardianForm
from bookings.models import Booking, Guardian


@never_cache
@require_POST
@changes_bookings
def agreed(request: HttpRequest, reference: str) -> HttpResponse:
    """They stand here and agree."""
    booking = booked(request, reference)
    guardian = getattr(booking, "guardian", None)
    if guardian is None:
        raise Http404("nobody is named")

    def verb() -> object:
        seen = key_of(request.POST.get("seen", ""))
        return lifecycle.agree(guardian, seen=seen, by=user_of(request), now=timezone.now())

    return done(request, booking, verb, f"{guardian.name} has agreed.", then=after(request, booking))


@never_cache
@form_page
@changes_bookings
def name(request: HttpRequest, reference: str) -> HttpResponse:
    """For a visit that was booked without one, such as by phone; or to put right who is named.

    That sends links to another address, so it takes the right to correct one.
    """
    now = timezone.now()
    booking = booked(request, reference)
    form = GuardianForm(typed(request), booking=booking, is_by_staff=True)
    if form["seen"].value() and not _may_correct(request):
        raise PermissionDenied
    if not form.is_valid():
        return form_shown(request, "desk/guardian.html", booking, form, now)
    try:
        guardian = _write_down(request, booking, form, now)
    except lifecycle.Refused as refused:
        return _again(request, reference, refused, now)
    said = "The parent or guardian is right now." if form.cleaned_data["seen"] else f"{guardian.name} is named."
    messages.success(request, said if guardian.agreed_at else f"{said} Ask whether they agree.")
    return redirect("desk:booking", booking.reference)


def _write_down(request: HttpRequest, booking: Booking, form: GuardianForm, now: dt.datetime) -> Guardian:
    """A page that showed nobody overwrites nobody."""
    seen = form.cleaned_data["seen"]
    if seen and getattr(booking, "guardian", None):
        return lifecycle.correct_guardian(booking, details=form.details, seen=seen, by=user_of(request), now=now)
    return lifecycle.name_guardian(booking, details=form.details, by=user_of(request), now=now)


def _again(request: HttpRequest, reference: str, refused: lifecycle.Refused, now: dt.datetime) -> HttpResponse:
    """What was typed, beside who is named by now: whoever may correct them knows what a second press overwrites."""
    booking = booked(request, reference)
    guardian = getattr(booking, "guardian", None)
    may_correct = _may_correct(request)
    sent = request.POST.copy()
    sent["seen"] = guardian.mark if guardian and may_correct else ""
    form = GuardianForm(sent, booking=booking, is_by_staff=True)
    more = {"named": guardian, "may_correct": may_correct} if isinstance(refused, lifecycle.ChangedSince) else {}
    return form_again(request, "desk/guardian.html", booking, form, refused, now, **more)


def _may_correct(request: HttpRequest) -> bool:
    return user_of(request).has_perm("bookings.change_patient")
