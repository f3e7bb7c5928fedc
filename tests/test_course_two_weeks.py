"""The course through two weeks, while the worker is killed at random and the worker and the mail server have outages.

Every due message goes exactly once or is listed as skipped; none is stale, none goes at night, none after a change.
"""

import datetime as dt
from collections import Counter
from contextlib import contextmanager
from random import Random

import pytest
from django.db import connection

from bookings import followup
from bookings.management.commands.work import work
from bookings.models import BookingState, Claim, OutgoingEmail, Task, TaskKind
from bookings.models.mail import COURSE, PASSING
from tests import processes
from tests.course import DAY, HOUR, MINUTE, begin
from tests.course_oracle import FAR_ENOUGH, Found, asks_anew, at_hour, faults, is_night
from tests.course_worker import KILLED
from tests.mail_server import MailServer, free_port, running
from tests.two_weeks import BEGINS, ENDS, TwoWeeks

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS_A_DAY, DEADLY_SHARE = 5, 0.5
# A round in which little is due asks some twenty questions, a busy one hundreds.
SHORT_FUSE, LONG_FUSE = 20, 120
SECOND = dt.timedelta(seconds=1)


class Killed(BaseException):
    """The worker is gone; nothing may catch this."""


@contextmanager
def dying_at(question):
    """Die at the n-th question to the database: what was not committed by then is undone."""
    left = question

    def wrapper(execute, sql, params, many, context):
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield


class Fortnight:
    """Drives the clock: what people do and the rounds of the worker, in order of time.

    ``good`` are the rounds that ran to their end with a mail server to talk to; ``deliveries`` says of each message
    that arrived when it did, and whether its worker died in that round.
    """

    def __init__(self, seed, server, settings, *, long, deaths):
        self.random = Random(f"rounds {seed}")
        self.server, self.settings = server, settings
        self.people = TwoWeeks(seed)
        self.good: list[dt.datetime] = []
        self.deliveries: list[tuple[str, dt.datetime, bool]] = []
        self.deaths: Counter[object] = Counter()
        ways = {"alone": self._die_alone, "before": self._be_killed_before, "after": self._be_killed_after}
        self.deadly_ways = [ways[death] for death in deaths]
        self._draw_outages(long)

    def _draw_outages(self, long):
        """Three hours of the worker by day, three of the mail server in the evening, and three days of the ``long``."""
        days = self.random.sample([1, 2, 6, 7, 8], 2)
        self.out = {
            "worker": [_stretch(days[0], 10 * HOUR, 3 * HOUR)],
            "server": [_stretch(days[1], 18 * HOUR, 3 * HOUR)],
        }
        self.out[long].append(_stretch(3, self.random.randrange(24) * HOUR, 3 * DAY))

    def drive(self):
        begin(BEGINS - 10 * DAY)
        rounds = [(now, self._die if self.random.random() < DEADLY_SHARE else self._work) for now in self._times()]
        rounds += zip(self._busy_times(len(self.deadly_ways)), self.deadly_ways, strict=True)
        once_written = [visit for visit in self.people.visits if visit.plan == "cancelled_once_written"]
        rounds += [(visit.start - DAY + SECOND, self._write_alone) for visit in once_written]
        # Most workers are started again at once.
        rounds += [
            (now + 3 * MINUTE, self._work) for now, act in rounds if act != self._work and self.random.random() < 0.7
        ]
        rounds = [(now, act) for now, act in rounds if not _is_in(self.out["worker"], now)]
        rounds += [(ENDS, self._work), (ENDS + 2 * FAR_ENOUGH, self._work)]
        for now, act in sorted([*self.people.acts, *rounds], key=lambda each: each[0]):
            act(now)

    def _times(self):
        """Any second of the day or the night."""
        seconds = int((ENDS - BEGINS) / SECOND)
        return [BEGINS + self.random.randrange(seconds) * SECOND for _ in range(seconds * ROUNDS_A_DAY // 86_400)]

    def _busy_times(self, count):
        """Just after a message has fallen due by day, while everything is up."""
        treated = [visit for visit in self.people.visits if visit.plan in {"treated", "treated_late"}]
        due = {at_hour(visit, days, 10) for visit in treated for days in (3, 7)}
        due |= {visit.start - DAY for visit in treated if visit.booked_at <= visit.start - DAY}
        by_day = [now for now in due if not any(is_night(now, house.zone) for house in self.people.houses)]
        free = [now for now in by_day if not _is_in(self.out["worker"] + self.out["server"], now)]
        return [now + SECOND for now in self.people.random.sample(sorted(free), count)]

    def _work(self, now):
        with self._round(now) as is_up:
            work(now)
        if is_up:
            self.good.append(now)

    def _die(self, now):
        """In this process: what a round did before its n-th question stays, the rest never happened."""
        fuse = self.random.randrange(1, self.random.choice([SHORT_FUSE, LONG_FUSE]))
        with self._round(now, is_deadly=True) as is_up, dying_at(fuse):
            try:
                work(now)
            except Killed:
                self.deaths["in the middle"] += 1
                return
        if is_up:
            self.good.append(now)

    def _write_alone(self, now):
        """Dead as soon as it has written what is due: nothing of it is sent."""
        with self._round(now, is_deadly=True):
            followup.run(now)

    def _die_alone(self, now):
        with self._round(now, is_deadly=True):
            self._other_process(now, self.random.randrange(10, SHORT_FUSE))

    def _be_killed_before(self, now):
        """By the system, while it hands over a message."""
        self.server.at = "rcpt"
        with self._round(now, is_deadly=True):
            self._other_process(now, 0)

    def _be_killed_after(self, now):
        """By the system, between the mail server's taking the message and its saying so."""
        self.server.at = "data"
        with self._round(now, is_deadly=True):
            self._other_process(now, 0)

    def _other_process(self, now, question):
        url = f"smtp://127.0.0.1:{self.server.port}"
        process = processes.start("tests.course_worker", now.isoformat(), str(question), EMAIL_URL=url)
        self.server.victim = 0 if question else process.pid
        _, said = process.communicate(timeout=60)
        self.server.victim = 0
        assert process.returncode in {0, KILLED, -9}, said
        self.deaths[process.returncode] += 1

    @contextmanager
    def _round(self, now, *, is_deadly=False):
        is_up = not _is_in(self.out["server"], now)
        self.settings.EMAIL_PORT = self.server.port if is_up else self.nobody
        before = len(self.server.received)
        yield is_up
        arrived = self.server.received[before:]
        self.deliveries += [(message["Message-ID"], now, is_deadly) for message in arrived]

    @property
    def nobody(self):
        return free_port()


def _stretch(day, hours, length):
    """``hours`` after one in the morning in New York."""
    start = BEGINS + day * DAY + hours
    return start, start + length


def _is_in(stretches, now):
    return any(start <= now < end for start, end in stretches)


@pytest.mark.parametrize(
    ("seed", "long", "deaths"),
    [
        pytest.param(1, "worker", ["before", "after"], marks=pytest.mark.one_database),
        pytest.param(3, "server", ["alone", "after"], marks=[pytest.mark.one_database, pytest.mark.long_way]),
    ],
)
def test_two_weeks_of_kills_and_outages(seed, long, deaths, settings):
    with running(MailServer(), settings) as server:
        fortnight = Fortnight(seed, server, settings, long=long, deaths=deaths)
        fortnight.drive()

    check(fortnight)
    assert lacks(fortnight) == []


@pytest.mark.soak
@pytest.mark.parametrize("long", ["worker", "server"])
@pytest.mark.parametrize("seed", range(20, 35))
def test_many_fortnights(seed, long, settings):
    with running(MailServer(), settings) as server:
        fortnight = Fortnight(seed, server, settings, long=long, deaths=["alone", "before", "after"])
        fortnight.drive()

    check(fortnight)


def check(fortnight):
    assert course_faults(fortnight) == []
    assert stuck() == []
    assert doubles(fortnight) == []
    assert wrong_letters(fortnight) == []
    assert wrong_questions(fortnight) == []
    assert wrong_reviews(fortnight) == []
    assert wrong_tasks(fortnight) == []


def course_faults(fortnight):
    arrived: dict[str, list[dt.datetime]] = {}
    for message_id, now, _ in fortnight.deliveries:
        arrived.setdefault(message_id, []).append(now)
    found: list[str] = []
    for visit in fortnight.people.visits:
        rows = {
            (row.kind, row.sequence): Found(row.state, row.last_error, arrived.get(row.message_id, []))
            for row in OutgoingEmail.objects.filter(booking=visit.pk, kind__in=COURSE)
        }
        found += faults(visit, rows, fortnight.good)
    return found


def stuck():
    """Each message ends as sent, or as skipped with a reason. Two days without a server: then somebody phones."""
    return [
        (row.kind, row.state)
        for row in OutgoingEmail.objects.all()
        if not (row.state == "sent" or (row.state == "skipped" and row.last_error) or is_phoned(row))
    ]


def is_phoned(row):
    tasks = Task.objects.filter(kind=TaskKind.PHONE_PATIENT, booking=row.booking, note__startswith=row.subject)
    return row.state == "failed" and row.kind not in COURSE and (row.kind == "staff_notice" or tasks.exists())


def doubles(fortnight):
    """A second copy goes only where the worker that sent the first died before it could say so."""
    last = {message_id: now for message_id, now, _ in fortnight.deliveries}
    return [
        (message_id, now)
        for message_id, now, is_deadly in fortnight.deliveries
        if last[message_id] != now and not is_deadly
    ]


def wrong_letters(fortnight):
    """What is told at once, whatever the hour: that a visit is booked, moved, off. A missed one is written of once."""
    told = {
        "moved": ["confirmed", "moved"],
        "moved_near": ["confirmed", "moved"],
        "cancelled": ["confirmed", "cancelled"],
        "cancelled_once_written": ["confirmed", "cancelled"],
        "suspended": ["confirmed", "suspended"],
        "approved": ["pending", "guardian", "confirmed"],
        "declined": ["pending", "guardian", "declined"],
        "never_answered": ["pending", "guardian", "declined"],
    }
    arrived = {message_id for message_id, *_ in fortnight.deliveries}
    found = []
    for visit in fortnight.people.visits:
        rows = OutgoingEmail.objects.filter(booking=visit.pk).exclude(kind__in=[*PASSING, "staff_notice"])
        kinds = [row.kind for row in rows.order_by("pk") if row.message_id in arrived or is_phoned(row)]
        # What was overtaken while nothing could be sent is skipped and listed; the last word always goes.
        overtaken = {row.kind for row in rows if row.state == "skipped"}
        *before, last = told.get(visit.plan, ["confirmed"])
        if kinds != [*(kind for kind in before if kind not in overtaken), last]:
            found.append((visit.plan, kinds))
        invited = OutgoingEmail.objects.filter(booking=visit.pk, kind="missed").values_list("state", flat=True)
        if len(invited) != (visit.plan == "missed") or not {"sent", "skipped"}.issuperset(invited):
            found.append((visit.plan, list(invited)))
    return found


def wrong_questions(fortnight):
    """What is arranged in the last day before it is asked about in the letter that says so, and in no other."""
    found = []
    for visit in fortnight.people.visits:
        letters = OutgoingEmail.objects.filter(booking=visit.pk, kind__in=["confirmed", "moved"]).order_by("pk")
        asked = ["Answer now:" in letter.text for letter in letters]
        if asked != asks_anew(visit):
            found.append((visit.plan, asked))
    return found


def wrong_reviews(fortnight):
    """Late once, if anybody was there to see it; declined at the minimum notice, and the time is free."""
    found = []
    for visit in fortnight.people.visits:
        if not visit.reply_by:
            continue
        until = min(visit.decided_at or ENDS, visit.start - 2 * HOUR)
        chances = [now for now in fortnight.good if visit.reply_by <= now < until]
        late = OutgoingEmail.objects.filter(booking=visit.pk, kind="review_late").count()
        if (
            late > 1
            or (late == 0 and chances and chances[-1] - chances[0] >= FAR_ENOUGH)
            or (late and visit.reply_by >= until)
        ):
            found.append((visit.plan, late))
        if visit.plan == "never_answered":
            is_free = not Claim.objects.filter(booking=visit.pk).exists()
            if not is_free or visit.booking.state != BookingState.DECLINED:
                found.append((visit.plan, visit.booking.state))
    return found


def wrong_tasks(fortnight):
    """Two hours after the end of a visit that took place, seen at the desk or not, it was still open: one task."""
    found = []
    for visit in fortnight.people.visits:
        tasks = Task.objects.filter(booking=visit.pk, kind=TaskKind.UNCLOSED).count()
        is_open = visit.arrived_at and visit.closed_at is None
        is_open = is_open or (visit.closed_at is not None and visit.closed_at > visit.end + 2 * HOUR)
        is_seen = is_open and any(visit.end + 2 * HOUR <= now < (visit.closed_at or ENDS) for now in fortnight.good)
        if tasks > bool(is_open) or tasks < bool(is_seen):
            found.append((visit.plan, tasks))
    return found


def lacks(fortnight):
    """A fortnight in which nothing died and nothing was skipped proves nothing."""
    states = Counter(OutgoingEmail.objects.filter(kind__in=COURSE).values_list("kind", "state"))
    asked = {
        "each kind goes": {kind for kind, state in states if state == "sent"} == set(COURSE),
        "some are skipped": sum(count for (_, state), count in states.items() if state == "skipped") >= 3,
        "many rounds die": fortnight.deaths["in the middle"] >= 10,
        "some are asked anew": any(any(asks_anew(visit)) for visit in fortnight.people.visits),
        "processes die": fortnight.deaths[KILLED] + fortnight.deaths[-9] == 2,
    }
    return [what for what, holds in asked.items() if not holds]
