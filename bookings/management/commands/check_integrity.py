"""Count what must never be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bookings import integrity


class Command(BaseCommand):
    help = "Count overlapping claims, bookings without their claims or confirmation, and stuck e-mail."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = integrity.counts(timezone.now())
        for what, count in counts.items():
            self.stdout.write(f"{count:>6}  {what}")
        if any(counts.values()):
            raise CommandError("The database breaks a promise. Keep a copy of it before you repair anything.")
