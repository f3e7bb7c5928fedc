"""The same request again: the same answer, and nothing twice.

The key is written first and the answer last, in one transaction with all that the request does. So of many at once one
does the work while the others wait for it, and a crash on the way leaves nothing behind, the key included. The price
is paid on SQLite, which has one writer: it is busy for as long as one such request takes, tens of milliseconds.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from bookings.api.door import Passing, Problem, Reply
from bookings.models import ApiKey, IdempotencyKey

NAME = re.compile(r"[\x21-\x7e]{1,80}")
NEEDED = "Send an “Idempotency-Key” header, such as a UUID: at most 80 characters, and a new one for each new request."
REUSED = "This Idempotency-Key was used for another request. Use a new one."
OUTDATED = "The health rules changed since this request was first answered. Send it with a new Idempotency-Key."


@dataclasses.dataclass(frozen=True)
class Call:
    """One request of a program. ``is_repeat``: it was answered before and only the same words are wanted again."""

    caller: ApiKey
    body: dict[str, Any]
    now: dt.datetime
    is_repeat: bool = False


Act = Callable[[Call], Reply]


def name_of(request: HttpRequest) -> str:
    name = request.headers.get("Idempotency-Key", "").strip()
    if not NAME.fullmatch(name):
        raise Passing(HTTPStatus.BAD_REQUEST, NEEDED, "idempotency_key_needed")
    return name


def fingerprint_of(request: HttpRequest) -> str:
    """Keyed: the body holds a name and health answers, and nobody with the table alone may try guesses on it."""
    said = f"{request.method} {request.path}\n".encode() + request.body
    return salted_hmac("bookings.api.request", said, algorithm="sha256").hexdigest()


def outdated() -> Problem:
    return Passing(HTTPStatus.CONFLICT, OUTDATED, "outdated")


def once(call: Call, name: str, fingerprint: str, act: Act) -> Reply:
    """Do ``act``, unless this request was answered before; then answer the same."""
    same = {"api_key": call.caller, "key": name}
    row = IdempotencyKey.objects.filter(**same).first()
    if row is None:
        fresh = IdempotencyKey(**same, fingerprint=fingerprint, made_at=call.now)
        with transaction.atomic(durable=True):
            # Waits here while another process answers the same; what that one wrote is then found below.
            IdempotencyKey.objects.bulk_create([fresh], ignore_conflicts=True)
            row = IdempotencyKey.objects.get(**same)
            if row.status is None:
                return _kept(row, _answered(act, call))
    if not constant_time_compare(row.fingerprint, fingerprint):
        raise Passing(HTTPStatus.UNPROCESSABLE_ENTITY, REUSED, "key_reused")
    return _again(row, call, act)


def _answered(act: Act, call: Call) -> Reply:
    """A refusal is an answer too; one that is only for now undoes the whole transaction."""
    try:
        return act(call)
    except Problem as problem:
        if not problem.is_final:
            raise
        return problem.reply()


def _kept(row: IdempotencyKey, reply: Reply) -> Reply:
    row.status, row.booking = reply.status, reply.booking
    row.body = dict(reply.body) if reply.is_kept else None
    row.save(update_fields=["status", "body", "booking"])
    return reply


def _again(row: IdempotencyKey, call: Call, act: Act) -> Reply:
    if row.body is not None:
        assert row.status is not None, "a row is seen by others only with its answer"
        return Reply(row.status, row.body)
    reply = _answered(act, dataclasses.replace(call, now=row.made_at, is_repeat=True))
    if reply.is_kept:
        raise outdated()
    return reply
