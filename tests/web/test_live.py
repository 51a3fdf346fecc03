"""Pages that are left open: who is told that something has changed, of what, and never what."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy.orm import Session

from app import db
from app.api.tails import Tails
from app.db import Database
from app.services import actors, streams
from app.services.actors import Actor
from app.web.live import LiveQuery, _Glance
from tests.support.institution import API, Institution

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
WORD = b"data: changed"


def identity(client: httpx.AsyncClient) -> Callable[[Session], Actor]:
    token = client.headers["authorization"].removeprefix("Bearer ")
    return actors.identify(actors.digest(token))


async def opened(
    database: Database, institution: Institution, client: httpx.AsyncClient, **asked: Any
) -> tuple[_Glance, LiveQuery]:
    """A page of somebody."""
    call, query = db.Call(database, identity(client)), LiveQuery(**asked)
    watch = await call.read(streams.glance, institution.code, query.unit)
    return _Glance(call, institution.code, query, watch), query


class Listening:
    """A page that is open, and what it hears."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        self.frames = frames
        self._next = self._listen()

    async def heard(self, seconds: float = 20) -> bool:
        """Whether there is a word within so long."""
        done, _ = await asyncio.wait({self._next}, timeout=seconds)
        if not done:
            return False
        frame = self._next.result()
        self._next = self._listen()
        return WORD in frame

    async def close(self) -> None:
        self._next.cancel()
        await asyncio.gather(self._next, return_exceptions=True)
        await self.frames.aclose()

    def _listen(self) -> asyncio.Task[bytes]:
        async def following() -> bytes:
            return await anext(self.frames)

        return asyncio.create_task(following())


async def test_a_page_is_told_of_what_its_reader_may_see(
    institution: Institution, app: FastAPI, database: Database
) -> None:
    for unit in ("A", "B"):
        await institution.unit(unit)
        plan = [{"title": "M", "due_on": "2022-06-30"}]
        await institution.initiative(f"QW-{unit}", unit, milestones=plan)
    viewer = await institution.person("viewer", "viewer", "A")
    everywhere = await institution.person("leader", "viewer")
    # The operator may read events, the others may not: all of them follow.
    asked: list[tuple[httpx.AsyncClient, dict[str, Any], set[str]]] = [
        (institution.operator, {}, {"A", "B"}),
        (everywhere, {}, {"A", "B"}),
        (everywhere, {"unit": "B"}, {"B"}),
        (viewer, {}, {"A"}),
        (viewer, {"unit": "A"}, {"A"}),
    ]
    tails: Tails = app.state.tails
    pages = []
    for client, where, expected in asked:
        glance, _ = await opened(database, institution, client, **where)
        page = Listening(glance.frames(tails, None))
        assert not await page.heard(), "its place, first of all"
        pages.append((page, expected))
    await institution.post("tokens", {"person": "viewer", "name": "of no page"})
    assert not any([await page.heard(0.2) for page, _ in pages])
    for unit in ("A", "B"):
        await institution.report(f"QW-{unit}", 1, 40, "2022-06-01")
        told = sorted(pages, key=lambda each: unit not in each[1])  # those that wait come last
        for page, expected in told:
            assert await page.heard(20 if unit in expected else 0.2) is (unit in expected)
    for page, _ in pages:
        await page.close()
    assert tails.followers == 0
    for client in (viewer, everywhere):
        await client.aclose()


async def test_a_page_that_comes_back_hears_what_it_missed(
    institution: Institution, app: FastAPI, database: Database
) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    before, _ = await opened(database, institution, institution.reporter)
    place = before._watch.sequence  # noqa: SLF001  where the page was
    await institution.report("QW-1", 1, 40, "2022-06-01")
    again, _ = await opened(database, institution, institution.reporter)
    for after, has_missed in ((place, True), (place + 1, False)):
        frames = again.frames(app.state.tails, after)
        assert b"id: %d" % (place + 1) in await anext(frames)
        page = Listening(frames)
        assert await page.heard(20 if has_missed else 0.2) is has_missed
        await page.close()


async def test_whoever_may_not_look_is_not_told(institution: Institution) -> None:
    await institution.unit("A")
    await institution.unit("B")
    viewer = await institution.person("viewer", "viewer", "A")
    path = f"{institution.path.removeprefix(API)}/events/stream"
    for client, address, status in (
        (viewer, f"{path}?unit=B", 404),
        (viewer, "/institutions/none/events/stream", 404),
        (viewer, f"{path}?after=many", 422),
        (viewer, f"{path}?other=1", 422),
        (viewer, f"{path}?unit=%00", 422),
    ):
        answer = await client.get(address, headers=PAGE)
        assert answer.status_code == status, (address, answer.text)
    await viewer.aclose()


async def test_pages_with_numbers_follow_and_forms_do_not(institution: Institution) -> None:
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    path = institution.path.removeprefix(API)
    version = (await institution.rollup())["version"]
    page = await institution.reporter.get(f"{path}/units/A", headers=PAGE)
    assert f'data-live="{path}/events/stream?unit=A" data-live-after="{version}"' in page.text
    assert "/assets/live.js?v=" in page.text
    assert 'aria-live="polite" data-live-told' in page.text
    form = await institution.reporter.get(
        f"{path}/initiatives/QW-1/milestones/1/report", headers=PAGE
    )
    assert form.status_code == 200
    assert "data-live" not in form.text
    assert "live.js" not in form.text


async def test_pages_follow_their_own_unit_and_past_days_nothing(institution: Institution) -> None:
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    report = await institution.post("reports", {"title": "Q2", "unit": "A"})
    path = institution.path.removeprefix(API)
    for below, follows in (
        ("initiatives/QW-1", "?unit=A"), ("initiatives/QW-1/milestones/1", "?unit=A"),
        ("units/A/report", "?unit=A"), ("initiatives", ""),
        ("units/A/report?as_of=2022-06-30", None), ("units/A?as_of=2022-06-30", None),
        (f"reports/{report['id']}", None),
    ):  # fmt: skip
        page = await institution.operator.get(f"{path}/{below}", headers=PAGE)
        assert page.status_code == 200, below
        if follows is None:
            assert "data-live" not in page.text, below
        else:
            assert f'data-live="{path}/events/stream{follows}"' in page.text, below
            assert "This page follows what is reported." in page.text
