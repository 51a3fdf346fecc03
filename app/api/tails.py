"""The newest events of each institution that is followed, read once for all who follow it.

Whoever follows holds a place, not a queue: the newest events are kept once, in bounded memory, and
who has fallen behind them reads on from the database. So five hundred followers cost one reader.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from fastapi.sse import format_sse_event

from app.api import meters
from app.db import Database
from app.models.base import now
from app.schemas.events import Event
from app.services import streams
from app.services.streams import Told
from app.wakes import Waker, happened

MOST_EVENTS, MOST_BYTES = 500, 1_048_576
"""What is kept of an institution."""
POLL_SECONDS = 2.0
"""How often it is read without a wake: for other processes' writes where those are not heard."""
TOGETHER_SECONDS = 0.1
"""Events that come in so short a time are told together, so that a storm costs few wakes."""
_PAUSE_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Kept(NamedTuple):
    """A new event, and how it stands in a stream."""

    told: Told
    frame: bytes


def frame(event: Event) -> bytes:
    """An event as it stands in a stream; its id is the sequence."""
    # Without `event:`, for browsers give events that have a name to nobody who does not ask for it.
    return format_sse_event(data_str=event.model_dump_json(), id=str(event.sequence))


class Tail:
    """The newest events of one institution."""

    def __init__(self, institution_id: UUID, sequence: int) -> None:
        self.institution_id = institution_id
        self.sequence = sequence
        """Up to where it has been read."""
        self.rights_moved_at = 0
        """Sequence of the last event that may change what somebody sees."""
        self.followers = 0
        self._kept: deque[Kept] = deque()
        self._from = sequence
        """Behind this sequence everything is kept."""
        self._size = 0
        self._since = now()
        self._moved = asyncio.Event()

    def behind(self, sequence: int) -> list[Kept] | None:
        """The events after a sequence; None where they are not kept any more."""
        if sequence < self._from:
            return None
        return [kept for kept in self._kept if kept.told.event.sequence > sequence]

    async def moved(self, seen: int, seconds: float) -> None:
        """Wait until there are events behind what was seen, at most so long."""
        if self.sequence == seen:
            await happened(self._moved, seconds)

    def end(self) -> None:
        """Nobody waits any more."""
        self._moved.set()

    def add(self, news: list[Told]) -> None:
        """Take over what was read."""
        at = now()
        for told in news:
            kept = Kept(told, frame(told.event))
            self._kept.append(kept)
            self._size += len(kept.frame)
            self.sequence = told.event.sequence
            if told.event.at >= self._since:  # it is behind by no fault of ours else
                meters.event_told((at - told.event.at).total_seconds())
            if told.moves_rights:
                self.rights_moved_at = self.sequence
            while len(self._kept) > MOST_EVENTS or self._size > MOST_BYTES:
                oldest = self._kept.popleft()
                self._size -= len(oldest.frame)
                self._from = oldest.told.event.sequence
        self._moved.set()
        self._moved = asyncio.Event()


class Tails:
    """The tails of one process; use from one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tails: dict[UUID, Tail] = {}
        self._readers: set[asyncio.Task[None]] = set()
        self.turns = asyncio.Semaphore(4)
        """For reads of followers: however many there are, most connections are left to requests."""
        self.is_closing = False

    @property
    def followers(self) -> int:
        """How many follow, of all institutions."""
        return sum(tail.followers for tail in self._tails.values())

    @contextmanager
    def following(self, institution_id: UUID, sequence: int) -> Iterator[Tail]:
        """The tail of an institution, which is read while somebody follows it.

        It begins at `sequence`, or where others have it already.
        """
        tail = self._tails.get(institution_id)
        if tail is None:
            tail = self._tails[institution_id] = Tail(institution_id, sequence)
            reader = asyncio.create_task(self._read_on(tail))
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)
        tail.followers += 1
        try:
            yield tail
        finally:
            tail.followers -= 1
            if not tail.followers:
                del self._tails[institution_id]

    def stop(self) -> None:
        """Let all streams end, as the server is about to."""
        self.is_closing = True
        for tail in self._tails.values():
            tail.end()

    async def close(self) -> None:
        """End what has not ended yet."""
        self.stop()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read_on(self, tail: Tail) -> None:
        with self._database.wakes.waking(tail.institution_id) as waker:
            while self._tails.get(tail.institution_id) is tail:
                await self._read(tail, waker)

    async def _read(self, tail: Tail, waker: Waker) -> None:
        try:
            news = await self._database.read(
                streams.news, tail.institution_id, tail.sequence, MOST_EVENTS
            )
        except Exception as failure:  # noqa: BLE001  whatever it is, it may be over soon
            _log.warning("new events could not be read: %s", type(failure).__qualname__)
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        if news:
            tail.add(news)
            await asyncio.sleep(TOGETHER_SECONDS)
        if len(news) < MOST_EVENTS:
            await waker.wait(POLL_SECONDS)
