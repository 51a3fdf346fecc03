"""The application with an OIDC issuer, which is a real server of its own."""

from collections.abc import AsyncIterator, Iterator
from time import monotonic
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import issuer as keys
from app.api.oidc import Verifier
from app.main import create_app
from app.settings import Settings
from tests.support.application import contract, sum_up_late
from tests.support.contract import CheckedTransport
from tests.support.institution import API
from tests.support.issuer import AUDIENCE, LocalIssuer, running_issuer


class Relying:
    """The application as somebody with an access token sees it."""

    def __init__(self, app: FastAPI, settings: Settings, client: httpx.AsyncClient) -> None:
        self.app, self.settings, self.client = app, settings, client
        self.later = 0.0
        """Seconds by which the clock of the cached keys is ahead."""

    async def configure(self, **changed: Any) -> None:
        """Go on with other settings of the issuer, and without its keys."""
        await self.app.state.oidc.close()
        settings = Settings(**self.settings.model_dump() | changed)
        self.app.state.oidc = Verifier(settings)

    async def me(self, token: str) -> httpx.Response:
        """Who the application takes the bearer of a token for."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self.client.get(f"{API}/me", headers=headers)

    async def status(self, token: str) -> int:
        """The status of asking who one is."""
        return (await self.me(token)).status_code


@pytest.fixture(scope="session")
def running() -> Iterator[LocalIssuer]:
    """An issuer on this machine."""
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="session")
async def relying_app(configuration: Settings, running: LocalIssuer) -> AsyncIterator[Relying]:
    """The application on the tests' database, relying on the issuer."""
    issued = {
        "oidc_issuer": running.url, "oidc_audience": AUDIENCE,
        "max_head_bytes": 65_536,  # more than the longest token, whose limit is to be seen
    }  # fmt: skip
    settings = Settings(**configuration.model_dump() | issued)
    app = create_app(settings)
    transport = CheckedTransport(
        httpx.ASGITransport(app, raise_app_exceptions=False),
        contract(),  # how one signs in is all that its own document adds
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        sum_up_late(app)
        yield Relying(app, settings, client)


@pytest.fixture
async def relying(
    relying_app: Relying, running: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> Relying:
    """The application without any key of the issuer, and with a clock that can be moved."""
    running.restore()
    await relying_app.configure()
    relying_app.later = 0.0
    monkeypatch.setattr(keys, "monotonic", lambda: monotonic() + relying_app.later)
    return relying_app


@pytest.fixture
def issuer(relying: Relying, running: LocalIssuer) -> LocalIssuer:
    """The issuer, as it is when all is well."""
    return running
