"""Background work: what is done without being asked, inside `quickwin serve` or by `quickwin worker`.

A *loop* goes on until it is told to stop, a short transaction at a time; any number of processes may
run the same loop at once, for each takes only what no other one holds. A loop that fails is logged
and started again, later each time: the others go on, and so do requests.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Protocol
from uuid import UUID, uuid4

from filelock import FileLock, Timeout
from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from app import importer
from app.db import Database
from app.delivery.rounds import deliver
from app.keeping import retention
from app.seen import COUNTS
from app.services import (
    closing,
    healths,
    import_jobs,
    rollups,
    spot_checks,
)
from app.services.spot_checks import Place
from app.settings import Settings
from app.wakes import happened

EXPIRY_SECONDS = 3_600.0
HEALTH_SECONDS = 1.0
IMPORT_SECONDS = 1.0
PERIOD_SECONDS = 5.0
AUDIT_SECONDS = 5.0
_AUDIT_RESTS = 99
"""So many times as long as a look at a unit took, there is no other."""
TURN_SECONDS = 1.0
_HEALTH_RESTS = 9
"""So many times as long as it took, there is no other look at an institution."""
_LONGEST_PAUSE = 60.0
"""Seconds before a loop that keeps failing is started again, at most."""
_log = logging.getLogger(__name__)


class Loop(Protocol):
    """One kind of background work."""

    async def __call__(
        self, database: Database, settings: Settings, stop: asyncio.Event, /
    ) -> None:
        """Do it until it is time to stop."""

    @property
    def __name__(self) -> str:
        """How it is called in the log."""


async def importing(database: Database, settings: Settings, stop: asyncio.Event) -> None:
    """Take up one import after the other, each under a lease."""
    while True:
        if await database.read(import_jobs.is_waiting):
            await importer.take_one(database, settings, stop)
        elif await happened(stop, IMPORT_SECONDS):
            return
        if stop.is_set():
            return


class _Round:
    """One round of a loop over several: what fails is raised when the others have had their turn."""

    def __init__(self) -> None:
        self._failed: list[Exception] = []

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do one of them within."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  raised by `end`
            self._failed.append(error)

    def end(self) -> None:
        """Raise the first failure, if there was one."""
        if self._failed:
            raise self._failed[0]


async def expiry(database: Database, _settings: Settings, stop: asyncio.Event) -> None:
    """At the start and then once an hour, renew or remove for good what is past its time."""
    while True:
        these = _Round()
        for institution_id in await database.read(rollups.institutions):
            with these.turn():
                await retention.exhaust(
                    database, partial(rollups.renew, institution_id=institution_id), stop
                )
        with these.turn():
            await retention.apply(database, stop)
        these.end()
        if await happened(stop, EXPIRY_SECONDS):
            return


async def health(database: Database, _settings: Settings, stop: asyncio.Event) -> None:
    """Notice which units have another health, after writes and at each institution's midnight."""
    while True:
        these = _Round()
        for institution_id in await database.read(healths.due):
            started = monotonic()
            with these.turn():
                seen = await database.read(healths.look, institution_id)
                await database.write(healths.note, seen)
            # All have their midnight at once, and requests go on meanwhile.
            if await happened(stop, _HEALTH_RESTS * (monotonic() - started)):
                return
        these.end()
        if await happened(stop, HEALTH_SECONDS):
            return


async def periods(database: Database, _settings: Settings, stop: asyncio.Event) -> None:
    """Remind of reporting periods and close them when their day has come; each once."""
    while True:
        these = _Round()
        for address in await database.read(closing.due):
            with these.turn():
                await database.write(closing.act, *address)
            if stop.is_set():
                return
        these.end()
        if await happened(stop, PERIOD_SECONDS):
            return


async def audit(database: Database, _settings: Settings, stop: asyncio.Event) -> None:
    """Compare one unit's ledger after the other with what it ought to be, with 1 % of a processor."""
    place = Place(uuid4(), UUID(int=0))  # anywhere: else the first ones would be seen most often
    before: dict[Place, int] = {}
    wrong: dict[Place, int] = {}
    """Of the round before and of this one: what was deleted is in neither after a while."""
    while True:
        started = monotonic()
        seen = await database.read_apart(spot_checks.after, place)
        if seen is None:
            place, before, wrong = Place(UUID(int=0), UUID(int=0)), wrong, {}
        else:
            place = seen.place
            before.pop(place, None)
            COUNTS.units_audited += 1
            if seen.wrong:
                wrong[place] = seen.wrong
                _log.error("the roll-up of a unit is not what it ought to be: institution %s, unit %s:"
                           " run `quickwin rollups verify`", *place)  # fmt: skip
        COUNTS.drift = sum({**before, **wrong}.values())
        if await happened(stop, max(AUDIT_SECONDS, _AUDIT_RESTS * (monotonic() - started))):
            return


LOOPS: tuple[Loop, ...] = (expiry, importing, deliver, health, periods, audit)


async def work(
    database: Database, settings: Settings, stop: asyncio.Event, loops: tuple[Loop, ...] = LOOPS
) -> None:
    """Run every loop until it is time to stop."""
    await asyncio.gather(*(_kept_going(loop, database, settings, stop) for loop in loops))


@asynccontextmanager
async def working(
    database: Database, settings: Settings, stop: asyncio.Event, turn: Path | None = None
) -> AsyncIterator[None]:
    """Background work beside what is within; `turn` as for `in_turn`."""
    task = asyncio.create_task(in_turn(database, settings, stop, turn))
    try:
        yield
    finally:
        stop.set()
        await task


async def in_turn(
    database: Database,
    settings: Settings,
    stop: asyncio.Event,
    turn: Path | None,
    loops: tuple[Loop, ...] = LOOPS,
) -> None:
    """Work while no other process holds the lock on the file `turn`; without one, at once.

    Whoever ends lets go of it, however they end: then another process takes over in a second.
    """
    if turn is None:
        await work(database, settings, stop, loops)
        return
    lock = FileLock(turn, blocking=False)
    while not stop.is_set():
        try:
            lock.acquire()
        except Timeout:
            await happened(stop, TURN_SECONDS)
        else:
            try:
                await work(database, settings, stop, loops)
            finally:
                lock.release()


async def _kept_going(
    loop: Loop, database: Database, settings: Settings, stop: asyncio.Event
) -> None:
    async def sleep(seconds: float) -> None:
        await happened(stop, seconds)

    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Exception),
        wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE),
        sleep=sleep,
    ):
        with attempt:
            if stop.is_set():
                return
            try:
                await loop(database, settings, stop)
            except Exception as failure:
                _log.error("%s failed: %s", loop.__name__, type(failure).__qualname__)
                raise
