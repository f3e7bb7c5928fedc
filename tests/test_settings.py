"""What the environment may say, what a server refuses to start with, and what never reaches a log."""

import logging
import os
import subprocess
import sys

import pytest
from django.core import checks

from clinic.logs import WithoutTokens
from tests.processes import ROOT

TOKEN = "MTI6MQ:1vN2abcdefghijklmnopqrstuvwxyz0123456789"


def started(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in {"SECRET_KEY", "DEBUG"}}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**known, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_server_without_a_secret_key_does_not_start():
    refused = started("-c", "import clinic.wsgi")

    assert refused.returncode == 1
    assert "SECRET_KEY is not set" in refused.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DEBUG", "perhaps"), ("PROXY_COUNT", "many"), ("DATABASE_URL", "mysql://host/name")],
)
def test_a_wrong_value_stops_the_start_and_names_the_variable(variable, value):
    refused = started("manage.py", "check", **{variable: value})

    assert refused.returncode == 1
    assert variable in refused.stderr


def test_a_link_to_a_visit_never_reaches_a_log():
    record = logging.LogRecord("any", logging.WARNING, "", 0, "Forbidden: %s", (f"/visit/{TOKEN}/",), None)

    assert WithoutTokens().filter(record)
    assert record.getMessage() == "Forbidden: /visit/[link]/"


@pytest.mark.parametrize("path", ["/visit/", "/visit/move/", "/desk/"])
def test_other_paths_are_logged_as_they_are(path):
    record = logging.LogRecord("any", logging.WARNING, "", 0, "Not Found: %s", (path,), None)

    WithoutTokens().filter(record)

    assert record.getMessage() == f"Not Found: {path}"


@pytest.mark.parametrize(("address", "warnings"), [("http://localhost:8000", 1), ("https://clinic.example.org", 0)])
def test_the_deployment_check_asks_for_a_public_address(settings, address, warnings):
    settings.SITE_URL = address

    found = checks.run_checks(include_deployment_checks=True)

    assert [message.id for message in found].count("clinic.W001") == warnings
