"""What the bare driver does with a report's own statements: asyncpg, no web, no ORM.

The statements of real reports are recorded while the verb runs in transactions that are rolled
back, then sent again as they are by asyncpg alone, eight at a time, and committed.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session

from app.db import Database
from app.schemas.updates import NewUpdate
from app.services import actors, events, progress


class Statement(NamedTuple):
    """One statement as the driver got it."""

    sql: str
    parameters: Sequence[Any]
    many: bool


class _Enough(Exception):
    pass


@contextmanager
def _listening(database: Database, heard: list[Statement]) -> Iterator[None]:
    assert isinstance(database.engine, AsyncEngine)

    def hear(_c: Any, _cursor: Any, sql: str, parameters: Any, _ctx: Any, many: bool) -> None:  # noqa: FBT001
        heard.append(Statement(sql, parameters, many))

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", hear)


async def record(
    database: Database, digest: str, targets: Sequence[tuple[str, int]], new: NewUpdate
) -> list[list[Statement]]:
    """The statements of one report on each of the (initiative, milestone number) targets."""

    def run(session: Session, initiative: str, number: int) -> None:
        actor = actors.identify(digest)(session)
        progress.report(session, actor, "kpu", initiative, number, new)
        events.write(session)
        raise _Enough

    recorded = []
    for initiative, number in targets:
        heard: list[Statement] = []
        with _listening(database, heard):
            try:
                await database.write(run, initiative, number)
            except _Enough:
                recorded.append(heard)
    return recorded


@cache
def _sequence_places(sql: str) -> list[int]:
    """Where the statement that writes the last event, and sets the clock, has its sequence."""
    if not sql.startswith("WITH written AS"):
        return []
    columns, values = re.findall(r"\(([^()]+)\)", sql)[:2]
    inserted = values.split(",")[[name.strip() for name in columns.split(",")].index("sequence")]
    found = [re.search(r"\$(\d+)", inserted), re.search(r"SET sequence=\$(\d+)", sql)]
    return [int(number[1]) - 1 for number in found if number]


async def replay(url: str, transactions: list[list[Statement]], clients: int) -> float:
    """Transactions per second of `clients` bare connections that share the recorded ones."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connections = [await asyncpg.connect(dsn) for _ in range(clients)]
    waiting = iter(transactions)

    async def drive(connection: asyncpg.Connection) -> int:
        done = 0
        for statements in waiting:
            async with connection.transaction():
                sequence = 0
                for sql, recorded, many in statements:
                    parameters = [*recorded]
                    if many:
                        await connection.executemany(sql, parameters)
                        continue
                    for place in _sequence_places(sql):
                        # The one value that depends on who came before.
                        parameters[place] = sequence + 1
                    rows = await connection.fetch(sql, *parameters)
                    if sql.startswith("SELECT institution_clock.sequence"):
                        sequence = rows[0][0]
            done += 1
        return done

    start = time.perf_counter()
    done = sum(await asyncio.gather(*(drive(connection) for connection in connections)))
    seconds = time.perf_counter() - start
    for connection in connections:
        await connection.close()
    return done / seconds
