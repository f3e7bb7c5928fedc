"""The public pages: the clinic, its services, its guidance. Nothing here changes anything but a cookie."""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_POST, require_safe

from clinic import guidance as advice_for
from clinic import screening
from clinic.guidance import Advice, Section
from clinic.models import Clinic, Grade, Location, Moment, Resource, Review, Service, Source, Topic
from clinic.screening import Asked

THEMES = ("light", "dark")
ONE_YEAR = dt.timedelta(days=365)
DO_NOT = re.compile(r"^(No |Hands off)|\bdo not\b", re.IGNORECASE)
RED_FLAGS = "red-flags"

# Which drawing stands beside an item or a service; the others have none.
PICTURES = {
    "UND-1": "blackhead",
    "KNOW-1": "filament",
    "KNOW-2": "milia",
    "KNOW-3": "sore-lump",
    "KNOW-4": "changing-spot",
    "nose": "blackhead",
    "face": "blackhead",
    "body": "blackhead",
    "teen": "blackhead",
    "stubborn": "blackhead",
    "milia": "milia",
}
# Where the booking advice of each topic stands on a service's page; a clinic's own topics follow under their own title.
FIT = ("is-it-right-for-me", "know-your-spot")
HAPPENS = ("what-happens",)
RISKS = ("what-can-go-wrong",)
AROUND = ("why-not-squeeze", "prepare-72h", "day-of-visit", "aftercare-24h", "aftercare-week")
SQUEEZED = ("FLAG-3", "KNOW-3")

GRADES = {
    Grade.AESTHETICIAN: "aesthetician",
    Grade.NURSE: "nurse",
    Grade.DOCTOR: "dermatologist or doctor",
}


@dataclass(frozen=True)
class Lists:
    """A topic's items: what to do and know, and, apart from it, what not to do."""

    do: list[Advice]
    do_not: list[Advice]


@dataclass(frozen=True)
class Cards:
    """The warning signs by how fast to act."""

    emergency: list[Advice]
    today: list[Advice]
    others: list[Advice]


@dataclass(frozen=True)
class Ages:
    """Whom a service is for, by age on the day of the visit; None is no limit."""

    minimum: int | None
    maximum: int | None
    online_from: int

    @property
    def is_by_phone(self) -> bool:
        """Nobody whom the service is for may book it online."""
        return self.maximum is not None and self.maximum < self.online_from


View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """A page anyone may read once the clinic has its row and its content; until then it says we are setting up."""

    def shown(request: HttpRequest, **named: str) -> HttpResponse:
        clinic = Clinic.objects.first()
        try:
            return view(request, clinic, **named) if clinic else not_set_up(request)
        except ObjectDoesNotExist:
            # The fixed texts are asked for by code: one that is missing means that no content was loaded yet.
            return not_set_up(request)

    return login_not_required(require_safe(shown))


def not_set_up(request: HttpRequest) -> HttpResponse:
    return render(request, "clinic/not_set_up.html")


def page(
    request: HttpRequest, template: str, clinic: Clinic, *, shown: Iterable[Advice | Asked] = (), **context: Any
) -> HttpResponse:
    """Render ``template``; ``shown`` is all advice on it, which decides whether it is marked as a draft."""
    red_flags = advice_for.red_flags(clinic)
    return render(
        request,
        template,
        {
            "clinic": clinic,
            "red_flags": red_flags,
            "is_draft": any(not text.is_signed for text in [*shown, *red_flags]),
            "canonical": settings.SITE_URL + request.path,
            **context,
        },
    )


@public
def home(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    now = timezone.now()
    places = locations(now)
    offered = list(Service.objects.in_use(local_date(places, now)))
    if not (places and offered):
        return not_set_up(request)
    hands_off = [advice_for.advice("WHY-1", clinic), advice_for.wording("tell-us", clinic)]
    return page(
        request, "clinic/home.html", clinic, shown=hands_off, hands_off=hands_off, services=offered, locations=places
    )


@public
def services(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    now = timezone.now()
    offered = Service.objects.in_use(local_date(locations(now), now))
    prices = advice_for.wording("prices", clinic)
    return page(request, "clinic/services.html", clinic, shown=[prices], services=offered, prices=prices)


@public
def service(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    now = timezone.now()
    today = local_date(locations(now), now)
    found = get_object_or_404(Service.objects.in_use(today), slug=slug)
    items = advice_for.items_for(found, Moment.BOOKING, clinic)
    ages = Ages(found.minimum_age, found.maximum_age, clinic.online_from_age)
    notes = notes_on(found, ages, clinic)
    return page(
        request,
        "clinic/service.html",
        clinic,
        shown=[*items, *notes.values()],
        service=found,
        notes=notes,
        who=who(found.grades),
        ages=ages,
        picture=PICTURES.get(found.slug, "skin"),
        practitioners=practitioners(found, today),
        flags=cards(item for item in items if item.topic == RED_FLAGS),
        sources=sources_behind(items),
        **placed(advice_for.grouped(items)),
    )


@public
def guidance(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    disclaimer = advice_for.wording("disclaimer-long", clinic)
    note = advice_for.wording("source-note", clinic)
    return page(
        request,
        "clinic/guidance.html",
        clinic,
        shown=[disclaimer, note],
        topics=advice_for.topics(),
        disclaimer=disclaimer,
        source_note=note,
        sources=Source.objects.all(),
    )


@public
def topic(request: HttpRequest, clinic: Clinic, code: str) -> HttpResponse:
    found = get_object_or_404(Topic, code=code)
    items = advice_for.page(found, clinic)
    disclaimer = advice_for.wording("disclaimer-long", clinic)
    return page(
        request,
        "clinic/topic.html",
        clinic,
        shown=[*items, disclaimer],
        topic=found,
        topics=advice_for.topics(),
        lists=lists(items),
        cards=cards(items) if found.code == RED_FLAGS else None,
        is_numbered=found.code == "five-tips",
        pictures=PICTURES,
        disclaimer=disclaimer,
        sources=advice_for.sources_of(found),
        skin_check_url=skin_check_url(timezone.now()) if found.code == "know-your-spot" else "",
        reviews=[] if advice_for.is_draft(items) else reviews(found, items),
    )


@public
def squeezed(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    """For the person who already did: warning signs first, then what to do and what to book."""
    asked = screening.question("Q1", clinic)
    items = {item.code: item for item in advice_for.items_for(None, Moment.BOOKING, clinic)}
    after = items.get("WHY-6")
    signs = [items[code] for code in SQUEEZED if code in items]
    tell_us = advice_for.wording("tell-us", clinic)
    return page(
        request,
        "clinic/squeezed.html",
        clinic,
        shown=[asked, *signs, *([after] if after else []), tell_us],
        asked=asked,
        after=after,
        signs=signs,
        tell_us=tell_us,
        skin_check_url=skin_check_url(timezone.now()),
    )


@public
def privacy(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    return page(request, "clinic/privacy.html", clinic)


@login_not_required
@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep light or dark in a cookie, or forget it for "as on my device"; then back to where the reader was."""
    answer = redirect(way_back(request))
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        answer.delete_cookie("theme", samesite="Lax")
        return answer
    answer.set_cookie(
        "theme", theme, max_age=ONE_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return answer


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; whether the database does too is for ``readyz``."""
    return HttpResponse("ok", content_type="text/plain")


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token, most often a page left open too long: kind words, and nothing was sent."""
    return render(request, "403_csrf.html", status=403)


@never_cache
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What cannot be read, and what is too large to be."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return defaults.bad_request(request, exception)


# A refusal may show who is signed in: no cache keeps it.
forbidden = never_cache(defaults.permission_denied)
not_found = never_cache(defaults.page_not_found)


def locations(now: dt.datetime) -> list[Location]:
    """The houses in use today, each by its own calendar."""
    return [
        place
        for place in Location.objects.all()
        if place.retired_on is None or place.retired_on > now.astimezone(place.zone).date()
    ]


def local_date(places: list[Location], now: dt.datetime) -> dt.date:
    """Today where the clinic is."""
    return now.astimezone(places[0].zone if places else dt.UTC).date()


def skin_check_url(now: dt.datetime) -> str:
    """Where a clinician looks first; a clinic without that visit shows all it has."""
    is_offered = Service.objects.in_use(local_date(locations(now), now)).filter(slug="consult").exists()
    return reverse("service", args=["consult"]) if is_offered else reverse("services")


def practitioners(found: Service, today: dt.date) -> list[tuple[Resource, str]]:
    """Those who may do the service and still work here, each with the words for their grade."""
    allowed = Resource.objects.practitioners().in_use(today).filter(code__in=found.grades)
    return [(person, Grade(person.code).label) for person in allowed]


def sources_behind(items: list[Advice]) -> list[Source]:
    return list(Source.objects.filter(items__code__in=[item.code for item in items]).distinct())


def notes_on(found: Service, ages: Ages, clinic: Clinic) -> dict[str, Advice]:
    """The fixed texts that belong on the page of a service, by names that a template can say."""
    codes = ["tell-us", "prices"]
    if ages.is_by_phone:
        codes.append("under-18")
    if Grade.AESTHETICIAN in found.grades:
        codes.append("who-treats-you")
    return {code.replace("-", "_"): advice_for.wording(code, clinic) for code in codes}


def reviews(found: Topic, items: list[Advice]) -> list[Review]:
    """The signatures under the words as shown, one for each clinician and day."""
    versions = {(item.code, item.version) for item in items}
    told: dict[tuple[str, dt.date, dt.date], Review] = {}
    for review in advice_for.reviews_of(found):
        if (review.revision.code, review.revision.version) in versions:
            told.setdefault((review.reviewer, review.signed_at.date(), review.next_review_on), review)
    return list(told.values())


def who(grades: list[str]) -> str:
    """Such as: a nurse, or a dermatologist or doctor; from the least to the most specialised."""
    names = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for grade, name in GRADES.items() if grade in grades]
    return ", or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def lists(items: list[Advice]) -> Lists:
    """Split a topic that tells people what not to do; one such line alone stays in its place among the others."""
    do_not = [item for item in items if DO_NOT.search(item.plain.split(". ")[0])]
    if len(do_not) <= 1:
        return Lists(do=items, do_not=[])
    return Lists(do=[item for item in items if item not in do_not], do_not=do_not)


def cards(items: Iterable[Advice]) -> Cards:
    """A warning sign opens in bold with what to do: call the emergency number, or get help today."""
    signs = list(items)
    emergency = [item for item in signs if item.text.startswith("**Call")]
    today = [item for item in signs if item.text.startswith("**") and item not in emergency]
    return Cards(emergency, today, [item for item in signs if not item.text.startswith("**")])


def placed(sections: list[Section]) -> dict[str, list[Section]]:
    """The sections of a service's page by the heading they stand under; none is left out."""
    places = {"fit": FIT, "happens": HAPPENS, "risks": RISKS, "around": AROUND}
    known = {RED_FLAGS, *(code for codes in places.values() for code in codes)}
    found = {name: [section for section in sections if section.topic in codes] for name, codes in places.items()}
    return {**found, "more": [section for section in sections if section.topic not in known]}


def way_back(request: HttpRequest) -> str:
    """The page of ours that ``next`` names, else the front page."""
    asked = request.POST.get("next", "")
    is_ours = asked.startswith("/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_ours else reverse("home")
