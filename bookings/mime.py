"""An e-mail as it goes over the wire: plain headers, text, HTML and the calendar file; nothing that tracks."""

import dataclasses
import datetime as dt
import unicodedata
from email.headerregistry import Address
from email.mime.text import MIMEText
from email.utils import format_datetime

from django.core.mail import EmailMultiAlternatives

CALENDAR_NAME = "visit.ics"
# Line ends and control characters: in a header they would begin another header.
CONTROLS = {"Cc", "Zl", "Zp"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Message:
    """What an e-mail says. ``calendar`` is an iCalendar file with its ``calendar_method``, or empty."""

    subject: str
    text: str
    html: str = ""
    calendar: str = ""
    calendar_method: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Envelope:
    """From whom to whom. The same ``message_id`` and ``written_at`` each time make two copies recognisable as one."""

    sender: str
    recipient: str
    reply_to: str
    message_id: str
    written_at: dt.datetime


def one_line(text: str) -> str:
    """Safe to stand in a header."""
    return " ".join("".join(" " if unicodedata.category(char) in CONTROLS else char for char in text).split())


def mailbox(name: str, address: str) -> str:
    """Such as: Robin Example <robin@example.org>."""
    user, _, domain = one_line(address).rpartition("@")
    return str(Address(one_line(name), user, domain))


def build(message: Message, envelope: Envelope) -> EmailMultiAlternatives:
    """The e-mail, ready for a back end. Raises ValueError for an address that cannot stand in a header."""
    email = EmailMultiAlternatives(
        one_line(message.subject),
        message.text,
        envelope.sender,
        [envelope.recipient],
        reply_to=[envelope.reply_to],
        headers={
            "Message-ID": envelope.message_id,
            "Date": format_datetime(envelope.written_at),
            "Auto-Submitted": "auto-generated",
        },
    )
    if message.html:
        email.attach_alternative(message.html, "text/html")
    if message.calendar:
        email.attach(_calendar_part(message))
    return email


def _calendar_part(message: Message) -> MIMEText:
    """Base64 keeps the file's CRLF; the method stands in the type too, as RFC 6047 asks."""
    part = MIMEText(message.calendar, "calendar", "utf-8")
    part.set_param("method", message.calendar_method)
    part.add_header("Content-Disposition", "attachment", filename=CALENDAR_NAME)
    return part
