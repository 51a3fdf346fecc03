"""PostgreSQL's schema is changed by one process at a time, and keeps nobody waiting for long.

A statement that changes a table waits for whoever uses it, and all who come later wait behind it. So
it gives up soon, lets them pass, and is tried again. Who was in its way is looked up meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_fixed

from app import distribution, engines, faults, revisions
from app.errors import DatabaseUnavailable
from app.settings import Settings

_POOLED = (
    "A pooler is no place to migrate from: set QUICKWIN_DATABASE_DIRECT_URL to the database itself."
)
_TURN_SECONDS = 0.2
_LOOK_SECONDS = 1.0
_TURN = text("SELECT pg_try_advisory_xact_lock(:key)")
_WAKE = text("SET LOCAL idle_in_transaction_session_timeout = 0")
_BLOCKERS = text(
    "SELECT a.pid, a.usename, a.application_name, a.client_addr::text, a.state, "
    "coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::int AS seconds "
    "FROM unnest(pg_blocking_pids(:pid)) AS b (pid) "
    "JOIN pg_stat_activity AS a ON a.pid = b.pid ORDER BY a.xact_start"
).bindparams(bindparam("pid"))


class SchemaLocked(DatabaseUnavailable):
    """The schema cannot be changed, since others use the same tables for too long: try again later."""

    code, title = "schema_locked", "Schema is locked"


async def upgrade(engine: AsyncEngine, revision: str, settings: Settings) -> None:
    """Bring the schema to a revision, once it is our turn and if there is something to do.

    Raises `SchemaLocked`, with who was in the way, `SchemaAhead`, and `DatabaseUnavailable` where a
    pooler stands between.
    """
    async with alone(engine, revisions.LOCK), engine.connect() as connection:
        async with connection.begin():
            if await engines.is_pooled(connection):
                raise DatabaseUnavailable(_POOLED)
            is_due = await connection.run_sync(revisions.is_due, revision)
            is_laid_out = await connection.run_sync(distribution.is_laid_out)
        if is_due:
            await _upgrade(engine, connection, revision, settings)
        if is_laid_out:  # whatever was due: an earlier start may have migrated and not laid out
            await distribution.lay_out(engine, distribution.SHARDS)


async def _upgrade(
    engine: AsyncEngine, connection: AsyncConnection, revision: str, settings: Settings
) -> None:
    seconds = settings.migration_lock_seconds
    async with connection.begin():
        process: int = await connection.scalar(text("SELECT pg_backend_pid()")) or 0
    blockers = _Blockers(engine, process, min(_LOOK_SECONDS, seconds / 4 or _LOOK_SECONDS))
    tries = AsyncRetrying(
        retry=retry_if_exception(_is_locked),
        stop=stop_after_attempt(1 + settings.migration_retries),
        wait=wait_fixed(seconds),
        reraise=True,
    )
    async with blockers.watched():
        try:
            await tries(connection.run_sync, revisions.upgrade, revision, seconds)
        except DBAPIError as error:
            if not _is_locked(error):
                raise
            raise SchemaLocked(_told(blockers.seen)) from error


@asynccontextmanager
async def alone(engine: AsyncEngine, lock: int) -> AsyncIterator[None]:
    """Hold an advisory lock, in a transaction of its own that does nothing else; others wait.

    An index that is made concurrently waits for every transaction that had a snapshot when it looked:
    so nobody waits for the lock within a statement, and who has it has no statements to run.
    """
    async with engine.connect() as guard:
        await guard.execution_options(isolation_level="READ COMMITTED")
        while True:
            async with guard.begin():
                if await guard.scalar(_TURN, {"key": lock}):
                    await guard.execute(_WAKE)
                    yield
                    return
            await asyncio.sleep(_TURN_SECONDS)


class _Blockers:
    """Who was last seen in the way of a session."""

    def __init__(self, engine: AsyncEngine, process: int, seconds: float) -> None:
        self.seen: list[str] = []
        self._engine, self._process, self._seconds = engine, process, seconds
        self._over = asyncio.Event()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look all the while."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._over.set()
            await looking

    async def _look(self) -> None:
        with suppress(DBAPIError, PoolTimeoutError, OSError):  # it is but a help
            while not await self._is_over():
                async with self._engine.connect() as connection, connection.begin():
                    found = (await connection.execute(_BLOCKERS, {"pid": self._process})).all()
                if found:
                    self.seen = [
                        f"session {row.pid} (user {row.usename}, "
                        f"{row.application_name or 'application unnamed'}, "
                        f"from {row.client_addr or 'this host'}, {row.state}, "
                        f"its transaction is {row.seconds} s old)"
                        for row in found
                    ]

    async def _is_over(self) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), self._seconds)
        return self._over.is_set()


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and faults.is_locked(error)


def _told(seen: list[str]) -> str | None:
    if not seen:
        return None
    return (
        f"The schema cannot be changed: {'; '.join(seen)} holds what a migration needs. Wait for its "
        "end, or end it with pg_terminate_backend, and migrate again; what was done stays whole."
    )
