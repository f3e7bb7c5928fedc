"""One booking, with all that was said, agreed, sent and done."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings import access
from bookings.desk.doors import notices, sees_bookings
from bookings.models import Booking, BookingEvent, OutgoingEmail


def booked(reference: str) -> Booking:
    """The booking that staff name; 404 for a hold, which has no person yet. References are typed in any case."""
    if not access.is_plain(reference):
        raise Http404("no such reference")
    visits = Booking.objects.with_everything().filter(patient__isnull=False)
    return get_object_or_404(visits, reference=reference.replace(" ", "").upper())


@never_cache
@require_safe
@sees_bookings
def show(request: HttpRequest, reference: str) -> HttpResponse:
    now = timezone.now()
    booking = booked(reference)
    context = {
        "booking": booking,
        "can_change": booking.is_upcoming and not booking.has_started(now),
        "history": BookingEvent.objects.filter(booking=booking).select_related("by").order_by("-at", "-id"),
        "desk_notices": notices(now),
        **_papers(booking),
    }
    return render(request, "desk/booking.html", context)


def _papers(booking: Booking) -> dict[str, Any]:
    """What hangs on a booking: messages, consents, the things it claims, open tasks."""
    return {
        "emails": OutgoingEmail.objects.filter(booking=booking).defer("text", "html", "calendar"),
        "consents": booking.consents.order_by("id"),
        "claims": booking.claims.select_related("resource").order_by("resource__kind", "id"),
        "open_tasks": booking.tasks.filter(done_at=None),
    }
