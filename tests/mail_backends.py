"""Django mail back ends for tests: one that looks at the database while it sends, one that nobody can reach."""

from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection


class Watching(BaseEmailBackend):
    """Refuses to send while a transaction is open: a slow mail server would then keep the database waiting."""

    def send_messages(self, email_messages):
        if connection.in_atomic_block:
            raise RuntimeError("a transaction is open")
        return len(email_messages)


class Away(BaseEmailBackend):
    """A server that nobody can reach."""

    def open(self):
        raise ConnectionError("The server is away.")
