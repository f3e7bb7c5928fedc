"""The log: what staff did to patients, bookings, set-up and content, and whose record they read."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk import timeline
from bookings.desk.board import EARLIEST, LATEST
from bookings.desk.doors import notices, rights, sees_log
from bookings.desk.history import name_of
from bookings.desk.timeline import CHANGES, READS, Asked
from bookings.models import Booking, Patient

ONE_DAY = dt.timedelta(days=1)
SHOWN = ((READS, "Who looked at what"), (CHANGES, "What was changed"))


class LogForm(forms.Form):
    """Which lines to show; whatever cannot be read is no filter."""

    who = forms.ChoiceField(required=False, label="By")
    show = forms.ChoiceField(required=False, label="Show", choices=(("", "Everything"), *SHOWN))
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="Until", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    patient = forms.ModelChoiceField(Patient.objects.current(), required=False, widget=forms.HiddenInput)
    booking = forms.CharField(
        required=False, max_length=20, label="Booking reference", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(user.pk), name_of(user)) for user in User.objects.order_by("first_name", "username")]
        who = self.fields["who"]
        assert isinstance(who, forms.ChoiceField)
        who.choices = [("", "Anyone"), *people]

    def clean_booking(self) -> Booking | None:
        """References are typed in any case, with or without a gap."""
        reference = self.cleaned_data["booking"].replace(" ", "").upper()
        found = Booking.objects.booked().filter(reference=reference).first() if reference else None
        if reference and found is None:
            raise forms.ValidationError("No booking has this reference")
        return found


@never_cache
@require_safe
@sees_log
def log(request: HttpRequest) -> HttpResponse:
    """Newest first; ``who``, ``patient``, ``booking``, ``since``, ``until`` and ``show`` choose, ``before`` goes on."""
    form = LogForm(request.GET or {})
    form.is_valid()
    asked = _asked(form.cleaned_data, request.GET.get("before", ""))
    found, following = timeline.lines(asked, sees_answers=rights(request).answers)
    context = {
        "form": form,
        "asked": asked,
        "lines": found,
        "older": _query(request, following) if following else "",
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(timezone.now()),
    }
    return render(request, "desk/log.html", context)


def _asked(said: dict[str, Any], before: str) -> Asked:
    until = said.get("until")
    return Asked(
        who=int(said.get("who") or 0) or None,
        patient=said.get("patient"),
        booking=said.get("booking"),
        since=_midnight(said.get("since")),
        until=_midnight(until + ONE_DAY) if until and until < LATEST else None,
        show=said.get("show", ""),
        before=timeline.place_of(before),
    )


def _midnight(day: dt.date | None) -> dt.datetime | None:
    """When this day begins at the clinic; a day outside a clinic's life means no limit."""
    if day is None or not EARLIEST <= day <= LATEST:
        return None
    return dt.datetime.combine(day, dt.time(), timezone.get_current_timezone())


def _query(request: HttpRequest, before: str) -> str:
    kept = {name: request.GET[name] for name in LogForm.base_fields if request.GET.get(name)}
    return urlencode({**kept, "before": before})
