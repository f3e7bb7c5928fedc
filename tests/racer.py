"""A process of its own that races for one start with several threads; ``tests.test_races`` starts four of them.

Says "ready", waits for a line, and then prints how many of its visitors got the time.
"""

import datetime as dt
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
django.setup()

from clinic.models import Location, Service  # noqa: E402
from tests.racing import book, race  # noqa: E402


def main(name: str, start: str, threads: str) -> None:
    location, service = Location.objects.get(), Service.objects.get()
    at = dt.datetime.fromisoformat(start)
    print("ready", flush=True)
    sys.stdin.readline()
    results = race(
        *(
            book(service=service, location=location, start=at, visitor=f"{name}-{number}")
            for number in range(int(threads))
        )
    )
    print(sum(result.won for result in results), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
