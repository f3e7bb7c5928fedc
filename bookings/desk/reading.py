"""Who read whose record: each look of staff at what is kept of one patient stands in the audit log.

This is the only thing that a GET of the desk writes. Patients may ask who saw their record, and reading leaves no other
trace. The row stands alone, outside any transaction: a page that fails later was asked for all the same. Lists and
what a search finds are no reads; a page about one person is, also when a browser only fetches it ahead.
"""

import datetime as dt

from django.db.models import Model
from django.http import HttpRequest

from bookings.desk.doors import user_of
from clinic import audit

READS = frozenset({"GET", "HEAD"})


def read(request: HttpRequest, *subjects: Model, now: dt.datetime) -> None:
    """Note that whoever asks is shown these patients or bookings, all of one kind. What a POST does has its own row."""
    if request.method in READS:
        shown(request, *subjects, now=now)


def shown(request: HttpRequest, *subjects: Model, now: dt.datetime) -> None:
    """The same whatever the method: for a page that shows a record before anything is done with it."""
    page = request.resolver_match.url_name if request.resolver_match else ""
    audit.read(*subjects, page=page or "", by=user_of(request), now=now)
