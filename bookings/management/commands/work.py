"""The worker: what is due around visits, due e-mail, run-out holds, spent counters. Any number may run at once."""

import datetime as dt
import logging
import signal
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone

from bookings import followup, lifecycle, limits, outbox
from bookings.models import Heartbeat, IdempotencyKey
from clinic import public_holidays

log = logging.getLogger(__name__)

PAUSE = dt.timedelta(seconds=2)
# Longer than any window that is counted.
COUNTERS_KEPT = dt.timedelta(days=2)
# No program tries the same request again for so long.
REQUESTS_KEPT = dt.timedelta(days=2)
FOLLOWS_UP = "followup"
FOLLOW_UP_EVERY = dt.timedelta(seconds=30)
TIDY_EVERY = dt.timedelta(hours=1)


class Command(BaseCommand):
    help = "Write and send what is due, and give back run-out holds, until stopped. With --once: one round."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if once:
            tidy(timezone.now())
            self.stdout.write(work(timezone.now()) or "Nothing was due.")
            return
        self.tidied_at = timezone.now() - TIDY_EVERY
        stopping = Stopping()
        self.stdout.write("The worker has started. Stop it with Ctrl+C.")
        if not settings.MAIL_IS_SENT:
            self.stdout.write("EMAIL_URL is not set: e-mail stays in the outbox.")
        while not stopping.is_asked:
            self.round()
            time.sleep(PAUSE.total_seconds())
        self.stdout.write("The worker has stopped.")

    def round(self) -> None:
        """A broken round is logged; the next one starts afresh."""
        close_old_connections()
        now = timezone.now()
        try:
            if now >= self.tidied_at + TIDY_EVERY:
                tidy(now)
                self.tidied_at = now
            done = work(now)
        except Exception:
            log.exception("a round of the worker broke")
        else:
            if done:
                self.stdout.write(done)


def work(now: dt.datetime) -> str:
    """One round of everything; says what it did, empty for nothing."""
    outbox.beat(now)
    found = followup.run(now) if is_time_to_follow_up(now) else {}
    mail = outbox.send_due(now)
    swept = lifecycle.sweep(now)
    counts = found | {"sent": mail.sent, "put off": mail.deferred, "failed": mail.failed, "holds given back": swept}
    return ", ".join(f"{name}: {count}" for name, count in counts.items() if count)


def is_time_to_follow_up(now: dt.datetime) -> bool:
    """Whether no worker has looked for what is due in the last half minute; then this one does.

    A look in the future was written by a clock that has been put right since.
    """
    if Heartbeat.objects.filter(name=FOLLOWS_UP, at__gt=now - FOLLOW_UP_EVERY, at__lte=now).exists():
        return False
    Heartbeat.objects.update_or_create(name=FOLLOWS_UP, defaults={"at": now})
    return True


def tidy(now: dt.datetime) -> None:
    """Forget what has served its purpose: counters, health answers, requests of programs, sessions with their forms.

    And enter the public holidays that have come into reach.
    """
    limits.forget_before(now - COUNTERS_KEPT)
    IdempotencyKey.objects.forget_before(now - REQUESTS_KEPT)
    lifecycle.delete_answers(now)
    SessionStore.clear_expired()
    public_holidays.keep_all(now)


class Stopping:
    """Set by SIGTERM and Ctrl+C: the round that runs is finished first."""

    def __init__(self) -> None:
        self.is_asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True
