"""An e-mail address is put right after the booking, and what was written is written again."""

import datetime as dt

from django.db import transaction

from bookings import emails
from bookings.lifecycle.attending import MISSED
from bookings.lifecycle.confirming import audit_patient
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.missing import is_by_phone
from bookings.lifecycle.refusals import NotUpcoming
from bookings.models import Booking, BookingState, MailState, OutgoingEmail, Patient
from bookings.models.booking import BookingQuerySet
from bookings.models.event import Actor
from bookings.models.mail import COURSE

# What says whether the visit stands.
TOLD = ("confirmed", "pending")


def correct_email(booking: Booking, *, email: str, by: Who, now: dt.datetime) -> Booking:
    """Put the address right, revoke the links that went to the old one, and mail the confirmation again.

    The same for every other visit that shares the address; only what is to come is confirmed again. The same address
    again changes nothing. Raises NotUpcoming, but not for staff, who learn of a wrong address after a visit too.
    """
    with transaction.atomic():
        found = Booking.objects.filter(pk=booking.pk)
        visits = locked_visits(found | Booking.objects.filter(patient=booking.patient_id))
        [booking] = [each for each in visits if each.pk == booking.pk]
        if isinstance(by, Actor) and not booking.is_upcoming:
            raise NotUpcoming
        assert booking.patient, "only a booked visit has an address to correct"
        if email == booking.patient.email:
            return booking
        told = [each for each in visits if each.patient_id == booking.patient_id]
        was = booking.patient.email
        patient = _with_address(booking.patient, email, by)
        audit_patient(patient, {"email": [was, email]}, by=by, now=now)
        tell_again_at(told if patient.pk == booking.patient_id else [booking], patient, by=by, now=now)
    return Booking.objects.with_everything().get(pk=booking.pk)


def tell_again_at(visits: list[Booking], patient: Patient, *, by: Who, now: dt.datetime) -> None:
    """The patient's address is another one: revoke the links of these locked visits, and mail what is still to say.

    The links of visits that are over too: whoever has one is taken for somebody the clinic knows.
    """
    for visit in visits:
        visit.patient = patient
        visit.link_version += 1
        visit.save(update_fields=["patient", "link_version"])
        record(visit, "address corrected", by=by, now=now)
        if visit.is_upcoming:
            _tell_again(visit, now)
        else:
            _write_anew(visit, now)


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
        return _tell_again(booking, now)


def last_told(booking: Booking) -> int:
    """The id of the newest message that says whether the visit stands; 0 where there is none."""
    told = OutgoingEmail.objects.filter(booking=booking, kind__in=TOLD)
    return told.order_by("-pk").values_list("pk", flat=True).first() or 0


def _tell_again(booking: Booking, now: dt.datetime) -> OutgoingEmail:
    """What stands: that the visit is booked, or that a clinician is looking."""
    if booking.state == BookingState.PENDING:
        return emails.pending(booking, now=now)
    return emails.confirmed(booking, now=now)


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
