"""A guardian is put right: their name, phone, address, or who gets the mail; and the old link dies."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bookings import lifecycle, outbox
from bookings.models import Booking, BookingState, Guardian, Outcome, OutgoingEmail, Task, TaskKind
from bookings.models.event import Actor
from clinic.models import AuditEvent
from tests.course import staff
from tests.desk import book_with, page_of, signed_in, words_of
from tests.factories import NOW, PATIENT, World
from tests.family import ALEX, BORN, TEN, TYPED, again, asked_for, letters, links_of, newest
from tests.online import make_world
from tests.visits import everything

pytestmark = pytest.mark.django_db
WRONG = dataclasses.replace(ALEX, email="alx@example.org")


@pytest.fixture(autouse=True)
def now(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def world() -> World:
    return make_world(online_from_age=13)


@pytest.fixture
def reception() -> Client:
    return signed_in("reception", first_name="Rae", last_name="Desk")


def child_of(world: World, guardian: lifecycle.GuardianDetails = WRONG) -> Booking:
    return book_with(world, TEN, name="Sam Kay", date_of_birth=BORN, guardian=guardian)


def correct(booking: Booking, details: lifecycle.GuardianDetails, now: dt.datetime = NOW) -> Guardian:
    return lifecycle.correct_guardian(booking, details=details, by=staff(), now=now)


def seen_on(page: Any) -> str:
    """What the form sends along as the guardian that it showed."""
    return page.context["form"]["seen"].value() or ""


def save(client: Client, booking: Booking, *, seen: str, follow: bool = False, **typed: str) -> Any:
    said = {**TYPED, "mail_to": "patient", "seen": seen, **typed}
    return client.post(page_of(booking, "guardian"), said, follow=follow)


def failed(booking: Booking, kind: str) -> Task:
    """A letter that did not arrive, and the task that says so."""
    letter = outbox.lease(OutgoingEmail.objects.get(booking=booking, kind=kind).pk, NOW)
    assert letter is not None
    outbox.record_problem(letter, ValueError("no such mailbox"), NOW)
    return Task.objects.open().get(note__startswith=f"{letter.subject}\n")


def phoning() -> list[Task]:
    return list(Task.objects.open().filter(kind=TaskKind.PHONE_PATIENT).order_by("pk"))


def test_a_guardians_address_is_put_right_and_the_old_link_dies(world: World) -> None:
    child, since = child_of(world), newest()
    was = links_of(child)

    correct(child, ALEX)

    assert again(child).guardian.email == "alex@example.org"
    assert letters(child, since) == [("guardian", "alex@example.org")]
    # The visit's own mail went to the patient, whose links stay good.
    assert links_of(again(child)) == (was[0], was[1] + 1)
    [event] = child.events.filter(verb="guardian corrected")
    assert event.detail == {"fields": ["email"]}


def test_a_guardian_who_reads_the_visits_mail_gets_all_of_it_anew(world: World) -> None:
    child = child_of(world, dataclasses.replace(WRONG, gets_mail=True))
    since, was = newest(), links_of(child)

    correct(child, dataclasses.replace(ALEX, gets_mail=True))

    assert letters(child, since) == [("guardian", "alex@example.org"), ("pending", "alex@example.org")]
    assert links_of(again(child)) == (was[0] + 1, was[1] + 1)


def test_who_gets_the_mail_can_be_changed_and_no_link_dies(world: World) -> None:
    child = child_of(world, ALEX)
    since, was = newest(), links_of(child)

    correct(child, dataclasses.replace(ALEX, gets_mail=True))

    assert letters(child, since) == [("pending", "alex@example.org")]
    assert links_of(again(child)) == was


def test_a_corrected_phone_number_writes_to_nobody(world: World) -> None:
    child = child_of(world, ALEX)
    since, was = newest(), links_of(child)

    correct(child, dataclasses.replace(ALEX, phone="+12125550199", relation="aunt"))

    assert (again(child).guardian.phone, again(child).guardian.relation) == ("+12125550199", "aunt")
    assert (letters(child, since), links_of(again(child))) == ([], was)


def test_the_same_guardian_again_changes_nothing(world: World) -> None:
    child = child_of(world, ALEX)
    before = everything()

    correct(child, ALEX)

    assert everything() == before


def test_what_somebody_else_agreed_to_does_not_count(world: World) -> None:
    """Whoever had the link that went to the wrong address; and the other way round nobody who stays agrees anew."""
    child = child_of(world)
    lifecycle.agree(child.guardian, by=Actor.GUARDIAN, now=NOW)

    kept = correct(child, dataclasses.replace(WRONG, phone="+12125550199")).agreed_at
    lost = correct(again(child), ALEX).agreed_at

    assert (kept, lost) == (NOW, None)
    assert asked_for() == []


def test_a_no_stands_when_only_the_name_is_mended(world: World) -> None:
    child = child_of(world)
    lifecycle.refuse(child.guardian, by=Actor.GUARDIAN, now=NOW)

    guardian = correct(child, dataclasses.replace(WRONG, name="Alexa Example"))

    assert lifecycle.has_refused(guardian)


def test_after_the_visit_a_yes_stands_whatever_is_mended(world: World) -> None:
    child = child_of(world)
    lifecycle.agree(child.guardian, by=Actor.GUARDIAN, now=NOW)
    Booking.objects.filter(pk=child.pk).update(state=BookingState.COMPLETED, outcome=Outcome.TREATED, reply_by=None)

    guardian = correct(again(child), ALEX)

    assert (guardian.email, guardian.agreed_at) == (ALEX.email, NOW)


@pytest.mark.parametrize("says", [lifecycle.agree, lifecycle.refuse])
def test_nobody_answers_for_who_was_named_since(world: World, says: Any) -> None:
    child = child_of(world)
    shown = Guardian.objects.get(pk=child.guardian.pk)
    correct(child, ALEX)

    with pytest.raises(lifecycle.ChangedSince):
        says(shown, by=Actor.GUARDIAN, now=NOW)

    assert again(child).guardian.agreed_at is None
    assert not lifecycle.has_refused(again(child).guardian)


def test_a_yes_at_the_desk_is_of_whom_the_page_showed(world: World, reception: Client) -> None:
    child = child_of(world)
    shown = child.guardian.link_version
    page = reception.get(page_of(child)).content.decode()
    correct(child, ALEX)

    late = reception.post(page_of(child, "guardian_agreed"), {"seen": shown})
    now = reception.post(page_of(child, "guardian_agreed"), {"seen": again(child).guardian.link_version})

    assert f'name="seen" value="{shown}"' in page
    assert (late.status_code, now.status_code) == (409, 302)
    assert again(child).guardian.agreed_at == NOW


def test_a_no_to_the_wrong_person_is_not_the_guardians(world: World) -> None:
    child = child_of(world)
    lifecycle.refuse(child.guardian, by=Actor.GUARDIAN, now=NOW)

    guardian = correct(child, ALEX)

    assert not lifecycle.has_refused(guardian)
    assert asked_for() == []


def test_nobody_phones_about_a_letter_to_an_address_that_was_put_right(world: World) -> None:
    child = child_of(world)
    task = failed(child, "guardian")
    before = phoning()

    correct(child, ALEX)

    assert (before, phoning()) == ([task], [])


def test_the_patients_own_address_mends_no_letter_to_the_guardian(world: World) -> None:
    child = child_of(world)
    theirs, patients = failed(child, "guardian"), failed(child, "pending")
    before = phoning()

    lifecycle.correct_email(child, email="sam@example.org", by=staff(), now=NOW)

    assert (before, phoning()) == ([theirs, patients], [theirs])


def test_to_write_to_the_patient_instead_mends_no_letter_to_the_guardian(world: World) -> None:
    child = child_of(world, dataclasses.replace(WRONG, gets_mail=True))
    visits, theirs = failed(child, "pending"), failed(child, "guardian")
    before = phoning()

    correct(child, WRONG)

    assert (before, phoning()) == ([visits, theirs], [theirs])


def test_a_guardians_letter_that_failed_leads_to_correcting_them(reception: Client, world: World) -> None:
    child = child_of(world)
    OutgoingEmail.objects.filter(booking=child, kind="guardian").update(state="failed")

    page = reception.get("/desk/mail/?state=failed").content.decode()

    assert f'href="{page_of(child, "guardian")}"' in page
    assert page_of(child, "correct_email") not in page


def test_after_the_visit_only_what_still_goes_out_is_written_anew(world: World) -> None:
    child = child_of(world, dataclasses.replace(WRONG, gets_mail=True))
    Booking.objects.filter(pk=child.pk).update(
        state="completed", outcome="treated", reply_by=None, closed_at=child.ends_at
    )
    since = newest()

    correct(child, dataclasses.replace(ALEX, gets_mail=True), now=child.ends_at)

    assert (letters(child, since), again(child).reader[1]) == ([], "alex@example.org")


def test_of_a_visit_that_is_off_nobody_is_corrected(world: World) -> None:
    child = child_of(world)
    lifecycle.cancel(child, reason="", by=PATIENT, now=NOW)

    with pytest.raises(lifecycle.NotUpcoming):
        correct(child, ALEX)


def test_correct_the_address_means_whoever_reads_the_mail(reception: Client, world: World) -> None:
    child = child_of(world, dataclasses.replace(WRONG, gets_mail=True))
    since = newest()

    page = reception.get(page_of(child, "correct_email"))
    reception.post(page_of(child, "correct_email"), {"email": "alex@example.org"})

    assert "Correct the email address of Alex Example" in words_of(page)
    assert 'value="alx@example.org"' in page.content.decode()
    assert letters(child, since) == [("guardian", "alex@example.org"), ("pending", "alex@example.org")]
    assert again(child).patient.email == "robin@example.org"


def test_the_desk_corrects_a_guardian_on_the_page_that_names_one(reception: Client, world: World) -> None:
    child = child_of(world)

    booking_page = reception.get(page_of(child))
    form = reception.get(page_of(child, "guardian"))
    typed = {**TYPED, "mail_to": "patient", "seen": seen_on(form)}
    done = reception.post(page_of(child, "guardian"), typed, follow=True)
    reception.post(page_of(child, "guardian"), typed, follow=True)

    assert page_of(child, "guardian") in booking_page.content.decode()
    assert 'value="alx@example.org"' in form.content.decode()
    assert "The parent or guardian is right now." in done.content.decode()
    assert again(child).guardian.email == "alex@example.org"
    assert child.events.filter(verb="guardian corrected").count() == 1


def test_two_desks_never_name_two_people(world: World) -> None:
    """Who comes second hears that somebody else is named, and nothing is overwritten."""
    child = book_with(world, TEN, name="Sam Kay", date_of_birth=BORN, guardian=ALEX)
    other = dataclasses.replace(ALEX, name="Mo Example", email="mo@example.org")

    lifecycle.name_guardian(child, details=ALEX, by=staff(), now=NOW)
    with pytest.raises(lifecycle.ChangedSince):
        lifecycle.name_guardian(child, details=other, by=staff(), now=NOW)

    assert Guardian.objects.get().name == "Alex Example"


# Two at once


def test_an_address_that_is_corrected_writes_back_nothing_else(world: World) -> None:
    """Whoever corrects it may have looked before somebody else put the phone number right."""
    looked_at = child_of(world, dataclasses.replace(WRONG, gets_mail=True))
    correct(looked_at, dataclasses.replace(WRONG, phone="+12125550199", gets_mail=True))

    lifecycle.correct_email(looked_at, email="alex@example.org", by=staff(), now=NOW)

    guardian = again(looked_at).guardian
    assert (guardian.phone, guardian.email) == ("+12125550199", "alex@example.org")


def test_the_address_is_theirs_who_gets_the_mail_by_now(world: World) -> None:
    looked_at = child_of(world)
    correct(looked_at, dataclasses.replace(WRONG, gets_mail=True))

    lifecycle.correct_email(looked_at, email="alex@example.org", by=staff(), now=NOW)

    child = again(looked_at)
    assert (child.guardian.email, child.patient.email) == ("alex@example.org", "robin@example.org")


def test_the_address_of_a_guardian_is_put_right_after_the_visit_was_called_off_too(world: World) -> None:
    child = child_of(world, dataclasses.replace(WRONG, gets_mail=True))
    lifecycle.cancel(child, reason="", by=PATIENT, now=NOW)
    since = newest()

    lifecycle.correct_email(child, email="alex@example.org", by=staff(), now=NOW)

    assert (again(child).guardian.email, letters(child, since)) == ("alex@example.org", [])


def test_who_corrects_a_guardian_later_undoes_nobodys_correction(reception: Client, world: World) -> None:
    child = child_of(world)
    seen = seen_on(reception.get(page_of(child, "guardian")))
    correct(child, dataclasses.replace(WRONG, phone="+12125550199"))

    refused = save(reception, child, seen=seen)
    kept = again(child).guardian
    knowing = save(reception, child, seen=seen_on(refused))

    assert (refused.status_code, knowing.status_code) == (409, 302)
    assert (kept.phone, kept.email) == ("+12125550199", "alx@example.org")
    assert 'value="alex@example.org"' in refused.content.decode()
    assert "This visit was changed meanwhile" in words_of(refused)
    assert "Named now: Alex Example, mother, 212 555 0199 , alx@example.org." in words_of(refused)
    assert (again(child).guardian.phone, again(child).guardian.email) == ("+12125550188", "alex@example.org")


def test_a_page_that_showed_nobody_overwrites_nobody(reception: Client, world: World) -> None:
    child = child_of(world)

    refused = save(reception, child, seen="", name="Mo Example", relation="aunt")

    assert (refused.status_code, again(child).guardian.name) == (409, "Alex Example")
    assert 'value="Mo Example"' in refused.content.decode()
    assert 'value="aunt"' in refused.content.decode()


# Who may, and what is said


def test_a_practitioner_corrects_no_guardian(world: World) -> None:
    child = child_of(world)
    practitioner, since = signed_in("practitioner"), newest()
    page = practitioner.get(page_of(child, "guardian")).status_code
    answers = [
        save(practitioner, child, seen=seen, email="evil@example.org", mail_to="guardian")
        for seen in (child.guardian.mark, "")
    ]

    assert (page, [each.status_code for each in answers]) == (403, [403, 409])
    assert "Ask reception to change it." in words_of(answers[1])
    assert (again(child).guardian.email, letters(child, since)) == ("alx@example.org", [])
    assert page_of(child, "guardian") + '"' not in practitioner.get(page_of(child)).content.decode()


def test_a_practitioner_names_who_answers_where_nobody_is_named(world: World) -> None:
    child = child_of(world)
    Guardian.objects.all().delete()

    named = save(signed_in("practitioner"), child, seen="", follow=True)

    assert "Alex Example is named. Ask whether they agree." in named.content.decode()


def test_the_log_keeps_what_a_guardian_was_called_before(world: World) -> None:
    child = child_of(world)

    correct(child, dataclasses.replace(ALEX, phone="+12125550199"))

    [row] = AuditEvent.objects.filter(kind="guardian", act="changed")
    assert row.key == str(child.guardian.pk)
    assert row.detail == {
        "phone": ["+12125550188", "+12125550199"],
        "email": ["alx@example.org", "alex@example.org"],
    }


def test_whoever_has_agreed_is_asked_again_only_where_the_yes_is_gone(reception: Client, world: World) -> None:
    child = child_of(world)
    lifecycle.agree(child.guardian, by=Actor.GUARDIAN, now=NOW)
    seen = child.guardian.mark

    phone = save(reception, child, seen=seen, email="alx@example.org", phone="212 555 0199", follow=True)
    email = save(reception, child, seen=again(child).guardian.mark, phone="212 555 0199", follow=True)

    said = "The parent or guardian is right now."
    assert [str(each) for each in phone.context["messages"]] == [said]
    assert [str(each) for each in email.context["messages"]] == [f"{said} Ask whether they agree."]


def test_of_a_visit_that_is_off_the_page_offers_no_correction(reception: Client, world: World) -> None:
    child = child_of(world)
    before = reception.get(page_of(child)).content.decode()
    lifecycle.cancel(child, reason="", by=PATIENT, now=NOW)

    offered = f'href="{page_of(child, "guardian")}"'
    assert (offered in before, offered in reception.get(page_of(child)).content.decode()) == (True, False)
    refused = save(reception, child, seen=child.guardian.mark)
    assert (refused.status_code, 'value="alex@example.org"' in refused.content.decode()) == (409, True)
