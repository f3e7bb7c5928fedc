"""What each e-mail says, to whom, and what none of them says."""

import datetime as dt
import re
from decimal import Decimal

import icalendar
import pytest
import vobject

from bookings import emails, lifecycle, links
from bookings.models import Booking, MailState, OutgoingEmail, ShownItem, Task
from bookings.models.event import Actor
from clinic import content
from clinic.models import Item, Location, Moment, Service
from tests.factories import NOW, PATIENT, World, local, make_equipment, make_room, make_staff

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
THURSDAY = dt.date(2026, 12, 10)
SERVICES = ["consult", "nose", "face", "facial", "milia", "body", "stubborn", "teen", "review"]
ITEM = re.compile(r'data-item="([^"]+)"')


@pytest.fixture
def world(settings):
    settings.SITE_URL = "https://clinic.example.org"
    content.load(now=NOW)
    # A demo shows what nobody has signed yet.
    return World(late_fee=Decimal(20), is_demo=True)


def book(world, start=None, **said):
    return world.book(start or local(THURSDAY, 10, 15), **said)


def mail_of(booking, kind="confirmed"):
    return OutgoingEmail.objects.filter(booking=booking, kind=kind).latest("sequence")


def calendar_of(email):
    [event] = icalendar.Calendar.from_ical(email.calendar).walk("VEVENT")
    return event


def codes_for(service, *moments):
    """From the stored content, not by way of the code under test."""
    return {
        item.code
        for item in Item.objects.all()
        if set(item.moments) & set(moments) and set(item.services) & {"ALL", service.slug, *service.groups}
    }


def test_the_confirmation_says_when_where_who_and_how_much_after_the_change_link(world):
    booking = book(world)

    text = mail_of(booking).text

    link = emails.visit_link(booking)
    facts = [
        "Dear Robin Example,",
        f"See or change your visit:\n{link}",
        "When: Thursday 10 December, 10:15am, 30 minutes",
        "Where: Main house, 12 Example Street, New York, NY 10001",
        "With: Maya Ruiz, Nurse",
        "Price: from $45, paid at the clinic",
        f"Reference: {booking.reference[:3]} {booking.reference[3:]}.",
    ]
    assert [fact for fact in facts if fact not in text] == []
    assert sorted(facts, key=text.index) == facts


def test_the_confirmation_says_how_to_get_there(world):
    Location.objects.update(
        directions="Second door on the left.",
        parking="Behind the house.",
        step_free_access="Ramp at the side.",
        map_url="https://maps.example.org/main",
    )

    email = mail_of(book(world))

    for body in (email.text, email.html):
        said = ["Second door on the left.", "Behind the house.", "Ramp at the side.", "https://maps.example.org/main"]
        assert [words for words in said if words not in body] == []


def test_the_link_in_the_confirmation_is_the_patients_own(world):
    booking = book(world)

    [token] = set(re.findall(r"https://clinic\.example\.org/visit/([^/]+)/", mail_of(booking).html))

    assert links.read(token) == (booking.pk, 1)


@pytest.mark.parametrize("slug", SERVICES)
def test_the_confirmation_carries_exactly_the_items_of_its_service(world, slug):
    service = demo_service(world, slug)

    booking = book(world)

    expected = codes_for(service, Moment.CONFIRM)
    email = mail_of(booking)
    shown = ITEM.findall(email.html)
    assert len(expected) > 3
    assert sorted(shown) == sorted(expected)
    assert set(ShownItem.objects.filter(booking=booking, moment="confirm").values_list("code", flat=True)) == expected
    squeezed = " ".join(email.text.split())
    assert [code for code in expected if words_of(code) not in squeezed] == []


def test_a_confirmation_near_the_visit_carries_the_reminders_that_would_come_too_late(world):
    starts = {"far": local(dt.date(2026, 11, 27), 10), "near": local(dt.date(2026, 11, 24), 14)}
    moment = starts["near"] - 20 * HOUR

    far = book(world, starts["far"], now=starts["far"] - 73 * HOUR)
    in_three_days = book(world, starts["far"] + HOUR, now=starts["far"] - 70 * HOUR)
    tomorrow = book(world, starts["near"], now=moment)

    service = world.service
    assert set(ITEM.findall(mail_of(far).html)) == codes_for(service, "confirm")
    assert set(ITEM.findall(mail_of(in_three_days).html)) == codes_for(service, "confirm", "r72h")
    assert set(ITEM.findall(mail_of(tomorrow).html)) == codes_for(service, "confirm", "r72h", "r24h")


def test_the_reminder_of_a_visit_booked_at_its_very_moment_comes_by_itself(world):
    start = local(dt.date(2026, 11, 27), 10)

    exactly = book(world, start, now=start - 72 * HOUR)
    later = book(world, start + HOUR, now=start + HOUR - 72 * HOUR + MINUTE)

    assert set(ITEM.findall(mail_of(exactly).html)) == codes_for(world.service, "confirm")
    assert set(ITEM.findall(mail_of(later).html)) == codes_for(world.service, "confirm", "r72h")


def test_a_visit_that_moves_near_carries_the_reminders_that_would_come_too_late(world):
    booking = book(world)

    near = local(dt.date(2026, 11, 24), 14)
    lifecycle.reschedule(booking, practitioner=None, start=near, by=PATIENT, now=near - 20 * HOUR)

    shown = set(ITEM.findall(mail_of(booking, "moved").html))
    assert shown == codes_for(world.service, "confirm", "r72h", "r24h")


def test_no_item_stands_twice_in_one_email(world):
    start = local(dt.date(2026, 11, 24), 14)

    booking = book(world, start, now=start - 20 * HOUR)

    shown = ITEM.findall(mail_of(booking).html)
    assert len(shown) == len(set(shown))
    assert mail_of(booking).html.count("a very bad or growing headache") == 1


def test_preparing_stands_under_real_dates(world):
    text = mail_of(book(world)).text

    assert "\nFrom Monday 7 December\n" in text
    assert "\nOn the day, Thursday 10 December\n" in text
    assert text.index("From Monday 7 December") < text.index("Please do not squeeze at home\n")


def test_the_dates_are_those_of_the_clinics_calendar(world):
    Location.objects.update(time_zone="Pacific/Auckland")
    world.location.refresh_from_db()
    start = local(THURSDAY, 10, 15, zone=world.location.zone)

    booking = book(world, start)

    assert mail_of(booking).subject == "Your visit on Thursday 10 December, 10:15am"
    assert "\nFrom Monday 7 December\n" in mail_of(booking).text


def test_unsigned_advice_carries_one_draft_banner(world):
    email = mail_of(book(world))

    assert (email.text.count("Draft."), email.html.count("Draft.")) == (1, 1)


def test_the_confirmation_carries_red_flags_and_the_disclaimer(world):
    email = mail_of(book(world))

    for body in (email.html, " ".join(email.text.split())):
        said = ["a very bad or growing headache", "not medical advice", "No fee, no telling-off."]
        assert [words for words in said if words not in body] == []


def test_the_terms_are_those_of_the_day_of_booking(world):
    booking = book(world)
    world.clinic.late_fee, world.clinic.cut_off_minutes = Decimal(99), 7 * 24 * 60
    world.clinic.save()

    lifecycle.resend(booking, by=make_staff(), now=NOW + HOUR)

    text = " ".join(mail_of(booking).text.split())
    assert "Move or cancel free until Wednesday 9 December, 10:15am." in text
    assert "Cancelling late costs $20." in text


def test_after_the_cut_off_the_confirmation_says_how_to_move(world):
    start = local(dt.date(2026, 11, 24), 14)

    text = mail_of(book(world, start, now=start - 20 * HOUR)).text

    assert "To move it, call us: 212 555 0100." in text
    assert "free until" not in text


@pytest.mark.parametrize("kind", ["confirmed", "moved", "cancelled"])
def test_declining_in_a_calendar_is_explained_wherever_a_visit_is_made(world, kind):
    email = mail_of(whole_way(world), kind)

    says = "Declining in your calendar does not cancel the visit." in " ".join(email.text.split())

    assert says is (kind != "cancelled")


def test_one_entry_in_the_calendar_from_booking_to_cancelling(world):
    booking = whole_way(world)

    files = [calendar_of(mail_of(booking, kind)) for kind in ("confirmed", "moved", "cancelled")]

    assert [int(file["SEQUENCE"]) for file in files] == [0, 1, 2]
    assert {str(file["UID"]) for file in files} == {f"{booking.calendar_uid}@clinic.example.org"}
    methods = OutgoingEmail.objects.exclude(calendar="").order_by("pk").values_list("calendar_method", flat=True)
    assert list(methods) == ["REQUEST", "REQUEST", "CANCEL"]
    assert [str(file["STATUS"]) for file in files] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    starts = [local(THURSDAY, 10, 15), local(THURSDAY, 14), local(THURSDAY, 14)]
    assert [file.decoded("DTSTART") for file in files] == starts


def test_the_file_to_download_replaces_the_entry(world):
    booking = book(world)

    file = emails.calendar_file(booking, now=NOW)

    event = vobject.readOne(file.decode())
    assert event.method.value == "PUBLISH"
    assert event.vevent.uid.value == str(calendar_of(mail_of(booking))["UID"])
    assert event.vevent.dtstart.value == booking.starts_at


def test_the_file_of_a_cancelled_visit_says_so(world):
    booking = Booking.objects.get(pk=whole_way(world).pk)

    event = vobject.readOne(emails.calendar_file(booking, now=NOW).decode()).vevent

    assert (event.status.value, event.sequence.value) == ("CANCELLED", "2")


def test_moving_says_the_old_and_the_new_time_and_dates_preparing_anew(world):
    booking = book(world)

    friday = THURSDAY + dt.timedelta(days=1)
    lifecycle.reschedule(booking, practitioner=None, start=local(friday, 14), by=PATIENT, now=NOW)

    email = mail_of(booking, "moved")
    assert email.subject == "Your visit has moved to Friday 11 December, 2pm"
    assert "Before: Thursday 10 December, 10:15am\nNow: Friday 11 December, 2pm\n" in email.text
    assert "\nFrom Tuesday 8 December\n" in email.text
    assert set(ITEM.findall(email.html)) == codes_for(world.service, "confirm")


def test_cancelling_in_time_costs_nothing(world):
    booking = book(world)

    lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)

    email = mail_of(booking, "cancelled")
    assert email.subject == "Cancelled: your visit on Thursday 10 December, 10:15am"
    assert "There is nothing to pay." in email.text
    assert "$20" not in email.text
    assert "Book another visit:\nhttps://clinic.example.org/book/nose/" in email.text


def test_cancelling_late_says_the_fee_that_was_agreed(world):
    booking = book(world)

    lifecycle.cancel(booking, reason="", by=PATIENT, now=booking.cut_off_at + MINUTE)

    for body in (mail_of(booking, "cancelled").text, mail_of(booking, "cancelled").html):
        assert "You cancelled after Wednesday 9 December, 10:15am. The fee for that is $20" in " ".join(body.split())
        assert "nothing to pay" not in body


def test_no_fee_is_asked_in_writing_when_the_clinic_cancels(world):
    booking = book(world)

    lifecycle.cancel(booking, reason="", by=make_staff(), now=booking.cut_off_at + MINUTE)

    assert "$20" not in mail_of(booking, "cancelled").text


def test_the_clinic_hears_of_each_step(world):
    booking = whole_way(world)
    reference = f"{booking.reference[:3]} {booking.reference[3:]}"

    notices = OutgoingEmail.objects.filter(kind="staff_notice").order_by("sequence")

    assert [notice.subject for notice in notices] == [
        f"Booked: Thursday 10 December, 10:15am, {reference}",
        f"Moved: Thursday 10 December, 2pm, {reference}",
        f"Cancelled: Thursday 10 December, 2pm, {reference}",
    ]
    assert {notice.recipient for notice in notices} == {"Example Skin Clinic <desk@example.org>"}
    assert "Patient: Robin E.\n" in notices[0].text
    assert f"https://clinic.example.org/desk/bookings/{booking.reference}/" in notices[0].text


def test_no_subject_title_or_file_name_names_the_treatment(world):
    booking = whole_way(world)
    words = {"extraction", "blackhead", "nose", "t-zone", "skin check", "comedone"}

    neutral = [
        text.lower()
        for email in OutgoingEmail.objects.filter(booking=booking)
        for text in (
            email.subject,
            preheader(email),
            title(email),
            email.calendar and str(calendar_of(email)["SUMMARY"]),
        )
    ]

    assert len(neutral) == 24
    assert [text for text in neutral if any(word in text for word in words)] == []


def test_no_calendar_file_names_the_treatment_anywhere(world):
    booking = whole_way(world)

    files = [email.calendar.replace("\r\n ", "").lower() for email in booking.emails.exclude(calendar="")]

    assert len(files) == 3
    assert [file for file in files if "extraction" in file or "blackhead" in file or "nose" in file] == []


def test_no_email_shows_a_date_of_birth_or_a_wish(world):
    booking = book(world, date_of_birth=dt.date(1990, 3, 17), wishes="I am afraid of needles")

    bodies = [f"{email.text}{email.html}{email.calendar}" for email in booking.emails.all()]

    secrets = ["1990", "17 March", "17/03", "03/17", "afraid of needles"]
    assert len(bodies) == 2
    assert [secret for secret in secrets if any(secret in body for body in bodies)] == []


def test_the_notice_to_the_clinic_keeps_the_patients_address_to_the_desk(world):
    booking = book(world)

    notice = mail_of(booking, "staff_notice")

    said = f"{notice.subject}{notice.text}{notice.html}"
    assert [known for known in ("robin@example.org", "+12125550123", "Robin Example") if known in said] == []


def test_a_name_made_of_markup_stays_text(world):
    booking = book(world, name='<img src=x onerror="alert(1)"> {{ clinic.email }}')

    html = mail_of(booking).html

    assert "<img" not in html
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; {{ clinic.email }}" in html


def test_the_text_is_whole_and_narrow(world):
    for email in whole_way(world).emails.all():
        wide = [line for line in email.text.splitlines() if len(line) > 78 and "https://" not in line]
        assert wide == []
        assert re.search(r"<[a-z/]|&[a-z#]+;|\{[{%]", email.text) is None


def test_html_loads_nothing_from_anywhere(world):
    for email in whole_way(world).emails.all():
        loads = re.findall(r"<(?:img|link|script|iframe|video|object)|url\(|@import|src=|background=", email.html)
        assert loads == []
        assert '<html lang="en">' in email.html
        assert len(email.html.encode()) < 100_000


def test_a_corrected_address_gets_a_new_link_and_the_old_one_opens_nothing(world):
    booking = book(world, email="robbin@example.org")
    wrong = mail_of(booking)

    booking = lifecycle.correct_email(booking, email="robin@example.org", by=Actor.PATIENT, now=NOW)

    wrong.refresh_from_db()
    right = mail_of(booking)
    assert (wrong.state, right.state, right.sequence) == (MailState.SKIPPED, MailState.QUEUED, 1)
    assert right.recipient == "Robin Example <robin@example.org>"
    assert links.make(booking.pk, 2) in right.text
    assert links.make(booking.pk, 1) not in right.text


def test_a_second_copy_shows_the_same_words_and_is_remembered_once(world):
    booking = book(world)
    before = ShownItem.objects.count()

    lifecycle.resend(booking, by=make_staff(), now=NOW + HOUR)

    assert ShownItem.objects.count() == before
    assert OutgoingEmail.objects.filter(booking=booking, kind="confirmed").count() == 2


def test_without_an_address_the_booking_stands_and_somebody_phones(world):
    booking = book(world, email="")

    assert mail_of(booking).state == MailState.NO_ADDRESS
    assert Task.objects.get().booking == booking


def test_a_confirmation_asks_the_database_as_often_for_one_item_as_for_many(world, django_assert_max_num_queries):
    booking = book(world)

    with django_assert_max_num_queries(20):
        emails.confirmed(Booking.objects.with_everything().get(pk=booking.pk), now=NOW)


def whole_way(world):
    """Booked, moved, cancelled."""
    booking = book(world)
    booking = lifecycle.reschedule(booking, practitioner=None, start=local(THURSDAY, 14), by=PATIENT, now=NOW)
    return lifecycle.cancel(booking, reason="", by=PATIENT, now=NOW)


def demo_service(world, slug):
    """One of the nine services, with all it needs."""
    Service.objects.all().delete()
    content.load_services(now=NOW)
    service = Service.objects.get(slug=slug)
    Service.objects.filter(pk=service.pk).update(minimum_age=None, maximum_age=None, grades=["A", "N", "D"])
    if service.room_kind:
        make_room(world.location, kind=service.room_kind)
    for kind in service.equipment_kinds:
        make_equipment(world.location, kind=kind)
    service.refresh_from_db()
    world.service = service
    return service


def words_of(code):
    """The beginning of an item's text, up to what the clinic fills in."""
    text = " ".join(Item.objects.get(code=code).text.replace("**", "").split())
    return text.partition("{{")[0].strip()


def preheader(email):
    return between(r"<div style=\"display:none[^>]*>", "</div>", email.html)


def title(email):
    return between("<title>", "</title>", email.html)


def between(start, end, html):
    [inside] = re.findall(f"{start}(.*?){end}", html, re.DOTALL)
    return inside
