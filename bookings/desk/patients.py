"""Finding a patient: by what they say of themselves on the phone, or among those who were here lately."""

import dataclasses
import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.desk.doors import notices, patient_for, patients_for, sees_patients, user_of, visits_for
from bookings.models import Patient

PAGE_SIZE = 25
LONGEST_SEARCH = 120
# Among so many of the last visits are the people of one page, some of them more than once.
LAST_VISITS = 150
ONE_DAY = dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Row:
    """One patient with the visits that whoever looks may see: the last, the next, how many were missed."""

    patient: Patient
    last: dt.datetime | None
    next: dt.datetime | None
    missed: int


@never_cache
@require_safe
@sees_patients
def patients(request: HttpRequest) -> HttpResponse:
    """``q`` is what to look for; nothing shows who is here today and who was here last.

    ``merge`` is a patient whose other record is looked for: then each row leads to comparing the two.
    """
    now, user = timezone.now(), user_of(request)
    text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    found = patients_for(user).matching(text).order_by("name", "id") if text else _lately(user, now)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "q": text,
        "page": page,
        "rows": _rows(page.object_list, user, now),
        "merging": _merging(request, user),
        "zone": timezone.get_current_timezone(),
        "desk_notices": notices(now),
    }
    return render(request, "desk/patients.html", context)


def _lately(user: User, now: dt.datetime) -> list[Patient]:
    """Of today and before, the latest visit first; each person once, no more than one page."""
    tomorrow = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + ONE_DAY
    visits = visits_for(user).visits().filter(starts_at__lt=tomorrow).order_by("-starts_at", "-id")
    latest = dict.fromkeys(visits.values_list("patient", flat=True)[:LAST_VISITS])
    people = Patient.objects.in_bulk(list(latest)[:PAGE_SIZE])
    return [people[pk] for pk in latest if pk in people]


def _rows(people: Iterable[Patient], user: User, now: dt.datetime) -> list[Row]:
    people = list(people)
    sums = {each["patient"]: each for each in visits_for(user).filter(patient__in=people).summed_up(now)}
    none = {"last": None, "next": None, "missed": 0}
    return [Row(each, *(sums.get(each.pk, none)[name] for name in ("last", "next", "missed"))) for each in people]


def _merging(request: HttpRequest, user: User) -> Patient | None:
    asked = request.GET.get("merge", "")
    return patient_for(user, asked) if user.has_perm("bookings.change_patient") else None
