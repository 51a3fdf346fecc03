"""Strangers: who came with what lets nobody in, summed up on the way into the trail.

Anybody can be refused as often as they like, so what that writes does not depend on how often: one
event for each stretch of time and process. A stretch is a minute; while it goes on, the next is twice
as long, up to an hour. Of what was tried nothing is kept, and addresses are told apart and not told:
the trail is for ever, and the log has the address of each request.
"""

import asyncio
import logging
import math
from collections import Counter
from typing import Literal

from app.db import Database
from app.services import denials
from app.services.denials import Refusals

Way = Literal["api", "page", "oidc"]
"""A token sent along, a token at the sign-in page, or the OIDC issuer's answer."""
SHORTEST, LONGEST = 60, 3_600
"""Seconds."""
MOST_ADDRESSES = 1_000
MOST_REQUESTS = 5
_log = logging.getLogger(__name__)


class Strangers:
    """Counts the refused sign-ins of one process; use from one event loop."""

    def __init__(self, database: Database, shortest: float = SHORTEST) -> None:
        self._database, self._shortest = database, shortest
        self.loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._seconds, self._begun = shortest, 0.0
        self._summaries: set[asyncio.Task[None]] = set()
        self._forget()

    def note(self, way: Way, address: str, request_id: str) -> None:
        """Count a refusal, of an address as `limits.address_of` says it."""
        if self._timer is None:
            self._begin(self._shortest)
        self._ways[way] += 1
        if address in self._addresses or len(self._addresses) < MOST_ADDRESSES:
            self._addresses[address] += 1
        if len(self._requests) < MOST_REQUESTS:
            self._requests.append(request_id)

    async def close(self) -> None:
        """Record what was only counted so far."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell()
            self._timer = None
        await asyncio.gather(*self._summaries)

    def _begin(self, seconds: float) -> None:
        self._seconds, self._begun = seconds, self.loop.time()
        self._timer = self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        if self._tell():
            self._begin(min(2 * self._seconds, LONGEST))
        else:
            self._timer = None  # quiet again

    def _tell(self) -> bool:
        """Begin to record what was counted; whether there was anything."""
        if not self._ways:
            return False
        summary = self.loop.create_task(self._record(self._counted()))
        self._summaries.add(summary)
        summary.add_done_callback(self._summaries.discard)
        self._forget()
        return True

    def _counted(self) -> Refusals:
        return Refusals(
            seconds=math.ceil(self.loop.time() - self._begun),
            ways={str(way): count for way, count in self._ways.items()},
            addresses=len(self._addresses),
            most_from_one=max(self._addresses.values()),
            requests=self._requests,
        )

    def _forget(self) -> None:
        self._ways: Counter[Way] = Counter()
        self._addresses: Counter[str] = Counter()
        self._requests: list[str] = []

    async def _record(self, counted: Refusals) -> None:
        try:
            await self._database.write(denials.refused, counted)
        except Exception as failure:  # noqa: BLE001  nobody waits for it
            _log.error("refused sign-ins not counted: %s", type(failure).__qualname__)
