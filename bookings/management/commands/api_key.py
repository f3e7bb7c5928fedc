"""Keys for programs that book: make one, list them, revoke one."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bookings.models import ApiKey


class Command(BaseCommand):
    help = "Keys for programs that book: make one, list them, revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="all keys, without their secrets")
        make = acts.add_parser("make", help="a new key, shown this once")
        make.add_argument("name", help="the program it is for")
        revoke = acts.add_parser("revoke", help="let a key open nothing any more")
        revoke.add_argument("prefix", help="the eight letters and digits that the list shows")

    def handle(self, *args: Any, act: str, name: str = "", prefix: str = "", **options: Any) -> None:
        if act == "make":
            self.make(name.strip())
        elif act == "revoke":
            self.revoke(prefix)
        else:
            self.show()

    def make(self, name: str) -> None:
        try:
            ApiKey._meta.get_field("name").clean(name, None)
        except ValidationError as error:
            raise CommandError(f"The name cannot be used: {' '.join(error.messages)}") from None
        key, words = ApiKey.objects.make(name, now=timezone.now())
        self.stderr.write(f"A key for {key}. It is shown only now: keep it as you keep a password.")
        self.stdout.write(words)

    def revoke(self, prefix: str) -> None:
        found = list(ApiKey.objects.filter(prefix=prefix.rstrip("…")))
        if len(found) != 1:
            raise CommandError("No key begins like that. “api_key list” shows them all.")
        if found[0].revoke(now=timezone.now()):
            self.stdout.write(f"{found[0]} opens nothing any more. What it booked stands.")
        else:
            self.stdout.write(f"{found[0]} was revoked before.")

    def show(self) -> None:
        for key in ApiKey.objects.all():
            end = f", revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
            self.stdout.write(f"{key.prefix}  {key.name}, made {key.created_at:%Y-%m-%d}{end}")
