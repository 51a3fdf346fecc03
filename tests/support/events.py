"""A client of event streams: reads server-sent events as the standard says, and resumes."""

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from tests.support.server import TRUST

Json = dict[str, Any]


class Stream:
    """An open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id = ""
        self.comments = 0
        self._lines = answer.aiter_lines()

    async def __aiter__(self) -> AsyncGenerator[Json]:
        data: list[str] = []
        async for line in self._lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if data:
                    yield json.loads("\n".join(data))
                data = []
            elif name == "data":
                data.append(value)
            elif name == "id":
                self.last_id = value
            elif name == "":
                self.comments += 1

    async def take(self, count: int) -> list[Json]:
        """The next so many events."""
        taken: list[Json] = []
        async with aclosing(self.__aiter__()) as events:
            async for event in events:
                taken.append(event)
                if len(taken) == count:
                    break
        return taken


@asynccontextmanager
async def following(
    url: str,
    token: str,
    last_id: str | None = None,
    *,
    verify: ssl.SSLContext = TRUST,
    **asked: Any,
) -> AsyncIterator[Stream]:
    """Follow an institution's feed over a connection of its own; `url` is the institution's."""
    headers = {"Authorization": token}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    async with (
        httpx.AsyncClient(timeout=30, verify=verify) as client,
        client.stream("GET", f"{url}/events/stream", headers=headers, params=asked) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        yield Stream(answer)
