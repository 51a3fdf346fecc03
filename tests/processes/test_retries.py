"""Clients that insist on an answer, while the server is killed: each request has one effect."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.main import create_app
from app.services import progress, rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support import posts
from tests.support.institution import Institution
from tests.support.server import serving

CLIENTS, KEYS = 50, 12


class Insisting:
    """Clients that send a request until it is answered, wherever the server is by then."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.url = asyncio.get_running_loop().create_future()
        self.interrupted = self.answered = 0

    async def post(self, client: httpx.AsyncClient, key: int) -> httpx.Response:
        """The answer to the report of a key."""
        day = f"2022-{3 + key // 28:02}-{1 + key % 28:02}"
        body = {"percent_complete": key, "effective_on": day}
        headers = {"Idempotency-Key": f"{self.path}-{key}"}  # the operator sends all tests' keys
        while True:
            try:
                answer = await client.post(
                    f"{await self.url}{self.path}", json=body, headers=headers
                )
            except httpx.TransportError:
                self.interrupted += 1
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(0.2)
                continue
            self.answered += 1
            return answer

    async def all(self) -> list[list[httpx.Response]]:
        """The answers to each key, one for each client."""
        limits = httpx.Limits(max_connections=CLIENTS)
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        async with httpx.AsyncClient(headers=headers, timeout=60, limits=limits) as client:

            async def one() -> list[httpx.Response]:
                return [await self.post(client, key) for key in range(KEYS)]

            answers = await asyncio.gather(*(one() for _ in range(CLIENTS)))
        return [list(of_key) for of_key in zip(*answers, strict=True)]


@pytest.mark.parametrize("kill_after", [90])  # answers
async def test_a_killed_server_does_nothing_twice(
    institution: Institution,
    database: Database,
    configuration: Settings,
    tmp_path: Path,
    kill_after: int,
) -> None:
    await posts.ready(institution)
    insisting = Insisting(f"{institution.path}/initiatives/QW-1/milestones/2/updates")
    asked = asyncio.create_task(insisting.all())
    with serving(configuration.database_url, tmp_path / "log", token=OPERATOR) as server:
        insisting.url.set_result(server.url)
        while insisting.answered < kill_after:
            await asyncio.sleep(0.001)
        assert not asked.done(), "they were answered before the server was killed"
        insisting.url = asyncio.get_running_loop().create_future()
        server.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.process.wait)
    starting = serving(configuration.database_url, tmp_path / "log", token=OPERATOR)
    server = await asyncio.to_thread(starting.__enter__)
    try:
        insisting.url.set_result(server.url)
        answers = await asyncio.wait_for(asked, 120)
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
    assert insisting.interrupted
    for of_key in answers:
        assert {answer.status_code for answer in of_key} == {201}, of_key[0].text
        assert len({answer.content for answer in of_key}) == 1
        assert len({answer.headers["location"] for answer in of_key}) == 1
        # An answer that was lost on its way is the only one that was not a replay.
        fresh = sum("idempotency-replayed" not in answer.headers for answer in of_key)
        assert fresh <= 1
    kept = await institution.get("initiatives/QW-1/milestones/2/updates", limit=200)
    ids = {of_key[0].json()["id"] for of_key in answers}
    assert {item["id"] for item in kept["items"]} == ids
    assert len(ids) == KEYS
    events = (await institution.get("events", limit=200))["items"]
    told = [event["subject"] for event in events if event["type"] == "update.reported"]
    assert len(told) == len(set(told)) == 1 + KEYS
    found = await database.read(rollups.audit, SYSTEM, institution.code, lambda _done, _all: None)
    assert (found.differences, found.derived) == ([], [])


async def test_twins_outwait_short_locks_on_few_connections(
    institution: Institution, configuration: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two connections for fifty twins, a slow effect, and a database that lets nobody wait long."""
    await posts.ready(institution)
    taken = progress.report

    def slowly(session: Session, *arguments: Any) -> Any:
        if session.connection().dialect.name == "postgresql":
            session.execute(text("SELECT pg_sleep(0.3)"))
        return taken(session, *arguments)

    slowly.__annotations__ = taken.__annotations__
    monkeypatch.setattr(progress, "report", slowly)
    narrow = {"database_pool_size": 1, "database_lock_seconds": 0.05}
    app = create_app(configuration.model_copy(update=narrow))
    headers = {"Authorization": f"Bearer {OPERATOR}", "Idempotency-Key": "twins"}
    path = f"{institution.path}/initiatives/QW-1/milestones/1/updates"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers=headers
        ) as client,
    ):
        answers = await asyncio.gather(
            *(client.post(path, json={"percent_complete": 40}) for _ in range(CLIENTS))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == CLIENTS - 1
    assert len((await institution.get("initiatives/QW-1/milestones/1/updates"))["items"]) == 2
