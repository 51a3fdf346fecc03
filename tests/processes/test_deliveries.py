"""Two workers and a receiver as processes, some of which are killed: all arrives, in order."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import Database
from app.main import create_app
from app.models import Webhook
from app.models.base import now
from app.services import operators
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support import receiver
from tests.support.application import contract
from tests.support.contract import CheckedTransport
from tests.support.institution import Institution
from tests.support.postgres import create_database, free_port
from tests.support.server import environment

EVENTS = 12


@pytest.fixture
async def alone(
    configuration: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Institution, Database]]:
    """An institution in a database of its own, in which workers find nothing of other tests."""
    if configuration.database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'alone.db'}"
    else:
        server: str = request.getfixturevalue("postgres_server")
        url = await create_database(server, f"deliveries_{uuid4().hex[:8]}")
    settings = Settings(**configuration.model_dump() | {"database_url": url})
    bare = Database(settings)
    await bare.migrate()
    await bare.write(operators.first_start, OPERATOR)
    await bare.close()
    app = create_app(settings)
    transport = CheckedTransport(httpx.ASGITransport(app), contract())
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client,
    ):
        institution = Institution("alone", client, transport)
        await institution.create()
        yield institution, app.state.database
        await institution.close()


def worker(url: str) -> subprocess.Popen[bytes]:
    """`quickwin worker`, which tries again at once and for long."""
    seen = environment(
        url, None, webhook_networks="127.0.0.1", webhook_retry_seconds="0.1," * 99, webhook_seconds=2,
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "app", "worker"], env=seen, stdout=subprocess.DEVNULL
    )


async def until(come: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    late = time.monotonic() + 60
    while not come():
        assert time.monotonic() < late
        await asyncio.sleep(0.05)


def let_leases_run_out(session: Session) -> None:
    """What a minute would do."""
    session.execute(update(Webhook).values(leased_until=now() - timedelta(seconds=1)))


async def test_all_arrives_in_order_whoever_is_killed(
    alone: tuple[Institution, Database], tmp_path: Path
) -> None:
    (institution, database), file, port = alone, tmp_path / "received", free_port()
    made = await institution.post("webhooks", {"url": f"http://127.0.0.1:{port}/"})
    url = database.engine.url.render_as_string(hide_password=False)
    workers = [worker(url.replace("+asyncpg", "")) for _ in range(2)]
    receiving = receiver.start(port, file)
    numbers = iter(range(10 * EVENTS))

    async def write() -> None:
        for _ in range(EVENTS):
            await institution.unit(f"U{next(numbers)}")

    def arrived() -> list[str]:
        return list(dict.fromkeys(each.content["data"]["id"] for each in receiver.noted(file)))

    try:
        await write()
        await until(lambda: len(arrived()) > EVENTS // 2)
        receiving.kill()
        receiving.wait()
        await write()
        receiving = receiver.start(port, file)
        await until(lambda: len(arrived()) > EVENTS + 1)
        workers[0].kill()
        workers[0].wait()
        await database.write(let_leases_run_out)
        await write()
        await until(lambda: len(arrived()) == 3 * EVENTS + 1)
        workers[1].send_signal(signal.SIGTERM)
        assert workers[1].wait(10) == 0
    finally:
        for process in (*workers, receiving):
            process.kill()
            process.wait()
    received = receiver.noted(file)
    feed = (await institution.get("events", after=made["delivered_to"], limit=200))["items"]
    assert arrived() == [event["id"] for event in feed]  # in order, and none is lost
    # What was sent twice was sent again before anything else, and never at the same time.
    ids = [each.headers["webhook-id"] for each in received]
    assert [at for n, at in enumerate(ids) if n == 0 or ids[n - 1] != at] == arrived()
    assert not [each for each in received if each.overlaps]
