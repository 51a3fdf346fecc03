"""Streams of a real server: replay, resume, rights that end, readers that do not read, shutdown."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from app.db import Database
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.events import Json, Stream, following
from tests.support.institution import Institution
from tests.support.server import Server, serving

BEARER = f"Bearer {OPERATOR}"
SOON = 10.0
STOPS_WITHIN = 5.0


@pytest.fixture(scope="module")
def server(configuration: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the database that the tests write to by themselves, in another process."""
    log = tmp_path_factory.mktemp("streams") / "log"
    with serving(configuration.database_url, log, token=OPERATOR, background="false") as running:
        yield running


def at(server: Server, institution: Institution) -> str:
    return server.url + institution.path


async def feed(institution: Institution, client: httpx.AsyncClient, **asked: str) -> list[Json]:
    """What the feed shows."""
    path = f"{institution.path}/events"
    found = await institution.expect(
        200, "GET", path, client=client, parameters={"limit": 200, **asked}
    )
    items: list[Json] = found["items"]
    return items


async def ended(stream: Stream) -> None:
    """Wait for a stream to end by itself."""
    async with asyncio.timeout(SOON):
        async for _ in stream:
            pass


async def test_the_head_of_a_stream_leaves_the_connection_free(
    server: Server, institution: Institution
) -> None:
    address = f"{at(server, institution)}/events/stream"
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(limits=limits, timeout=SOON) as client:
        for _ in range(2):
            answer = await client.head(address, headers={"Authorization": BEARER})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert answer.content == b""


async def test_what_others_write_comes_at_once(
    server: Server, institution: Institution, database: Database
) -> None:
    """Replay first, then what this process writes, heard there by NOTIFY or found by a look."""
    before = await feed(institution, institution.operator)
    async with following(at(server, institution), BEARER, after=0) as stream:
        assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.answer.headers["cache-control"] == "no-store"
        assert stream.answer.headers["x-accel-buffering"] == "no"
        assert await stream.take(len(before)) == before
        written, seconds = [], []
        for i in range(3):
            await institution.unit(f"u{i}")
            started = time.monotonic()
            written += await stream.take(1)
            seconds.append(time.monotonic() - started)
        assert written == (await feed(institution, institution.operator))[len(before) :]
        assert stream.last_id == str(written[-1]["sequence"])
        assert min(seconds) < (3 if database.is_sqlite else 0.5)


async def test_a_stream_without_a_place_begins_now(
    server: Server, institution: Institution
) -> None:
    async with following(at(server, institution), BEARER) as stream:
        last = (await feed(institution, institution.operator))[-1]
        await institution.unit("new")
        (event,) = await stream.take(1)
        assert (event["type"], event["sequence"]) == ("unit.created", last["sequence"] + 1)


async def test_a_stream_shows_what_the_feed_shows(server: Server, institution: Institution) -> None:
    """By rights and by filters, replayed and live; and whoever may see nothing is refused."""
    await institution.unit("A")
    await institution.unit("A1", "A")
    admin = await institution.person("admin-a", "admin", "A")
    url = at(server, institution)
    refused = httpx.get(f"{url}/events/stream", headers=institution.reporter.headers)
    assert refused.status_code == 403
    token = admin.headers["Authorization"]
    async with AsyncExitStack() as stack:
        asked: list[Any] = [{}, {"unit": "A1"}, {"type": "initiative.created"}]
        streams = [
            await stack.enter_async_context(following(url, token, after=0, **each))
            for each in asked
        ]
        for code, unit in (("hidden", institution.code), ("shown", "A"), ("last", "A1")):
            await institution.initiative(code, unit)
        for stream, each in zip(streams, asked, strict=True):
            expected = await feed(institution, admin, **each)
            assert await stream.take(len(expected)) == expected
            assert expected[-1]["subject"] == "last"


async def test_a_revoked_role_ends_the_stream(server: Server, institution: Institution) -> None:
    await institution.unit("A")
    admin = await institution.person("admin-a", "admin", "A")
    token = admin.headers["Authorization"]
    grants = (await institution.get("grants", person="admin-a"))["items"]
    async with following(at(server, institution), token) as stream:
        await institution.delete(f"grants/{grants[0]['id']}")
        await institution.unit("B", "A")
        await ended(stream)


async def test_a_revoked_token_ends_the_stream(server: Server, institution: Institution) -> None:
    client = await institution.person("boss", "admin")
    token = client.headers["Authorization"]
    tokens = (await institution.get("tokens"))["items"]
    (mine,) = [each for each in tokens if each["person"] == "boss"]
    async with following(at(server, institution), token) as stream:
        await institution.delete(f"tokens/{mine['id']}")
        await ended(stream)


async def test_a_place_that_is_none_is_refused(server: Server, institution: Institution) -> None:
    url = f"{at(server, institution)}/events/stream"
    for wrong in ("x", "-1", "1.0", "9223372036854775808"):
        headers = {"Authorization": BEARER, "Last-Event-ID": wrong}
        answer = httpx.get(url, headers=headers)
        assert answer.status_code == 422
        (place,) = answer.json()["errors"]
        assert place["parameter"].lower() == "last-event-id"


async def test_streams_survive_a_killed_server_and_let_one_stop(
    institution: Institution, configuration: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed in the middle, resumed at another: nothing twice, nothing missed; then a calm end."""
    log = tmp_path_factory.mktemp("killed") / "log"

    def start() -> object:
        return serving(
            configuration.database_url, log, token=OPERATOR, background="false", max_streams=40
        )

    read: list[Json] = []
    with start() as first:  # type: ignore[attr-defined]
        async with following(at(first, institution), BEARER, after=0) as stream:
            read += await stream.take(2)
            first.process.kill()
            with pytest.raises(httpx.TransportError):
                await ended(stream)
        last = str(read[-1]["sequence"])
    for i in range(5):
        await institution.unit(f"u{i}")
    whole = await feed(institution, institution.operator)
    with start() as second:  # type: ignore[attr-defined]
        url = at(second, institution)
        async with AsyncExitStack() as stack:
            # `Last-Event-ID` goes before `after`, which a browser sends again as it was.
            opened = [
                await stack.enter_async_context(following(url, BEARER, last, after=1))
                for _ in range(39)
            ]
            silent = socket.create_connection(("127.0.0.1", int(second.url.rsplit(":", 1)[1])))
            stack.callback(silent.close)
            path = f"{institution.path}/events/stream?after=0"
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {BEARER}\r\n\r\n"
            silent.sendall(request.encode())
            for stream in opened:
                assert read + await stream.take(len(whole) - 2) == whole
            more = httpx.get(f"{url}/events/stream", headers={"Authorization": BEARER})
            assert (more.status_code, more.json()["code"]) == (503, "too_many_streams")
            assert int(more.headers["retry-after"]) > 0
            started = time.monotonic()
            second.process.terminate()
            await asyncio.gather(*(ended(stream) for stream in opened))
            second.process.wait(STOPS_WITHIN)
            assert time.monotonic() - started < STOPS_WITHIN
    assert "Traceback" not in log.read_text()
