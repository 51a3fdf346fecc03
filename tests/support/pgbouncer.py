"""A real PgBouncer in transaction mode before a PostgreSQL of the tests."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.postgres import free_port

IS_HERE = shutil.which("pgbouncer") is not None
NEEDED = pytest.mark.skipif(not IS_HERE, reason="pgbouncer is not installed")
_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
server_round_robin = 1
"""
"""Taken in turn: whoever counts on having the same connection again does not get it."""


@contextmanager
def pooled(url: str, connections: int) -> Iterator[str]:
    """The URL of a database behind a pooler that keeps so many connections to it."""
    server, listen = make_url(url), free_port()
    with tempfile.TemporaryDirectory(prefix="quickwin-pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        text = _CONFIGURATION.format(
            host=server.host, port=server.port, user=server.username, listen=listen,
            connections=connections,
        )  # fmt: skip
        (folder / "pgbouncer.ini").write_text(text, encoding="utf-8")
        log = folder / "log"
        # It refuses to run as root.
        user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(shutil.which("pgbouncer")), folder / "pgbouncer.ini"],
                stdout=output, stderr=output, cwd="/", user=user,
            )  # fmt: skip
        try:
            _wait(listen, process, log)
            behind = server.set(host="127.0.0.1", port=listen)
            yield behind.render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
