"""The pages: an overview of answers, one page for each report, and the files."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bookings.desk.doors import notices, user_of
from bookings.desk.reports import files, messages, visits
from bookings.desk.reports.figures import Report
from bookings.desk.reports.period import (
    EARLIEST,
    LATEST,
    LONGEST,
    LONGEST_BY_DAY,
    Period,
    Step,
    asked_for,
    presets,
)
from clinic import audit
from clinic.models import Location

# By its part of the address: its name, and what makes it.
REPORTS: dict[str, tuple[str, Callable[[Period], Report]]] = {
    "utilisation": ("Utilisation", visits.utilisation),
    "services": ("Visits and value", visits.services),
    "lead-time": ("Lead time", visits.lead_time),
    "lost": ("Cancellations and no-shows", visits.lost),
    "screening": ("What screening changed", messages.screening),
    "mail": ("Mail delivery", messages.mail),
}
sees_reports = permission_required("bookings.view_reports", raise_exception=True)


class PeriodForm(forms.Form):
    """Which days, cut how."""

    by = forms.ChoiceField(label="By", choices=Step.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is a word of the language: the field cannot be written as an attribute.
        self.fields = {"from": _date("From"), "to": _date("To"), **self.fields}
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.form_class = "move-search"
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout("from", "to", "by", Submit("", "Show", css_class="quiet"))

    def clean(self) -> dict[str, Any]:
        """At most two months by day and about a year else."""
        said: dict[str, Any] = super().clean() or {}
        first, last = said.get("from"), said.get("to")
        if first and last:
            most = LONGEST_BY_DAY if said.get("by") == Step.DAY else LONGEST
            if last < first:
                self.add_error("to", "Choose a last day that is not before the first")
            elif (last - first).days >= most:
                self.add_error("to", f"Choose at most {most} days, or longer steps")
        return said


def _date(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": EARLIEST, "max": LATEST}),
        error_messages={"invalid": "Choose a day"},
    )


@never_cache
@require_safe
@sees_reports
def overview(request: HttpRequest) -> HttpResponse:
    """Each report's answer in one sentence."""
    location = _location(request)
    if location is None:
        return render(request, "desk/reports/none.html", {"desk_notices": notices(timezone.now())})
    form, period = _asked(request, location)
    context = _context(form, period) | {"reports": [(slug, name, of(period)) for slug, (name, of) in REPORTS.items()]}
    return render(request, "desk/reports/overview.html", context, status=200 if form.is_valid() else 422)


@never_cache
@require_safe
@sees_reports
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """One report: sentence, charts, tables."""
    location, (name, of) = _named(request, slug)
    form, period = _asked(request, location)
    context = _context(form, period) | {"report": of(period), "slug": slug, "name": name}
    return render(request, "desk/reports/report.html", context, status=200 if form.is_valid() else 422)


@never_cache
@require_safe
@sees_reports
def report_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Its tables as CSV."""
    location, (_, of) = _named(request, slug)
    _, period = _asked(request, location)
    return files.report_file(slug, of(period), period)


@never_cache
@require_POST
@sees_reports
def export(request: HttpRequest) -> HttpResponseBase:
    """Every booking of these days as CSV: who took it, and for which days, stands in the log."""
    location = _location(request)
    if location is None:
        raise Http404("no location yet")
    _, period = _asked(request, location)
    user = user_of(request)
    with transaction.atomic():
        days = {"first": period.first.isoformat(), "last": period.last.isoformat()}
        audit.record("bookings exported", location, by=user, now=timezone.now(), **days)
    return files.bookings_file(period, names_people=user.has_perm("bookings.view_patient"))


def _named(request: HttpRequest, slug: str) -> tuple[Location, tuple[str, Callable[[Period], Report]]]:
    """The report an address names, and the place it is about. Raises Http404."""
    location = _location(request)
    if location is None or slug not in REPORTS:
        raise Http404("no such report")
    return location, REPORTS[slug]


def _location(request: HttpRequest) -> Location | None:
    """The one that the address names, else the first."""
    locations = list(Location.objects.all())
    asked = request.GET.get("location", "")
    return next((each for each in locations if each.slug == asked), locations[0] if locations else None)


def _asked(request: HttpRequest, location: Location) -> tuple[PeriodForm, Period]:
    """What cannot be read means the last four weeks; the form says so."""
    today = timezone.now().astimezone(location.zone).date()
    usual = asked_for({}, location, today)
    start = {"from": usual.first, "to": usual.last, "by": usual.step}
    form = PeriodForm({**start, **{name: value for name, value in request.GET.items() if value}})
    return form, asked_for(form.cleaned_data, location, today) if form.is_valid() else usual


def _context(form: PeriodForm, period: Period) -> dict[str, Any]:
    now: dt.datetime = timezone.now()
    return {
        "form": form,
        "has_errors": bool(form.errors),
        "period": period,
        "presets": presets(period.location, now.astimezone(period.location.zone).date()),
        "locations": list(Location.objects.all()),
        "names": [(slug, name) for slug, (name, _) in REPORTS.items()],
        "desk_notices": notices(now),
    }
