"""A held time becomes a booked visit, or waits for a clinician; its e-mail address may be put right afterwards."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction

from bookings import claims, eligibility, emails
from bookings.eligibility import Outlook
from bookings.lifecycle import matching, safety
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import GuardianNeeded, HoldGone, NeedsHelp, NotUpcoming, refuse_age
from bookings.models import (
    Booking,
    BookingState,
    Consent,
    ConsentKind,
    Guardian,
    OutgoingEmail,
    Patient,
    ScreeningRun,
    ShownItem,
)
from bookings.models.event import Actor
from clinic import screening
from clinic.screening import Outcome, Rulebook


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuardianDetails:
    """Who answers for a young patient. ``phone`` is E.164; with ``gets_mail`` the visit's mail goes to them."""

    name: str
    relation: str
    phone: str
    email: str
    gets_mail: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Details:
    """What a patient said of themselves. ``shown`` is (moment, item code, version), ``phone`` is E.164."""

    name: str
    email: str
    phone: str
    date_of_birth: dt.date | None
    is_for_someone_else: bool = False
    wishes: str = ""
    event_on: dt.date | None = None
    guardian: GuardianDetails | None = None
    consents: tuple[tuple[ConsentKind, str, str], ...] = ()
    shown: tuple[tuple[str, str, int], ...] = ()


@dataclasses.dataclass(frozen=True)
class Assessed:
    """What a round of answers means for the held time."""

    run: ScreeningRun | None
    outlook: Outlook
    outcome: Outcome


def confirm(
    booking: Booking,
    *,
    details: Details,
    visitor: str,
    run: ScreeningRun | None = None,
    known: Patient | None = None,
    book: Rulebook | None = None,
    through: str = "",
    now: dt.datetime,
) -> Booking:
    """Book the held time for good, or keep it pending until a clinician has looked; write the mail that says so.

    ``run`` holds the answers, and is the booking's from then on; without one the screening is outstanding. ``known``
    is the patient where a signed link says who they are, ``book`` spares reading the rules again, ``through`` names the
    program that asks for them. The hold's owner keeps the time as long as nobody else took it, even past its expiry. A
    second call answers the same booking. Raises HoldGone; NotEligible for an age that stands in the way;
    GuardianNeeded; and an Unsafe, after which the time is given back.
    """
    held = _of(visitor, booking)
    if held is None:
        raise HoldGone
    if held.booked_at is not None:
        return held
    refuse_age(held, details.date_of_birth)
    is_minor = eligibility.needs_guardian(details.date_of_birth, held.local_date)
    if is_minor and details.guardian is None:
        raise GuardianNeeded
    assessed = _assessed(held, details.date_of_birth, run, known, book, now) if run or is_minor else None
    if assessed:
        _refuse_unsafe(held, assessed, now)
    return _confirmed(held, details, visitor, assessed, through, now)


def check(
    booking: Booking,
    *,
    born: dt.date | None,
    visitor: str,
    run: ScreeningRun | None,
    known: Patient | None = None,
    book: Rulebook | None = None,
    now: dt.datetime,
) -> Outlook:
    """What the answers mean for the held time, before anything is booked.

    Raises HoldGone; NotEligible for an age that stands in the way; and an Unsafe, after which the time is given back.
    """
    held = _of(visitor, booking)
    if held is None or held.state != BookingState.HELD:
        raise HoldGone
    refuse_age(held, born)
    assessed = _assessed(held, born, run, known, book, now)
    _refuse_unsafe(held, assessed, now)
    return assessed.outlook


def _confirmed(
    held: Booking, details: Details, visitor: str, assessed: Assessed | None, through: str, now: dt.datetime
) -> Booking:
    result = _result(held, assessed, now)
    letters = _letters(held, details, result, now)
    with transaction.atomic():
        if _take(held, details, result, visitor, now):
            booking = _written_down(held, details, assessed, letters, now)
            _record_who(booking, through, now)
            return booking
        transaction.set_rollback(True)
    # Lost: gone, or a second click of ours was faster.
    booked = _of(visitor, held)
    if booked is None or booked.booked_at is None:
        raise HoldGone
    return booked


def _assessed(
    held: Booking,
    born: dt.date | None,
    run: ScreeningRun | None,
    known: Patient | None,
    book: Rulebook | None,
    now: dt.datetime,
) -> Assessed:
    outlook = eligibility.outlook(
        service=held.service,
        location=held.location,
        clinic=held.location.clinic,
        said=eligibility.said_of(run, born=born, patient=known),
        book=book,
        now=now,
    )
    return Assessed(run, outlook, outlook.outcome(held.practitioner.code, held.local_date))


def _refuse_unsafe(held: Booking, assessed: Assessed, now: dt.datetime) -> None:
    """Give the time back before saying no. After a warning sign nothing of the answers is kept."""
    stands = safety.problem(assessed.outlook, held.practitioner.code, held.starts_at)
    if stands is None:
        return
    with transaction.atomic():
        claims.delete_holds(Booking.objects.filter(pk=held.pk))
        if isinstance(stands, NeedsHelp) and assessed.run:
            assessed.run.delete()
    raise stands


def _result(held: Booking, assessed: Assessed | None, now: dt.datetime) -> dict[str, Any]:
    """The columns that say what the booking becomes."""
    arranged = {"expires_at": None, "booked_at": now, "arranged_at": now}
    if assessed and assessed.outcome.needs_review:
        return arranged | {"state": BookingState.PENDING, "reply_by": assessed.outlook.reply_by}
    return arranged | {"state": BookingState.CONFIRMED, "confirmed_at": now}


def _take(held: Booking, details: Details, result: dict[str, Any], visitor: str, now: dt.datetime) -> bool:
    """Whether the hold is still this visitor's; then it is a booked visit from here on."""
    mine = Booking.objects.filter(pk=held.pk, state=BookingState.HELD, visitor=visitor, starts_at__gt=now)
    won = mine.update(
        patient=_patient(details, now),
        is_for_someone_else=details.is_for_someone_else,
        wishes=details.wishes,
        event_on=details.event_on,
        **result,
    )
    return bool(won)


def _letters(held: Booking, details: Details, result: dict[str, Any], now: dt.datetime) -> list[emails.Letter]:
    """Written before the lock is taken: a held time does not move, so they say what is about to be booked."""
    held.patient = Patient(name=details.name, email=details.email, phone=details.phone)
    held.reply_by = result.get("reply_by")
    letters = [emails.notice(held, what="asked for" if held.reply_by else "booked")]
    if details.guardian:
        held.guardian = Guardian(booking=held, **dataclasses.asdict(details.guardian))
    return [emails.in_review(held, now=now) if held.reply_by else emails.confirmation(held, now=now), *letters]


def correct_email(booking: Booking, *, email: str, by: Who, now: dt.datetime) -> Booking:
    """Put the address right, revoke the links that went to the old one, and mail the confirmation again.

    The same for every other upcoming visit that shares the address. The same address again changes nothing.
    Raises NotUpcoming.
    """
    with transaction.atomic():
        others = Booking.objects.upcoming().filter(patient=booking.patient_id).values_list("pk", flat=True)
        # All in id order before any is looked at: whoever suspends this patient's visits does the same.
        locked = [Booking.objects.locked(pk) for pk in sorted({booking.pk, *others})]
        [booking] = [each for each in locked if each.pk == booking.pk]
        if not booking.is_upcoming:
            raise NotUpcoming
        assert booking.patient, "only a booked visit has an address to correct"
        if email == booking.patient.email:
            return booking
        told = [each for each in locked if each.is_upcoming and each.patient_id == booking.patient_id]
        patient = _with_address(booking.patient, email, by)
        for visit in told if patient.pk == booking.patient_id else [booking]:
            visit.patient = patient
            visit.link_version += 1
            visit.save(update_fields=["patient", "link_version"])
            record(visit, "address corrected", by=by, now=now)
            _tell_again(visit, now)
    return Booking.objects.with_everything().get(pk=booking.pk)


def resend(booking: Booking, *, by: Who, now: dt.datetime) -> OutgoingEmail:
    """Mail the same confirmation once more. Raises NotUpcoming."""
    with transaction.atomic():
        booking = _upcoming(booking)
        record(booking, "confirmation sent again", by=by, now=now)
        return _tell_again(booking, now)


def _tell_again(booking: Booking, now: dt.datetime) -> OutgoingEmail:
    """What stands: that the visit is booked, or that a clinician is looking."""
    if booking.state == BookingState.PENDING:
        return emails.pending(booking, now=now)
    return emails.confirmed(booking, now=now)


def _upcoming(booking: Booking) -> Booking:
    """The row as it stands now, locked; a visit that is over or cancelled has nothing left to confirm."""
    found = Booking.objects.locked(booking.pk)
    if not found.is_upcoming:
        raise NotUpcoming
    return found


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


def _written_down(
    held: Booking, details: Details, assessed: Assessed | None, letters: list[emails.Letter], now: dt.datetime
) -> Booking:
    booking = Booking.objects.with_everything().get(pk=held.pk)
    Consent.objects.bulk_create(
        Consent(booking=booking, kind=kind, version=version, words=words, given_at=now)
        for kind, version, words in details.consents
    )
    ShownItem.objects.bulk_create(
        ShownItem(booking=booking, moment=moment, code=code, version=version, shown_at=now)
        for moment, code, version in details.shown
    )
    if assessed and assessed.run:
        _take_over(assessed.run, assessed, booking)
        matching.look_for_earlier_visits(booking, assessed.run, now)
    for letter in letters:
        emails.post(letter, booking, now=now)
    if details.guardian:
        _name_guardian(booking, details.guardian, now)
    return booking


def _record_who(booking: Booking, through: str, now: dt.datetime) -> None:
    verb = "asked for" if booking.reply_by else "booked"
    if through:
        record(booking, verb, by=Actor.PROGRAM, now=now, program=through)
    else:
        record(booking, verb, by=Actor.PATIENT, now=now)


def _take_over(run: ScreeningRun, assessed: Assessed, booking: Booking) -> None:
    """The answers belong to the booking from here on, with what they meant for it."""
    codes = booking.service.codes
    keep(run, booking, assessed.outcome)
    # The words of the questions as they stood when they were answered.
    run.versions = {**assessed.outlook.book.versions(codes), **run.versions}
    run.save()
    if not screening.unanswered(assessed.outlook.book, eligibility.answers_of(run), codes):
        booking.is_screening_outstanding = False
        booking.save(update_fields=["is_screening_outstanding"])


def keep(run: ScreeningRun, booking: Booking, outcome: Outcome) -> None:
    """Tie a round of answers to its booking; they go some time after the visit."""
    run.booking, run.expires_at = booking, None
    run.delete_on = _delete_on(booking)
    run.verdict, run.not_before = outcome.verdict, outcome.not_before
    run.findings = [each.as_json() for each in outcome.findings]


def keep_up(booking: Booking, outlook: Outlook) -> None:
    """After a change of day, person or service: what the answers mean for it now, and until when they are kept."""
    booking.screenings.update(delete_on=_delete_on(booking))
    newest = booking.screenings.last()
    if newest is not None and newest.deleted_at is None:
        keep(newest, booking, outlook.undecided().outcome(booking.practitioner.code, booking.local_date))
        newest.save(update_fields=["verdict", "not_before", "findings"])


def _delete_on(booking: Booking) -> dt.date:
    return booking.local_date + dt.timedelta(days=booking.location.clinic.answers_kept_days)


def _name_guardian(booking: Booking, details: GuardianDetails, now: dt.datetime) -> None:
    booking.guardian = Guardian.objects.create(booking=booking, **dataclasses.asdict(details))
    emails.guardian_request(booking, now=now)


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
