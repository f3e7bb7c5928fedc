"""What the clinic's own history says beside what somebody told us. Only staff learn of it."""

import datetime as dt
from collections.abc import Iterator

from bookings.models import Booking, BookingState, Outcome, Patient, ScreeningRun, Task, TaskKind
from clinic import words
from clinic.models import History, HistoryRule
from clinic.models.shown import Shown, shown
from clinic.opening import reply_by


def look_for_earlier_visits(booking: Booking, run: ScreeningRun, now: dt.datetime) -> None:
    """Leave a task where a visit of somebody with the same address or phone would change what we know."""
    look_for_recent_treatment(booking, now)
    if run.had_consultation and not _has_consultation(booking):
        _leave(booking, "Says there was a skin check with us; none is found under this name, email or phone.", now)


def look_for_recent_treatment(booking: Booking, now: dt.datetime) -> None:
    """The same for the day on which the visit is now, as far as the last treatment goes."""
    others = _look_alikes(booking)
    gaps = _rules(History.GAP, booking)
    too_soon = [other for other in others if any(_is_within(rule, other, booking) for rule in gaps)]
    for other in too_soon[:1]:
        _leave(booking, f"May be the same person: treated on {words.day(other.local_date)} ({other.reference}).", now)


def warn_of_next_visits(booking: Booking, now: dt.datetime) -> None:
    """After a treatment: this patient's next visits that come too soon for the same area."""
    for other, note in _warnings(booking):
        _leave(other, note, now)


def take_back_warnings(booking: Booking, now: dt.datetime) -> None:
    """The treatment is not closed after all, so nothing comes too soon after it."""
    for other, note in _warnings(booking):
        Task.objects.open().filter(kind=TaskKind.HISTORY, booking=other, note=note).update(done_at=now)


def _look_alikes(booking: Booking) -> list[Booking]:
    """Treated visits of people who may be this patient: for the desk to match, never for an answer to anybody.

    Who gave the very same details is looked at too: without a signed link that proved nothing.
    """
    assert booking.patient, "only a booked visit has a patient"
    people = {booking.patient.pk, *people_like(booking.patient)}
    treated = Booking.objects.filter(patient__in=people, state=BookingState.COMPLETED, outcome=Outcome.TREATED)
    return list(treated.select_related("patient", "service", "location__clinic").order_by("-starts_at"))


def people_like(patient: Patient) -> set[int]:
    """The ids of other patients with the same e-mail address or the same phone, or who once gave them.

    A row that was merged stands for the person it was merged into: their visits are there.
    """
    found: set[int] = set()
    for same in ({"email": patient.email}, {"phone": patient.phone}):
        if all(same.values()):
            rows = Patient.objects.filter(**same).values_list("pk", "merged_into")
            found |= {merged_into or pk for pk, merged_into in rows}
    return found - {patient.pk}


def _warnings(booking: Booking) -> Iterator[tuple[Booking, str]]:
    later = Booking.objects.upcoming().with_everything().filter(patient=booking.patient).exclude(pk=booking.pk)
    for other in later:
        for rule in _rules(History.GAP, other):
            if _is_within(rule, booking, other):
                days = rule.fields["days"]
                yield other, f"Treated on {words.day(booking.local_date)}: less than {days} days before."


def _rules(kind: History, booking: Booking) -> list[Shown]:
    rules = shown(list(HistoryRule.objects.all()))
    codes = booking.service.codes
    return [each for each in rules if each.fields["kind"] == kind and not codes.isdisjoint(each.fields["applies_to"])]


def _is_within(rule: Shown, earlier: Booking, later: Booking) -> bool:
    """Whether ``later`` falls into the wait after ``earlier``, on the same body area."""
    areas = set(earlier.treated_areas or earlier.service.body_areas) & set(later.service.body_areas)
    until = earlier.local_date + dt.timedelta(days=rule.fields["days"])
    is_meant = bool(areas) and not earlier.service.codes.isdisjoint(rule.fields["applies_to"])
    return is_meant and earlier.outcome == Outcome.TREATED and earlier.local_date <= later.local_date < until


def _has_consultation(booking: Booking) -> bool:
    """Whether a visit that counts is found, under this patient or somebody who looks the same."""
    assert booking.patient, "only a booked visit has a patient"
    people = {booking.patient.pk, *people_like(booking.patient)}
    completed = Booking.objects.filter(state=BookingState.COMPLETED, patient__in=people)
    done = completed.select_related("location", "service")
    return all(any(_counts(rule, each, booking) for each in done) for rule in _rules(History.NEEDS, booking))


def _counts(rule: Shown, earlier: Booking, later: Booking) -> bool:
    until = earlier.local_date + dt.timedelta(days=rule.fields["days"])
    return earlier.service.slug in rule.fields["needs"] and earlier.local_date <= later.local_date <= until


def _leave(booking: Booking, note: str, now: dt.datetime) -> None:
    due = reply_by(clinic=booking.location.clinic, location=booking.location, now=now)
    if not Task.objects.open().filter(kind=TaskKind.HISTORY, booking=booking, note=note).exists():
        Task.objects.create(kind=TaskKind.HISTORY, booking=booking, note=note, created_at=now, due_at=due)
