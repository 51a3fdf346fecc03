"""Connections to either database, with what is set on each of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.settings import Settings

_PROGRESS_STEPS = 50_000  # of SQLite's machine: some milliseconds

# Messages of database errors go to the log: `hide_parameters` keeps what clients sent out of them.


def postgresql(url: URL, settings: Settings, *, limited: bool) -> AsyncEngine:
    """The engine of a PostgreSQL server; `limited` to its own time limits."""
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_timeout=settings.database_pool_seconds,
        hide_parameters=True,
        connect_args={
            "statement_cache_size": settings.database_statement_cache,
            "server_settings": _limits(settings) if limited else {},
        },
    )


def sqlite(url: URL) -> Engine:
    """The engine of a file: one writer at a time, and readers beside it."""
    engine = create_engine(url, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer fails at once when another writes.
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def is_over(until: float | None) -> bool:
    """Whether the time is over; without end for None."""
    return until is not None and time.monotonic() >= until


@contextmanager
def interrupted(session: Session, until: float | None) -> Iterator[None]:
    """Let SQLite end whatever statement runs when the time is over; a thread cannot be ended."""
    if until is None:
        yield
        return
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, SqliteConnection)  # noqa: S101  of this engine
    driver.set_progress_handler(lambda: is_over(until), _PROGRESS_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def _limits(settings: Settings) -> dict[str, str]:
    """PostgreSQL's own time limits, for connections that serve requests; in milliseconds."""
    limits = {
        "statement_timeout": settings.database_statement_seconds,
        "lock_timeout": settings.database_lock_seconds,
        "idle_in_transaction_session_timeout": settings.database_idle_seconds,
    }
    return {name: str(round(seconds * 1_000)) for name, seconds in limits.items() if seconds}
