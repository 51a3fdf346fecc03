"""Bytes that are hardly HTTP, sent to a real server: always a problem, never a failure, nothing echoed."""

import asyncio
import json

import pytest

from tests.conftest import OPERATOR
from tests.processes.conftest import Misused
from tests.support.institution import API

CANARY = "canary-6f1d"
AUTH = f"Authorization: Bearer {OPERATOR}\r\n"
END = f"X-Note: {CANARY}\r\nConnection: close\r\n\r\n"
POST = f"POST {API}/institutions HTTP/1.1\r\nHost: x\r\n{AUTH}Content-Type: application/json\r\n"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n{END}"


def get(target: str, fields: str = "", version: str = "HTTP/1.1") -> str:
    return f"GET {target} {version}\r\nHost: x\r\n{AUTH}{fields}{END}"


ANY = range(400, 432)
HOSTILE: dict[str, tuple[str, range | tuple[int, ...]]] = {
    "two tokens": (get(f"{API}/me", AUTH), (400,)),
    "two types": (f"{POST}Content-Type: text/plain\r\nContent-Length: 2\r\n{END}{{}}", (400,)),
    "two lengths": (f"{POST}Content-Length: 2\r\nContent-Length: 3\r\n{END}{{}}", (400,)),
    "a length and chunks": (
        f"{POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n{END}0\r\n\r\n", ANY,
    ),
    "a length below zero": (f"{POST}Content-Length: -1\r\n{END}", ANY),
    "a length in words": (f"{POST}Content-Length: two\r\n{END}", ANY),
    "a length beyond all": (f"{POST}Content-Length: {'9' * 40}\r\n{END}", ANY),
    "a length that waits": (f"{POST}Expect: 100-continue\r\nContent-Length: 99999999\r\n{END}", (413,)),
    "an unknown coding": (f"{POST}Transfer-Encoding: {CANARY}\r\n{END}{{}}", (*ANY, 501)),
    "a packed body": (f"{POST}Content-Encoding: gzip\r\nContent-Length: 2\r\n{END}{{}}", (415,)),
    "a chunk of no size": (f"{CHUNKED}zz\r\n{{}}\r\n0\r\n\r\n", ANY),
    "a chunk below zero": (f"{CHUNKED}-1\r\n{{}}\r\n0\r\n\r\n", ANY),
    "a chunk beyond all": (f"{CHUNKED}{'f' * 20}\r\n{{}}\r\n0\r\n\r\n", ANY),
    "chunks with notes": (f"{CHUNKED}2;x={CANARY}\r\n{{}}\r\n0\r\nX: {CANARY}\r\n\r\n", ANY),
    "NUL in a field": (get(f"{API}/me", f"X: {CANARY}\0\r\n"), ANY),
    "a space in a name": (get(f"{API}/me", f"X Y: {CANARY}\r\n"), ANY),
    "a folded field": (get(f"{API}/me", f"X: a\r\n {CANARY}\r\n"), (*ANY, 200)),
    "letters beyond ASCII": (get(f"{API}/me", "If-None-Match: é\u0080ÿ\r\n"), (*ANY, 200)),
    "a token beyond ASCII": (
        f"GET {API}/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer é{CANARY}\r\n{END}", (400, 401),
    ),
    "a token of nothing": (
        f"GET {API}/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \r\n{END}", (401,),
    ),
    "NUL in an address": (get(f"{API}/institutions/{CANARY}%00"), (404,)),
    "NUL as it is": (get(f"{API}/institutions/{CANARY}\0"), ANY),
    "overlong UTF-8": (get(f"{API}/institutions/%c0%af{CANARY}"), (404,)),
    "half a surrogate": (get(f"{API}/institutions/%ed%a0%80{CANARY}"), (404,)),
    "half an escape": (get(f"{API}/institutions/{CANARY}%"), (404,)),
    "dots upwards": (get(f"{API}/../../etc/{CANARY}"), (404,)),
    "hidden dots upwards": (get(f"/static/..%2f..%2f..%2fetc%2f{CANARY}"), (404,)),
    "a hidden slash": (get(f"{API}/institutions%2f{CANARY}"), (404,)),
    "an address beyond ASCII": (get(f"{API}/institutions/é{CANARY}"), ANY),
    "another server's address": (get(f"http://evil.example/{CANARY}"), (404,)),
    "another server alone": (get("http://evil.example"), ANY),
    "a star": (f"OPTIONS * HTTP/1.1\r\nHost: x\r\n{END}", ANY),
    "a tunnel": (f"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n{END}", ANY),
    "an unknown method": (f"{CANARY.upper()} / HTTP/1.1\r\nHost: x\r\n{END}", ANY),
    "TRACE": (f"TRACE {API}/me HTTP/1.1\r\nHost: x\r\n{AUTH}{END}", (405,)),
    "another version": (get(f"{API}/me", version="HTTP/3.7"), (*ANY, 200)),
    "another protocol": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 50, ANY),
    "HTTP/2 without asking": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ANY),
    "an upgrade": (get(f"{API}/nowhere", "Upgrade: websocket\r\n"), (404,)),
    "a long address": (get(f"{API}/me?q={'x' * 9_000}"), (414,)),
    "many parameters": (get(f"{API}/institutions?" + "&".join(f"p{i}=1" for i in range(150))), (422,)),
    "a long field": (get(f"{API}/me", f"X: {'x' * 20_000}\r\n"), (431,)),
    "many fields": (get(f"{API}/me", "".join(f"X{i}: x\r\n" for i in range(150))), (431,)),
    "a field without end": (f"GET {API}/me HTTP/1.1\r\nX: {'x' * 200_000}", (400, 431)),
    "NUL in a parameter": (get(f"{API}/institutions?q={CANARY}%00"), (422,)),
    "an unknown parameter": (get(f"{API}/institutions?x={CANARY}"), (422,)),
    "two of a parameter": (get(f"{API}/institutions?limit=1&limit={CANARY}"), (422,)),
}  # fmt: skip


async def answer(port: int, sent: bytes) -> bytes:
    """All that the server says before it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        async with asyncio.timeout(30):
            return await reader.read(-1)
    finally:
        writer.close()


@pytest.mark.parametrize("name", HOSTILE)
async def test_it_is_refused(misused: Misused, name: str) -> None:
    sent, expected = HOSTILE[name]
    try:
        got = await answer(misused.port, sent.encode("latin-1"))
    except ConnectionResetError:
        assert name in {"a field without end", "a long field"}  # it was still writing
        return
    head, _, body = got.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    if misused.trusts and name == "a length and chunks":
        expected = (*expected, 401, 403)  # h11 reads the chunks and ignores the length, by RFC 9112
    assert status in expected, got[:300]
    assert CANARY.encode() not in got
    if status >= 400:
        assert b"application/problem+json" in head
        problem, _ = json.JSONDecoder().raw_decode(body.decode())
        assert problem["status"] == status
        assert problem["request_id"].encode() in head
    assert b"x-content-type-options: nosniff" in head.lower()
    assert b"\nserver:" not in head.lower()
    assert "Traceback" not in misused.log


async def test_an_address_cannot_be_made_up(misused: Misused) -> None:
    """Who is counted and logged: the peer; only a trusted proxy says who is behind it."""
    name = "find-my-address"
    fields = (
        f"X-Request-ID: {name}\r\nX-Forwarded-For: 203.0.113.9\r\n"
        "X-Forwarded-For: 198.51.100.7\r\nForwarded: for=203.0.113.8\r\nX-Real-IP: 203.0.113.7\r\n"
    )
    wrong = f"GET {API}/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n{fields}{END}"
    assert b" 401 " in await answer(misused.port, wrong.encode())
    (line,) = [line for line in misused.log.splitlines() if name in line and "refused" in line]
    assert json.loads(line)["event"].endswith("198.51.100.7" if misused.trusts else "127.0.0.1")


async def test_nothing_secret_is_in_the_log(misused: Misused) -> None:
    """What was sent by this file is in no line; nor is the operator's token, nor a query."""
    body = json.dumps({"code": CANARY, "x": CANARY, "name": [CANARY]})
    length = f"Content-Length: {len(body)}\r\n"
    for sent in (
        get(f"{API}/institutions?q={CANARY}&x={CANARY}", f"Cookie: {CANARY}\r\n"),
        f"GET {API}/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CANARY}\r\n{END}",
        f"{POST}Idempotency-Key: {CANARY}\r\n{length}{END}{body}",
    ):
        got = await answer(misused.port, sent.encode())
        assert b"HTTP/1.1 4" in got
        assert CANARY.encode() not in got
    for secret in (CANARY, OPERATOR):
        assert secret not in misused.log
    lines = [json.loads(line) for line in misused.log.splitlines() if line.startswith("{")]
    assert {401, 422} <= {line["status"] for line in lines if line["logger"] == "app.access"}
