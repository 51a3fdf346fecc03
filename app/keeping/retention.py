"""Retention: what goes when its time is over, a few rows at a time, while others write.

How long something is kept is said where it is written (`expiry.Kept`, an institution's policy, a
session's end). Events are in no list: a trail from which something is taken proves nothing.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from anyio import to_thread

from app.db import Database
from app.expiry import Expiring
from app.filing import storage
from app.models.base import now
from app.services import (
    deletions,
    deliveries,
    files,
    idempotency,
    imports,
    sessions,
    signing,
)


class Kind(NamedTuple):
    """One kind of what goes."""

    name: str
    remove: Callable[..., int]
    """A verb that removes some of it; answers how much."""
    expired: Expiring


KINDS = (
    Kind("deletions", deletions.purge, deletions.EXPIRED),
    Kind("idempotency keys", idempotency.forget, idempotency.EXPIRED),
    Kind("imports", imports.forget, imports.EXPIRED),
    Kind("webhook deliveries", deliveries.forget, deliveries.EXPIRED),
    Kind("webhook secrets", signing.forget, signing.EXPIRED),
    Kind("uploaded files", files.forget, files.EXPIRED),
    Kind("browser sessions", sessions.forget, sessions.EXPIRED),
)


async def apply(database: Database, stop: asyncio.Event | None = None) -> dict[str, int]:
    """Remove for good what is past its time, and what was stored for it; answers how much of each."""
    removed = {kind.name: await exhaust(database, kind.remove, stop) for kind in KINDS}
    await shed(database, stop)
    return removed


async def waiting(database: Database) -> dict[str, int]:
    """How much of each is past its time."""
    return {kind.name: await database.read(kind.expired.count, now()) for kind in KINDS}


async def exhaust(
    database: Database, some: Callable[..., int], stop: asyncio.Event | None = None
) -> int:
    """Call a verb that does some of its work, until there is none left or it is time to stop.

    Each call is a transaction of its own; answers how much was done.
    """
    total = 0
    while not _is_over(stop) and (done := await database.write(some)):
        total += done
    return total


async def shed(database: Database, stop: asyncio.Event | None = None) -> None:
    """Remove from the storage what no file has any more, and what was left unfinished there."""
    stored = storage.held(database.session_info)
    while not _is_over(stop) and (doomed := await database.write(files.doomed)):
        for institution_id, digest in doomed:
            await to_thread.run_sync(stored.remove, institution_id, digest)
        await database.write(files.gone, doomed)
    await to_thread.run_sync(stored.sweep)


def _is_over(stop: asyncio.Event | None) -> bool:
    return stop is not None and stop.is_set()
