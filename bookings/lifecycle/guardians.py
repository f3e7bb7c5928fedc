"""A parent or guardian of a young patient is named, and agrees to the visit."""

import dataclasses
import datetime as dt

from django.db import transaction

from bookings import emails
from bookings.lifecycle.confirming import GuardianDetails
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import NotUpcoming
from bookings.lifecycle.tasks import close_tasks, leave_task
from bookings.models import Booking, Guardian, ShownItem, Task, TaskKind
from bookings.models.event import Actor
from bookings.models.states import CALLED_OFF, UNDER_WAY, UPCOMING

REFUSED = "Does not agree. Phone them before anything is done."


def name_guardian(booking: Booking, *, details: GuardianDetails, by: Who, now: dt.datetime) -> Guardian:
    """Write down who answers for this patient, and mail them their link if they have an address.

    Somebody who is named already stays; a second call changes nothing. Raises NotUpcoming.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.state in CALLED_OFF:
            raise NotUpcoming
        guardian, is_new = Guardian.objects.get_or_create(booking=booking, defaults=dataclasses.asdict(details))
        if is_new:
            booking.guardian = guardian
            record(booking, "guardian named", by=by, now=now)
            if details.email:
                emails.guardian_request(booking, now=now)
    return guardian


def agree(guardian: Guardian, *, by: Who, shown: tuple[tuple[str, str, int], ...] = (), now: dt.datetime) -> Guardian:
    """By the guardian's own link, or said to staff. ``shown`` is (moment, item code, version) of what they read.

    A second call changes nothing. Raises NotUpcoming.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(guardian.booking_id)
        if booking.state in CALLED_OFF:
            raise NotUpcoming
        staff = None if isinstance(by, Actor) else by
        still_open = Guardian.objects.filter(pk=guardian.pk, agreed_at=None)
        if still_open.update(agreed_at=now, agreed_with=staff):
            record(booking, "guardian agreed", by=by, now=now)
            ShownItem.objects.bulk_create(
                (
                    ShownItem(booking=booking, moment=moment, code=code, version=version, shown_at=now)
                    for moment, code, version in shown
                ),
                ignore_conflicts=True,
            )
            close_tasks(booking, TaskKind.GUARDIAN, now=now)
    guardian.refresh_from_db()
    return guardian


def refuse(guardian: Guardian, *, by: Who, now: dt.datetime) -> Task:
    """They do not agree, or no longer: nobody treats the patient, and a person phones. The visit itself stays.

    A second call changes nothing. Raises NotUpcoming for a visit that is over or off.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(guardian.booking_id)
        if booking.state not in UPCOMING | UNDER_WAY:
            raise NotUpcoming
        Guardian.objects.filter(pk=guardian.pk).update(agreed_at=None, agreed_with=None)
        if not has_refused(guardian):
            record(booking, "guardian does not agree", by=by, now=now)
        whom = {"name": guardian.name, "phone": guardian.phone}
        task = leave_task(booking, TaskKind.GUARDIAN, now=now, note=REFUSED, is_urgent=True, **whom)
    guardian.refresh_from_db()
    return task


def has_refused(guardian: Guardian) -> bool:
    """Whether they said no, and nobody has spoken with them since."""
    asked = Task.objects.open().filter(booking=guardian.booking_id, kind=TaskKind.GUARDIAN)
    return asked.filter(note__contains=REFUSED).exists()
