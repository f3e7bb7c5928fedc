"""The outbox: e-mail is a row of the act's own transaction; workers lease rows, send them, and write down the result.

At least once: a worker that dies between the server's "accepted" and our record leaves a row that is sent again, with
the same Message-ID, so that the reader's program can see that the two are one.
"""

import dataclasses
import datetime as dt
import logging
import time
import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Trim

from bookings import delivery, mime
from bookings.models import Booking, Heartbeat, MailState, OutgoingEmail, Patient, Task, TaskKind
from bookings.models.mail import ARRANGING, PASSING
from clinic.intervals import ONE_DAY
from clinic.models import Clinic
from clinic.opening import quiet_until

log = logging.getLogger(__name__)

STAFF_NOTICE = "staff_notice"
GUARDIAN = "guardian"
WORKER = "worker"
WORKER_IS_LATE_AFTER = dt.timedelta(minutes=5)

BATCH = 20
# A round ends after this long: leases count from its start, and the last one must outlive its message.
ROUND = dt.timedelta(seconds=30)
LONGEST_SEND = dt.timedelta(seconds=40)
LEASE = dt.timedelta(minutes=2)
FIRST_RETRY = dt.timedelta(minutes=1)
LONGEST_WAIT = dt.timedelta(hours=1)
GIVES_UP_AFTER = dt.timedelta(hours=48)
# The visit may be near.
PHONE_WITHIN = dt.timedelta(hours=2)
PHONE_MINUTES = PHONE_WITHIN // dt.timedelta(minutes=1)
# What is written when a visit is booked.
ON_BOOKING = frozenset({"confirmed", "pending"})
SHORTEST_TRY = dt.timedelta(minutes=15)
# Why a message was not sent, for staff.
NEVER_WRITTEN = "Its moment passed before it could be written."
TOO_LATE = "Its moment has passed."
CHANGED = "The visit has changed in the meantime."
OTHER_ADDRESS = "The address was corrected in the meantime."


@dataclasses.dataclass
class Sent:
    """What one round did."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0


def host() -> str:
    """The name that our Message-IDs and calendar UIDs end in."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def enqueue(
    message: mime.Message,
    *,
    booking: Booking,
    kind: str,
    name: str,
    address: str,
    sequence: int | None = None,
    due_at: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
    now: dt.datetime,
) -> OutgoingEmail:
    """Write the e-mail into the caller's transaction. Without an address it becomes a task to phone instead.

    ``sequence`` None counts the messages of this kind; a number makes it the only one of that number. It waits until
    ``due_at``, if that is given; from ``not_after`` on it is skipped instead of sent.
    """
    with transaction.atomic():
        email = OutgoingEmail.objects.create(
            booking=booking,
            kind=kind,
            sequence=_next_sequence(booking, kind) if sequence is None else sequence,
            not_after=not_after,
            recipient=_recipient(name, address),
            message_id=f"<{uuid.uuid4()}@{host()}>",
            state=MailState.QUEUED if address else MailState.NO_ADDRESS,
            created_at=now,
            due_at=due_at or now,
            **dataclasses.asdict(message),
        )
        if not address:
            _ask_to_phone(email, "There is no e-mail address.", now)
    return email


def list_as_skipped(
    booking: Booking, *, kind: str, subject: str, to: tuple[str, str], now: dt.datetime
) -> OutgoingEmail:
    """A message of the course whose moment passed before anybody could write it: staff see it, nobody gets it."""
    return OutgoingEmail.objects.create(
        booking=booking,
        kind=kind,
        sequence=booking.sequence,
        recipient=_recipient(*to),
        subject=subject,
        text="",
        message_id=f"<{uuid.uuid4()}@{host()}>",
        state=MailState.SKIPPED,
        created_at=now,
        due_at=now,
        last_error=NEVER_WRITTEN,
    )


def take_back(booking: Booking, *kinds: str) -> int:
    """Forget messages that nobody got: what they tell of was undone, and may be told anew; returns how many."""
    nobody_got_it = OutgoingEmail.objects.filter(state__in=[MailState.QUEUED, MailState.SKIPPED, MailState.NO_ADDRESS])
    taken, _ = nobody_got_it.filter(booking=booking, kind__in=kinds).delete()
    return taken


def skip_others(email: OutgoingEmail) -> int:
    """Take back what still waits to go to another address of this patient; returns how many."""
    waiting = OutgoingEmail.objects.filter(booking=email.booking, state=MailState.QUEUED).exclude(
        kind__in=[STAFF_NOTICE, GUARDIAN]
    )
    return _skip(waiting.exclude(recipient=email.recipient), OTHER_ADDRESS)


def readdress(patient: Patient) -> int:
    """What waits for this patient goes to them as they are named now, in the caller's transaction; returns how many.

    For a change that leaves their links good. After a corrected address the waiting messages are skipped instead, and
    so they are for somebody without an address.
    """
    if not patient.email:
        return 0
    waiting = OutgoingEmail.objects.in_state(MailState.QUEUED).filter(booking__patient=patient)
    theirs = waiting.exclude(kind__in=[STAFF_NOTICE, GUARDIAN]).exclude(booking__guardian__gets_mail=True)
    return theirs.update(recipient=_recipient(patient.name, patient.email))


def send_due(now: dt.datetime) -> Sent:
    """One round: send what is due until nothing is left or the round is over. Call it outside a transaction.

    While mail is not set up the rows wait. A server that is down costs one attempt a round, not one for each message.
    """
    done = Sent()
    if not settings.MAIL_IS_SENT:
        return done
    _skip_what_is_over(now)
    line = get_connection()
    ends = time.monotonic() + ROUND.total_seconds()
    try:
        while time.monotonic() < ends and (keys := _due(now)) and _is_open(line, now):
            _send_batch(line, keys, ends, now, done)
    finally:
        delivery.hang_up(line)
    return done


def retry(email: OutgoingEmail, *, now: dt.datetime) -> bool:
    """Have a failed or waiting e-mail tried at once; False if it is neither any more, or of no more use."""
    failed = OutgoingEmail.objects.worth_trying_again(now).values("pk")
    again = OutgoingEmail.objects.filter(Q(state=MailState.QUEUED) | Q(pk__in=failed), pk=email.pk)
    return bool(again.exclude(recipient="").update(state=MailState.QUEUED, due_at=now, attempts=0))


def retry_failed(now: dt.datetime) -> int:
    """The same for all that did not arrive and are still of use; returns how many."""
    return OutgoingEmail.objects.worth_trying_again(now).update(state=MailState.QUEUED, due_at=now, attempts=0)


def beat(now: dt.datetime) -> None:
    """A worker says that it lives."""
    alive = Heartbeat(name=WORKER, at=now)
    Heartbeat.objects.bulk_create([alive], update_conflicts=True, unique_fields=["name"], update_fields=["at"])


def is_worker_late(now: dt.datetime) -> bool:
    """Whether no worker has said that it lives for longer than it should."""
    return not Heartbeat.objects.filter(name=WORKER, at__gt=now - WORKER_IS_LATE_AFTER).exists()


def lease(key: int, now: dt.datetime) -> OutgoingEmail | None:
    """Take one due row for ourselves; None if another worker was faster."""
    mine = uuid.uuid4()
    due = OutgoingEmail.objects.due(now).filter(pk=key)
    won = due.update(state=MailState.SENDING, lease=mine, leased_until=now + LEASE, attempts=F("attempts") + 1)
    leased = OutgoingEmail.objects.select_related("booking__patient", "booking__guardian", "booking__location").filter(
        pk=key, lease=mine
    )
    return leased.first() if won else None


def record_sent(email: OutgoingEmail, now: dt.datetime) -> bool:
    """Write down that it went; False if the lease is no longer ours: then nothing is written."""
    return _end_lease(email, state=MailState.SENT, sent_at=now, last_error="")


def record_problem(email: OutgoingEmail, problem: Exception, now: dt.datetime) -> bool:
    """Write down why it did not go. True: it is tried again later. False: it is hopeless, and somebody phones."""
    words = delivery.words(problem)
    if not delivery.is_permanent(problem) and now < gives_up_at(email):
        _end_lease(email, state=MailState.QUEUED, due_at=now + wait_after(email.attempts), last_error=words)
        return True
    with transaction.atomic():
        if _end_lease(email, state=MailState.FAILED, last_error=words):
            _ask_to_phone(email, f"An e-mail did not arrive. {words}", now)
    return False


def gives_up_at(email: OutgoingEmail) -> dt.datetime:
    """After two days; earlier where a visit is near, so that there is time to phone.

    A message that has its moment is tried for as long as that lasts, and then skipped.
    """
    latest = email.created_at + GIVES_UP_AFTER
    if email.booking is None or email.not_after is not None:
        return latest
    return max(email.created_at + SHORTEST_TRY, min(latest, email.booking.starts_at - PHONE_WITHIN))


def wait_after(attempts: int) -> dt.timedelta:
    """1, 2, 4, … minutes, at most an hour."""
    return min(FIRST_RETRY * (1 << min(attempts - 1, 10)), LONGEST_WAIT)


def _next_sequence(booking: Booking, kind: str) -> int:
    # Two clicks on "send again" queue here and count one after the other.
    list(Booking.objects.filter(pk=booking.pk).select_for_update(no_key=True).values_list("pk"))
    return OutgoingEmail.objects.filter(booking=booking, kind=kind).count()


def _recipient(name: str, address: str) -> str:
    """With the name, unless the column cannot hold both."""
    if not address:
        return ""
    full = mime.mailbox(name, address)
    return full if len(full) <= (OutgoingEmail._meta.get_field("recipient").max_length or 0) else address


def _ask_to_phone(email: OutgoingEmail, why: str, now: dt.datetime) -> None:
    """One open task for each e-mail. A notice to the clinic itself needs none: the desk shows it."""
    if email.kind == STAFF_NOTICE:
        return
    note = f"{email.subject}\n{why}"
    if not Task.objects.open().filter(booking=email.booking, note=note).exists():
        Task.objects.create(
            kind=TaskKind.PHONE_PATIENT,
            booking=email.booking,
            note=note,
            created_at=now,
            due_at=_phone_by(email, now),
        )


def _phone_by(email: OutgoingEmail, now: dt.datetime) -> dt.datetime:
    """Whoever books without an address knows the time they booked: the day before is soon enough."""
    if email.booking is None:
        return now + PHONE_WITHIN
    soon = email.booking.seen_to_by(now, minutes=PHONE_MINUTES)
    is_known = email.state == MailState.NO_ADDRESS and email.kind in ON_BOOKING
    return max(soon, email.booking.starts_at - ONE_DAY) if is_known else soon


def _skip_what_is_over(now: dt.datetime) -> int:
    """What must not go any more is listed at once, however long the mail server stays away."""
    nobody_has_it = Q(state=MailState.QUEUED) | Q(state=MailState.SENDING, leased_until__lte=now)
    over = OutgoingEmail.objects.filter(nobody_has_it, not_after__lte=now)
    return _skip(over, TOO_LATE) if over.exists() else 0


def _skip(emails: QuerySet[OutgoingEmail], why: str) -> int:
    """Skip them for one reason; what a mail server said before stays beside it."""
    words = Trim(Concat(Value(f"{why} "), "last_error"))
    return emails.update(state=MailState.SKIPPED, last_error=words, lease=None, leased_until=None)


def _due(now: dt.datetime) -> list[int]:
    """The next few. New ones go first, so that one which keeps failing never delays them."""
    due = OutgoingEmail.objects.due(now).order_by("attempts", "due_at", "pk")
    return list(due.values_list("pk", flat=True)[:BATCH])


def _is_open(line: BaseEmailBackend, now: dt.datetime) -> bool:
    """Connect. A server that is down is noted on every row that waits, and is asked again a minute later."""
    try:
        line.open()
    except OSError as problem:
        log.warning("the mail server cannot be reached: %s", type(problem).__name__)
        _wait_for_server(delivery.words(problem), now)
        return False
    return True


def _wait_for_server(words: str, now: dt.datetime) -> None:
    waiting = OutgoingEmail.objects.filter(state=MailState.QUEUED, due_at__lte=now)
    for email in waiting.select_related("booking"):
        if now >= gives_up_at(email):
            _give_up(email, words, now)
    waiting.update(due_at=now + FIRST_RETRY, last_error=words)


def _give_up(email: OutgoingEmail, words: str, now: dt.datetime) -> None:
    still_waiting = OutgoingEmail.objects.filter(pk=email.pk, state=MailState.QUEUED)
    with transaction.atomic():
        if still_waiting.update(state=MailState.FAILED, last_error=words):
            _ask_to_phone(email, f"An e-mail did not arrive. {words}", now)


def _send_batch(line: BaseEmailBackend, keys: list[int], ends: float, now: dt.datetime, done: Sent) -> None:
    """Until the round is over or the line breaks."""
    clinic = Clinic.objects.get()
    for key in keys:
        if time.monotonic() >= ends:
            return
        email = lease(key, now)
        if email is not None and not _send(line, email, clinic, _by_now(now, ends), now, done):
            return


def _by_now(now: dt.datetime, ends: float) -> dt.datetime:
    """A round may last half a minute; what it sends at its end has to be right then."""
    return now + ROUND - dt.timedelta(seconds=ends - time.monotonic())


def _send(
    line: BaseEmailBackend, email: OutgoingEmail, clinic: Clinic, by_now: dt.datetime, now: dt.datetime, done: Sent
) -> bool:
    """Outside any transaction: a slow server must never keep the database waiting. False: connect anew."""
    needless = _why_not(email, by_now)
    if needless:
        _end_lease(email, state=MailState.SKIPPED, last_error=f"{needless} {email.last_error}".strip())
        return True
    if night_ends := _end_of_night(email, clinic, by_now):
        _end_lease(email, state=MailState.QUEUED, due_at=night_ends, attempts=F("attempts") - 1)
        return True
    try:
        with delivery.cut_after(LONGEST_SEND, line):
            line.send_messages([_wire(email, clinic)])
    except (OSError, ValueError) as problem:
        log.warning("e-mail %s did not go: %s", email.pk, type(problem).__name__)
        delivery.hang_up(line)
        is_tried_again = record_problem(email, problem, now)
        done.deferred += is_tried_again
        done.failed += not is_tried_again
        return False
    done.sent += record_sent(email, now)
    return True


def _why_not(email: OutgoingEmail, now: dt.datetime) -> str:
    """What happened while it waited that makes this message wrong by now; "" when it may go."""
    if email.not_after is not None and now >= email.not_after:
        return TOO_LATE
    if not _is_for_present_address(email):
        return OTHER_ADDRESS
    booking = email.booking
    if email.kind in ARRANGING and OutgoingEmail.objects.filter(pk=email.pk).outdated().exists():
        return CHANGED
    if booking is None or email.kind not in PASSING:
        return ""
    # A later number than the visit's: staff had it written once more.
    return "" if booking.state in PASSING[email.kind] and booking.sequence <= email.sequence else CHANGED


def _is_for_present_address(email: OutgoingEmail) -> bool:
    """A link must not go to an address that was corrected while the message waited."""
    booking = email.booking
    if booking is None or booking.patient is None or email.kind == STAFF_NOTICE:
        return True
    if email.kind == GUARDIAN:
        guardian = getattr(booking, "guardian", None)
        return guardian is not None and email.recipient == _recipient(guardian.name, guardian.email)
    return email.recipient == _recipient(*booking.reader)


def _end_of_night(email: OutgoingEmail, clinic: Clinic, now: dt.datetime) -> dt.datetime | None:
    """Until when a message that may wait for the morning does, by the clock of its visit; None by day."""
    if email.booking is None or email.kind not in PASSING:
        return None
    return quiet_until(clinic=clinic, zone=email.booking.location.zone, now=now)


def _wire(email: OutgoingEmail, clinic: Clinic) -> EmailMultiAlternatives:
    message = mime.Message(
        subject=email.subject,
        text=email.text,
        html=email.html,
        calendar=email.calendar,
        calendar_method=email.calendar_method,
    )
    envelope = mime.Envelope(
        sender=mime.mailbox(clinic.name, settings.DEFAULT_FROM_EMAIL or clinic.email),
        recipient=email.recipient,
        reply_to=mime.mailbox(clinic.name, clinic.email),
        message_id=email.message_id,
        written_at=email.created_at,
    )
    return mime.build(message, envelope)


def _end_lease(email: OutgoingEmail, **result: object) -> bool:
    """End the lease with a result, if it is still ours."""
    ours = OutgoingEmail.objects.filter(pk=email.pk, lease=email.lease, state=MailState.SENDING)
    return bool(ours.update(lease=None, leased_until=None, **result))
