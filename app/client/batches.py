"""Any number of reports, sent in batches of as many as the server takes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from app.client.calls import Call, Stretch, encoded, post
from app.client.failures import Refused
from app.schemas.batches import MOST_ITEMS, Batch, BatchItem, Taken
from app.schemas.problems import Problem
from app.schemas.updates import Update

Report = BatchItem | Mapping[str, Any]
MOST_BYTES = 1_048_576
"""Largest body of a server that is not told otherwise."""
_HEAD, _TAIL = b'{"items":[', b"]}"
_WHOLE = {400, 413, 422}
"""How a batch is refused for what a single item of it is: unreadable, too large, invalid."""
_TOO_LONG = "timeout"
"""Code of what took longer than a request may take; nothing was written."""


@dataclass(frozen=True)
class Outcome:
    """What became of one report."""

    index: int
    """Its place among all that were given, from 0."""
    status: int
    """201: it is new. 200: it was there, by its `source` and `external_id`. Else: why not."""
    update: Update | None
    """The report, if it was taken."""
    problem: Problem | None
    """Why it was refused, if it was."""


class _Item(NamedTuple):
    place: int
    content: bytes


class Sending:
    """Reports on their way: which are in hand, and where the rest comes from."""

    def __init__(
        self,
        path: str,
        reports: Iterable[Report],
        *,
        start: int,
        most_items: int,
        most_bytes: int,
        progress: Callable[[int], None] | None,
    ) -> None:
        numbered = islice(enumerate(reports), start, None)
        self._path = path
        self._items: Iterator[_Item] = (
            _Item(at, encoded(report) or b"") for at, report in numbered
        )
        self._returned: deque[_Item] = deque()  # to be sent again, in smaller batches
        self._most_items = min(most_items, MOST_ITEMS)
        self._most_bytes = most_bytes
        self._progress = progress

    def next(self) -> Call[Stretch[Outcome]] | None:
        """The next batch; None when all are sent."""
        batch = self._gather(self._most_items)
        return self._call(batch) if batch else None

    def _gather(self, most: int) -> list[_Item]:
        batch: list[_Item] = []
        size = len(_HEAD) + len(_TAIL)
        while len(batch) < most:
            item = self._returned.popleft() if self._returned else next(self._items, None)
            if item is None:
                break
            size += len(item.content) + 1
            if batch and size > self._most_bytes:
                self._returned.appendleft(item)
                break
            batch.append(item)
        return batch

    def _call(self, batch: list[_Item]) -> Call[Stretch[Outcome]]:
        call = post(self._path, Batch)
        body = _HEAD + b",".join(item.content for item in batch) + _TAIL
        return Call(
            call.method, call.path, lambda content: self._taken(batch, call.read(content)),
            {}, body, call.headers, lambda refused: self._refused(batch, refused),
        )  # fmt: skip

    def _taken(self, batch: list[_Item], answer: Batch) -> Stretch[Outcome]:
        outcomes = [
            Outcome(item.place, result.status, result.update, None)
            if isinstance(result, Taken)
            else Outcome(item.place, result.status, None, result.problem)
            for item, result in zip(batch, answer.results, strict=True)
        ]
        return self._settled(outcomes)

    def _refused(self, batch: list[_Item], refused: Refused) -> Stretch[Outcome]:
        """Halve a batch that is refused as a whole, until the item is alone that is to blame."""
        half = len(batch) // 2
        if refused.code == _TOO_LONG and half:
            self._most_items = half  # nor will the next ones be faster
        elif refused.status not in _WHOLE:
            raise refused
        if not half:
            return self._settled([Outcome(batch[0].place, refused.status, None, refused.problem)])
        self._returned.extendleft(reversed(batch[half:]))
        return Stretch([], lambda: self._call(batch[:half]))

    def _settled(self, outcomes: list[Outcome]) -> Stretch[Outcome]:
        def onward() -> Call[Stretch[Outcome]] | None:
            if self._progress is not None:
                self._progress(outcomes[-1].index + 1)
            return self.next()

        return Stretch(outcomes, onward)
