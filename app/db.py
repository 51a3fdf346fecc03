"""Transactions: one call is one transaction, run by the same rules on SQLite and on PostgreSQL.

A *verb* is a plain function `verb(session, …)` without `await` and without commit. `Database`
runs it, commits, and only then answers: on PostgreSQL over asyncpg through `AsyncSession.run_sync`,
on SQLite with a synchronous session in a worker thread. Since it is tried again after a deadlock,
a serialization failure or a busy database, a verb has no effect outside its session.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

import asyncpg
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from app import engines, faults, migrating, revisions, turns
from app.addresses import address
from app.errors import (
    Conflict,
    DatabaseUnavailable,
    OutcomeUnknown,
    SchemaBehind,
    StorageFull,
    TimedOut,
)
from app.seen import COUNTS, LEDGER_ROWS
from app.service_role import grants as service_role_grants
from app.settings import Settings
from app.wakes import WRITTEN, Wakes

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")

_SQLITE_READERS = 8
_NOT_ALLOWED = "42501"  # insufficient privilege
_CANCELED = "57014"  # what statement_timeout ends with


class Database:
    """The database of one process; use from one event loop.

    `limited` to the time that a request may take: what has not come to its commit by then is rolled
    back and answered with `TimedOut`. A commit is waited for, so that the answer is true.
    """

    def __init__(self, settings: Settings, *, limited: bool = False) -> None:
        self.is_sqlite = settings.database_url.startswith("sqlite")
        self.session_info: dict[str, Any] = {}
        """Copied into `Session.info` of every session: what verbs need to know of their process."""
        self._settings, self._apart = settings, CapacityLimiter(1)
        self._seconds = settings.request_seconds if limited else 0
        self._retrying = AsyncRetrying(
            retry=retry_if_exception(faults.is_transient),
            stop=stop_after_attempt(max(1, settings.database_retries)),
            wait=wait_random_exponential(multiplier=0.01, max=0.5),
            before_sleep=_count_retry,
            reraise=True,
        )
        self.engine: Engine | AsyncEngine
        self.direct: Engine | AsyncEngine
        """Past a pooler, where there is one and a way past it; else the same."""
        self._running = 0  # transactions
        if self.is_sqlite:
            # SQLite has one writer: queueing here costs nothing, queueing in the file costs sleeps.
            self._writer, self._readers = CapacityLimiter(1), CapacityLimiter(_SQLITE_READERS)
            self.direct = self.engine = engines.sqlite(make_url(settings.database_url), settings)
            self.wakes = Wakes(None)
        else:
            where, past = address(settings.database_url), settings.database_direct_url
            pooled = engines.postgresql(where, settings, limited=limited, pooled=settings.is_pooled)
            direct = pooled if past is None else engines.postgresql(address(past), settings)
            self.engine, self.direct = pooled, direct
            self._turns = turns.of_process(settings.database_turns, settings.database_pool_size)
            # Behind a pooler nobody is heard.
            self.wakes = Wakes(None if settings.is_pooled and past is None else direct)
        self._for_reading = self.engine.execution_options(
            **(
                {}
                if self.is_sqlite
                else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
        )
        self._for_writing = self.engine.execution_options(sqlite_begin="IMMEDIATE")

    async def read(
        self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb on one snapshot, read-only, and answer what it returns."""
        return await self._run(lambda session: verb(session, *args, **kwargs), writing=False)

    async def read_apart(
        self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `read`, for what takes minutes: in a thread and on a connection of its own, one at a time.

        Neither the loop nor the pool is held up, and no time limit of a request holds.
        """

        async def read() -> T:
            apart = Database(self._settings.past_pooler())
            apart.session_info = self.session_info
            try:
                return await apart.read(verb, *args, **kwargs)
            finally:
                await apart.close()

        return await to_thread.run_sync(lambda: asyncio.run(read()), limiter=self._apart)

    async def write(
        self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a verb in one transaction, commit, then answer what it returned."""
        return await self._run(lambda session: verb(session, *args, **kwargs), writing=True)

    async def migrate(self, revision: str = "head", *, service_role: str | None = None) -> None:
        """Bring the schema to a revision; safe when several processes start at once.

        On PostgreSQL a `service_role` gets what it needs to run the service without owning the
        tables. Raises `SchemaBehind` where the schema is older and is not ours to change, what
        `migrating.upgrade` raises, and `DatabaseUnavailable` with the reason without a password.
        """
        try:
            await self._migrate(revision, service_role)
        except ProgrammingError as error:
            if faults.sqlstate(error) == _NOT_ALLOWED:
                raise SchemaBehind from error
            raise
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as error:
            if isinstance(error, DBAPIError) and not faults.is_away(error):
                raise
            raise DatabaseUnavailable(
                f"The database cannot be reached: {faults.reason(error)}"
            ) from error

    @asynccontextmanager
    async def alone(self, lock: int) -> AsyncIterator[None]:
        """Be the only process that holds a lock; others wait. SQLite's files have one server."""
        if isinstance(self.direct, AsyncEngine):
            async with migrating.alone(self.direct, lock):
                yield
        else:
            yield

    def pool(self) -> engines.Pool:
        """How the connections are used now."""
        if isinstance(self.engine, AsyncEngine):
            return engines.pool(self.engine, self._running)
        return engines.pool_of_threads(self._writer, self._readers)

    async def close(self) -> None:
        """Close every connection."""
        for engine in {self.engine, self.direct}:
            if isinstance(engine, AsyncEngine):
                await engine.dispose()
            else:
                engine.dispose()

    async def _migrate(self, revision: str, service_role: str | None) -> None:
        if isinstance(self.direct, AsyncEngine):
            await migrating.upgrade(self.direct, revision, self._settings)
            if service_role:
                # One at a time: PostgreSQL fails who gives rights on what another gives rights on.
                async with self.alone(revisions.LOCK), self.direct.begin() as connection:
                    for statement in service_role_grants(service_role):
                        await connection.exec_driver_sql(statement)
            return
        engine = self.direct.execution_options(sqlite_begin="IMMEDIATE")

        def upgrade() -> None:
            with engine.begin() as connection:
                if revisions.is_due(connection, revision):
                    revisions.upgrade(connection, revision, 0)

        await to_thread.run_sync(upgrade)

    async def _run(self, verb: Callable[[Session], T], *, writing: bool) -> T:
        attempt = self._in_thread if self.is_sqlite else self._in_turn
        until = time.monotonic() + self._seconds if self._seconds else None
        self._running += 1
        try:
            try:
                return await attempt(verb, until, writing=writing)
            except (DBAPIError, faults.Overtaken) as error:
                if not faults.is_transient(error):
                    raise
            COUNTS.retries += 1
            return await self._retrying.copy()(attempt, verb, until, writing=writing)
        except IntegrityError as error:
            raise Conflict from error
        except faults.Overtaken as error:
            raise DatabaseUnavailable from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeoutError) as error:
            raise (StorageFull if faults.is_full(error) else DatabaseUnavailable) from error
        except DBAPIError as error:
            if faults.sqlstate(error) == _CANCELED or (
                engines.is_over(until) and "interrupted" in str(error.orig)
            ):
                raise TimedOut from error
            if faults.is_full(error.orig):
                raise StorageFull from error
            if faults.is_away(error) or faults.is_transient(error):
                raise DatabaseUnavailable from error
            raise
        finally:
            self._running -= 1

    async def _in_turn(
        self, verb: Callable[[Session], T], until: float | None, *, writing: bool
    ) -> T:
        async with self._turns[writing].taken(self._settings.database_pool_seconds):
            return await self._over_asyncpg(verb, until, writing=writing)

    async def _over_asyncpg(
        self, verb: Callable[[Session], T], until: float | None, *, writing: bool
    ) -> T:
        engine = self._for_writing if writing else self._for_reading
        assert isinstance(engine, AsyncEngine)  # noqa: S101  narrows the type
        async with AsyncSession(engine, expire_on_commit=False, info=self.session_info) as session:
            result = await session.run_sync(engines.in_time, verb, until)
            if writing:
                try:
                    await session.run_sync(_commit)
                except DBAPIError as error:
                    if faults.is_lost(error):
                        raise OutcomeUnknown from error
                    raise
                COUNTS.ledger_rows += session.info.get(LEDGER_ROWS, 0)
                self.wakes.announce(session.info.get(WRITTEN, ()))
            return result

    async def _in_thread(
        self, verb: Callable[[Session], T], until: float | None, *, writing: bool
    ) -> T:
        engine = self._for_writing if writing else self._for_reading
        assert isinstance(engine, Engine)  # noqa: S101  narrows the type

        def run() -> tuple[T, Collection[UUID]]:
            with Session(engine, expire_on_commit=False, info=self.session_info) as session:
                result = engines.in_time(session, verb, until)
                if writing:
                    session.commit()
                    COUNTS.ledger_rows += session.info.get(LEDGER_ROWS, 0)
                return result, session.info.get(WRITTEN, ()) if writing else ()

        limiter = self._writer if writing else self._readers
        result, written = await to_thread.run_sync(run, limiter=limiter)
        self.wakes.announce(written)
        return result


def _commit(session: Session) -> None:
    """Commit; raises `OutcomeUnknown` where the standby that has to keep it too has not said so.

    Who waits for a standby is given up on by `statement_timeout`, with a warning and no error: it is
    committed, and lost if this server is lost before the standby has it.
    """
    info = session.connection().info
    session.commit()
    if info.pop(engines.UNREPLICATED, False):
        raise OutcomeUnknown


class Call(Generic[A]):
    """One request's way to the database: who is asking is resolved in the verb's own transaction."""

    def __init__(self, database: Database, identify: Callable[[Session], A]) -> None:
        self._database = database
        self._identify = identify

    async def read(
        self, verb: Callable[Concatenate[Session, A, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `verb(session, actor, …)` on one read-only snapshot."""
        return await self._database.read(
            lambda session: verb(session, self._identify(session), *args, **kwargs)
        )

    async def read_apart(
        self, verb: Callable[Concatenate[Session, A, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `read`, for what takes minutes; see `Database.read_apart`."""
        return await self._database.read_apart(
            lambda session: verb(session, self._identify(session), *args, **kwargs)
        )

    async def write(
        self, verb: Callable[Concatenate[Session, A, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `verb(session, actor, …)` in one transaction; it is committed when this returns."""
        return await self._database.write(
            lambda session: verb(session, self._identify(session), *args, **kwargs)
        )


def _count_retry(_: RetryCallState) -> None:
    COUNTS.retries += 1
