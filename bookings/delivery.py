"""The line to the mail server: what its refusals mean, and how to leave a line that is stuck."""

import contextlib
import datetime as dt
import smtplib
import socket
import threading
from collections.abc import Iterator

from django.core.mail.backends.base import BaseEmailBackend

# From here on a server's answer means "never"; below it, "not now".
PERMANENT = 500


def is_permanent(problem: Exception) -> bool:
    """Whether the server refused this message for good, or it cannot be sent at all.

    A refused sender or sign-in is our own set-up: it is put right, and then the message goes.
    """
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _ in problem.recipients.values())
    if isinstance(problem, smtplib.SMTPDataError):
        return problem.smtp_code >= PERMANENT
    return isinstance(problem, smtplib.SMTPNotSupportedError | ValueError)


def words(problem: Exception) -> str:
    """What the server said, as it said it, such as: 550 No such user."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return "; ".join(_answer(code, said) for code, said in problem.recipients.values())
    if isinstance(problem, smtplib.SMTPResponseException):
        return _answer(problem.smtp_code, problem.smtp_error)
    return str(problem) or type(problem).__name__


def hang_up(line: BaseEmailBackend) -> None:
    """Close the line, whatever state it is in."""
    with contextlib.suppress(OSError):
        line.close()


@contextlib.contextmanager
def cut_after(longest: dt.timedelta, line: BaseEmailBackend) -> Iterator[None]:
    """Cut the line if what is done under this takes longer: a byte a second never meets a socket's timeout."""
    timer = threading.Timer(longest.total_seconds(), _cut, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _answer(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"


def _cut(line: BaseEmailBackend) -> None:
    # Only SMTP has a line to cut; the other back ends write to a file or to the console.
    smtp = getattr(line, "connection", None)
    if isinstance(smtp, smtplib.SMTP) and smtp.sock is not None:
        with contextlib.suppress(OSError):
            smtp.sock.shutdown(socket.SHUT_RDWR)
