"""Measure event streams: memory and processor of one server with 500 of them, delay, and the stop.

python -m tests.benchmarks.streams [--clients 500]     # brings its own PostgreSQL, about 2 minutes
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.benchmarks import client, processes
from tests.benchmarks.traffic import TOKEN
from tests.support.institution import API
from tests.support.postgres import create_database, running_postgres
from tests.support.server import Server, environment, serving

KPU = f"{API}/institutions/kpu"
IDLE_SECONDS = 30
EVENTS = 50


def show(what: str, figure: str) -> None:
    """One row of the table."""
    sys.stdout.write(f"| {what} | {figure} |\n")
    sys.stdout.flush()


class Follower:
    """One stream, read as bytes, and when each event of it came."""

    def __init__(self) -> None:
        self.came: dict[int, float] = {}
        self.is_silent = False
        self._task: asyncio.Task[None] | None = None

    async def open(self, url: str, after: int | None = None) -> None:
        """Begin to follow."""
        address = urlsplit(url)
        reader, self._writer = await asyncio.open_connection(address.hostname, address.port)
        path = f"{KPU}/events/stream" + ("" if after is None else f"?after={after}")
        self._writer.write(client.request(url, path, TOKEN))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"id: "):
                self.came[int(line[4:])] = time.perf_counter()

    async def ended(self) -> None:
        """Wait for its end."""
        assert self._task is not None
        await self._task
        self._writer.close()


async def measure(server: Server, clients: int) -> None:
    """Every figure of one server."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as api:
        active = (await api.get(f"{KPU}/initiatives?status=active&limit=200")).json()["items"]
        planned = [each["code"] for each in active if each["milestones"]["total"]]
        before = processes.memory(server.process.pid)
        followers = [Follower() for _ in range(clients)]
        for follower in followers:
            await follower.open(server.url)
        await asyncio.sleep(2)
        opened = processes.memory(server.process.pid)
        show(f"memory without, and with {clients} streams", f"{before:.0f} MB, {opened:.0f} MB")
        used = processes.processor(server.process.pid)
        await asyncio.sleep(IDLE_SECONDS)
        share = (processes.processor(server.process.pid) - used) / IDLE_SECONDS
        show(f"processor of {clients} idle streams", f"{100 * share:.1f} % of a core")
        delays = []
        for i in range(EVENTS):
            path = f"{KPU}/initiatives/{planned[i % len(planned)]}/milestones/1/updates"
            started = time.perf_counter()
            answer = await api.post(path, json={"percent_complete": i, "note": "x" * 500})
            answer.raise_for_status()
            done = time.perf_counter()
            sequence = (await api.get(f"{KPU}/rollup")).json()["version"]
            while not all(sequence in follower.came for follower in followers):
                await asyncio.sleep(0.01)
                assert time.perf_counter() < done + 30
            delays.append(max(follower.came[sequence] for follower in followers) - started)
        delays.sort()
        show(
            f"report sent → read by the last of {clients} clients: median, worst of {EVENTS}",
            f"{1000 * statistics.median(delays):.0f} ms, {1000 * delays[-1]:.0f} ms",
        )
        whole = [Follower() for _ in range(20)]
        replayed = time.perf_counter()
        for follower in whole:
            await follower.open(server.url, after=0)
        while not all(sequence in follower.came for follower in whole):
            await asyncio.sleep(0.01)
        rate = sum(len(follower.came) for follower in whole) / (time.perf_counter() - replayed)
        show("replay to 20 clients at once", f"{rate:,.0f} events/s")
        show("memory afterwards", f"{processes.memory(server.process.pid):.0f} MB")
    started = time.perf_counter()
    server.process.terminate()
    await asyncio.gather(*(follower.ended() for follower in followers + whole))
    server.process.wait(30)
    show("SIGTERM → stopped", f"{time.perf_counter() - started:.1f} s")


@contextmanager
def database() -> Iterator[str]:
    """A PostgreSQL database with a small demo."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as url:
        made = asyncio.run(create_database(url, "streams"))
        flags = ["demo", "load", "--initiatives", "500"]
        subprocess.run(
            [sys.executable, "-m", "app", *flags], env=environment(made, None), check=True
        )
        yield made


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=500)
    given = parser.parse_args()
    with (
        database() as url,
        tempfile.TemporaryDirectory() as folder,
        serving(url, Path(folder) / "log", token=TOKEN) as server,
    ):
        sys.stdout.write("| what | figure |\n|---|---|\n")
        asyncio.run(measure(server, given.clients))


if __name__ == "__main__":
    main()
