"""Mixed traffic at a steady rate for a long time: what answers take, and what is left behind.

    python -m tests.benchmarks.soak                     # an hour; brings its own PostgreSQL and demo
    python -m tests.benchmarks.soak --minutes 5 --rate 100 --workers 2

Requests leave by the clock, whether earlier ones are answered or not, and what an answer takes is
counted from when its request was due: a server that stalls is charged with all who wait. Exits with
1 on an answer that is none, on a number that is not what the reports say, on connections that
nobody gave back, and on memory that grows by more than `--growth`.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import asyncpg
from sqlalchemy import make_url

from app.services import rollups
from app.services.actors import SYSTEM
from tests.benchmarks import client, processes
from tests.benchmarks.traffic import SIZE, TOKEN, Due, Traffic, opened, places, session_cookie
from tests.support.postgres import create_database, running_postgres
from tests.support.server import environment, serving

SAMPLED_EVERY = 5.0
ANSWERS_OF_A_LINE = 100
"""After so many a connection is closed, as people and scripts come and go: kept for an hour, most
might be of one process, which would then do most of the work."""
GONE_WITHIN = 10
"""Seconds in which a connection is gone whose process is."""
IDLE_AFTER = 10.0
"""Seconds until what is left open would have been closed."""


class Sample(NamedTuple):
    """What was in use at a moment."""

    megabytes: float
    """Resident memory of the server's processes together."""
    connections: int
    """To the database, the sampler's own aside."""


class Load:
    """Sends traffic by the clock, on as many connections as that takes."""

    def __init__(self, url: str, traffic: Traffic, rate: float) -> None:
        self._url, self._traffic, self._rate = url, traffic, rate
        self._lines: deque[client.Line] = deque()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        """What answers took since they were due, by kind."""
        self.wrong: list[str] = []

    async def run(self, minutes: float) -> None:
        """Send for so long, and wait for what is under way."""
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(round(minutes * 60 * self._rate)):
                due = start + number / self._rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(self._send(self._traffic.next(), due))
        for line in self._lines:
            line.close()

    async def _line(self) -> client.Line:
        # The one that has waited longest: the last one would have a few, all of one process, do it all.
        while self._lines:
            line = self._lines.popleft()
            if line.is_open:
                return line
            line.close()
        return await client.Line.open(self._url)

    async def _send(self, asked: Due, due: float) -> None:
        try:
            line = await self._line()
            answer = await line.ask(asked.payload)
        except (OSError, EOFError) as error:
            self.wrong.append(f"{asked.kind}: {error!r}")
            return
        self.seconds[asked.kind].append(time.perf_counter() - due)
        if line.answers < ANSWERS_OF_A_LINE:
            self._lines.append(line)
        else:
            line.close()
        if answer.status not in asked.expected or b'"failed":' in answer.content.replace(
            b'"failed":0', b""
        ):
            self.wrong.append(f"{asked.kind}: {answer.status} {answer.content[:200]!r}")
        if asked.kind == "again":
            self._traffic.tag = answer.header("etag") or self._traffic.tag


class Sampler:
    """Looks at a server and its database now and then."""

    def __init__(self, own: asyncpg.Connection, pid: int) -> None:
        self._own, self._pid = own, pid
        self.samples: list[Sample] = []

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(SAMPLED_EVERY)
            used = sum(map(processes.memory, processes.family(self._pid)))
            self.samples.append(Sample(used, await self.connections()))

    async def connections(self) -> int:
        """To the database, this one aside."""
        return int(await self._own.fetchval(_CONNECTIONS))


_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def slope(samples: Sequence[Sample]) -> float:
    """By how much memory grows, MB an hour: a line through it."""
    if len(samples) < 3:  # too few for a line
        return 0.0
    hours = [number * SAMPLED_EVERY / 3_600 for number in range(len(samples))]
    return statistics.linear_regression(hours, [each.megabytes for each in samples]).slope


def show(what: str, figure: str, aim: str = "") -> None:
    """One row of the table."""
    sys.stdout.write(f"| {what} | {figure} | {aim} |\n")
    sys.stdout.flush()


def tell_times(load: Load) -> None:
    """Percentiles of what answers took."""
    groups = {
        "reads": (("read", "again", "page"), "≤ 100 ms"),
        "pages alone": (("page",), ""),
        "reports": (("report",), "≤ 150 ms"),
        f"batches of {SIZE}": (("batch",), ""),
    }
    for what, (kinds, aim) in groups.items():
        times = [seconds for kind in kinds for seconds in load.seconds[kind]]
        if len(times) < 2:  # too short a run to say
            continue
        cuts = statistics.quantiles(times, n=100)
        figure = " · ".join(f"{1_000 * cuts[at - 1]:.0f}" for at in (50, 95, 99))
        show(
            f"{what}, {len(times):,}: p50 · p95 · p99", f"{figure} ms", f"p95 {aim}" if aim else ""
        )


async def soak(url: str, folder: Path, asked: argparse.Namespace) -> bool:
    """Run it; answers whether nothing was wrong."""
    async with opened(url) as database:
        units, chosen = await database.read(places)
    own = await asyncpg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    with serving(url, folder / "log", "--workers", str(asked.workers), token=TOKEN) as server:
        traffic = Traffic(server.url, session_cookie(server.url), units, chosen)
        load, sampler = Load(server.url, traffic, asked.rate), Sampler(own, server.process.pid)
        sampling = asyncio.create_task(sampler.run())
        await load.run(asked.minutes)
        sampling.cancel()
        await asyncio.sleep(IDLE_AFTER)
        idle = await sampler.connections()
    for _ in range(GONE_WITHIN):  # PostgreSQL notices the end of a process a moment later
        if not (left := await sampler.connections()):
            break
        await asyncio.sleep(1)
    await own.close()
    async with opened(url) as database:
        findings = await database.read(rollups.audit, SYSTEM, "kpu", lambda _done, _all: None)
    drift = len(findings.differences) + len(findings.derived)

    tell_times(load)
    is_flat = tell_memory(sampler.samples, asked.growth)
    most = max(sample.connections for sample in sampler.samples)
    show("connections: at most, idle, after the stop", f"{most}, {idle}, {left}", "0 at last")
    show("answers that were none", f"{len(load.wrong)}", "0")
    show("numbers that are not what the reports say", f"{drift}", "0")
    for wrong in load.wrong[:5]:
        sys.stdout.write(f"{wrong}\n")
    return is_flat and not (load.wrong or drift or left)


def tell_memory(samples: Sequence[Sample], limit: float) -> bool:
    """Memory, and how it grows; answers whether by no more than this many MB."""
    first, most, last = samples[0], max(samples), samples[-1]
    figure = f"{first.megabytes:.0f}, {most.megabytes:.0f}, {last.megabytes:.0f} MB"
    show("memory: at first, at most, at last", figure)
    # Caches fill in the first fifth, and what a process keeps of what it has read comes to its size.
    settled = samples[len(samples) // 5 :]
    quarters = [settled[len(settled) * at // 4 : len(settled) * (at + 1) // 4] for at in range(4)]
    slopes = ", ".join(f"{slope(quarter):+.1f}" for quarter in quarters)
    show("memory: slope of each quarter of the last four fifths", f"{slopes} MB/h", "falling")
    hours = len(settled) * SAMPLED_EVERY / 3_600
    grown = slope(settled) * hours
    show("memory: growth in the last four fifths", f"{grown:+.1f} MB", f"≤ {limit:g} MB")
    return grown <= limit


def main() -> None:
    """Soak a new database, or the one that is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--growth", type=float, default=20, help="MB that are no leak")
    parser.add_argument("--url", help="of a PostgreSQL database with the demo in it")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = asked.url
        if url is None:
            server = stack.enter_context(running_postgres(folder, durable=True))
            url = asyncio.run(create_database(server, "soak"))
            demo = [sys.executable, "-m", "app", "demo", "load"]
            subprocess.run(demo, env=environment(url, None), check=True)
        show(f"{asked.minutes:g} minutes, {asked.workers} processes", f"{asked.rate:g}/s", "aim")
        sys.stdout.write("|---|---|---|\n")
        if not asyncio.run(soak(url, folder, asked)):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
