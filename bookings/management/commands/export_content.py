"""Guidance, questions and rules into one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic import content


class Command(BaseCommand):
    help = "Write guidance, screening and fixed texts, with all versions and signatures, to one file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write; a file that is there is replaced")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        text = content.export()
        try:
            file.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"The file cannot be written: {error}.") from error
        self.stdout.write(f"Wrote {file}.")
