"""Wakes: who waits for new events learns of them at once, whichever process has written them.

A wake is a hint and carries no truth: whoever is woken reads the tables, and looks by themselves
every few seconds, since a wake can be lost. In one process it comes with the commit. Between
processes it goes over PostgreSQL's NOTIFY, after the commit and for many writes at once: within the
transaction, NOTIFY makes all commits of a database queue for one lock. SQLite has no such thing,
and behind a pooler in transaction mode LISTEN hears nothing: there, other processes are polled.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

WRITTEN = "written"
"""Key of `Session.info`: the institutions of which the transaction writes events."""
_CHANNEL = "quickwin_events"
_TOGETHER_SECONDS = 0.05
"""How long wakes are gathered before other processes are told."""
_MOST_TOGETHER = 200  # ids in one notification, which holds 8,000 bytes
_PAUSE_SECONDS = 2.0
"""Before a lost connection is opened again."""
_log = logging.getLogger(__name__)


async def happened(event: asyncio.Event, seconds: float) -> bool:
    """Wait for something, at most so long; says whether it has happened."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


class Waker:
    """Wakes one waiter. What comes while it does not wait is kept: it then waits no longer."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something new."""
        self._woken.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for something new, at most so long; says whether there is."""
        was_woken = await happened(self._woken, seconds)
        self._woken.clear()
        return was_woken


class Wakes:
    """The wakes of one process; use from one event loop."""

    def __init__(self, engine: AsyncEngine | None) -> None:
        self._engine = engine
        """None where other processes cannot be heard."""
        self._wakers: defaultdict[UUID | None, set[Waker]] = defaultdict(set)
        self._untold: set[UUID] = set()
        self._outgoing = Waker()

    @contextmanager
    def waking(self, institution_id: UUID | None = None) -> Iterator[Waker]:
        """A waker for new events of one institution, or of any, within the block."""
        waker = Waker()
        self._wakers[institution_id].add(waker)
        try:
            yield waker
        finally:
            self._wakers[institution_id].discard(waker)
            if not self._wakers[institution_id]:
                del self._wakers[institution_id]

    def announce(self, institution_ids: Collection[UUID]) -> None:
        """Events of these were committed: wake who waits here, and soon who waits elsewhere."""
        if institution_ids:
            self._wake(institution_ids)
            if self._engine is not None:
                self._untold.update(institution_ids)
                self._outgoing.wake()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear other processes, and be heard by them, within the block."""
        if self._engine is None:
            yield
            return
        task = asyncio.create_task(self._keep_talking(self._engine))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _wake(self, institution_ids: Collection[UUID]) -> None:
        for key in (*institution_ids, None):
            for waker in self._wakers.get(key, ()):
                waker.wake()

    async def _keep_talking(self, engine: AsyncEngine) -> None:
        while True:
            try:
                await self._talk(engine)
            except (
                OSError,
                SQLAlchemyError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
            ) as gone:
                # What is missed meanwhile is found by those who look by themselves.
                _log.warning("other processes are not heard: %s", type(gone).__qualname__)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _talk(self, engine: AsyncEngine) -> None:
        """Listen and tell, over a connection that is not the pool's, until it is lost."""
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            pooled = await connection.get_raw_connection()
            driver: Any = pooled.driver_connection
            pooled.detach()
            driver.add_termination_listener(lambda _: self._outgoing.wake())
            await driver.add_listener(_CHANNEL, self._hear)
            while not driver.is_closed():
                await self._outgoing.wait(60)
                told, self._untold = sorted(self._untold), set()
                for i in range(0, len(told), _MOST_TOGETHER):
                    ids = ",".join(map(str, told[i : i + _MOST_TOGETHER]))
                    await driver.execute("SELECT pg_notify($1, $2)", _CHANNEL, ids)
                await asyncio.sleep(_TOGETHER_SECONDS)

    def _hear(self, driver: Any, sender: int, _channel: str, ids: str) -> None:  # noqa: ANN401  asyncpg has no types
        if sender == driver.get_server_pid():
            return
        with suppress(ValueError):  # whoever may come into the database may say anything
            self._wake([UUID(each) for each in ids.split(",")])
