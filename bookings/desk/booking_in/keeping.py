"""What was typed of somebody, kept while another time is looked for, or somebody is picked in their place.

Until somebody is booked, or the time is given back.

The session holds no answer to a question, only the key of the round that does.
"""

from typing import Any

from django.http import HttpRequest

from bookings import access, eligibility
from bookings.desk.booking_in import held
from bookings.desk.booking_in.person_forms import HIDDEN, PersonForm
from bookings.desk.booking_in.taking import Taking
from bookings.forms.fields import boxes_of
from bookings.forms.questions import initial_of
from bookings.models import ScreeningRun

TYPED = "typed"
EARLIER_VISITS = ("had_extraction", "last_extraction_on", "had_consultation")


def typed(taking: Taking) -> dict[str, Any]:
    """What was typed so far, without judging it; nothing of what was not on the page."""
    request, fields = taking.request, taking.form().fields
    sent = {
        name: field.widget.value_from_datadict(request.POST, request.FILES, name)
        for name, field in fields.items()
        if name not in HIDDEN and not field.widget.value_omitted_from_data(request.POST, request.FILES, name)
    }
    found = {name: value for name, value in sent.items() if value is not None}
    dates = {name: boxes_of(value) for name, value in found.items() if name.endswith(("_date", "date_of_birth"))}
    return found | dates


def keep(taking: Taking, form: PersonForm) -> None:
    """For this caller, of no more callers than one person can hold times for.

    What a known person is not asked stays as it was kept before.
    """
    request, caller = taking.request, held.caller_for(taking.booking)
    run, before = taking.run(form), _run(taking)
    if taking.known and before:
        for name in EARLIER_VISITS:
            setattr(run, name, getattr(before, name))
    said = {name: value for name, value in typed(taking).items() if name not in form.names_of_answers}
    said = _by_caller(request).get(caller, {"said": {}})["said"] | said
    forget(request, caller)
    run.expires_at = taking.now + access.SCREENING_LIVES
    run.save()
    request.session[TYPED] = {**_by_caller(request), caller: {"said": said, "run": run.key}}
    for oldest in list(_by_caller(request))[: -held.MOST_HELD]:
        forget(request, oldest)


def kept(taking: Taking) -> dict[str, Any]:
    """What the form starts with."""
    found = _by_caller(taking.request).get(held.caller_for(taking.booking))
    if found is None:
        return {}
    initial = {**initial_of(eligibility.said_of(_run(taking)), taking.asked), **found["said"]}
    return {name: value for name, value in initial.items() if value}


def _run(taking: Taking) -> ScreeningRun | None:
    """The answers that are kept, until they are too old."""
    found = _by_caller(taking.request).get(held.caller_for(taking.booking), {"run": ""})
    return ScreeningRun.objects.filter(key=found["run"], booking=None, expires_at__gt=taking.now).first()


def forget(request: HttpRequest, caller: str) -> None:
    by_caller = _by_caller(request)
    if gone := by_caller.pop(caller, None):
        ScreeningRun.objects.filter(key=gone["run"], booking=None).delete()
        request.session[TYPED] = by_caller


def _by_caller(request: HttpRequest) -> dict[str, dict[str, Any]]:
    return dict(request.session.get(TYPED, {}))
