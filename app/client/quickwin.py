"""The clients: the operations, with a connection to a server."""

import re
from typing import Any, Self

import httpx

from app import __version__
from app.client.failures import Unsayable
from app.client.operations import Operations
from app.client.retries import PATIENT, Patience
from app.client.twins import Plain, Waiting

_TOKEN = re.compile(r"[!-~]+")
_ADDRESS = "a server is named like https://quickwin.example"
_TIMEOUT = httpx.Timeout(60, connect=10)
"""Seconds; a server may work on a request for half a minute."""


class Quickwin(Operations, Plain):
    """A connection to a server, for programs that wait for each answer. Threads may share it."""

    def __init__(
        self,
        server: str,
        token: str,
        institution: str | None = None,
        *,
        patience: Patience = PATIENT,
        timeout: httpx.Timeout | float = _TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(server, institution)
        self._patience = patience
        self._http = httpx.Client(
            **_connection(server, token), timeout=timeout, transport=transport
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncQuickwin(Operations, Waiting):
    """A connection to a server, for programs on asyncio."""

    def __init__(
        self,
        server: str,
        token: str,
        institution: str | None = None,
        *,
        patience: Patience = PATIENT,
        timeout: httpx.Timeout | float = _TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(server, institution)
        self._patience = patience
        self._http = httpx.AsyncClient(
            **_connection(server, token), timeout=timeout, transport=transport
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _connection(server: str, token: str) -> dict[str, Any]:
    """Where to and as whom. Raises `Unsayable`; the token is in no message."""
    try:
        url = httpx.URL(server.rstrip("/"))
    except httpx.InvalidURL as error:
        raise Unsayable(_ADDRESS) from error
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
        raise Unsayable(_ADDRESS)
    if not _TOKEN.fullmatch(token):
        raise Unsayable("a token has visible ASCII characters only")
    agent = f"quickwin-client/{__version__}"
    return {
        "base_url": url,
        "headers": {"Authorization": f"Bearer {token}", "User-Agent": agent},
    }
