"""Two real PostgreSQL servers, of which one follows the other by streaming replication."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from tests.support.postgres import (
    FORGETFUL,
    SETTINGS,
    USER,
    _Account,
    _binaries,
    _environment,
    _initialise,
    _server,
    free_port,
)

NEEDED = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
_CHEAP = SETTINGS | FORGETFUL | {"synchronous_commit": "on", "shared_buffers": "64MB"}
"""No server loses what it has when only its processes are ended; `fsync` is for the machine's end."""


class Node:
    """One of two servers; it can be stopped, started, killed and promoted."""

    def __init__(self, binaries: Path, data: Path, account: _Account) -> None:
        self.port = free_port()
        self.data = data
        self._binaries, self._account = binaries, account
        self._running = ExitStack()

    @property
    def host(self) -> str:
        """As it stands in an address."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it can be read."""
        settings = _CHEAP | {"port": str(self.port)}
        self._running.enter_context(_server(self._binaries, self.data, settings, self._account))

    def stop(self) -> None:
        """Stop it as an operator does, or clean up behind what was killed."""
        self._running.close()

    def kill(self) -> None:
        """End it as the machine's end would: nothing is said to anybody."""
        postmaster = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        # Its children end by themselves, in their own time: here they end with it.
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            os.kill(pid, signal.SIGKILL)

    def follow(self, other: "Node") -> None:
        """Make it a copy of another server that goes on following it."""
        subprocess.run(
            [
                self._binaries / "pg_basebackup", "--pgdata", self.data, "--write-recovery-conf",
                "--checkpoint", "fast", "--no-sync", "--host", "127.0.0.1",
                "--port", str(other.port), "--username", USER,
            ],
            cwd=self.data.parent, env=_environment(), check=True, **self._account.identity,
        )  # fmt: skip

    async def ask(self, statement: str, database: str = "postgres") -> object:
        """What a statement answers."""
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=USER, database=database
        )
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()


class Pair(NamedTuple):
    """A primary and its standby."""

    primary: Node
    standby: Node

    def url(self, database: str) -> str:
        """Both, as libpq names several hosts."""
        return f"postgresql://{USER}@{self.primary.host},{self.standby.host}/{database}"

    async def wait_for_each_other(self) -> None:
        """From now on the primary acknowledges what the standby has too."""
        await self.primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        await self.primary.ask("SELECT pg_reload_conf()")
        asked = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        async with asyncio.timeout(60):
            while await self.primary.ask(asked) != 1:
                await asyncio.sleep(0.02)


@contextmanager
def replicated() -> Iterator[Pair]:
    """A primary and a standby that follows it; then every trace of them is removed."""
    account = _Account.suitable()
    with tempfile.TemporaryDirectory(prefix="quickwin-pair-") as name:
        folder = Path(name)
        for each in (folder, folder / "a", folder / "b"):
            each.mkdir(exist_ok=True)
            account.take(each)
        binaries = _binaries(folder / "a", account)
        _initialise(binaries, folder / "a" / "data", account)
        pair = Pair(
            Node(binaries, folder / "a" / "data", account),
            Node(binaries, folder / "b" / "data", account),
        )
        with ExitStack() as stack:
            for node in pair:
                stack.callback(node.stop)
            pair.primary.start()
            pair.standby.follow(pair.primary)
            pair.standby.start()
            yield pair
