"""Reports with an idempotency key beside reports without, over HTTP, by turns in one run."""

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from uuid import uuid4

from tests.benchmarks import client

CLIENTS, TURNS = 8, 5
_BODY = json.dumps({"percent_complete": 55}).encode()


def requests(
    url: str, token: str, chosen: Sequence[tuple[str, int]], *, keyed: bool
) -> Callable[[int], Iterator[bytes]]:
    """Each client's requests: reports on its part of the chosen (initiative, milestone number)."""

    def of(mine: int) -> Iterator[bytes]:
        for initiative, number in chosen[mine::CLIENTS]:
            path = f"/api/v1/institutions/kpu/initiatives/{initiative}/milestones/{number}/updates"
            more = (f"Idempotency-Key: {uuid4()}",) if keyed else ()
            yield client.request(url, path, token, _BODY, *more)

    return of


async def ratio(url: str, token: str, chosen: Sequence[tuple[str, int]], seconds: float) -> float:
    """The rate of reports with keys ÷ that of reports without; the median of some turns."""
    ratios = []
    for _ in range(TURNS):
        plain, keyed = [
            await client.throughput(
                url, CLIENTS, 201, requests(url, token, chosen, keyed=is_keyed), seconds
            )
            for is_keyed in (False, True)
        ]
        ratios.append(keyed / plain)
    return statistics.median(ratios)
