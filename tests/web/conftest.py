"""Browsers: clients that keep cookies and say where a request comes from, as browsers do."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

HOME = "https://quickwin.test"
COOKIE = "__Host-quickwin"


class Browser:
    """Somebody's browser, at pages of ours; it goes where it is sent only when told to."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page or data of ours, asked for from a page of ours."""
        return await self._request("GET", path, headers)

    async def post(
        self, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form of a page of ours."""
        return await self._request("POST", path, headers, data=form or {})

    async def sign_in(self, token: str, after: str = "/") -> httpx.Response:
        """Sign in with a token at the page for it."""
        answer = await self.post("/sign-in", {"token": token, "next": after})
        assert answer.status_code == 303, answer.text
        return answer

    @property
    def secret(self) -> str | None:
        """What the browser keeps for us."""
        return self.client.cookies.get(COOKIE)

    def bring(self, secret: str | None) -> None:
        """Let the browser have this in place of what it keeps for us."""
        self.client.cookies.clear()
        if secret is not None:
            self.client.cookies.set(COOKIE, secret, domain="quickwin.test")

    async def _request(
        self, method: str, path: str, headers: dict[str, str], **sent: Any
    ) -> httpx.Response:
        said = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.client.request(method, path, headers=said, **sent)


@pytest.fixture
async def browsers(app: FastAPI) -> AsyncIterator[Callable[[], Browser]]:
    """New browsers, each of its own."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with AsyncExitStack() as opened:

        def browser() -> Browser:
            client = httpx.AsyncClient(transport=transport, base_url=HOME)
            opened.push_async_callback(client.aclose)
            return Browser(client)

        yield browser


@pytest.fixture
def browser(browsers: Callable[[], Browser]) -> Browser:
    """A browser in which nobody is signed in."""
    return browsers()
