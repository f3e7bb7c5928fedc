"""Servers to measure, and a client that keeps its connection."""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlencode

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def served(module: str, **environment: str) -> Iterator[int]:
    """Serve ``module:application`` as the README recommends; gives the port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", f"{module}:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--keep-alive", "75", "--log-level", "error"]
    with subprocess.Popen(command, env={**os.environ, **environment}) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not start within a minute")


class Client:
    """One visitor: keeps a connection and cookies, reads the form's token from the page it got last."""

    def __init__(self, port: int, address: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.cookies: dict[str, str] = {}
        self.address = address
        self.page = ""

    def get(self, path: str, **headers: str) -> int:
        return self._send("GET", path, None, headers)

    def post(self, path: str, **fields: str) -> int:
        token = TOKEN.search(self.page)
        body = urlencode({"csrfmiddlewaretoken": token.group(1) if token else "", **fields})
        return self._send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> int:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        extra = {"Cookie": cookies, "X-Forwarded-For": self.address} if self.address else {"Cookie": cookies}
        self.connection.request(method, path, body, {**extra, **headers})
        response = self.connection.getresponse()
        text = response.read().decode()
        if "csrfmiddlewaretoken" in text:
            self.page = text
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status
