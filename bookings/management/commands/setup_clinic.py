"""From nothing to an empty real clinic with its first manager."""

import getpass
import os
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from bookings.management import new_clinic
from bookings.mime import mailbox
from clinic.models import Clinic

# Answer, what is asked, what stands when nothing is typed (None: it must be answered).
QUESTIONS: list[tuple[str, str, str | None]] = [
    ("name", "Name of the clinic", None),
    ("email", "E-mail address for answers from patients and notices for staff", None),
    ("country", "Country, two letters", "US"),
    ("phone", "Phone number for patients", None),
    ("emergency_number", "Emergency number, such as 911, 999 or 112", None),
    ("urgent_line", "Urgent line or doctor's number, empty to add it before opening", ""),
    ("currency", "Currency, three letters", "USD"),
    ("time_zone", "Time zone, such as America/New_York", None),
    ("address", "Address, with a semicolon between its lines", None),
    ("manager_username", "Sign-in name of the first manager", "manager"),
    ("manager_email", "E-mail address of the first manager", None),
]
PASSWORD_VARIABLE = "MANAGER_PASSWORD"
LEFT_TO_DO = """
Online booking is paused until you open it. What is left to do:
  1. In /admin/: opening hours, practitioners with their own hours, rooms and equipment.
  2. In /admin/: check every service; lengths and prices are examples.
  3. A clinician reads and signs guidance and questions in /admin/sign-off/. The first page of /admin/ lists what is
     missing before patients can book.
  4. Start the worker beside the server: python manage.py work
  5. On /desk/holidays/: the house closes on public holidays by itself. Open single days, or all of them.
  6. In /admin/, Clinic: take away the pause.
"""


class Command(BaseCommand):
    help = "Make an empty real clinic: guidance loaded, online booking paused, one manager."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        for name, label, default in QUESTIONS:
            parser.add_argument(
                f"--{name.replace('_', '-')}", help=f"{label} (default: {default})" if default else label
            )
        parser.add_argument(
            "--no-input", action="store_true", help=f"never ask; the password comes from {PASSWORD_VARIABLE}"
        )

    def handle(self, *args: Any, no_input: bool, **options: Any) -> None:
        refuse_clinic_that_is_there()
        self.stdout.write("Making the database")
        call_command("migrate", verbosity=0, interactive=False)
        try:
            answers = self.given(options) if no_input else self.asked(options)
            password = self.password(answers, is_asked=not no_input)
        except EOFError as error:
            raise CommandError("Nobody answered. Give the answers as options, with --no-input.") from error
        self.stdout.write("Loading guidance, questions and services")
        clinic = new_clinic.make(answers, password=password, now=timezone.now())
        self.send_test_mail(clinic, answers.manager_email)
        self.stdout.write(LEFT_TO_DO)

    def given(self, options: dict[str, Any]) -> new_clinic.Answers:
        """From options alone; every wrong or missing one is named at once."""
        answers = {name: default if options[name] is None else options[name] for name, _, default in QUESTIONS}
        problems = [
            f"--{name.replace('_', '-')}: {problem}"
            for name, answer in answers.items()
            if (problem := "It is missing." if answer is None else self.problem(name, answer, answers))
        ]
        if problems:
            raise CommandError("\n".join(problems))
        return new_clinic.Answers(**{name: str(answer) for name, answer in answers.items()})

    def asked(self, options: dict[str, Any]) -> new_clinic.Answers:
        """One question at a time, again until the answer can be used; an option answers its question."""
        answers: dict[str, str] = {}
        for name, label, default in QUESTIONS:
            answer = options[name]
            while answer is None or (problem := self.problem(name, answer, answers)):
                if answer is not None:
                    self.stderr.write(problem)
                answer = input(f"{label}{f' [{default}]' if default else ''}: ").strip() or default or ""
            answers[name] = answer
        return new_clinic.Answers(**answers)

    def problem(self, name: str, answer: str, answers: dict[str, Any]) -> str:
        return new_clinic.problem_with(name, answer, country=answers.get("country") or "")

    def password(self, answers: new_clinic.Answers, *, is_asked: bool) -> str:
        known = os.environ.get(PASSWORD_VARIABLE, "")
        if not known and not is_asked:
            raise CommandError(f"Put the manager's password into {PASSWORD_VARIABLE}.")
        while True:
            password = known or getpass.getpass("Password of the first manager: ")
            problem = new_clinic.problem_with_password(
                password, username=answers.manager_username, email=answers.manager_email
            )
            if not problem:
                return password
            if known:
                raise CommandError(f"{PASSWORD_VARIABLE}: {problem}")
            self.stderr.write(problem)

    def send_test_mail(self, clinic: Clinic, recipient: str) -> None:
        """The clinic stands either way; what the mail server said is shown in its own words."""
        if not settings.MAIL_IS_SENT:
            self.stdout.write("EMAIL_URL is not set: no e-mail leaves this computer, and the desk says so.")
            return
        text = "Your clinic is set up, and its e-mail works."
        message = EmailMessage("Your clinic is set up", text, mailbox(clinic.name, clinic.email), [recipient])
        try:
            message.send()
        except (SMTPException, OSError) as error:
            self.stderr.write(f"The test e-mail was not sent: {error}. Check EMAIL_URL.")
        else:
            self.stdout.write(f"A test e-mail went to {recipient}.")


def refuse_clinic_that_is_there() -> None:
    """Asked before anything is migrated."""
    if Clinic._meta.db_table not in connection.introspection.table_names():
        return
    found = Clinic.objects.values_list("is_demo", flat=True).first()
    if found:
        raise CommandError("This database holds the demo. Point DATABASE_URL at an empty one.")
    if found is not None:
        raise CommandError("This clinic is set up already. Change it in /admin/.")
