"""Other processes on the database of the running test: racers and the real server."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
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


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stderr
    said = process.stdout.readline()
    assert said == "ready\n", process.stderr.read()


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(log: Path, **more: str) -> Iterator[int]:
    """The server the README recommends, on the test's database; yields its port. Its words go to ``log``."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "clinic.wsgi", "--workers", "2", "--threads", "4"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"],
            cwd=ROOT,
            env=environment(STATIC_FROM_APPS="on", **more),
            stdout=output,
            stderr=output,
        )
        try:
            _wait_until_up(port, server, log)
            yield port
        finally:
            server.terminate()
            server.wait(timeout=40)


def _wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(f"the server did not start: {log.read_text()}")


def manage(command: str) -> subprocess.CompletedProcess[str]:
    """``manage.py command`` on the test's database."""
    return subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
