"""A real server that tests misuse: once with each of uvicorn's protocols."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.conftest import OPERATOR
from tests.support.originals import Originals
from tests.support.server import Server, serving

RECEIVE_SECONDS = 1.0
PROXY = "127.0.0.1"
H11 = """
from uvicorn.protocols.http.h11_impl import H11Protocol
from app import cli
from app.api.connections import Deadlines
cli.CONNECTION = type("Connection", (Deadlines, H11Protocol), {})
cli.main()
"""


class Misused(NamedTuple):
    """A server, and whether it believes what comes from this machine as from a proxy."""

    server: Server
    port: int
    trusts: bool

    @property
    def log(self) -> str:
        """What it has printed."""
        return self.server.log.read_text()


@pytest.fixture(scope="session", params=["httptools", "h11"])
def misused(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, originals: Originals
) -> Iterator[Misused]:
    """A server with short deadlines."""
    folder = tmp_path_factory.mktemp("misused")
    trusts = request.param == "h11"
    with serving(
        originals.migrated(folder / "quickwin.db"), folder / "log", token=OPERATOR,
        program=("-c", H11) if trusts else ("-m", "app"),
        receive_seconds=RECEIVE_SECONDS, rate_limit_failures=0,
        trusted_proxies=PROXY if trusts else "",
    ) as server:  # fmt: skip
        yield Misused(server, int(server.url.rsplit(":", 1)[1]), trusts)
