"""Pages that keep themselves fresh: asked again every few seconds, and answered only when something has changed."""

import datetime as dt
import hashlib

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse

from bookings.desk.diary import CONFIRMATION, absences_between, bounds
from bookings.models import BookingEvent, MailState, OutgoingEmail
from clinic import audit
from clinic.models import AuditEvent, Location

# The page sends along which version it shows; that nobody pressed anything is known by it too.
SEEN = "live"


def version(location: Location, first: dt.date, last: dt.date, now: dt.datetime, *more: object) -> str:
    """Another word whenever those days may look different, and each minute. Four queries.

    Every change of a visit writes its history, and a hold that is let go takes its own along; every change of a person
    or of the set-up writes its line in the log. It is read before the page is, so that what happens between the two is
    seen the next time.
    """
    start, end = bounds(location, first)[0], bounds(location, last)[1]
    days = Q(booking__location=location, booking__starts_at__gte=start, booking__starts_at__lt=end)
    away = absences_between(location, start, end)
    mails = OutgoingEmail.objects.filter(days, kind=CONFIRMATION)
    found = (
        now.replace(second=0, microsecond=0),
        BookingEvent.objects.filter(days).aggregate(Max("pk"), Count("pk")),
        [(each.pk, each.starts_at, each.ends_at, each.reason) for each in away],
        AuditEvent.objects.exclude(act=audit.READ).aggregate(Max("pk")),
        mails.aggregate(Count("pk"), failed=Count("pk", filter=Q(state=MailState.FAILED)), last=Max("sent_at")),
        more,
    )
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def is_unchanged(request: HttpRequest, version: str) -> bool:
    return is_refresh(request) and request.GET[SEEN] == version


def nothing_new() -> HttpResponse:
    return HttpResponse(status=204)


def is_refresh(request: HttpRequest) -> bool:
    """Asked by the page itself, for its changing part alone."""
    return SEEN in request.GET and request.headers.get("HX-Request") == "true"


def context(request: HttpRequest, version: str) -> dict[str, object]:
    """What the changing part needs, to ask for itself again."""
    query = request.GET.copy()
    query.pop(SEEN, None)
    address = f"{request.path}?{query.urlencode()}" if query else request.path
    return {"use_htmx": True, "version": version, "address": address}
