"""Visits to move, as the page shows them, and moving them all in one go.

Each visit is moved or cancelled in a transaction of its own: what cannot be done is told, and half of nothing is done.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects
from django.utils.dateparse import parse_datetime

from bookings import displaced, eligibility, lifecycle
from bookings.desk import findings
from bookings.desk.doors import sees_answers_of_patients, visits_for
from bookings.displaced import Displaced
from bookings.models import Booking
from bookings.rehoming import Fit, Plan
from clinic import words
from clinic.models import Resource

CANCEL, LEAVE = "cancel", "leave"
NAME = "visit-"
# How often another time is tried where somebody else was faster.
TRIES = 5


@dataclass(frozen=True)
class Row:
    """One visit to move, with the times to choose from; the first of them is the usual choice."""

    visit: Displaced
    fits: tuple[Fit, ...]

    @property
    def name(self) -> str:
        return NAME + self.visit.booking.reference

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What the radio buttons send and say."""
        return [(value_of(fit), _told(fit, self.visit.booking)) for fit in self.fits]


@dataclass(frozen=True)
class Wish:
    """What somebody chose for one visit: a time, or to cancel."""

    start: dt.datetime | None = None
    practitioner: str = ""
    room: str = ""


@dataclass
class Outcome:
    """What was done, and in sentences what was done differently, and what was not."""

    moved: int = 0
    cancelled: int = 0
    instead: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Such as: 5 visits moved, 1 cancelled. Empty for nothing."""
        done = [_count(self.moved, "moved")] if self.moved else []
        if self.cancelled:
            done.append(f"{self.cancelled} cancelled" if done else _count(self.cancelled, "cancelled"))
        return f"{', '.join(done)}." if done else ""


def rows_of(visits: Sequence[Displaced], *, now: dt.datetime) -> list[Row]:
    """Each with its nearest times, planned one after the other. As many queries for one as for many."""
    bookings = [each.booking for each in visits]
    opens_at = _opens_at(bookings, now)
    plan = Plan(bookings, now=now)
    found = []
    for each in visits:
        fits = plan.times(each.booking, opens_at[each.booking.pk])
        if fits:
            plan.keep(each.booking, fits[0])
        found.append(Row(each, tuple(fits)))
    return found


def value_of(fit: Fit) -> str:
    """A time as a radio button sends it."""
    return " ".join([fit.at.isoformat(), fit.practitioner.slug, fit.room.slug if fit.room else ""]).strip()


def wishes_of(typed: Mapping[str, str], *, most: int) -> dict[str, Wish]:
    """What was chosen, by the reference of the booking. What nobody can read changes nothing."""
    found = {name.removeprefix(NAME): _wish(value) for name, value in typed.items() if name.startswith(NAME)}
    return {reference: wish for reference, wish in list(found.items())[:most] if wish is not None}


def carry_out(wishes: Mapping[str, Wish], *, by: User, notify: bool, now: dt.datetime) -> Outcome:
    """Move and cancel as wished. A visit that need not move any more is left alone: somebody was faster."""
    outcome = Outcome()
    mine = visits_for(by).filter(reference__in=list(wishes))
    people = {each.slug: each for each in Resource.objects.all()}
    for visit in displaced.find(mine, now=now):
        _Act(visit, wishes[visit.booking.reference], people, by, notify, now).carry_out(outcome)
    return outcome


@dataclass(frozen=True)
class _Act:
    """One visit, and what is to be done with it."""

    visit: Displaced
    wish: Wish
    resources: Mapping[str, Resource]
    by: User
    notify: bool
    now: dt.datetime

    @property
    def who(self) -> str:
        assert self.visit.booking.patient, "a visit to move is booked"
        return self.visit.booking.patient.name

    def carry_out(self, outcome: Outcome) -> None:
        try:
            if self.wish.start is None:
                self._cancel()
                outcome.cancelled += 1
            else:
                outcome.instead += self._move(self.wish.start)
                outcome.moved += 1
        except lifecycle.Refused as refused:
            outcome.failed.append(f"{self.who} stays: {self._why(refused)}")

    def _cancel(self) -> None:
        lifecycle.cancel(
            self.visit.booking, reason=self.visit.why, by=self.by, is_ours=True, notify=self.notify, now=self.now
        )

    def _move(self, start: dt.datetime) -> list[str]:
        """To the wished time, or the next one that fits; a sentence if it was another."""
        practitioner = self.resources.get(self.wish.practitioner)
        if practitioner is None:
            raise lifecycle.SlotTaken
        wished = fit = Fit(start, practitioner, self.resources.get(self.wish.room))
        tried: set[tuple[dt.datetime, int]] = set()
        while True:
            try:
                self._move_to(fit)
            except (lifecycle.SlotTaken, lifecycle.NotOffered):
                tried.add((fit.at, fit.practitioner.pk))
                fit = self._next(tried)
            else:
                return [] if fit == wished else [f"{self.who}: that time was taken. Now {self._told(fit)}."]

    def _move_to(self, fit: Fit) -> None:
        """Who keeps time and person gets no mail: only the room is another. That it has to move is why so soon."""
        booking = self.visit.booking
        lifecycle.reschedule(
            booking,
            practitioner=fit.practitioner,
            start=fit.at,
            room=fit.room,
            override=lifecycle.Reasons(time=f"Visit to move: {self.visit.why}", bends_hours=False),
            by=self.by,
            notify=self.notify and not fit.is_same_time(booking),
            now=self.now,
        )

    def _next(self, tried: set[tuple[dt.datetime, int]]) -> Fit:
        """Raises SlotTaken where nothing is left, or often enough was tried."""
        booking = self.visit.booking
        found = []
        if len(tried) < TRIES:
            opens_at = _opens_at([booking], self.now)[booking.pk]
            found = Plan([booking], now=self.now).times(booking, opens_at, count=1, without=tried)
        if not found:
            raise lifecycle.SlotTaken
        return found[0]

    def _told(self, fit: Fit) -> str:
        return f"{words.when(fit.at, self.visit.booking.location.zone)}, with {fit.practitioner.first_name}"

    def _why(self, refused: lifecycle.Refused) -> str:
        outlook = lifecycle.outlook_for(self.visit.booking, self.now)
        return findings.sentence(refused, outlook, sees_answers=sees_answers_of_patients(self.by))


def _opens_at(bookings: Sequence[Booking], now: dt.datetime) -> dict[int, dict[str, dt.datetime]]:
    """From when on each visit is safe, by grade, by the id of the booking. It reads the claims too, for planning."""
    if not bookings:
        return {}
    prefetch_related_objects(list(bookings), "screenings", "claims")
    patients = {booking.patient_id for booking in bookings if booking.patient_id}
    houses = {booking.location for booking in bookings}
    known = eligibility.known_of(patients, clinic=bookings[0].location.clinic, houses=houses, now=now)
    return {booking.pk: lifecycle.outlook_for(booking, now, known=known).opens_at for booking in bookings}


def _told(fit: Fit, booking: Booking) -> str:
    if fit.is_same_time(booking):
        return f"Same time, in {fit.room.name}" if fit.room else "Same time"
    return f"{words.when(fit.at, booking.location.zone)}, with {fit.practitioner.first_name}"


def _wish(value: str) -> Wish | None:
    if value == CANCEL:
        return Wish()
    parts: Iterable[str] = value.split(" ")
    at, practitioner, room = [*parts, "", ""][:3]
    try:
        start = parse_datetime(at)
    except ValueError:
        start = None
    return Wish(start, practitioner, room) if start is not None and start.tzinfo is not None else None


def _count(number: int, what: str) -> str:
    return f"{number} visit{'' if number == 1 else 's'} {what}"
