"""A real SMTP server on a free port of this machine, in its own thread, that behaves as badly as it is told to."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ACCEPTED = "250 Accepted"
# Seconds that a sender gives the server where its slowness is not what is tested: the machine may be busy.
PATIENCE = 20


@dataclass
class MailServer:
    """``at_rcpt`` and ``at_data`` answer by recipient; what is not named is accepted.

    ``victim`` is a process that is killed ``at`` the next "rcpt", or once it has handed over its "data" and before it
    hears that they were accepted.
    """

    port: int = 0
    at_rcpt: dict[str, str] = field(default_factory=dict)
    at_data: dict[str, str] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    trickles: set[str] = field(default_factory=set)
    drops_after_data: set[str] = field(default_factory=set)
    victim: int = 0
    at: str = "data"
    received: list[EmailMessage] = field(default_factory=list)
    connections: int = 0

    def to(self, address: str) -> list[EmailMessage]:
        """What arrived for one address."""
        return [message for message in self.received if address in str(message["To"])]

    def kill_victim(self, at: str) -> None:
        if self.victim and self.at == at:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = 0

    async def ehlo(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def rcpt(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        self.kill_victim("rcpt")
        if address in self.slow:
            await asyncio.sleep(self.slow[address])
        if address in self.trickles:
            await trickle(server)
        answer = self.at_rcpt.get(address, ACCEPTED)
        if answer == ACCEPTED:
            envelope.rcpt_tos.append(address)
        return answer

    async def data(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        [address] = envelope.rcpt_tos
        answer = self.at_data.get(address, ACCEPTED)
        if answer == ACCEPTED:
            assert isinstance(envelope.content, bytes)
            self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        self.kill_victim("data")
        if address in self.drops_after_data:
            self.drops_after_data.remove(address)
            _line(server).abort()
        return answer


# The SMTP library calls its hooks by these names.
for verb, hook in {"EHLO": MailServer.ehlo, "RCPT": MailServer.rcpt, "DATA": MailServer.data}.items():
    setattr(MailServer, f"handle_{verb}", hook)


async def trickle(server: SMTP) -> None:
    """An answer that never ends, a byte at a time, as long as somebody listens."""
    for _ in range(200):
        if _line(server).is_closing():
            return
        _line(server).write(b"2")
        await asyncio.sleep(0.1)


def _line(server: SMTP) -> asyncio.Transport:
    assert isinstance(server.transport, asyncio.Transport)
    return server.transport


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(server: MailServer, settings: Any, *, patience: int = PATIENCE) -> Iterator[MailServer]:
    """Serve, with Django's settings pointing here; a server that has a port keeps it."""
    server.port = server.port or free_port()
    send_to(server.port, settings, patience=patience)
    controller = Controller(server, hostname="127.0.0.1", port=server.port, server_hostname="localhost")
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def send_to(port: int, settings: Any, *, patience: int = PATIENCE) -> None:
    """What EMAIL_URL=smtp://127.0.0.1:<port> sets; the server has so many seconds for each answer."""
    settings.MAIL_IS_SENT = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_TIMEOUT = patience
    settings.DEFAULT_FROM_EMAIL = ""
