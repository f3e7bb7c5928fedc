"""After an upgrade: new rights for the roles that a clinic has since it was set up."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from bookings.management.roles import grant_what_is_missing


class Command(BaseCommand):
    help = "Give each standard role the rights it lacks. Rights that a clinic added stay; run it as often as you like."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            given = grant_what_is_missing()
        for role, codenames in given.items():
            if codenames:
                self.stdout.write(f"{role}: {', '.join(codenames)}")
        if not any(given.values()):
            self.stdout.write("Every role has its rights already.")
