"""Who may stand at the desk, and what every page of it says at the top."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from bookings import lifecycle, outbox
from bookings.models import Booking, Patient, Task
from bookings.models.booking import BookingQuerySet
from bookings.models.people import PatientQuerySet
from bookings.models.task import TaskQuerySet

View = Callable[..., HttpResponse]
# As many digits as a key of the database has.
LONGEST_KEY = 18

# Signing in is asked for by the middleware; someone signed in without the right gets the 403 page.
sees_bookings = permission_required("bookings.view_booking", raise_exception=True)
changes_bookings = permission_required("bookings.change_booking", raise_exception=True)
takes_payments = permission_required("bookings.add_payment", raise_exception=True)
voids_payments = permission_required("bookings.change_payment", raise_exception=True)
sees_mail = permission_required("bookings.view_outgoingemail", raise_exception=True)
sees_tasks = permission_required("bookings.view_task", raise_exception=True)
books = permission_required("bookings.add_booking", raise_exception=True)
sees_patients = permission_required("bookings.view_patient", raise_exception=True)
changes_patients = permission_required("bookings.change_patient", raise_exception=True)
sees_log = permission_required("bookings.view_log", raise_exception=True)
does_tasks = permission_required("bookings.change_task", raise_exception=True)
sees_absences = permission_required("clinic.view_absence", raise_exception=True)
adds_absences = permission_required("clinic.add_absence", raise_exception=True)
changes_absences = permission_required("clinic.change_absence", raise_exception=True)
changes_people = permission_required("clinic.change_practitioner", raise_exception=True)


@dataclasses.dataclass(frozen=True)
class Rights:
    """What somebody may do with a booking. Answers and decisions are not a superuser's for being one."""

    change: bool
    answers: bool
    decide: bool


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the middleware lets nobody else in"
    return request.user


def rights(request: HttpRequest) -> Rights:
    user = user_of(request)
    return Rights(
        change=user.has_perm("bookings.change_booking"),
        answers=sees_answers_of_patients(user),
        decide=lifecycle.is_clinician(user),
    )


def sees_everybody(user: User) -> bool:
    """Whether somebody sees the visits of all practitioners, and not only their own."""
    return user.has_perm("bookings.view_every_visit")


def visits_for(user: User) -> BookingQuerySet:
    """The booked visits that somebody may see."""
    found = Booking.objects.booked()
    return found if sees_everybody(user) else found.filter(practitioner__user=user)


def tasks_for(user: User) -> TaskQuerySet:
    """The tasks that somebody may see: all, or those about their own visits, and those that are theirs to do."""
    found = Task.objects.all()
    return found if sees_everybody(user) else found.filter(Q(booking__in=visits_for(user)) | Q(assigned_to=user))


def patients_for(user: User) -> PatientQuerySet:
    """Whose record somebody may open: everybody's, or that of people who have a visit with them."""
    found = Patient.objects.current()
    return found if sees_everybody(user) else found.filter(pk__in=visits_for(user).values("patient"))


def patient_for(user: User, who: str) -> Patient | None:
    """The one with this id, as an address or a form has it, among those whom ``user`` may see."""
    key = key_of(who)
    return patients_for(user).filter(pk=key).first() if key else None


def key_of(text: str) -> int | None:
    """The id that a page sent along, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_KEY else None


def sees_answers_of_patients(user: User) -> bool:
    return lifecycle.holds(user, "view_answers")


def _only(test: Callable[[User], bool]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not test(user_of(request)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return door

    return decorate


sees_answers = _only(sees_answers_of_patients)
decides = _only(lifecycle.is_clinician)


def notices(now: dt.datetime) -> list[str]:
    """What keeps mail from patients, worst first; shown on each page of the desk."""
    if not settings.MAIL_IS_SENT:
        return ["Mail is not really sent. Every message is kept here, under Mail."]
    if outbox.is_worker_late(now):
        return ["The worker has not run for 5 minutes. Mail waits until it runs again."]
    return []
