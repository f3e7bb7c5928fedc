"""A parent or guardian of a young patient is named, and agrees to the visit."""

import dataclasses
import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet

from bookings import emails, outbox
from bookings.ages import needs_guardian
from bookings.lifecycle.confirming import GuardianDetails
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import ChangedSince, NotUpcoming
from bookings.lifecycle.tasks import close_tasks, leave_task
from bookings.lifecycle.telling import tell_what_stands
from bookings.models import Booking, Guardian, ShownItem, Task, TaskKind
from bookings.models.event import Actor
from bookings.models.states import CALLED_OFF, UNDER_WAY, UPCOMING

REFUSED = "Does not agree. Phone them before anything is done."
NOBODY = "Under 18 on the day, and nobody is named. Ask who answers for them."
# So long before the visit somebody phones whoever has not agreed, and has reached them so long before it.
PHONED_FROM = dt.timedelta(hours=48)
CALLED_BEFORE = dt.timedelta(hours=2)


def lacks_guardian(booking: Booking, *, on: dt.date | None = None) -> bool:
    """Whether the patient is a minor on the day of the visit, or ``on`` another, and nobody answers for them."""
    born = booking.patient.date_of_birth if booking.patient else None
    return getattr(booking, "guardian", None) is None and needs_guardian(born, on or booking.local_date)


def ask_for_guardian(booking: Booking, *, now: dt.datetime) -> Task:
    """Somebody phones: to hear who answers for the patient, or whether who is named agrees. In time for the visit."""
    note = NOBODY if lacks_guardian(booking) else ""
    due_at = booking.seen_to_by(now, before=CALLED_BEFORE)
    return leave_task(booking, TaskKind.GUARDIAN, now=now, note=note, due_at=due_at)


def keep_guarded(booking: Booking, *, now: dt.datetime) -> None:
    """After a change of day: a minor needs somebody to answer for them, and of a grown-up nobody is asked."""
    if lacks_guardian(booking):
        ask_for_guardian(booking, now=now)
    elif getattr(booking, "guardian", None) is None:
        close_tasks(booking, TaskKind.GUARDIAN, now=now)


def name_guardian(booking: Booking, *, details: GuardianDetails, by: Who, now: dt.datetime) -> Guardian:
    """Write down who answers for this patient, and mail them their link if they have an address.

    A second call changes nothing. Raises NotUpcoming, and ChangedSince where somebody else is named already.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.state in CALLED_OFF:
            raise NotUpcoming
        guardian, is_new = Guardian.objects.get_or_create(booking=booking, defaults=dataclasses.asdict(details))
        if is_new:
            booking.guardian = guardian
            record(booking, "guardian named", by=by, now=now)
            _await_yes(booking, now)
            if details.email:
                emails.guardian_request(booking, now=now)
            if details.gets_mail and booking.is_upcoming:
                tell_what_stands(booking, now)
        elif any(getattr(guardian, field) != value for field, value in dataclasses.asdict(details).items()):
            raise ChangedSince
    return guardian


def ask_anew(booking: Booking, *, is_read_elsewhere: bool, now: dt.datetime) -> None:
    """Another name or address: the link that was mailed is good no more, nor is the yes that was said by it.

    A no from the same mailbox stands until somebody phoned, and after the visit a yes does. ``booking`` is locked.
    """
    guardian, is_open = booking.guardian, booking.state in UPCOMING | UNDER_WAY
    guardian.link_version += 1
    if is_open:
        guardian.agreed_at = guardian.agreed_with = None
    guardian.save(update_fields=["link_version", "agreed_at", "agreed_with"])
    undelivered(booking).update(done_at=now)
    if is_read_elsewhere or not has_refused(guardian):
        _await_yes(booking, now)
    if guardian.email and is_open:
        emails.guardian_request(booking, now=now)


def undelivered(booking: Booking) -> QuerySet[Task]:
    """Where somebody is to phone because a letter to the guardian did not arrive."""
    about = Q(pk=None)
    for subject in booking.emails.filter(kind=outbox.GUARDIAN).values_list("subject", flat=True):
        about |= Q(note__startswith=f"{subject}\n")
    return Task.objects.open().filter(about, booking=booking, kind=TaskKind.PHONE_PATIENT)


def _await_yes(booking: Booking, now: dt.datetime) -> None:
    """From whoever is named now: what was to be asked of anybody else is settled. Near the visit somebody phones."""
    close_tasks(booking, TaskKind.GUARDIAN, now=now)
    if booking.state in UPCOMING | UNDER_WAY and booking.starts_at <= now + PHONED_FROM:
        ask_for_guardian(booking, now=now)


def agree(
    guardian: Guardian,
    *,
    seen: int | None = None,
    by: Who,
    shown: tuple[tuple[str, str, int], ...] = (),
    now: dt.datetime,
) -> Guardian:
    """By the guardian's own link, or said to staff. ``shown`` is (moment, item code, version) of what they read.

    ``seen`` is the ``link_version`` of the guardian that a page showed. A second call changes nothing. Raises
    NotUpcoming, and ChangedSince where somebody else answers by now.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(guardian.booking_id)
        if booking.state in CALLED_OFF:
            raise NotUpcoming
        _refuse_another(guardian, guardian.link_version if seen is None else seen)
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

    A second call changes nothing. Raises NotUpcoming for a visit that is over or off, and ChangedSince where somebody
    else answers by now.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(guardian.booking_id)
        if booking.state not in UPCOMING | UNDER_WAY:
            raise NotUpcoming
        _refuse_another(guardian, guardian.link_version)
        Guardian.objects.filter(pk=guardian.pk).update(agreed_at=None, agreed_with=None)
        if not has_refused(guardian):
            record(booking, "guardian does not agree", by=by, now=now)
        whom = {"name": guardian.name, "phone": guardian.phone}
        task = leave_task(booking, TaskKind.GUARDIAN, now=now, note=REFUSED, is_urgent=True, **whom)
    guardian.refresh_from_db()
    return task


def _refuse_another(guardian: Guardian, link_version: int) -> None:
    """Whoever was put right since is another person: neither a yes nor a no is theirs."""
    if not Guardian.objects.filter(pk=guardian.pk, link_version=link_version).exists():
        raise ChangedSince


def has_refused(guardian: Guardian) -> bool:
    """Whether they said no, and nobody has spoken with them since."""
    asked = Task.objects.open().filter(booking=guardian.booking_id, kind=TaskKind.GUARDIAN)
    return asked.filter(note__contains=REFUSED).exists()
