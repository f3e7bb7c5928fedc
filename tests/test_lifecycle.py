import datetime as dt
from decimal import Decimal

import pytest

from bookings import lifecycle
from bookings.ages import AgeProblem
from bookings.models import Booking, BookingState, Claim, ConsentKind, Outcome, OutgoingEmail, Patient, Task, TaskKind
from bookings.models.event import Actor
from clinic.models import OpeningHours
from tests.factories import NOW, PATIENT, World, local, make_details, make_service, make_staff

pytestmark = pytest.mark.django_db
TUESDAY = dt.date(2026, 11, 24)
FRIDAY = dt.date(2026, 11, 27)
MINUTE = dt.timedelta(minutes=1)


def confirm(booking, *, visitor="v", now=NOW, **said):
    return lifecycle.confirm(booking, details=make_details(**said), visitor=visitor, now=now)


def verbs(booking):
    return [event.verb for event in booking.events.all()]


def test_a_hold_lasts_as_long_as_the_policy_says_and_snapshots_what_was_agreed():
    world = World(hold_minutes=25)

    booking = world.hold(local(TUESDAY, 10))

    assert booking.expires_at == NOW + 25 * MINUTE
    agreed = (booking.service_name, booking.minutes, booking.clean_up_minutes, booking.price, booking.currency)
    assert agreed == (world.service.name, 30, 15, Decimal(45), "USD")
    assert booking.cut_off_minutes == 24 * 60
    assert set(booking.reference) <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")


def test_a_free_visit_threatens_no_fee():
    world = World(late_fee=20)
    free = make_service(slug="review", price_kind="free", price=0)

    assert world.hold(local(TUESDAY, 10), service=free).late_fee == 0
    assert world.hold(local(TUESDAY, 11)).late_fee == 20


def test_picking_another_time_replaces_the_hold():
    world = World()
    world.hold(local(TUESDAY, 10))

    second = world.hold(local(TUESDAY, 11))

    assert list(Booking.objects.all()) == [second]


def test_a_refused_second_pick_leaves_the_first_hold_as_it_was():
    world = World()
    first = world.hold(local(TUESDAY, 10))
    world.hold(local(TUESDAY, 12), visitor="other")

    with pytest.raises(lifecycle.SlotTaken):
        world.hold(local(TUESDAY, 12))

    assert Booking.objects.filter(pk=first.pk, state=BookingState.HELD).exists()


def test_one_visitor_holds_two_times_at_most():
    world = World()
    world.hold(local(TUESDAY, 10))
    world.hold(local(TUESDAY, 11), another=True)

    with pytest.raises(lifecycle.TooManyHolds):
        world.hold(local(TUESDAY, 12), another=True)

    assert Booking.objects.count() == 2


def test_a_paused_clinic_holds_nothing_online():
    world = World(is_online_paused=True)

    with pytest.raises(lifecycle.Paused):
        world.hold(local(TUESDAY, 10))


def test_a_hold_is_renewed_from_now_but_never_past_the_limit():
    world = World(hold_minutes=20, hold_limit_minutes=30)
    booking = world.hold(local(TUESDAY, 10))

    lifecycle.extend(booking, now=NOW + 5 * MINUTE)
    assert booking.expires_at == NOW + 25 * MINUTE

    lifecycle.extend(booking, now=NOW + 20 * MINUTE)
    assert booking.expires_at == NOW + 30 * MINUTE
    with pytest.raises(lifecycle.HoldLimit):
        lifecycle.extend(booking, now=NOW + 25 * MINUTE)


def test_a_hold_that_is_gone_cannot_be_renewed():
    world = World()
    booking = world.hold(local(TUESDAY, 10))
    lifecycle.release(booking, now=NOW)

    with pytest.raises(lifecycle.HoldGone):
        lifecycle.extend(booking, now=NOW)


def test_giving_the_time_back_frees_it_and_a_second_time_is_harmless():
    world = World()
    booking = world.hold(local(TUESDAY, 10))

    lifecycle.release(booking, now=NOW)
    lifecycle.release(booking, now=NOW)

    assert not Booking.objects.exists()
    assert not Claim.objects.exists()


def test_release_never_touches_a_booked_visit():
    world = World()
    booking = confirm(world.hold(local(TUESDAY, 10)))

    lifecycle.release(booking, now=NOW)

    assert Booking.objects.get().state == BookingState.CONFIRMED


def test_confirming_writes_patient_history_and_mail_together():
    world = World()
    consent = (ConsentKind.GUIDANCE_READ, "WHY-1 v1", "I have read the advice on not squeezing")

    booking = confirm(world.hold(local(TUESDAY, 10)), consents=(consent,), shown=(("booking", "WHY-1", 1),))

    assert booking.state == BookingState.CONFIRMED
    assert booking.patient.name == "Robin Example"
    assert verbs(booking) == ["held", "booked"]
    assert sorted(OutgoingEmail.objects.values_list("kind", flat=True)) == ["confirmed", "staff_notice"]
    assert booking.consents.get().version == "WHY-1 v1"
    assert booking.shown_items.filter(moment="booking", code="WHY-1", version=1).exists()
    assert booking.is_screening_outstanding


def test_a_late_confirm_succeeds_while_nobody_took_the_time():
    world = World()
    booking = world.hold(local(TUESDAY, 10))

    booked = confirm(booking, now=NOW + world.clinic.hold + 10 * MINUTE)

    assert booked.state == BookingState.CONFIRMED


def test_a_late_confirm_is_refused_once_someone_took_the_time():
    world = World()
    booking = world.hold(local(TUESDAY, 10))
    later = NOW + world.clinic.hold
    world.hold(local(TUESDAY, 10), visitor="other", now=later)

    with pytest.raises(lifecycle.HoldGone):
        confirm(booking, now=later)

    assert not Patient.objects.exists()
    assert not OutgoingEmail.objects.exists()


def test_nobody_else_confirms_my_hold():
    world = World()
    booking = world.hold(local(TUESDAY, 10))

    with pytest.raises(lifecycle.HoldGone):
        confirm(booking, visitor="thief")

    assert Booking.objects.get().state == BookingState.HELD


def test_a_second_click_answers_the_same_booking_and_sends_nothing_more():
    world = World()
    held = world.hold(local(TUESDAY, 10))
    first = confirm(held)

    second = confirm(held, name="Someone Else")

    assert second == first
    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 1
    assert Patient.objects.get().name == "Robin Example"


def test_a_visit_cannot_be_confirmed_once_it_has_started():
    world = World()
    booking = world.hold(local(TUESDAY, 10))

    with pytest.raises(lifecycle.HoldGone):
        confirm(booking, now=local(TUESDAY, 10))


@pytest.mark.parametrize(
    ("born", "problem"),
    [
        (dt.date(2008, 11, 25), AgeProblem.BY_PHONE),
        (dt.date(2008, 11, 24), None),
        (None, None),
    ],
)
def test_age_counts_on_the_day_of_the_visit(born, problem):
    world = World()
    booking = world.hold(local(TUESDAY, 10))

    if problem is None:
        assert confirm(booking, date_of_birth=born).state == BookingState.CONFIRMED
    else:
        with pytest.raises(lifecycle.NotEligible) as refused:
            confirm(booking, date_of_birth=born)
        assert refused.value.problem is problem


def test_a_second_person_with_the_same_address_stays_another_person():
    world = World()
    first = confirm(world.hold(local(TUESDAY, 10)))

    second = confirm(world.hold(local(TUESDAY, 11)), name="Sam Example")

    assert first.patient != second.patient
    assert Patient.objects.get(pk=first.patient_id).name == "Robin Example"


def test_an_address_put_right_revokes_the_old_link_and_mails_again():
    world = World()
    booking = confirm(world.hold(local(TUESDAY, 10)))

    lifecycle.correct_email(booking, email="right@example.org", by=PATIENT, now=NOW)

    booking.refresh_from_db()
    assert booking.link_version == 2
    latest = OutgoingEmail.objects.filter(kind="confirmed").order_by("sequence").last()
    assert "right@example.org" in latest.recipient
    assert latest.sequence == 1


def test_an_address_put_right_online_leaves_the_same_persons_other_visits_alone():
    world = World()
    other = confirm(world.hold(local(TUESDAY, 10)))
    booking = confirm(world.hold(local(TUESDAY, 11)))
    assert other.patient == booking.patient

    lifecycle.correct_email(booking, email="right@example.org", by=PATIENT, now=NOW)

    other.refresh_from_db()
    assert other.patient.email == "robin@example.org"


@pytest.mark.parametrize("state", [BookingState.CANCELLED, BookingState.COMPLETED, BookingState.MISSED])
def test_a_visit_that_is_over_is_not_confirmed_again(state):
    world = World()
    booking = confirm(world.hold(local(TUESDAY, 10)))
    cancelled_at = NOW if state == BookingState.CANCELLED else None
    outcome = Outcome.TREATED if state == BookingState.COMPLETED else ""
    Booking.objects.filter(pk=booking.pk).update(state=state, cancelled_at=cancelled_at, outcome=outcome)
    written = OutgoingEmail.objects.count()

    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.correct_email(booking, email="right@example.org", by=PATIENT, now=NOW)
    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.resend(booking, by=PATIENT, now=NOW)

    booking.refresh_from_db()
    assert (booking.link_version, booking.patient.email) == (1, "robin@example.org")
    assert OutgoingEmail.objects.count() == written


def test_the_same_address_again_changes_nothing():
    world = World()
    booking = confirm(world.hold(local(TUESDAY, 10)))

    for _ in range(2):
        lifecycle.correct_email(booking, email="right@example.org", by=PATIENT, now=NOW)

    assert OutgoingEmail.objects.filter(kind="confirmed").count() == 2
    booking.refresh_from_db()
    assert booking.link_version == 2


def test_an_address_put_right_by_staff_reaches_all_upcoming_visits_of_that_person():
    world = World()
    first, second = confirm(world.hold(local(TUESDAY, 10))), confirm(world.hold(local(TUESDAY, 11)))

    lifecycle.correct_email(first, email="right@example.org", by=make_staff(), now=NOW)

    second.refresh_from_db()
    assert second.link_version == 2
    latest = OutgoingEmail.objects.filter(kind="confirmed", booking=second).latest("pk")
    assert "right@example.org" in latest.recipient
    waiting = OutgoingEmail.objects.filter(state="queued").exclude(kind="staff_notice")
    assert not waiting.filter(recipient__contains="robin@").exists()


def test_staff_move_a_visit_of_someone_who_could_not_book_it_online():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    Patient.objects.update(date_of_birth=dt.date(2010, 1, 1))

    with pytest.raises(lifecycle.NotEligible):
        lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=PATIENT, now=NOW)
    moved = lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=make_staff(), now=NOW)

    assert moved.starts_at == local(FRIDAY, 12)


def test_a_visit_of_a_service_that_is_no_longer_offered_can_still_move():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    world.service.retired_on = TUESDAY
    world.service.save()

    moved = lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=PATIENT, now=NOW)

    assert moved.starts_at == local(FRIDAY, 12)


def test_moving_swaps_the_claims_and_raises_the_sequence():
    world = World()
    booking = world.book(local(FRIDAY, 10))

    moved = lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 10, 15), by=PATIENT, now=NOW)

    assert moved.sequence == 1
    assert {claim.starts_at for claim in moved.claims.all()} == {local(FRIDAY, 10, 15)}
    assert verbs(moved)[-1] == "moved"
    assert OutgoingEmail.objects.filter(kind="moved").count() == 1


def test_moving_to_the_same_time_changes_nothing():
    world = World()
    booking = world.book(local(FRIDAY, 10))

    lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 10), by=PATIENT, now=NOW)

    booking.refresh_from_db()
    assert booking.sequence == 0
    assert not OutgoingEmail.objects.filter(kind="moved").exists()


def test_a_refused_move_leaves_the_visit_where_it_was():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    world.book(local(FRIDAY, 12))

    with pytest.raises(lifecycle.SlotTaken):
        lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=PATIENT, now=NOW)

    booking.refresh_from_db()
    assert booking.starts_at == local(FRIDAY, 10)
    assert booking.claims.count() == 2


def test_a_patient_moves_until_the_cut_off_and_staff_until_the_start():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    late = local(FRIDAY, 9)

    with pytest.raises(lifecycle.TooLate):
        lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=PATIENT, now=late)
    moved = lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=make_staff(), now=late)

    assert moved.starts_at == local(FRIDAY, 12)


def test_a_move_keeps_the_length_and_price_that_were_agreed():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    world.service.minutes, world.service.price = 60, Decimal(99)
    world.service.save()

    moved = lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=PATIENT, now=NOW)

    assert moved.ends_at - moved.starts_at == 30 * MINUTE
    assert moved.price == Decimal(45)


def test_cancelling_frees_the_time_and_tells_everyone():
    world = World()
    booking = world.book(local(FRIDAY, 10))

    cancelled = lifecycle.cancel(booking, reason="holiday", by=PATIENT, now=NOW)

    assert (cancelled.state, cancelled.sequence) == (BookingState.CANCELLED, 1)
    assert not cancelled.is_late_cancellation
    assert not Claim.objects.exists()
    assert OutgoingEmail.objects.filter(kind="cancelled").count() == 1


def test_cancelling_twice_changes_nothing():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)

    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)

    assert OutgoingEmail.objects.filter(kind="cancelled").count() == 1


def test_cancelling_after_the_cut_off_is_marked_late_and_after_the_start_refused():
    world = World()
    late, gone = world.book(local(FRIDAY, 10)), world.book(local(FRIDAY, 11))

    assert lifecycle.cancel(late, reason="", by=PATIENT, now=local(FRIDAY, 9)).is_late_cancellation
    with pytest.raises(lifecycle.TooLate):
        lifecycle.cancel(gone, reason="", by=PATIENT, now=local(FRIDAY, 11))


def test_a_cancelled_visit_cannot_be_moved():
    world = World()
    booking = lifecycle.cancel(world.book(local(FRIDAY, 10)), reason="", by=PATIENT, now=NOW)

    with pytest.raises(lifecycle.NotUpcoming):
        lifecycle.reschedule(booking, practitioner=None, start=local(FRIDAY, 12), by=PATIENT, now=NOW)


def test_the_sweep_deletes_only_holds_nobody_comes_back_to():
    world = World()
    world.hold(local(TUESDAY, 10), visitor="gone")
    later = NOW + dt.timedelta(hours=2) + world.clinic.hold
    fresh = world.hold(local(TUESDAY, 14), visitor="fresh", now=later - 30 * MINUTE)

    assert lifecycle.sweep(later) == 1
    assert list(Booking.objects.all()) == [fresh]


def test_history_names_the_person_who_acted():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    staff = make_staff("reception")

    lifecycle.cancel(booking, reason="phoned", by=staff, now=NOW)

    event = booking.events.last()
    assert (event.actor, event.by) == (Actor.STAFF, staff)


def test_asking_for_a_call_leaves_a_task_with_a_clock():
    world = World(reply_minutes=60)

    task = lifecycle.ask_us_to_call(
        clinic=world.clinic, name="Robin", phone="+12125550123", note="No free times", now=NOW
    )

    assert (task.kind, task.due_at) == (TaskKind.CALL_BACK, NOW + 60 * MINUTE)
    assert list(Task.objects.open()) == [task]


def test_who_asks_twice_is_called_once():
    world = World()

    def ask(now):
        return lifecycle.ask_us_to_call(clinic=world.clinic, name="Robin", phone="+12125550123", note="", now=now)

    first, second = ask(NOW), ask(NOW + MINUTE)

    assert first == second


def test_editing_the_catalogue_hours_or_people_alters_no_booking():
    world = World()
    booking = world.book(local(FRIDAY, 10))
    rows = [Booking.objects.filter(pk=booking.pk).values(), Claim.objects.order_by("pk").values()]
    before = [list(each.all()) for each in rows]

    world.service.price, world.service.minutes, world.service.name = Decimal(200), 90, "Renamed"
    world.service.retired_on = TUESDAY
    world.service.save()
    OpeningHours.objects.all().delete()
    world.practitioner.retired_on = TUESDAY
    world.practitioner.save()
    world.clinic.cut_off_minutes, world.clinic.late_fee = 0, Decimal(80)
    world.clinic.save()

    assert [list(each.all()) for each in rows] == before
