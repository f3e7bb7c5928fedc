"""A booked visit is cancelled, and its time is free again."""

import datetime as dt

from django.db import transaction

from bookings import claims, emails
from bookings.lifecycle import safety
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming, TooLate
from bookings.lifecycle.tasks import BEFORE_THE_VISIT, close_tasks
from bookings.models import Booking, BookingState, TaskKind


def cancel(
    booking: Booking, *, reason: str, by: Who, is_ours: bool = False, notify: bool = True, now: dt.datetime
) -> Booking:
    """Cancel until the visit starts; after the cut-off it is marked late, unless new answers stand in its way.

    ``is_ours``: the clinic cannot keep the time. Then it is never late, the patient reads that it was us, and it may be
    on its day until somebody begins with it. Without ``notify`` the patient gets no mail, and the history says so.

    A second call changes nothing. Raises TooLate once it has started, NotUpcoming for a visit that is over.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.state == BookingState.CANCELLED:
            return booking
        _refuse_too_late(booking, now, is_ours=is_ours)
        _cancel(booking, reason, is_late=not is_ours and _is_late(booking, now), now=now)
        told = {"reason": booking.cancel_reason, "late": booking.is_late_cancellation, "mailed": notify}
        record(booking, "cancelled", by=by, now=now, **told, **({"ours": True} if is_ours else {}))
        if notify:
            emails.cancelled(booking, now=now)
        emails.staff_notice(booking, what="cancelled", now=now)
    return booking


def _refuse_too_late(booking: Booking, now: dt.datetime, *, is_ours: bool) -> None:
    if is_ours and booking.is_waited_for(now):
        return
    if not booking.is_upcoming:
        raise NotUpcoming
    if booking.has_started(now):
        raise TooLate


def _cancel(booking: Booking, reason: str, *, is_late: bool, now: dt.datetime) -> None:
    booking.is_late_cancellation = is_late
    booking.state, booking.reply_by = BookingState.CANCELLED, None
    booking.cancelled_at = now
    booking.cancel_reason = reason[:300]
    booking.sequence += 1
    booking.save()
    claims.give_back(booking)
    close_tasks(booking, *BEFORE_THE_VISIT, TaskKind.UNCLOSED, now=now)


def _is_late(booking: Booking, now: dt.datetime) -> bool:
    """Nothing was promised while a clinician still looked, and an honest answer costs nothing."""
    is_late = booking.confirmed_at is not None and booking.is_late(now)
    return is_late and not safety.stands_since_arranged(booking, now)
