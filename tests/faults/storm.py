"""A storm of writes through a real server, and what must be there when it is over.

Every report carries an external id, so what was acknowledged can be told from what is there.
"""

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from app.db import Database
from app.services import rollups
from app.services.actors import SYSTEM
from tests.conftest import OPERATOR
from tests.support.institution import Institution, Json

ROUNDS = int(os.environ.get("QUICKWIN_FAULT_ROUNDS", "1"))
"""How often a fault is made; 20 for a thorough run, which takes minutes."""
REPORTERS, BATCHERS, BATCH = 4, 2, 20
UNITS = (("A", None), ("A1", "A"), ("A2", "A"), ("B", None))
INITIATIVES = 8
Refused = Callable[[httpx.Response], None]


async def plan(institution: Institution) -> None:
    """Four units, and eight initiatives of two milestones over them."""
    for unit, parent in UNITS:
        await institution.unit(unit, parent)
    for i in range(INITIATIVES):
        milestones = [{"title": "Step", "due_on": "2022-06-30"}] * 2
        unit = ("A1", "A2", "B")[i % 3]
        await institution.initiative(f"QW-{i}", unit, milestones=milestones, weight=1 + i)


def item(i: int, external_id: str) -> Json:
    """A report, somewhere."""
    return {
        "initiative": f"QW-{i % INITIATIVES}",
        "milestone": 1 + i // INITIATIVES % 2,
        "percent_complete": i % 101,
        "effective_on": f"2022-0{1 + i % 9}-1{i % 10}",
        "source": "storm",
        "external_id": external_id,
    }


class Storm:
    """Writers that go on until they are stopped or the server is gone.

    `refused` judges every answer that is no success; what it lets pass is tried again.
    """

    def __init__(self, path: str, refused: Refused) -> None:
        self.acknowledged: set[str] = set()
        self.batches: list[list[str]] = []
        """External ids of every batch that was sent."""
        self.refusals: Counter[int] = Counter()
        self.moves = 0
        self._path, self._refused, self._over = path, refused, False

    def end(self) -> None:
        """Let every writer finish what it is doing."""
        self._over = True

    async def blow(self, url: str) -> None:
        """Write through the server at `url` until the end, or until it cannot be reached."""
        self._over = False
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            writers = [self._report(client, n) for n in range(REPORTERS)]
            writers += [self._batch(client, n) for n in range(BATCHERS)]
            await asyncio.gather(*writers, self._move(client))

    async def _report(self, client: httpx.AsyncClient, first: int) -> None:
        for i in self._turns(first):
            new = item(i, uuid4().hex)
            at = f"initiatives/{new.pop('initiative')}/milestones/{new.pop('milestone')}/updates"
            answer = await self._post(client, at, new)
            if answer is None:
                return
            if answer.is_success:
                self.acknowledged.add(new["external_id"])

    async def _batch(self, client: httpx.AsyncClient, first: int) -> None:
        for i in self._turns(first):
            items = [item(i + n, uuid4().hex) for n in range(BATCH)]
            names = [new["external_id"] for new in items]
            self.batches.append(names)
            answer = await self._post(client, "updates", {"items": items})
            if answer is None:
                return
            if answer.is_success:
                assert answer.json()["summary"]["failed"] == 0, answer.text
                self.acknowledged.update(names)

    async def _move(self, client: httpx.AsyncClient) -> None:
        for i in self._turns(0):
            answer = await self._post(client, "units/A1/move", {"parent": "AB"[i % 2]})
            if answer is None:
                return
            self.moves += answer.is_success

    def _turns(self, first: int) -> Iterator[int]:
        return itertools.takewhile(lambda _: not self._over, itertools.count(first, 7))

    async def _post(
        self, client: httpx.AsyncClient, path: str, body: Json
    ) -> httpx.Response | None:
        try:
            answer = await client.post(f"{self._path}/{path}", json=body)
        except httpx.TransportError:
            self._refused(httpx.Response(599))
            return None
        if not answer.is_success:
            self.refusals[answer.status_code] += 1
            self._refused(answer)
            await asyncio.sleep(0.05)
        return answer


async def check(storm: Storm, database: Database, institution: str) -> None:
    """What was acknowledged is there once, no batch is there in part, and the roll-up is exact."""

    def read(session: Any) -> list[str]:
        return list(
            session.scalars(
                text(
                    "SELECT u.external_id FROM progress_update u"
                    " JOIN institution i ON i.id = u.institution_id WHERE i.code = :code"
                ),
                {"code": institution},
            )
        )

    kept = Counter(await database.read(read))
    assert max(kept.values(), default=1) == 1
    assert storm.acknowledged <= kept.keys(), len(storm.acknowledged - kept.keys())
    for names in storm.batches:
        assert len(kept.keys() & set(names)) in (0, BATCH)
    found = await database.read(rollups.audit, SYSTEM, institution, lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])


@asynccontextmanager
async def blowing(storm: Storm, url: str) -> Any:
    """A storm around a block; it is ended with the block."""
    writing = asyncio.create_task(storm.blow(url))
    try:
        yield
    finally:
        storm.end()
        await writing
