"""Who is asking: a browser's session, a signed link or a member of staff, and the rows each of them may touch.

A visitor is a random key in the session, made by the first POST that needs one; a GET never makes one.
"""

import datetime as dt
import ipaddress
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from bookings import links
from bookings.models import Booking, BookingState, Guardian, Patient, ScreeningRun

VISITOR = "visitor"
SCREENING = "screening"
SCREENING_LIVES = dt.timedelta(hours=24)
SAID_IN_A_RUN = ("answers", "versions", "had_extraction", "last_extraction_on", "had_consultation", "expires_at")
DRAFT = "draft"
DONE = "done"
VISIT = "visit"
# Set beside VISIT when a mailed link, and not this browser's own booking, opened it.
BY_LINK = "by_link"
GUARDIAN = "guardian"


def visitor(request: HttpRequest) -> str:
    """The key of this browser's session, made when there is none. Only for POSTs."""
    if VISITOR not in request.session:
        request.session[VISITOR] = secrets.token_urlsafe(24)
    return known_visitor(request)


def known_visitor(request: HttpRequest) -> str:
    """The key of this browser's session, or "" for someone who has done nothing yet."""
    return str(request.session.get(VISITOR, ""))


def held(request: HttpRequest, reference: str = "") -> Booking | None:
    """The hold that a form names, if it is this visitor's; without a name the latest one."""
    mine = Booking.objects.with_everything().of_visitor(known_visitor(request))
    if reference:
        return mine.filter(reference=reference).first() if is_plain(reference) else None
    return mine.filter(state=BookingState.HELD).order_by("-held_at", "-pk").first()


def is_plain(text: str) -> bool:
    """Whether the database may be asked for it: PostgreSQL refuses NUL."""
    return "\0" not in text


def remember_done(request: HttpRequest, booking: Booking) -> None:
    """This browser booked it: it may see the thank-you page and the visit. Who comes next is asked anew."""
    request.session[DONE] = booking.pk
    for finished in (DRAFT, SCREENING):
        request.session.pop(finished, None)
    open_visit(request, booking.pk, booking.link_version)


def last_done(request: HttpRequest) -> Booking | None:
    """The visit this browser booked last."""
    if DONE not in request.session:
        return None
    mine = Booking.objects.with_everything().of_visitor(known_visitor(request))
    return mine.booked().filter(pk=request.session[DONE]).first()


def open_visit(request: HttpRequest, booking_id: int, link_version: int, *, by_link: bool = False) -> None:
    """Keep a visit in the session, as long as its links are not revoked. ``by_link``: a mailed link opened it."""
    request.session[VISIT] = [booking_id, link_version]
    request.session[BY_LINK] = by_link


def visit_by_link(token: str) -> Booking | None:
    """The booked visit that a mailed link stands for; None when it is tampered with or revoked."""
    found = links.read(token)
    return _visit(*found) if found else None


def visit_of(request: HttpRequest) -> Booking | None:
    """The booked visit that this session was opened for."""
    found = request.session.get(VISIT)
    return _visit(*found) if found else None


def _visit(booking_id: int, link_version: int) -> Booking | None:
    booked = Booking.objects.with_everything().booked()
    return booked.filter(pk=booking_id, link_version=link_version).first()


def came_by_link(request: HttpRequest) -> bool:
    """Whether a signed link opened this session's visit: then its patient's earlier visits count."""
    return bool(request.session.get(BY_LINK))


def known_patient(request: HttpRequest) -> Patient | None:
    """Who this is, for a visitor who came by a signed link; for everybody else nobody."""
    if not came_by_link(request):
        return None
    booking = visit_of(request)
    return booking.patient if booking else None


def screening_run(request: HttpRequest, now: dt.datetime) -> ScreeningRun | None:
    """What this browser has answered for a booking it has not made yet."""
    key = request.session.get(SCREENING, "")
    return ScreeningRun.objects.filter(key=key, booking=None, expires_at__gt=now).first() if key else None


def keep_run(request: HttpRequest, run: ScreeningRun, now: dt.datetime) -> ScreeningRun:
    """Store the answers for a day; the session knows no more than their key. Only for POSTs."""
    run.expires_at = now + SCREENING_LIVES
    if run._state.adding:
        run.save()
    else:
        # A second click may have booked it meanwhile: then the answers are the booking's, and stay as they are.
        said = {name: getattr(run, name) for name in SAID_IN_A_RUN}
        ScreeningRun.objects.filter(pk=run.pk, booking=None).update(**said)
    request.session[SCREENING] = run.key
    return run


def forget_answers(request: HttpRequest) -> None:
    """Nothing that was answered or typed stays."""
    key = request.session.pop(SCREENING, "")
    if key:
        ScreeningRun.objects.filter(key=key, booking=None).delete()
    request.session.pop(DRAFT, None)


def draft(request: HttpRequest) -> dict[str, Any]:
    """What this browser typed so far, as it was typed."""
    found = request.session.get(DRAFT)
    return found if isinstance(found, dict) else {}


def keep_draft(request: HttpRequest, typed: dict[str, str]) -> None:
    request.session[DRAFT] = typed


def client_address(request: HttpRequest) -> str:
    """Where the request comes from; with proxies of ours in front, the address the outermost of them saw."""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    count: int = settings.PROXY_COUNT
    if count and len(forwarded) >= count:
        return forwarded[-count]
    return str(request.META.get("REMOTE_ADDR", ""))


def is_own_machine(address: str) -> bool:
    """Whether a request comes from this computer itself, which says nothing about who is asking."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def may_correct_address(booking: Booking, now: dt.datetime) -> bool:
    """Online an address is put right soon after booking; later by phone."""
    return booking.booked_at is not None and now <= booking.booked_at + dt.timedelta(minutes=30)


def guardian_by_link(token: str) -> Guardian | None:
    """The guardian that a mailed link stands for; None when it is tampered with or revoked."""
    found = links.read_guardian(token)
    return _guardian(*found) if found else None


def open_guardian(request: HttpRequest, guardian: Guardian) -> None:
    request.session[GUARDIAN] = [guardian.pk, guardian.link_version]


def guardian_of(request: HttpRequest) -> Guardian | None:
    """The guardian whom this session was opened for."""
    found = request.session.get(GUARDIAN)
    return _guardian(*found) if found else None


def _guardian(guardian_id: int, link_version: int) -> Guardian | None:
    everything = "booking__service", "booking__location__clinic", "booking__practitioner", "booking__patient"
    found = Guardian.objects.select_related(*everything)
    return found.filter(pk=guardian_id, link_version=link_version).first()
