"""What a report and a read cost PostgreSQL, what a milestone takes there, and what becomes of it.

    python -m tests.benchmarks.growth                # brings its own PostgreSQL, some minutes
    python -m tests.benchmarks.growth --loaded URL   # sizes of a loaded database besides; it is only read

Rows, locks and bytes are counted by PostgreSQL itself, in the transaction of each request, just before
its end: so they are the same on any machine. What is calculated from them says so.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from app.main import create_app
from app.services import operators
from app.settings import Settings
from tests.benchmarks.traffic import TOKEN
from tests.support.postgres import create_database, running_postgres
from tests.support.server import environment

API = "/api/v1/institutions/kpu"
SIZES = ((1_000, 10_000), (3_000, 30_000))
INSTITUTIONS, UNITS, MILESTONES = 635, 1_000, 100_000_000
_TABLES = """
    SELECT c.relname AS name, pg_table_size(c.oid) AS heap, pg_indexes_size(c.oid) AS indexes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY pg_total_relation_size(c.oid) DESC
"""
_ROWS = """
    SELECT coalesce(sum(n_tup_ins), 0), coalesce(sum(n_tup_upd), 0),
           coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)
      FROM pg_stat_xact_user_tables
"""
_LOCKS = """
    SELECT count(*) FILTER (WHERE locktype = 'relation'),
           count(*) FILTER (WHERE locktype = 'relation' AND NOT fastpath),
           count(*) FILTER (WHERE locktype = 'advisory')
      FROM pg_locks WHERE pid = pg_backend_pid() AND NOT relation = 'pg_locks'::regclass
        OR pid = pg_backend_pid() AND relation IS NULL
"""


class Cost(NamedTuple):
    """What one request did on the database."""

    statements: int
    inserted: int
    updated: int
    read: int
    """Rows that were looked at in tables."""
    relations: int
    """Locks on tables and indexes."""
    slow: int
    """Of these the ones that are in the shared table of locks, since a session has few slots of its own."""
    advisory: int
    wal: int
    """Bytes."""


@contextmanager
def watched(engine: AsyncEngine) -> Iterator[list[Counter[str]]]:
    """What each transaction has done, told by PostgreSQL just before its end."""
    told: list[Counter[str]] = []
    running: Counter[str] = Counter()
    asking = False

    def hear(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if not asking and not sql.startswith("BEGIN"):
            running["statements"] += 1

    def begins(connection: Connection) -> None:
        # What earlier transactions have read is told as well, until PostgreSQL gathers it.
        nonlocal asking, running
        asking = True
        running = Counter()
        running.subtract(_rows(connection))
        asking = False

    def ends(connection: Connection) -> None:
        nonlocal asking, running
        if not running["statements"]:
            return
        asking = True
        locks = connection.exec_driver_sql(_LOCKS).one()
        running.update(_rows(connection))
        asking = False
        running.update(dict(zip(("relations", "slow", "advisory"), locks, strict=True)))
        told.append(running)
        running = Counter()

    core = engine.sync_engine
    hooks = (
        ("begin", begins),
        ("before_cursor_execute", hear),
        ("commit", ends),
        ("rollback", ends),
    )
    for name, hook in hooks:
        event.listen(core, name, hook)
    try:
        yield told
    finally:
        for name, hook in hooks:
            event.remove(core, name, hook)


def _rows(connection: Connection) -> Counter[str]:
    told = connection.exec_driver_sql(_ROWS).one()
    return Counter(dict(zip(("inserted", "updated", "read"), map(int, told), strict=True)))


async def costs(url: str) -> dict[str, Cost]:
    """What requests cost on a loaded database, each asked twice and the second time counted."""
    chosen = Settings(database_url=url, background=False, files_url=tempfile.mkdtemp())
    app = create_app(chosen)
    plain = url.replace("postgresql+asyncpg", "postgresql")
    beside = await asyncpg.connect(plain)
    async with app.router.lifespan_context(app):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers
        ) as client:
            query: dict[str, str | int] = {"status": "active", "limit": 200}
            page = (await client.get(f"{API}/initiatives", params=query)).json()
            codes = [item["code"] for item in page["items"]]
            units = (await client.get(f"{API}/units", params={"limit": 200})).json()["items"]
            deep = max(units, key=lambda unit: unit["depth"])
            found: dict[str, Cost] = {}
            for name, method, path, body in asked(codes, deep["code"]):
                await client.request(method, path, json=body and body(0))
                with watched(app.state.database.engine) as told:
                    before = await beside.fetchval("SELECT pg_current_wal_insert_lsn()")
                    answer = await client.request(method, path, json=body and body(1))
                    assert answer.is_success, answer.text
                    wal = await beside.fetchval(
                        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)", before
                    )
                one = max(told, key=lambda each: each["statements"])
                found[f"{name} (depth {deep['depth']})" if "unit" in name else name] = Cost(
                    **{field: one[field] for field in Cost._fields if field != "wal"}, wal=int(wal)
                )
    await beside.close()
    return found


def asked(codes: list[str], unit: str) -> Iterator[tuple[str, str, str, Any]]:
    """What is asked: name, method, address, and the body of a try."""

    def report(i: int) -> dict[str, Any]:
        return {"percent_complete": 11 + i, "effective_on": f"2026-0{1 + i}-02"}

    def batch(i: int) -> dict[str, Any]:
        items = [{"initiative": code, "milestone": 1} | report(i) for code in codes[:100]]
        return {"items": items}

    yield "a report", "POST", f"{API}/initiatives/{codes[0]}/milestones/1/updates", report
    yield "a batch of 100 reports", "POST", f"{API}/updates", batch
    for name, path in {
        "roll-up of the root": "rollup",
        "roll-up of a unit": f"units/{unit}/rollup",
        "roll-up of the root's children": "rollup/children",
        "S-curve of the root": "rollup/s-curve",
        "an initiative": f"initiatives/{codes[0]}",
        "50 initiatives": "initiatives",
        "50 reports": "updates",
        "50 events": "events",
    }.items():
        yield name, "GET", f"{API}/{path}", None


async def sizes(url: str) -> dict[str, tuple[int, int, int]]:
    """Rows, bytes and bytes of indexes of each table that has any."""
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        found = {}
        for row in await connection.fetch(_TABLES):
            count = await connection.fetchval(f'SELECT count(*) FROM "{row["name"]}"')
            if count:
                found[row["name"]] = (count, row["heap"], row["indexes"])
        return found
    finally:
        await connection.close()


def say(line: str) -> None:
    """A line of what is printed."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_sizes(found: dict[str, tuple[int, int, int]]) -> None:
    """A table of tables, and what 100 million milestones would take."""
    milestones = found["milestone"][0]
    total = sum(heap + indexes for _, heap, indexes in found.values())
    say(f"\n{milestones:,} milestones, {found['unit'][0]:,} units: {total / 1e6:,.0f} MB")
    say(
        "| table | rows of a milestone | bytes of a milestone | of which indexes |\n|---|---|---|---|"
    )
    for name, (rows, heap, indexes) in list(found.items())[:9]:
        each = ((heap + indexes) / milestones, indexes / milestones)
        say(f"| {name} | {rows / milestones:.2f} | {each[0]:,.0f} | {each[1]:,.0f} |")
    every = total / milestones
    say(f"| all | | {every:,.0f} | |")
    say(
        f"calculated for {INSTITUTIONS} institutions with {MILESTONES:,} milestones "
        f"({MILESTONES // INSTITUTIONS:,} each): {MILESTONES * every / 1e9:,.0f} GB, "
        f"{MILESTONES / INSTITUTIONS * every / 1e9:.2f} GB of an institution"
    )


def show_costs(found: dict[str, Cost]) -> None:
    """A table of requests."""
    say(
        "\n| what | statements | rows inserted, updated | rows read | locks on tables and indexes "
        "(in the shared table) | advisory locks | WAL bytes |\n|---|---|---|---|---|---|---|"
    )
    for name, cost in found.items():
        say(
            f"| {name} | {cost.statements} | {cost.inserted}, {cost.updated} | {cost.read} "
            f"| {cost.relations} ({cost.slow}) | {cost.advisory} | {cost.wal:,} |"
        )


async def load(server: str, initiatives: int, milestones: int) -> str:
    """A database with the demo, and an operator."""
    url = await create_database(server, f"growth_{milestones}")
    subprocess.run(
        [sys.executable, "-m", "app", "demo", "load", "--initiatives", str(initiatives),
         "--milestones", str(milestones)],
        env=environment(url, TOKEN), check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    database = Database(Settings(database_url=url))
    await database.write(operators.first_start, TOKEN)
    await database.close()
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    await connection.execute("ANALYZE")  # as autovacuum would have by the time that it is asked
    await connection.close()
    return url


async def measure(loaded: str | None) -> None:
    """Everything, printed."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as server:
        for initiatives, milestones in SIZES:
            url = await load(server, initiatives, milestones)
            show_sizes(await sizes(url))
            show_costs(await costs(url))
    if loaded is not None:
        show_sizes(await sizes(loaded))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loaded", help="URL of a database that the demo was loaded into.")
    asyncio.run(measure(parser.parse_args().loaded))
