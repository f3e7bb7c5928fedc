"""What must never be, counted. Every count is zero in a healthy clinic."""

import datetime as dt

from django.conf import settings
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, RowRange, Window

from bookings.models import Booking, Claim, MailState, OutgoingEmail
from bookings.models.states import WITH_CLAIMS

CONFIRMATION = "confirmed"
# A lease lasts minutes; whoever held one this long ago is dead, and no worker has taken it over.
LEASE_IS_STUCK_AFTER = dt.timedelta(minutes=30)
QUEUE_IS_STUCK_AFTER = dt.timedelta(hours=1)


def counts(now: dt.datetime) -> dict[str, int]:
    """Each promise in words, with how many rows break it."""
    return {
        "overlapping claims": overlapping_claims().count(),
        "live bookings without their claims": live_without_claims().count(),
        "cancelled bookings that still own claims": dead_with_claims().count(),
        "confirmed bookings without a confirmation row": without_confirmation().count(),
        "e-mail stuck": stuck_mail(now).count(),
    }


def overlapping_claims() -> QuerySet[Claim]:
    """Claims that start before an earlier claim on the same resource has ended."""
    earlier = Window(
        Max("ends_at"), partition_by=F("resource"), order_by=[F("starts_at"), F("pk")], frame=RowRange(end=-1)
    )
    return Claim.objects.annotate(taken_until=earlier).filter(taken_until__gt=F("starts_at"))


def live_without_claims() -> QuerySet[Booking]:
    """Live bookings whose practitioner or room is not claimed from the start to at least the end of the visit."""
    whole_visit = Claim.objects.filter(
        booking=OuterRef("pk"), starts_at__lte=OuterRef("starts_at"), ends_at__gte=OuterRef("ends_at")
    )
    has_practitioner = Exists(whole_visit.filter(resource=OuterRef("practitioner")))
    has_room = Q(room=None) | Exists(whole_visit.filter(resource=OuterRef("room")))
    return Booking.objects.filter(state__in=WITH_CLAIMS).exclude(Q(has_practitioner) & has_room)


def dead_with_claims() -> QuerySet[Booking]:
    return Booking.objects.exclude(state__in=WITH_CLAIMS).filter(Exists(Claim.objects.filter(booking=OuterRef("pk"))))


def without_confirmation() -> QuerySet[Booking]:
    confirmation = OutgoingEmail.objects.filter(booking=OuterRef("pk"), kind=CONFIRMATION)
    return Booking.objects.filter(confirmed_at__isnull=False).exclude(Exists(confirmation))


def stuck_mail(now: dt.datetime) -> QuerySet[OutgoingEmail]:
    """Leased to a dead worker and not taken over, or due for long although this clinic does send mail."""
    stuck = Q(state=MailState.SENDING, leased_until__lt=now - LEASE_IS_STUCK_AFTER)
    if settings.MAIL_IS_SENT:
        stuck |= Q(state=MailState.QUEUED, due_at__lt=now - QUEUE_IS_STUCK_AFTER)
    return OutgoingEmail.objects.filter(stuck)
