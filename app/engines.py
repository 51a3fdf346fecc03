"""Connections to either database, with what is set on each of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from sqlite3 import Connection as SqliteConnection
from typing import Any, NamedTuple, TypeVar

import asyncpg
from anyio import CapacityLimiter
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from app import addresses, slow
from app.addresses import Address, Host
from app.errors import TimedOut
from app.settings import Settings

T = TypeVar("T")

UNREPLICATED = "quickwin_unreplicated"
"""Key of `Connection.info`: a commit is kept here, and perhaps on no other server."""
_UNTIL = "quickwin_until"
_WAITING = "SyncRepWaitForLSN"
"""Where PostgreSQL gives up waiting for its standby: the place, since the text may be in any language."""
_POOL_RECYCLE = 600
"""Seconds after which a connection is made anew: those at the bottom may be idle till a firewall
forgets them."""
_PROGRESS_STEPS = 50_000  # of SQLite's machine: some milliseconds

# Messages of database errors go to the log: `hide_parameters` keeps what clients sent out of them.


def postgresql(
    address: Address, settings: Settings, *, limited: bool = False, pooled: bool = False
) -> AsyncEngine:
    """The engine of a PostgreSQL server; `limited` to its own time limits.

    `pooled` where a pooler in transaction mode stands between: what is set for a connection would
    be set for whoever has it next, so it is set in each transaction.
    """
    limits = _FOR_REQUESTS | _limits(settings) if limited else {}
    engine = create_async_engine(
        address.url,
        execution_options={slow.MILLISECONDS: settings.slow_query_ms},
        pool_size=settings.database_pool_size,
        pool_use_lifo=True,  # who was used last has most of its statements prepared
        pool_recycle=_POOL_RECYCLE,
        max_overflow=settings.database_pool_size,
        pool_timeout=settings.database_pool_seconds,
        hide_parameters=True,
        connect_args={
            "async_creator_fn": partial(
                _connect, address, list(address.hosts), limits, pooled=pooled
            ),
            # SQLAlchemy keeps what it has prepared; asyncpg's own cache never sees it.
            "prepared_statement_cache_size": 0 if pooled else settings.database_statement_cache,
        },
    )
    if pooled and limits:
        stated = ", ".join(
            f"set_config('{name}', '{value}', true)" for name, value in limits.items()
        )

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT {stated}")

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        def hear(_: object, message: asyncpg.PostgresLogMessage) -> None:
            if message.server_source_function == _WAITING:
                record.info[UNREPLICATED] = True

        connection.driver_connection.add_log_listener(hear)

    event.listen(engine.sync_engine, "before_cursor_execute", _look_at_the_clock)
    slow.watch(engine.sync_engine)
    return engine


async def _connect(
    address: Address,
    hosts: list[Host],
    limits: dict[str, str],
    /,
    *,
    pooled: bool,
    **_url: object,
) -> asyncpg.Connection:
    if not pooled:
        return await addresses.connect(address, hosts, server_settings=limits)
    # Without a cache asyncpg gives no names: they would be unknown on the next connection.
    return await addresses.connect(address, hosts, statement_cache_size=0)


async def is_pooled(connection: AsyncConnection) -> bool:
    """Whether a pooler stands between, by the process that it says we talk to and the one we do."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    talks_to = await connection.scalar(text("SELECT pg_backend_pid()"))
    return bool(driver.get_server_pid() != talks_to)


def sqlite(url: URL, settings: Settings) -> Engine:
    """The engine of a file: one writer at a time, and readers beside it."""
    engine = create_engine(
        url,
        connect_args={"timeout": 10},
        hide_parameters=True,
        execution_options={slow.MILLISECONDS: settings.slow_query_ms},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("translate", 3, _translate, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer fails at once when another writes.
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    event.listen(engine, "before_cursor_execute", _look_at_the_clock)
    slow.watch(engine)
    return engine


def _translate(text: str | None, letters: str, others: str) -> str | None:
    """PostgreSQL's function of this name, for as many letters as there are others."""
    return text and text.translate(str.maketrans(letters, others))


def in_time(session: Session, verb: Callable[[Session], T], until: float | None) -> T:
    """Run a verb that has to come to its end by a monotonic time, or raises `TimedOut`.

    No statement begins when the time is over; SQLite ends the one that runs, PostgreSQL by its
    `statement_timeout`. The connection stays whole, which cancelling would not leave it.
    """
    if until is None:
        return verb(session)
    if is_over(until):
        raise TimedOut  # the turn came too late
    connection = session.connection(execution_options={_UNTIL: until})
    with _interrupted(connection, until):
        result = verb(session)
    if is_over(until):
        raise TimedOut
    return result


def is_over(until: float | None) -> bool:
    """Whether the time is over; without end for None."""
    return until is not None and time.monotonic() >= until


def _look_at_the_clock(connection: Connection, *_: object) -> None:
    if is_over(connection.get_execution_options().get(_UNTIL)):
        raise TimedOut


@contextmanager
def _interrupted(connection: Connection, until: float) -> Iterator[None]:
    """Let SQLite end whatever statement runs when the time is over."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, SqliteConnection):
        yield
        return
    driver.set_progress_handler(lambda: is_over(until), _PROGRESS_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


_FOR_REQUESTS = {
    # PostgreSQL guesses what a statement costs from rows that it never comes to, and then spends
    # seconds on compiling what takes milliseconds.
    "jit": "off",
    # Citus hides its shards from whoever reads the catalog, by a look at each row: what the driver asks
    # about each type of array then takes seconds, on each new connection. Others do not heed it.
    "citus.show_shards_for_app_name_prefixes": "*",
}


def _limits(settings: Settings) -> dict[str, str]:
    """PostgreSQL's own time limits, for connections that serve requests; in milliseconds."""
    statement = [settings.database_statement_seconds, settings.request_seconds]
    limits = {
        "statement_timeout": min(filter(None, statement), default=0),
        "lock_timeout": settings.database_lock_seconds,
        "idle_in_transaction_session_timeout": settings.database_idle_seconds,
    }
    return {name: str(round(seconds * 1_000)) for name, seconds in limits.items() if seconds}


class Pool(NamedTuple):
    """Connections of one process: the most there may be, those in use, and who waits for one."""

    size: int
    in_use: int
    waiting: int


def pool(engine: AsyncEngine, running: int) -> Pool:
    """How an engine's connections are used, where so many transactions run."""
    kept = engine.pool
    assert isinstance(kept, QueuePool)  # noqa: S101  narrows the type
    # Each transaction begins with a statement: who runs and holds none waits for one.
    return Pool(2 * kept.size(), kept.checkedout(), max(0, running - kept.checkedout()))


def pool_of_threads(*limiters: CapacityLimiter) -> Pool:
    """The same for a file, where each thread has a connection."""
    found = [limiter.statistics() for limiter in limiters]
    return Pool(
        round(sum(each.total_tokens for each in found)),
        sum(each.borrowed_tokens for each in found),
        sum(each.tasks_waiting for each in found),
    )
