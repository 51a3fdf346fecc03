"""A real streaming replica: it is read, and nobody is answered from before what they have written."""

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app import neighbours, replica, revisions
from app.api import meters
from app.checks import Level
from app.db import Database
from app.errors import DatabaseUnavailable
from app.main import create_app
from app.revisions import Found
from app.seen import COUNTS
from app.services import actors, operators
from app.services.actors import Actor
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support import replication
from tests.support.application import contract, document
from tests.support.contract import CheckedTransport
from tests.support.institution import API, Institution
from tests.support.postgres import free_port
from tests.support.replication import Node

pytestmark = replication.NEEDED
SOON = 60.0


class Read(NamedTuple):
    """An application that reads from a replica, and two institutions."""

    app: FastAPI
    settings: Settings
    standby: Node
    one: Institution
    other: Institution

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """How many statements each server has run within the block, on behalf of requests."""
        counts: Counter[str] = Counter()
        servers = {"primary": self.app.state.database, "replica": self.app.state.replica.database}
        heard = []
        for name, database in servers.items():

            def count(*_: object, name: str = name) -> None:
                counts[name] += 1

            event.listen(database.engine.sync_engine, "before_cursor_execute", count)
            heard.append((database.engine.sync_engine, count))
        try:
            yield counts
        finally:
            for engine, count in heard:
                event.remove(engine, "before_cursor_execute", count)

    async def is_read_from(self, server: str, institution: Institution, path: str) -> bool:
        """Whether a server's statements are more than what is looked at before."""
        with self.counted() as counts:
            await institution.get(path)
        looked = {"primary": 2, "replica": 1}
        return counts[server] > looked[server]

    async def caught_up(self, *institutions: Institution) -> None:
        """Wait until the replica has all of some institutions."""
        async with asyncio.timeout(SOON):
            for institution in institutions:
                while not await self.is_read_from("replica", institution, "rollup"):
                    await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def read(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Read]:
    with replication.replicated() as pair:
        await pair.primary.ask("CREATE DATABASE quickwin")
        here = "postgresql://quickwin@{}/quickwin"
        chosen = Settings(
            database_url=here.format(pair.primary.host),
            database_read_url=here.format(pair.standby.host),
            files_url=str(tmp_path_factory.mktemp("files")), background=False,
        )  # fmt: skip
        database = Database(chosen)
        await database.migrate()
        await database.write(operators.first_start, OPERATOR)
        app = create_app(chosen)
        app.openapi_schema = document()
        async with app.router.lifespan_context(app):
            transport = CheckedTransport(
                httpx.ASGITransport(app, raise_app_exceptions=False), contract()
            )
            headers = {"Authorization": f"Bearer {OPERATOR}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://test", headers=headers
            ) as client:
                made = [Institution(code, client, transport) for code in ("one", "other")]
                for each in made:
                    await each.found(database, actors.identify(actors.digest(OPERATOR)))
                    milestones = [{"title": "Step", "due_on": "2022-06-30"}]
                    await each.initiative("QW-1", milestones=milestones)
                await database.close()
                yield Read(app, chosen, pair.standby, *made)
                for each in made:
                    await each.close()


@pytest.fixture
async def behind(read: Read) -> AsyncIterator[Read]:
    """The replica has all, and takes nothing more until the test is over."""
    await read.caught_up(read.one, read.other)
    await read.standby.ask("SELECT pg_wal_replay_pause()")
    async with asyncio.timeout(SOON):
        while await read.standby.ask("SELECT pg_get_wal_replay_pause_state()") != "paused":
            await asyncio.sleep(0.02)
    yield read
    await read.standby.ask("SELECT pg_wal_replay_resume()")


@pytest.mark.parametrize(
    "path", ["rollup", "initiatives", "initiatives/QW-1", "units", "updates", "events", "people"]
)
async def test_what_is_read_of_an_institution_is_read_from_the_replica(
    read: Read, path: str
) -> None:
    await read.caught_up(read.one)
    answered = COUNTS.replica_reads
    with read.counted() as counts:
        await read.one.get(path)
    assert COUNTS.replica_reads == answered + 1
    assert counts["primary"] == 2  # who asks, and how far the institution is
    assert counts["replica"] > 1


async def test_what_is_public_is_read_from_the_replica(read: Read) -> None:
    await read.caught_up(read.one)
    with read.counted() as counts:
        answer = await read.one.operator.get(f"{API}/public/institutions/one")
    assert answer.status_code == 404
    assert counts["primary"] == 1
    assert counts["replica"] > 1


@pytest.mark.parametrize("path", ["imports", "tokens", "webhooks"])
async def test_what_changes_without_an_event_is_read_from_the_primary(
    read: Read, path: str
) -> None:
    await read.caught_up(read.one)
    with read.counted() as counts:
        await read.one.get(path)
    assert counts["replica"] == 0


async def test_who_has_written_reads_it_at_once(behind: Read) -> None:
    one, other = behind.one, behind.other
    old = await one.operator.get(f"{one.path}/rollup")
    missed = COUNTS.replica_misses
    update = await one.report("QW-1", 1, 100, "2022-03-01")
    rollup = await one.operator.get(
        f"{one.path}/rollup", headers={"If-None-Match": old.headers["etag"]}
    )
    assert rollup.status_code == 200
    assert rollup.json()["percent_complete"] == 100
    assert rollup.json()["version"] > old.json()["version"]
    known = {"If-None-Match": rollup.headers["etag"]}
    assert (await one.operator.get(f"{one.path}/rollup", headers=known)).status_code == 304
    reports = await one.get("initiatives/QW-1/milestones/1/updates")
    assert reports["items"][0]["id"] == update["id"]
    news = await one.get("events", after=old.json()["version"])
    assert [each["type"] for each in news["items"]] == ["update.reported"]
    assert COUNTS.replica_misses == missed + 4
    # An institution that nobody writes to is still read there.
    assert await behind.is_read_from("replica", other, "rollup")


async def test_what_is_taken_away_is_gone_at_once(behind: Read) -> None:
    other = behind.other
    tokens = (await other.get("tokens"))["items"]
    grants = (await other.get("grants"))["items"]
    of = {each["person"]: each["id"] for each in tokens}
    assert (await other.reporter.get(f"{other.path}/rollup")).status_code == 200
    await other.expect(204, "DELETE", f"{other.path}/tokens/{of['reporter']}")
    assert (await other.reporter.get(f"{other.path}/rollup")).status_code == 401
    assert (await other.verifier.get(f"{other.path}/units/other/rollup")).status_code == 200
    role = next(each["id"] for each in grants if each["person"] == "verifier")
    await other.expect(204, "DELETE", f"{other.path}/grants/{role}")
    assert (await other.verifier.get(f"{other.path}/units/other/rollup")).status_code == 404


@pytest.mark.parametrize(
    ("state", "why"),
    [("42P01", "a table that comes a moment later"), ("40001", "recovery needed what it read")],
)
async def test_what_fails_on_the_replica_alone_is_no_failure(
    read: Read, state: str, why: str
) -> None:
    await read.caught_up(read.other)
    primary: Database = read.app.state.database
    settings: Settings = read.app.state.settings
    refused = f"DO $$ BEGIN RAISE EXCEPTION '{why}' USING ERRCODE = '{state}'; END $$"
    served: list[bool] = []

    def verb(session: Session, _actor: Actor) -> int:
        served.append(session.execute(text("SELECT pg_is_in_recovery()")).scalar_one())
        if served[-1]:
            session.execute(text(refused))
        return 7

    fresh = replica.Replica(settings, str(settings.database_read_url), primary)
    identify = actors.identify(actors.digest(OPERATOR))
    call = replica.Call(primary, identify, lambda _, actor: actor, fresh, "other")
    assert [await call.read(verb), await call.read(verb)] == [7, 7]
    assert served[-2:] == [False, False]  # it is left alone for a while
    assert set(served[:-2]) == {True}
    await fresh.close()


async def test_a_replica_that_is_gone_is_not_missed_and_found_again(
    read: Read, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "PAUSE_SECONDS", 0.1)
    await read.caught_up(read.one)
    with caplog.at_level(logging.WARNING, logger="app.replica"):
        await asyncio.to_thread(read.standby.stop)
        for _ in range(3):
            assert (await read.one.get("rollup"))["version"]
        await asyncio.to_thread(read.standby.start)
        await read.caught_up(read.one)
    said = [record.getMessage() for record in caplog.records]
    assert "the primary is read" in said[0]
    assert said[1:] == ["The replica is read again."]


async def test_a_replica_that_hangs_is_left_alone(
    read: Read, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine goes on to take what it is sent, and nothing comes back."""
    monkeypatch.setattr(replica, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(replica, "PAUSE_SECONDS", 0.1)
    await read.caught_up(read.one)
    ours = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    pids = [int(pid) for pid in str(await read.standby.ask(ours)).split()]
    with caplog.at_level(logging.WARNING, logger="app.replica"):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                assert (await read.one.get("rollup"))["version"]
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    (said,) = [each.getMessage() for each in caplog.records if each.name == "app.replica"]
    assert said.endswith("the primary is read: TimeoutError")
    await read.caught_up(read.one)


async def test_of_many_one_looks_whether_it_is_back(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, asked = 0, read.app.state.replica
    monkeypatch.setattr(replica, "PAUSE_SECONDS", 0.2)

    async def swallowed(_verb: object) -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0.1)
        raise DatabaseUnavailable

    with monkeypatch.context() as gone:
        gone.setattr(asked.database, "read", swallowed)
        await read.one.get("rollup")
        await asyncio.sleep(0.2)
        assert tried == 1
        looking = asyncio.create_task(read.one.get("rollup"))
        while tried == 1:
            await asyncio.sleep(0)
        await asyncio.gather(*(read.one.get("rollup") for _ in range(10)))
        await looking
        assert tried == 2
    await asyncio.sleep(0.2)
    await read.caught_up(read.one)


def revised(found: Iterator[str]) -> Callable[[Session], Found]:
    return lambda _: Found(next(found), None)


async def test_the_doctor_sees_what_is_wrong_with_it(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(**changes: Any) -> tuple[Level, str]:
        (found,) = await neighbours.all_of(read.settings.model_copy(update=changes))
        assert (found.check, bool(found.cure)) == ("replica", found.level is not Level.OK)
        return found.level, found.told

    here = read.settings.database_url
    there = str(read.settings.database_read_url)
    await read.one.report("QW-1", 1, 10, "2022-03-01")
    monkeypatch.setattr(neighbours, "BEHIND_SECONDS", SOON)
    level, said = await told()
    assert (level, said.startswith("It has come as far")) == (Level.OK, True)
    assert await told(database_read_url=here) == (
        Level.PROBLEM, "It follows nobody: it takes writes itself, or is the primary.",
    )  # fmt: skip
    assert await told(database_read_url=there.removesuffix("quickwin") + "postgres") == (
        Level.PROBLEM, "It is of another database than the primary.",
    )  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr(revisions, "found", revised(iter(["0002", "0001"])))
        assert await told() == (Level.PROBLEM, "Its schema is 0001, not 0002.")
    closed = f"postgresql://quickwin@127.0.0.1:{free_port()}/quickwin"
    level, said = await told(database_read_url=closed)
    assert (level, said.startswith("It cannot be used")) == (Level.WARNING, True)
    level, said = await told(database_url=closed)
    assert (level, said.startswith("The primary was not there")) == (Level.WARNING, True)


async def test_the_doctor_sees_that_it_falls_behind(
    behind: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = await neighbours.all_of(behind.settings)
    assert (found.level, "paused" in found.told) == (Level.WARNING, True)
    assert "pg_wal_replay_resume" in found.cure
    monkeypatch.setattr(neighbours, "_FOLLOWER", "SELECT pg_last_wal_replay_lsn() - '0/0', false")
    monkeypatch.setattr(neighbours, "BEHIND_SECONDS", 0.0)
    await behind.one.report("QW-1", 1, 15, "2022-03-02")
    (found,) = await neighbours.all_of(behind.settings)
    assert found.level is Level.WARNING
    assert found.told.endswith(" bytes behind.")


async def test_its_pool_is_measured(read: Read) -> None:
    database = read.app.state.replica.database
    async with meters.sampling(read.app.state.database, database):
        pass
    for name, value in database.pool()._asdict().items():
        assert meters.REGISTRY.get_sample_value(f"quickwin_replica_pool_{name}") == value
    assert database.pool().size == 2 * read.settings.database_pool_size


async def test_it_all_holds_while_many_write_and_read(read: Read) -> None:
    """However far the replica is: nobody ever reads less than they know."""
    one = read.one
    await one.initiative(
        "QW-2", milestones=[{"title": f"{n}", "due_on": "2022-06-30"} for n in range(4)]
    )

    async def write_and_read(number: int) -> None:
        for percent in range(5, 50, 5):
            made = await one.report("QW-2", number, percent, "2022-03-01")
            seen: Any = await one.get(f"initiatives/QW-2/milestones/{number}/updates")
            assert seen["items"][0]["id"] == made["id"]

    with read.counted() as counts:
        await asyncio.gather(*(write_and_read(n) for n in range(1, 5)))
        for _ in range(20):
            await one.get("rollup")
    assert counts["replica"] > 0
