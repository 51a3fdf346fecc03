"""Chromium as people use it, at a real server with a small demo.

What pages say is tried on both databases in `tests/web`; here is what only a browser shows, once.
"""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright

from app.web.pages import LANGUAGE_COOKIE
from tests.conftest import OPERATOR
from tests.support import node
from tests.support.originals import Originals
from tests.support.server import serving

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
    "--disable-features=LocalNetworkAccessChecks",  # the portal's address is no public one
)  # fmt: skip
PHONE, DESKTOP = (360, 740), (1280, 800)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
GRAVE = {"serious", "critical"}
COME_TO_REST = """() => Promise.allSettled(document.getAnimations()
    .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
    .map((each) => each.finished))"""
"""Colours that are on their way are nobody's."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

PORTAL = "http://portal.localhost"
"""Another origin, whose pages may call; nothing is there but what a test answers."""
PLAN = {
    "title": "Loket satu pintu", "unit": "32", "year": 2026, "status": "active",
    "areas": ["public-service"], "owners": [{"person": "sek-32", "role": "accountable"}],
}  # fmt: skip


class Place(NamedTuple):
    """A server, and how one asks it."""

    url: str
    client: httpx.Client
    """The operator's."""

    def token(self, person: str) -> str:
        """A token of somebody."""
        made = self.client.post("tokens", json={"person": person, "name": "browser"})
        assert made.status_code == 201, made.text
        token: str = made.json()["token"]
        return token

    def plan(self, code: str, due_on: str = "2026-06-30") -> None:
        """Let there be a quick win of one milestone."""
        milestones = [{"title": "Buka loket", "due_on": due_on}]
        given = {"code": code, "milestones": milestones, "reason": "Untuk uji coba"}
        answer = self.client.put(f"initiatives/{code}", json=PLAN | given)
        assert answer.status_code in {200, 201}, answer.text


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, originals: Originals) -> Iterator[Place]:
    """A server with all units of the demo and some of its quick wins."""
    folder = tmp_path_factory.mktemp("browser")
    url = originals.demo(folder / "quickwin.db", initiatives=100)
    with (
        serving(url, folder / "log", token=OPERATOR, cors_origins=PORTAL) as server,
        httpx.Client(
            base_url=f"{server.url}/api/v1/institutions/kpu/",
            headers={"Authorization": f"Bearer {OPERATOR}"},
        ) as client,
    ):
        yield Place(server.url, client)


@pytest.fixture(scope="session")
def operator_token() -> str:
    """What the operator signs in with."""
    return OPERATOR


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium; none comes with the wheel."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium: install Debian's package chromium")
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
            yield browser
            await browser.close()
    except subprocess.SubprocessError as failed:
        pytest.skip(f"Chromium does not start here: {failed}")


@pytest.fixture(scope="session")
def axe() -> str:
    """Deque's axe-core, which finds what keeps people out (WCAG 2.2)."""
    node.installed()
    return (node.MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


class Window:
    """A browser's window of somebody, and what went wrong in it."""

    def __init__(self, context: BrowserContext, page: Page, url: str) -> None:
        self.context, self.page, self.url = context, page, url
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        own = urlsplit(url).netloc
        context.on(
            "request",
            lambda asked: (
                None
                if urlsplit(asked.url).netloc in {own, ""}
                else self.strangers.append(asked.url)
            ),
        )
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def speak(self, language: str) -> None:
        """Choose a language, as people do by the button at the top."""
        await self.context.add_cookies(
            [{"name": LANGUAGE_COOKIE, "value": language, "url": self.url}]
        )

    async def go(self, path: str) -> Response | None:
        """Open an address of ours."""
        return await self.page.goto(f"{self.url}{path}")

    async def take(self, link: str) -> None:
        """Go where a link of a list leads; the list is turned over until it is there."""
        while await self.page.locator(link).count() == 0:
            await self.go(await self.page.get_attribute("a[rel=next]", "href") or "")
        await self.page.click(link)

    async def sign_in(self, token: str) -> None:
        """Sign in with a token, as people do."""
        await self.go("/sign-in")
        await self.page.fill("#token", token)
        await self.page.press("#token", "Enter")
        await self.page.wait_for_url(f"{self.url}/")

    async def faults(self, axe: str) -> list[str]:
        """What axe finds serious or critical: rule, and where it is first."""
        await self.page.evaluate(COME_TO_REST)
        await self.page.evaluate(axe)
        found: dict[str, Any] = await self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
        )
        return [
            f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
            for fault in found["violations"]
            if fault["impact"] in GRAVE
        ]


@asynccontextmanager
async def window(
    browser: Browser, url: str, size: tuple[int, int] = DESKTOP, **options: Any
) -> AsyncIterator[Window]:
    """A new window that knows nobody."""
    width, height = size
    chosen = {"locale": "id-ID", "viewport": {"width": width, "height": height}} | options
    context = await browser.new_context(**chosen)
    try:
        yield Window(context, await context.new_page(), url)
    finally:
        await context.close()
