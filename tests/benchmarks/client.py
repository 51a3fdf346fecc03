"""A bare HTTP client on asyncio streams, so that the load costs little beside the server."""

import asyncio
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"


def request(url: str, path: str, token: str, body: bytes | None = None, *more: str) -> bytes:
    """One HTTP/1.1 request on a kept connection, as bytes."""
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Authorization: Bearer {token}",
        *more,
    ]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + _HEAD_END + (body or b"")


async def throughput(
    url: str,
    clients: int,
    expected: int,
    sources: Callable[[int], Iterator[bytes]],
    seconds: float,
    part: bytes = b"",
) -> float:
    """Answers per second of `clients` connections that send without pause for some seconds.

    Each takes its requests from `sources(client)` and stops early when that ends. Raises
    `AssertionError` on any status but `expected`, and on an answer without this part.
    """
    until = time.perf_counter() + seconds

    async def drive(client: int) -> int:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        answered = 0
        for payload in sources(client):
            if time.perf_counter() > until:
                break
            writer.write(payload)
            head = await reader.readuntil(_HEAD_END)
            status = int(head[9:12])
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            content = await reader.readexactly(length)
            assert status == expected, content
            assert part in content, content
            answered += 1
        writer.close()
        return answered

    start = time.perf_counter()
    answered = sum(await asyncio.gather(*(drive(client) for client in range(clients))))
    return answered / (time.perf_counter() - start)
