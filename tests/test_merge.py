"""Two records of one person become one, and two again; two people with one address stay two."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User

from bookings import lifecycle, links
from bookings.lifecycle import matching
from bookings.models import Booking, MailState, OutgoingEmail, Patient, PatientMerge, Task, TaskKind
from clinic.models import AuditEvent, Service, Verdict
from tests.desk import MONDAY, TUESDAY, book_with
from tests.factories import NOW, PATIENT, World, local, make_details, make_staff
from tests.online import make_world
from tests.racing import race

pytestmark = pytest.mark.django_db

LATER = NOW + dt.timedelta(hours=1)
OLD: dict[str, Any] = {"name": "Robin Example", "email": "old@example.org", "phone": "+12125550199"}


@pytest.fixture
def by() -> User:
    return make_staff("rosa")


@pytest.fixture
def world() -> World:
    return World(practitioners=2, rooms=2)


def two(world: World, **other: Any) -> tuple[Booking, Booking]:
    """A visit each of two records: same name and birth date, unless ``other`` says otherwise of the second."""
    return world.book(local(MONDAY, 10)), world.book(local(MONDAY, 12), **{**OLD, **other})


def who(booking: Booking) -> Patient:
    found = Booking.objects.get(pk=booking.pk).patient
    assert found
    return found


def merge(first: Booking, second: Booking, by: User, **asked: Any) -> PatientMerge:
    return lifecycle.merge_patients(who(first), who(second), by=by, now=NOW, **asked)


def unmerge(done: PatientMerge, by: User) -> PatientMerge:
    return lifecycle.unmerge_patients(done, by=by, now=LATER)


def verdict_on(booking: Booking) -> str:
    found = Booking.objects.with_everything().get(pk=booking.pk)
    return lifecycle.outlook_for(found, NOW).outcome(found.practitioner.code, found.local_date).verdict


def said_by(patient: Patient) -> tuple[str, str, str]:
    patient.refresh_from_db()
    return patient.name, patient.email, patient.phone


def test_all_visits_are_one_person_s_and_the_chosen_details_are_kept(world: World, by: User) -> None:
    first, second = two(world)
    kept, other = who(first), who(second)

    done = merge(first, second, by, values=["phone"])

    assert who(first) == who(second) == kept
    assert said_by(kept) == ("Robin Example", "robin@example.org", OLD["phone"])
    assert list(Patient.objects.current()) == [kept]
    assert (done.moved, done.before) == ([second.pk], {"phone": "+12125550123"})
    assert second.events.last().verb == "merged with another record"
    row = AuditEvent.objects.get(act="merged")
    assert (row.by, row.key, row.detail["phone"]) == (by, str(kept.pk), ["+12125550123", OLD["phone"]])
    assert row.detail["other"] == other.pk


def test_what_the_kept_record_lacks_is_taken_over_unasked(world: World, by: User) -> None:
    first = world.book(local(MONDAY, 10), email="", date_of_birth=None)
    second = world.book(local(MONDAY, 12), **OLD)

    merge(first, second, by)

    kept = who(first)
    assert (kept.email, kept.phone, kept.date_of_birth) == (OLD["email"], "+12125550123", dt.date(1990, 3, 17))


def test_links_that_were_mailed_to_either_keep_working(world: World, by: User, client: Any) -> None:
    first, second = two(world)
    mailed = [links.make(each.pk, each.link_version) for each in (first, second)]

    merge(first, second, by)

    answers = [client.get(f"/visit/{link}/") for link in mailed]
    assert [(each.status_code, each.get("Location")) for each in answers] == [(303, "/visit/")] * 2


def test_a_message_that_waits_goes_to_the_address_that_is_kept(world: World, by: User) -> None:
    first, second = two(world)

    merge(first, second, by)

    waiting = OutgoingEmail.objects.exclude(kind="staff_notice").filter(booking=second)
    assert [each.recipient for each in waiting] == ["Robin Example <robin@example.org>"]
    assert [each.state for each in waiting] == [MailState.QUEUED]


def test_a_second_press_answers_the_same_merge(world: World, by: User) -> None:
    first, second = two(world)
    kept, other = who(first), who(second)

    done, again = (lifecycle.merge_patients(kept, other, by=by, now=now) for now in (NOW, LATER))

    assert (again.pk, PatientMerge.objects.count(), AuditEvent.objects.filter(act="merged").count()) == (done.pk, 1, 1)


@pytest.mark.parametrize("other", [{"name": "Kim Example"}, {"date_of_birth": dt.date(1988, 1, 2)}])
def test_two_who_look_like_two_people_are_merged_only_on_somebody_s_word(
    world: World, by: User, other: dict[str, Any]
) -> None:
    first, second = two(world, **other)

    with pytest.raises(lifecycle.LookLikeTwo):
        merge(first, second, by)
    assert who(first) != who(second)

    merge(first, second, by, is_same_person=True)
    assert who(first) == who(second)


def test_two_people_with_one_address_and_phone_stay_two(world: World, by: User) -> None:
    """A mother books for both; later each books again, online and at the desk."""
    robin = world.book(local(MONDAY, 10))
    kim = world.book(local(MONDAY, 12), name="Kim Example", date_of_birth=dt.date(2001, 5, 6))
    again = world.book(local(TUESDAY, 10))
    held = world.hold(local(TUESDAY, 12), visitor="desk", now=NOW)
    at_desk = lifecycle.confirm(
        held,
        details=make_details(name="Kim Example", date_of_birth=dt.date(2001, 5, 6)),
        visitor="desk",
        by=by,
        now=NOW,
    )

    assert who(robin) != who(kim)
    assert (who(again), who(at_desk)) == (who(robin), who(kim))
    assert list(Patient.objects.like(who(robin))) == [who(kim)]


def test_who_books_with_the_details_of_the_merged_record_is_the_person_who_was_kept(world: World, by: User) -> None:
    first, second = two(world)
    merge(first, second, by)

    booking = world.book(local(TUESDAY, 10), now=LATER, **OLD)

    assert who(booking) == who(first)
    letter = OutgoingEmail.objects.get(booking=booking, kind="confirmed")
    assert letter.recipient == "Robin Example <robin@example.org>"


def test_the_waits_after_earlier_visits_count_for_both(by: User) -> None:
    world = make_world(practitioners=2, rooms=2)
    Service.objects.update(body_areas=["nose"])
    treated = book_with(world, local(MONDAY, 10), **OLD)
    lifecycle.complete(treated, by=PATIENT, now=local(MONDAY, 11))
    soon = world.book(local(TUESDAY, 10), now=local(MONDAY, 12))
    assert verdict_on(soon) == Verdict.OK

    merge(soon, treated, by)

    assert verdict_on(soon) == Verdict.WAIT
    assert Task.objects.filter(booking=soon, kind=TaskKind.HISTORY).exists()


def test_who_once_gave_the_details_of_the_kept_person_is_still_looked_at(world: World, by: User) -> None:
    """The record that was merged away has no visits any more; those of the person it stands for count."""
    first, second = two(world)
    merge(first, second, by)
    stranger = world.book(local(TUESDAY, 10), name="R. Example", email=OLD["email"], phone="+12125550155")

    assert matching.people_like(who(stranger)) == {who(first).pk}


def test_undone_what_came_along_goes_back_and_what_came_since_stays(world: World, by: User) -> None:
    first, second = two(world)
    kept, other = who(first), who(second)
    done = merge(first, second, by, values=["email", "phone"])
    since = world.book(local(TUESDAY, 10), now=LATER, **OLD)
    lifecycle.correct_patient(
        kept,
        name=kept.name,
        email=OLD["email"],
        phone="+12125550177",
        date_of_birth=kept.date_of_birth,
        by=by,
        now=LATER,
    )

    unmerge(done, by)

    assert (who(first), who(second), who(since)) == (kept, other, kept)
    assert said_by(kept) == ("Robin Example", "robin@example.org", "+12125550177")
    assert said_by(other) == (OLD["name"], OLD["email"], OLD["phone"])
    assert Patient.objects.current().count() == 2
    done.refresh_from_db()
    assert (done.undone_at, done.undone_by) == (LATER, by)
    assert world.book(local(TUESDAY, 12), now=LATER, **OLD).patient == other


def test_an_undo_pressed_twice_changes_nothing_more(world: World, by: User) -> None:
    first, second = two(world)
    done = merge(first, second, by)
    unmerge(done, by)
    rows = AuditEvent.objects.count()

    unmerge(done, by)

    assert AuditEvent.objects.count() == rows
    assert who(first) != who(second)


def test_a_visit_that_became_somebody_else_s_is_not_brought_back(world: World, by: User) -> None:
    first, second = two(world)
    done = merge(first, second, by)
    lifecycle.correct_email(second, email="new@example.org", by=PATIENT, now=LATER)
    forked = who(second)

    unmerge(done, by)

    assert who(second) == forked
    assert forked not in (done.kept, done.merged)


def test_merges_of_merges_are_undone_from_the_last_one_back(world: World, by: User) -> None:
    first, second = two(world)
    third = world.book(local(TUESDAY, 10), email="third@example.org")
    people = [who(each) for each in (first, second, third)]
    one = merge(first, second, by)
    other = merge(third, first, by)
    assert {who(each) for each in (first, second, third)} == {people[2]}
    assert Patient.objects.get(pk=people[1].pk).merged_into == people[2]

    with pytest.raises(lifecycle.MergedOnwards):
        unmerge(one, by)
    unmerge(other, by)
    assert [who(each) for each in (first, second, third)] == [people[0], people[0], people[2]]
    assert Patient.objects.get(pk=people[1].pk).merged_into == people[0]

    unmerge(one, by)
    assert [who(each) for each in (first, second, third)] == people


def test_a_record_that_is_gone_is_neither_corrected_nor_merged_again(world: World, by: User) -> None:
    first, second = two(world)
    third = world.book(local(TUESDAY, 10), email="third@example.org")
    gone = who(second)
    merge(first, second, by)

    with pytest.raises(lifecycle.AlreadyMerged):
        lifecycle.merge_patients(who(third), gone, by=by, now=LATER)
    with pytest.raises(lifecycle.AlreadyMerged):
        lifecycle.merge_patients(gone, who(third), by=by, now=LATER)
    with pytest.raises(lifecycle.AlreadyMerged):
        lifecycle.correct_patient(gone, name="X", email="", phone="", date_of_birth=None, by=by, now=LATER)


# Correcting


def correct(patient: Patient, by: User, **said: Any) -> Patient:
    same = {"name": patient.name, "email": patient.email, "phone": patient.phone}
    return lifecycle.correct_patient(
        patient, **{**same, "date_of_birth": patient.date_of_birth, **said}, by=by, now=LATER
    )


def test_a_new_address_revokes_links_and_confirms_each_visit_to_come_again(world: World, by: User) -> None:
    first, second = world.book(local(MONDAY, 10)), world.book(local(TUESDAY, 10))

    correct(who(first), by, email="new@example.org")

    for booking in (first, second):
        assert Booking.objects.get(pk=booking.pk).link_version == booking.link_version + 1
        newest = OutgoingEmail.objects.filter(booking=booking, kind="confirmed").first()
        assert newest
        assert newest.recipient == "Robin Example <new@example.org>"
        assert booking.events.last().verb == "address corrected"
    row = AuditEvent.objects.get(act="changed", kind="patient")
    assert (row.by, row.detail) == (by, {"email": ["robin@example.org", "new@example.org"]})


def test_another_name_readdresses_what_waits_and_leaves_the_links(world: World, by: User) -> None:
    booking = world.book(local(MONDAY, 10))

    correct(who(booking), by, name="Robyn Example", date_of_birth=dt.date(1991, 3, 17))

    assert Booking.objects.get(pk=booking.pk).link_version == booking.link_version
    [letter] = OutgoingEmail.objects.filter(booking=booking, kind="confirmed")
    assert (letter.recipient, letter.state) == ("Robyn Example <robin@example.org>", MailState.QUEUED)
    assert AuditEvent.objects.get(act="changed").detail == {
        "name": ["Robin Example", "Robyn Example"],
        "date_of_birth": ["1990-03-17", "1991-03-17"],
    }


def test_the_same_details_again_change_nothing(world: World, by: User) -> None:
    booking = world.book(local(MONDAY, 10))

    correct(who(booking), by)

    assert not AuditEvent.objects.exists()
    assert OutgoingEmail.objects.filter(booking=booking, kind="confirmed").count() == 1


@pytest.mark.parametrize("is_staff", [True, False])
def test_an_address_that_is_corrected_on_a_booking_stands_in_the_log_too(
    world: World, by: User, is_staff: bool
) -> None:
    booking = world.book(local(MONDAY, 10))

    lifecycle.correct_email(booking, email="new@example.org", by=by if is_staff else PATIENT, now=LATER)

    row = AuditEvent.objects.get(act="changed", kind="patient")
    assert row.detail["email"] == ["robin@example.org", "new@example.org"]
    assert (row.by, row.detail.get("actor")) == ((by, None) if is_staff else (None, "patient"))


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_who_books_while_their_record_is_merged_away_is_never_left_behind(by: User) -> None:
    world = World(practitioners=2, rooms=2)
    first, second = two(world)
    kept, other = who(first), who(second)
    held = world.hold(local(TUESDAY, 10), visitor="late", now=NOW)

    results = race(
        lambda: lifecycle.merge_patients(kept, other, by=by, now=NOW),
        lambda: lifecycle.confirm(held, details=make_details(**OLD), visitor="late", now=NOW),
    )

    assert [each.won for each in results] == [True, True]
    assert set(Booking.objects.values_list("patient", flat=True)) == {kept.pk}


@pytest.mark.django_db(transaction=True)
def test_two_who_merge_in_opposite_directions_make_one_merge(by: User) -> None:
    world = World(practitioners=2, rooms=2)
    first, second = two(world)
    one, other = who(first), who(second)

    results = race(
        lambda: lifecycle.merge_patients(one, other, by=by, now=NOW),
        lambda: lifecycle.merge_patients(other, one, by=by, now=NOW),
    )

    assert sorted(each.won for each in results) == [False, True]
    assert Patient.objects.current().count() == 1
    assert Booking.objects.filter(patient__merged_into__isnull=True).count() == 2
