"""Reports and bookings as CSV files that a spreadsheet opens."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from bookings.desk.reports import visits
from bookings.desk.reports.figures import Cell, Report
from bookings.desk.reports.period import Period
from bookings.models import Booking

# A cell that begins so is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "Reference",
    "Date",
    "Time",
    "Minutes",
    "Service",
    "Practitioner",
    "Room",
    "State",
    "Outcome",
    "Price",
    "Paid",
    "Currency",
    "Booked on",
    "Late cancellation",
)
PERSON = ("Name", "Phone", "Email")
CHUNK = 500


class Echo:
    """What the csv module writes to: it hands each line straight on."""

    def write(self, line: str) -> str:
        return line


def report_file(slug: str, report: Report, period: Period) -> HttpResponse:
    """All tables of a report, one below the other. Shares are plain numbers from 0 to 1."""
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=_attached(slug, period))
    writer = csv.writer(response)
    for table in report.tables:
        writer.writerow([table.title])
        writer.writerow([plain(column) for column in table.columns])
        writer.writerows([plain(cell) for cell in row] for row in table.rows)
        writer.writerow([])
    return response


def bookings_file(period: Period, *, names_people: bool) -> StreamingHttpResponse:
    """Every booking that is due in these days, a row each; people only for those who may see patients."""
    writer = csv.writer(Echo())
    lines = (writer.writerow([plain(cell) for cell in row]) for row in _rows(period, names_people=names_people))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=_attached("bookings", period))


def plain(cell: Cell) -> str:
    """As a spreadsheet reads it; what would be a formula becomes text. A number keeps its minus sign."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.4f}"
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(cell, int | Decimal) else text


def _rows(period: Period, *, names_people: bool) -> Iterator[Iterable[Any]]:
    yield (*COLUMNS, *PERSON) if names_people else COLUMNS
    found = visits.due(period).select_related("practitioner", "room", "patient").prefetch_related("payments")
    for booking in found.order_by("starts_at", "pk").iterator(chunk_size=CHUNK):
        row = _row(booking, period.location.zone)
        person = booking.patient
        yield (*row, person.name, person.phone, person.email) if names_people and person else row


def _row(booking: Booking, zone: dt.tzinfo) -> tuple[Any, ...]:
    start = booking.starts_at.astimezone(zone)
    paid = [each.amount for each in booking.payments.all() if each.voided_at is None]
    return (
        booking.reference,
        start.date().isoformat(),
        f"{start:%H:%M}",
        booking.minutes,
        booking.service_name,
        booking.practitioner.name,
        booking.room.name if booking.room else "",
        booking.get_state_display(),
        booking.get_outcome_display(),
        booking.price,
        sum(paid, Decimal(0)),
        booking.currency,
        booking.booked_at.astimezone(zone).date().isoformat() if booking.booked_at else "",
        "yes" if booking.is_late_cancellation else "no",
    )


def _attached(name: str, period: Period) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}-{period.first}-{period.last}.csv"',
        "Cache-Control": "no-store, private",
    }
