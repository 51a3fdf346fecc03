"""Schemathesis over the whole document, against a real server on each database.

    python -m tests.fuzzing [--examples 60] [--seconds 600] [sqlite] [postgresql]

Every check, the stateful phase too. Exits with 1 when there is a failure; ends with the counts.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.institution import API
from tests.support.postgres import create_database, running_postgres
from tests.support.server import serving

TOKEN = "operator-token-of-the-fuzzing-0123456789"
CONFIG = Path(__file__).with_name("schemathesis.toml")
# A generated policy of `restorable_days` and the like may stay; the limits are not what is tried.
UNLIMITED = {"QUICKWIN_RATE_LIMIT_TOKEN": "0", "QUICKWIN_RATE_LIMIT_ADDRESS": "0", "QUICKWIN_RATE_LIMIT_FAILURES": "0"}  # fmt: skip


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'quickwin.db'}"
        return
    with running_postgres(folder) as server:
        yield asyncio.run(create_database(server, "fuzzing"))


def fill(url: str) -> None:
    """Something to find: an institution with a unit, a person, an initiative and a report."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"{url}{API}", headers=headers) as client:

        def post(path: str, body: object) -> None:
            client.post(path, json=body).raise_for_status()

        post("/institutions", {"code": "kpu", "name": "KPU"})
        post("/institutions/kpu/units", {"code": "32", "name": "Jawa Barat"})
        post("/institutions/kpu/people", {"code": "sek-32", "name": "Siti", "unit": "32"})
        plan = [{"title": "Modul B", "due_on": "2022-06-30"}]
        initiative = {"code": "QW-1", "title": "Quick win", "unit": "32", "year": 2022}
        post("/institutions/kpu/initiatives", {**initiative, "areas": [], "milestones": plan})
        post("/institutions/kpu/initiatives/QW-1/milestones/1/updates", {"percent_complete": 0})


def run(kind: str, examples: int, seconds: int) -> int:
    """The exit status of Schemathesis against one database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(UNLIMITED)
        with (
            database(kind, folder) as database_url,
            serving(database_url, folder / "log", token=TOKEN) as server,
        ):
            fill(server.url)
            command = [
                "schemathesis", "--no-color", "--config-file", str(CONFIG),
                "run", f"{server.url}/openapi.json", "-H", f"Authorization: Bearer {TOKEN}",
                "--exclude-operation-id", "stream_events",  # which does not end
                "--checks", "all", "--max-examples", str(examples), "--max-time", str(seconds),
                "--continue-on-failure", "--workers", "2", "--report-dir", str(folder / "report"),
            ]  # fmt: skip
            print(f"== {kind}", flush=True)  # noqa: T201  a command
            done = subprocess.run(command, cwd=folder, check=False)
            errors = (folder / "log").read_text().count("internal_error")
            print(f"{kind}: {errors} errors in the server's log", flush=True)  # noqa: T201  as above
            return done.returncode or min(errors, 1)


def main() -> None:
    """Run on each database that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=60, help="for each operation")
    parser.add_argument("--seconds", type=int, default=600, help="on each database")
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    sys.exit(max(run(kind, asked.examples, asked.seconds) for kind in asked.databases))


if __name__ == "__main__":
    main()
