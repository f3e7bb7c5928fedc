"""A held time becomes a booked visit; its e-mail address may be put right afterwards."""

import dataclasses
import datetime as dt

from django.db import transaction

from bookings import emails
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import HoldGone, NotUpcoming, refuse_age
from bookings.models import Booking, BookingState, Consent, ConsentKind, OutgoingEmail, Patient, ShownItem
from bookings.models.event import Actor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Details:
    """What a patient said of themselves. ``shown`` is (moment, item code, version), ``phone`` is E.164."""

    name: str
    email: str
    phone: str
    date_of_birth: dt.date | None
    is_for_someone_else: bool = False
    wishes: str = ""
    consents: tuple[tuple[ConsentKind, str, str], ...] = ()
    shown: tuple[tuple[str, str, int], ...] = ()


def confirm(booking: Booking, *, details: Details, visitor: str, now: dt.datetime) -> Booking:
    """Book the held time for good and write the confirmation.

    Its owner keeps the time as long as nobody else took it, even past the hold's expiry. A second call answers the same
    booking. Raises HoldGone, and NotEligible for someone whose age on the day stands in the way.
    """
    held = _of(visitor, booking)
    if held is None:
        raise HoldGone
    if held.confirmed_at is not None:
        return held
    refuse_age(held, details.date_of_birth)
    letters = _letters(held, details, now)
    with transaction.atomic():
        if _take(held, details, visitor, now):
            return _written_down(held, details, letters, now)
        transaction.set_rollback(True)
    # Lost: gone, or a second click of ours was faster.
    booked = _of(visitor, booking)
    if booked is None or booked.confirmed_at is None:
        raise HoldGone
    return booked


def _take(held: Booking, details: Details, visitor: str, now: dt.datetime) -> bool:
    """Whether the hold is still this visitor's; then it is a booked visit from here on."""
    mine = Booking.objects.filter(pk=held.pk, state=BookingState.HELD, visitor=visitor, starts_at__gt=now)
    won = mine.update(
        state=BookingState.CONFIRMED,
        expires_at=None,
        patient=_patient(details, now),
        is_for_someone_else=details.is_for_someone_else,
        wishes=details.wishes,
        confirmed_at=now,
    )
    return bool(won)


def _letters(held: Booking, details: Details, now: dt.datetime) -> list[emails.Letter]:
    """Written before the lock is taken: a held time does not move, so they say what is about to be booked."""
    held.patient = Patient(name=details.name, email=details.email, phone=details.phone)
    return [emails.confirmation(held, now=now), emails.notice(held, what="booked")]


def correct_email(booking: Booking, *, email: str, by: Who, now: dt.datetime) -> Booking:
    """Put the address right, revoke the links that went to the old one, and mail the confirmation again.

    The same for every other upcoming visit that shares the address. The same address again changes nothing.
    Raises NotUpcoming.
    """
    with transaction.atomic():
        booking = _upcoming(booking)
        assert booking.patient, "only a booked visit has an address to correct"
        if email == booking.patient.email:
            return booking
        patient = _with_address(booking.patient, email, by)
        for visit in _visits_to_tell(booking, patient):
            visit.patient = patient
            visit.link_version += 1
            visit.save(update_fields=["patient", "link_version"])
            record(visit, "address corrected", by=by, now=now)
            emails.confirmed(visit, now=now)
    return Booking.objects.with_everything().get(pk=booking.pk)


def resend(booking: Booking, *, by: Who, now: dt.datetime) -> OutgoingEmail:
    """Mail the same confirmation once more. Raises NotUpcoming."""
    with transaction.atomic():
        booking = _upcoming(booking)
        record(booking, "confirmation sent again", by=by, now=now)
        return emails.confirmed(booking, now=now)


def _upcoming(booking: Booking) -> Booking:
    """The row as it stands now, locked; a visit that is over or cancelled has nothing left to confirm."""
    found = Booking.objects.locked(booking.pk)
    if not found.is_upcoming:
        raise NotUpcoming
    return found


def _visits_to_tell(booking: Booking, patient: Patient) -> list[Booking]:
    """This visit, and this person's others that are still to come, locked in id order."""
    others = Booking.objects.upcoming().filter(patient=patient).exclude(pk=booking.pk).values_list("pk", flat=True)
    return [Booking.objects.locked(pk) for pk in sorted([booking.pk, *others])]


def _of(visitor: str, booking: Booking) -> Booking | None:
    """The row as it stands now, if it is this visitor's."""
    return Booking.objects.with_everything().of_visitor(visitor).filter(pk=booking.pk).first()


def _patient(details: Details, now: dt.datetime) -> Patient:
    """Known only if every word is the same; an address alone says nothing about who someone is."""
    same = {
        "name": details.name,
        "email": details.email,
        "phone": details.phone,
        "date_of_birth": details.date_of_birth,
    }
    return Patient.objects.filter(**same).first() or Patient.objects.create(**same, created_at=now)


def _written_down(held: Booking, details: Details, letters: list[emails.Letter], now: dt.datetime) -> Booking:
    booking = Booking.objects.with_everything().get(pk=held.pk)
    Consent.objects.bulk_create(
        Consent(booking=booking, kind=kind, version=version, words=words, given_at=now)
        for kind, version, words in details.consents
    )
    ShownItem.objects.bulk_create(
        ShownItem(booking=booking, moment=moment, code=code, version=version, shown_at=now)
        for moment, code, version in details.shown
    )
    record(booking, "booked", by=Actor.PATIENT, now=now)
    for letter in letters:
        emails.post(letter, booking, now=now)
    return booking


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
