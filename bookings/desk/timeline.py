"""Who did what, and who read whose record: the audit log and the histories of all bookings in one line of time.

Both are read newest first, from where the last page ended, and merged by time. A page costs as many queries for many
lines as for one: two for the lines, and one for each kind of thing that is named on it.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.db.models import Model, Q, QuerySet

from bookings.desk import history, log_words
from bookings.desk.log_words import Change
from bookings.models import Booking, BookingEvent, Patient
from clinic import audit
from clinic.models import AuditEvent

PAGE_SIZE = 50
# At one moment the booking's own history comes before the log's row.
AUDIT, EVENT = 0, 1
READS, CHANGES = "reads", "changes"

Row = AuditEvent | BookingEvent
Place = tuple[dt.datetime, int, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """What the page shows: all of it, or what one person did, what was done to one patient or booking, on some days.

    ``show`` leaves only reads, or only changes. ``before`` is the place where the last page ended.
    """

    who: int | None = None
    patient: Patient | None = None
    booking: Booking | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    show: str = ""
    before: Place | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """One act: ``about`` is what it was done to, ``person`` and ``booking`` where a link may lead."""

    at: dt.datetime
    who: str
    what: str
    about: str
    patient: Patient | None = None
    booking: Booking | None = None
    more: str = ""
    reason: str = ""
    changes: tuple[Change, ...] = ()


def lines(asked: Asked, *, sees_answers: bool) -> tuple[list[Line], str]:
    """One page, newest first, and where the next one begins ("" at the end)."""
    found = _rows(asked)
    shown = found[:PAGE_SIZE]
    told = _events([row for row in shown if isinstance(row, BookingEvent)], sees_answers=sees_answers)
    told |= _audits([row for row in shown if isinstance(row, AuditEvent)])
    following = mark(_place(shown[-1])) if len(found) > PAGE_SIZE else ""
    return [told[_place(row)] for row in shown], following


def mark(place: Place) -> str:
    at, source, pk = place
    return f"{at.isoformat()}~{source}~{pk}"


def place_of(text: str) -> Place | None:
    """The place that ``mark`` wrote; None for anything else."""
    at, _, rest = text.partition("~")
    source, _, pk = rest.partition("~")
    try:
        found = dt.datetime.fromisoformat(at), int(source), int(pk)
    except ValueError:
        return None
    return found if found[0].tzinfo else None


def _rows(asked: Asked) -> list[Row]:
    audits, events = AuditEvent.objects.all(), BookingEvent.objects.filter(booking__patient__isnull=False)
    if asked.show == READS:
        audits, events = audits.filter(act=audit.READ), events.none()
    elif asked.show == CHANGES:
        audits = audits.exclude(act=audit.READ)
    if asked.patient or asked.booking:
        audits, events = audits.filter(_about(asked)), events.filter(booking__in=_bookings(asked))
    both: list[Iterable[Row]] = [
        _page(audits.select_related("by"), asked, AUDIT),
        _page(events.select_related("by", "booking__location", "booking__patient"), asked, EVENT),
    ]
    return sorted(chain(*both), key=_place, reverse=True)[: PAGE_SIZE + 1]


def _page(found: QuerySet[Any], asked: Asked, source: int) -> QuerySet[Any]:
    if asked.who:
        found = found.filter(by=asked.who)
    if asked.since:
        found = found.filter(at__gte=asked.since)
    if asked.until:
        found = found.filter(at__lt=asked.until)
    if asked.before:
        at, last_source, last_pk = asked.before
        same = Q(at=at, pk__lt=last_pk) if source == last_source else Q(at=at)
        found = found.filter(Q(at__lt=at) | same if source <= last_source else Q(at__lt=at))
    return found.order_by("-at", "-pk")[: PAGE_SIZE + 1]


def _about(asked: Asked) -> Q:
    """Rows about the booking or patient; a patient's include those of their bookings, and of records merged into it."""
    visits = [str(pk) for pk in _bookings(asked).values_list("pk", flat=True)]
    about = Q(kind="booking", key__in=visits)
    if asked.patient and not asked.booking:
        merged = Patient.objects.filter(merged_into=asked.patient).values_list("pk", flat=True)
        about |= Q(kind="patient", key__in=[str(pk) for pk in (asked.patient.pk, *merged)])
    return about


def _bookings(asked: Asked) -> QuerySet[Booking]:
    if asked.booking:
        return Booking.objects.filter(pk=asked.booking.pk)
    return Booking.objects.filter(patient=asked.patient)


def _place(row: Row) -> Place:
    return row.at, EVENT if isinstance(row, BookingEvent) else AUDIT, row.pk


def _events(rows: Sequence[BookingEvent], *, sees_answers: bool) -> dict[Place, Line]:
    entries = history.entries(rows, sees_answers=sees_answers)
    return {
        _place(row): Line(
            at=row.at,
            who=entry.who,
            what=entry.what,
            about=_visit(row.booking),
            booking=row.booking,
            more=entry.more,
            reason=entry.reason,
        )
        for row, entry in zip(rows, entries, strict=True)
    }


def _audits(rows: Sequence[AuditEvent]) -> dict[Place, Line]:
    things = log_words.things((row.kind, row.key) for row in rows)
    names = log_words.names(rows)
    return {_place(row): _audit(row, things.get((row.kind, row.key)), names) for row in rows}


def _audit(row: AuditEvent, thing: Model | None, names: log_words.Names) -> Line:
    booking = thing if isinstance(thing, Booking) and thing.patient else None
    return Line(
        at=row.at,
        who=history.name_of(row.by) if row.by else row.detail.get("actor", "system"),
        what=log_words.act(row),
        about=_visit(booking) if booking else log_words.about(row, thing),
        patient=thing if isinstance(thing, Patient) else None,
        booking=booking,
        more=log_words.more(row),
        reason=str(row.detail.get("reason", "")),
        changes=log_words.changes(row, names),
    )


def _visit(booking: Booking) -> str:
    return f"{booking.patient}, {booking.reference}" if booking.patient else booking.reference
