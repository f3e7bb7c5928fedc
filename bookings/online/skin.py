"""Your skin today: the one question that comes before any time is shown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bookings import access, lifecycle
from bookings.forms import SkinForm
from bookings.online import doors
from bookings.online.asked import service_of
from clinic import guidance, screening
from clinic.models import Clinic, Moment, Service, Verdict

Q1 = "Q1"


@doors.patient_page
@require_http_methods(["GET", "HEAD", "POST"])
@doors.booking_open
def skin(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    """GET asks; POST goes on to the times, or stops for medical help. Nothing is stored either way."""
    service = service_of(slug, timezone.now())
    if request.method != "POST":
        return _page(request, clinic, service, SkinForm())
    form = SkinForm(request.POST)
    if not form.is_valid():
        return _page(request, clinic, service, form, status=422)
    if needs_help(form.cleaned_data["q1"]):
        return help_first(request, clinic)
    access.set_no_flags(request)
    return doors.see_other("booking:times", service.slug)


def needs_help(answer: str) -> bool:
    """Whether an answer to Q1 stops everything; an unknown answer is for the form to refuse."""
    return answer in set(screening.Answer) and screening.verdict_of(Q1, answer) == Verdict.HELP


def help_first(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    """Medical help comes first: what was held and answered is let go, and no time is offered."""
    now = timezone.now()
    while booking := access.held(request):
        lifecycle.release(booking, now=now)
    access.forget_answers(request)
    asked = screening.question(Q1, clinic)
    flags = [each for each in guidance.red_flags(clinic) if each.code in ("FLAG-1", "FLAG-2")]
    context = {"asked": asked, "flags": flags, "is_draft": not asked.is_signed, "hide_nav": True}
    return render(request, "booking/help.html", context)


def _page(request: HttpRequest, clinic: Clinic, service: Service, form: SkinForm, *, status: int = 200) -> HttpResponse:
    asked = screening.question(Q1, clinic)
    advice = guidance.items_for(service, Moment.BOOKING, clinic)
    flags = [each for each in advice if each.code.startswith("FLAG-")]
    context = {
        "service": service,
        "form": form,
        "has_errors": bool(form.errors),
        "asked": asked,
        "flags": flags,
        "is_draft": guidance.is_draft(flags) or not asked.is_signed,
        "hide_nav": True,
    }
    return render(request, "booking/skin.html", context, status=status)
