"""A worker whose supervisor is gone stops by itself: nobody would stop it any more."""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def leaving_with_parent() -> AsyncIterator[None]:
    """Within the block, begin to stop when the process that has started this one is gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def leave() -> None:
        loop.remove_reader(parent.sentinel)
        signal.raise_signal(signal.SIGTERM)

    with suppress(NotImplementedError):  # Windows' loop cannot wait for it
        loop.add_reader(parent.sentinel, leave)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            loop.remove_reader(parent.sentinel)
