"""The questions once more: before the visit, after squeezing, after the visit, or at the clinic."""

import datetime as dt

from django.db import transaction

from bookings import claims, eligibility, emails
from bookings.eligibility import Outlook
from bookings.lifecycle import safety
from bookings.lifecycle.confirming import keep
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.holding import release
from bookings.lifecycle.refusals import NeedsHelp
from bookings.lifecycle.tasks import BEFORE_THE_VISIT, close_tasks, leave_task
from bookings.lifecycle.treating import wait_for_clinician
from bookings.models import Booking, BookingState, RunKind, ScreeningRun, Task, TaskKind
from bookings.models.event import Actor
from bookings.models.states import UNDER_WAY, UPCOMING
from clinic import screening
from clinic.models import Verdict
from clinic.opening import reply_by
from clinic.screening import Answers, Outcome

ANSWER_A_WARNING_WITHIN = dt.timedelta(minutes=30)
# Of the hours in which somebody answers the phone.
ANSWER_WORSE_MINUTES = 2 * 60
TASK_OF = {RunKind.RECHECK: TaskKind.RECHECK, RunKind.SQUEEZED: TaskKind.SQUEEZED, RunKind.DESK: TaskKind.RECHECK}


def answer_again(
    booking: Booking, *, answers: Answers, kind: RunKind, by: Who, is_known: bool = True, now: dt.datetime
) -> tuple[Outlook, Outcome]:
    """Write down a new round of answers; what all of them mean now, and for the visit as it is arranged.

    A visit whose answers stand in its way stays, and a task with a clock says so. Without ``is_known`` earlier visits
    do not count, since the answer would tell of them. Raises NeedsHelp after a warning sign: then the visit is
    suspended and no answer is kept.
    """
    book = screening.rulebook(booking.location.clinic)
    if _is_warning(book, answers, booking, now):
        suspend(booking, by=by, now=now)
        raise NeedsHelp
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        run = ScreeningRun(
            kind=kind,
            answers={code: each.as_json() for code, each in answers.items()},
            versions=book.versions(booking.service.codes),
            taken_by=None if isinstance(by, Actor) else by,
            made_at=now,
        )
        keep(run, booking, Outcome())
        run.save()
        outlook = safety.outlook_for(booking, now, book=book, is_known=is_known)
        outcome = outlook.outcome(booking.practitioner.code, booking.local_date)
        keep(run, booking, outcome)
        run.save()
        record(booking, f"answered: {run.get_kind_display().lower()}", by=by, now=now)
        _note_what_is_open(booking, book)
        _leave_task(booking, kind, outlook, now)
    return outlook, outcome


def ask_clinic(booking: Booking, *, now: dt.datetime) -> Task:
    """The patient would rather have a person decide."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        due_at = booking.seen_to_by(now)
        task = leave_task(booking, TaskKind.RECHECK, now=now, note="Asked us to decide.", due_at=due_at)
        record(booking, "asked the clinic", by=Actor.PATIENT, now=now)
    return task


def call_off(booking: Booking, *, by: Who, now: dt.datetime) -> None:
    """After a warning sign nothing stays: neither the hold nor, when the time is booked by now, the visit."""
    release(booking, now=now)
    # Letting go waits for whoever books the hold at this very moment, so a visit that came of it is seen here.
    booked = Booking.objects.booked().filter(pk=booking.pk).first()
    if booked is not None:
        suspend(booked, by=by, now=now)


def warn(booking: Booking, *, now: dt.datetime) -> Task:
    """A warning sign was given in this visit's browser while another was booked: whose it is, a person asks at once."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        due_at = now + ANSWER_A_WARNING_WITHIN
        note = "Said so while booking another visit."
        return leave_task(booking, TaskKind.WARNING_SIGN, now=now, note=note, is_urgent=True, due_at=due_at)


def suspend(booking: Booking, *, by: Who, now: dt.datetime) -> Booking:
    """A warning sign: this visit and the patient's others to come are off, free of charge, and somebody phones at once.

    A visit that is over stays as it is, and one under way too, unless staff say so. A second call changes nothing.
    """
    with transaction.atomic():
        others = Booking.objects.upcoming().filter(patient=booking.patient_id).values_list("pk", flat=True)
        for pk in sorted({booking.pk, *others}):
            _suspend_one(Booking.objects.locked(pk), by=by, now=now)
        leave_task(booking, TaskKind.WARNING_SIGN, now=now, is_urgent=True, due_at=now + ANSWER_A_WARNING_WITHIN)
    return Booking.objects.with_everything().get(pk=booking.pk)


def calmer(booking: Booking, *, day: int, by: Who, now: dt.datetime) -> None:
    """The skin settles after the visit. A second call changes nothing."""
    _check_in(booking, f"check-in, day {day}: calmer", by=by, now=now)


def same(booking: Booking, *, day: int, by: Who, now: dt.datetime) -> None:
    """The skin is as it was after the visit. A second call changes nothing."""
    _check_in(booking, f"check-in, day {day}: the same", by=by, now=now)


def worse(booking: Booking, *, day: int, by: Who, now: dt.datetime) -> Task:
    """The skin got worse after the visit: a person calls soon. A second call adds nothing."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        _check_in(booking, f"check-in, day {day}: worse", by=by, now=now)
        location = booking.location
        due_at = reply_by(clinic=location.clinic, location=location, minutes=ANSWER_WORSE_MINUTES, now=now)
        return leave_task(booking, TaskKind.CHECK_IN, now=now, note=f"Day {day}.", is_urgent=True, due_at=due_at)


def _check_in(booking: Booking, said: str, *, by: Who, now: dt.datetime) -> None:
    """Once for each thing that is said."""
    if not booking.events.filter(verb=said).exists():
        record(booking, said, by=by, now=now)


def _is_warning(book: screening.Rulebook, answers: Answers, booking: Booking, now: dt.datetime) -> bool:
    found = screening.assess(
        book,
        answers,
        codes=booking.service.codes,
        grade=booking.practitioner.code,
        visit_date=None,
        today=now.astimezone(booking.location.zone).date(),
    )
    return found.has(Verdict.HELP)


def _note_what_is_open(booking: Booking, book: screening.Rulebook) -> None:
    known = eligibility.said_for(booking).answers
    is_outstanding = bool(screening.unanswered(book, known, booking.service.codes))
    Booking.objects.filter(pk=booking.pk).update(is_screening_outstanding=is_outstanding)


def _leave_task(booking: Booking, kind: RunKind, outlook: Outlook, now: dt.datetime) -> None:
    """Squeezing always reaches the practitioner; another round only when its answers stand in the visit's way."""
    if booking.state not in UPCOMING | UNDER_WAY or kind not in TASK_OF:
        return
    stands = safety.standing(booking, outlook)
    if stands and booking.state in UNDER_WAY:
        wait_for_clinician(booking, now)
    elif kind == RunKind.SQUEEZED or stands:
        leave_task(booking, TASK_OF[kind], now=now, due_at=booking.seen_to_by(now))
    else:
        close_tasks(booking, TaskKind.RECHECK, now=now)


def _suspend_one(booking: Booking, *, by: Who, now: dt.datetime) -> None:
    # A patient may answer the check-in of a visit that nobody has closed yet; staff have the person before them.
    is_stopped_here = booking.state in UNDER_WAY and not isinstance(by, Actor)
    if not (booking.is_upcoming or is_stopped_here):
        return
    booking.state, booking.reply_by = BookingState.SUSPENDED, None
    booking.sequence += 1
    booking.save()
    claims.give_back(booking)
    record(booking, "suspended", by=by, now=now)
    close_tasks(booking, *BEFORE_THE_VISIT, now=now)
    emails.suspended(booking, now=now)
    emails.staff_notice(booking, what="called off", now=now)
