"""A Django mail back end for tests, which looks at the database connection at the moment of sending."""

from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection


class Watching(BaseEmailBackend):
    """Refuses to send while a transaction is open: a slow mail server would then keep the database waiting."""

    def send_messages(self, email_messages):
        if connection.in_atomic_block:
            raise RuntimeError("a transaction is open")
        return len(email_messages)
