"""A clinician decides on a visit that waits: approve it, change it, or decline it. Nothing is confirmed in silence."""

import datetime as dt

from django.db import transaction

from bookings import claims, emails
from bookings.lifecycle import safety
from bookings.lifecycle.confirming import keep_up
from bookings.lifecycle.guardians import keep_guarded, lacks_guardian
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.holding import as_agreed
from bookings.lifecycle.moving import approved, place
from bookings.lifecycle.refusals import (
    ConsultOnly,
    GuardianNeeded,
    NeedsHelp,
    NewAnswers,
    NotUpcoming,
    TooLate,
    refuse_age,
)
from bookings.lifecycle.tasks import BEFORE_THE_VISIT, close_tasks, leave_task
from bookings.models import Booking, BookingState, Task, TaskKind
from bookings.models.event import Actor
from bookings.models.states import UNDER_WAY
from clinic.models import Resource, Service, Verdict

TOO_LATE = "Nobody could look at your answers in time. Book another time, or call us."


def approve(booking: Booking, *, by: Who, reason: str, read: int | None = None, now: dt.datetime) -> Booking:
    """A clinician has looked, and the visit is booked, or stays so after a re-check. A second call changes nothing.

    Of somebody who is here, or was to be by now, it says that they may be treated: nothing moves and no mail goes out;
    nor where only what a minor was asked alone stood in the way.
    ``read`` is the newest round of answers that they had before them. Raises NeedsReason, NotAllowed, NewAnswers when
    there is a newer one, GuardianNeeded before a minor is booked, NeedsHelp, ConsultOnly, NotUpcoming, and TooLate
    where it was never booked before its start.
    """
    reason = safety.refuse_without_reason(reason)
    safety.refuse_others(by)
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        is_here = _is_here(booking, now)
        if not is_here and booking.state != BookingState.CONFIRMED:
            refuse_over(booking, now)
        elif not _is_asked_again(booking) and not (is_here and _stands(booking, now)):
            return booking
        if read is not None and booking.screenings.filter(pk__gt=read).exists():
            raise NewAnswers
        _refuse_unguarded(booking)
        is_quiet = is_here or _stands_untold(booking, now)
        if is_quiet:
            booking.approved_at = now
        else:
            _approved(booking, now)
        _bend(booking, by=by, reason=reason, now=now)
        booking.save()
        record(booking, "approved", by=by, now=now, reason=reason)
        close_tasks(booking, TaskKind.REVIEW_LATE, TaskKind.RECHECK, now=now)
        if not is_quiet:
            emails.confirmed(booking, now=now)
            emails.staff_notice(booking, what="approved", now=now)
    return booking


def decline(booking: Booking, *, by: Who, reason: str, now: dt.datetime) -> Booking:
    """Give the time back and tell the patient why: ``reason`` is what they read. A second call changes nothing.

    Raises NeedsReason, NotAllowed (the system itself may decline what nobody looked at), NotUpcoming.
    """
    reason = safety.refuse_without_reason(reason)
    if by is not Actor.SYSTEM:
        safety.refuse_others(by)
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.state == BookingState.DECLINED:
            return booking
        if booking.state != BookingState.PENDING:
            raise NotUpcoming
        booking.state, booking.reply_by = BookingState.DECLINED, None
        booking.sequence += 1
        booking.save()
        claims.give_back(booking)
        record(booking, "declined", by=by, now=now, reason=reason)
        close_tasks(booking, *BEFORE_THE_VISIT, now=now)
        emails.declined(booking, reason=reason, now=now)
        emails.staff_notice(booking, what="declined", now=now)
    return booking


def change_service(
    booking: Booking,
    *,
    service: Service,
    practitioner: Resource | None,
    start: dt.datetime,
    by: Who,
    reason: str,
    now: dt.datetime,
) -> Booking:
    """Another service in this visit's place, at its own length and price: a clinician's decision, and an approval.

    Raises NeedsReason, NotAllowed, NeedsHelp, NotUpcoming, TooLate, GuardianNeeded, NotEligible, NotOffered, SlotTaken.
    """
    reason = safety.refuse_without_reason(reason)
    safety.refuse_others(by)
    with claims.refusing_overlap(), transaction.atomic():
        claims.lock(service=service, location=booking.location, also=booking)
        booking = Booking.objects.locked(booking.pk)
        refuse_over(booking, now)
        outlook = safety.outlook_for(booking, now, service=service)
        choice = claims.pick_instead(
            booking, service=service, practitioner=practitioner, start=start, now=now, is_staff=True
        )
        was = booking.service_name
        become(booking, service)
        place(booking, choice, start, now)
        _refuse_for_age(booking)
        safety.override(booking, outlook, start, by=by, reason=reason, now=now)
        _approved(booking, now)
        booking.save()
        keep_up(booking, outlook)
        claims.replace(booking, choice)
        keep_guarded(booking, now=now)
        record(booking, "service changed", by=by, now=now, reason=reason, was=was, service=service.name)
        close_tasks(booking, TaskKind.REVIEW_LATE, TaskKind.RECHECK, now=now)
        emails.changed(booking, now=now)
        emails.staff_notice(booking, what="changed", now=now)
    return booking


def escalate(booking: Booking, *, now: dt.datetime) -> Task | None:
    """The reply is late: an urgent task, and the patient is told. None when that was done, or somebody has decided."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        is_late = booking.state == BookingState.PENDING and booking.reply_by is not None and booking.reply_by <= now
        if not is_late or booking.emails.filter(kind="review_late", sequence=booking.sequence).exists():
            return None
        record(booking, "reply is late", by=Actor.SYSTEM, now=now)
        emails.review_late(booking, now=now)
        return leave_task(booking, TaskKind.REVIEW_LATE, now=now, is_urgent=True, due_at=now)


def expire_review(booking: Booking, *, now: dt.datetime) -> bool:
    """At minimum notice before its start nobody has decided: declined, told, and the time is free.

    False when somebody has decided meanwhile.
    """
    try:
        decline(booking, by=Actor.SYSTEM, reason=TOO_LATE, now=now)
    except NotUpcoming:
        return False
    return True


def refuse_over(booking: Booking, now: dt.datetime) -> None:
    if not booking.is_upcoming:
        raise NotUpcoming
    if booking.has_started(now):
        raise TooLate


def _refuse_unguarded(booking: Booking) -> None:
    """Nobody books a minor for whom nobody answers."""
    if booking.state == BookingState.PENDING and lacks_guardian(booking):
        raise GuardianNeeded


def _refuse_for_age(booking: Booking) -> None:
    _refuse_unguarded(booking)
    refuse_age(booking, booking.patient.date_of_birth if booking.patient else None, by_phone=True)


def _is_asked_again(booking: Booking) -> bool:
    """Whether something is new since the visit was booked, and nobody has decided yet."""
    return booking.tasks.open().filter(kind=TaskKind.RECHECK).exists()


def _is_here(booking: Booking, now: dt.datetime) -> bool:
    """Nobody has to press "arrived" before a visit is closed, so one that has started counts."""
    return booking.state in UNDER_WAY or (booking.state == BookingState.CONFIRMED and booking.has_started(now))


def _stands(booking: Booking, now: dt.datetime) -> bool:
    return bool(safety.standing(booking, safety.outlook_for(booking, now)))


def _stands_untold(booking: Booking, now: dt.datetime) -> bool:
    """The visit is booked, and a letter about it would tell its reader that there was something to decide."""
    is_booked = booking.state == BookingState.CONFIRMED
    return is_booked and safety.stands_untold(booking, safety.outlook_for(booking, now))


def _bend(booking: Booking, *, by: Who, reason: str, now: dt.datetime) -> None:
    """A yes, which ``booking`` says by now, answers what its answers set off for review.

    Whatever stands besides is bent, and says so in the history: a wait, or what an earlier arrangement had bent.

    Raises NeedsHelp, ConsultOnly.
    """
    outlook = safety.outlook_for(booking, now)
    found = outlook.outcome(booking.practitioner.code, booking.local_date)
    if found.has(Verdict.HELP):
        raise NeedsHelp
    if found.has(Verdict.CONSULT):
        raise ConsultOnly
    if safety.standing(booking, outlook):
        safety.override(booking, outlook, booking.starts_at, by=by, reason=reason, now=now)


def _approved(booking: Booking, now: dt.datetime) -> None:
    if booking.confirmed_at is not None:
        # The patient's calendar knows the visit: only a higher number makes it look again.
        booking.sequence += 1
    approved(booking, now)


def become(booking: Booking, service: Service) -> None:
    """Take over what is agreed now; the terms for moving and cancelling stay as they were shown."""
    agreed = as_agreed(service, booking.location, booking.location.clinic)
    for name in ("service", "service_name", "minutes", "clean_up_minutes", "price_kind", "price", "currency"):
        setattr(booking, name, agreed[name])
