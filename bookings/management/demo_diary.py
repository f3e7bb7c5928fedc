"""The demo's diary: weeks of visits around today, made by the same verbs that patients and staff use.

Every day is drawn from its own date, so the same day gives the same diary. An audit row says which days were drawn: a
second run leaves them alone, a run on a later day goes on where the last one ended.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cached_property
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from bookings import availability, lifecycle
from bookings.management import demo_answers
from bookings.management.demo_desk import Desk
from bookings.management.demo_people import CALL_BACKS, REASONS, WISHES, Person, person
from bookings.management.demo_stories import Stories
from bookings.models import Booking, BookingState, ConsentKind, MailState, OutgoingEmail
from bookings.models.event import Actor
from clinic import audit, guidance, screening
from clinic.intervals import day_start, instant_of
from clinic.models import Absence, AuditEvent, Location, Resource, Service
from clinic.opening import openings
from clinic.screening import Rulebook

DAYS_BACK, DAYS_AHEAD, NEAR_DAYS, FAR_DAYS = 14, 28, 3, 14
# How much of all practitioners' time is booked: on the days around today, in the other weeks, and far ahead.
NEAR_SHARE, SHARE, FAR_SHARE = 0.6, 0.13, 0.05
CANCELLED_SHARE, CARER_SHARE, WISH_SHARE = 0.07, 0.05, 0.12
AWAY_EVERY = 5
PATIENTS = 1475
# How often each service is asked for; a minor's visit is made apart, with a guardian.
WEIGHTS = {"nose": 8, "face": 6, "facial": 5, "consult": 5, "milia": 3, "body": 3, "review": 2, "stubborn": 2}
DRAWN, SETTLED = "demo day drawn", "demo day settled"
# A day is as full as it gets when nothing fits this often in a row.
MOST_FAILURES = 6


class Diary:
    """The diary of one house on the day of ``now``."""

    def __init__(self, location: Location, now: dt.datetime) -> None:
        self.location, self.clinic, self.now = location, location.clinic, now
        self.today = now.astimezone(location.zone).date()
        self.services = list(Service.objects.in_use(self.today).filter(slug__in=WEIGHTS))
        self.practitioners = list(Resource.objects.practitioners().in_use(self.today))

    @cached_property
    def book(self) -> Rulebook:
        return screening.rulebook(self.clinic)

    @cached_property
    def seen(self) -> set[str]:
        """Who has a visit in this diary already."""
        return set(Booking.objects.booked().values_list("patient__email", flat=True))

    @cached_property
    def clinician(self) -> User:
        return User.objects.get(username="clinician")

    @cached_property
    def shown(self) -> dict[int, tuple[tuple[str, str, int], ...]]:
        """By service: the advice that its patients see while booking, as moment, code and version."""
        return {
            service.pk: tuple(
                ("booking", advice.code, advice.version)
                for advice in guidance.items_for(service, "booking", self.clinic)
            )
            for service in Service.objects.in_use(self.today)
        }

    def days(self) -> Iterator[tuple[dt.date, float]]:
        """The days still to draw, each with the share of it that should be booked."""
        done = AuditEvent.objects.filter(act=DRAWN).values_list("detail__day", "detail__share")
        # A day that comes nearer is drawn again, up to its greater share.
        drawn = dict(sorted(done))
        for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
            day = self.today + dt.timedelta(days=offset)
            if _share(offset) > drawn.get(day.isoformat(), 0):
                yield day, _share(offset)

    def draw(self, day: dt.date, share: float) -> int:
        """Book ``day`` up to ``share``; returns how many visits that added. All of it or nothing."""
        random = Random(f"{day} {share}")
        with transaction.atomic():
            self._send_someone_away(day)
            drawn = list(self._visits(day, share, random))
            self._call_mail_sent(drawn)
            audit.record(DRAWN, self.location, by=None, now=self.now, day=day.isoformat(), share=share)
        return len(drawn)

    def settle(self) -> bool:
        """Once a day: what is over took place or was missed, and what else patients and staff did. False if it was."""
        day = self.today.isoformat()
        if AuditEvent.objects.filter(act=SETTLED, detail__day=day).exists():
            return False
        with transaction.atomic():
            desk = self._desk()
            touched = desk.close_visits()
            self._ask_for_calls()
            touched += self._stories().tell()
            touched += desk.tell()
            self._call_mail_sent(touched)
            audit.record(SETTLED, self.location, by=None, now=self.now, day=day)
        return True

    def _visits(self, day: dt.date, share: float, random: Random) -> Iterator[Booking]:
        """New visits until the share is reached or nothing fits any more."""
        wanted = self._open_minutes(day) * share - self._booked_minutes(day)
        failures = number = 0
        while wanted > 0 and failures < MOST_FAILURES:
            number += 1
            booking = self._book(day, f"demo-{day}-{share}-{number}", random)
            if booking is None:
                failures += 1
                continue
            failures = 0
            wanted -= booking.minutes
            if random.random() < CANCELLED_SHARE:
                booking = self._cancel(booking, random)
            yield booking

    def _open_minutes(self, day: dt.date) -> int:
        """How long all practitioners together are there."""
        hours = openings(
            location=self.location, resources=self.practitioners, first=day, until=day + dt.timedelta(days=1)
        )
        return sum(end - start for opening in hours.values() for start, end in opening.free)

    def _booked_minutes(self, day: dt.date) -> int:
        booked = Booking.objects.visits().filter(
            location=self.location, starts_at__gte=self._at(day), starts_at__lt=self._at(day + dt.timedelta(days=1))
        )
        return sum(booked.values_list("minutes", flat=True))

    def _book(self, day: dt.date, visitor: str, random: Random) -> Booking | None:
        [service] = random.choices(self.services, [WEIGHTS[service.slug] for service in self.services])
        now = self._booked_at(day, random)
        starts = availability.search(
            service=service,
            location=self.location,
            clinic=self.clinic,
            first=day,
            until=day + dt.timedelta(days=1),
            now=now,
        )
        if not starts:
            return None
        start = random.choice(starts)
        who = random.choice([None, start.practitioner])
        slot = lifecycle.Slot(service=service, location=self.location, practitioner=who, start=start.at)
        held = lifecycle.hold(slot, visitor=visitor, now=now)
        answers = demo_answers.some(self.book, service, random)
        run = demo_answers.run_of(self.book, service, answers, now)
        booked_at = now + dt.timedelta(minutes=4)
        try:
            booking = lifecycle.confirm(
                held, details=self._details(service, random), visitor=visitor, run=run, book=self.book, now=booked_at
            )
        except lifecycle.Unsafe:
            # A clinician has to look first, and the visit is too near for it.
            run.delete()
            return None
        return self._reviewed(booking) if booking.state == BookingState.PENDING else booking

    def _reviewed(self, booking: Booking) -> Booking:
        """What had to wait for a clinician was looked at the same day."""
        now = min(booking.starts_at, booking.held_at + dt.timedelta(hours=3))
        return lifecycle.approve(booking, by=self.clinician, reason="Seen at a skin check.", now=now)

    def _details(self, service: Service, random: Random) -> lifecycle.Details:
        return lifecycle.Details(
            **self._somebody(random)._asdict(),
            is_for_someone_else=random.random() < CARER_SHARE,
            wishes=random.choice(WISHES) if random.random() < WISH_SHARE else "",
            **self._papers(service),
        )

    def _papers(self, service: Service) -> dict[str, Any]:
        """What everybody who books this service has read and ticked."""
        shown = self.shown[service.pk]
        read = ", ".join(f"{code} v{version}" for _, code, version in shown if code.startswith("WHY-"))
        consents = (
            (ConsentKind.GUIDANCE_READ, read, "I have read the advice on not squeezing."),
            (ConsentKind.PRIVACY, "1", "You may keep these details for my visit."),
        )
        return {"consents": consents, "shown": shown}

    def _somebody(self, random: Random) -> Person:
        """A person whose skin has had its rest: nobody is drawn twice within the gap between treatments."""
        for _ in range(MOST_FAILURES):
            drawn = person(random.randrange(PATIENTS))
            if drawn.email not in self.seen:
                break
        self.seen.add(drawn.email)
        return drawn

    def _booked_at(self, day: dt.date, random: Random) -> dt.datetime:
        """Some daytime before the visit, and before today whatever the hour of this run."""
        latest = min(day, self.today) - dt.timedelta(days=1)
        return self._at(latest - dt.timedelta(days=random.randrange(20)), minutes=random.randrange(8 * 60, 21 * 60))

    def _cancel(self, booking: Booking, random: Random) -> Booking:
        """Some time between booking and this morning, or the visit."""
        earliest = booking.held_at + dt.timedelta(minutes=10)
        latest = min(booking.starts_at, self._at(self.today))
        now = (earliest + (latest - earliest) * random.random()).replace(microsecond=0)
        return lifecycle.cancel(booking, reason=random.choice(REASONS), by=Actor.PATIENT, now=now)

    def _send_someone_away(self, day: dt.date) -> None:
        """Every few days somebody is away."""
        number = day.toordinal()
        if number % AWAY_EVERY == 0:
            Absence.objects.get_or_create(
                resource=self.practitioners[number // AWAY_EVERY % len(self.practitioners)],
                starts_at=self._at(day),
                ends_at=self._at(day + dt.timedelta(days=1)),
                defaults={"reason": "Training" if number % 2 else "Day off"},
            )

    def _call_mail_sent(self, bookings: list[Booking]) -> None:
        """The past of a clinic that never was: nobody must get this mail, and the outbox must not stand full of it."""
        unsent = OutgoingEmail.objects.filter(booking__in=bookings, state=MailState.QUEUED)
        unsent.update(state=MailState.SENT, sent_at=F("created_at"), attempts=1)

    def _ask_for_calls(self) -> None:
        asked_at = self._at(self.today - dt.timedelta(days=1), minutes=16 * 60)
        for number, note in enumerate(CALL_BACKS):
            caller = person((self.today.toordinal() + number) % PATIENTS)
            now = asked_at + dt.timedelta(minutes=25 * number)
            lifecycle.ask_us_to_call(clinic=self.clinic, name=caller.name, phone=caller.phone, note=note, now=now)

    def _desk(self) -> Desk:
        back, ahead = dt.timedelta(days=DAYS_BACK), dt.timedelta(days=DAYS_AHEAD)
        return Desk(self.location, self.book, self.now, self.today - back, self.today + ahead)

    def _stories(self) -> Stories:
        """Told yesterday afternoon, whatever the hour of this run, of visits far enough to be decided."""
        told_at = self._at(self.today - dt.timedelta(days=1), minutes=17 * 60 + 45)
        opens = self._at(self.today + dt.timedelta(days=2))
        return Stories(self.location, self.book, told_at, opens, self._papers)

    def _at(self, day: dt.date, *, minutes: int = 0) -> dt.datetime:
        return instant_of(day_start(day, self.location.zone) + minutes)


def _share(offset: int) -> float:
    """Of a day so many days from today."""
    if -NEAR_DAYS < offset <= NEAR_DAYS:
        return NEAR_SHARE
    return SHARE if offset <= FAR_DAYS else FAR_SHARE
