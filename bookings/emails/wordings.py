"""What a manager may word: the subject and the opening of each kind of message that goes to a patient or a guardian.

A new kind needs three lines: its name in ``bookings.models.mail.KINDS``, its row in ``WORDINGS`` here, and its draft in
``bookings.emails.samples.DRAFTS``. Then it can be worded, previewed and sent. Its draft carries no subject and no
opening; ``bookings.emails.letters.write`` puts in what the clinic says, or else what stands here.

What a clinician signs, and the facts of a visit, stand after the opening and are no part of it.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping

from bookings import mime
from bookings.models import Booking
from bookings.models.mail import MailWording, OutgoingEmail
from clinic import words
from clinic.models import Service

LONGEST_SUBJECT = 150
LONGEST_OPENING = 2000
# As long as the outbox can hold once the placeholders are filled: a long name must never stop a booking.
LONGEST_LINE = OutgoingEmail._meta.get_field("subject").max_length or 0
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
TAG = re.compile(r"<[a-zA-Z/!][^<>\n]*>?")
BETWEEN_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")

# What each placeholder stands for, for the manager.
MEANINGS = {
    "name": "Who reads it",
    "when": "Day and time of the visit",
    "date": "Day of the visit",
    "time": "Time of the visit",
    "practitioner": "Who does the visit",
    "place": "The house",
    "reference": "Reference of the booking",
    "clinic": "Name of the clinic",
    "phone": "Phone of the clinic",
    "service": "What is booked",
    "reply_by": "Until when a clinician answers",
    "patient": "The patient, in short",
    "relation": "Who the guardian is to the patient",
    "question": "What we ask: only what is new, or all that is still open",
}
EVERYWHERE = ("name", "when", "date", "time", "practitioner", "place", "reference", "clinic", "phone")
# Others may read a subject, on a locked screen too: it names neither the treatment nor what was asked.
NEVER_IN_SUBJECT = frozenset({"service", "relation", "question"})


@dataclasses.dataclass(frozen=True)
class Text:
    """The words of one kind, with placeholders such as {when}; paragraphs of ``opening`` stand apart by empty lines."""

    subject: str
    opening: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Default:
    """What a kind says until a manager words it. ``goes`` tells staff when it is sent.

    ``also`` are placeholders beside those that every kind has: "service" only where the letter shows it anyway.
    ``needs`` are those without which the opening would leave out what the letter is for.
    """

    goes: str
    subject: str
    opening: str = ""
    also: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def text(self) -> Text:
        return Text(self.subject, self.opening)

    @property
    def placeholders(self) -> tuple[str, ...]:
        return EVERYWHERE + self.also


WORDINGS: dict[str, Default] = {
    "confirmed": Default(
        goes="When a visit is booked, and when staff send it again.",
        subject="Your visit on {when}",
        also=("service",),
    ),
    "moved": Default(
        goes="When a visit gets another time.",
        subject="Your visit has moved to {when}",
        also=("service",),
    ),
    "changed": Default(
        goes="When a clinician changes what is booked.",
        subject="Your visit has changed: {when}",
        opening="A clinician looked at your answers and changed it. This is what is booked now.",
        also=("service",),
    ),
    "cancelled": Default(
        goes="When a visit is cancelled.",
        subject="Cancelled: your visit on {when}",
        opening="You do not need to do anything more.",
    ),
    "pending": Default(
        goes="When a time is held and a clinician looks at the answers.",
        subject="We are holding {when} for you",
        opening="You are not booked yet. A clinician looks at your answers by {reply_by}.",
        also=("service", "reply_by"),
        needs=("reply_by",),
    ),
    "review_late": Default(
        goes="When a clinician has not answered in time.",
        subject="We still hold {when} for you",
        opening=(
            "We are sorry. We have asked again for a clinician to look at your answers.\n\n"
            "Your time is still held, and you are not booked yet."
        ),
        also=("service",),
    ),
    "declined": Default(
        goes="When a clinician says no, or it was not decided in time. The reason stands after the opening.",
        subject="About your visit on {when}",
        opening="It was for {when}. The time is free again, and there is nothing to pay.",
    ),
    "suspended": Default(
        goes="When an answer was a warning sign. The signed advice stands after the opening.",
        subject="Please read this now: your visit on {when}",
    ),
    "answer": Default(
        goes="When staff book a visit and health questions are still open.",
        subject="A few questions before your visit on {when}",
        opening="Some health questions are still open. Your answers keep you safe, and take a few minutes.",
        also=("service",),
    ),
    "missed": Default(
        goes="15 minutes after a visit is marked as a no-show, unless that is taken back.",
        subject="We missed you on {date}",
        opening="Your visit was on {when}. We hope that you are well. You are welcome at another time.",
    ),
    "guardian": Default(
        goes="When a parent or guardian is named: to them, with their link to agree.",
        subject="Please read: a visit on {when}",
        opening=(
            "{patient} named you as their parent or guardian ({relation}).\n\n"
            "Somebody who answers for a young patient has to agree before we treat them."
        ),
        also=("service", "patient", "relation"),
        needs=("patient",),
    ),
    "r72h": Default(
        goes="3 days before the visit.",
        subject="Get ready: your visit on {when}",
        opening="Please read this today. It tells you how to prepare.",
        also=("service",),
    ),
    "r24h": Default(
        goes="The day before the visit.",
        subject="One question before your visit on {when}",
        opening="{question}",
        also=("service", "question"),
        needs=("question",),
    ),
    "day0": Default(
        goes="When a treated visit is closed.",
        subject="After your visit on {when}",
        opening="Thank you for coming. Please read this today.",
    ),
    "day0_plain": Default(
        goes="In the evening, when nobody closed the visit.",
        subject="After your visit on {when}",
        opening="Thank you for coming. Please read this today.",
    ),
    "day3": Default(
        goes="3 days after the visit.",
        subject="How are you after your visit on {when}?",
        opening="Please tell us how it is going. It takes two taps.",
    ),
    "day7": Default(
        goes="7 days after the visit.",
        subject="A week after your visit on {when}",
        opening="Please tell us how it went. It takes two taps.",
    ),
}


def text_of(kind: str) -> Text:
    """What ``kind`` says now: the manager's words, or else the default. One query."""
    row = MailWording.objects.filter(kind=kind).first()
    return Text(row.subject, row.opening) if row else WORDINGS[kind].text


def values(booking: Booking, reader: str) -> dict[str, str]:
    """What the placeholders stand for in a letter about ``booking``, as far as every letter knows it."""
    location, clinic = booking.location, booking.location.clinic
    local = booking.starts_at.astimezone(location.zone)
    return {
        "name": reader,
        "when": words.when(booking.starts_at, location.zone),
        "date": words.day(local),
        "time": words.clock(local),
        "practitioner": booking.practitioner.name,
        "place": location.name,
        "reference": words.spoken_reference(booking.reference),
        "clinic": clinic.name,
        "phone": words.phone(clinic.phone, clinic.country),
        "service": booking.service_name,
        "reply_by": words.when(booking.reply_by, location.zone) if booking.reply_by else "",
        "patient": booking.patient.short_name if booking.patient else "",
    }


def subject(text: Text, known: Mapping[str, str]) -> str:
    """The filled subject: one line that the outbox can hold."""
    return mime.one_line(_filled(text.subject, known))[:LONGEST_LINE]


def paragraphs(text: Text, known: Mapping[str, str]) -> list[str]:
    """The filled opening."""
    return [part for part in BETWEEN_PARAGRAPHS.split(_filled(text.opening, known).strip()) if part]


def tidy(subject: str, opening: str) -> Text:
    """As it was typed, with one kind of line break and at most one empty line between paragraphs."""
    lines = "\n".join(line.rstrip() for line in opening.splitlines())
    return Text(subject.strip(), BETWEEN_PARAGRAPHS.sub("\n\n", lines.strip()))


def problems(kind: str, text: Text) -> dict[str, str]:
    """What stands in the way of saving ``text``: a sentence for each field that has one. One query."""
    found = {"subject": _problem_of_subject(kind, text.subject), "opening": _problem_of_opening(kind, text.opening)}
    return {field: problem for field, problem in found.items() if problem}


def _filled(text: str, known: Mapping[str, str]) -> str:
    """In one pass, so that a name made of placeholders stays a name."""
    return PLACEHOLDER.sub(lambda found: known.get(found[1], ""), text)


def _problem_of_subject(kind: str, subject: str) -> str:
    if not subject:
        return "Enter a subject"
    if _hidden(subject):
        return "Write the subject in one line, without hidden characters"
    if len(subject) > LONGEST_SUBJECT:
        return f"Shorten the subject to {LONGEST_SUBJECT} characters. It has {len(subject)}"
    if private := next((name for name in PLACEHOLDER.findall(subject) if name in NEVER_IN_SUBJECT), ""):
        return f"Leave {{{private}}} out of the subject. Others may read it on a screen"
    if named := _service_named_in(subject):
        return f"Leave “{named}” out of the subject. Others may read it on a screen"
    return _problem_of_words(subject, WORDINGS[kind].placeholders)


def _problem_of_opening(kind: str, opening: str) -> str:
    if _hidden(opening.replace("\n", " ")):
        return "Remove the hidden characters from the opening"
    if len(opening) > LONGEST_OPENING:
        return f"Shorten the opening to {LONGEST_OPENING} characters. It has {len(opening)}"
    if problem := _problem_of_words(opening, WORDINGS[kind].placeholders):
        return problem
    missing = [name for name in WORDINGS[kind].needs if f"{{{name}}}" not in opening]
    return f"Keep {{{missing[0]}}} in the opening. It is what this message is for" if missing else ""


def _problem_of_words(text: str, allowed: tuple[str, ...]) -> str:
    if tag := TAG.search(text):
        return f"Write plain words. {tag[0]} would be sent as it stands"
    for name in PLACEHOLDER.findall(text):
        if name in MEANINGS and name not in allowed:
            return f"This message does not know {{{name}}}. Use one of the placeholders in the list"
        if name not in allowed:
            return f"There is no placeholder {{{name}}}. Use one of those in the list"
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        return "A brace stands alone. Write a placeholder like {when}, with both braces"
    return ""


def _hidden(text: str) -> bool:
    return any(unicodedata.category(sign) in mime.CONTROLS for sign in text)


def _service_named_in(subject: str) -> str:
    """The name of a service that stands in it word by word, however it is written; "" if none does."""
    said = _plain(subject)
    names = [name for pair in Service.objects.values_list("name", "short_name") for name in pair if name]
    return next((name for name in names if f" {_plain(name)} " in f" {said} "), "")


def _plain(text: str) -> str:
    """Small letters, and one space for whatever stands between words."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))
