"""Turns: so many transactions of a process at once, and each only for a moment.

A process computes on one core, so of many transactions at once each is late with every step, and
holds what it has locked for as long: reports of one institution then wait for each other's commits,
and reads for the connections of those that wait. Begun one after the other, all are done sooner. Yet
whoever waits for the database itself, or is at work for long, must keep nobody waiting: a turn ends
after a moment, and who had it goes on beside those that follow.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, WouldBlock

_MOMENT_SECONDS = 0.25
"""Several times what most transactions take, and less than anybody would notice."""


class Turns:
    """Turns in the order in which they were asked for; use from one event loop."""

    def __init__(self, at_once: int, at_most: int, lends_to: "Turns | None" = None) -> None:
        """So many have a turn at once, and so many are at work, with those whose turn is over.

        While nobody has one here, as many at once have one of those that these are lent to.
        """
        self._at_once, self._lends_to = at_once, lends_to
        self._turns, self._places = CapacityLimiter(at_once), asyncio.Semaphore(at_most)
        self._lend()

    @asynccontextmanager
    async def taken(self, patience: float) -> AsyncIterator[None]:
        """Wait for a turn, at most so many seconds, or raise `TimeoutError`; then have it."""
        async with asyncio.timeout(patience) as waiting, self._places:
            turn = object()
            try:  # by itself it lets the loop go round first, even where there is a turn
                self._turns.acquire_on_behalf_of_nowait(turn)
            except WouldBlock:
                await self._turns.acquire_on_behalf_of(turn)
            waiting.reschedule(None)
            self._lend()
            is_over = False

            def end() -> None:
                nonlocal is_over
                if not is_over:
                    is_over = True
                    self._turns.release_on_behalf_of(turn)
                    self._lend()

            timer = asyncio.get_running_loop().call_later(_MOMENT_SECONDS, end)
            try:
                yield
            finally:
                timer.cancel()
                end()

    def borrow(self, at_once: int) -> None:
        """At least so many at once from now on; nobody's turn is taken away."""
        self._turns.total_tokens = max(self._at_once, at_once)

    def _lend(self) -> None:
        if self._lends_to is not None:
            self._lends_to.borrow(0 if self._turns.borrowed_tokens else self._at_once)


def of_process(at_once: int, connections: int) -> dict[bool, Turns]:
    """The turns of reads (False), so many at once, and of writes, on connections that are kept.

    As many connections again may be opened. Writers wait for each other, so they leave half of all to
    those who read, while somebody does.
    """
    writes = Turns((at_once + 1) // 2, connections)
    return {False: Turns(at_once, 2 * connections, lends_to=writes), True: writes}
