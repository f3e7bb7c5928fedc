"""Your skin today: the questions that come before any time is shown, and need no name."""

import dataclasses
import datetime as dt

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bookings import access, eligibility, lifecycle
from bookings.forms import SkinForm
from bookings.models import Booking, ScreeningRun
from bookings.models.event import Actor
from bookings.online import answers, doors
from bookings.online.answers import SKIN
from bookings.online.asked import local_today, service_of
from clinic import guidance, screening
from clinic.models import Clinic, Moment, Service, Wording
from clinic.screening import Answer, Answers, Rulebook

UNSURE_Q1 = "not-sure-q1"
HELP_FLAGS = ("FLAG-1", "FLAG-2")


@dataclasses.dataclass(frozen=True)
class Asking:
    """What this browser is asked for one service."""

    clinic: Clinic
    service: Service
    book: Rulebook
    history: list[tuple[str, str]]
    whom: str
    today: dt.date

    @property
    def asked(self) -> list[screening.Asked]:
        return self.book.asked(self.service.codes, SKIN)

    def form(self, data: QueryDict | None = None, *, run: ScreeningRun | None = None) -> SkinForm:
        """Bound to ``data``, or filled with what was answered before in ``run``."""
        initial = answers.initial_of(run, self.asked) | {"for_whom": self.whom}
        return SkinForm(data, asked=self.asked, history=self.history, today=self.today, initial=initial)


@doors.patient_page
@require_http_methods(["GET", "HEAD", "POST"])
@doors.booking_open
def skin(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    """GET asks; POST keeps the answers for a day and goes on to the times, or stops for medical help."""
    now = timezone.now()
    asking = _asking(request, clinic, service_of(slug, now), now)
    if request.method != "POST":
        return _page(request, asking, asking.form(run=access.screening_run(request, now)))
    if doors.is_too_often(request, "answers", now):
        return doors.too_often(request)
    form = asking.form(request.POST)
    is_valid = form.is_valid()
    if screening.warning_signs(asking.book, form.answers):
        return help_first(request, clinic, asking.book, form.answers)
    if not is_valid:
        return _page(request, asking, form, status=422)
    answers.keep(request, form, asking.book, now)
    access.keep_draft(request, access.draft(request) | {"for_whom": form.cleaned_data["for_whom"]})
    held = access.held(request)
    if held is not None and held.service_id == asking.service.pk and _is_still_safe(request, held, now):
        return doors.see_other("booking:details")
    return doors.see_other("booking:times", asking.service.slug)


def _is_still_safe(request: HttpRequest, held: Booking, now: dt.datetime) -> bool:
    """Whether an answer that was changed leaves the held time as it was; one that is not safe is given back."""
    said = answers.said_by(request, now)
    outlook = lifecycle.outlook_while_booking(service=held.service, location=held.location, said=said, now=now)
    if outlook is None or lifecycle.problem(outlook, held.practitioner.code, held.starts_at) is None:
        return True
    lifecycle.release(held, now=now)
    return False


def _asking(request: HttpRequest, clinic: Clinic, service: Service, now: dt.datetime) -> Asking:
    whom = answers.for_whom_before(request)
    history = [] if answers.own_patient(request, whom) else eligibility.history_asked(service)
    return Asking(clinic, service, screening.rulebook(clinic), history, whom, local_today(clinic, now))


def help_first(request: HttpRequest, clinic: Clinic, book: Rulebook, said: Answers) -> HttpResponse:
    """Medical help comes first: what was held and answered is let go, and no time is offered.

    Who came by their own link and speaks of themselves has no visit from here on; whose visit any other is, a person
    asks.
    """
    now = timezone.now()
    is_their_own = answers.own_patient(request, answers.for_whom(request)) is not None
    while booking := access.held(request):
        lifecycle.call_off(booking, by=Actor.PATIENT, now=now)
    access.forget_answers(request)
    known, off = access.visit_of(request), None
    if known is not None and known.is_upcoming:
        if is_their_own:
            off = lifecycle.suspend(known, by=Actor.PATIENT, now=now)
        else:
            lifecycle.warn(known, now=now)
    return render(request, "booking/help.html", help_context(clinic, book, said) | {"off": off})


def help_context(clinic: Clinic, book: Rulebook, said: Answers) -> dict[str, object]:
    """What stands on a page that sends somebody to medical help, after answers that hold a warning sign."""
    signs = screening.warning_signs(book, said)
    flags = [each for each in guidance.red_flags(clinic) if each.code in HELP_FLAGS]
    unsure = any(said[sign.code].answer is Answer.UNSURE for sign in signs)
    return {
        "signs": signs,
        "flags": flags,
        "unsure": wording(UNSURE_Q1, clinic) if unsure else None,
        "is_draft": guidance.is_draft(flags) or not all(sign.is_signed for sign in signs),
        "hide_nav": True,
    }


def wording(code: str, clinic: Clinic) -> guidance.Advice | None:
    """None before the content is loaded."""
    try:
        return guidance.wording(code, clinic)
    except Wording.DoesNotExist:
        return None


def above_questions(clinic: Clinic) -> guidance.Advice | None:
    return wording("above-questions", clinic)


def _page(request: HttpRequest, asking: Asking, form: SkinForm, *, status: int = 200) -> HttpResponse:
    advice = guidance.items_for(asking.service, Moment.BOOKING, asking.clinic)
    flags = [each for each in advice if each.code.startswith("FLAG-")]
    above = above_questions(asking.clinic)
    context = {
        "service": asking.service,
        "form": form,
        "has_errors": bool(form.errors),
        "above": above,
        "flags": flags,
        "is_draft": guidance.is_draft(flags) or not all(each.is_signed for each in asking.asked),
        "hide_nav": True,
    }
    return render(request, "booking/skin.html", context, status=status)
