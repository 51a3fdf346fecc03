"""Exports and archives of growing institutions: rows a second, and the memory that they take.

    python -m tests.benchmarks.exports 10000 100000 1000000

loads the demo with so many milestones on a PostgreSQL of its own, lets one server process send them in
each form, and moves the institution by the command line to SQLite. Memory is the highest of the server
during each export, and of the command as a whole. While milestones are sent, roll-ups are read by
another client: what they take then is shown beside what they take before.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.support.postgres import create_database, running_postgres
from tests.support.server import environment, serving

TOKEN = "benchmark-operator-token-0123456789abcdef"
KPU = "/api/v1/institutions/kpu"
PER_INITIATIVE = 10


def show(*cells: object) -> None:
    """One row of the table."""
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


def command(url: str, *words: str) -> tuple[float, int]:
    """Seconds of a command, and the most memory that it took, MB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        env=environment(url, None), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return time.perf_counter() - start, usage.ru_maxrss // 1024


def highest(pid: int) -> int:
    """The most memory of a process since `forget`, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def forget(pid: int) -> None:
    """Begin to look for the highest memory anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def reading(client: httpx.AsyncClient, until: asyncio.Event) -> list[float]:
    """What each read of a roll-up takes, ms, ten times a second."""
    taken = []
    while not until.is_set():
        start = time.perf_counter()
        (await client.get(f"{KPU}/rollup")).raise_for_status()
        taken.append((time.perf_counter() - start) * 1_000)
        await asyncio.sleep(0.1)
    return taken


async def export(client: httpx.AsyncClient, file: str) -> tuple[float, int]:
    """Seconds until an export is there, and its bytes."""
    start, size = time.perf_counter(), 0
    async with client.stream("GET", f"{KPU}/exports/{file}") as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            size += len(piece)
    return time.perf_counter() - start, size


async def over_http(url: str, pid: int, milestones: int) -> None:
    """Milestones in each form, and the archive."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=3_600) as client:
        for file in ("milestones.jsonl", "milestones.csv", "milestones.xlsx", "archive"):
            forget(pid)
            done = asyncio.Event()
            others = asyncio.create_task(reading(client, done))
            seconds, size = await export(client, file)
            done.set()
            waits = sorted(await others)
            show(
                f"{milestones:,}", file, f"{seconds:.0f} s", f"{milestones / seconds:,.0f}/s",
                f"{size / 1e6:.0f} MB", f"{highest(pid)} MB",
                f"{statistics.median(waits):.0f} / {waits[int(len(waits) * 0.95)]:.0f} ms",
            )  # fmt: skip


def measure(server: str, folder: Path, milestones: int) -> None:
    """One size."""
    url = asyncio.run(create_database(server, f"exports_{milestones}"))
    initiatives = max(100, milestones // PER_INITIATIVE)
    command(url, "demo", "load", "--initiatives", str(initiatives), "--milestones", str(milestones))
    with serving(url, folder / "log", token=TOKEN) as running:
        asyncio.run(over_http(running.url, running.process.pid, milestones))
    archive = folder / f"{milestones}.zip"
    for words, at in (
        (("export", str(archive)), url),
        (("import", str(archive)), f"sqlite:///{folder / f'{milestones}.db'}"),
    ):
        seconds, memory = command(at, *words)
        size = f"{archive.stat().st_size / 1e6:.0f} MB"
        rate = f"{milestones / seconds:,.0f}/s"
        show(
            f"{milestones:,}",
            f"quickwin {words[0]}",
            f"{seconds:.0f} s",
            rate,
            size,
            f"{memory} MB",
            "",
        )


def main() -> None:
    """Measure the sizes that are asked for."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_postgres(Path(folder), durable=True) as server,
    ):
        show("milestones", "what", "time", "milestones", "size", "memory", "others: median / 95 %")
        show(*["---"] * 7)
        for size in map(int, sys.argv[1:] or ("10000",)):
            measure(server, Path(folder), size)


if __name__ == "__main__":
    main()
