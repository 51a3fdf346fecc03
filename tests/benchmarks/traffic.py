"""Mixed traffic: what leaders, reporters and scripts ask for, in proportions that stay the same."""

import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.opening import open_database
from app.settings import Settings
from tests.benchmarks import client

TOKEN = "benchmark-operator-token-0123456789abcdef"
PAGES = "/institutions/kpu"
KPU = f"/api/v1{PAGES}"
READS = {
    f"{KPU}/rollup": 12,
    f"{KPU}/units/{{unit}}/rollup": 12,
    f"{KPU}/units/{{unit}}/rollup/children": 6,
    f"{KPU}/rollup/areas": 5,
    f"{KPU}/rollup/s-curve": 4,
    f"{KPU}/initiatives?unit={{unit}}&limit=50": 10,
    f"{KPU}/initiatives/{{initiative}}": 9,
    f"{KPU}/initiatives/{{initiative}}/milestones": 6,
    f"{PAGES}/units/{{unit}}": 3,
}
"""What is read, and how often in 100 requests; as many more are asked for again by their ETag."""
AGAIN, REPORTS, BATCHES = 8, 22, 3
SIZE = 20
"""Reports in a batch."""


Targets = Sequence[tuple[str, int]]
"""Milestones to report on: (initiative, number)."""


class Due(NamedTuple):
    """A request, and what its answer may be."""

    kind: str
    payload: bytes
    expected: frozenset[int]


def report(url: str, initiative: str, number: int, percent: int) -> bytes:
    """A report on a milestone, as a request."""
    path = f"{KPU}/initiatives/{initiative}/milestones/{number}/updates"
    body = json.dumps({"percent_complete": percent}).encode()
    return client.request(url, path, TOKEN, body)


class Traffic:
    """Requests in the proportions above, the same in each run."""

    def __init__(self, url: str, cookie: str, units: Sequence[str], chosen: Targets) -> None:
        self._url, self._cookie, self._units = url, cookie, units
        self._chosen, self._percent = itertools.cycle(chosen), itertools.cycle(range(5, 100))
        self._random = random.Random(2022)
        self._kinds: dict[Callable[[], Due], int] = {
            self._read: sum(READS.values()),
            self._again: AGAIN,
            self._report: REPORTS,
            self._batch: BATCHES,
        }
        self.tag = '"none"'
        """The ETag with which the institution's roll-up last came."""

    def next(self) -> Due:
        """What is asked for next."""
        (make,) = self._random.choices(list(self._kinds), list(self._kinds.values()))
        return make()

    def _read(self) -> Due:
        (path,) = self._random.choices(list(READS), list(READS.values()))
        initiative, _ = next(self._chosen)
        asked = path.format(unit=self._random.choice(self._units), initiative=initiative)
        kind = "read" if path.startswith(KPU) else "page"
        return Due(kind, self._request(asked, None, self._cookie), frozenset({200}))

    def _again(self) -> Due:
        asked = self._request(f"{KPU}/rollup", None, f"If-None-Match: {self.tag}")
        return Due("again", asked, frozenset({200, 304}))

    def _report(self) -> Due:
        initiative, number = next(self._chosen)
        sent = report(self._url, initiative, number, next(self._percent))
        return Due("report", sent, frozenset({201}))

    def _batch(self) -> Due:
        items = [
            {"initiative": initiative, "milestone": number, "percent_complete": next(self._percent)}
            for initiative, number in itertools.islice(self._chosen, SIZE)
        ]
        return Due("batch", self._request(f"{KPU}/updates", {"items": items}), frozenset({207}))

    def _request(self, path: str, body: object = None, *more: str) -> bytes:
        sent = None if body is None else json.dumps(body).encode()
        return client.request(self._url, path, TOKEN, sent, *more)


def session_cookie(url: str) -> str:
    """Sign in as a browser does; answers the header that it then sends."""
    with httpx.Client(base_url=url, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        browser.post("/sign-in", data={"token": TOKEN, "next": "/"})
        return "Cookie: " + "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The database, for as long as it is looked at."""
    database = await open_database(Settings(database_url=url))
    try:
        yield database
    finally:
        await database.close()


def places(session: Session) -> tuple[list[str], Targets]:
    """The units, and a milestone of each initiative that takes reports."""
    units = session.scalars(text("SELECT code FROM unit ORDER BY code"))
    milestones = text(
        "SELECT i.code, min(m.number) FROM initiative AS i"
        " JOIN milestone AS m ON m.institution_id = i.institution_id AND m.initiative_id = i.id"
        " WHERE i.status = 'active' AND m.dropped_at IS NULL GROUP BY i.code"
        " ORDER BY substr(i.code, 9), i.code"
    )
    return list(units), [(code, number) for code, number in session.execute(milestones)]
