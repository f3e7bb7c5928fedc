"""Guidance, questions and rules from one file, as ``export_content`` writes it."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic import content
from clinic.content import Change


class Command(BaseCommand):
    help = (
        "Bring in a file that export_content wrote. What is missing is added; other words become a next version, "
        "as a draft unless the file carries a signature under them. Nothing that is here is lost."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", metavar="SIGN-IN", help="who answers for the signatures in the file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, file: Path, by: str | None, dry_run: bool, **options: Any) -> None:
        user = self.person(by) if by else None
        try:
            pack = content.read(file.read_text(encoding="utf-8"))
            done = content.plan(pack) if dry_run else content.bring_in(pack, by=user, now=timezone.now())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The file cannot be read: {error}.") from error
        except content.BadPack as refusal:
            raise CommandError(str(refusal)) from refusal
        for change in done.changes:
            self.stdout.write(told(change))
        self.stdout.write(f"{len(done.changes)} listed above, {done.same} the same already.")

    def person(self, username: str) -> User:
        found = User.objects.filter(username=username, is_active=True).first()
        if found is None:
            raise CommandError(f"Nobody signs in as {username}.")
        return found


def told(change: Change) -> str:
    """Such as: New version: item WHY-1 (a draft until it is signed)."""
    waits = " (a draft until it is signed)" if change.is_draft else ""
    return f"{change.act}: {change.kind} {change.code}{waits}"
