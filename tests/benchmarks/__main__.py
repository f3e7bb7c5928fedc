"""Measure and print a table: ``python -m tests.benchmarks [--bookings 10000 1000000] [--rounds 20]``.

Runs on a new SQLite file, or on the database that DATABASE_URL names, which must be empty. With django-appointment
installed (the optional group ``benchmark``) it is measured in the same rounds.
"""

import argparse
import datetime as dt
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Result, measure
from tests.benchmarks.site import served
from tests.benchmarks.targets import Place, reads, rivals, writes

HAS_RIVAL = importlib.util.find_spec("appointment") is not None
FILL = "import django, sys; django.setup(); from tests.benchmarks.fill import fill; fill(int(sys.argv[1]))"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--bookings", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()
    for count in asked.bookings:
        with tempfile.TemporaryDirectory() as folder:
            print_table(count, run(count, asked.rounds, Path(folder)))


def run(count: int, rounds: int, folder: Path) -> list[Result]:
    environment = {
        **os.environ,
        "DATABASE_URL": os.environ.get("DATABASE_URL", f"sqlite:///{folder / 'clinic.sqlite3'}"),
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "SECRET_KEY": "only for a benchmark",
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
        "PROXY_COUNT": "1",
        "STATIC_FROM_APPS": "on",
        "API_CALLS_PER_MINUTE": "0",
        "LOG_LEVEL": "ERROR",
        "RIVAL_FOLDER": str(folder),
    }
    print(f"Storing {count:,} bookings", flush=True)
    _python(environment, "manage.py", "migrate", "--verbosity", "0")
    _python(environment, "-c", FILL, str(count))
    if not HAS_RIVAL:
        return _measured(environment, rounds, None)
    rival = {**environment, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.rival_settings"}
    _python(rival, "-m", "tests.benchmarks.rival")
    with served("tests.benchmarks.rival", **rival) as port:
        return _measured(environment, rounds, port)


def _measured(environment: dict[str, str], rounds: int, rival: int | None) -> list[Result]:
    today = dt.datetime.now(dt.UTC).date()
    with served("tests.benchmarks.server", **environment) as port:
        place = Place(port, today)
        print("Measuring reads", end=" ", flush=True)
        results = measure(reads(place) + (rivals(rival, today) if rival else []), rounds)
        print("Measuring writes", end=" ", flush=True)
        return results + measure(writes(place), rounds)


def _python(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], env=environment, check=True)


def print_table(count: int, results: list[Result]) -> None:
    print(f"\n{count:,} stored bookings\n\n| what | ms | times the floor (quartiles) |\n|---|--:|--:|")
    for result in results:
        first, middle, third = result.ratio
        print(f"| {result.name} | {result.milliseconds:,.1f} | **{middle:,.1f}** ({first:,.1f} to {third:,.1f}) |")


if __name__ == "__main__":
    main()
