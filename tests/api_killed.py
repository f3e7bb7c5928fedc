"""A server that dies in the middle of one request of a program; ``tests.test_api_races`` starts it and asks again.

Dies just before it would write the answer down: the time is held or booked by then, and nobody was told.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

DIED = 7


def dying(execute, sql, params, many, context):
    if sql.startswith('UPDATE "bookings_idempotencykey"'):
        os._exit(DIED)
    return execute(sql, params, many, context)


def main(what: str, words: str, body: str) -> None:
    headers = {"Authorization": f"Bearer {words}", "Idempotency-Key": "one", "Host": "localhost"}
    with connection.execute_wrapper(dying):
        answer = Client().post(f"/api/v1/{what}", body, content_type="application/json", headers=headers)
    print(answer.status_code, answer.content.decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
