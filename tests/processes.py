"""Other processes on the database of the running test: racers and the real server."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def database_url() -> str:
    """The test database, as another process would name it."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    port = f":{known['PORT']}" if known["PORT"] else ""
    password = f":{quote(known['PASSWORD'], safe='')}" if known["PASSWORD"] else ""
    return f"postgres://{known['USER']}{password}@{quote(known['HOST'], safe='')}{port}/{known['NAME']}"


def environment(**more: str) -> dict[str, str]:
    """What a process of ours needs: this database, a key, and plain HTTP on this machine."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "a key for processes that live as long as one test, no longer",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "false",
        "PYTHONPATH": str(ROOT),
        **more,
    }


def start(module: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Run a module beside the test, with its input and output in our hands."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment(**more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
