"""What the letters of the course say, to whom, and what none of them says."""

import re

import pytest

from bookings import emails, lifecycle
from bookings.models import Booking, Guardian, ScreeningRun, ShownItem
from bookings.models.mail import COURSE
from clinic import content
from clinic.models import Item, PriceKind, Wording
from tests.course import (
    DAY,
    HOUR,
    TEN,
    arrive,
    begin,
    book_pending,
    book_with_answers,
    email_of,
    run,
    staff,
    treat,
)
from tests.factories import NOW, PATIENT
from tests.online import make_world

pytestmark = pytest.mark.django_db
ITEM = re.compile(r'data-item="([^"]+)"')
TELLS = ("extraction", "blackhead", "nose", "t-zone", "comedone", "treat", "answer", "medical", "help", "diabetes")
LONGEST_SENTENCE = 20
CONTRACTION = re.compile(r"\w(?:n['’]t|['’](?:ll|re|ve|d))\b", re.IGNORECASE)
SENTENCE_END = re.compile(r"(?<=[.?!:])\s+")


@pytest.fixture
def world(settings):
    settings.SITE_URL = "https://clinic.example.org"
    begin()
    return make_world()


def whole_course(world):
    """A visit that had every message there is."""
    booking = world.book(TEN)
    run(TEN - 3 * DAY, TEN - DAY)
    arrive(booking)
    run(TEN + 9 * HOUR)
    treat(booking, at=TEN + 10 * HOUR)
    run(TEN + 10 * HOUR, TEN + 3 * DAY, TEN + 7 * DAY)
    return booking


def all_letters(world):
    """Every letter of the course and about a review, as Letter or row."""
    booking = Booking.objects.with_everything().get(pk=whole_course(world).pk)
    pending = book_pending(world, TEN + HOUR)
    lifecycle.escalate(pending, now=pending.reply_by)
    lifecycle.decline(
        pending, by=lifecycle.reviewing.Actor.SYSTEM, reason=lifecycle.reviewing.TOO_LATE, now=NOW + 20 * HOUR
    )
    warned = world.book(TEN + 2 * HOUR)
    lifecycle.suspend(warned, by=PATIENT, now=NOW)
    rows = [*booking.emails.all(), *pending.emails.all(), *warned.emails.all()]
    return [row for row in rows if row.kind != "staff_notice"]


def codes_of(moment, service):
    """From the stored content, not by way of the code under test."""
    return {
        item.code
        for item in Item.objects.all()
        if moment in item.moments and set(item.services) & {"ALL", service.slug, *service.groups}
    }


def preheader(email):
    [inside] = re.findall(r'<div style="display:none[^>]*>(.*?)</div>', email.html, re.DOTALL)
    return inside


def test_each_letter_carries_exactly_the_items_of_its_moment_and_they_are_remembered(world):
    booking = whole_course(world)

    items = {kind: sorted(ITEM.findall(email_of(booking, kind).html)) for kind in COURSE}
    remembered = {
        kind: sorted(ShownItem.objects.filter(booking=booking, moment=kind).values_list("code", flat=True))
        for kind in COURSE
    }

    expected = {kind: sorted(codes_of(kind, world.service)) for kind in COURSE}
    assert min(len(codes) for codes in expected.values()) >= 9
    assert (items, remembered) == (expected, expected)


def test_a_week_later_a_patient_reads_what_the_guidance_names_for_that_day(world):
    email = email_of(whole_course(world), "day7")

    flags = {f"FLAG-{number}" for number in range(1, 7)}
    assert set(ITEM.findall(email.html)) == {"AWK-7", "KNOW-4", "WHY-7"} | flags


def test_the_plain_advice_is_part_of_the_whole_advice(world):
    booking = whole_course(world)

    plain, whole = (set(ITEM.findall(email_of(booking, kind).html)) for kind in ("day0_plain", "day0"))

    assert {"A24-2", "A24-3", "FLAG-1"} < plain < whole


def test_every_letter_has_the_disclaimer_the_red_flags_and_the_patients_own_link(world):
    booking = whole_course(world)
    said = [
        "This is general information, not medical advice.",
        "This inbox is not watched all day.",
        "a very bad or growing headache",
        "https://clinic.example.org/guidance/red-flags/",
        emails.visit_link(booking),
    ]

    letters = {kind: email_of(booking, kind) for kind in COURSE}

    missing = {
        (kind, words)
        for kind, email in letters.items()
        for body in (email.html, " ".join(email.text.split()))
        for words in said
        if words not in body
    }
    assert missing == set()


def test_squeezing_before_the_visit_is_a_matter_of_the_days_before_it(world):
    booking = whole_course(world)

    says = {kind for kind in COURSE if "https://clinic.example.org/squeezed/" in email_of(booking, kind).text}

    assert says == {"r72h", "r24h"}


def test_the_day_before_only_what_is_new_since_the_booking_is_asked(world):
    booking = book_with_answers(world, TEN, Q12=["q12-dark-marks"])
    Booking.objects.update(is_screening_outstanding=False)

    run(TEN - DAY)

    assert "Is anything new with your skin since Monday 23 November?" in email_of(booking, "r24h").text


def test_the_day_before_who_never_answered_is_asked_everything(world):
    booking = world.book(TEN)

    run(TEN - DAY)

    text = email_of(booking, "r24h").text
    assert "We still need to know a few things about your skin." in text
    assert "Is anything new" not in text


@pytest.mark.parametrize(("cut_off", "says"), [(24 * 60, "To move it, call us."), (60, "shows, moves or cancels")])
def test_the_day_before_moving_is_offered_only_while_it_is_possible(world, cut_off, says):
    booking = world.book(TEN)
    Booking.objects.update(cut_off_minutes=cut_off)

    run(TEN - DAY + HOUR)

    assert says in email_of(booking, "r24h").text


def test_missing_a_free_visit_costs_nothing_to_speak_of(world):
    booking = world.book(TEN)
    Booking.objects.update(price_kind=PriceKind.FREE, price=0)

    run(TEN - DAY)

    assert "A missed visit costs us" not in email_of(booking, "r24h").text


def test_subjects_and_what_stands_beside_them_tell_nothing(world):
    letters = all_letters(world)

    seen = [words.lower() for email in letters for words in (email.subject, preheader(email))]
    assert len(seen) >= 24
    assert [words for words in seen if any(word in words for word in TELLS)] == []


def test_the_same_visit_with_and_without_answers_gets_the_same_letters(world):
    booking = book_with_answers(world, TEN, Q12=["q12-dark-marks"], Q9=["q9-aspirin"])
    booking = Booking.objects.with_everything().get(pk=booking.pk)

    with_answers = [emails.letter_of(kind, booking, now=NOW).message for kind in COURSE]
    deleted, _ = ScreeningRun.objects.all().delete()

    assert deleted
    assert [emails.letter_of(kind, booking, now=NOW).message for kind in COURSE] == with_answers


def test_our_own_words_are_short_and_never_contracted(world):
    letters = all_letters(world)
    kinds = {email.kind for email in letters}
    long = [
        sentence for email in letters for sentence in own_sentences(email) if len(sentence.split()) > LONGEST_SENTENCE
    ]
    contracted = [found for email in letters for found in CONTRACTION.findall(f"{email.subject} {email.text}")]
    assert kinds >= {*COURSE, "confirmed", "pending", "review_late", "declined", "suspended"}
    assert (long, contracted) == ([], [])


def own_sentences(email):
    """Paragraphs cut into sentences, without the advice and the fixed texts: those are data, and signed as they are."""
    fixed = {wording.text[:20] for wording in Wording.objects.all()}
    blocks = [" ".join(block.split()) for block in email.text.split("\n\n")]
    mine = [
        words
        for words in blocks
        if not words.startswith(("- ", "When: ", "Please do not book with us now.")) and words[:20] not in fixed
    ]
    return [sentence for words in mine for sentence in SENTENCE_END.split(words) if "https://" not in sentence]


def test_a_guardian_reads_whose_visit_it_is(world):
    booking = world.book(TEN, name="Alex Example", email="alex@example.org")
    Guardian.objects.create(
        booking=booking, name="Sam Parent", relation="mother", phone="+12125550124", email="sam@example.org"
    )

    run(TEN - DAY)

    email = email_of(booking, "r24h")
    assert email.recipient == "Sam Parent <sam@example.org>"
    assert email.text.startswith("Dear Sam Parent,\n\nThis is about the visit of Alex Example.\n")
    assert "This is about the visit of Alex Example." in email.html


def test_while_a_correction_waits_for_its_signature_tonights_letters_carry_the_signed_words(world):
    signed = {code: sign(Item.objects.get(code=code)) for code in ("PREP-4", "A24-2")}
    words = {code: item.text for code, item in signed.items()}
    for item in signed.values():
        item.text = item.text.replace("pick", "pikc")
        item.save()
        content.record_revision(item, by=None, now=NOW)

    booking = whole_course(world)

    for kind, code in (("r72h", "PREP-4"), ("r24h", "PREP-4"), ("day0_plain", "A24-2"), ("day0", "A24-2")):
        email = email_of(booking, kind)
        assert words[code] in email.html
        assert words[code] in " ".join(email.text.split())
        assert "pikc" not in email.text + email.html
        assert ShownItem.objects.get(booking=booking, moment=kind, code=code).version == 1


def test_once_the_correction_is_signed_letters_carry_it(world):
    item = sign(Item.objects.get(code="A24-2"))
    item.text = "Hands off, please."
    item.save()
    content.record_revision(item, by=None, now=NOW)
    sign(item)

    booking = whole_course(world)

    assert "- Hands off, please." in email_of(booking, "day0").text
    assert ShownItem.objects.get(booking=booking, moment="day0", code="A24-2").version == 2


def sign(item):
    content.sign_off(
        item, reviewer="Dr Example", registration="D 123", by=staff(), now=NOW, next_review_on=(NOW + 365 * DAY).date()
    )
    return item
