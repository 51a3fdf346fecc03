"""Slow statements are told by their text, never by what they were given."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import QuickwinError
from app.logs import Lines
from app.seen import COUNTS, REQUEST_ID
from app.settings import Settings
from app.terminal import run

CANARY = "canary-8d13"
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)"
SLOW = f"{COUNTING}\n  SELECT count(*), :secret FROM n"


def count(session: Session, most: int) -> None:
    session.execute(text(SLOW), {"most": most, "secret": CANARY}).all()


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [each.msg for each in caplog.records if isinstance(each.msg, dict)]


@asynccontextmanager
async def watching(configuration: Settings, **changes: float) -> AsyncIterator[Database]:
    """A database of which a statement is slow from a millisecond on."""
    chosen = configuration.model_copy(update={"slow_query_ms": 1, **changes})
    database = Database(chosen, limited=True)
    try:
        yield database
    finally:
        await database.close()


async def test_a_slow_statement_is_told(
    configuration: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    before = COUNTS.slow_statements
    token = REQUEST_ID.set("find-me")
    try:
        with caplog.at_level(logging.WARNING):
            async with watching(configuration) as database:
                await database.read(count, 50_000)
    finally:
        REQUEST_ID.reset(token)
    (line,) = [each for each in told(caplog) if "RECURSIVE" in each["statement"]]
    assert (line["event"], line["request_id"], line["failed"]) == (
        "slow statement",
        "find-me",
        False,
    )
    assert line["duration_ms"] >= 1
    assert "\n" not in line["statement"]
    assert COUNTS.slow_statements > before
    assert CANARY not in caplog.text
    assert CANARY not in "".join(Lines("json").format(each) for each in caplog.records)


async def test_one_that_is_ended_is_told_too(
    configuration: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with watching(
            configuration, request_seconds=0.5, database_statement_seconds=0.5
        ) as database:
            with pytest.raises(QuickwinError):
                await database.read(count, 1_000_000_000)
    (line,) = [each for each in told(caplog) if "RECURSIVE" in each["statement"]]
    assert line["failed"] is True
    assert line["duration_ms"] >= 250
    assert CANARY not in caplog.text


async def test_what_is_quick_is_not(
    configuration: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for milliseconds in (0, 3_600_000):
        chosen = configuration.model_copy(update={"slow_query_ms": milliseconds})
        database = Database(chosen)
        with caplog.at_level(logging.WARNING):
            await database.read(count, 50_000)
        await database.close()
    assert told(caplog) == []


@pytest.mark.parametrize("is_service", [True, False])
async def test_a_command_takes_the_time_that_it_takes(tmp_path: Path, *, is_service: bool) -> None:
    chosen = Settings(database_url=f"sqlite:///{tmp_path / 'quickwin.db'}", slow_query_ms=1)
    before = COUNTS.slow_statements

    def command() -> None:
        run(chosen, lambda database: database.read(count, 200_000), is_service=is_service)

    await to_thread.run_sync(command)
    assert (COUNTS.slow_statements > before) == is_service
