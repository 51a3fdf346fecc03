"""Measure speed and memory as ratios within one run, and print the README's table.

    python -m tests.benchmarks                          # brings its own PostgreSQL, about 10 minutes
    python -m tests.benchmarks --big URL --small URL    # on databases that are loaded already

The big database is made by `quickwin demo load --initiatives 100000 --milestones 1000000`, the
small one with 1,000 and 10,000.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.db import Database
from app.opening import open_database
from app.schemas.comparisons import ChildrenQuery
from app.schemas.rollups import RollupQuery
from app.schemas.updates import NewUpdate
from app.services import actors, comparisons, operators, rollups
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.benchmarks import answers, bare, batches, client, keys, processes
from tests.benchmarks.traffic import TOKEN, Targets, places, report
from tests.support.postgres import create_database, free_port, running_postgres
from tests.support.server import environment, serving

BIG, SMALL = ("100000", "1000000"), ("1000", "10000")
ROLLUP = "/api/v1/institutions/kpu/rollup"
SECONDS = 6.0
# What one would write without a ledger, on the derived columns that spare it the reports.
GROUPED = text("""
    SELECT ia.area_id,
           sum(m.share * CASE WHEN m.technique = 'binary' AND m.percent < 10000 THEN 0
                              ELSE m.percent END),
           sum(m.share * m.verified),
           sum(CASE WHEN coalesce(m.baseline_due_on, m.due_on) <= current_date THEN m.share END),
           sum(m.share), count(*), count(*) FILTER (WHERE m.percent = 10000),
           count(*) FILTER (WHERE m.percent < 10000 AND m.due_on < current_date)
      FROM milestone m
      JOIN initiative i ON i.institution_id = m.institution_id AND i.id = m.initiative_id
      JOIN initiative_area ia ON ia.institution_id = i.institution_id AND ia.initiative_id = i.id
     WHERE m.institution_id = (SELECT id FROM institution WHERE code_key = 'kpu')
       AND m.dropped_at IS NULL AND i.status IN ('active', 'on_hold', 'completed')
     GROUP BY ia.area_id
""")


def show(what: str, figure: str, aim: str) -> None:
    """One row of the table."""
    sys.stdout.write(f"| {what} | {figure} | {aim} |\n")
    sys.stdout.flush()


def load(url: str, size: tuple[str, str]) -> None:
    """Make a data set."""
    flags = ["demo", "load", "--initiatives", size[0], "--milestones", size[1]]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "app", *flags], env=environment(url, None), check=True)
    show(
        f"load {int(size[1]):,} milestones",
        f"{time.perf_counter() - start:.0f} s",
        "≤ 300 s at 1,000,000",
    )


def everything(session: Session) -> None:
    """The institution, its children and its areas."""
    query = RollupQuery()
    rollups.get(session, SYSTEM, "kpu", None, query)
    comparisons.children(session, SYSTEM, "kpu", None, ChildrenQuery())
    rollups.areas(session, SYSTEM, "kpu", None, query)


async def timed(database: Database, verb: Callable[[Session], None]) -> float:
    """Seconds of one read."""
    start = time.perf_counter()
    await database.read(verb)
    return time.perf_counter() - start


async def reads(big: Database, small: Database) -> None:
    """Whether a roll-up costs the same at any size, and what it saves."""
    pairs = [(await timed(big, everything), await timed(small, everything)) for _ in range(60)][10:]
    ratio = statistics.median(a / b for a, b in pairs)
    show(
        "roll-up of the root, 38 children, 8 areas: 1,000,000 ÷ 10,000 milestones",
        f"{ratio:.2f}",
        "≤ 1.3",
    )

    def areas(session: Session) -> None:
        rollups.areas(session, SYSTEM, "kpu", None, RollupQuery())

    def grouped(session: Session) -> None:
        session.execute(GROUPED).all()

    slow = statistics.median([await timed(big, grouped) for _ in range(3)])
    fast = statistics.median([await timed(big, areas) for _ in range(30)])
    show(
        "grouped query over all milestones ÷ roll-up by area, whole verb", f"{slow / fast:.0f}", ""
    )
    in_database = await big.read(_statements_only)
    show(
        "grouped query ÷ roll-up's two statements, in the database",
        f"{slow / in_database:.0f}",
        "≥ 200",
    )


def _statements_only(session: Session) -> float:
    """Seconds that the database itself takes for the roll-up's statements by area."""
    heard: list[bare.Statement] = []
    raw = session.connection()

    def hear(
        _c: object, _cursor: object, sql: str, parameters: object, _x: object, _m: object
    ) -> None:
        if "rollup_total" in sql or "rollup_period" in sql:
            heard.append(bare.Statement(sql, parameters, many=False))  # type: ignore[arg-type]

    event.listen(raw, "before_cursor_execute", hear)
    rollups.areas(session, SYSTEM, "kpu", None, RollupQuery())
    event.remove(raw, "before_cursor_execute", hear)
    runs = []
    for _ in range(20):
        total = 0.0
        for statement in heard[-2:]:
            plan = raw.exec_driver_sql(
                "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement.sql,
                tuple(statement.parameters),
            ).scalar_one()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            total += plan[0]["Execution Time"] / 1000
        runs.append(total)
    return statistics.median(runs)


async def targets(database: Database, count: int, offset: int) -> Targets:
    """Milestones to report on: (initiative, number), one of each initiative, over all units."""
    _, chosen = await database.read(places)
    return chosen[offset : offset + count]


def reports(url: str, chosen: Targets, clients: int) -> Callable[[int], Iterator[bytes]]:
    """Each client's requests: reports on its part of the chosen milestones."""

    def of(mine: int) -> Iterator[bytes]:
        for initiative, number in chosen[mine::clients]:
            yield report(url, initiative, number, 55)

    return of


async def writes(database: Database, url: str, server: str, pid: int) -> None:
    """Reports over HTTP against the bare driver."""
    count = 3_000
    digest = actors.digest(TOKEN)
    new = NewUpdate.model_validate({"percent_complete": 55})
    recorded = await bare.record(database, digest, await targets(database, 1_500, 0), new)
    plain = await bare.replay(url, recorded, 8)
    meter = batches.Meter(database, pid)
    alone = await meter.measured(
        1,
        client.throughput(
            server, 8, 201, reports(server, await targets(database, count, 1_500), 8), SECONDS * 2
        ),
    )
    show("report over HTTP, 8 clients, PostgreSQL", f"{alone.rate:.0f}/s", "as found")
    show("the same ÷ bare asyncpg with the same statements", f"{alone.rate / plain:.2f}", "≥ 0.5")
    chosen = await targets(database, 20_000, 1_500)
    keyed = await keys.ratio(server, TOKEN, chosen, SECONDS / 2)
    show("the same with an Idempotency-Key ÷ without", f"{keyed:.2f}", "≥ 0.8")
    batched = await batches.spend(meter, server, TOKEN, chosen, SECONDS * 2)
    show(
        f"reports in batches of 500, {batches.CLIENTS} clients, PostgreSQL",
        f"{batched.rate:.0f}/s",
        "≥ 3,000/s",
    )
    show("the same ÷ reports alone, 8 clients", f"{batched.rate / alone.rate:.1f}", "≥ 5")
    for what, spent in (("in a batch", batched), ("alone", alone)):
        figure = f"{spent.server:.2f} + {spent.postgres:.2f} ms"
        show(f"processor time of a report {what}: server + PostgreSQL", figure, "as found")


@contextmanager
def serving_constant(url: str, size: int) -> Iterator[tuple[str, int]]:
    """The benchmark's server: its address and process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "tests.benchmarks.server:create", "--factory",
         "--port", str(port), "--no-access-log", "--log-level", "warning"],
        env=environment(url, TOKEN) | {"BENCHMARK_CONSTANT": str(size)},
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                httpx.get(f"{address}/health/ready")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


async def over_http(database: Database, url: str) -> None:
    """Reads and writes through one server process."""
    await database.write(operators.first_start, TOKEN)
    with serving_constant(url, 700) as (server, pid):
        await writes(database, url, server, pid)
        rollup = client.request(server, ROLLUP, TOKEN)
        constant = client.request(server, "/constant", TOKEN)
        rates = []
        for _ in range(3):
            read = await client.throughput(server, 16, 200, client.repeated(rollup), SECONDS)
            plain = await client.throughput(server, 16, 200, client.repeated(constant), SECONDS)
            rates.append((read / plain, read))
        ratio, read = sorted(rates)[len(rates) // 2]
        show("roll-up over HTTP, 16 clients, PostgreSQL", f"{read:.0f}/s", "as found")
        show("the same ÷ a constant of the same size", f"{ratio:.3f}", "≥ 0.12")
        show("memory of the server afterwards", f"{processes.memory(pid):.0f} MB", "as found")


async def on_sqlite(folder: Path) -> None:
    """Start-up and reports on SQLite with the demo."""
    url = f"sqlite:///{folder / 'quickwin.db'}"
    subprocess.run(
        [sys.executable, "-m", "app", "demo", "load"], env=environment(url, None), check=True
    )
    starts = []
    for _ in range(3):
        start = time.perf_counter()
        with serving(url, folder / "log", token=TOKEN):
            starts.append(time.perf_counter() - start)
    show(
        "start to first answer, existing SQLite database",
        f"{statistics.median(starts):.1f} s",
        "≤ 2 s",
    )
    database = await open_database(Settings(database_url=url))
    chosen = await targets(database, 800, 0)
    await database.close()
    with serving(url, folder / "log", token=TOKEN) as server:
        rate = await client.throughput(
            server.url, 8, 201, reports(server.url, [*chosen] * 8, 8), SECONDS
        )
    show("report over HTTP, 8 clients, SQLite", f"{rate:.0f}/s", "≥ 300/s")


async def run(big_url: str, small_url: str, folder: Path) -> None:
    """Every figure."""
    big = await open_database(Settings(database_url=big_url))
    small = await open_database(Settings(database_url=small_url))
    await reads(big, small)
    await over_http(big, big_url)
    await small.write(operators.first_start, TOKEN)
    with serving_constant(big_url, 0) as (large, _), serving_constant(small_url, 0) as (little, _):
        answers.compare(large, little, TOKEN, show)
    await big.close()
    await small.close()
    await on_sqlite(folder)


def main() -> None:
    """Measure on given databases, or on new ones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--big")
    parser.add_argument("--small")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sys.stdout.write("| what | figure | aim |\n|---|---|---|\n")
        if given.big is None:
            server = stack.enter_context(running_postgres(folder, durable=True))
            given.big = asyncio.run(create_database(server, "big"))
            given.small = asyncio.run(create_database(server, "small"))
            load(given.big, BIG)
            load(given.small, SMALL)
        asyncio.run(run(given.big, given.small, folder))


if __name__ == "__main__":
    main()
