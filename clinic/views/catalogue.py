"""The front page and the services: what each visit is, whom it is for, and what comes before it."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from clinic import guidance
from clinic.guidance import Advice, Section
from clinic.models import Clinic, Grade, HistoryRule, Moment, Resource, Service
from clinic.models.shown import Shown, shown
from clinic.views.pages import RED_FLAGS, cards, local_date, locations, not_set_up, page, public, sources_behind

# Which drawing stands beside a service; the others have the one of all skin.
PICTURES = {
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
GRADES = {
    Grade.AESTHETICIAN: "aesthetician",
    Grade.NURSE: "nurse",
    Grade.DOCTOR: "dermatologist or doctor",
}
ADULT_FROM = 18


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

    @property
    def has_minors(self) -> bool:
        """Somebody whom a parent or guardian has to answer for may have it."""
        return self.minimum is None or self.minimum < ADULT_FROM


@dataclass(frozen=True)
class Before:
    """What earlier visits mean for this one: the rule in words, and the visits that have to come first."""

    advice: Advice
    visits: list[Service]


@public
def home(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    now = timezone.now()
    places = locations(now)
    offered = list(Service.objects.in_use(local_date(places, now)))
    if not (places and offered):
        return not_set_up(request)
    hands_off = [guidance.advice("WHY-1", clinic), guidance.wording("tell-us", clinic)]
    return page(
        request, "clinic/home.html", clinic, shown=hands_off, hands_off=hands_off, services=offered, locations=places
    )


@public
def services(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    now = timezone.now()
    offered = Service.objects.in_use(local_date(locations(now), now))
    prices = guidance.wording("prices", clinic)
    return page(request, "clinic/services.html", clinic, shown=[prices], services=offered, prices=prices)


@public
def service(request: HttpRequest, clinic: Clinic, slug: str) -> HttpResponse:
    now = timezone.now()
    today = local_date(locations(now), now)
    found = get_object_or_404(Service.objects.in_use(today), slug=slug)
    items = guidance.items_for(found, Moment.BOOKING, clinic)
    ages = Ages(found.minimum_age, found.maximum_age, clinic.online_from_age)
    notes = notes_on(found, ages, clinic)
    before = comes_before(found, today)
    return page(
        request,
        "clinic/service.html",
        clinic,
        shown=[*items, *notes.values(), *(each.advice for each in before)],
        service=found,
        notes=notes,
        before=before,
        who=who(found.grades),
        ages=ages,
        picture=PICTURES.get(found.slug, "skin"),
        practitioners=practitioners(found, today),
        flags=cards(item for item in items if item.topic == RED_FLAGS),
        sources=sources_behind(items),
        **placed(guidance.grouped(items)),
    )


def comes_before(found: Service, today: dt.date) -> list[Before]:
    """The rules about earlier visits that this service is under, as last signed."""
    rules = [rule for rule in shown(list(HistoryRule.objects.all())) if _is_under(rule, found)]
    needed = [slug for rule in rules for slug in rule.fields["needs"]]
    offered = list(Service.objects.in_use(today).filter(slug__in=needed)) if needed else []
    return [
        Before(
            Advice(rule.code, rule.version, "", rule.fields["advice"], 1, rule.is_signed),
            [visit for visit in offered if visit.slug in rule.fields["needs"]],
        )
        for rule in rules
    ]


def _is_under(rule: Shown, found: Service) -> bool:
    return not found.codes.isdisjoint(rule.fields["applies_to"])


def practitioners(found: Service, today: dt.date) -> list[tuple[Resource, str]]:
    """Those who may do the service and still work here, each with the words for their grade."""
    allowed = Resource.objects.practitioners().in_use(today).filter(code__in=found.grades)
    return [(person, Grade(person.code).label) for person in allowed]


def notes_on(found: Service, ages: Ages, clinic: Clinic) -> dict[str, Advice]:
    """The fixed texts that belong on the page of a service, by names that a template can say."""
    codes = ["tell-us", "prices", "answers-decide"]
    if ages.has_minors:
        codes.append("under-18")
    if Grade.AESTHETICIAN in found.grades:
        codes.append("who-treats-you")
    return {code.replace("-", "_"): text for code, text in guidance.wordings(codes, clinic).items()}


def who(grades: list[str]) -> str:
    """Such as: a nurse, or a dermatologist or doctor; from the least to the most specialised."""
    names = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for grade, name in GRADES.items() if grade in grades]
    return ", or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def placed(sections: list[Section]) -> dict[str, list[Section]]:
    """The sections of a service's page by the heading they stand under; none is left out."""
    places = {"fit": FIT, "happens": HAPPENS, "risks": RISKS, "around": AROUND}
    known = {RED_FLAGS, *(code for codes in places.values() for code in codes)}
    found = {name: [section for section in sections if section.topic in codes] for name, codes in places.items()}
    return {**found, "more": [section for section in sections if section.topic not in known]}
