"""Reports in batches beside reports alone, over HTTP, in one run."""

import json
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks import client

SIZE, CLIENTS = 500, 2
_PATH = "/api/v1/institutions/kpu/updates"


def requests(
    url: str, token: str, chosen: Sequence[tuple[str, int]]
) -> Callable[[int], Iterator[bytes]]:
    """Each client's requests: batches on its part of the chosen (initiative, milestone number)."""

    def of(mine: int) -> Iterator[bytes]:
        part = chosen[mine::CLIENTS]
        for start in range(0, len(part) - SIZE + 1, SIZE):
            items = [
                {
                    "initiative": initiative,
                    "milestone": number,
                    "percent_complete": 55,
                    "effective_on": "2024-03-01",
                }
                for initiative, number in part[start : start + SIZE]
            ]
            yield client.request(url, _PATH, token, json.dumps({"items": items}).encode())

    return of


async def rate(url: str, token: str, chosen: Sequence[tuple[str, int]], seconds: float) -> float:
    """Reports per second in batches."""
    answered = await client.throughput(url, CLIENTS, 207, requests(url, token, chosen), seconds)
    return answered * SIZE
