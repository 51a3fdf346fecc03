"""Behind the nginx that we ship: who calls, how large, how slowly, and what flows."""

import asyncio
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.schemas.problems import Problem
from tests.conftest import OPERATOR
from tests.support import nginx
from tests.support.events import following
from tests.support.institution import API
from tests.support.nginx import Proxy, proxied
from tests.support.originals import Originals
from tests.support.server import serving

HEADERS = {"Authorization": f"Bearer {OPERATOR}"}
pytestmark = nginx.NEEDED


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, originals: Originals) -> Iterator[Proxy]:
    """A server that waits a second for what arrives, behind nginx."""
    folder = tmp_path_factory.mktemp("proxied")
    with (
        serving(
            originals.migrated(folder / "quickwin.db"), folder / "log", token=OPERATOR,
            trusted_proxies="127.0.0.1", receive_seconds=1, max_file_bytes=2_097_152,
            rate_limit_address=1_000, rate_limit_public=1_000,
        ) as server,
        proxied(server.url, folder / "nginx") as running,
    ):  # fmt: skip
        yield running


@pytest.fixture(scope="module")
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    """Somebody on the other side of nginx, who has made an institution."""
    with httpx.Client(base_url=proxy.url, verify=proxy.trust, headers=HEADERS) as made:
        body = {"code": "kpu", "name": "KPU"}
        assert made.post(f"{API}/institutions", json=body).status_code == 201
        yield made


def test_it_is_known_who_calls(client: httpx.Client) -> None:
    """The client's address counts, whatever the client says of it; and that it came over TLS."""
    forged = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.7", "Authorization": ""}
    left = []
    for headers in (forged, {"Authorization": ""}):
        answer = client.get(f"{API}/me", headers=headers)
        assert answer.status_code == 401
        assert "strict-transport-security" in answer.headers
        left.append(int(re.findall(r'"address";r=(\d+)', answer.headers["ratelimit"])[0]))
    assert left[1] == left[0] - 1


def test_what_is_too_large_is_refused_alike(client: httpx.Client) -> None:
    """By the service where it knows better; by nginx before it takes up room."""
    ours = client.post(f"{API}/institutions", content=b"{" + b" " * 1_200_000 + b"}",
                       headers={"Content-Type": "application/json"})  # fmt: skip
    theirs = client.post(f"{API}/institutions", content=b"x" * 30_000_000)
    for answer in (ours, theirs):
        assert (answer.status_code, answer.headers["content-type"]) == (
            413, "application/problem+json",
        )  # fmt: skip
        problem = Problem.model_validate_json(answer.content)
        assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", problem.instance)
    same = ("type", "title", "status", "detail", "code", "errors")
    assert [ours.json()[name] for name in same] == [theirs.json()[name] for name in same]


async def test_streams_arrive_as_they_are_written(client: httpx.Client, proxy: Proxy) -> None:
    path = f"{proxy.url}{API}/institutions/kpu"
    waits = []
    async with following(path, HEADERS["Authorization"], verify=proxy.trust) as stream:
        for i in range(3):
            await asyncio.to_thread(
                client.post, f"{path}/units", json={"code": f"u{i}", "name": "U"}
            )
            written = time.monotonic()
            assert [event["subject"] for event in await stream.take(1)] == [f"u{i}"]
            waits.append(time.monotonic() - written)
    assert min(waits) < 1


async def test_who_sends_slowly_is_nginxs(client: httpx.Client, proxy: Proxy) -> None:
    """Slower than the service takes from anybody: it gets the request when all of it is there."""
    body = json.dumps({"code": "slow", "name": "Slow"}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, ssl=_http1(proxy))
    head = (
        f"POST {API}/institutions/kpu/units HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: {HEADERS['Authorization']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode())
    for part in (body[:5], body[5:]):
        await asyncio.sleep(1.5)
        writer.write(part)
    assert (await reader.read(100)).startswith(b"HTTP/1.1 201")
    writer.close()


def _http1(proxy: Proxy) -> ssl.SSLContext:
    proxy.trust.set_alpn_protocols(["http/1.1"])
    return proxy.trust


def test_the_log_keeps_no_secret(client: httpx.Client, proxy: Proxy) -> None:
    answer = client.get(
        f"{API}/me?key=geheim", headers={"Referer": "https://x/calendar.ics?key=geheim"}
    )
    told, until = "", time.monotonic() + 5
    while f'"GET {API}/me" {answer.status_code} ' not in told:
        assert time.monotonic() < until, told
        told = proxy.log.read_text()
    assert "geheim" not in told


def test_exports_may_take_longer_than_anything_else(tmp_path: Path) -> None:
    with slow(2) as server, proxied(server, tmp_path / "slow", patience=1) as proxy:
        found = [
            httpx.get(f"{proxy.url}{API}/{path}", verify=proxy.trust).status_code
            for path in ("institutions/kpu", "institutions/kpu/exports/archive")
        ]
    assert found == [503, 200]


@contextmanager
def slow(seconds: float) -> Iterator[str]:
    """A server that thinks so long about each request under `/api`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith(API):
                time.sleep(seconds)
            with suppress(OSError):
                self.send_response(200)
                self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_a_server_that_is_away_is_a_problem_too(tmp_path: Any) -> None:
    with proxied("http://127.0.0.1:9", tmp_path / "alone") as proxy:
        answer = httpx.get(f"{proxy.url}{API}/me?key=geheim", verify=proxy.trust)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "geheim" not in proxy.log.with_name("error.log").read_text()
    assert Problem.model_validate_json(answer.content).code == "server_unavailable"
