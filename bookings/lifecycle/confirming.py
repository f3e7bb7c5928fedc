"""A held time becomes a booked visit, or waits for a clinician."""

import dataclasses
import datetime as dt
from typing import Any

from django.db import transaction

from bookings import eligibility, emails
from bookings.ages import needs_guardian
from bookings.eligibility import Outlook
from bookings.lifecycle import assessing, matching, missing
from bookings.lifecycle.assessing import Asking, Assessed
from bookings.lifecycle.history import Who, record
from bookings.lifecycle.refusals import GuardianNeeded, HoldGone, refuse_age
from bookings.models import (
    Booking,
    BookingState,
    Consent,
    ConsentKind,
    Guardian,
    Patient,
    ScreeningRun,
    ShownItem,
)
from bookings.models.event import BENT, Actor
from clinic import audit, screening
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
    """What a patient said of themselves. ``shown`` is (moment, item code, version), ``phone`` is E.164.

    ``is_somebody_else``: staff say that it is nobody known, even if every word is the same. Of others it counts for
    nothing.
    """

    name: str
    email: str
    phone: str
    date_of_birth: dt.date | None
    is_for_someone_else: bool = False
    is_somebody_else: bool = False
    wishes: str = ""
    event_on: dt.date | None = None
    guardian: GuardianDetails | None = None
    consents: tuple[tuple[ConsentKind, str, str], ...] = ()
    shown: tuple[tuple[str, str, int], ...] = ()


@dataclasses.dataclass(frozen=True)
class Program:
    """What books for a patient, by the name that the clinic gave its key."""

    name: str


def confirm(
    booking: Booking,
    *,
    details: Details,
    visitor: str,
    run: ScreeningRun | None = None,
    known: Patient | None = None,
    book: Rulebook | None = None,
    by: Who | Program = Actor.PATIENT,
    override: str = "",
    now: dt.datetime,
) -> Booking:
    """Book the held time for good, or keep it pending until a clinician has looked; write the mail that says so.

    ``run`` holds the answers, and is the booking's from then on; without one the screening is outstanding. ``known``
    is the patient where a signed link, or staff, say who they are, ``book`` spares reading the rules again.
    ``override`` is why staff (``by``) bend what stands in the way. The hold's owner keeps the time as long as nobody
    else took it, even past its expiry. A second call answers the same booking.
    Raises HoldGone; NotEligible for an age that stands in the way; PhoneOnly; GuardianNeeded; NotAllowed; and an
    Unsafe, after which the time is given back: at the desk only after a warning sign.
    """
    who, through = (Actor.PROGRAM, by.name) if isinstance(by, Program) else (by, "")
    asking = Asking(visitor=visitor, by=who, known=known, override=override, through=through)
    held = _of(visitor, booking)
    if held is None:
        raise HoldGone
    if held.booked_at is not None:
        return held
    refuse_age(held, details.date_of_birth, by_phone=asking.is_staff)
    if not asking.is_staff:
        missing.refuse_online(held.location.clinic, known, now)
    is_minor = needs_guardian(details.date_of_birth, held.local_date)
    if is_minor and details.guardian is None:
        raise GuardianNeeded
    assessed = assessing.assess(held, details.date_of_birth, run, known, book, now) if run or is_minor else None
    if assessed:
        assessed = assessing.allowed(held, assessed, asking)
    return _confirmed(held, details, assessed, asking, now)


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

    Raises HoldGone; NotEligible for an age that stands in the way; PhoneOnly; and an Unsafe, after which the time is
    given back.
    """
    held = _of(visitor, booking)
    if held is None or held.state != BookingState.HELD:
        raise HoldGone
    refuse_age(held, born)
    missing.refuse_online(held.location.clinic, known, now)
    assessed = assessing.assess(held, born, run, known, book, now)
    assessing.refuse_unsafe(held, assessed)
    return assessed.outlook


def _confirmed(held: Booking, details: Details, assessed: Assessed | None, asking: Asking, now: dt.datetime) -> Booking:
    result = assessing.result(assessed, now)
    letters = _letters(held, details, result, now)
    with transaction.atomic():
        if _take(held, details, result, asking, now):
            booking = _written_down(held, details, assessed, letters, now)
            _record_who(booking, assessed, asking, now)
            if asking.is_staff:
                _ask_the_rest(booking, now)
            else:
                missing.tell_desk(booking, now)
            return booking
        transaction.set_rollback(True)
    # Lost: gone, or a second click of ours was faster.
    booked = _of(asking.visitor, held)
    if booked is None or booked.booked_at is None:
        raise HoldGone
    return booked


def _take(held: Booking, details: Details, result: dict[str, Any], asking: Asking, now: dt.datetime) -> bool:
    """Whether the hold is still this visitor's; then it is a booked visit from here on.

    Who walks in is asked and written down while the visit may have begun.
    """
    mine = Booking.objects.filter(pk=held.pk, state=BookingState.HELD, visitor=asking.visitor)
    still_open = mine.filter(ends_at__gt=now) if asking.is_staff else mine.filter(starts_at__gt=now)
    won = still_open.update(
        patient=_whose(details, asking, now),
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


def audit_patient(patient: Patient | Guardian, changes: dict[str, Any], *, by: Who, now: dt.datetime) -> None:
    """``changes`` are pairs of what was and what is. Patients who act online have no name of their own at the desk."""
    if isinstance(by, Actor):
        audit.record("changed", patient, by=None, now=now, **changes, actor=by.value)
    else:
        audit.record("changed", patient, by=by, now=now, **changes)


def _of(visitor: str, booking: Booking) -> Booking | None:
    """The row as it stands now, if it is this visitor's."""
    return Booking.objects.with_everything().of_visitor(visitor).filter(pk=booking.pk).first()


def _whose(details: Details, asking: Asking, now: dt.datetime) -> Patient:
    """Whom staff picked is believed, and learns nothing but a date of birth that was missing."""
    if asking.known is None or not asking.is_staff:
        return _patient(details, now, is_new=asking.is_staff and details.is_somebody_else)
    patient = standing_for(asking.known)
    if details.date_of_birth and patient.date_of_birth is None:
        patient.date_of_birth = details.date_of_birth
        patient.save(update_fields=["date_of_birth"])
        born = details.date_of_birth.isoformat()
        audit_patient(patient, {"date_of_birth": [None, born]}, by=asking.by, now=now)
    return patient


def _patient(details: Details, now: dt.datetime, *, is_new: bool) -> Patient:
    """Known only if every word is the same; an address alone says nothing about who someone is.

    Who gives the details of somebody that was merged is the person they were merged into; ``is_new`` is never known.
    """
    same = {
        "name": details.name,
        "email": details.email,
        "phone": details.phone,
        "date_of_birth": details.date_of_birth,
    }
    if is_new:
        return Patient.objects.create(**same, created_at=now)
    merged = Patient.objects.filter(**same, merged_into__isnull=False)
    # Locked, so that nobody merges this row away before the visit is theirs.
    found = Patient.objects.select_for_update(no_key=True).current().filter(**same).first()
    if found is None and (gone := merged.first()):
        kept = standing_for(gone)
        # Somebody whom no e-mail reaches any more would never get theirs.
        found = kept if kept.email or not details.email else None
    return found or Patient.objects.create(**same, created_at=now)


def standing_for(patient: Patient) -> Patient:
    """The person a row stands for since it was merged, or itself; locked, inside a transaction."""
    found = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    return found if found.merged_into is None else standing_for(found.merged_into)


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
        emails.post(_addressed(letter, booking, details), booking, now=now)
    if details.guardian:
        _name_guardian(booking, details.guardian, now)
    return booking


def _addressed(letter: emails.Letter, booking: Booking, details: Details) -> emails.Letter:
    """It was written to what was typed; somebody who was merged may have their mail elsewhere by now."""
    assert booking.patient, "a booked visit has a patient"
    is_theirs = (letter.name, letter.address) == (details.name, details.email)
    return (
        dataclasses.replace(letter, name=booking.patient.name, address=booking.patient.email) if is_theirs else letter
    )


def _record_who(booking: Booking, assessed: Assessed | None, asking: Asking, now: dt.datetime) -> None:
    verb = "asked for" if booking.reply_by else "booked"
    through = {"program": asking.through} if asking.through else {}
    record(booking, verb, by=asking.by, now=now, **through)
    if assessed and assessed.bent:
        rules = list(assessed.bent)
        record(booking, BENT, by=asking.by, now=now, reason=asking.override.strip(), rules=rules)


def _ask_the_rest(booking: Booking, now: dt.datetime) -> None:
    """What the desk did not ask, the patient answers at home. Without an address, or time, it is asked here."""
    _, address = booking.reader
    if booking.is_screening_outstanding and address and booking.starts_at > now:
        emails.open_questions(booking, now=now)


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
