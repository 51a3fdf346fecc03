"""Clients that hold a connection for nothing are cut off, while others are served as ever."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import httpx

from app.settings import Settings
from tests.processes.conftest import RECEIVE_SECONDS, Misused
from tests.support.institution import API
from tests.support.originals import Originals
from tests.support.server import serving

PATIENCE = 12.0
HEAD = f"POST {API}/institutions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
LENGTH = HEAD + b"Content-Length: 1000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"

Parts = Callable[[], AsyncIterator[bytes]]


def at_once(*parts: bytes) -> Parts:
    async def send() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return send


def dripping(start: bytes, drop: bytes) -> Parts:
    """`start`, then a drop ten times a second, for as long as it is taken."""

    async def send() -> AsyncIterator[bytes]:
        yield start
        while True:
            await asyncio.sleep(0.1)
            yield drop

    return send


SLOW: dict[str, tuple[Parts, bytes]] = {
    # What a client sends, and how an answer begins that it gets before the connection is closed.
    "silent": (at_once(), b""),
    "half a head": (at_once(b"GET /health/live HT"), b"HTTP/1.1 408"),
    "a head byte by byte": (dripping(b"GET / HTTP/1.1\r\nX: ", b"x"), b"HTTP/1.1 408"),
    "a head without a body": (at_once(LENGTH), b"HTTP/1.1 408"),
    "half a body": (at_once(LENGTH + b'{"code":'), b"HTTP/1.1 408"),
    "a body byte by byte": (dripping(LENGTH, b" "), b"HTTP/1.1 408"),
    "half a chunked body": (at_once(CHUNKED + b"4\r\n{   \r\n"), b"HTTP/1.1 408"),
    "chunks byte by byte": (dripping(CHUNKED, b"1\r\n \r\n"), b"HTTP/1.1 408"),
    "half a second head": (at_once(WHOLE, b"GET /health/li"), b"HTTP/1.1 200"),
    "a body that is refused": (
        dripping(HEAD + b"Content-Length: 99999999\r\n\r\n", b" "), b"HTTP/1.1 413",
    ),
}  # fmt: skip


class Seen(NamedTuple):
    """What a client got, and after how many seconds it was cut off."""

    answer: bytes
    seconds: float


async def hold(port: int, parts: Parts) -> Seen:
    """Be a slow client until the server has enough of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.monotonic()

    async def send() -> None:
        try:
            async for part in parts():
                writer.write(part)
                await writer.drain()
        except OSError:
            return  # it is closed

    sending = asyncio.create_task(send())
    answer = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while part := await reader.read(65_536):
                answer += part
    except ConnectionResetError:
        pass
    finally:
        sending.cancel()
        writer.close()
    return Seen(answer, time.monotonic() - started)


async def others(port: int) -> list[float]:
    """Seconds that other clients wait meanwhile."""
    waited = []
    for _ in range(20):
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        waited.append(time.monotonic() - started)
        writer.close()
        await asyncio.sleep(0.1)
    return waited


async def test_slow_clients_are_cut_off_and_others_are_served(misused: Misused) -> None:
    held = [hold(misused.port, parts) for parts, _ in SLOW.values() for _ in range(5)]
    waiting = asyncio.create_task(others(misused.port))
    seen, waited = await asyncio.gather(*held), await waiting
    for i, (name, (_, begins)) in enumerate(SLOW.items()):
        for answer, seconds in seen[5 * i : 5 * i + 5]:
            assert answer.startswith(begins), name
            assert bool(answer) == bool(begins), name
            assert RECEIVE_SECONDS / 2 < seconds < PATIENCE, name
            if begins.endswith(b"408"):
                fields, _, body = answer.partition(b"\r\n\r\n")
                assert b"Content-Type: application/problem+json".lower() in fields.lower()
                assert b"X-Content-Type-Options: nosniff" in fields
                problem = json.loads(body)
                assert (problem["status"], problem["code"]) == (408, "request_timeout")
                assert problem["request_id"].encode() in fields
    if not misused.trusts:  # httptools waits for more, where h11 says at once that it is no request
        answer, seconds = await hold(misused.port, at_once(b"\r\n"))
        assert answer.startswith(b"HTTP/1.1 408")
        assert RECEIVE_SECONDS * 0.9 <= seconds < PATIENCE
    assert sorted(waited)[len(waited) // 2] < 1
    assert "Traceback" not in misused.log


async def test_a_slow_but_steady_body_is_taken(misused: Misused) -> None:
    """Three times longer than a head may take, at twice the least rate."""
    parts = [b"{" + b" " * 16_383, *[b" " * 16_384] * 5, b" " * 16_383 + b"}"]

    async def steadily() -> AsyncIterator[bytes]:
        yield HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % sum(map(len, parts))
        for part in parts:
            yield part
            await asyncio.sleep(0.5)

    seen = await hold(misused.port, steadily)
    assert seen.answer.startswith(b"HTTP/1.1 401")
    assert seen.seconds > 2.5 * RECEIVE_SECONDS


async def test_who_does_not_read_is_cut_off(misused: Misused) -> None:
    # The document is made when it is first asked for, and that time is not the client's.
    await asyncio.to_thread(httpx.get, f"{misused.server.url}/openapi.json", timeout=60)
    greedy = socket.socket()
    greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    greedy.connect(("127.0.0.1", misused.port))
    asked = 40
    greedy.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * asked)
    await asyncio.sleep(5 * RECEIVE_SECONDS)
    got = 0
    greedy.settimeout(PATIENCE)
    try:
        while part := await asyncio.to_thread(greedy.recv, 1 << 20):
            got += part.count(b"HTTP/1.1 200")
    except ConnectionResetError:
        pass
    finally:
        greedy.close()
    assert got < asked
    assert "Traceback" not in misused.log


def test_the_default_is_fifteen_seconds() -> None:
    assert Settings().receive_seconds == 15


def test_who_is_told_to_stop_finishes_what_goes_on_but_not_for_ever(
    tmp_path: Path, originals: Originals
) -> None:
    url = originals.migrated(tmp_path / "quickwin.db")
    with (
        serving(url, tmp_path / "log", shutdown_seconds=2, receive_seconds=60) as server,
        socket.create_connection(("127.0.0.1", httpx.URL(server.url).port)) as prompt,
        socket.create_connection(("127.0.0.1", httpx.URL(server.url).port)) as slow,
    ):
        for client in (prompt, slow):
            client.sendall(HEAD + b"Content-Length: 2\r\n\r\n{")
        time.sleep(0.3)
        told = time.monotonic()
        server.process.terminate()
        time.sleep(0.3)
        prompt.sendall(b"}")
        assert prompt.recv(100).startswith(b"HTTP/1.1 401")
        server.process.wait(10)
        assert 2 <= time.monotonic() - told < 8
