"""A first start that is interrupted, and the one after it."""

import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx

from tests.support.institution import API
from tests.support.originals import Originals
from tests.support.postgres import free_port
from tests.support.server import environment, serving

PATIENCE = 60.0
TOKEN = re.compile(r"shown this once:\s+(qw_\S+)")


def initiatives(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM initiative").fetchone()
        return int(count)


def test_a_demo_that_was_interrupted_says_so_and_shows_the_token(
    tmp_path: Path, originals: Originals
) -> None:
    file, log = tmp_path / "quickwin.db", tmp_path / "log"
    url = originals.migrated(file)
    command = [sys.executable, "-m", "app", "serve", "--demo", "--port", str(free_port())]
    with (tmp_path / "interrupted").open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(url, None), stdout=output, stderr=output
        )
    until = time.monotonic() + PATIENCE
    while not initiatives(file):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    process.kill()
    process.wait()
    loaded = initiatives(file)
    assert TOKEN.search((tmp_path / "interrupted").read_text()) is None

    with serving(url, log, "--demo") as server:
        shown = log.read_text()
        assert "a part is missing" in shown
        token = TOKEN.search(shown)
        assert token, shown
        answer = httpx.get(
            f"{server.url}{API}/institutions/kpu",
            headers={"Authorization": f"Bearer {token[1]}"},
        )
        assert answer.status_code == 200
    assert initiatives(file) == loaded
