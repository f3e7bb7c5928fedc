"""A typo is fixed in a signed text: until it is signed, tonight's e-mails and all pages carry the signed words."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bookings import emails
from bookings.models import Booking, OutgoingEmail, ShownItem
from clinic import content, screening
from clinic.models import Clinic, Item, Question, Revision, Rule
from clinic.models.shown import read_back
from tests.admin_pages import typed, url
from tests.factories import NOW, World, local, make_staff
from tests.online import THURSDAY, make_world, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
HOUR = dt.timedelta(hours=1)
START = local(THURSDAY, 10)


@pytest.fixture(autouse=True)
def _clock(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinician() -> User:
    return make_staff("clinician")


@pytest.fixture
def world(clinician: User) -> World:
    """A real clinic in which everything is signed."""
    world = make_world(is_demo=False)
    rows = [row for model in content.SIGNED_MODELS for row in model.objects.all()]
    sign(*rows, by=clinician)
    return world


def sign(*rows: Any, by: User) -> None:
    content.sign_all(
        rows, reviewer="Dr Ada Lin", registration="N1", by=by, now=NOW, next_review_on=dt.date(2027, 11, 23)
    )


def mend(client: Client, row: Any, **fields: str) -> None:
    """Fix it in the admin, as an editor does."""
    address = url(type(row), "change", row.pk)
    assert client.post(address, {**typed(client, address), **fields}).status_code == 302


def letter(booking: Booking, kind: str, now: dt.datetime) -> str:
    """What the worker would write at that moment, as both of its bodies, lines joined."""
    message = emails.letter_of(kind, booking, now=now).message
    return " ".join(f"{message.text} {message.html}".split())


def test_tonights_mail_and_the_public_page_carry_the_signed_words(
    world: World, client: Client, clinician: User
) -> None:
    client.force_login(clinician)
    item = Item.objects.get(code="PREP-1")
    signed = item.text
    booking = world.book(START)
    before = letter(booking, "r72h", START - 72 * HOUR)

    mend(client, item, text="Mended words.")

    tonight = letter(booking, "r72h", START - 72 * HOUR)
    page = text_of(client.get("/guidance/prepare-72h/"))
    assert signed in before
    assert tonight == before
    assert (signed in page, "Mended words." in page) == (True, False)
    assert 'class="draft"' not in page


def test_a_confirmation_written_while_the_edit_waits_names_the_version_that_was_sent(
    world: World, client: Client, clinician: User
) -> None:
    client.force_login(clinician)
    item = Item.objects.get(code="WHY-1")
    signed = item.text
    mend(client, item, text="Mended words.")

    booking = world.book(START)

    sent = OutgoingEmail.objects.get(booking=booking, kind="confirmed")
    shown = ShownItem.objects.get(booking=booking, moment="confirm", code="WHY-1")
    assert signed in " ".join(sent.text.split())
    assert "Mended words." not in sent.text + sent.html
    revision = read_back([(shown.code, shown.version)], Item)["WHY-1", 1]
    assert (revision.fields["text"], revision.review.reviewer) == (signed, "Dr Ada Lin")


def test_the_signature_brings_the_mended_words_into_the_next_mail(
    world: World, client: Client, clinician: User
) -> None:
    client.force_login(clinician)
    item = Item.objects.get(code="PREP-1")
    booking = world.book(START)
    mend(client, item, text="Mended words.")

    item.refresh_from_db()
    sign(item, by=clinician)

    assert "Mended words." in letter(booking, "r72h", START - 72 * HOUR)


def test_a_changed_rule_counts_only_once_it_is_signed(world: World, client: Client, clinician: User) -> None:
    client.force_login(clinician)
    rule = Rule.objects.get(code="q3-yes-1")

    mend(client, rule, days="21")

    def days() -> int | None:
        book = screening.rulebook(Clinic.objects.get())
        return next(each.days for each in book.rules if each.code == "q3-yes-1")

    waiting = days()
    rule.refresh_from_db()
    sign(rule, by=clinician)
    assert (waiting, days()) == (14, 21)


def test_a_version_from_before_a_field_existed_is_shown_with_its_usual_value(world: World) -> None:
    """Signed long ago, edited since: the old words lack what questions learned later."""
    question = Question.objects.get(code="Q3")
    revision = Revision.objects.get(kind="question", code="Q3", version=1)
    for name in ("date_label", "may_be_ahead", "is_asked_again", "is_private"):
        del revision.fields[name]
    revision.save()
    question.lead = "Other words?"
    question.save()
    content.record_revision(question, by=None, now=NOW)

    asked = screening.rulebook(Clinic.objects.get()).question("Q3")

    assert (asked.version, asked.date_label, asked.may_be_ahead) == (1, "", False)
    assert asked.lead != "Other words?"
