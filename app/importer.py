"""Large imports: each is done in a thread of its own, under a lease that is renewed meanwhile.

Checking ten thousand rows is seconds of work without a pause: in the thread of the server no request
would be answered. So the work has its own thread, event loop and connections, without the time
limits of requests. Whatever ends the process ends the transaction; the lease runs out, and another
process begins anew.
"""

import asyncio
import logging
import threading
from contextlib import suppress
from functools import partial

from anyio import to_thread
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import QuickwinError
from app.models.base import new_id
from app.services import actors, events, import_jobs, importing, imports, sign_in
from app.services.import_jobs import Job, LeaseLost
from app.services.importing import RowRefused
from app.settings import Settings

_RENEWALS = 3
"""How often a lease is renewed in its time."""
_log = logging.getLogger(__name__)


class Interrupted(Exception):
    """The process is about to stop, or the job is not ours any more: nothing is written."""


async def take_one(database: Database, settings: Settings, stop: asyncio.Event) -> None:
    """Do one import that nobody works on, if there is one."""
    job = await database.write(import_jobs.claim, new_id(), settings.import_lease_seconds)
    if job is None:
        return
    ending = threading.Event()

    async def pass_on() -> None:
        await stop.wait()
        ending.set()

    passing = asyncio.create_task(pass_on())
    try:
        await to_thread.run_sync(partial(asyncio.run, Work(settings, job, ending).done()))
    finally:
        passing.cancel()


class Work:
    """One job, in the thread and event loop of its own."""

    def __init__(self, settings: Settings, job: Job, ending: threading.Event) -> None:
        self._settings, self._job, self._ending = settings, job, ending
        self._lease = settings.import_lease_seconds
        self._lost = threading.Event()
        self._rows = 0

    async def done(self) -> None:
        """Do the job, and keep how it ended."""
        database = Database(self._settings)
        renewing = asyncio.create_task(self._renew(database))
        try:
            await self._do(database)
        except LeaseLost:
            _log.info("an import was cancelled, or taken up by another process")
        except Interrupted:
            if not self._lost.is_set():
                await database.write(import_jobs.release, self._job)
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            await database.close()

    async def _do(self, database: Database) -> None:
        try:
            await database.write(self._verb)
        except RowRefused as refused:
            await database.write(import_jobs.finish, self._job, refused.outcome)
        except QuickwinError as error:
            # Such as a token that has ended since, or a database that is away: then this fails too,
            # the lease runs out, and the job is begun anew.
            await database.write(import_jobs.fail, self._job, error)

    def _verb(self, session: Session) -> None:
        """Check, apply and finish, in one transaction, by who submitted it and as they may now."""
        job = self._job
        resolve = (
            sign_in.again(job.institution_id, job.actor_id)
            if job.token_id is None
            else actors.again(job.token_id)
        )
        session.info[events.REQUEST_ID] = job.request_id
        actor = resolve(session)
        outcome = importing.carry_out(
            session, actor, str(job.institution_id), job.mode, job.content, self._progress
        )
        imports.tell(session, actor, import_jobs.finish(session, job, outcome))

    def _progress(self, rows: int) -> None:
        self._rows = rows
        if self._ending.is_set() or self._lost.is_set():
            raise Interrupted

    async def _renew(self, database: Database) -> None:
        """Keep the lease while the work goes on, and say how far it is."""
        while True:
            await asyncio.sleep(self._lease / _RENEWALS)
            try:
                kept = await database.write(import_jobs.renew, self._job, self._lease, self._rows)
            except QuickwinError:
                continue  # it is tried again before the lease is over, or it runs out
            if not kept:
                self._lost.set()
