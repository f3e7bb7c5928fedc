"""What a clinic's messages say, and those that did not arrive: acts of staff, each with its row in the audit log."""

import dataclasses
import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet

from bookings import emails, outbox
from bookings.emails import wordings
from bookings.emails.wordings import WORDINGS, Text
from bookings.lifecycle.history import record
from bookings.lifecycle.refusals import Refused
from bookings.models import Booking, OutgoingEmail
from bookings.models.mail import MailWording
from clinic import audit
from clinic.models import Clinic

# What asks for something is written as it was the first time.
ANEW = {"guardian": emails.guardian_request, "answer": emails.open_questions}


class NotWorded(Refused):
    """Said to staff. ``problems`` holds a sentence for each field that has one."""

    sentence = "This wording cannot be sent. Change it, then save it again."

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__()
        self.problems = problems


def reword(kind: str, *, text: Text, by: User, now: dt.datetime) -> bool:
    """Have messages of ``kind`` say ``text`` from now on; False if they already do. Raises NotWorded.

    The default words are no wording of the clinic's own: typing them takes its own back.
    """
    if problems := wordings.problems(kind, text):
        raise NotWorded(problems)
    if text == WORDINGS[kind].text:
        return reset_wording(kind, by=by, now=now)
    first = {"subject": text.subject, "opening": text.opening, "changed_at": now, "changed_by": by}
    with transaction.atomic():
        row, is_new = MailWording.objects.select_for_update().get_or_create(kind=kind, defaults=first)
        before = WORDINGS[kind].text if is_new else Text(row.subject, row.opening)
        if before == text:
            return False
        row.subject, row.opening, row.changed_at, row.changed_by = text.subject, text.opening, now, by
        row.save(update_fields=["subject", "opening", "changed_at", "changed_by"])
        _record("reworded", row, before, text, by=by, now=now)
    return True


def reset_wording(kind: str, *, by: User, now: dt.datetime) -> bool:
    """Have messages of ``kind`` say the default again; False if they already do."""
    with transaction.atomic():
        row = MailWording.objects.select_for_update().filter(kind=kind).first()
        if row is None:
            return False
        _record("wording set back", row, Text(row.subject, row.opening), WORDINGS[kind].text, by=by, now=now)
        row.delete()
    return True


def retry_message(email: OutgoingEmail, *, by: User, now: dt.datetime) -> bool:
    """Have a message that did not arrive tried once more; False if it is not waiting for that any more."""
    with transaction.atomic():
        is_tried = outbox.retry(email, now=now)
        if is_tried:
            audit.record("tried again", email, by=by, now=now, message=email.kind)
    return is_tried


def retry_failed(*, by: User, now: dt.datetime) -> int:
    """After the mail server was away: try all again that did not arrive and is still of use; returns how many."""
    with transaction.atomic():
        count = outbox.retry_failed(now)
        if count:
            audit.record("failed messages tried again", Clinic.objects.get(), by=by, now=now, count=count)
    return count


def send_again(email: OutgoingEmail, *, seen: int | None, by: User, now: dt.datetime) -> OutgoingEmail | None:
    """Write a message anew, with a link that works, for somebody who lost it. None where it is of no more use.

    ``seen`` is the newest one of its kind that somebody looked at: a second press changes nothing.
    """
    if email.booking is None:
        return None
    with transaction.atomic():
        email.booking = booking = Booking.objects.locked(email.booking.pk)
        if not email.is_written_anew(now) or newest_like(email) != seen:
            return None
        record(booking, "sent again", by=by, now=now, message=email.kind)
        if email.kind in ANEW:
            return ANEW[email.kind](booking, now=now)
        # Of the course there is one for each way the visit was arranged: this is one more.
        sequence = 1 + (_like(email).aggregate(last=Max("sequence"))["last"] or 0)
        return emails.post(emails.letter_of(email.kind, booking, now=now), booking, sequence=sequence, now=now)


def newest_like(email: OutgoingEmail) -> int:
    """The id of the newest message of the same kind about the same visit."""
    return _like(email).order_by("-pk").values_list("pk", flat=True).first() or 0


def _like(email: OutgoingEmail) -> QuerySet[OutgoingEmail]:
    return OutgoingEmail.objects.filter(booking=email.booking_id, kind=email.kind)


def _record(act: str, row: MailWording, before: Text, after: Text, *, by: User, now: dt.datetime) -> None:
    detail = {"message": row.kind, "before": dataclasses.asdict(before), "after": dataclasses.asdict(after)}
    audit.record(act, row, by=by, now=now, **detail)
