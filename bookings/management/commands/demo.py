"""From nothing to a clinic one can walk through."""

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from bookings.management.demo_clinic import PASSWORD, SIGN_INS, make_clinic
from bookings.management.demo_diary import Diary
from clinic import content
from clinic.models import Clinic

HOST = "127.0.0.1"
LONGEST_START = 30


class Command(BaseCommand):
    help = "Make a believable clinic with weeks of visits around today, print its addresses, and serve it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where to serve (default: 8000)")
        parser.add_argument("--no-serve", action="store_true", help="stop before serving")

    def handle(self, *args: Any, port: int, no_serve: bool, **options: Any) -> None:
        if not no_serve:
            refuse_taken(port)
        refuse_real_clinic()
        # Links in the mail of this demo lead to this demo.
        settings.SITE_URL = os.environ.get("SITE_URL", f"http://localhost:{port}")
        self.set_up(timezone.now())
        if no_serve:
            self.say_where(settings.SITE_URL)
        else:
            self.serve(port)

    def set_up(self, now: dt.datetime) -> None:
        self.step("Making the database")
        call_command("migrate", verbosity=0, interactive=False)
        self.step("Loading guidance, questions and services")
        content.load(now=now)
        content.load_services(now=now)
        self.step("Making the clinic, its people, rooms and sign-ins")
        location = make_clinic()
        diary = Diary(location, now)
        days = list(diary.days())
        self.step(f"Filling the diary, {len(days)} days to go" if days else "The diary is full already")
        visits = 0
        for number, (day, share) in enumerate(days, 1):
            visits += diary.draw(day, share)
            if number % 7 == 0 or number == len(days):
                self.step(f"  {number} days, {visits} visits")
        if diary.settle():
            self.step("Closing the visits that are over")

    def serve(self, port: int) -> None:
        """Server and worker side by side until Ctrl-C, or until one of them ends."""
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.default_int_handler)
        environment = demo_environment(port)
        processes = [
            subprocess.Popen(server_command(port), cwd=settings.BASE_DIR, env=environment),
            subprocess.Popen(worker_command(), cwd=settings.BASE_DIR, env=environment),
        ]
        try:
            wait_until_up(port, processes)
            self.say_where(settings.SITE_URL)
            self.stdout.write("Stop it with Ctrl-C.")
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
            raise CommandError("The server or the worker stopped; its last lines stand above.")
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. Run the same command to go on.")
        finally:
            end(processes)

    def step(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def say_where(self, site: str) -> None:
        self.stdout.write("")
        for what, path in [
            ("Patients", "/"),
            ("Book a visit", "/book/nose/check/"),
            ("Desk", "/desk/"),
            ("Set-up", "/admin/"),
        ]:
            self.stdout.write(f"  {what:<14}{site}{path}")
        self.stdout.write("")
        for username, name, _ in SIGN_INS:
            self.stdout.write(f"  Sign in as {username:<14}password {PASSWORD}   ({name})")
        self.stdout.write("")
        self.stdout.flush()


def refuse_real_clinic() -> None:
    """Asked before anything is migrated: a real clinic's database is not even touched."""
    if Clinic._meta.db_table not in connection.introspection.table_names():
        return
    if Clinic.objects.filter(is_demo=False).exists():
        raise CommandError("This database holds a real clinic. Point DATABASE_URL at another one for the demo.")


def refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {port} cannot be used ({error}). Choose another with --port.") from error


def demo_environment(port: int) -> dict[str, str]:
    """Plain HTTP on this computer only, with this folder's own key; what is set already stays."""
    chosen = {
        "DEBUG": "off",
        "HTTPS": "off",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "SECRET_KEY": settings.SECRET_KEY,
        "SITE_URL": settings.SITE_URL,
        "STATIC_FROM_APPS": "on",
        "PYTHONUNBUFFERED": "1",
    }
    return {**chosen, **os.environ}


def server_command(port: int) -> list[str]:
    options = ["--bind", f"{HOST}:{port}", "--workers", "2", "--threads", "4", "--log-level", "warning"]
    return [sys.executable, "-m", "gunicorn", "clinic.wsgi", *options]


def worker_command() -> list[str]:
    return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "work"]


def wait_until_up(port: int, processes: list[subprocess.Popen[bytes]]) -> None:
    address = f"http://{HOST}:{port}/healthz"
    until = time.monotonic() + LONGEST_START
    while time.monotonic() < until and all(process.poll() is None for process in processes):
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    raise CommandError("The server did not start; its last lines stand above.")


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
