"""Turns: in order, so many at once, for a moment, and never more at work than there are places."""

import asyncio
from contextlib import suppress

import pytest

from app import turns
from app.turns import Turns

PATIENCE = 5.0
LONG = 60.0
"""Longer than any test: who is at work for so long is ended by it."""


class Work:
    """Who is at work, and who was, in the order in which they began."""

    def __init__(self, of: Turns) -> None:
        self._of = of
        self.now = 0
        self.most = 0
        self.begun: list[str] = []

    async def do(self, name: str, seconds: float, patience: float = PATIENCE) -> None:
        async with self._of.taken(patience):
            self.begun.append(name)
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await asyncio.sleep(seconds)
            finally:
                self.now -= 1


@pytest.fixture
def momentary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_MOMENT_SECONDS", 0.05)


async def test_they_come_in_order_and_one_at_a_time() -> None:
    work = Work(Turns(1, 10))
    names = [str(number) for number in range(20)]
    await asyncio.gather(*(work.do(name, 0.001) for name in names))
    assert work.begun == names
    assert work.most == 1


async def test_so_many_at_once() -> None:
    work = Work(Turns(3, 10))
    await asyncio.gather(*(work.do(str(number), 0.005) for number in range(20)))
    assert work.most == 3


async def test_what_nobody_uses_is_lent() -> None:
    writes = Turns(1, 10)
    reading, writing = Work(Turns(2, 10, lends_to=writes)), Work(writes)
    await asyncio.gather(*(writing.do(str(number), 0.005) for number in range(10)))
    assert writing.most == 2
    writing.most = 0
    read = asyncio.create_task(reading.do("read", 0.05))
    await asyncio.sleep(0)
    written = [asyncio.create_task(writing.do(str(number), 0.1)) for number in range(3)]
    await asyncio.sleep(0.02)
    assert (reading.now, writing.now) == (1, 1)
    await read
    await asyncio.sleep(0)
    assert (reading.now, writing.now) == (0, 2)
    # Who reads waits for nobody who writes.
    await reading.do("next", 0)
    assert writing.now == 2
    await asyncio.gather(*written)
    assert writing.most == 2


async def test_who_takes_long_keeps_nobody_waiting(momentary: None) -> None:
    work = Work(Turns(1, 10))
    slow = asyncio.create_task(work.do("slow", LONG))
    await asyncio.sleep(0)
    await work.do("next", 0)
    assert work.most == 2
    # What ended by the clock does not end once more: there is still one turn.
    slow.cancel()
    with suppress(asyncio.CancelledError):
        await slow
    work.most = 0
    await asyncio.gather(*(work.do(str(number), 0.001) for number in range(5)))
    assert work.most == 1


async def test_no_more_are_at_work_than_there_are_places(momentary: None) -> None:
    work = Work(Turns(1, 2))
    tasks = [asyncio.create_task(work.do(str(number), LONG)) for number in range(3)]
    await asyncio.sleep(0.3)
    assert work.begun == ["0", "1"]
    tasks[0].cancel()
    await asyncio.sleep(0.3)
    assert work.begun == ["0", "1", "2"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("at_once", [1, 2])
async def test_who_waits_too_long_is_told_and_takes_nothing(at_once: int) -> None:
    work = Work(Turns(at_once, 1))
    busy = asyncio.create_task(work.do("busy", 0.2))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await work.do("late", 0, patience=0.01)
    await busy
    await work.do("next", 0)
    assert work.begun == ["busy", "next"]


async def test_patience_is_for_waiting_alone() -> None:
    work = Work(Turns(1, 1))
    await work.do("long", 0.1, patience=0.01)
    assert work.begun == ["long"]


async def test_who_gives_up_waiting_takes_nothing() -> None:
    work = Work(Turns(1, 10))
    busy = asyncio.create_task(work.do("busy", 0.05))
    gone = asyncio.create_task(work.do("gone", 0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(busy, gone, return_exceptions=True)
    await work.do("next", 0)
    assert work.begun == ["busy", "next"]
