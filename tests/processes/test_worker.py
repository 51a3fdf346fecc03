"""Background work: it goes on, it stops, and it is done by a process of its own too."""

import asyncio
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app import worker
from app.db import Database
from app.models import IdempotencyKey
from app.models.base import new_id, now
from app.services import closing, healths, rollups
from app.settings import Settings
from app.wakes import happened
from tests.support.server import environment

KEYS = 450
"""More than one transaction removes."""


def keep_expired_keys(session: Session) -> None:
    at = now() - timedelta(days=2)
    rows = [
        {"actor_id": new_id(), "digest": "0" * 64, "fingerprint": "f", "answer": b"",
         "is_sealed": False, "demands": [], "claimed_at": at, "expires_at": at + timedelta(days=1)}
        for _ in range(KEYS)
    ]  # fmt: skip
    session.execute(insert(IdempotencyKey), rows)


def expired_keys(session: Session) -> int:
    return session.scalar(select(func.count()).where(IdempotencyKey.expires_at < now())) or 0


async def test_a_worker_removes_what_has_expired(
    configuration: Settings, database: Database
) -> None:
    await database.write(keep_expired_keys)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "worker"],
        env=environment(configuration.database_url, None),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "Working; stop with Ctrl+C.\n"
        until = time.monotonic() + 30
        while await database.read(expired_keys):
            assert time.monotonic() < until
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()


async def test_a_loop_that_fails_is_started_again_while_others_go_on(
    configuration: Settings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    stop, rounds, failures = asyncio.Event(), 0, 0

    async def steady(_database: Database, _settings: Settings, stop: asyncio.Event) -> None:
        nonlocal rounds
        while not await happened(stop, 0.001):
            rounds += 1

    async def failing(_database: Database, _settings: Settings, _stop: asyncio.Event) -> None:
        nonlocal failures
        failures += 1
        if failures == 3:
            stop.set()
        raise RuntimeError("secret of the failure")

    async with asyncio.timeout(20):
        await worker.work(database, configuration, stop, (steady, failing))
    assert (failures, rounds > 2) == (3, True)
    assert "failing failed: RuntimeError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("loop", "asks", "does"),
    [
        (worker.periods, (closing, "due"), (closing, "act")),
        (worker.health, (healths, "due"), (healths, "look")),
        (worker.expiry, (rollups, "institutions"), (rollups, "renew")),
    ],
)
async def test_one_that_fails_keeps_no_other_from_its_turn(
    configuration: Settings,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    loop: worker.Loop,
    asks: tuple[object, str],
    does: tuple[object, str],
) -> None:
    tried: list[object] = []

    def act(_session: Session, *address: object, institution_id: object = None) -> int:
        tried.append(address[0] if address else institution_id)
        if tried[-1] == "bad":
            raise RuntimeError("bad")
        return 0

    is_alone = asks[0] is not closing
    monkeypatch.setattr(*asks, lambda _: ["bad", "good"] if is_alone else [("bad",), ("good",)])
    monkeypatch.setattr(*does, act)
    monkeypatch.setattr(healths, "note", lambda *_: None)
    with pytest.raises(RuntimeError, match="bad"):
        await loop(database, configuration, asyncio.Event())
    assert tried == ["bad", "good"]


async def test_it_stops_at_once_while_a_failed_loop_waits(
    configuration: Settings, database: Database
) -> None:
    stop = asyncio.Event()

    async def failing(_database: Database, _settings: Settings, _stop: asyncio.Event) -> None:
        raise RuntimeError

    task = asyncio.create_task(worker.work(database, configuration, stop, (failing,)))
    await asyncio.sleep(0.05)
    stop.set()
    async with asyncio.timeout(0.5):
        await task
