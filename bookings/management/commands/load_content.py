"""The guidance and the questions as they come with this version."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from clinic import content, readiness
from clinic.models import Clinic


class Command(BaseCommand):
    help = (
        "Bring in the guidance and questions that come with this version, after an upgrade. "
        "What the clinic edited stays; what is new or changed waits for a signature."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        report = content.load(now=timezone.now())
        self.stdout.write(f"{report.created} new, {report.updated} with new words, {report.kept} kept as edited here.")
        clinic = Clinic.objects.first()
        if clinic and (lacks := readiness.lacking(clinic)):
            self.stdout.write("\n  ".join(["Before patients can book:", *(str(lack) for lack in lacks)]))
