"""A bare HTTP client on asyncio streams, so that the load costs little beside the server."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_KEPT_SECONDS = 4.0
"""Less than a server keeps what is idle: it could hang up while the next request is on its way."""


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


def repeated(payload: bytes) -> Callable[[int], Iterator[bytes]]:
    """The same request for ever."""

    def of(_: int) -> Iterator[bytes]:
        while True:
            yield payload

    return of


class Answer(NamedTuple):
    """What came back."""

    status: int
    head: str
    content: bytes

    def header(self, name: str) -> str | None:
        """A header by its name in lower case."""
        found = re.search(rf"(?im)^{name}: *(.*?)\r?$", self.head)
        return found and found[1]


class Line:
    """A connection that is kept, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._used_at = time.monotonic()
        self.answers = 0

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect."""
        address = urlsplit(url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def ask(self, payload: bytes) -> Answer:
        """Send a request and read its answer."""
        self._writer.write(payload)
        head = (await self._reader.readuntil(_HEAD_END)).decode("latin-1")
        answer = Answer(int(head[9:12]), head, b"")
        length = int(answer.header("content-length") or 0)
        content = await self._reader.readexactly(length)
        self._used_at = time.monotonic()
        self.answers += 1
        return answer._replace(content=content)

    @property
    def is_open(self) -> bool:
        """Whether the server has not closed it, as it does with what is idle, and is not about to."""
        return not self._reader.at_eof() and time.monotonic() - self._used_at < _KEPT_SECONDS

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


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
        line = await Line.open(url)
        answered = 0
        for payload in sources(client):
            if time.perf_counter() > until:
                break
            answer = await line.ask(payload)
            assert answer.status == expected, answer.content
            assert part in answer.content, answer.content
            answered += 1
        line.close()
        return answered

    start = time.perf_counter()
    answered = sum(await asyncio.gather(*(drive(client) for client in range(clients))))
    return answered / (time.perf_counter() - start)
