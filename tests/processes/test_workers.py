"""Several processes: they start at once, one stands in for another, they are replaced, they stop."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.db import Database
from app.opening import open_database
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.processes.test_worker import expired_keys, keep_expired_keys
from tests.support import nginx
from tests.support.events import Stream, following
from tests.support.institution import API
from tests.support.nginx import proxied
from tests.support.originals import Originals
from tests.support.postgres import create_database, free_port
from tests.support.server import TRUST, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
STARTS_WITHIN = 240.0
"""Five processes start at once, perhaps on a machine that has other things to do."""
SHUTDOWN_SECONDS = 2
STOPS_WITHIN = SHUTDOWN_SECONDS + 4
"""With what a busy machine adds."""
STREAMS_END_WITHIN = 5
METRICS = "token-of-prometheus-0123456789"


class Serving:
    """A supervisor with its workers."""

    def __init__(self, url: str, log: Path, *flags: str, token: str | None = None) -> None:
        self.port, self.log = free_port(), log
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "shutdown_seconds": SHUTDOWN_SECONDS, "trusted_proxies": "127.0.0.1", "metrics_token": METRICS
        }  # fmt: skip
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--port", str(self.port), *flags],
                env=environment(url, token, **settings), stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def workers(self) -> set[int]:
        """Process ids of the workers, without what Python itself has beside them."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split() if "spawn_main" in _command(pid)}

    @property
    def at_work(self) -> set[int]:
        """The workers that do the background work, by the lock that they hold."""
        locks = re.findall(r"FLOCK\s+ADVISORY\s+WRITE (\d+)", Path("/proc/locks").read_text())
        return self.workers & {int(pid) for pid in locks}


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""


async def measured(server: Serving, name: str, *labels: str) -> float:
    """The sum over all workers, as whichever of them is asked tells it."""
    headers = {"Authorization": f"Bearer {METRICS}"}
    async with httpx.AsyncClient(headers=headers, verify=TRUST) as client:
        told = (await client.get(f"{server.url}/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == name and {*labels} <= {*sample.labels.values()}
    )


async def until_measured(server: Serving, expected: float, name: str, *labels: str) -> None:
    """Numbers come a moment after the answers that they count."""
    async with asyncio.timeout(STARTS_WITHIN):
        while (found := await measured(server, name, *labels)) != expected:
            assert found < expected, "it was counted twice"
            await asyncio.sleep(0.1)


async def until(happened: Callable[[], object], within: float = STARTS_WITHIN) -> None:
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def ready(server: Serving) -> None:
    async with httpx.AsyncClient(verify=TRUST) as client:
        for _ in range(int(STARTS_WITHIN * 10)):
            assert server.process.poll() is None, server.log.read_text()
            try:
                if (await client.get(f"{server.url}/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError(server.log.read_text())


@pytest.fixture
async def empty(postgres_server: str) -> str:
    """A database without anything in it, on PostgreSQL."""
    return await create_database(postgres_server, f"workers_{uuid4().hex[:8]}")


async def test_the_life_of_several(empty: str, tmp_path: Path) -> None:
    servers = [
        Serving(empty, tmp_path / "log0", "--workers", "2"),
        Serving(empty, tmp_path / "log1"),
        Serving(empty, tmp_path / "log2"),
    ]
    try:
        await asyncio.gather(*map(ready, servers))
        token = printed_once(servers)
        for server in servers[1:]:
            server.process.terminate()
        settings = Settings(database_url=empty)
        database = await open_database(settings)
        try:
            await another_does_the_background_work(servers[0], database)
        finally:
            await database.close()
        async with beyond(servers[0], tmp_path) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            await replaced_while_requests_go_on(servers[0], client)
            await stopped_in_time(servers[0], client)
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()


def printed_once(servers: list[Serving]) -> str:
    """They have migrated one after another, and one of them has made the operator's token."""
    tokens = [token for each in servers for token in re.findall(r"qw_\w+", each.log.read_text())]
    assert len(tokens) == 1
    assert not any("Traceback" in each.log.read_text() for each in servers)
    return str(tokens[0])


async def another_does_the_background_work(server: Serving, database: Database) -> None:
    """One worker does it; where it is killed another does, and a new worker comes in its place."""
    await until(lambda: len(server.workers) == 2 and server.at_work)
    (busy,) = server.at_work
    (idle,) = server.workers - {busy}
    await database.write(keep_expired_keys)
    os.kill(busy, signal.SIGKILL)
    await until(lambda: server.at_work == {idle})
    async with asyncio.timeout(30):
        while await database.read(expired_keys):
            await asyncio.sleep(0.1)
    await until(lambda: len(server.workers) == 2)
    assert busy not in server.workers
    await until(lambda: server.log.read_text().count("Application startup complete.") == 3)
    assert server.at_work == {idle}
    await until_measured(server, 2, "quickwin_processes")  # the dead one is no more


@asynccontextmanager
async def beyond(server: Serving, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client that comes through nginx, where it is installed; a connection for each request."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with AsyncExitStack() as stack:
        if nginx.IS_HERE:
            proxy = stack.enter_context(proxied(server.url, folder / "nginx"))
            client = httpx.AsyncClient(base_url=proxy.url, verify=proxy.trust, limits=limits)
        else:
            client = httpx.AsyncClient(base_url=server.url, limits=limits)
        yield await stack.enter_async_context(client)


async def replaced_while_requests_go_on(server: Serving, client: httpx.AsyncClient) -> None:
    """SIGHUP: every worker is another one afterwards, and nobody has noticed."""
    assert (await client.post(f"{API}/institutions", json={"code": "kpu", "name": "K"})).is_success
    before, made, ends = server.workers, 0, asyncio.Event()

    async def write() -> None:
        nonlocal made
        while not ends.is_set():
            body = {"code": f"u{made}", "name": "U"}
            answer = await client.post(f"{API}/institutions/kpu/units", json=body)
            assert answer.status_code == 201, answer.text
            made += 1
            await asyncio.sleep(0.02)

    writing = asyncio.create_task(write())
    server.process.send_signal(signal.SIGHUP)
    await until(lambda: writing.done() or not before & server.workers)
    await until(lambda: writing.done() or (len(server.workers), len(server.at_work)) == (2, 1))
    ends.set()
    await writing
    found: set[str] = set()
    page: dict[str, Any] = {"limit": 200}
    while page.get("cursor", "") is not None:
        answer = (await client.get(f"{API}/institutions/kpu/units", params=page)).json()
        found |= {item["code"] for item in answer["items"]}
        page = {"limit": 200, "cursor": answer["next_cursor"]}
    assert made > 5
    assert found == {"kpu", *(f"u{i}" for i in range(made))}


async def stopped_in_time(server: Serving, client: httpx.AsyncClient) -> None:
    """SIGTERM: what is being sent is answered, streams end, and who hangs is not waited for."""
    workers = server.workers
    (hanging,) = workers - server.at_work
    os.kill(hanging, signal.SIGSTOP)
    token = client.headers["Authorization"]
    async with following(f"{server.url}{API}/institutions/kpu", token, after=0) as stream:
        await stream.take(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
        await asyncio.sleep(0.2)
        told = time.monotonic()
        server.process.terminate()
        await asyncio.sleep(0.8)  # the supervisor looks twice a second
        writer.write(b"\r\n")
        answer = await reader.read(1_000)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert b"connection: close" in answer.lower()
        writer.close()
        await ended(stream)
        await until(lambda: server.process.poll() is not None, STOPS_WITHIN)
    assert time.monotonic() - told < STOPS_WITHIN
    assert server.process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert "Traceback" not in server.log.read_text()


async def ended(stream: Stream) -> None:
    async with asyncio.timeout(STREAMS_END_WITHIN):
        async for _ in stream:
            pass


async def test_workers_stop_when_their_supervisor_is_gone(
    tmp_path: Path, originals: Originals
) -> None:
    """And SQLite serves several too: it is one writer for all of them, however many there are."""
    url = originals.migrated(tmp_path / "quickwin.db")
    server = Serving(url, tmp_path / "log", "--workers", "2", token=OPERATOR)
    try:
        await ready(server)
        await until(lambda: server.log.read_text().count("Application startup complete.") == 2)
        workers = server.workers
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        async with httpx.AsyncClient(
            base_url=server.url, headers=headers, limits=httpx.Limits(max_keepalive_connections=0)
        ) as client:
            path = f"{API}/institutions"
            assert (await client.post(path, json={"code": "kpu", "name": "K"})).is_success
            bodies = [{"code": f"u{i}", "name": "U"} for i in range(40)]
            sent = await asyncio.gather(
                *(client.post(f"{path}/kpu/units", json=body) for body in bodies)
            )
            assert {answer.status_code for answer in sent} == {201}
            route = f"{API}/institutions/{{institution}}/units"
            name = "quickwin_http_request_duration_seconds_count"
            await until_measured(server, 40, name, "POST", route, "2xx")
            await until_measured(server, 2, "quickwin_processes")
    finally:
        server.process.kill()
        server.process.wait()
    await until(lambda: not any(_command(str(pid)) for pid in workers), STOPS_WITHIN)
