"""An address, or a guardian, is put right after the booking, and what was written is written again."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction

from bookings import emails
from bookings.lifecycle.attending import MISSED
from bookings.lifecycle.confirming import GuardianDetails, audit_patient
from bookings.lifecycle.guardians import ask_anew, undelivered
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.missing import is_by_phone
from bookings.lifecycle.refusals import ChangedSince, NotUpcoming
from bookings.lifecycle.telling import tell_what_stands
from bookings.models import Booking, Guardian, MailState, OutgoingEmail, Patient, Task, TaskKind
from bookings.models.booking import BookingQuerySet
from bookings.models.event import Actor
from bookings.models.mail import COURSE

# What says whether the visit stands.
TOLD = ("confirmed", "pending")


def correct_email(booking: Booking, *, email: str, by: Who, now: dt.datetime) -> Booking:
    """Put the address right, revoke the links that went to the old one, and mail the confirmation again.

    The same for every other visit that shares the address; only what is to come is confirmed again. The same address
    again changes nothing. Where the guardian gets the mail, staff correct theirs, for this visit. Raises NotUpcoming,
    but not for staff, who learn of a wrong address after a visit too.
    """
    with transaction.atomic():
        found = Booking.objects.filter(pk=booking.pk)
        visits = locked_visits(found | Booking.objects.filter(patient=booking.patient_id))
        [booking] = [each for each in visits if each.pk == booking.pk]
        if isinstance(by, Actor) and not booking.is_upcoming:
            raise NotUpcoming
        if booking.is_read_by_guardian and not isinstance(by, Actor):
            _put_right(booking, _changes(booking.guardian, {"email": email}), by=by, now=now)
        else:
            _correct_patient(booking, visits, email, by=by, now=now)
    return Booking.objects.with_everything().get(pk=booking.pk)


def _correct_patient(booking: Booking, visits: list[Booking], email: str, *, by: Who, now: dt.datetime) -> None:
    assert booking.patient, "only a booked visit has an address to correct"
    if email == booking.patient.email:
        return
    told = [each for each in visits if each.patient_id == booking.patient_id]
    was = booking.patient.email
    patient = _with_address(booking.patient, email, by)
    audit_patient(patient, {"email": [was, email]}, by=by, now=now)
    tell_again_at(told if patient.pk == booking.patient_id else [booking], patient, by=by, now=now)


def correct_guardian(
    booking: Booking, *, details: GuardianDetails, seen: str | None = None, by: Who, now: dt.datetime
) -> Guardian:
    """Put right who answers for this patient, or who gets the visit's mail. The same again changes nothing.

    With another name or address it is somebody else as far as we know: the link that was mailed dies, a new one is
    mailed, and they agree themselves. ``seen`` is the ``mark`` of the guardian that somebody looked at. Raises
    NotUpcoming for a visit that is called off, and ChangedSince where they were put right since.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking.pk)
        if booking.is_called_off:
            raise NotUpcoming
        changes = _changes(booking.guardian, dataclasses.asdict(details))
        if changes and seen not in (None, booking.guardian.mark):
            raise ChangedSince
        _put_right(booking, changes, by=by, now=now)
    return booking.guardian


def _changes(guardian: Guardian, said: dict[str, Any]) -> dict[str, Any]:
    """By field what was and what is said, where it is not the same."""
    return {field: [was, value] for field, value in said.items() if (was := getattr(guardian, field)) != value}


def _put_right(booking: Booking, changes: dict[str, Any], *, by: Who, now: dt.datetime) -> None:
    """The guardian of this locked visit; without ``changes`` nothing is done."""
    if not changes:
        return
    guardian, reader, was_read = booking.guardian, booking.reader, booking.is_read_by_guardian
    for field, (_, value) in changes.items():
        setattr(guardian, field, value)
    guardian.save(update_fields=[*changes])
    record(booking, "guardian corrected", by=by, now=now, fields=[*changes])
    audit_patient(guardian, changes, by=by, now=now)
    if who := changes.keys() & {"name", "email"}:
        ask_anew(booking, is_read_elsewhere="email" in who, now=now)
    if booking.reader != reader:
        _tell_other_reader(booking, is_revoked=was_read and "email" in changes, now=now)


def _tell_other_reader(booking: Booking, *, is_revoked: bool, now: dt.datetime) -> None:
    """Somebody else gets the mail of this locked visit now; ``is_revoked`` where the wrong one had its links."""
    if is_revoked:
        booking.link_version += 1
        booking.save(update_fields=["link_version"])
    _tell_anew(booking, now)


def tell_again_at(visits: list[Booking], patient: Patient, *, by: Who, now: dt.datetime) -> None:
    """The patient's address is another one: revoke the links of these locked visits, and mail what is still to say.

    The links of visits that are over too: whoever has one is taken for somebody the clinic knows.
    """
    for visit in visits:
        visit.patient = patient
        visit.link_version += 1
        visit.save(update_fields=["patient", "link_version"])
        record(visit, "address corrected", by=by, now=now)
        _tell_anew(visit, now)


def locked_visits(visits: BookingQuerySet) -> list[Booking]:
    """As they stand once their locks are ours, with everything; taken in id order, as by whoever locks several."""
    keys = list(visits.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    return list(Booking.objects.with_everything().filter(pk__in=keys).order_by("pk"))


def resend(booking: Booking, *, seen: int | None = None, by: Who, now: dt.datetime) -> OutgoingEmail | None:
    """Mail the same confirmation once more.

    ``seen`` is the ``last_told`` that somebody looked at: where a newer one was written since, this is a second press,
    and changes nothing. Raises NotUpcoming.
    """
    with transaction.atomic():
        booking = _upcoming(booking)
        if seen not in (None, last_told(booking)):
            return None
        record(booking, "confirmation sent again", by=by, now=now)
        return tell_what_stands(booking, now)


def last_told(booking: Booking) -> int:
    """The id of the newest message that says whether the visit stands; 0 where there is none."""
    told = OutgoingEmail.objects.filter(booking=booking, kind__in=TOLD)
    return told.order_by("-pk").values_list("pk", flat=True).first() or 0


def _tell_anew(booking: Booking, now: dt.datetime) -> None:
    """Its reader has another address: say what stands, or what is still to be said."""
    if booking.is_upcoming:
        to_phone = Task.objects.open().filter(booking=booking, kind=TaskKind.PHONE_PATIENT)
        # The guardian's own link has not arrived by that.
        to_phone.exclude(pk__in=undelivered(booking)).update(done_at=now)
        tell_what_stands(booking, now)
    else:
        _write_anew(booking, now)


def _write_anew(booking: Booking, now: dt.datetime) -> None:
    """What waits to go out after the visit holds a link that is good no more.

    The course is found again as long as it is due, and then written with the new link to the new address.
    """
    waiting = OutgoingEmail.objects.in_state(MailState.QUEUED).filter(booking=booking)
    waiting.filter(kind__in=COURSE).delete()
    if invitation := waiting.filter(kind=MISSED).first():
        invitation.delete()
        _invite_anew(booking, invitation, now)


def _invite_anew(booking: Booking, earlier: OutgoingEmail, now: dt.datetime) -> None:
    """After a no-show, for the same moment; nobody without an address is phoned for it."""
    if booking.patient is None or not booking.reader[1]:
        return
    by_phone = is_by_phone(booking.location.clinic, booking.patient, now)
    letter = emails.missed(booking, is_by_phone=by_phone, now=now)
    due_at, not_after = earlier.due_at, earlier.not_after
    emails.post(letter, booking, sequence=earlier.sequence, due_at=due_at, not_after=not_after, now=now)


def _upcoming(booking: Booking) -> Booking:
    """The row as it stands now, locked; a visit that is over or cancelled has nothing left to confirm."""
    found = Booking.objects.locked(booking.pk)
    if not found.is_upcoming:
        raise NotUpcoming
    return found


def _with_address(patient: Patient, email: str, by: Who) -> Patient:
    """Staff correct the person. Online, a person with other visits becomes two: a browser may touch its visit only."""
    if isinstance(by, Actor) and patient.bookings.count() > 1:
        patient.pk = None
        patient._state.adding = True
        patient.email = email
        patient.save()
    else:
        patient.email = email
        patient.save(update_fields=["email"])
    return patient
