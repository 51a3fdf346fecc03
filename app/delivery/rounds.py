"""Rounds: who has something to be sent is looked for once a second, and served beside the others.

Each webhook is served by a task of its own, so that a slow receiver delays nobody else; a quarter of
them at most are of one institution. A turn ends after a while, so that all get theirs.
"""

import asyncio
import logging
from collections import Counter
from datetime import timedelta
from time import monotonic

from app.db import Database
from app.delivery.sender import Sender
from app.services import dispatch
from app.services.parcels import Address
from app.settings import Settings
from app.wakes import happened

POLL_SECONDS = 1.0
TURN_SECONDS = 10.0
_LEASE_MARGIN = 30.0
"""Seconds for which a lease outlasts the longest sending: for slow databases, and clocks that differ."""
_LAST_SECONDS = 3.0
"""How long what is on its way may take when it is time to stop."""
_LOOKED_AT = 500
_log = logging.getLogger(__name__)


class Rounds:
    """One process's part in the deliveries."""

    def __init__(
        self, database: Database, settings: Settings, sender: Sender, stop: asyncio.Event
    ) -> None:
        self._database, self._sender, self._stop = database, sender, stop
        self._pauses = settings.webhook_retry_seconds
        self._most = settings.webhook_concurrency
        self._most_of_one = max(1, self._most // 4)
        self._lease_seconds = settings.webhook_seconds + _LEASE_MARGIN
        self._lease = timedelta(seconds=self._lease_seconds)
        self._serving: dict[Address, asyncio.Task[None]] = {}

    async def go(self) -> None:
        """Look and serve until it is time to stop; what is on its way then has a moment left."""
        try:
            while not self._stop.is_set():
                self._begin(await self._database.read(dispatch.due, _LOOKED_AT))
                await happened(self._stop, POLL_SECONDS)
        finally:
            await self._end()

    def _begin(self, due: list[Address]) -> None:
        served = Counter(address.institution_id for address in self._serving)
        for address in due:
            free = len(self._serving) < self._most
            if (
                free
                and address not in self._serving
                and served[address.institution_id] < self._most_of_one
            ):
                served[address.institution_id] += 1
                self._serving[address] = asyncio.create_task(self._serve(address))

    async def _serve(self, address: Address) -> None:
        """One turn. A failure ends it; the lease runs out, and somebody comes again."""
        try:
            await self._turn(address)
        except Exception as failure:  # noqa: BLE001  the other webhooks go on
            _log.error("a webhook's turn failed: %s", type(failure).__qualname__)
        finally:
            del self._serving[address]

    async def _turn(self, address: Address) -> None:
        until = asked = monotonic()
        until += TURN_SECONDS
        parcel = await self._database.write(dispatch.take, address, self._lease)
        while parcel is not None:
            if monotonic() - asked > _LEASE_MARGIN / 2:
                return  # too late to be sure that nobody else has it
            result = await self._sender.send(parcel)
            is_last = self._stop.is_set() or monotonic() > until
            lease = None if is_last else self._lease
            asked = monotonic()
            parcel = await self._database.write(
                dispatch.settle, parcel, result, self._pauses, lease
            )

    async def _end(self) -> None:
        tasks = list(self._serving.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_LAST_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def deliver(database: Database, settings: Settings, stop: asyncio.Event) -> None:
    """Send what webhooks are owed until it is time to stop."""
    async with Sender(settings) as sender:
        await Rounds(database, settings, sender, stop).go()
