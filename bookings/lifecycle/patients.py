"""Who somebody is: put right their name and how to reach them; make one of two records, and two of them again.

Whoever changes a patient locks their visits first, in id order, and then the people, in id order.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from bookings import outbox
from bookings.lifecycle import matching
from bookings.lifecycle.confirming import audit_patient
from bookings.lifecycle.correcting import locked_visits, tell_again_at
from bookings.lifecycle.refusals import AlreadyMerged, LookLikeTwo, MergedOnwards
from bookings.models import Booking, BookingEvent, Patient, PatientMerge
from bookings.models.booking import BookingQuerySet
from bookings.models.event import Actor
from clinic import audit

# What a person says of themselves.
DETAILS = ("name", "email", "phone", "date_of_birth")
MERGED, PARTED = "merged with another record", "merge undone"


def correct_patient(
    patient: Patient,
    *,
    name: str,
    email: str,
    phone: str,
    date_of_birth: dt.date | None,
    by: User,
    now: dt.datetime,
) -> Patient:
    """Put the details right. ``phone`` is E.164. The same details again change nothing.

    Another address revokes the links that went to the old one, those of past visits too, and each upcoming visit is
    mailed again. Raises AlreadyMerged.
    """
    said = {"name": name, "email": email, "phone": phone, "date_of_birth": date_of_birth}
    with transaction.atomic():
        visits = locked_visits(Booking.objects.filter(patient=patient))
        [found] = _locked_people(patient)
        if found.merged_into_id is not None:
            raise AlreadyMerged
        changes = {field: [getattr(found, field), value] for field, value in said.items()}
        changes = {field: pair for field, pair in changes.items() if pair[0] != pair[1]}
        if not changes:
            return found
        _say(found, {field: value for field, (_, value) in changes.items()})
        audit_patient(found, _plain_pairs(changes), by=by, now=now)
        if "email" in changes:
            tell_again_at([each for each in visits if each.patient_id == found.pk], found, by=by, now=now)
        elif "name" in changes:
            outbox.readdress(found)
    return found


def looks_like_two(one: Patient, other: Patient) -> bool:
    """Whether only somebody who knows them can say that these are one person."""
    names = {" ".join(each.name.casefold().split()) for each in (one, other)}
    born = {each.date_of_birth for each in (one, other)} - {None}
    return len(names) > 1 or len(born) > 1


def merge_patients(
    kept: Patient,
    merged: Patient,
    *,
    values: Collection[str] = (),
    is_same_person: bool = False,
    by: User,
    now: dt.datetime,
) -> PatientMerge:
    """One person from here on: ``kept`` gets the other's bookings, and the details of theirs that ``values`` names.

    A detail that ``kept`` lacks is taken over anyway. The links that were mailed to either stay good: each opens one
    booking. A second call answers the same merge. Raises AlreadyMerged, and LookLikeTwo unless ``is_same_person``.
    """
    assert kept.pk != merged.pk, "nobody is merged with themselves"
    with transaction.atomic():
        _lock(Booking.objects.filter(patient__in=[kept, merged]))
        kept, merged = _locked_people(kept, merged)
        if merged.merged_into_id == kept.pk and (done := _merge_of(merged)):
            return done
        if kept.merged_into_id is not None or merged.merged_into_id is not None:
            raise AlreadyMerged
        if looks_like_two(kept, merged) and not is_same_person:
            raise LookLikeTwo
        return _merged(kept, merged, values, by, now)


def unmerge_patients(merge: PatientMerge, *, by: User, now: dt.datetime) -> PatientMerge:
    """Two people again: the bookings that came along go back, unless they are somebody else's by now.

    Bookings made since stay, and so does what was corrected since. A second call changes nothing. Raises MergedOnwards.
    """
    with transaction.atomic():
        moved = _lock(Booking.objects.filter(pk__in=merge.moved))
        kept, merged = _locked_people(merge.kept, merge.merged)
        undone = PatientMerge.objects.filter(pk=merge.pk, undone_at=None).update(undone_at=now, undone_by=by)
        if undone and kept.merged_into_id is not None:
            raise MergedOnwards
        if undone:
            back = [booking for booking in moved if booking.patient_id == kept.pk]
            _parted(merge, kept, merged, back, by, now)
    return PatientMerge.objects.select_related("kept", "merged").get(pk=merge.pk)


def _merged(kept: Patient, merged: Patient, values: Collection[str], by: User, now: dt.datetime) -> PatientMerge:
    taken = {field: getattr(merged, field) for field in DETAILS if _is_taken(field, kept, merged, values)}
    before = {field: getattr(kept, field) for field in taken}
    moved = list(Booking.objects.filter(patient=merged).order_by("pk"))
    _hand_over(moved, kept, MERGED, by, now)
    _say(kept, taken)
    Patient.objects.filter(merged_into=merged).update(merged_into=kept)
    _say(merged, {"merged_into": kept})
    merge = PatientMerge.objects.create(
        kept=kept,
        merged=merged,
        moved=[booking.pk for booking in moved],
        before={field: _plain(value) for field, value in before.items()},
        merged_at=now,
        merged_by=by,
    )
    changes = _plain_pairs({field: [before[field], value] for field, value in taken.items()})
    audit.record("merged", kept, by=by, now=now, other=merged.pk, other_name=merged.name, visits=len(moved), **changes)
    audit.record("merged away", merged, by=by, now=now, other=kept.pk, other_name=kept.name)
    outbox.readdress(kept)
    for visit in Booking.objects.upcoming().with_everything().filter(patient=kept):
        matching.look_for_recent_treatment(visit, now)
    return merge


def _parted(
    merge: PatientMerge, kept: Patient, merged: Patient, back: list[Booking], by: User, now: dt.datetime
) -> None:
    restored = {
        field: _of_plain(field, was)
        for field, was in merge.before.items()
        if getattr(kept, field) == getattr(merged, field)
    }
    changes = _plain_pairs({field: [getattr(kept, field), was] for field, was in restored.items()})
    _hand_over(back, merged, PARTED, by, now)
    _say(kept, restored)
    _say(merged, {"merged_into": None})
    Patient.objects.filter(pk__in=_behind(merged)).update(merged_into=merged)
    audit.record(
        "merge undone", kept, by=by, now=now, other=merged.pk, other_name=merged.name, visits=len(back), **changes
    )
    audit.record("merge undone", merged, by=by, now=now, other=kept.pk, other_name=kept.name)
    outbox.readdress(kept)
    outbox.readdress(merged)


def _is_taken(field: str, kept: Patient, merged: Patient, values: Collection[str]) -> bool:
    ours, theirs = getattr(kept, field), getattr(merged, field)
    return bool(theirs) and theirs != ours and (field in values or not ours)


def _lock(bookings: BookingQuerySet) -> list[Booking]:
    """As they are once their locks are ours, taken in id order."""
    return list(bookings.select_for_update(no_key=True).order_by("pk"))


def _locked_people(*people: Patient) -> list[Patient]:
    """The rows as they stand now, in the order they were asked for, locked in id order."""
    wanted = Patient.objects.filter(pk__in=[each.pk for each in people])
    rows = {row.pk: row for row in wanted.select_for_update(no_key=True).order_by("pk")}
    return [rows[each.pk] for each in people]


def _merge_of(merged: Patient) -> PatientMerge | None:
    return PatientMerge.objects.filter(merged=merged, undone_at=None).first()


def _behind(patient: Patient) -> set[int]:
    """All who were merged into this one, straight or by way of another."""
    found: set[int] = set()
    new = {patient.pk}
    while new:
        rows = PatientMerge.objects.filter(kept__in=new, undone_at=None).values_list("merged", flat=True)
        new = set(rows) - found
        found |= new
    return found


def _hand_over(bookings: Iterable[Booking], patient: Patient, verb: str, by: User, now: dt.datetime) -> None:
    bookings = list(bookings)
    Booking.objects.filter(pk__in=[each.pk for each in bookings]).update(patient=patient)
    BookingEvent.objects.bulk_create(
        BookingEvent(booking=each, at=now, verb=verb, actor=Actor.STAFF, by=by, detail={"patient": patient.name})
        for each in bookings
    )


def _say(patient: Patient, said: dict[str, Any]) -> None:
    for field, value in said.items():
        setattr(patient, field, value)
    if said:
        patient.save(update_fields=list(said))


def _plain_pairs(changes: dict[str, Any]) -> dict[str, Any]:
    return {field: [_plain(was), _plain(new)] for field, (was, new) in changes.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _of_plain(field: str, value: Any) -> Any:
    return dt.date.fromisoformat(value) if field == "date_of_birth" and value else value
