"""A real server process, started by the real command line."""

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.support.postgres import free_port

STARTS_WITHIN = 90.0
TRUST = ssl.create_default_context()
"""For clients of which there are many: each would read all certificates anew, which takes 30 ms."""


class Server(NamedTuple):
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


def environment(database_url: str, token: str | None, **settings: object) -> dict[str, str]:
    """What a server process sees: nothing of ours but its database, token and settings.

    It may keep what it compiles, whatever is set here: the suite starts dozens of processes.
    """
    ours = ("QUICKWIN_", "PYTHONDONTWRITEBYTECODE")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    plain["QUICKWIN_DATABASE_URL"] = database_url
    if token is not None:
        plain["QUICKWIN_ADMIN_TOKEN"] = token
    plain.update({f"QUICKWIN_{name.upper()}": str(value) for name, value in settings.items()})
    return plain


@contextmanager
def serving(
    database_url: str,
    log: Path,
    *flags: str,
    token: str | None = None,
    program: tuple[str, str] = ("-m", "app"),
    folder: Path | None = None,
    **settings: object,
) -> Iterator[Server]:
    """`quickwin serve` on a free port, until the block ends; ended hard if it does not stop."""
    port = free_port()
    command = [sys.executable, *program, "serve", "--port", str(port), *flags]
    seen = environment(database_url, token, **settings)
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=seen, stdout=output, stderr=output, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield Server(url, process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    with httpx.Client(timeout=2, verify=TRUST) as client:
        while time.monotonic() < until and process.poll() is None:
            try:
                if client.get(f"{url}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
    raise AssertionError(log.read_text())


def quickwin(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`quickwin` as a process of its own, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=environment(url, None),
        capture_output=True,
        text=True,
        check=False,
    )
