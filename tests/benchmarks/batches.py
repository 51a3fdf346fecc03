"""Reports in batches beside reports alone, over HTTP, in one run."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from tests.benchmarks import client, processes

SIZE, CLIENTS = 500, 3
_PATH = "/api/v1/institutions/kpu/updates"
_ALL_TAKEN = b'"failed":0'


def requests(
    url: str, token: str, chosen: Sequence[tuple[str, int]]
) -> Callable[[int], Iterator[bytes]]:
    """Each client's requests: batches on its part of the chosen (initiative, milestone number).

    Who comes round reports another percent: each report moves something.
    """

    def of(mine: int) -> Iterator[bytes]:
        part = chosen[mine::CLIENTS]
        for percent in count(41):
            for start in range(0, len(part) - SIZE + 1, SIZE):
                items = [
                    {"initiative": initiative, "milestone": number, "percent_complete": percent}
                    for initiative, number in part[start : start + SIZE]
                ]
                yield client.request(url, _PATH, token, json.dumps({"items": items}).encode())

    return of


class Spent(NamedTuple):
    """What reports took: how many there were in a second, and processor time of each, in ms."""

    rate: float
    server: float
    postgres: float


class Meter:
    """Processor time of the server and of PostgreSQL, which are on this machine."""

    def __init__(self, database: Database, pid: int) -> None:
        self._database, self._pid = database, pid

    async def measured(self, reports: int, sending: Awaitable[float]) -> Spent:
        """What it took to send so many reports at a time, at the rate that comes of it."""
        start, before = time.perf_counter(), await self._now()
        rate = reports * await sending
        sent = rate * (time.perf_counter() - start)
        spent = [b - a for a, b in zip(before, await self._now(), strict=True)]
        return Spent(rate, *(1_000 * seconds / sent for seconds in spent))

    async def _now(self) -> tuple[float, float]:
        backends = await self._database.read(_backends)
        return processes.processor(self._pid), sum(map(processes.processor, backends))


def _backends(session: Session) -> list[int]:
    activity = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    return list(session.scalars(text(activity)))


async def spend(
    meter: Meter, url: str, token: str, chosen: Sequence[tuple[str, int]], seconds: float
) -> Spent:
    """Send reports in batches, all of which are taken."""
    asked = requests(url, token, chosen)
    return await meter.measured(
        SIZE, client.throughput(url, CLIENTS, 207, asked, seconds, _ALL_TAKEN)
    )
