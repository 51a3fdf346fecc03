"""Exports by a real server to clients that are slow, go away, or lose their token on the way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from app.opening import open_database
from app.schemas.initiatives import NewInitiative
from app.schemas.institutions import NewInstitution
from app.schemas.plans import Plan
from app.services import institutions, loading
from app.services.actors import SYSTEM
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.institution import API
from tests.support.originals import Originals
from tests.support.server import Server, serving

ROWS, LETTERS = 2_000, 10_000
INSTITUTION = f"{API}/institutions/big"
INITIATIVES = f"{INSTITUTION}/exports/initiatives"
PATIENCE = 30.0


class Exporting(NamedTuple):
    """A server with more rows than fit between it and a client that does not read."""

    server: Server
    temporary: Path

    def client(self, token: str = OPERATOR) -> httpx.AsyncClient:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=PATIENCE)

    async def is_tidy(self) -> bool:
        """Whether what an export keeps on the disk goes in time."""
        for _ in range(int(PATIENCE * 10)):
            if not list(self.temporary.iterdir()):
                return True
            await asyncio.sleep(0.1)
        return False


@pytest.fixture(scope="module")
async def exporting(
    tmp_path_factory: pytest.TempPathFactory, originals: Originals
) -> AsyncIterator[Exporting]:
    """20 MB of initiatives, and a folder of its own for what is temporary."""
    folder = tmp_path_factory.mktemp("exporting")
    (temporary := folder / "temporary").mkdir()
    url = originals.migrated(folder / "quickwin.db")
    database = await open_database(Settings(database_url=url))
    await database.write(institutions.create, SYSTEM, NewInstitution(code="big", name="Big"))
    fields = {"title": "T", "unit": "big", "year": 2022, "description": "x" * LETTERS}
    plans = [
        Plan(NewInitiative.model_validate({**fields, "code": f"QW-{n:05}"}), [], {})
        for n in range(ROWS)
    ]
    await database.write(loading.add_plans, SYSTEM, "big", plans)
    await database.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        log = folder / "log"
        with serving(url, log, token=OPERATOR, receive_seconds=2, database_pool_size=1) as server:
            yield Exporting(server, temporary)


async def _to_the_end(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass


async def test_all_of_it_comes(exporting: Exporting) -> None:
    async with exporting.client() as client:
        for form in ("jsonl", "csv", "xlsx"):
            answer = await client.get(f"{INITIATIVES}.{form}")
            assert answer.status_code == 200
            lines = answer.content.count(b"\n")
            assert form == "xlsx" or lines == ROWS + (form == "csv")
    assert await exporting.is_tidy()


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_without_a_token_nothing_more_comes(exporting: Exporting, form: str) -> None:
    """A token that is revoked while the file is on its way ends it, and not as if it were whole."""
    async with exporting.client() as operator:
        person = {"code": f"leaves-{form}", "name": "Leaves"}
        await operator.post(f"{INSTITUTION}/people", json=person)
        grant = {"person": person["code"], "role": "viewer"}
        await operator.post(f"{INSTITUTION}/grants", json=grant)
        token = {"person": person["code"], "name": "tests"}
        made = (await operator.post(f"{INSTITUTION}/tokens", json=token)).json()
        async with (
            exporting.client(made["token"]) as client,
            client.stream("GET", f"{INITIATIVES}.{form}") as answer,
        ):
            assert answer.status_code == 200
            pieces = answer.aiter_raw()
            assert await anext(pieces)
            gone = await operator.delete(f"{INSTITUTION}/tokens/{made['id']}")
            assert gone.status_code == 204
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await _to_the_end(pieces)
            assert answer.num_bytes_downloaded < ROWS * LETTERS


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_who_does_not_read_holds_nobody_up(exporting: Exporting, form: str) -> None:
    """Of a reader that stands still, and is cut off in the end, nothing stays; others are served."""
    slow = [exporting.client() for _ in range(2)]
    streams = [await client.send(client.build_request("GET", f"{INITIATIVES}.{form}"), stream=True)
               for client in slow]  # fmt: skip
    async with exporting.client() as other:
        for _ in range(5):
            assert (await other.get(f"{INSTITUTION}/rollup")).status_code == 200
    await asyncio.sleep(2.5)
    for stream, client in zip(streams, slow, strict=True):
        if form == "csv":
            with pytest.raises(httpx.HTTPError):
                await stream.aread()
        await client.aclose()
    assert await exporting.is_tidy()


async def test_who_goes_away_is_not_waited_for(exporting: Exporting) -> None:
    """In the middle of a file, and before a spreadsheet is made."""
    before = len(exporting.server.log.read_text())
    async with exporting.client() as client:
        async with client.stream("GET", f"{INITIATIVES}.jsonl") as answer:
            assert answer.status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{INITIATIVES}.xlsx", timeout=0.05)
        assert await exporting.is_tidy()
        assert (await client.get(f"{INSTITUTION}/rollup")).status_code == 200
    assert "Traceback" not in exporting.server.log.read_text()[before:]
