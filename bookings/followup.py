"""What is due around a visit: found when its time has come, never scheduled ahead.

Each message belongs to a visit as it is arranged (its ``sequence``), so a visit that moves or is cancelled needs no
clean-up. What is found is written in one transaction with a second look at the locked row; the database keeps one row
for each message, so any number of workers may run, and die, at any moment.
"""

import datetime as dt
import functools
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from bookings import emails, lifecycle
from bookings.ages import ADULT_FROM
from bookings.lifecycle.guardians import PHONED_FROM
from bookings.models import Booking, BookingState, Guardian, Heartbeat, Outcome, OutgoingEmail, Task, TaskKind
from bookings.models.booking import BookingQuerySet
from bookings.models.mail import COURSE
from bookings.models.states import UNDER_WAY
from clinic import readiness
from clinic.intervals import instant_of, wall_minute
from clinic.models import Clinic, Location, Review
from clinic.opening import quiet_until

log = logging.getLogger(__name__)

# The mark of when this clinic's course first ran.
BEGAN = "course began"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# As many of each kind in one round: the next comes within the minute, and mail goes in between.
BATCH = 200
# The check-ins come in the middle of the morning, when somebody can act on the answer.
CHECK_IN_AT, EVENING = dt.time(10), dt.time(19)
UNCLOSED_AFTER = 2 * HOUR
# Nobody born longer ago than this is a minor, whatever the clocks say.
MINOR_AT_MOST = (ADULT_FROM + 1) * 366 * DAY
CONTENT_WITHIN = 14 * DAY
# How long after its window closed a message that nobody found is still listed as skipped.
LISTED_FOR = 14 * DAY
# A task that was done is not left again within that time.
ASKED_ONCE_IN = {TaskKind.UNCLOSED: LISTED_FOR, TaskKind.GUARDIAN: PHONED_FROM}

Window = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Moment:
    """One message of the course: for which visits, and from when until when it may be written.

    ``reach`` is the stretch of starts to look at, from ``now`` minus the second to ``now`` plus the first: it holds
    every visit whose window may be open, so that the search stays on an index.
    """

    kind: str
    visits: Q
    window: Callable[[Booking], Window]
    reach: tuple[dt.timedelta, dt.timedelta]

    def without(self) -> QuerySet[Booking]:
        """The visits it is for that have no such message yet, as arranged now."""
        has_one = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind=self.kind, sequence=OuterRef("sequence"))
        return Booking.objects.filter(self.visits, ~Exists(has_one))


def _before_start(earliest: dt.timedelta, latest: dt.timedelta) -> Callable[[Booking], Window]:
    return lambda booking: (booking.starts_at - earliest, booking.starts_at - latest)


def _after_closing(booking: Booking) -> Window:
    """Advice for the first 24 hours is stale after them, however late the visit was closed."""
    return booking.closed_at or booking.ends_at, booking.ends_at + DAY


def _in_the_evening(booking: Booking) -> Window:
    evening = _at(booking, booking.local_date, EVENING)
    return max(evening, booking.ends_at + UNCLOSED_AFTER), booking.ends_at + DAY


def _on_day(number: int) -> Callable[[Booking], Window]:
    """A check-in asks how it is that day: the evening of the day after is too late for it."""

    def window(booking: Booking) -> Window:
        date = booking.local_date + number * DAY
        return _at(booking, date, CHECK_IN_AT), _at(booking, date + DAY, EVENING)

    return window


def _at(booking: Booking, date: dt.date, time: dt.time) -> dt.datetime:
    return instant_of(wall_minute(date, time, booking.location.zone))


# Whether or not the patient came in the end: a reminder that was due before is listed if nobody could send it.
WAS_BOOKED = Q(state__in=[*COURSE["r24h"], BookingState.MISSED, BookingState.COMPLETED, *UNDER_WAY])
WAS_TREATED = Q(state=BookingState.COMPLETED, outcome=Outcome.TREATED)


def _booked_before(earliest: dt.timedelta) -> Q:
    """What is arranged only after a reminder's moment has that reminder inside its confirmation."""
    return WAS_BOOKED & Q(arranged_at__lte=F("starts_at") - earliest)


MOMENTS = [
    # The three-day plan is of use while at least half of it lies ahead.
    Moment("r72h", _booked_before(3 * DAY), _before_start(3 * DAY, 36 * HOUR), (3 * DAY, -36 * HOUR)),
    # Enough time must be left to act on what the re-check says.
    Moment("r24h", _booked_before(DAY), _before_start(DAY, 3 * HOUR), (DAY, -3 * HOUR)),
    Moment("day0", WAS_TREATED, _after_closing, (0 * DAY, 2 * DAY)),
    Moment("day0_plain", Q(state__in=UNDER_WAY), _in_the_evening, (0 * DAY, 2 * DAY)),
    Moment("day3", WAS_TREATED, _on_day(3), (-2 * DAY, 5 * DAY)),
    Moment("day7", WAS_TREATED, _on_day(7), (-6 * DAY, 9 * DAY)),
]


def run(now: dt.datetime) -> dict[str, int]:
    """One round of everything that is due; how often what was done. Call it outside a transaction."""
    done: Counter[str] = Counter()
    since, awake = _since(now), _where_it_is_day(now)
    for moment in MOMENTS if awake else []:
        due = _due(moment, awake, since, now)
        done += _each(due, functools.partial(_write, moment, now=now))
    # First what is over: nobody is told that a reply takes longer when there will be none.
    done += _each(_out_of_time(now), functools.partial(_let_go, now=now))
    done += _each(_unanswered(now), functools.partial(_escalate, now=now))
    unclosed, unguarded = _unclosed(Booking.objects.all(), now), _unguarded(Booking.objects.all(), now)
    done += _each(_without_task(unclosed, TaskKind.UNCLOSED, now), functools.partial(_ask_to_close, now=now))
    done += _each(_without_task(unguarded, TaskKind.GUARDIAN, now), functools.partial(_ask_guardian, now=now))
    done["content reviews due"] += _content(now)
    return {what: count for what, count in done.items() if count}


def _each(visits: Iterable[Booking], act: Callable[[Booking], str]) -> Counter[str]:
    """``act`` on each, and count what it says it did. A visit that breaks is logged, and stops no other."""
    done: Counter[str] = Counter()
    for booking in visits:
        try:
            did = act(booking)
        except IntegrityError:
            log.info("booking %s: another worker was faster", booking.pk)
        except OperationalError:
            # The database itself: the others would fare no better.
            raise
        except Exception:
            log.exception("booking %s waits for the next round", booking.pk)
        else:
            done[did] += bool(did)
    return done


def _since(now: dt.datetime) -> dt.datetime:
    """When the course first ran here: what was due earlier was never promised."""
    return Heartbeat.objects.get_or_create(name=BEGAN, defaults={"at": now})[0].at


def _where_it_is_day(now: dt.datetime) -> list[Location]:
    """By night the course rests, by the clock of each visit: what falls due then comes in the morning."""
    return [
        location
        for location in Location.objects.select_related("clinic")
        if quiet_until(clinic=location.clinic, zone=location.zone, now=now) is None
    ]


def _due(moment: Moment, awake: list[Location], since: dt.datetime, now: dt.datetime) -> Iterator[Booking]:
    """Visits whose moment has come, or passed unseen; with no more than tells that."""
    before, after = moment.reach
    oldest = max(now - LISTED_FOR, since) - after
    near = moment.without().filter(location__in=awake, starts_at__lte=now + before, starts_at__gt=oldest)
    needed = near.select_related("location").only("starts_at", "ends_at", "closed_at", "location__time_zone")
    windows = ((booking, *moment.window(booking)) for booking in needed.order_by("starts_at", "pk"))
    return islice((booking for booking, starts, ends in windows if starts <= now and ends > since), BATCH)


def _write(moment: Moment, found: Booking, now: dt.datetime) -> str:
    """Write the letter, which needs no lock; then look again at the locked row, and queue it if nothing has changed."""
    booking = Booking.objects.with_everything().get(pk=found.pk)
    starts, ends = moment.window(booking)
    if now < starts:
        # It has moved since it was found.
        return ""
    letter = emails.letter_of(moment.kind, booking, now=now) if now < ends else None
    with transaction.atomic():
        locked = Booking.objects.locked(booking.pk)
        is_wanted = moment.without().filter(pk=booking.pk).exists()
        if not is_wanted or _what_it_says(locked) != _what_it_says(booking):
            return ""
        if letter is None:
            emails.skip(moment.kind, locked, now=now)
            return "messages skipped"
        if locked.state not in COURSE[moment.kind]:
            return ""
        emails.post(letter, locked, sequence=locked.sequence, not_after=ends, now=now)
    return "messages written"


def _what_it_says(booking: Booking) -> tuple[object, ...]:
    """What a letter rests on and might change while it is written."""
    return booking.sequence, booking.link_version, booking.closed_at, booking.reader


def _out_of_time(now: dt.datetime) -> list[Booking]:
    """Reviews at the minimum notice before their visit."""
    clinic = Clinic.objects.first()
    notice = clinic.minimum_notice if clinic else dt.timedelta(0)
    return list(Booking.objects.in_review().filter(starts_at__lte=now + notice)[:BATCH])


def _let_go(booking: Booking, now: dt.datetime) -> str:
    return "reviews out of time" if lifecycle.expire_review(booking, now=now) else ""


def _unanswered(now: dt.datetime) -> list[Booking]:
    """Reviews past their reply time whose patient does not know yet."""
    told = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind="review_late", sequence=OuterRef("sequence"))
    return list(Booking.objects.in_review().filter(~Exists(told), reply_by__lte=now)[:BATCH])


def _escalate(booking: Booking, now: dt.datetime) -> str:
    return "reviews late" if lifecycle.escalate(booking, now=now) else ""


def _unclosed(visits: BookingQuerySet, now: dt.datetime) -> BookingQuerySet:
    """Two hours after the end nobody has said how the visit ended; it may even stand there as booked."""
    still_open = UNDER_WAY | {BookingState.CONFIRMED}
    recent = visits.filter(state__in=still_open, starts_at__gt=now - LISTED_FOR)
    return recent.filter(ends_at__lte=now - UNCLOSED_AFTER)


def _unguarded(visits: BookingQuerySet, now: dt.datetime) -> BookingQuerySet:
    """Two days before the visit the guardian has still not agreed, or nobody is named for a minor."""
    silent = Guardian.objects.filter(booking=OuterRef("pk"), agreed_at=None)
    near = visits.upcoming().filter(starts_at__gt=now, starts_at__lte=now + PHONED_FROM)
    alone = near.filter(guardian=None, patient__date_of_birth__gt=(now - MINOR_AT_MOST).date())
    known = alone.select_related("patient", "location", "guardian")
    minors = [each.pk for each in known if lifecycle.lacks_guardian(each)]
    return near.filter(Exists(silent) | Q(pk__in=minors))


def _without_task(visits: BookingQuerySet, kind: TaskKind, now: dt.datetime) -> list[Booking]:
    """Those that have no open task of that kind, and had none lately that somebody has done.

    One that closed by itself, such as when another guardian was named, has asked nobody.
    """
    was_done = Q(created_at__gt=now - ASKED_ONCE_IN[kind], done_by__isnull=False)
    had_one = Task.objects.filter(Q(done_at=None) | was_done, booking=OuterRef("pk"), kind=kind)
    return list(visits.filter(~Exists(had_one))[:BATCH])


def _ask_to_close(booking: Booking, now: dt.datetime) -> str:
    leave = functools.partial(lifecycle.leave_task, kind=TaskKind.UNCLOSED, due_at=now, now=now)
    return _leave_task(booking, TaskKind.UNCLOSED, _unclosed, leave, now)


def _ask_guardian(booking: Booking, now: dt.datetime) -> str:
    leave = functools.partial(lifecycle.ask_for_guardian, now=now)
    return _leave_task(booking, TaskKind.GUARDIAN, _unguarded, leave, now)


def _leave_task(
    booking: Booking,
    kind: TaskKind,
    due: Callable[[BookingQuerySet, dt.datetime], BookingQuerySet],
    leave: Callable[[Booking], Task],
    now: dt.datetime,
) -> str:
    """Look again at the locked row: the visit may be closed, or the task written, by now."""
    with transaction.atomic():
        locked = Booking.objects.locked(booking.pk)
        if not _without_task(due(Booking.objects.filter(pk=booking.pk), now), kind, now):
            return ""
        leave(locked)
    return "tasks left"


def _content(now: dt.datetime) -> int:
    """One open task while the clinical review of any text or rule is overdue."""
    asked, today = Task.objects.open().filter(kind=TaskKind.CONTENT), now.date()
    if asked.exists() or not Review.objects.filter(next_review_on__lte=today).exists() or not readiness.overdue(today):
        return 0
    with transaction.atomic():
        # Two workers at once: the second waits here and then sees the first one's task.
        Heartbeat.objects.select_for_update().get(name=BEGAN)
        if asked.all().exists():
            return 0
        Task.objects.create(
            kind=TaskKind.CONTENT,
            note="Texts or rules have passed their review date. Read and sign them again.",
            created_at=now,
            due_at=now + CONTENT_WITHIN,
        )
    return 1
