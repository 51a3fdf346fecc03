"""PostgreSQL that is restarted under load: success or 503, nothing acknowledged lost."""

import asyncio
import time
from pathlib import Path

import httpx

from app.db import Database
from app.services import operators
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.faults.storm import ROUNDS, Storm, blowing, check, plan
from tests.support.contract import CheckedTransport, Contract
from tests.support.institution import Institution
from tests.support.postgres import create_database, restartable_postgres
from tests.support.server import serving

HEALTHY_WITHIN = 5.0


def unavailable(answer: httpx.Response) -> None:
    """The only failure is a 503 that says when to come back."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] in ("database_unavailable", "outcome_unknown")


async def test_a_restarted_database_is_found_again(tmp_path: Path) -> None:
    with restartable_postgres(tmp_path, durable=True) as postgres:
        url = await create_database(postgres.url, "restarted")
        database = Database(Settings(database_url=url))
        await database.migrate()
        await database.write(operators.first_start, OPERATOR)
        with serving(url, tmp_path / "log", token=OPERATOR) as server:
            headers = {"Authorization": f"Bearer {OPERATOR}"}
            # It is made when it is first asked for, which takes seconds.
            document = httpx.get(f"{server.url}/openapi.json", timeout=120).json()
            transport = CheckedTransport(httpx.AsyncHTTPTransport(), Contract(document))
            async with httpx.AsyncClient(
                transport=transport, base_url=server.url, headers=headers, timeout=60
            ) as client:
                institution = Institution("restarted", client, transport)
                await institution.expect(
                    201, "POST", "/api/v1/institutions", {"code": "restarted", "name": "R"}
                )
                await institution.post("people", {"code": "reporter", "name": "Reporter"})
                await plan(institution)
                storm = Storm(institution.path, unavailable)
                for _ in range(ROUNDS):
                    async with blowing(storm, server.url):
                        await reached(storm, 30)
                        await asyncio.to_thread(postgres.stop)
                        await asyncio.sleep(0.5)
                        down = await client.get("/health/ready")
                        unavailable(down)
                        await asyncio.to_thread(postgres.start)
                        since = time.monotonic()
                        while (await client.get("/health/ready")).status_code != 200:
                            assert time.monotonic() < since + HEALTHY_WITHIN
                            await asyncio.sleep(0.05)
                        await reached(storm, 1)
                        assert time.monotonic() < since + HEALTHY_WITHIN
                    await database.close()  # its connections ended with the server
                    await check(storm, database, "restarted")
                assert storm.refusals[503] > 0
        await database.close()


async def reached(storm: Storm, more: int) -> None:
    """Wait for some more acknowledged reports."""
    until = len(storm.acknowledged) + more
    while len(storm.acknowledged) < until:
        await asyncio.sleep(0.01)
