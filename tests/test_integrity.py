"""Every count of ``check_integrity`` is zero in a healthy clinic, and sees the break it is there for."""

import datetime as dt
import uuid
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from bookings import integrity, lifecycle
from bookings.models import Booking, BookingState, Claim, MailState, OutgoingEmail
from bookings.models.event import Actor
from tests.factories import NOW, World, local

pytestmark = pytest.mark.django_db
TUESDAY = dt.date(2026, 11, 24)


def broken(now: dt.datetime = NOW) -> dict[str, int]:
    return {what: count for what, count in integrity.counts(now).items() if count}


def unguarded_claim(claim: Claim) -> None:
    """A second claim on the same stretch, written past the database's own rule."""
    table = Claim._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER claims_never_overlap_on_insert")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT claims_never_overlap")
        cursor.execute(
            f"INSERT INTO {table} (booking_id, resource_id, starts_at, ends_at) "
            f"SELECT %s, resource_id, starts_at, ends_at FROM {table} WHERE id = %s",
            [another_booking(claim.booking).pk, claim.pk],
        )


def another_booking(booking: Booking) -> Booking:
    """A copy without claims; nothing but a broken database can hold it."""
    copy = Booking.objects.get(pk=booking.pk)
    copy.pk, copy.reference, copy.calendar_uid = None, "ZZZZZZ", uuid.uuid4()
    copy.save(force_insert=True)
    return copy


def test_a_clinic_in_order_counts_nothing():
    world = World()
    world.book(local(TUESDAY, 9))
    world.hold(local(TUESDAY, 11))
    lifecycle.cancel(world.book(local(TUESDAY, 10)), reason="", by=Actor.PATIENT, now=NOW)

    assert broken() == {}


def test_two_claims_that_touch_are_no_overlap():
    world = World(rooms=2)
    world.book(local(TUESDAY, 9))
    world.book(local(TUESDAY, 9, 30))

    assert broken() == {}


def test_an_overlap_is_counted():
    booking = World().book(local(TUESDAY, 9))
    # The savepoint brings the dropped rule back.
    with transaction.atomic():
        unguarded_claim(booking.claims.get(resource=booking.practitioner))
        found = integrity.overlapping_claims().count()
        transaction.set_rollback(True)

    assert found == 1


def test_a_booking_without_one_of_its_claims_is_counted():
    booking = World().book(local(TUESDAY, 9))

    booking.claims.filter(resource=booking.room).delete()

    assert broken() == {"live bookings without their claims": 1}


def test_a_claim_that_ends_before_the_visit_is_no_claim_on_it():
    booking = World().book(local(TUESDAY, 9))

    booking.claims.filter(resource=booking.practitioner).update(ends_at=booking.ends_at - dt.timedelta(minutes=5))

    assert broken() == {"live bookings without their claims": 1}


def test_a_cancelled_booking_that_kept_its_claims_is_counted():
    booking = World().book(local(TUESDAY, 9))

    Booking.objects.filter(pk=booking.pk).update(state=BookingState.CANCELLED, cancelled_at=NOW)

    assert broken() == {"cancelled bookings that still own claims": 1}


def test_a_confirmed_booking_without_its_confirmation_is_counted():
    booking = World().book(local(TUESDAY, 9))

    booking.emails.filter(kind="confirmed").delete()

    assert broken() == {"confirmed bookings without a confirmation row": 1}


def test_mail_leased_to_a_dead_worker_is_counted_once_nobody_takes_it_over():
    booking = World().book(local(TUESDAY, 9))
    booking.emails.filter(kind="confirmed").update(state=MailState.SENDING, lease=uuid.uuid4(), leased_until=NOW)

    assert broken(NOW + dt.timedelta(minutes=10)) == {}
    assert broken(NOW + dt.timedelta(minutes=31)) == {"e-mail stuck": 1}


@pytest.mark.parametrize(("is_sent", "stuck"), [(True, {"e-mail stuck": 2}), (False, {})])
def test_queued_mail_is_stuck_only_where_mail_is_sent(settings, is_sent, stuck):
    settings.MAIL_IS_SENT = is_sent
    World().book(local(TUESDAY, 9))

    assert OutgoingEmail.objects.filter(state=MailState.QUEUED).count() == 2
    assert broken(NOW + dt.timedelta(minutes=61)) == stuck


def test_the_command_prints_each_count_and_fails_when_one_is_not_zero():
    booking = World().book(local(TUESDAY, 9))
    healthy, broken_words = StringIO(), StringIO()

    call_command("check_integrity", stdout=healthy)
    booking.claims.all().delete()
    with pytest.raises(CommandError):
        call_command("check_integrity", stdout=broken_words)

    assert [line.split()[0] for line in healthy.getvalue().splitlines()] == ["0"] * 5
    assert "     1  live bookings without their claims" in broken_words.getvalue().splitlines()
