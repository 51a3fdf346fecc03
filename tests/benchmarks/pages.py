"""What pages cost the server at any size: wall and processor time, each by itself.

    python -m tests.benchmarks.pages postgresql://USER@HOST/DATABASE [--only WORD] [--times 20]
    python -m tests.benchmarks.pages sqlite:////tmp/million.db

The database is one that `quickwin demo load --initiatives 100000 --milestones 1000000` has filled.
One request at a time, so wall time is what a reader waits for on this machine; where others use its
processors too, processor time says more. PostgreSQL's is that of its connections, where it runs here.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import httpx
from sqlalchemy import make_url

from app.opening import open_database
from app.services import operators
from app.settings import Settings
from tests.benchmarks import processes
from tests.benchmarks.traffic import TOKEN
from tests.support.server import serving

AIM = 150.0
"""Milliseconds of any page."""
_API = "/api/v1"
_KPU = "/institutions/kpu"
_WARM = 3
PAGES = {
    "overview, root": "",
    "overview, a province": "/units/32",
    "overview, a regency": "/units/32.01",
    "overview, root, one area": "?area=oversight",
    "overview, root, one year": "?year=2023",
    "overview, root, a past day": "?as_of=2023-06-30",
    "list": "/initiatives",
    "list, off track": "/initiatives?health=off_track",
    "list, at risk": "/initiatives?health=at_risk",
    "list, on track": "/initiatives?health=on_track",
    "list, completed": "/initiatives?health=completed",
    "list, not started": "/initiatives?health=not_started",
    "list, overdue": "/initiatives?overdue=true",
    "list, not overdue": "/initiatives?overdue=false",
    "list, due within 30 days": "/initiatives?due_within=30",
    "list, stale": "/initiatives?stale=true",
    "list, not stale": "/initiatives?stale=false",
    "list, one area": "/initiatives?area=oversight",
    "list, a text": "/initiatives?q=layanan",
    "list, a text that is nowhere": "/initiatives?q=nowhere",
    "list, a province, overdue": "/initiatives?unit=32&overdue=true",
    "list, by due date": "/initiatives?sort=due_on",
    "list, by last report": "/initiatives?sort=last_reported_at",
    "list, by title": "/initiatives?sort=title",
    "one initiative": "/initiatives/{initiative}",
    "one milestone": "/initiatives/{initiative}/milestones/1",
    "form of a report": "/initiatives/{initiative}/milestones/1/report",
    "one report to verify": "/updates/{update}/verification",
    "who has reported, root": "/periods/2024-B06",
    "who has reported, a province": "/periods/2024-B06?unit=32",
    "what to report, whoever reports everywhere": "/reporting",
    "what to verify, whoever verifies everywhere": "/verifications",
    "report to print, root": "/units/kpu/report",
    "report to print, a province": "/units/32/report",
    "report to print, root, a past day": "/units/kpu/report?as_of=2023-06-30",
    "report to print, root, a quarter": "/units/kpu/report?period=2024-B06",
    "S-curve (SVG)": _API + "{kpu}/rollup/s-curve.svg",
    "units below (SVG)": _API + "{kpu}/rollup/children.svg",
    "badge (SVG)": _API + "{kpu}/rollup/badge.svg",
}
OF_A_UNIT = {
    "what to report, one regency": "/reporting",
    "what to verify, one province": "/verifications",
}


class Cost(NamedTuple):
    """Of one page, in milliseconds, and its size as it is sent."""

    wall: float
    least: float
    server: float
    postgres: float
    kilobytes: float


class Meter:
    """Processor time of the server and, where it is here, of PostgreSQL's connections."""

    def __init__(self, database_url: str, pid: int) -> None:
        url = make_url(database_url)
        self._pid, self._dsn = pid, None
        if url.get_backend_name() == "postgresql":
            plain = url.set(drivername="postgresql")
            self._dsn = plain.render_as_string(hide_password=False)

    async def now(self) -> tuple[float, float]:
        """Seconds so far."""
        return _seconds(self._pid), sum(map(_seconds, await self._backends()))

    async def _backends(self) -> list[int]:
        if self._dsn is None:
            return []
        connection = await asyncpg.connect(self._dsn)
        try:
            rows = await connection.fetch(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
        finally:
            await connection.close()
        return [row[0] for row in rows]


def _seconds(pid: int) -> float:
    try:
        return processes.processor(pid)
    except FileNotFoundError:  # on another machine
        return 0.0


async def cost(get: Callable[[], httpx.Response], meter: Meter, times: int) -> Cost:
    """The median of some requests; processor time is their mean, for its clock ticks slowly."""
    for _ in range(_WARM):
        answer = get()
        answer.raise_for_status()
    taken, before = [], await meter.now()
    for _ in range(times):
        start = time.perf_counter()
        get()
        taken.append(1_000 * (time.perf_counter() - start))
    server, postgres = (
        1_000 * (b - a) / times for a, b in zip(before, await meter.now(), strict=True)
    )
    size = answer.num_bytes_downloaded / 1_000
    return Cost(statistics.median(taken), min(taken), server, postgres, size)


@contextmanager
def _reading(url: str, token: str) -> Iterator[httpx.Client]:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "text/html,*/*",
        "Accept-Language": "id",
    }
    with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
        yield client


def _show(what: str, found: Cost) -> None:
    mark = "" if found.wall <= AIM else " **over**"
    sys.stdout.write(
        f"| {what} | {found.wall:.0f}{mark} | {found.least:.0f} | {found.server:.1f} |"
        f" {found.postgres:.1f} | {found.kilobytes:.1f} |\n"
    )
    sys.stdout.flush()


def _token_of(client: httpx.Client, person: str) -> str:
    made = client.post(f"{_API}{_KPU}/tokens", json={"person": person, "name": "benchmark"})
    token: str = made.raise_for_status().json()["token"]
    return token


async def measure(database_url: str, only: str, times: int, folder: Path) -> None:
    """Every page whose name has the word in it."""
    database = await open_database(Settings(database_url=database_url))
    await database.migrate()
    await database.write(operators.first_start, TOKEN)
    await database.close()
    with serving(
        database_url,
        folder / "log",
        token=TOKEN,
        rate_limit_token=1_000_000,
        rate_limit_address=1_000_000,
        background=False,
    ) as server:
        meter = Meter(database_url, server.process.pid)
        with _reading(server.url, TOKEN) as client:
            listed = client.get(f"{_API}{_KPU}/initiatives?limit=1").raise_for_status()
            known = {"initiative": listed.json()["items"][0]["code"], "kpu": _KPU}
            judged = client.get(f"{_API}{_KPU}/verifications?limit=1").raise_for_status()
            known["update"] = judged.json()["items"][0]["id"]
            for what, path in PAGES.items():
                if only in what:
                    address = path.format(**known)
                    full = address if address.startswith(_API) else _KPU + address
                    _show(what, await cost(lambda full=full: client.get(full), meter, times))  # type: ignore[misc]
            tokens = [_token_of(client, person) for person in ("ops-32.01", "apip-1")]
        for token, (what, path) in zip(tokens, OF_A_UNIT.items(), strict=True):
            if only in what:
                with _reading(server.url, token) as client:
                    reader = client
                    _show(what, await cost(lambda: reader.get(_KPU + path), meter, times))  # noqa: B023  called within


def main() -> None:
    """Measure on a database that is loaded already."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("database_url")
    parser.add_argument("--only", default="")
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    sys.stdout.write(
        "| page | wall, median (ms) | wall, least | server's processor | PostgreSQL's | kB |\n"
        "|---|---|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(given.database_url, given.only, given.times, Path(folder)))


if __name__ == "__main__":
    main()
