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

_MOMENT_SECONDS = 0.25
"""Several times what most transactions take, and less than anybody would notice."""


class Turns:
    """Turns in the order in which they were asked for; use from one event loop."""

    def __init__(self, at_once: int, at_most: int) -> None:
        """So many have a turn at once, and so many are at work, with those whose turn is over."""
        self._turns, self._places = asyncio.Semaphore(at_once), asyncio.Semaphore(at_most)

    @asynccontextmanager
    async def taken(self, patience: float) -> AsyncIterator[None]:
        """Wait for a turn, at most so many seconds, or raise `TimeoutError`; then have it."""
        async with asyncio.timeout(patience) as waiting, self._places:
            await self._turns.acquire()
            waiting.reschedule(None)
            is_over = False

            def end() -> None:
                nonlocal is_over
                if not is_over:
                    is_over = True
                    self._turns.release()

            timer = asyncio.get_running_loop().call_later(_MOMENT_SECONDS, end)
            try:
                yield
            finally:
                timer.cancel()
                end()


def of_process(at_once: int, connections: int) -> dict[bool, Turns]:
    """The turns of reads (False), so many at once, and of writes, on connections that are kept.

    As many connections again may be opened. Writers wait for each other, so they leave half of all to
    those who read.
    """
    return {
        False: Turns(at_once, 2 * connections),
        True: Turns((at_once + 1) // 2, connections),
    }
