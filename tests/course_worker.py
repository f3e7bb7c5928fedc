"""A worker in a process of its own, for one round at a given moment; ``tests.test_course_two_weeks`` kills it.

``python -m tests.course_worker <now> <n>`` dies at its n-th question to the database, without a word and without any
clean-up; with 0 it lives until somebody else kills it.
"""

import datetime as dt
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
django.setup()

from django.db import connection  # noqa: E402

from bookings.management.commands.work import work  # noqa: E402

KILLED = 137


class Bomb:
    """Counts down with each question."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            os._exit(KILLED)
        return execute(sql, params, many, context)


def main(now: str, questions: str) -> None:
    with connection.execute_wrapper(Bomb(int(questions))):
        work(dt.datetime.fromisoformat(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
