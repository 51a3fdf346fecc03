"""The same questions to one, two and four processes on PostgreSQL, and to one on SQLite.

python -m tests.benchmarks.workers     # brings its own PostgreSQL and demos, about 4 minutes
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from tests.benchmarks import client, processes
from tests.benchmarks.traffic import KPU, TOKEN, Targets, opened, places, report
from tests.support.postgres import create_database, running_postgres
from tests.support.server import Server, environment, serving

CLIENTS, SECONDS = 16, 6.0
REPORTERS = 8
READS = {
    "roll-up": (f"{KPU}/rollup", 200),
    "304": (f"{KPU}/rollup", 304),
    "list of 50": (f"{KPU}/initiatives?limit=50", 200),
}


def show(*columns: str) -> None:
    """One row of the table."""
    sys.stdout.write(f"| {' | '.join(columns)} |\n")
    sys.stdout.flush()


def reports(url: str, chosen: Targets) -> Callable[[int], Iterator[bytes]]:
    """Each client's reports on its part of the milestones, another percent in each round."""

    def of(mine: int) -> Iterator[bytes]:
        for percent in count(5):
            for initiative, number in chosen[mine::REPORTERS]:
                yield report(url, initiative, number, percent % 100)

    return of


async def measure(server: Server, chosen: Targets) -> list[float]:
    """Answers a second of each kind, and the memory of all processes in MB."""
    url = server.url
    line = await client.Line.open(url)
    tag = (await line.ask(client.request(url, f"{KPU}/rollup", TOKEN))).header("etag")
    line.close()
    rates = []
    for path, status in READS.values():
        known = (f"If-None-Match: {tag}",) if status == 304 else ()
        payload = client.request(url, path, TOKEN, None, *known)
        rates.append(
            await client.throughput(url, CLIENTS, status, client.repeated(payload), SECONDS)
        )
    rates.append(await client.throughput(url, REPORTERS, 201, reports(url, chosen), SECONDS))
    return [*rates, sum(map(processes.memory, processes.family(server.process.pid)))]


async def run(postgres: str, sqlite: str, folder: Path) -> None:
    """Every row, and beside each figure its ratio to the first row's."""
    show("", *READS, "report", "memory")
    show(*["---"] * (len(READS) + 3))
    first: list[float] = []
    for what, url, number in (
        ("PostgreSQL, 1 process", postgres, 1),
        ("PostgreSQL, 2 processes", postgres, 2),
        ("PostgreSQL, 4 processes", postgres, 4),
        ("SQLite, 1 process", sqlite, 1),
    ):
        async with opened(url) as database:
            _, chosen = await database.read(places)
        # The watch over healths writes events: then what was not changed would be.
        with serving(
            url, folder / "log", "--workers", str(number), token=TOKEN, background="false"
        ) as server:
            *rates, used = await measure(server, chosen)
        first = first or [*rates, used]
        ratios = [
            f"{rate:.0f}/s ({rate / one:.2f})" for rate, one in zip(rates, first, strict=False)
        ]
        show(what, *ratios, f"{used:.0f} MB ({used / first[-1]:.2f})")


def main() -> None:
    """Measure on new databases with the demo."""
    with (
        tempfile.TemporaryDirectory() as made,
        running_postgres(Path(made), durable=True) as server,
    ):
        folder = Path(made)
        postgres = asyncio.run(create_database(server, "workers"))
        sqlite = f"sqlite:///{folder / 'quickwin.db'}"
        for url in (postgres, sqlite):
            demo = [sys.executable, "-m", "app", "demo", "load"]
            subprocess.run(demo, env=environment(url, None), check=True)
        asyncio.run(run(postgres, sqlite, folder))


if __name__ == "__main__":
    main()
